//! The Jacobian `J = d f / d theta`, `(n C, P)`, row `i C + c` for output c of sample i.
//!
//! For a layer `z = c W a + s b` the row holds `c D_i (x) A_i` and `s D_i`, or 0 where it is not trained. It is what the
//! kernels avoid; it is here because the plain definition `K = J J^T` is the reference they are tested against.

use crate::backward::Deltas;
use crate::forward::Activations;
use crate::network::Network;
use crate::{Error, MatMut, Real};

/// `jacobian` `(n C, P)` from the forward pass and the derivatives of every output.
///
/// # Errors
/// [`Error::Shape`] of the Jacobian; of derivatives that are not those of the pass in the direction of every output.
pub fn jacobian<N: Network, T: Real>(
    activations: &Activations<'_, N, T>,
    deltas: &Deltas<'_, T>,
    mut jacobian: MatMut<'_, T>,
) -> Result<(), Error> {
    let (n, sizes) = (activations.batch(), activations.network().sizes());
    deltas.check(sizes, n, sizes.outputs)?;
    Error::shape("Jacobian: rows", n * sizes.outputs, jacobian.rows())?;
    Error::shape("Jacobian: columns", sizes.parameters, jacobian.cols())?;
    for index in 0..sizes.layers {
        let layer = activations.network().layer(index);
        let a = activations.layer_inputs(&layer);
        let trained = |scale: f64, is: bool| if is { T::from_f64(scale) } else { T::ZERO };
        let scale = trained(layer.weight_scale, layer.weights_trained);
        let bias_scale = trained(layer.bias_scale, layer.bias_trained);
        let d = deltas.of_layer(&layer);
        for row_index in 0..n * sizes.outputs {
            let row = jacobian.row_mut(row_index);
            let (a, d) = (a.entries(row_index / sizes.outputs), d.row(row_index));
            let weights = row[layer.weights..][..layer.outputs * layer.inputs].chunks_exact_mut(layer.inputs);
            for (weights, d) in weights.zip(d) {
                for (w, a) in weights.iter_mut().zip(a.clone()) {
                    *w = scale * *d * a;
                }
            }
            if let Some(at) = layer.bias {
                for (b, d) in row[at..][..layer.outputs].iter_mut().zip(d) {
                    *b = bias_scale * *d;
                }
            }
        }
    }
    Ok(())
}
