//! Kernels that are held whole, computed at once.

use ntkscope_core::forward::Params;
use ntkscope_core::init::initialize;
use ntkscope_core::kernel::{AnalyticKernel, MultiOutput};
use ntkscope_core::network::Network;
use ntkscope_core::{self as core, Backend, MatMut, MatRef, Real};

use super::blocks::{Analytic, Empirical, KernelSource};
use super::points::{Points, Space};

/// The kernel of all samples, row-major.
///
/// # Errors
/// Those of the source.
pub fn whole<T: Real, S: KernelSource<T>>(source: &S) -> Result<Vec<T>, core::Error> {
    let rows = source.samples().count() * source.rows_per_sample();
    let mut kernel = vec![T::ZERO; rows * rows];
    whole_into(source, None, MatMut::new(&mut kernel, rows, rows)?)?;
    Ok(kernel)
}

/// The kernel of all samples of one source with themselves, or with those of another, at once.
///
/// # Errors
/// Those of the sources.
pub fn whole_into<T: Real, S: KernelSource<T>>(
    left: &S,
    right: Option<&S>,
    out: MatMut<'_, T>,
) -> Result<(), core::Error> {
    let (count, others) = (left.samples().count(), right.map_or(0, |right| right.samples().count()));
    let (mut space, mut beside) = (Space::default(), Space::default());
    let side = space.side(left, 0..count)?;
    let other = right.map(|right| beside.side(right, 0..others)).transpose()?;
    left.entries(&side, other.as_ref(), out, &mut vec![T::ZERO; left.scratch(count.max(others))])
}

/// The analytic kernel `(n, n)` of the rows of `x` `(n, d)` in f64, for one output.
///
/// # Errors
/// d is not the network's number of inputs.
pub fn analytic_kernel<N: Network>(
    backend: &dyn Backend<f64>,
    network: &N,
    which: AnalyticKernel,
    x: MatRef<'_, f64>,
) -> Result<Vec<f64>, core::Error> {
    whole(&Analytic { backend, network, samples: &x, which })
}

/// The analytic kernel `(n, n')` of the rows of `x` with those of `y` in f64, for one output.
///
/// # Errors
/// d is not the network's number of inputs.
pub fn analytic_cross<N: Network>(
    backend: &dyn Backend<f64>,
    network: &N,
    which: AnalyticKernel,
    x: MatRef<'_, f64>,
    y: MatRef<'_, f64>,
) -> Result<Vec<f64>, core::Error> {
    let of = |samples| Analytic { backend, network, samples, which };
    let (n, m) = (x.rows(), y.rows());
    let mut kernel = vec![0.0; n * m];
    whole_into(&of(&x as &dyn Points<f64>), Some(&of(&y)), MatMut::new(&mut kernel, n, m)?)?;
    Ok(kernel)
}

/// The empirical kernel K_0 `(n, n)` of the rows of `x` `(n, d)` in f64, at the parameters that training from this seed begins
/// with; the mean over outputs.
///
/// # Errors
/// d is not the network's number of inputs.
pub fn initial_kernel<N: Network>(
    backend: &dyn Backend<f64>,
    network: &N,
    seed: u64,
    x: MatRef<'_, f64>,
) -> Result<Vec<f64>, core::Error> {
    let mut theta = vec![0.0; network.sizes().parameters];
    initialize(network, seed, &mut theta)?;
    let params = Params::new(network, &theta)?;
    whole(&Empirical { backend, params, samples: &x, outputs: MultiOutput::Trace })
}
