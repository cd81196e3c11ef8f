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

use super::first_layer::check_samples;
use super::mirror_lower;
use crate::backward::{Deltas, output_derivatives, output_derivatives_scratch};
use crate::buffer::buffer_len;
use crate::forward::{Activations, Params, forward};
use crate::linalg::dot;
use crate::network::{Dense, Network, Sizes};
use crate::{Backend, Error, MatMut, MatRef, Real, Tile};
use core::ops::Range;

/// Which kernel of a network with C outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MultiOutput {
    /// `(n C, n' C)`, row `i C + c`: all pairs of outputs. Its limit is `Theta (x) I_C`.
    Full,
    /// `(n, n')`: (1/C) sum_c K^(c,c). Its limit is Theta.
    Trace,
    /// `(n, n')`: K^(c,c) of output c. Its limit is Theta.
    Class(usize),
}

impl MultiOutput {
    /// The kernel is `weight sum_r J_r J_r^T` over these r, each the outputs of one product with the Jacobian; of all C outputs.
    pub fn terms(self, outputs: usize) -> impl Iterator<Item = Range<usize>> + Clone {
        let (first, end, each) = match self {
            Self::Full => (0, outputs, outputs),
            Self::Trace => (0, outputs, 1),
            Self::Class(c) => (c, c + 1, 1),
        };
        (first..end).step_by(each).map(move |r| r..r + each)
    }
    /// See [`Self::terms`].
    pub fn weight(self, outputs: usize) -> f64 {
        if self == Self::Trace { 1.0 / outputs as f64 } else { 1.0 }
    }
}

/// All that a kernel needs of one set of samples: the pairs (A, D) of every layer.
#[derive(Clone, Copy, Debug)]
pub struct Tangent<'a, N, T> {
    /// the forward pass
    pub activations: Activations<'a, N, T>,
    /// the derivatives of every output
    pub deltas: Deltas<'a, T>,
}

impl<N: Network, T: Real> Tangent<'_, N, T> {
    /// `Ok` where this is of a network of these sizes, and its passes belong together.
    pub(super) fn check(&self, sizes: Sizes) -> Result<(), Error> {
        self.activations.check(sizes)?;
        self.deltas.check(sizes, self.activations.batch(), sizes.outputs)
    }
}

/// Buffer length of [`tangent`] for n samples; `usize::MAX` where that overflows.
pub const fn tangent_len(sizes: Sizes, batch: usize) -> usize {
    let scratch = output_derivatives_scratch(sizes.outputs, batch);
    buffer_len(&[&[batch, sizes.activations], &[batch, sizes.outputs, sizes.deltas], &[scratch]])
}

/// One forward pass and C backward passes over the rows of `x` `(n, d)`.
///
/// `buffer` holds at least [`tangent_len`] numbers.
///
/// # Errors
/// Those of [`forward`]; [`Error::BufferLength`]; [`Error::SampleScale`] for a sample that T cannot hold the kernel of.
pub fn tangent<'a, N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    params: Params<'a, N, T>,
    x: MatRef<'a, T>,
    buffer: &'a mut [T],
) -> Result<Tangent<'a, N, T>, Error> {
    let (n, sizes) = (x.rows(), params.network().sizes());
    Error::at_least("tangent", tangent_len(sizes, n), buffer.len())?;
    check_samples(params.network(), x)?;
    let (values, rest) = buffer.split_at_mut(n * sizes.activations);
    let (deltas, scratch) = rest.split_at_mut(n * sizes.outputs * sizes.deltas);
    let activations = forward(backend, params, x, values)?;
    let deltas = output_derivatives(backend, params, &activations, deltas, scratch)?;
    Ok(Tangent { activations, deltas })
}

/// Rows (or columns) of the kernel that belong to one sample.
pub(super) fn outputs_per_sample(sizes: Sizes, outputs: MultiOutput) -> Result<usize, Error> {
    match outputs {
        MultiOutput::Full => Ok(sizes.outputs),
        MultiOutput::Class(c) if c >= sizes.outputs => {
            Err(Error::OutOfRange { what: "class", needs: "below the number of outputs", got: c as f64 })
        }
        MultiOutput::Trace | MultiOutput::Class(_) => Ok(1),
    }
}

/// Scratch length of [`structured`] for a kernel of so many rows and columns: two tiles, or less for a small one;
/// `usize::MAX` where that overflows.
pub const fn structured_scratch(tile: Tile, rows: usize, cols: usize) -> usize {
    let height = if tile.rows < rows { tile.rows } else { rows };
    let width = if tile.cols < cols { tile.cols } else { cols };
    buffer_len(&[&[2, height, width]])
}

