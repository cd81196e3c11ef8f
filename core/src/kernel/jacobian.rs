//! Products with the Jacobian `J = df/dtheta` `(n C, P)`, which is never formed: a layer `z = c W a + s b` has the part
//! `(c D_i (x) A_i, s D_i)` of sample i, so that
//!
//! ```text
//! (J g)_ir    = sum over layers D_ir . (c G a_i + s g_b)           (G, g_b the layer's part of g)
//! (J^T v)_W   = c (sum_r v_ir D_ir)^T A,     (J^T v)_b = s sum_ir v_ir D_ir
//! ```
//!
//! Both cost about as much as a forward pass, and `J (J^T v)` is the product of the full kernel `(n C, n C)` with v. Of some of
//! the outputs only, J has their rows alone: `J_c J_c^T` is the kernel of class c, the mean over c that of the trace.

use super::Tangent;
use crate::backward::{Deltas, add_gradient};
use crate::buffer::buffer_len;
use crate::linalg::dot;
use crate::network::{Dense, Network, Sizes, add_bias};
use crate::{Backend, Error, MatMut, MatRef, Real};
use core::ops::Range;

/// Scratch length of [`jacobian_product`] and [`jacobian_transposed_product`] for n samples; `usize::MAX` where that
/// overflows.
pub const fn jacobian_scratch(sizes: Sizes, batch: usize) -> usize {
    buffer_len(&[&[batch, sizes.deltas]])
}

/// `out <- beta out + J direction`: how these outputs `(n, C')` change along P numbers, to first order; all of them are `0..C`.
/// `out` is not read where beta is 0.
///
/// ```
/// use ntkscope_core::forward::Params;
/// use ntkscope_core::kernel::{jacobian_product, jacobian_scratch, tangent, tangent_len};
/// use ntkscope_core::{MatMut, MatRef, Portable, network::Fcn};
/// // f(x) = sqrt(2) w max(v x, 0) at x = 1, v = 3, w = 2: df/dv = 2 sqrt(2), df/dw = 3 sqrt(2)
/// let network = Fcn::new(1, &[1], 1)?;
/// let mut buffer = vec![0.0_f64; tangent_len(network.sizes(), 1)];
/// let x = MatRef::new(&[1.0], 1, 1)?;
/// let tangent = tangent(&Portable, Params::new(&network, &[3.0, 2.0])?, x, &mut buffer)?;
/// let mut scratch = vec![0.0; jacobian_scratch(network.sizes(), 1)];
/// let mut change = [0.0];
/// jacobian_product(&Portable, &tangent, 0..1, &[1.0, 10.0], 0.0, MatMut::new(&mut change, 1, 1)?, &mut scratch)?;
/// assert!((change[0] - 32.0 * 2f64.sqrt()).abs() < 1e-13);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`]; [`Error::OutOfRange`] for outputs that the network has not; [`Error::BufferLength`] for a scratch shorter than
/// [`jacobian_scratch`].
pub fn jacobian_product<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    tangent: &Tangent<'_, N, T>,
    outputs: Range<usize>,
    direction: &[T],
    beta: T,
    mut out: MatMut<'_, T>,
    scratch: &mut [T],
) -> Result<(), Error> {
    let network = tangent.activations.network();
    let (n, sizes) = (tangent.activations.batch(), network.sizes());
    tangent.check(sizes)?;
    Error::shape("direction: parameters", sizes.parameters, direction.len())?;
    Error::shape("change of the outputs: rows", n, out.rows())?;
    check_outputs(sizes, &outputs)?;
    Error::shape("change of the outputs: columns", outputs.len(), out.cols())?;
    Error::at_least("product with the Jacobian: scratch", jacobian_scratch(sizes, n), scratch.len())?;
    for i in 0..n {
        out.row_mut(i).iter_mut().for_each(|f| *f = if beta == T::ZERO { T::ZERO } else { beta * *f });
    }
    for layer in (0..sizes.layers).map(|index| network.layer(index)).filter(Dense::is_trained) {
        let change = &mut scratch[..n * layer.outputs];
        let a = tangent.activations.layer_inputs(&layer);
        // what is not trained does not move, whatever the direction has there
        let mut change_of = MatMut::dense(change, n, layer.outputs);
        if layer.weights_trained {
            let scale = T::from_f64(layer.weight_scale);
            backend.gemm(scale, a, layer.weights_in(direction).t(), T::ZERO, change_of.reborrow());
        } else {
            change_of.fill(T::ZERO);
        }
        if let Some(at) = layer.bias.filter(|_| layer.bias_trained) {
            add_bias(&mut change_of, T::from_f64(layer.bias_scale), &direction[at..][..layer.outputs]);
        }
        let d = tangent.deltas.of_layer(&layer);
        for (i, change) in change.chunks_exact(layer.outputs).enumerate() {
            for (r, f) in outputs.clone().zip(out.row_mut(i)) {
                *f += dot(d.row(i * sizes.outputs + r), change);
            }
        }
    }
    Ok(())
}

/// `out <- beta out + J^T v`, P numbers: the gradient of `sum_ir v_ir f_r(x_i)` over these outputs r with v `(n, C')` held
/// fixed; `out` is not read where beta is 0.
///
/// # Errors
/// Those of [`jacobian_product`].
pub fn jacobian_transposed_product<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    tangent: &Tangent<'_, N, T>,
    outputs: Range<usize>,
    v: MatRef<'_, T>,
    beta: T,
    out: &mut [T],
    scratch: &mut [T],
) -> Result<(), Error> {
    let network = tangent.activations.network();
    let (n, sizes) = (tangent.activations.batch(), network.sizes());
    tangent.check(sizes)?;
    Error::shape("combination of the outputs: rows", n, v.rows())?;
    check_outputs(sizes, &outputs)?;
    Error::shape("combination of the outputs: columns", outputs.len(), v.cols())?;
    Error::at_least("product with the Jacobian: scratch", jacobian_scratch(sizes, n), scratch.len())?;
    // D of the one direction v, of every layer
    let combined = &mut scratch[..n * sizes.deltas];
    for layer in (0..sizes.layers).map(|index| network.layer(index)) {
        let d = tangent.deltas.of_layer(&layer);
        let own = &mut combined[n * layer.delta..][..n * layer.outputs];
        for (i, own) in own.chunks_exact_mut(layer.outputs).enumerate() {
            own.fill(T::ZERO);
            for (r, weight) in outputs.clone().zip(v.row(i)) {
                own.iter_mut().zip(d.row(i * sizes.outputs + r)).for_each(|(sum, d)| *sum += *weight * *d);
            }
        }
    }
    let combined = Deltas::of_values(n, combined);
    add_gradient(backend, T::ONE, &tangent.activations, &combined, beta, out)
}

fn check_outputs(sizes: Sizes, outputs: &Range<usize>) -> Result<(), Error> {
    match outputs.end <= sizes.outputs {
        true => Ok(()),
        false => Err(Error::OutOfRange {
            what: "outputs",
            needs: "below the number of outputs",
            got: outputs.end as f64 - 1.0,
        }),
    }
}
