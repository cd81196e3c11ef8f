//! The analytic kernels of the infinitely wide network: NNGP (covariance of the output at
//! initialization) and NTK, for every pair of samples, from the network's recursion.
//!
//! The recursion starts from the angle between the first pre-activations of x and x'. Where x and x' are
//! nearly parallel or antiparallel their inner product has lost that angle, so it is taken from
//! `|u -+ u'|`, `u = (sqrt(a) x, sqrt(beta))/sqrt(q)`: half the angle has `sin = |u - u'|/2`,
//! `cos = |u + u'|/2`. Equal samples thus have exactly angle 0, on the diagonal and off it.

use super::first_layer::FirstLayer;
use super::mirror_lower;
use crate::buffer::{buffer_len, take_front};
use crate::choice::choice;
use crate::network::{Network, Pairs, SERIES, Series, Sizes};
use crate::{Backend, Error, MatMut, MatRef, Real, Tile};

choice! {
    /// Which analytic kernel.
    #[non_exhaustive]
    pub enum AnalyticKernel {
        /// covariance of the output at initialization
        Nngp = "nngp",
        /// neural tangent kernel of the trained parameters
        Ntk = "ntk",
    }
}

/// Slices of [`Pairs`].
const SLICES: usize = 6;

/// Scratch length of [`analytic`] for a network of these sizes on a backend whose tile is `tile`; `usize::MAX` where that
/// overflows.
pub const fn analytic_scratch(sizes: Sizes, tile: Tile, rows: usize, cols: usize) -> usize {
    let series = [sizes.series, SERIES];
    let own = analytic_tile(tile, cols);
    buffer_len(&[&[rows], &[cols], &[series[0], series[1], rows], &[series[0], series[1], cols], &[own]])
}

/// What of [`analytic_scratch`] every thread has of its own.
pub const fn analytic_tile(tile: Tile, cols: usize) -> usize {
    SLICES * if tile.cols < cols { tile.cols } else { cols }
}