/// The empirical NTK of the samples of `left` (rows) against those of `right` (columns), or of `left`
/// against itself where `right` is `None`: then only the lower triangle is computed and mirrored, so the
/// kernel is symmetric bit for bit.
///
/// `kernel` is `(n, n')`, or `(n C, n' C)` for [`MultiOutput::Full`]; `scratch` holds at least
/// [`structured_scratch`]`(backend.tile(), rows, columns)` numbers.
///
/// ```
/// use ntkscope_core::forward::Params;
/// use ntkscope_core::kernel::{MultiOutput, structured, structured_scratch, tangent, tangent_len};
/// use ntkscope_core::{MatMut, MatRef, Portable, network::Fcn};
/// const NETWORK: Fcn = match Fcn::new(1, &[1], 1) {
///     Ok(network) => network,
///     Err(_) => panic!("a size is 0"),
/// };
/// // f(x) = sqrt(2) w max(v x, 0) at v = 1, w = 2: df/dv = 2 sqrt(2) x and df/dw = sqrt(2) x where x > 0
/// let (theta, x) = ([1.0, 2.0], MatRef::new(&[1.0, 3.0, -1.0], 3, 1)?);
/// let mut buffer = [0.0; tangent_len(NETWORK.sizes(), 3)];
/// let tangent = tangent(&Portable, Params::new(&NETWORK, &theta)?, x, &mut buffer)?;
/// let (mut kernel, mut scratch) = ([0.0_f64; 9], [0.0; structured_scratch(Portable::TILE, 3, 3)]);
/// let out = MatMut::new(&mut kernel, 3, 3)?;
/// structured(&Portable, &tangent, None, MultiOutput::Trace, out, &mut scratch)?;
/// let expected = [10.0, 30.0, 0.0, 30.0, 90.0, 0.0, 0.0, 0.0, 0.0];
/// assert!(kernel.iter().zip(expected).all(|(k, e)| (k - e).abs() < 1e-13));
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`], also of tangents of different networks; [`Error::OutOfRange`] for a class that does not exist;
/// [`Error::BufferLength`] for a short scratch.
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
    let sizes = left.activations.network().sizes();
    left.check(sizes)?;
    right.check(sizes)?;
    let per_sample = outputs_per_sample(sizes, outputs)?;
    let (rows, cols) = (left.activations.batch() * per_sample, right.activations.batch() * per_sample);
    Error::shape("kernel: rows", rows, kernel.rows())?;
    Error::shape("kernel: columns", cols, kernel.cols())?;
    let tile = backend.tile();
    let need = structured_scratch(tile, rows, cols);
    Error::at_least("structured: scratch", need, scratch.len())?;
    let pair = Pair { left, right, outputs, per_sample };
    backend.for_each_band(kernel.reborrow(), tile.band(rows), &mut scratch[..need], &|first, mut band, scratch| {
        let (height, width) = (band.rows(), band.cols());
        let end = if symmetric { first + height } else { width };
        for start in (0..end).step_by(tile.cols) {
            let columns = start..width.min(start + tile.cols);
            // of a symmetric kernel the tile's rows above the diagonal are left out
            let top = if symmetric { start.saturating_sub(first) } else { 0 };
            let out = band.reborrow().block(top..height, columns.clone());
            pair.tile(backend, first + top..first + height, columns, out, scratch);
        }
    });
    if symmetric {
        mirror_lower(backend, kernel);
    }
    Ok(())
}

/// What a kernel is taken of.
struct Pair<'a, 'b, N, T> {
    left: &'b Tangent<'a, N, T>,
    right: &'b Tangent<'a, N, T>,
    outputs: MultiOutput,
    /// rows and columns of the kernel that belong to one sample
    per_sample: usize,
}

impl<N: Network, T: Real> Pair<'_, '_, N, T> {
    /// One tile: for every layer the Gram matrix of A over its samples times that of D over its rows and columns.
    fn tile<B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        rows: Range<usize>,
        cols: Range<usize>,
        mut out: MatMut<'_, T>,
        scratch: &mut [T],
    ) {
        let network = self.left.activations.network();
        let sizes = network.sizes();
        let samples = |range: &Range<usize>| range.start / self.per_sample..range.end.div_ceil(self.per_sample);
        let (left, right) = (samples(&rows), samples(&cols));
        let (gram_d, gram_a) = scratch.split_at_mut(rows.len() * cols.len());
        let gram_a = &mut gram_a[..left.len() * cols.len()];
        let mut add = false;
        for layer in (0..sizes.layers).map(|index| network.layer(index)).filter(Dense::is_trained) {
            if self.per_sample == 1 {
                self.inputs_gram(backend, &layer, left.clone(), right.clone(), gram_a);
            } else {
                let gram = &mut gram_d[..left.len() * right.len()];
                self.inputs_gram(backend, &layer, left.clone(), right.clone(), gram);
                // a sample's entry for each of its columns
                for (spread, gram) in gram_a.chunks_exact_mut(cols.len()).zip(gram.chunks_exact(right.len())) {
                    for (sample, entry) in right.clone().zip(gram) {
                        let first = (sample * self.per_sample).max(cols.start) - cols.start;
                        let end = ((sample + 1) * self.per_sample).min(cols.end) - cols.start;
                        spread[first..end].fill(*entry);
                    }
                }
            }
            let (d, d_right) =
                (self.derivatives(&self.left.deltas, &layer), self.derivatives(&self.right.deltas, &layer));
            let (d, d_right) = (d.block(rows.clone(), 0..d.cols()), d_right.block(cols.clone(), 0..d.cols()));
            // the mean over outputs is 1/C of the sum over all columns of D
            let mean = if self.outputs == MultiOutput::Trace { T::ONE / T::from_count(sizes.outputs) } else { T::ONE };
            backend.gemm(mean, d, d_right.t(), T::ZERO, MatMut::dense(gram_d, rows.len(), cols.len()));
            for (i, d) in gram_d.chunks_exact(cols.len()).enumerate() {
                let sample = (rows.start + i) / self.per_sample - left.start;
                let a = &gram_a[sample * cols.len()..][..cols.len()];
                backend.products(add, a, d, out.row_mut(i));
            }
            add = true;
        }
    }

    /// `c^2 A A'^T + s^2` of what a layer trains over these samples, row-major.
    fn inputs_gram<B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        layer: &Dense,
        left: Range<usize>,
        right: Range<usize>,
        gram: &mut [T],
    ) {
        let mut out = MatMut::dense(gram, left.len(), right.len());
        if !layer.weights_trained {
            out.fill(T::ZERO);
            return add_constant(gram, layer);
        }
        let a = self.left.activations.layer_inputs(layer).block(left, 0..layer.inputs);
        let a_right = self.right.activations.layer_inputs(layer).block(right, 0..layer.inputs);
        backend.gemm(T::from_f64(layer.weight_scale * layer.weight_scale), a, a_right.t(), T::ZERO, out);
        add_constant(gram, layer);
    }

    /// The rows of D that the kernel's rows (or columns) take, one after the other.
    fn derivatives<'d>(&self, deltas: &Deltas<'d, T>, layer: &Dense) -> MatRef<'d, T> {
        match self.outputs {
            MultiOutput::Full => deltas.of_layer(layer),
            MultiOutput::Trace => deltas.by_sample(layer),
            MultiOutput::Class(c) => {
                let all = deltas.by_sample(layer);
                all.block(0..all.rows(), c * layer.outputs..(c + 1) * layer.outputs)
            }
        }
    }
}

