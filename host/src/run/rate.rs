//! The rate up to which gradient descent is stable.

use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{
    MultiOutput, jacobian_scratch, kernel_product, structured, structured_scratch, tangent, tangent_len,
};
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::train::{Optimizer, Trainer};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Real};

use crate::kernel::{self, Awaited, Search, outermost};
use crate::machine::{Ended, Stop};

/// Largest n C for which the kernel of several outputs is formed.
const MAX_WHOLE: usize = 512;
/// How lambda_max of a larger one is looked for.
const SEARCH: Search =
    Search { count: 1, awaited: Awaited::Largest, block: 1, basis: 64, most: 256, rounding: 8.0 * f32::EPSILON as f64 };

/// The rate of a descent, beside those up to which it is stable near its start, whatever the outputs and at its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// as it was set
    pub given: f64,
    /// `given (lambda_max(H^1/2 K H^1/2) + LAMBDA) / 2` at the start, H the Hessian of the loss, mean or sum, in the outputs
    /// there: stable below 1
    pub reading: f64,
    /// the rate that is stable whatever the outputs; `None` for a loss whose curvature has no bound
    pub bound: Option<StableRate>,
}

/// The rate up to which descent is stable at the start whatever the outputs, `2/(c lambda_max/n + LAMBDA)`, of a sum without the n.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StableRate {
    /// that rate
    pub rate: f64,
    /// of the kernel `(n C, n C)` at the start
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
    /// `None` for the flow, for a loss that has no curvature, and for a kernel that is not finite.
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
        if !of_mean.is_finite() || !loss.properties(outputs).curved {
            return Ok(None);
        }
        let bound = |curvature: f64| -> Result<StableRate, Error> {
            let (divisor, everywhere) = (problem.divisor().to_f64(), loss.properties(outputs).quadratic);
            let lambda_max = match problem.x().rows() * outputs {
                _ if outputs == 1 => of_mean,
                size if size <= MAX_WHOLE => largest_eigenvalue(trainer)?,
                _ => largest_by_products(trainer)?,
            };
            let rate = 2.0 / (curvature * lambda_max / divisor + penalty);
            Ok(StableRate { rate, lambda_max, divisor, penalty, curvature, everywhere })
        };
        let bound = loss.curvature(outputs).map(bound).transpose()?;
        Ok(Some(Self { given, reading, bound }))
    }

    /// Whether the rate is beyond the one that is stable at the start.
    pub fn is_beyond(&self) -> bool {
        self.reading > 1.0
    }
}

/// Numbers of the run's scalar that [`Rate::of`] takes for n samples: the passes, and the kernel with two copies or what products with it
/// take.
pub(super) fn rate_len(optimizer: &Optimizer, sizes: Sizes, samples: usize) -> u128 {
    if sizes.outputs == 1 || !matches!(optimizer, Optimizer::Descent { .. }) {
        return 0;
    }
    let size = samples as u128 * sizes.outputs as u128;
    let of_kernel = if size <= MAX_WHOLE as u128 {
        4 * size * size
    } else {
        let vectors = u128::from(SEARCH.bytes(samples * sizes.outputs)) / 4;
        (sizes.parameters + jacobian_scratch(sizes, samples)) as u128 + 2 * size + vectors
    };
    tangent_len(sizes, samples) as u128 + of_kernel
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

/// The same from products, of a kernel that is not formed.
fn largest_by_products<N: Network, T: Real>(trainer: &Trainer<'_, N, T, dyn Backend<T>>) -> Result<f64, Error> {
    let (backend, network, x) = (trainer.backend(), trainer.problem().network(), trainer.problem().x());
    let (sizes, n) = (network.sizes(), x.rows());
    let mut space = vec![T::ZERO; tangent_len(sizes, n)];
    let tangent = tangent(backend, Params::new(network, trainer.theta_0())?, x, &mut space)?;
    let mut gradient = vec![T::ZERO; sizes.parameters];
    let mut scratch = vec![T::ZERO; jacobian_scratch(sizes, n)];
    let [mut from, mut to] = [(); 2].map(|()| vec![T::ZERO; n * sizes.outputs]);
    let mut product = |v: MatRef<'_, f64>, mut w: MatMut<'_, f64>| {
        from.iter_mut().zip(v.row(0)).for_each(|(own, v)| *own = T::from_f64(*v));
        let (v, out) = (MatRef::new(&from, n, sizes.outputs)?, MatMut::new(&mut to, n, sizes.outputs)?);
        kernel_product(backend, &tangent, MultiOutput::Full, v, out, &mut gradient, &mut scratch)?;
        w.row_mut(0).iter_mut().zip(&to).for_each(|(w, own)| *w = own.to_f64());
        Ok(Ended::Done(()))
    };
    match outermost(n * sizes.outputs, SEARCH, &mut product, &Stop::new()) {
        Ok(found) => Ok(found.done().and_then(|ends| ends.largest.first().map(|ritz| ritz.value)).unwrap_or(f64::NAN)),
        Err(kernel::Error::Core(error) | kernel::Error::Tridiagonal(error)) => Err(error),
        Err(_) => Err(Error::NoConvergence { eigenvalue: n * sizes.outputs - 1 }),
    }
}