/// The analytic kernel of the rows of `x` `(n, d)` against those of `y` `(n', d)`, or of `x` against itself.
///
/// For C outputs this is the kernel of each of them (the full one is it `(x) I_C`). `kernel` `(n, n')`;
/// `scratch` holds at least [`analytic_scratch`]`(backend.tile(), n, n')` numbers. The columns of `x` and `y` are adjacent.
///
/// ```
/// use ntkscope_core::kernel::{AnalyticKernel, analytic, analytic_scratch};
/// use ntkscope_core::{MatMut, MatRef, Portable, network::Fcn};
/// // one hidden layer of ReLU: the NTK of orthogonal unit vectors is 1/pi, that of one with itself 2
/// let (network, x) = (Fcn::new(2, &[1], 1)?, MatRef::new(&[1.0, 0.0, 0.0, 1.0], 2, 2)?);
/// let (mut kernel, mut scratch) = ([0.0_f64; 4], vec![0.0; analytic_scratch(network.sizes(), Portable::TILE, 2, 2)]);
/// let out = MatMut::new(&mut kernel, 2, 2)?;
/// analytic(&Portable, &network, AnalyticKernel::Ntk, x, None, out, &mut scratch)?;
/// let apart = core::f64::consts::FRAC_1_PI;
/// let expected = [2.0, apart, apart, 2.0];
/// assert!(kernel.iter().zip(expected).all(|(k, e)| (k - e).abs() < 1e-15));
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`]; [`Error::BufferLength`] for a short scratch; [`Error::SampleScale`] for a sample that T cannot hold
/// the kernel of; [`Error::OutOfRange`] for one that has a variance above [`Activation::MOST_VARIANCE`](crate::network::Activation::MOST_VARIANCE) where an activation
/// has no closed form. Entries that overflow in deeper layers are left infinite or NaN.
pub fn analytic<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    network: &N,
    which: AnalyticKernel,
    x: MatRef<'_, T>,
    y: Option<MatRef<'_, T>>,
    mut kernel: MatMut<'_, T>,
    scratch: &mut [T],
) -> Result<(), Error> {
    let symmetric = y.is_none();
    let y = y.unwrap_or(x);
    let inputs = network.sizes().inputs;
    Error::shape("samples: numbers per sample", inputs, x.cols())?;
    Error::shape("samples: numbers per sample", inputs, y.cols())?;
    Error::shape("kernel: rows", x.rows(), kernel.rows())?;
    Error::shape("kernel: columns", y.rows(), kernel.cols())?;
    let tile = backend.tile();
    let need = analytic_scratch(network.sizes(), tile, x.rows(), y.rows());
    Error::at_least("analytic: scratch", need, scratch.len())?;
    let mut scratch = &mut scratch[..need];
    let first = FirstLayer::new(network);
    let (q, q_other) = (take_front(&mut scratch, x.rows()), take_front(&mut scratch, y.rows()));
    first.variances(x, q)?;
    first.variances(y, q_other)?;
    let (q, q_other) = (&*q, &*q_other);
    let each = network.sizes().series * SERIES;
    let (series, series_other) = (take_front(&mut scratch, x.rows() * each), take_front(&mut scratch, y.rows() * each));
    fill_series(backend, network, q, series, scratch)?;
    let (series, series_other) = if symmetric {
        (&*series, &*series)
    } else {
        fill_series(backend, network, q_other, series_other, scratch)?;
        (&*series, &*series_other)
    };
    backend.for_each_band(kernel.reborrow(), tile.band(x.rows()), scratch, &|top, mut band, scratch| {
        let end = if symmetric { top + band.rows() } else { y.rows() };
        for left in (0..end).step_by(tile.cols) {
            let width = tile.cols.min(y.rows() - left);
            // of a symmetric kernel the tile's rows above the diagonal are left out
            let rows = if symmetric { left.saturating_sub(top) } else { 0 }..band.rows();
            let others = y.block(left..left + width, 0..inputs);
            // the inner products first, each replaced by the kernel
            let samples = x.block(top + rows.start..top + rows.end, 0..inputs);
            let products = band.reborrow().block(rows.clone(), left..left + width);
            backend.gemm(T::ONE, samples, others.t(), T::ZERO, products);
            for i in rows {
                let count = if symmetric { width.min(top + i + 1 - left) } else { width };
                let entries = &mut band.row_mut(i)[left..left + count];
                let mut rest = &mut *scratch;
                let mut take = || take_front(&mut rest, count);
                let mut pairs = Pairs {
                    q: q[top + i],
                    q_other: take(),
                    product: take(),
                    sin2: take(),
                    cos2: take(),
                    derivative: take(),
                    work: take(),
                    series: match each {
                        0 => Series::None,
                        _ => Series::Read {
                            one: &series[(top + i) * each..][..each],
                            others: &series_other[left * each..],
                            each,
                            taken: 0,
                        },
                    },
                };
                pairs.q_other.copy_from_slice(&q_other[left..left + count]);
                first.pairs(backend, x.row(top + i), others, entries, &mut pairs);
                network.analytic(backend, &mut pairs, entries);
                if which == AnalyticKernel::Nngp {
                    pairs.covariance(entries);
                }
            }
        }
    });
    if symmetric {
        mirror_lower(backend, kernel);
    }
    Ok(())
}

/// What activations without closed form have of every sample, layer by layer, from the variances of their first
/// pre-activations.
fn fill_series<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    network: &N,
    q: &[T],
    series: &mut [T],
    scratch: &mut [T],
) -> Result<(), Error> {
    let each = network.sizes().series * SERIES;
    if each == 0 {
        return Ok(());
    }
    let rows = MatMut::dense(series, q.len(), each);
    backend.for_each_band(rows, backend.tile().band(q.len()), scratch, &|first, mut band, _| {
        for i in 0..band.rows() {
            let series = Series::Fill { numbers: band.row_mut(i), taken: 0 };
            let [q_other, product, sin2, cos2, derivative, work] = [(); SLICES].map(|()| &mut [][..]);
            let mut pairs = Pairs { q: q[first + i], q_other, product, sin2, cos2, derivative, work, series };
            network.analytic(backend, &mut pairs, &mut []);
        }
    });
    match series.chunks_exact(each).position(|numbers| numbers.iter().any(|number| number.is_nan())) {
        None => Ok(()),
        Some(sample) => Err(Error::OutOfRange {
            what: "variance of a pre-activation under an activation without closed form",
            needs: "at most 10000 (scale the samples to norm 1)",
            got: q[sample].to_f64(),
        }),
    }
}
