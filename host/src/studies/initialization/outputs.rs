//! RandomOutputs of many networks at random initialization on a few points: in the limit of infinite width a Gaussian process
//! with the covariance NNGP.
//!
//! Given the hidden layer, the output of a network of one hidden layer is Gaussian with the variance
//! `k = (2/m) sum_j relu(w_j . x)^2`, which on the unit sphere has mean 1 and variance 5/m. So at finite width the
//! outputs have the excess kurtosis `3 Var k / (E k)^2 = 15/m`, and the covariance of the limit.

use ntkscope_core::MatRef;
use ntkscope_core::forward::{Params, forward};
use ntkscope_core::init::{Normals, initialize};
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::linalg::cholesky;
use ntkscope_core::network::Fcn;
use serde::Serialize;

use crate::analysis::points::sphere;
use crate::analysis::statistics::{Estimate, jackknife, kurtosis, larger, normal_probability};
use crate::backend::HostReal;
use crate::files::numbers::NumberTable;
use crate::kernel::analytic_kernel;
use crate::machine::{Ended, Stop};
use crate::run::Observer;
use crate::study::Error;
use crate::study::kept::Measurement;

/// Networks of one hidden layer without bias at standard initialization.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RandomOutputs {
    /// width m
    pub width: usize,
    /// how many
    pub networks: u64,
    /// points on S^2
    pub points: usize,
}

/// What the outputs are tested for.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// `z^T z - P` over its standard deviation for z the whitened outputs of all networks, one number for every pair of
    /// points: the largest distance of the covariance from the NNGP, in standard errors
    pub covariance: f64,
    /// pairs of points
    pub pairs: usize,
    /// mean over the points of the excess kurtosis: pseudo-values, see [`jackknife`]
    pub kurtosis: Vec<f64>,
    /// Kolmogorov's distance of the whitened outputs from N(0,1): pseudo-values
    pub distances: Vec<f64>,
}

impl RandomOutputs {
    /// The points, `(points, 3)`.
    fn x(&self) -> Vec<f64> {
        sphere(self.points, 3, &mut Normals::new(0))
    }
    fn network(widths: &[usize]) -> Result<Fcn<'_>, Error> {
        Ok(Fcn::new(3, widths, 1)?)
    }

    /// Tests a table of outputs against GP(0, NNGP).
    ///
    /// # Errors
    /// Networks are missing.
    pub fn test(&self, table: &NumberTable) -> Result<Tested, Error> {
        const GROUPS: usize = 10;
        let (p, count) = (self.points, table.rows().len());
        if count as u64 != self.networks || count < 10 * GROUPS {
            let id = format!("outputs of width {}", self.width);
            return Err(Error::MissingRows { id, found: count, expected: self.networks.max(10 * GROUPS as u64) });
        }
        let x = self.x();
        let mut l = analytic_kernel(f64::fast(), &Self::network(&[1])?, AnalyticKernel::Nngp, MatRef::new(&x, p, 3)?)?;
        cholesky(ntkscope_core::MatMut::new(&mut l, p, p)?)?;
        // z = L^-1 f ~ N(0, 1)
        let whiten = |f: &Vec<f64>| {
            let mut z: Vec<f64> = Vec::with_capacity(p);
            for i in 0..p {
                let known: f64 = z.iter().enumerate().map(|(j, z)| l[i * p + j] * z).sum();
                z.push((f[i] - known) / l[i * p + i]);
            }
            z
        };
        let z: Vec<Vec<f64>> = table.rows().iter().map(whiten).collect();
        let mut covariance: f64 = 0.0;
        for i in 0..p {
            for j in 0..=i {
                let products: Vec<f64> = z.iter().map(|z| z[i] * z[j] - if i == j { 1.0 } else { 0.0 }).collect();
                // the spread that the sample has itself: at finite width it is larger than a Gaussian's
                let off = Estimate::from_values(&products).map_or(f64::NAN, |e| e.value / e.error_or_0());
                covariance = covariance.max(off.abs());
            }
        }
        let of_points = |networks: &[&Vec<f64>]| {
            let column = |i: usize| networks.iter().map(|f| f[i]).collect::<Vec<f64>>();
            (0..p).map(|i| kurtosis(&column(i))).sum::<f64>() / p as f64
        };
        let networks: Vec<&Vec<f64>> = table.rows().iter().collect();
        let whitened: Vec<&Vec<f64>> = z.iter().collect();
        let far = |networks: &[&Vec<f64>]| distance_from_normal(networks.iter().copied().flatten().copied().collect());
        let distances = jackknife(&whitened, GROUPS, far);
        Ok(Tested { covariance, pairs: p * (p + 1) / 2, kurtosis: jackknife(&networks, GROUPS, of_points), distances })
    }
}

/// Kolmogorov's distance of a sample from N(0,1).
fn distance_from_normal(mut sample: Vec<f64>) -> f64 {
    sample.sort_by(f64::total_cmp);
    let total = sample.len() as f64;
    let off = |(i, z): (usize, &f64)| {
        let [below, above] = [i, i + 1].map(|rank| (normal_probability(*z) - rank as f64 / total).abs());
        below.max(above)
    };
    sample.iter().enumerate().map(off).fold(0.0, larger)
}

impl Measurement for RandomOutputs {
    fn settings(&self) -> Result<String, Error> {
        Ok(toml::to_string(self)?)
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        Ok(toml::Table::try_from(self)?)
    }
    fn work(&self) -> f64 {
        2e-7 * self.networks as f64 * self.width as f64
    }
    fn need(&self) -> Result<u64, Error> {
        Ok(8 * (self.networks * self.points as u64 * 4 + (self.width * (self.points + 4)) as u64))
    }
    /// A row for every network, its outputs.
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let widths = [self.width];
        let (network, x) = (Self::network(&widths)?, self.x());
        let (x, sizes) = (MatRef::new(&x, self.points, 3)?, network.sizes());
        let (mut theta, mut activations) = (vec![0.0; sizes.parameters], vec![0.0; self.points * sizes.activations]);
        let mut table = NumberTable::new((0..self.points).map(|i| format!("f{i}")));
        for seed in 0..self.networks {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            initialize(&network, seed, &mut theta)?;
            let f = forward(f64::fast(), Params::new(&network, &theta)?, x, &mut activations)?;
            table.push(f.outputs().data().to_vec());
            observer.step((seed + 1) as f64 / self.networks as f64, &String::new);
        }
        Ok(Ended::Done(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_networks_are_not_gaussian() {
        let tested = [4, 256].map(|width| {
            let outputs = RandomOutputs { width, networks: 2000, points: 3 };
            outputs.test(&outputs.measure(&mut (), &Stop::new()).unwrap().done().unwrap()).unwrap()
        });
        let [narrow, wide] = &tested;
        for (tested, width) in [(narrow, 4.0), (wide, 256.0)] {
            let kurtosis = Estimate::from_values(&tested.kurtosis).unwrap();
            assert!((kurtosis.value - 15.0 / width).abs() < 4.0 * kurtosis.error_or_0(), "{tested:?}");
        }
        let distance = |tested: &Tested| Estimate::from_values(&tested.distances).unwrap().value;
        assert!(distance(narrow) > 0.05 && distance(wide) < 0.02, "{tested:?}");
        assert!(narrow.covariance < 4.0 && wide.covariance < 4.0, "{tested:?}");
        assert_eq!(wide.pairs, 6);
    }
}
