//! A sample of n vectors of p numbers beside a normal law: how far its mean and covariance are off, and how probable it is
//! that they are so far off by chance.

use ntkscope_core::linalg::{cholesky, cholesky_solve};
use ntkscope_core::{Error, MatMut, MatRef};
use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor};

use super::statistics::{central_moment, kurtosis};

/// Mean `(p)` and covariance `(p, p)` of n vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    count: usize,
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

impl Moments {
    /// Of the vectors whose i-th numbers are `columns[i]`; the covariance by the divisor n - 1.
    pub fn of(columns: &[Vec<f64>]) -> Self {
        let count = columns.first().map_or(0, Vec::len);
        let mean: Vec<f64> = columns.iter().map(|column| column.iter().sum::<f64>() / count as f64).collect();
        let entry = |i: usize, j: usize| {
            let products = columns[i].iter().zip(&columns[j]).map(|(x, y)| (x - mean[i]) * (y - mean[j]));
            products.sum::<f64>() / (count as f64 - 1.0)
        };
        let p = columns.len();
        let covariance = (0..p * p).map(|e| entry(e / p, e % p)).collect();
        Self { count, mean, covariance }
    }

    /// Mean square over the p^2 entries of `(S_ij - C_ij)/sqrt(C_ii C_jj)`, S being this covariance and C that of the law.
    /// The square, not its root: a sample of the law itself has the mean square 1/n by chance, which a jackknife takes off
    /// the square, but only in part off a root, whose derivative at 0 is unbounded.
    pub fn squared_covariance_offset(&self, law: &[f64]) -> f64 {
        let p = self.mean.len();
        let scale = |e: usize| law[e / p * (p + 1)] * law[e % p * (p + 1)];
        (0..p * p).map(|e| (self.covariance[e] - law[e]).powi(2) / scale(e)).sum::<f64>() / (p * p) as f64
    }

    /// Probability that a normal sample whose law has the mean `law` has a mean so far from it: Hotelling's T^2 = n d^T S^-1 d,
    /// of which (n - p) T^2/(p (n - 1)) is F-distributed with p and n - p degrees of freedom.
    ///
    /// # Errors
    /// A covariance that is not positive definite.
    pub fn probability_of_mean(&self, law: &[f64]) -> Result<f64, Error> {
        let (n, p) = (self.count as f64, self.mean.len());
        let offset: Vec<f64> = self.mean.iter().zip(law).map(|(here, there)| here - there).collect();
        let (factor, mut solved) = (factor(&self.covariance, p)?, offset.clone());
        cholesky_solve(MatRef::new(&factor, p, p)?, &mut solved)?;
        let squared = n * offset.iter().zip(&solved).map(|(d, s)| d * s).sum::<f64>();
        let p = p as f64;
        // a sample of p vectors or fewer has no such covariance
        let distribution = FisherSnedecor::new(p, n - p);
        Ok(distribution.map_or(f64::NAN, |d| d.sf((n - p) * squared / (p * (n - 1.0)))))
    }

    /// Probability that a normal sample whose law has the covariance C, `law`, has one so far from it: John's and Nagao's
    /// (n - 1)/2 tr[(C^-1 S - I)^2], for large n chi-squared with p (p + 1)/2 degrees of freedom.
    ///
    /// # Errors
    /// A covariance of the law that is not positive definite.
    pub fn probability_of_covariance(&self, law: &[f64]) -> Result<f64, Error> {
        let p = self.mean.len();
        // row i of `whitened` is C^-1 times column i of S
        let (factor, mut whitened) = (factor(law, p)?, self.covariance.clone());
        for (i, row) in whitened.chunks_exact_mut(p).enumerate() {
            cholesky_solve(MatRef::new(&factor, p, p)?, row)?;
            row[i] -= 1.0;
        }
        let trace: f64 = (0..p * p).map(|e| whitened[e] * whitened[e % p * p + e / p]).sum();
        let distribution = ChiSquared::new((p * (p + 1)) as f64 / 2.0);
        Ok(distribution.map_or(f64::NAN, |d| d.sf((self.count as f64 - 1.0) / 2.0 * trace)))
    }
}

/// Probability that a normal sample has a skewness and a kurtosis so far from 0 and 3: Jarque's and Bera's
/// n (skewness^2/6 + (kurtosis - 3)^2/24), for large n chi-squared with 2 degrees of freedom.
pub fn probability_of_shape(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let skewness = central_moment(values, 3) / central_moment(values, 2).powf(1.5);
    // chi-squared with 2 degrees of freedom is exponential
    (-0.5 * n * (skewness * skewness / 6.0 + kurtosis(values).powi(2) / 24.0)).exp()
}

