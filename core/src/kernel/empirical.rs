//! The empirical NTK, `K(x, x') = grad f(x) . grad f(x')`, twice.
//!
//! [`jacobian_contraction`] is the definition, `J J'^T`. [`structured`] never forms J: for every layer
//! `z = c W a + s b` with inputs A and derivatives D, the layer's part of J_i is `(c D_i (x) A_i, s D_i)`, and
//! inner products of Kronecker products factor, so
//!
//! ```text
//! K = sum over layers (c^2 A A'^T + s^2) o (D D'^T)          (o elementwise; n^2 (inputs + outputs) per layer)
//! ```
//!
//! in place of `n^2 inputs outputs`. (Jacot et al. 2018 for the kernel; Novak, Sohl-Dickstein, Schoenholz 2022
//! for structured derivatives.)

use super::mirror_lower;
use crate::backward::{Deltas, output_derivatives, output_derivatives_scratch};
use crate::forward::{Activations, Params, forward};
use crate::network::{Network, Sizes};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// Which kernel of a network with C outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum MultiOutput {
    /// `(n C, n' C)`, row `i C + c`: all pairs of outputs. Its limit is `Theta (x) I_C`.
    Full,
    /// `(n, n')`: (1/C) sum_c K^(c,c). Its limit is Theta.
    Trace,
    /// `(n, n')`: K^(c,c) of output c. Its limit is Theta.
    Class(usize),
}

/// All that a kernel needs of one set of samples: the pairs (A, D) of every layer.
#[derive(Clone, Copy, Debug)]
pub struct Tangent<'a, N, T> {
    /// the forward pass
    pub activations: Activations<'a, N, T>,
    /// the derivatives of every output
    pub deltas: Deltas<'a, N, T>,
}

/// Buffer length of [`tangent`] for n samples.
pub const fn tangent_len(sizes: Sizes, batch: usize) -> usize {
    batch * (sizes.activations + sizes.outputs * sizes.deltas) + output_derivatives_scratch(sizes.outputs, batch)
}

/// One forward pass and C backward passes over the rows of `x` `(n, d)`.
///
/// `buffer` holds at least [`tangent_len`] numbers. Errors: shape of `x`, a short buffer.
pub fn tangent<'a, N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    params: Params<'a, N, T>,
    x: MatRef<'a, T>,
    buffer: &'a mut [T],
) -> Result<Tangent<'a, N, T>, Error> {
    let (n, sizes) = (x.rows(), params.network().sizes());
    Error::at_least("tangent", tangent_len(sizes, n), buffer.len())?;
    let (values, rest) = buffer.split_at_mut(n * sizes.activations);
    let (deltas, scratch) = rest.split_at_mut(n * sizes.outputs * sizes.deltas);
    let activations = forward(backend, params, x, values)?;
    let deltas = output_derivatives(backend, params, &activations, deltas, scratch)?;
    Ok(Tangent { activations, deltas })
}

/// Rows (or columns) of the kernel that belong to one sample.
fn outputs_per_sample(sizes: Sizes, outputs: MultiOutput) -> Result<usize, Error> {
    match outputs {
        MultiOutput::Full => Ok(sizes.outputs),
        MultiOutput::Class(c) if c >= sizes.outputs => {
            Err(Error::OutOfRange { what: "class: the network has fewer outputs" })
        }
        MultiOutput::Trace | MultiOutput::Class(_) => Ok(1),
    }
}

/// Scratch length of [`structured`] on a backend whose tile is `tile`: two tiles, or less for few samples.
pub const fn structured_scratch(tile: usize, rows: usize, cols: usize) -> usize {
    2 * (if tile < rows { tile } else { rows }) * (if tile < cols { tile } else { cols })
}

/// The empirical NTK of the samples of `left` (rows) against those of `right` (columns), or of `left`
/// against itself where `right` is `None`: then only the lower triangle is computed and mirrored, so the
/// kernel is symmetric bit for bit.
///
/// `kernel` is `(n, n')`, or `(n C, n' C)` for [`MultiOutput::Full`]; `scratch` holds at least
/// [`structured_scratch`]`(backend.tile(), n, n')` numbers.
/// Errors: shapes, a class that does not exist, a short scratch.
pub fn structured<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    left: &Tangent<'_, N, T>,
    right: Option<&Tangent<'_, N, T>>,
    outputs: MultiOutput,
    mut kernel: MatMut<'_, T>,
    scratch: &mut [T],
) -> Result<(), Error> {
    let symmetric = right.is_none();
    let right = right.unwrap_or(left);
    let per_sample = outputs_per_sample(left.activations.network().sizes(), outputs)?;
    let (rows, cols) = (left.activations.batch(), right.activations.batch());
    Error::shape("kernel: rows", rows * per_sample, kernel.rows())?;
    Error::shape("kernel: columns", cols * per_sample, kernel.cols())?;
    let tile = backend.tile();
    let need = structured_scratch(tile, rows, cols);
    Error::at_least("structured: scratch", need, scratch.len())?;
    backend.for_each_band(kernel.reborrow(), tile * per_sample, &mut scratch[..need], &|first, mut band, scratch| {
        let first = first / per_sample;
        let sample_rows = first..first + band.rows() / per_sample;
        let end = if symmetric { sample_rows.end } else { cols };
        for start in (0..end).step_by(tile) {
            let sample_cols = start..cols.min(start + tile);
            let columns = sample_cols.start * per_sample..sample_cols.end * per_sample;
            let all = 0..band.rows();
            let out = band.reborrow().block(all, columns);
            structured_tile(backend, (left, sample_rows.clone()), (right, sample_cols), outputs, out, scratch);
        }
    });
    if symmetric {
        mirror_lower(backend, kernel);
    }
    Ok(())
}

