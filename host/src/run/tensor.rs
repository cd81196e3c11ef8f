//! Parameters as named tensors, as files have them.

use ntkscope_core::Real;
use ntkscope_core::network::Network;

/// A named tensor of the network's parameters.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// `W0`, `second.b0`, …
    pub name: String,
    /// shape
    pub shape: Vec<usize>,
    /// numbers, row-major
    pub data: Vec<f64>,
}

/// The parameters as named tensors, W as (out, in).
pub fn tensors<N: Network, T: Real>(network: &N, theta: &[T]) -> Vec<Tensor> {
    let double = |from: usize, len: usize| theta[from..from + len].iter().map(|v| v.to_f64()).collect();
    let mut out = Vec::new();
    for index in 0..network.sizes().layers {
        let layer = network.layer(index);
        out.push(Tensor {
            name: layer.name.of_weights().to_string(),
            shape: vec![layer.outputs, layer.inputs],
            data: double(layer.weights, layer.outputs * layer.inputs),
        });
        if let Some(at) = layer.bias {
            let name = layer.name.of_bias().to_string();
            out.push(Tensor { name, shape: vec![layer.outputs], data: double(at, layer.outputs) });
        }
    }
    out
}
