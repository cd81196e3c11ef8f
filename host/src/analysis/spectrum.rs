//! The spectrum of a kernel K on n points drawn from mu, as that of its integral operator on L2(mu):
//!
//! ```text
//! lambda_k = w_k/n,     e_k(x_i) = sqrt(n) u_ki,     c_k = <f, e_k> = u_k . f(X) / sqrt(n),     K = sum_k w_k u_k u_k^T
//! ```
//!
//! in descending order, k = 1..n. On the sphere S^d of R^(d+1) the NTK of a ReLU network has `lambda_k ~ k^(-(d+1)/d)`
//! and its NNGP, the covariance of f^GP, `k^(-(d+3)/d)`, so that f^GP has the tail sums
//! `sum_(j >= k) c_j^2 ~ k^(-3/d)` in the eigenfunctions of the NTK.

use std::ops::RangeInclusive;

use ntkscope_core::{Error, MatMut, MatRef, Real};

use crate::analysis::statistics::{centre_and_spread, line};
use crate::backend::HostReal;

/// Eigenvalues and eigenfunctions of a kernel on n points.
#[derive(Clone, Debug)]
pub struct Spectrum {
    /// lambda, descending
    values: Vec<f64>,
    /// u_k in column n - k of `(n, n)`: ascending, as the decomposition leaves them
    modes: Vec<f64>,
}

impl Spectrum {
    /// Decomposes `kernel` `(n, n)`, of which the lower triangle is read.
    ///
    /// # Errors
    /// Shape, n = 0, a number that is not finite.
    pub fn new(kernel: MatRef<'_, f64>) -> Result<Self, Error> {
        let (n, mut copy) = square(kernel)?;
        let (mut values, mut modes, mut scratch) = (vec![0.0; n], vec![0.0; n * n], vec![0.0; n]);
        let (a, vectors) = (MatMut::new(&mut copy, n, n)?, MatMut::new(&mut modes, n, n)?);
        f64::fast().symmetric_eigen(a, &mut values, vectors, &mut scratch)?;
        Ok(Self { values: descending(values), modes })
    }
    /// lambda_1 >= lambda_2 >= ...; those that vanish are known to rounding, and may be negative.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
    /// c_k of functions given by their values `(n, C)` on the points: `(n, C)`, row k - 1 for c_k.
    ///
    /// # Errors
    /// Shape.
    pub fn coefficients(&self, f: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
        let (n, columns) = (self.values.len(), f.cols());
        Error::shape("functions: rows", n, f.rows())?;
        let (mut ascending, scale) = (vec![0.0; n * columns], 1.0 / (n as f64).sqrt());
        let out = MatMut::new(&mut ascending, n, columns)?;
        f64::fast().gemm(scale, MatRef::new(&self.modes, n, n)?.t(), f, 0.0, out);
        Ok(ascending.rchunks(columns.max(1)).flatten().copied().collect())
    }
}

/// lambda_1 >= lambda_2 >= ... alone, which takes a fraction of the time.
///
/// # Errors
/// Those of [`Spectrum::new`].
pub fn eigenvalues(kernel: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
    let (n, mut copy) = square(kernel)?;
    let (mut values, mut scratch) = (vec![0.0; n], vec![0.0; n]);
    f64::fast().symmetric_eigenvalues(MatMut::new(&mut copy, n, n)?, &mut values, &mut scratch)?;
    Ok(descending(values))
}

fn square(kernel: MatRef<'_, f64>) -> Result<(usize, Vec<f64>), Error> {
    let n = kernel.rows();
    Error::shape("kernel: columns", n, kernel.cols())?;
    if n == 0 {
        return Err(Error::OutOfRange { what: "points of the kernel", needs: "at least 1", got: 0.0 });
    }
    Ok((n, (0..n * n).map(|e| kernel.at(e / n, e % n)).collect()))
}

/// lambda from w, ascending.
fn descending(mut values: Vec<f64>) -> Vec<f64> {
    let n = values.len() as f64;
    values.reverse();
    values.iter_mut().for_each(|w| *w /= n);
    values
}

/// `tail_k = sum_(j >= k) c_j^2` of coefficients `(n, C)`, the mean over the C functions; the smallest terms are summed
/// first. tail_1 is the mean square of the functions on the points.
pub fn tail_sums(coefficients: &[f64], columns: usize) -> Vec<f64> {
    let square = |row: &[f64]| row.iter().map(|c| c * c).sum::<f64>() / columns as f64;
    let mut sum = 0.0;
    let mut tails: Vec<f64> = coefficients
        .rchunks(columns.max(1))
        .map(|row| {
            sum += square(row);
            sum
        })
        .collect();
    tails.reverse();
    tails
}

