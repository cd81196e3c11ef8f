//! Dense layers, one after another, and what they learn at.

use ntkscope::checkpoint::{DescribedLayer, layers_at_one_rate};
use ntkscope::experiment::Model;
use ntkscope_core::network::{Dense, Fcn, Layer, Network as _};
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::error::{Fault, value, wrong_type};

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
    /// settings that say the same, where there are
    pub(crate) settings: Option<Box<Model>>,
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
        let plain = layers_at_one_rate(&layers, &rates);
        Ok(Self { inputs, layers, rates, names, plain, settings: None })
    }

    /// What a file says of the layers beside their arrays.
    pub(crate) fn described(&self) -> Vec<DescribedLayer> {
        let layers = self.layers.iter().zip(&self.names).zip(&self.rates);
        layers.map(|((layer, names), rates)| DescribedLayer::of(layer, names, rates)).collect()
    }

    /// The same function of other c, s and parameters: `c = sqrt(sigma_w2/inputs)` after the first layer, where it is 1, and
    /// `s = sigma_b`; all rates 1.
    ///
    /// # Errors
    /// ValueError: a scale that is not finite and positive.
    pub(crate) fn in_ntk_parametrization(
        &self,
        mut theta: Vec<f64>,
        sigma_w2: f64,
        sigma_b: f64,
    ) -> PyResult<(Self, Vec<f64>)> {
        if !(sigma_w2 > 0.0 && sigma_w2.is_finite() && sigma_b > 0.0 && sigma_b.is_finite()) {
            return Err(value(format!("sigma_w2 {sigma_w2}, sigma_b {sigma_b}: must be finite and positive")));
        }
        let network = Fcn::of_layers(self.inputs, &self.layers).map_err(Fault::from)?;
        let mut layers = self.layers.clone();
        for (index, layer) in layers.iter_mut().enumerate() {
            let Dense { inputs, outputs, weights, bias, .. } = network.layer(index);
            let c = if index == 0 { 1.0 } else { (sigma_w2 / inputs as f64).sqrt() };
            let ratio = layer.weight_scale / c;
            theta[weights..][..inputs * outputs].iter_mut().for_each(|w| *w *= ratio);
            layer.weight_deviation *= if ratio > 0.0 { ratio } else { 1.0 };
            layer.weight_scale = c;
            if let (Some(at), Some(s)) = (bias, layer.bias_scale) {
                let ratio = s / sigma_b;
                theta[at..][..outputs].iter_mut().for_each(|b| *b *= ratio);
                layer.bias_deviation *= ratio;
                layer.bias_scale = Some(sigma_b);
            }
        }
        let rates = vec![[1.0; 2]; self.layers.len()];
        Ok((Self::new(self.inputs, layers, rates, self.names.clone())?, theta))
    }

    /// The same layers at these rates, each a number for all layers or one for each.
    ///
    /// # Errors
    /// TypeError, ValueError: neither of them, or not a rate.
    pub(crate) fn with_rates(&self, weights: &Bound<'_, PyAny>, biases: &Bound<'_, PyAny>) -> PyResult<Self> {
        let count = self.layers.len();
        let each = |name: &str, given: &Bound<'_, PyAny>| match given.extract::<f64>() {
            Ok(one) => Ok(vec![one; count]),
            Err(_) => match given.extract::<Vec<f64>>() {
                Ok(rates) if rates.len() == count => Ok(rates),
                Ok(rates) => Err(value(format!("{name}: {} rates, but the network has {count} layers", rates.len()))),
                Err(_) => Err(wrong_type(format!("{name}: give a number, or one for each of the {count} layers"))),
            },
        };
        let rates = each("weights", weights)?.into_iter().zip(each("biases", biases)?).map(|(w, b)| [w, b]).collect();
        Self::new(self.inputs, self.layers.clone(), rates, self.names.clone())
    }
}

/// A layer of a ``Network``: ``z = c W a + s b``, and ``activation`` after it.
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
    /// name of the function after it; None after the last
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
