//! What theory says of an ensemble: the law of its outputs on the points held out, in the limit of infinite width.

use ntkscope_core::MatRef;

use super::ensemble::{Ensemble, Resources, Start};
use crate::analysis::law::InfiniteWidth;
use crate::backend::HostReal;
use crate::machine::Budget;
use crate::study::Error;
use crate::study::training_run::Resolved;

/// A law of p numbers: the outputs of every point where there is one output, else contrasts of them, which the mean over the
/// classes does not enter.
#[derive(Clone, Debug)]
pub struct PredictedLaw {
    /// `(p)`
    pub mean: Vec<f64>,
    /// over initializations `(p, p)`
    pub covariance: Vec<f64>,
    /// of the Laplace posterior `(p, p)`, where there is one
    pub laplace: Option<Vec<f64>>,
}

impl PredictedLaw {
    /// Of this ensemble, where every training sample is given `copies` times.
    ///
    /// # Errors
    /// Data that cannot be read; a kernel that cannot be inverted.
    pub fn new(ensemble: &Ensemble, copies: usize) -> Result<Self, Error> {
        let Resources { resolved: Resolved { model, training, samples }, mut x, all, targets } =
            ensemble.resources()?;
        let shape = model.shape(&samples)?;
        let once = x[..samples.n * samples.d].to_vec();
        x.splice(..0, once.repeat(copies - 1));
        let (targets, all, c) = (targets.repeat(copies), all + (copies - 1) * samples.n, shape.outputs);
        let limit = InfiniteWidth {
            backend: f64::fast(),
            network: &model.network(&shape)?,
            x: MatRef::new(&x, all, samples.d)?,
            targets: MatRef::new(&targets, targets.len() / c, c)?,
            loss: training.core_loss(),
            penalty: training.penalty,
            time: f64::INFINITY,
            initial: ensemble.start.initial(),
        };
        let (mut covariance, mut laplace) = (Vec::new(), None);
        // all points are one block
        let law = limit.law_and(all, &Budget::default(), &mut |covariances| {
            covariance = of_contrasts(covariances.over_initializations, law_points(&samples), c);
            laplace = covariances.laplace.map(|posterior| of_contrasts(posterior, law_points(&samples), c));
        })?;
        let Start::Prior { scale, noisy } = ensemble.start else {
            return Ok(Self { mean: contrasts(&law.mean, c), covariance, laplace });
        };
        // with noise in the targets it is the posterior, without it lacks A W^-1 A^T
        let covariance = match &laplace {
            Some(posterior) if noisy => posterior.clone(),
            _ => covariance,
        };
        let scaled = |covariance: Vec<f64>| covariance.iter().map(|v| scale * scale * v).collect();
        Ok(Self { mean: contrasts(&law.mean, c), covariance: scaled(covariance), laplace: laplace.map(scaled) })
    }

    /// Standard deviations of a covariance `(p, p)`.
    pub fn deviations(covariance: &[f64], p: usize) -> Vec<f64> {
        (0..p).map(|i| covariance[i * (p + 1)].max(0.0).sqrt()).collect()
    }

    /// Standard deviations over initializations.
    pub fn deviation(&self) -> Vec<f64> {
        Self::deviations(&self.covariance, self.mean.len())
    }
}

fn law_points(samples: &crate::data::Samples) -> usize {
    samples.held_out.len() / samples.d
}

/// C - 1 orthonormal contrasts of C outputs, Helmert's: row k, from 1, is `(1, .., 1, -k, 0, ..)/sqrt(k (k + 1))`. Of one
/// output, itself.
fn helmert(outputs: usize) -> Vec<Vec<f64>> {
    if outputs == 1 {
        return vec![vec![1.0]];
    }
    let entry = |k: usize, j: usize| {
        let value = if j < k {
            1.0
        } else if j == k {
            -(k as f64)
        } else {
            0.0
        };
        value / ((k * (k + 1)) as f64).sqrt()
    };
    (1..outputs).map(|k| (0..outputs).map(|j| entry(k, j)).collect()).collect()
}

/// The contrasts of outputs `(m, C)`, those of a point one after another.
pub fn contrasts(outputs: &[f64], c: usize) -> Vec<f64> {
    let rows = helmert(c);
    let of = |f: &[f64]| rows.iter().map(|row| row.iter().zip(f).map(|(q, f)| q * f).sum()).collect::<Vec<f64>>();
    outputs.chunks_exact(c).flat_map(of).collect()
}

/// The covariance of the contrasts of m points, from that of one output `(m, m)`, which all C have independently, or from that
/// of all of them `(mC, mC)`.
fn of_contrasts(covariance: &[f64], m: usize, c: usize) -> Vec<f64> {
    let rows = helmert(c);
    let (q, shared) = (rows.len(), covariance.len() == m * m);
    let p = m * q;
    let entry = |e: usize| {
        let (i, j) = (e / p, e % p);
        let ((x, k), (y, l)) = ((i / q, i % q), (j / q, j % q));
        if shared {
            return if k == l { covariance[x * m + y] } else { 0.0 };
        }
        let outer = (0..c * c).map(|ab| (ab / c, ab % c));
        outer.map(|(a, b)| rows[k][a] * rows[l][b] * covariance[(x * c + a) * m * c + y * c + b]).sum()
    };
    (0..p * p).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrasts are orthonormal, and blind to what all outputs share.
    #[test]
    fn contrasts_are_orthonormal() {
        for c in 2..6 {
            let rows = helmert(c);
            assert_eq!(rows.len(), c - 1);
            for (k, a) in rows.iter().enumerate() {
                assert!(a.iter().sum::<f64>().abs() < 1e-15);
                for (l, b) in rows.iter().enumerate() {
                    let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    assert!((product - f64::from(u8::from(k == l))).abs() < 1e-15, "{c} {k} {l}");
                }
            }
        }
        assert_eq!(contrasts(&[2.0, -3.0], 1), [2.0, -3.0]);
        let found = contrasts(&[1.0, 0.0, 7.0, 7.0], 2);
        assert!((found[0] - 0.5f64.sqrt()).abs() < 1e-15 && found[1].abs() < 1e-14, "{found:?}");
    }

    /// The covariance of one output, shared or written out for all of them.
    #[test]
    fn covariances_of_contrasts() {
        let (m, c) = (2, 3);
        let shared = [2.0, 0.5, 0.5, 1.0];
        let mut stacked = vec![0.0; m * c * m * c];
        for (x, y, k) in (0..m * m * c).map(|e| (e / (m * c), e / c % m, e % c)) {
            stacked[(x * c + k) * m * c + y * c + k] = shared[x * m + y];
        }
        let (a, b) = (of_contrasts(&shared, m, c), of_contrasts(&stacked, m, c));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-14), "{a:?} {b:?}");
        assert_eq!(of_contrasts(&shared, m, 1), shared);
    }
}
