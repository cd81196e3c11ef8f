//! The analytic kernels of the infinitely wide network: NNGP (covariance of the output at
//! initialization) and NTK, for every pair of samples, from the network's recursion.
//!
//! The recursion starts from the angle between the first pre-activations of x and x'. Where x and x' are
//! nearly parallel or antiparallel their inner product has lost that angle, so it is taken from
//! `|u -+ u'|`, `u = (sqrt(a) x, sqrt(beta))/sqrt(q)`: half the angle has `sin = |u - u'|/2`,
//! `cos = |u + u'|/2`. Equal samples thus have exactly angle 0, on the diagonal and off it.

use crate::linalg::sum_of_squares;
use crate::network::{Correlation, Network};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// Which analytic kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum AnalyticKernel {
    /// covariance of the output at initialization
    Nngp,
    /// neural tangent kernel of the trained parameters
    Ntk,
}

/// |cosine| from which on the angle comes from differences of the samples. At 0.998 the rounding of the
/// cosine is magnified by 1/sin = 16, which costs about one digit.
const NEARLY_PARALLEL: f64 = 0.998;

/// Scratch length of [`analytic`] on a backend whose tile is `tile`.
pub const fn analytic_scratch(tile: usize, rows: usize, cols: usize) -> usize {
    let (height, width) = (if tile < rows { tile } else { rows }, if tile < cols { tile } else { cols });
    height * width + width
}

/// The analytic kernel of the rows of `x` `(n, d)` against those of `y` `(n', d)`, or of `x` against itself.
///
/// For C outputs this is the kernel of each of them (the full one is it `(x) I_C`). `kernel` `(n, n')`;
/// `scratch` holds at least [`analytic_scratch`]`(backend.tile(), n, n')` numbers.
/// Errors: shapes, a short scratch.
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
    let need = analytic_scratch(tile, x.rows(), y.rows());
    Error::at_least("analytic: scratch", need, scratch.len())?;
    let variances = network.input_variances();
    let (a, beta) = (T::from_f64(variances.0), T::from_f64(variances.1));
    let variance = |sample: &[T]| a * sum_of_squares(sample) + beta;
    backend.for_each_band(kernel.reborrow(), tile, &mut scratch[..need], &|first, mut band, scratch| {
        let rows = first..first + band.rows();
        let end = if symmetric { rows.end } else { y.rows() };
        for start in (0..end).step_by(tile) {
            let cols = start..y.rows().min(start + tile);
            let (inner, q_others) = scratch.split_at_mut(rows.len() * cols.len());
            let (x_rows, y_rows) = (x.block(rows.clone(), 0..inputs), y.block(cols.clone(), 0..inputs));
            backend.gemm(T::ONE, x_rows, y_rows.t(), T::ZERO, MatMut::dense(inner, rows.len(), cols.len()));
            for (j, q_other) in q_others.iter_mut().enumerate().take(cols.len()) {
                *q_other = variance(y_rows.row(j));
            }
            for (i, inner) in inner.chunks_exact(cols.len()).enumerate() {
                let q = variance(x_rows.row(i));
                let out = &mut band.row_mut(i)[cols.clone()];
                for (j, (k, (s, q_other))) in out.iter_mut().zip(inner.iter().zip(q_others.iter())).enumerate() {
                    let covariance = a * *s + beta;
                    let pair = first_pair(x_rows.row(i), y_rows.row(j), (a, beta), (q, *q_other), covariance);
                    let entry = network.analytic(pair);
                    *k = match which {
                        AnalyticKernel::Nngp => entry.nngp,
                        AnalyticKernel::Ntk => entry.ntk,
                    };
                }
            }
        }
    });
    if symmetric {
        kernel.mirror_lower();
    }
    Ok(())
}

/// The pair of first pre-activations of x and y.
fn first_pair<T: Real>(x: &[T], y: &[T], (a, beta): (T, T), (q, q_other): (T, T), covariance: T) -> Correlation<T> {
    let half = T::from_f64(0.5);
    let product = (q * q_other).sqrt();
    if product == T::ZERO {
        // a sample that the first layer maps to 0: no angle, and every covariance with it is 0
        return Correlation { q, q_other, sin2: half, cos2: half };
    }
    let cosine = covariance / product;
    let near = T::from_f64(NEARLY_PARALLEL);
    let (sin2, cos2) = if cosine > near {
        let sin2 = quarter_square(x, y, (a, beta), (q.sqrt(), q_other.sqrt()));
        (sin2, T::ONE - sin2)
    } else if cosine < -near {
        let cos2 = quarter_square(x, y, (a, beta), (q.sqrt(), -q_other.sqrt()));
        (T::ONE - cos2, cos2)
    } else {
        (half * (T::ONE - cosine), half * (T::ONE + cosine))
    };
    Correlation { q, q_other, sin2, cos2 }
}

/// |u - u'|^2 / 4 with u = (sqrt(a) x, sqrt(beta)) / p.
fn quarter_square<T: Real>(x: &[T], y: &[T], (a, beta): (T, T), (p, p_other): (T, T)) -> T {
    let samples = x.iter().zip(y).fold(T::ZERO, |sum, (x, y)| {
        let d = *x / p - *y / p_other;
        sum + d * d
    });
    let bias = T::ONE / p - T::ONE / p_other;
    T::from_f64(0.25) * (a * samples + beta * bias * bias)
}