/// s^2 more everywhere, where a bias is trained.
fn add_constant<T: Real>(gram: &mut [T], layer: &Dense) {
    if layer.has_trained_bias() {
        let s2 = T::from_f64(layer.bias_scale * layer.bias_scale);
        gram.iter_mut().for_each(|g| *g += s2);
    }
}

/// `kernel <- J J'^T` from Jacobians `(n C, P)` and `(n' C, P)`: the definition, and the reference.
///
/// `kernel` as in [`structured`]; the columns of a Jacobian are adjacent.
///
/// # Errors
/// [`Error::Shape`], [`Error::OutOfRange`] for a class that does not exist.
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
    Error::shape("Jacobian: rows", rows * c, left.rows())?;
    Error::shape("Jacobian: rows", cols * c, right.rows())?;
    Error::shape("Jacobian: columns", sizes.parameters, left.cols())?;
    Error::shape("Jacobian: columns", sizes.parameters, right.cols())?;
    Error::shape("kernel: rows", rows * per_sample, kernel.rows())?;
    Error::shape("kernel: columns", cols * per_sample, kernel.cols())?;
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
                        sum += dot(left.row(i * c + k), right.row(j * c + k));
                    }
                    *kernel.at_mut(i, j) = weight * sum;
                }
            }
        }
    }
    Ok(())
}
