//! The summary of one kernel matrix.

use ntkscope_core::kernel::spectrum;
use ntkscope_core::{Backend, Error, MatMut, MatRef, Real};
use serde::Serialize;

/// What one says of a symmetric kernel.
#[derive(Clone, Debug, Serialize)]
pub struct KernelSummary {
    /// rows
    pub n: usize,
    /// smallest entry
    pub min: f64,
    /// largest entry
    pub max: f64,
    /// trace / n
    pub mean_diagonal: f64,
    /// smallest eigenvalue
    pub lambda_min: f64,
    /// largest eigenvalue
    pub lambda_max: f64,
    /// their quotient
    pub condition: f64,
    /// exp of the entropy of the normalised eigenvalues
    pub effective_rank: f64,
}

impl KernelSummary {
    /// Computes it. Error: a non-finite entry, or eigenvalues that do not converge.
    pub fn of<T: Real>(backend: &dyn Backend<T>, kernel: MatRef<'_, T>) -> Result<Self, Error> {
        let n = kernel.rows();
        let (mut work, mut values, mut scratch) = (vec![T::ZERO; n * n], vec![T::ZERO; n], vec![T::ZERO; n]);
        let s = spectrum(backend, kernel, MatMut::new(&mut work, n, n)?, &mut values, &mut scratch)?;
        let entries = || (0..n).flat_map(|i| kernel.row(i)).map(|k| k.to_f64());
        Ok(Self {
            n,
            min: entries().fold(f64::INFINITY, f64::min),
            max: entries().fold(f64::NEG_INFINITY, f64::max),
            mean_diagonal: (0..n).map(|i| kernel.at(i, i).to_f64()).sum::<f64>() / n as f64,
            lambda_min: s.lambda_min.to_f64(),
            lambda_max: s.lambda_max.to_f64(),
            condition: s.condition.to_f64(),
            effective_rank: s.effective_rank.to_f64(),
        })
    }
}

impl std::fmt::Display for KernelSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{n} x {n}, entries {:.6} to {:.6}, mean diagonal {:.6}, lambda_min {:.10}, lambda_max {:.6}, condition {:.4e}, effective rank {:.4}",
            self.min,
            self.max,
            self.mean_diagonal,
            self.lambda_min,
            self.lambda_max,
            self.condition,
            self.effective_rank,
            n = self.n,
        )
    }
}