/// A power law `v_k = a k^exponent`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerLaw {
    /// slope of ln v over ln k
    pub exponent: f64,
    /// Standard error of the slope if the points' distances from the line were independent and of one size. Those of
    /// eigenvalues and of tail sums are neither: it says how straight the points lie, not how far the slope is from the
    /// one for infinitely many points.
    pub error: f64,
    /// a
    pub factor: f64,
}

/// Why no power law is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// fewer than three numbers, or a window that reaches beyond them
    #[error("a fit needs a window of at least three indices among the {count} there are")]
    Window {
        /// how many there are
        count: usize,
    },
    /// the window reaches into what is rounding beside the first number
    #[error("from k = {} on, values are rounding error", usable + 1)]
    Rounding {
        /// the last k that can be used
        usable: usize,
    },
}

/// How many eigenvalues lambda_1 >= lambda_2 >= ... are data: those above n epsilon lambda_1.
pub fn known_eigenvalues(values: &[f64]) -> usize {
    above(values, values.len() as f64 * f64::EPSILON)
}

/// How many tail sums are data: those above epsilon tail_1, that of the squares of rounded coefficients.
pub fn known_tails(tails: &[f64]) -> usize {
    above(tails, f64::EPSILON)
}

/// How many numbers exceed this share of the first.
fn above(values: &[f64], share: f64) -> usize {
    let floor = share * values.first().map_or(0.0, |first| first.max(0.0));
    values.iter().take_while(|v| **v > floor && v.is_finite()).count()
}

/// Least squares of ln v_k over ln k, k in `window`, counted from 1; the first `known` values are data.
///
/// # Errors
/// [`Unfit`].
pub fn power_law(values: &[f64], known: usize, window: &RangeInclusive<usize>) -> Result<PowerLaw, Unfit> {
    let unfit = Unfit::Window { count: values.len() };
    let first = window.start().checked_sub(1).ok_or(unfit)?;
    let inside = values.get(first..*window.end()).filter(|inside| inside.len() > 2).ok_or(unfit)?;
    if *window.end() > known {
        return Err(Unfit::Rounding { usable: known });
    }
    // a power of two near the largest: values times such a power have the same exponent, bit for bit
    let unit = inside[0].power_of_two();
    let points: Vec<_> = window.clone().zip(inside).map(|(k, v)| ((k as f64).ln(), (v / unit).ln())).collect();
    let (exponent, intercept) = line(&points).ok_or(unfit)?;
    let count = points.len() as f64;
    let (_, spread) = centre_and_spread(points.iter().map(|(x, _)| *x));
    let left: f64 = points.iter().map(|(x, y)| (y - intercept - exponent * x).powi(2)).sum();
    Ok(PowerLaw { exponent, error: (left / (count - 2.0) / spread).sqrt(), factor: intercept.exp() * unit })
}

#[cfg(test)]
mod tests {
    use super::super::points::sphere;
    use super::*;
    use crate::kernel::analytic_kernel;
    use core::f64::consts::PI;
    use ntkscope_core::init::Normals;
    use ntkscope_core::kernel::AnalyticKernel;
    use ntkscope_core::network::Fcn;

    /// One hidden layer on the circle: the Fourier coefficients of kappa_1(cos t) and of the NTK, in closed form.
    #[test]
    fn spectrum_on_the_circle() {
        const N: usize = 128;
        let x: Vec<f64> = (0..N).map(|i| 2.0 * PI * i as f64 / N as f64).flat_map(|t| [t.cos(), t.sin()]).collect();
        let x = MatRef::new(&x, N, 2).unwrap();
        let network = Fcn::new(2, &[1], 1).unwrap();
        let square = PI * PI;
        let known = [
            (AnalyticKernel::Nngp, [4.0 / square, 0.25, 4.0 / (9.0 * square)]),
            // the NTK adds cos(t) kappa_0(cos t)
            (AnalyticKernel::Ntk, [6.0 / square, 0.5, 14.0 / (9.0 * square)]),
        ];
        for (which, [constant, first, second]) in known {
            let k = analytic_kernel(f64::fast(), &network, which, x).unwrap();
            let spectrum = Spectrum::new(MatRef::new(&k, N, N).unwrap()).unwrap();
            let expected = [constant, first, first, second, second];
            for (value, expected) in spectrum.values().iter().zip(expected) {
                // what n points on the circle alias into a coefficient is of order n^-2 for the NTK
                assert!((value - expected).abs() < 1.0 / (N * N) as f64, "{which:?}: {value} for {expected}");
            }
            let alone = eigenvalues(MatRef::new(&k, N, N).unwrap()).unwrap();
            assert!(alone.iter().zip(spectrum.values()).all(|(a, b)| (a - b).abs() < 1e-14));
            // f = 1 + 3 sqrt(2) x_1 in normalized eigenfunctions: c_1^2 = 1, the two of degree 1 share 9
            let f: Vec<f64> = (0..N).map(|i| 1.0 + 3.0 * 2f64.sqrt() * x.at(i, 0)).collect();
            let c = spectrum.coefficients(MatRef::new(&f, N, 1).unwrap()).unwrap();
            let tails = tail_sums(&c, 1);
            assert!((tails[0] - 10.0).abs() < 1e-12 && (tails[1] - 9.0).abs() < 1e-12 && tails[3].abs() < 1e-20);
        }
    }