/// One tile: for every layer the Gram matrix of A once, then that of D for every pair of outputs.
fn structured_tile<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    (left, rows): (&Tangent<'_, N, T>, core::ops::Range<usize>),
    (right, cols): (&Tangent<'_, N, T>, core::ops::Range<usize>),
    outputs: MultiOutput,
    mut out: MatMut<'_, T>,
    scratch: &mut [T],
) {
    let network = left.activations.network();
    let sizes = network.sizes();
    let (height, width) = (rows.len(), cols.len());
    let (gram_a, rest) = scratch.split_at_mut(height * width);
    let gram_d = &mut rest[..height * width];
    out.fill(T::ZERO);
    for layer in (0..sizes.layers).map(|index| network.layer(index)).filter(|layer| layer.trained) {
        let a = left.activations.layer_inputs(&layer).block(rows.clone(), 0..layer.inputs);
        let a_right = right.activations.layer_inputs(&layer).block(cols.clone(), 0..layer.inputs);
        let c2 = T::from_f64(layer.weight_scale * layer.weight_scale);
        backend.gemm(c2, a, a_right.t(), T::ZERO, MatMut::dense(gram_a, height, width));
        if layer.bias.is_some() {
            let s2 = T::from_f64(layer.bias_scale * layer.bias_scale);
            gram_a.iter_mut().for_each(|g| *g += s2);
        }
        let gram_a = MatRef::dense(gram_a, height, width);
        let mut add = |c: usize, c_right: usize, beta: T, last: bool, out: MatMut<'_, T>| {
            let d = left.deltas.of_layer(&layer, c).block(rows.clone(), 0..layer.outputs);
            let d_right = right.deltas.of_layer(&layer, c_right).block(cols.clone(), 0..layer.outputs);
            let mut gram_d = MatMut::dense(gram_d, height, width);
            backend.gemm(T::ONE, d, d_right.t(), beta, gram_d.reborrow());
            if last {
                add_product(gram_a, gram_d.as_ref(), out);
            }
        };
        match outputs {
            MultiOutput::Class(c) => add(c, c, T::ZERO, true, out.reborrow()),
            MultiOutput::Trace => {
                for c in 0..sizes.outputs {
                    let beta = if c == 0 { T::ZERO } else { T::ONE };
                    add(c, c, beta, c + 1 == sizes.outputs, out.reborrow());
                }
            }
            MultiOutput::Full => {
                for c in 0..sizes.outputs {
                    for c_right in 0..sizes.outputs {
                        let pair = out.reborrow().strided((c, sizes.outputs), (c_right, sizes.outputs));
                        add(c, c_right, T::ZERO, true, pair);
                    }
                }
            }
        }
    }
    if outputs == MultiOutput::Trace && sizes.outputs > 1 {
        let count = T::from_count(sizes.outputs);
        for i in 0..height {
            out.row_mut(i).iter_mut().for_each(|k| *k /= count);
        }
    }
}

/// out <- out + a o d
fn add_product<T: Real>(a: MatRef<'_, T>, d: MatRef<'_, T>, mut out: MatMut<'_, T>) {
    for i in 0..out.rows() {
        if out.col_stride() == 1 {
            for (k, (a, d)) in out.row_mut(i).iter_mut().zip(a.row(i).iter().zip(d.row(i))) {
                *k += *a * *d;
            }
        } else {
            for (j, (a, d)) in a.row(i).iter().zip(d.row(i)).enumerate() {
                *out.at_mut(i, j) += *a * *d;
            }
        }
    }
}

/// `kernel <- J J'^T` from Jacobians `(n C, P)` and `(n' C, P)`: the definition, and the reference.
///
/// `kernel` as in [`structured`]. Errors: shapes, a class that does not exist.
pub fn jacobian_contraction<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    sizes: Sizes,
    left: MatRef<'_, T>,
    right: MatRef<'_, T>,
    outputs: MultiOutput,
    mut kernel: MatMut<'_, T>,
) -> Result<(), Error> {
    let per_sample = outputs_per_sample(sizes, outputs)?;
    let c = sizes.outputs;
    let (rows, cols) = (left.rows() / c, right.rows() / c);
    Error::shape("kernel: rows", rows * per_sample, kernel.rows())?;
    Error::shape("kernel: columns", cols * per_sample, kernel.cols())?;
    Error::shape("Jacobian: columns", left.cols(), right.cols())?;
    // rows of class k: start at row k, step C
    let class = |j: MatRef<'_, T>, k: usize| -> (usize, usize) { (k * j.row_stride(), c * j.row_stride()) };
    match outputs {
        MultiOutput::Full => backend.gemm(T::ONE, left, right.t(), T::ZERO, kernel),
        MultiOutput::Trace | MultiOutput::Class(_) => {
            let (classes, weight) = match outputs {
                MultiOutput::Class(k) => (k..k + 1, T::ONE),
                _ => (0..c, T::ONE / T::from_count(c)),
            };
            for i in 0..rows {
                for j in 0..cols {
                    let mut sum = T::ZERO;
                    for k in classes.clone() {
                        let ((l0, ls), (r0, rs)) = (class(left, k), class(right, k));
                        let (x, y) = (&left.data()[l0 + i * ls..], &right.data()[r0 + j * rs..]);
                        sum += crate::linalg::dot(&x[..left.cols()], &y[..left.cols()]);
                    }
                    *kernel.at_mut(i, j) = weight * sum;
                }
            }
        }
    }
    Ok(())
}
