//! The rate up to which gradient descent is stable.

use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{MultiOutput, structured, structured_scratch, tangent, tangent_len};
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::train::{Optimizer, Trainer};
use ntkscope_core::{Backend, Error, MatMut, Real};

/// Largest n C for which all eigenvalues of the kernel of several outputs are computed.
const MAX_WHOLE: usize = 512;

/// The rate of a descent, beside those up to which it is stable near its start, whatever the outputs and at its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// as it was set
    pub given: f64,
    /// `given (lambda_max(H^1/2 K H^1/2) + LAMBDA) / 2` at the start, H the Hessian of the loss, mean or sum, in the outputs
    /// there: stable below 1
    pub reading: f64,
    /// `2/(c lambda_max/n + LAMBDA)` (of a sum without the n), or, where lambda_max is known from below only, no less than that
    pub stable: f64,
    /// of the kernel `(n C, n C)` at the start, or a lower bound
    pub lambda_max: f64,
    /// n where descent was on the mean loss, 1 where on the sum
    pub divisor: f64,
    /// LAMBDA
    pub penalty: f64,
    /// c, the largest curvature of the loss in an output
    pub curvature: f64,
    /// whether the loss has this curvature everywhere: where not, a rate beyond need not diverge
    pub everywhere: bool,
}

impl Rate {
    /// Of this trainer at its start, whatever has become of it since: lambda_max of the kernel `(n, n)`, the mean over the
    /// outputs, was `of_mean` there, and the stability reading `reading`.
    /// `None` for the flow, for a loss whose curvature has no bound or that has none, and for a kernel that is not finite.
    ///
    /// # Errors
    /// Those of the kernel.
    pub(super) fn of<N: Network, T: Real>(
        trainer: &Trainer<'_, N, T, dyn Backend<T>>,
        optimizer: Optimizer,
        penalty: f64,
        (of_mean, reading): (f64, f64),
    ) -> Result<Option<Self>, Error> {
        let Optimizer::Descent { rate: given } = optimizer else { return Ok(None) };
        let problem = trainer.problem();
        let (outputs, loss) = (problem.network().sizes().outputs, problem.loss());
        let Some(curvature) = loss.curvature(outputs).filter(|_| of_mean.is_finite()) else { return Ok(None) };
        // the mean of the diagonal blocks has no larger eigenvalue than the whole
        let whole = outputs > 1 && problem.x().rows() * outputs <= MAX_WHOLE;
        let lambda_max = if whole { largest_eigenvalue(trainer)? } else { of_mean };
        let (divisor, everywhere) = (problem.divisor().to_f64(), loss.properties(outputs).quadratic);
        let stable = 2.0 / (curvature * lambda_max / divisor + penalty);
        Ok(Some(Self { given, reading, stable, lambda_max, divisor, penalty, curvature, everywhere }))
    }

    /// Whether the rate is beyond the one that is stable at the start.
    pub fn is_beyond(&self) -> bool {
        self.reading > 1.0
    }
}

/// Numbers of the run's scalar that [`Rate::of`] takes for n samples: the passes, the kernel, and two copies.
pub(super) fn rate_len(optimizer: &Optimizer, sizes: Sizes, samples: usize) -> u128 {
    let size = samples as u128 * sizes.outputs as u128;
    let whole = sizes.outputs > 1 && size <= MAX_WHOLE as u128 && matches!(optimizer, Optimizer::Descent { .. });
    if whole { tangent_len(sizes, samples) as u128 + 4 * size * size } else { 0 }
}

/// lambda_max of the kernel `(n C, n C)` at the start.
fn largest_eigenvalue<N: Network, T: Real>(trainer: &Trainer<'_, N, T, dyn Backend<T>>) -> Result<f64, Error> {
    let (backend, network, x) = (trainer.backend(), trainer.problem().network(), trainer.problem().x());
    let (sizes, rows) = (network.sizes(), x.rows() * network.sizes().outputs);
    let mut space = vec![T::ZERO; tangent_len(sizes, x.rows())];
    let tangent = tangent(backend, Params::new(network, trainer.theta_0())?, x, &mut space)?;
    let (mut kernel, mut values) = (vec![T::ZERO; rows * rows], vec![T::ZERO; rows]);
    let mut scratch = vec![T::ZERO; structured_scratch(backend.tile(), rows, rows).max(rows)];
    structured(backend, &tangent, None, MultiOutput::Full, MatMut::new(&mut kernel, rows, rows)?, &mut scratch)?;
    backend.symmetric_eigenvalues(MatMut::new(&mut kernel, rows, rows)?, &mut values, &mut scratch[..rows])?;
    Ok(values[rows - 1].to_f64())
}
