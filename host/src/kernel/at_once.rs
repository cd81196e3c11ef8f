//! Kernels that are held whole, computed at once.

use ntkscope_core::forward::Params;
use ntkscope_core::init::initialize;
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, analytic, analytic_scratch, structured, structured_scratch, tangent, tangent_len,
};
use ntkscope_core::network::Network;
use ntkscope_core::{self as core, Backend, MatMut, MatRef, Real};

use super::blocks::KernelSource;
use super::points::Space;

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
    let n = x.rows();
    let (mut k, mut scratch) = (vec![0.0; n * n], vec![0.0; analytic_scratch(network.sizes(), backend.tile(), n, n)]);
    analytic(backend, network, which, x, None, MatMut::new(&mut k, n, n)?, &mut scratch)?;
    Ok(k)
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
    let (n, m) = (x.rows(), y.rows());
    let (mut k, mut scratch) = (vec![0.0; n * m], vec![0.0; analytic_scratch(network.sizes(), backend.tile(), n, m)]);
    analytic(backend, network, which, x, Some(y), MatMut::new(&mut k, n, m)?, &mut scratch)?;
    Ok(k)
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
    let (sizes, n) = (network.sizes(), x.rows());
    let (mut theta, mut space) = (vec![0.0; sizes.parameters], vec![0.0; tangent_len(sizes, n)]);
    initialize(network, seed, &mut theta)?;
    let tangent = tangent(backend, Params::new(network, &theta)?, x, &mut space)?;
    let (mut k, mut scratch) = (vec![0.0; n * n], vec![0.0; structured_scratch(backend.tile(), n, n)]);
    structured(backend, &tangent, None, MultiOutput::Trace, MatMut::new(&mut k, n, n)?, &mut scratch)?;
    Ok(k)
}
