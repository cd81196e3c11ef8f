//! How the eigenvalues of the NTK and of the NNGP fall on given points, and the tail sums of functions in the
//! eigenfunctions of the NTK: of f^GP, and of any others.

use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::Network;
use ntkscope_core::{Error, MatRef};

use super::points::gaussian_draws;
use super::spectrum::{Spectrum, eigenvalues, tail_sums};
use crate::backend::HostReal;
use crate::files::numbers::NumberTable;
use crate::kernel::analytic_kernel;
use crate::machine::memory::bytes_of;

/// Spectra on n points, everything for k = 1..n in descending order of the eigenvalues.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spectra {
    /// eigenvalues of the NTK
    pub ntk: Vec<f64>,
    /// eigenvalues of the NNGP
    pub nngp: Vec<f64>,
    /// tail sums of functions, by name
    pub functions: Vec<(String, Vec<f64>)>,
    /// tail sums of draws of f^GP
    pub draws: Vec<Vec<f64>>,
}

/// A function of C components by its values on n points. Its tail sums are the mean over the components.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// name
    pub name: &'static str,
    /// `(n, C)`
    pub values: Vec<f64>,
    /// C
    pub components: usize,
}

/// A network of infinite width on n points.
pub struct Infinite {
    /// eigenvalues of the NNGP, descending
    pub nngp: Vec<f64>,
    /// draws of f^GP, `(n, draws)`
    pub f_gp: Vec<f64>,
    /// the NTK, `(n, n)`
    pub ntk: Vec<f64>,
}

impl Infinite {
    /// On the rows of `x`.
    ///
    /// # Errors
    /// Shapes, numbers that are not finite, those of the Gaussian process.
    pub fn new<N: Network>(
        network: &N,
        x: MatRef<'_, f64>,
        draws: usize,
        normals: &mut Normals,
    ) -> Result<Self, Error> {
        let kernel = |which| analytic_kernel(f64::fast(), network, which, x);
        let (nngp, f_gp) = {
            let nngp = kernel(AnalyticKernel::Nngp)?;
            let nngp = MatRef::new(&nngp, x.rows(), x.rows())?;
            (eigenvalues(nngp)?, gaussian_draws(nngp, draws, normals)?)
        };
        Ok(Self { nngp, f_gp, ntk: kernel(AnalyticKernel::Ntk)? })
    }
    /// The spectra, with the first `draws` of f^GP.
    ///
    /// # Errors
    /// Shapes, numbers that are not finite.
    pub fn spectra(&self, functions: &[Function], draws: usize) -> Result<Spectra, Error> {
        let n = self.nngp.len();
        let spectrum = Spectrum::new(MatRef::new(&self.ntk, n, n)?)?;
        let f_gp = MatRef::new(&self.f_gp, n, self.f_gp.len() / n)?;
        let c = spectrum.coefficients(f_gp.block(0..n, 0..draws))?;
        let of_draw = |draw: usize| tail_sums(&c.iter().skip(draw).step_by(draws).copied().collect::<Vec<_>>(), 1);
        let tails = |f: &Function| -> Result<_, Error> {
            let c = spectrum.coefficients(MatRef::new(&f.values, n, f.components)?)?;
            Ok((f.name.to_owned(), tail_sums(&c, f.components)))
        };
        Ok(Spectra {
            ntk: spectrum.values().to_vec(),
            nngp: self.nngp.clone(),
            functions: functions.iter().map(tails).collect::<Result<_, _>>()?,
            draws: (0..draws).map(of_draw).collect(),
        })
    }
}

impl Spectra {
    /// Bytes that [`Infinite`] and its spectra take: the NTK, its copies for the decomposition, and what that works with,
    /// at most 7 matrices by measurement.
    pub fn need(points: usize, draws: usize) -> u64 {
        let (n, draws) = (points as u128, draws as u128);
        bytes_of(7 * n * n + 3 * n * draws, 8)
    }
    /// Seconds that it takes, see [`crate::study::grid::Job::work`].
    pub fn work(points: usize, draws: usize) -> f64 {
        let (n, draws) = (points as f64, draws as f64);
        8e-10 * n.powi(3) + 1e-6 * n * n + 1e-9 * n * n * draws
    }
    /// The mean of tail sums over the draws, which are the tail sums of the mean square.
    pub fn mean(draws: &[Vec<f64>]) -> Vec<f64> {
        let sum = |k: usize| draws.iter().map(|draw| draw[k]).sum::<f64>() / draws.len() as f64;
        (0..draws.first().map_or(0, Vec::len)).map(sum).collect()
    }

    /// As a table: columns `ntk`, `nngp`, `f NAME` for every function, `gp I` for every draw, a row for every k.
    pub fn table(&self) -> NumberTable {
        let names = self.functions.iter().map(|(name, _)| format!("f {name}"));
        let draws = (0..self.draws.len()).map(|draw| format!("gp {draw}"));
        let mut table = NumberTable::new(["ntk", "nngp"].map(String::from).into_iter().chain(names).chain(draws));
        for k in 0..self.ntk.len() {
            let functions = self.functions.iter().map(|(_, tails)| tails[k]);
            let draws = self.draws.iter().map(|tails| tails[k]);
            table.push([self.ntk[k], self.nngp[k]].into_iter().chain(functions).chain(draws).collect());
        }
        table
    }
    /// From that table.
    ///
    /// # Errors
    /// It is another.
    pub fn from_table(table: &NumberTable) -> Result<Self, super::Error> {
        let mut spectra =
            Self { ntk: table.column("ntk")?, nngp: table.column("nngp")?, functions: Vec::new(), draws: Vec::new() };
        for name in &table.columns()[2..] {
            match name.strip_prefix("f ") {
                Some(function) => spectra.functions.push((function.to_owned(), table.column(name)?)),
                None => spectra.draws.push(table.column(name)?),
            }
        }
        if spectra.draws.is_empty() {
            return Err(super::Error::NoDraw);
        }
        Ok(spectra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::points::sphere;
    use ntkscope_core::network::Fcn;

    #[test]
    fn tables_of_spectra() {
        let network = Fcn::new(3, &[1], 1).unwrap();
        let x = sphere(20, 3, &mut Normals::new(1));
        let x = MatRef::new(&x, 20, 3).unwrap();
        let values: Vec<f64> = (0..20).map(|i| x.at(i, 0)).collect();
        let first = Function { name: "first", values: values.clone(), components: 1 };
        let infinite = Infinite::new(&network, x, 3, &mut Normals::new(2)).unwrap();
        let found = infinite.spectra(std::slice::from_ref(&first), 2).unwrap();
        assert_eq!(Spectra::from_table(&found.table()).unwrap(), found);
        let fewer = Infinite::new(&network, x, 2, &mut Normals::new(2)).unwrap();
        assert_eq!(fewer.spectra(std::slice::from_ref(&first), 2).unwrap(), found, "draws of a seed begin alike");
        // the first tail sum is the mean square
        let square = values.iter().map(|v| v * v).sum::<f64>() / 20.0;
        assert!((found.functions[0].1[0] - square).abs() < 1e-14);
        assert_eq!(Spectra::mean(&[vec![1.0, 4.0], vec![3.0, 0.0]]), [2.0, 2.0]);
        assert!(Spectra::from_table(&NumberTable::new(["ntk", "nngp"])).is_err());
    }
}