    #[test]
    fn power_laws() {
        let values: Vec<f64> = (1..=50).map(|k| 3.0 * f64::from(k).powf(-1.5)).collect();
        let law = power_law(&values, 50, &(2..=50)).unwrap();
        assert!((law.exponent + 1.5).abs() < 1e-13 && law.error < 1e-13 && (law.factor - 3.0).abs() < 1e-12);
        // by hand: ln k = 0, ln 2, ln 4 and ln v = 0, 1, 0 has slope 0 and residuals -1/3, 2/3, -1/3
        let bent = power_law(&[1.0, 1f64.exp(), f64::NAN, 1.0], 4, &(1..=2));
        assert_eq!(bent, Err(Unfit::Window { count: 4 }), "two points have no error");
        let bent = power_law(&[1.0, 1f64.exp(), 1.0], 3, &(1..=3)).unwrap();
        let x = [0.0, 2f64.ln(), 3f64.ln()];
        let centre = (x[1] + x[2]) / 3.0;
        let spread: f64 = x.iter().map(|x| (x - centre) * (x - centre)).sum();
        let slope = (x[1] - centre) / spread;
        let left = 2.0 / 3.0 - slope * slope * spread;
        assert!((bent.exponent - slope).abs() < 1e-14 && (bent.error - (left / spread).sqrt()).abs() < 1e-14);
        assert_eq!(power_law(&values, 50, &(0..=10)), Err(Unfit::Window { count: 50 }));
        assert_eq!(power_law(&values, 50, &(10..=51)), Err(Unfit::Window { count: 50 }));
        assert_eq!(power_law(&values, 40, &(10..=41)), Err(Unfit::Rounding { usable: 40 }));
        assert!(power_law(&values, 40, &(10..=40)).is_ok());
    }

    /// Beside the first of n = 4: 4 epsilon of eigenvalues, epsilon of tail sums, at any scale.
    #[test]
    fn what_is_rounding_is_no_datum() {
        for scale in [1e-290, 1.0, 1e290] {
            let known = |third: f64| [1.0, 0.5, third, 0.1].map(|v| scale * v);
            let beside = |third: f64| (known_eigenvalues(&known(third)), known_tails(&known(third)));
            assert_eq!(beside(f64::EPSILON * 4.5), (4, 4));
            assert_eq!(beside(f64::EPSILON * 3.5), (2, 4));
            assert_eq!(beside(f64::EPSILON * 0.5), (2, 2));
            assert_eq!((beside(0.0), beside(-1e-17), beside(f64::NAN)), ((2, 2), (2, 2), (2, 2)));
        }
        assert_eq!((known_eigenvalues(&[0.0; 3]), known_tails(&[])), (0, 0));
    }

    /// The paper's exponents on S^1, from few points.
    #[test]
    fn decay_on_the_circle() {
        const N: usize = 300;
        let x = sphere(N, 2, &mut Normals::new(1));
        let x = MatRef::new(&x, N, 2).unwrap();
        let network = Fcn::new(2, &[1, 1], 1).unwrap();
        for (which, exponent) in [(AnalyticKernel::Ntk, -2.0), (AnalyticKernel::Nngp, -4.0)] {
            let k = analytic_kernel(f64::fast(), &network, which, x).unwrap();
            let values = eigenvalues(MatRef::new(&k, N, N).unwrap()).unwrap();
            let law = power_law(&values, known_eigenvalues(&values), &(8..=80)).unwrap();
            assert!((law.exponent - exponent).abs() < 0.25, "{which:?}: {law:?}");
        }
    }
}
