//! Dense layers, one behind another, and what they learn at.

use ntkscope_core::network::Layer;
use pyo3::prelude::*;

use crate::error::value;

/// Dense layers as they are stored, and the factors of their learning rates.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) inputs: usize,
    pub(crate) layers: Vec<Layer>,
    /// of weights and biases
    pub(crate) rates: Vec<[f64; 2]>,
    /// names of weights and biases
    pub(crate) names: Vec<[String; 2]>,
    /// the layers of which all rates are 1 or 0, with the same function and kernel
    pub(crate) plain: Vec<Layer>,
}

impl Chain {
    /// # Errors
    /// ValueError: a rate that is negative or not finite.
    pub(crate) fn new(
        inputs: usize,
        layers: Vec<Layer>,
        rates: Vec<[f64; 2]>,
        names: Vec<[String; 2]>,
    ) -> PyResult<Self> {
        if let Some(rate) = rates.iter().flatten().find(|rate| !(rate.is_finite() && **rate >= 0.0)) {
            return Err(value(format!("rate {rate}: must be finite and not negative; 0 for what is not trained")));
        }
        let plain = layers.iter().zip(&rates).map(|(layer, [weights, biases])| Layer {
            weight_scale: layer.weight_scale * factor(*weights),
            bias_scale: layer.bias_scale.map(|s| s * factor(*biases)),
            weights_trained: *weights > 0.0,
            bias_trained: *biases > 0.0,
            ..*layer
        });
        let plain = plain.collect();
        Ok(Self { inputs, layers, rates, names, plain })
    }
}

/// What c is multiplied with where a rate becomes 1, and what W is divided by: c^2 takes the rate's place in the kernel.
pub(crate) fn factor(rate: f64) -> f64 {
    if rate > 0.0 { rate.sqrt() } else { 1.0 }
}

/// A layer of a ``Network``: ``z = c W a + s b``, and ``activation`` behind it.
#[pyclass(frozen, get_all, module = "ntkscope", name = "Layer")]
pub(crate) struct LayerView {
    /// name of its weights
    pub(crate) name: String,
    /// numbers in a
    pub(crate) inputs: usize,
    /// numbers in z
    pub(crate) outputs: usize,
    /// factor of the weights
    pub(crate) c: f64,
    /// factor of the bias; 0 without one
    pub(crate) s: f64,
    /// learning rate of the weights beside that of the others; 0 where they are frozen
    pub(crate) rate_w: f64,
    /// that of the bias
    pub(crate) rate_b: f64,
    /// whether it has one
    pub(crate) bias: bool,
    /// name of the function behind it; None behind the last
    pub(crate) activation: Option<String>,
}

#[pymethods]
impl LayerView {
    fn __repr__(&self) -> String {
        let Self { name, inputs, outputs, c, s, rate_w, rate_b, bias, activation } = self;
        let bias = if *bias { format!(", s={s}, rate_b={rate_b}") } else { String::new() };
        let activation = activation.as_ref().map_or(String::new(), |name| format!(", {name}"));
        format!("Layer({name}: {inputs} -> {outputs}, c={c}, rate_w={rate_w}{bias}{activation})")
    }
}
