//! What is known of the empirical NTK without its entries: products `K v = weight sum_r J_r (J_r^T v)` and the diagonal.
//!
//! A product takes two products of matrices a layer for every term r ([`MultiOutput::terms`]), 4 n P operations, in place of the
//! `n^2 (inputs + outputs)` a layer that the entries take.

use super::empirical::outputs_per_sample;
use super::{MultiOutput, Tangent, jacobian_product, jacobian_transposed_product};
use crate::linalg::sum_of_squares;
use crate::network::{Dense, Network};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// `out <- K v`, both `(n, 1)`, or `(n, C)` for [`MultiOutput::Full`], whose rows `i C + c` are then those of a sample in order.
/// `gradient` holds P numbers, `scratch` [`super::jacobian_scratch`].
///
/// ```
/// use ntkscope_core::forward::Params;
/// use ntkscope_core::kernel::{MultiOutput, jacobian_scratch, kernel_diagonal, kernel_product, tangent, tangent_len};
/// use ntkscope_core::{MatMut, MatRef, Portable, network::Fcn};
/// // as for `structured`: K = [[10, 30, 0], [30, 90, 0], [0, 0, 0]]
/// let (network, theta) = (Fcn::new(1, &[1], 1)?, [1.0, 2.0]);
/// let mut buffer = vec![0.0_f64; tangent_len(network.sizes(), 3)];
/// let x = MatRef::new(&[1.0, 3.0, -1.0], 3, 1)?;
/// let tangent = tangent(&Portable, Params::new(&network, &theta)?, x, &mut buffer)?;
/// let (mut gradient, mut scratch) = ([0.0; 2], vec![0.0; jacobian_scratch(network.sizes(), 3)]);
/// let (v, mut product, mut diagonal) = ([1.0, 2.0, 5.0], [0.0; 3], [0.0; 3]);
/// let (v, out) = (MatRef::new(&v, 3, 1)?, MatMut::new(&mut product, 3, 1)?);
/// kernel_product(&Portable, &tangent, MultiOutput::Trace, v, out, &mut gradient, &mut scratch)?;
/// kernel_diagonal(&tangent, MultiOutput::Trace, &mut diagonal)?;
/// assert!(product.iter().zip([70.0, 210.0, 0.0]).all(|(k, e)| (k - e).abs() < 1e-12));
/// assert!(diagonal.iter().zip([10.0, 90.0, 0.0]).all(|(k, e)| (k - e).abs() < 1e-12));
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`jacobian_product`].
pub fn kernel_product<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    tangent: &Tangent<'_, N, T>,
    outputs: MultiOutput,
    v: MatRef<'_, T>,
    mut out: MatMut<'_, T>,
    gradient: &mut [T],
    scratch: &mut [T],
) -> Result<(), Error> {
    let sizes = tangent.activations.network().sizes();
    outputs_per_sample(sizes, outputs)?;
    let weight = T::from_f64(outputs.weight(sizes.outputs));
    let mut beta = T::ZERO;
    for term in outputs.terms(sizes.outputs) {
        jacobian_transposed_product(backend, tangent, term.clone(), v, T::ZERO, gradient, scratch)?;
        gradient.iter_mut().for_each(|g| *g *= weight);
        jacobian_product(backend, tangent, term, gradient, beta, out.reborrow(), scratch)?;
        beta = T::ONE;
    }
    Ok(())
}

/// `out <- K_ii`, n numbers, or n C for [`MultiOutput::Full`]: per layer `(c^2 |A_i|^2 + s^2) |D_i|^2`.
///
/// # Errors
/// [`Error::Shape`]; [`Error::OutOfRange`] for a class that does not exist.
pub fn kernel_diagonal<N: Network, T: Real>(
    tangent: &Tangent<'_, N, T>,
    outputs: MultiOutput,
    out: &mut [T],
) -> Result<(), Error> {
    let network = tangent.activations.network();
    let (n, sizes) = (tangent.activations.batch(), network.sizes());
    tangent.check(sizes)?;
    let per_sample = outputs_per_sample(sizes, outputs)?;
    Error::shape("diagonal of the kernel", n * per_sample, out.len())?;
    let weight = T::from_f64(outputs.weight(sizes.outputs));
    out.fill(T::ZERO);
    for layer in (0..sizes.layers).map(|index| network.layer(index)).filter(Dense::is_trained) {
        let (a, d) = (tangent.activations.layer_inputs(&layer), tangent.deltas.of_layer(&layer));
        let (c, s) = (T::from_f64(layer.weight_scale), T::from_f64(layer.bias_scale));
        for (i, out) in out.chunks_exact_mut(per_sample).enumerate() {
            let mut inputs = T::ZERO;
            if layer.weights_trained {
                inputs += c * c * a.entries(i).fold(T::ZERO, |sum, a| sum + a * a);
            }
            if layer.has_trained_bias() {
                inputs += s * s;
            }
            for term in outputs.terms(sizes.outputs) {
                for (r, k) in term.zip(0..per_sample) {
                    out[k] += weight * inputs * sum_of_squares(d.row(i * sizes.outputs + r));
                }
            }
        }
    }
    Ok(())
}