/// The Cholesky factor of a covariance `(p, p)`.
fn factor(covariance: &[f64], p: usize) -> Result<Vec<f64>, Error> {
    let mut factor = covariance.to_vec();
    cholesky(MatMut::new(&mut factor, p, p)?)?;
    Ok(factor)
}

#[cfg(test)]
mod tests {
    use ntkscope_core::init::Normals;

    use super::*;
    use crate::analysis::statistics::{Estimate, jackknife};

    /// Columns of n draws of x = (z_1, z_1/2 + z_2), scaled by `scale` and moved by `offset`.
    fn draws(n: usize, seed: u64, scale: f64, offset: f64) -> [Vec<f64>; 2] {
        let mut normals = Normals::new(seed);
        let mut columns = [Vec::new(), Vec::new()];
        for _ in 0..n {
            let (x, y) = (normals.draw(), normals.draw());
            columns[0].push(scale * x + offset);
            columns[1].push(scale * (0.5 * x + y) + offset);
        }
        columns
    }

    const LAW: [f64; 4] = [1.0, 0.5, 0.5, 1.25];

    /// Under the law itself a probability is below 5 % in 5 of 100 samples, give or take three standard errors of 2.2.
    #[test]
    fn samples_of_the_law_are_improbable_as_often_as_they_should_be() {
        let mut below = [0; 3];
        for seed in 0..400 {
            let columns = draws(300, seed, 1.0, 0.0);
            let moments = Moments::of(&columns);
            let found = [
                moments.probability_of_mean(&[0.0; 2]).unwrap(),
                moments.probability_of_covariance(&LAW).unwrap(),
                probability_of_shape(&columns[1]),
            ];
            found.iter().zip(&mut below).for_each(|(p, count)| *count += usize::from(*p < 0.05));
        }
        for count in below {
            assert!((7..=33).contains(&count), "{below:?} of 400");
        }
    }

    #[test]
    fn other_laws_are_seen() {
        let moved = Moments::of(&draws(300, 1, 1.0, 0.3));
        assert!(moved.probability_of_mean(&[0.0; 2]).unwrap() < 1e-4);
        assert!(moved.probability_of_covariance(&LAW).unwrap() > 1e-3);
        let wide = Moments::of(&draws(300, 2, 1.2, 0.0));
        assert!(wide.probability_of_covariance(&LAW).unwrap() < 1e-4);
        assert!(wide.probability_of_mean(&[0.0; 2]).unwrap() > 1e-3);
        let [column, _] = draws(300, 3, 1.0, 0.0);
        assert!(probability_of_shape(&column.iter().map(|x| x.exp()).collect::<Vec<_>>()) < 1e-6);
    }

    /// S = 1.44 C exactly: every entry is off by 0.44 C_ij.
    #[test]
    fn the_offset_is_in_units_of_the_law() {
        let covariance = LAW.map(|c| 1.44 * c).to_vec();
        let moments = Moments { count: 100, mean: vec![0.0; 2], covariance };
        let correlation = 0.25 / 1.25;
        let expected = 0.44 * 0.44 * (2.0 + 2.0 * correlation) / 4.0;
        assert!((moments.squared_covariance_offset(&LAW) - expected).abs() < 1e-12);
    }

    /// Of samples of the law itself the jackknifed square is 0 on average; the root of it would not be.
    #[test]
    fn the_square_is_unbiased_where_the_law_holds() {
        let (samples, groups) = (200, 20);
        let mut values = [Vec::new(), Vec::new()];
        for seed in 0..samples {
            let columns = draws(100, 1000 + seed, 1.0, 0.0);
            let items: Vec<[f64; 2]> = columns[0].iter().zip(&columns[1]).map(|(x, y)| [*x, *y]).collect();
            let squared = |items: &[[f64; 2]]| {
                let columns = [0, 1].map(|i| items.iter().map(|item| item[i]).collect());
                Moments::of(&columns).squared_covariance_offset(&LAW)
            };
            let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
            values[0].push(mean(jackknife(&items, groups, squared)));
            values[1].push(mean(jackknife(&items, groups, |items| squared(items).sqrt())));
        }
        let [square, root] = values.map(|values| Estimate::from_values(&values).unwrap());
        assert!(square.value.abs() < 3.0 * square.error.unwrap(), "{square:?}");
        assert!(root.value > 5.0 * root.error.unwrap(), "{root:?}");
    }
}
