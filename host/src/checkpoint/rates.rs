//! Layers that learn at rates of their own.
//!
//! A share of the kernel that is learnt at `r` times the common rate counts `r` times. Parameters `W/√r` after `√r c` are the
//! same function, and at the common rate they have that share; `r = 0` is what is not trained.

use ntkscope_core::network::{Dense, Layer, Network};

/// The layers of which all rates are 1 or 0, with the same function and kernel; `rates` of weights and biases.
pub fn layers_at_one_rate(layers: &[Layer], rates: &[[f64; 2]]) -> Vec<Layer> {
    let at_one = |(layer, [weights, biases]): (&Layer, &[f64; 2])| Layer {
        weight_scale: layer.weight_scale * factor(*weights),
        bias_scale: layer.bias_scale.map(|s| s * factor(*biases)),
        weights_trained: layer.weights_trained && *weights > 0.0,
        bias_trained: layer.bias_trained && *biases > 0.0,
        ..*layer
    };
    layers.iter().zip(rates).map(at_one).collect()
}

/// Makes the parameters `theta` those of [`layers_at_one_rate`].
pub fn parameters_at_one_rate(network: &impl Network, rates: &[[f64; 2]], theta: &mut [f64]) {
    for (index, [weights, biases]) in rates.iter().enumerate() {
        let Dense { inputs, outputs, weights: at, bias, .. } = network.layer(index);
        theta[at..][..inputs * outputs].iter_mut().for_each(|w| *w /= factor(*weights));
        if let Some(at) = bias {
            theta[at..][..outputs].iter_mut().for_each(|b| *b /= factor(*biases));
        }
    }
}

/// Whether [`parameters_at_one_rate`] leaves every number as it is.
pub fn are_plain(rates: &[[f64; 2]]) -> bool {
    rates.iter().flatten().all(|rate| factor(*rate) == 1.0)
}

/// √r, and 1 of what is not trained.
fn factor(rate: f64) -> f64 {
    if rate > 0.0 { rate.sqrt() } else { 1.0 }
}
