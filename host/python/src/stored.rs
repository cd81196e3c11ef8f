//! Layers as Python has them: what a network pickles as, and what others have stored.

use ntkscope::files::Dtype;
use ntkscope_core::network::{Activation, Layer};
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::arrays::{Numbers, dtype_name, dtype_of, shown};
use crate::chain::Chain;
use crate::error::{value, wrong_type};
use crate::network::Network;

/// What a network pickles as: inputs, layers, numbers, dtype.
pub(crate) type Stored<'py> = (usize, Vec<StoredLayer>, Bound<'py, PyAny>, String);
/// Names, width, activation, c and s, their deviations, rates.
pub(crate) type StoredLayer = ([String; 2], usize, String, (f64, Option<f64>), (f64, f64), [f64; 2]);

/// What a chain of layers pickles as.
pub(crate) fn stored<'py>(chain: &Chain, theta: Bound<'py, PyAny>, dtype: String) -> Stored<'py> {
    let layers = chain.layers.iter().zip(&chain.names).zip(&chain.rates);
    let layers = layers.map(|((layer, names), rates)| {
        let scales = (layer.weight_scale, layer.bias_scale);
        let deviations = (layer.weight_deviation, layer.bias_deviation);
        (names.clone(), layer.width, layer.activation.to_string(), scales, deviations, *rates)
    });
    (chain.inputs, layers.collect(), theta, dtype)
}

/// What a chain of layers was pickled as.
#[pyfunction]
pub(crate) fn _of_stored(
    inputs: usize,
    layers: Vec<StoredLayer>,
    theta: &Bound<'_, PyAny>,
    dtype: &Bound<'_, PyAny>,
) -> PyResult<Network> {
    let (mut described, mut rates, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (name, width, activation, (c, s), (weight_deviation, bias_deviation), rate) in layers {
        described.push(Layer {
            activation: activation_of(&activation)?,
            weight_scale: c,
            bias_scale: s,
            weight_deviation,
            bias_deviation,
            ..Layer::new(width)
        });
        rates.push(rate);
        names.push(name);
    }
    let chain = Chain::new(inputs, described, rates, names)?;
    Ok(Network::chain(chain, Numbers::new("theta", theta)?.to_f64()?, dtype_of(dtype)?)?)
}

/// Dense layers in their order: name, W `(outputs, inputs)`, b or None, activation after it, c, s, rates of W and b.
#[pyfunction]
#[allow(clippy::type_complexity, reason = "one row of a table, from Python")]
pub(crate) fn _of_layers(
    layers: Vec<(String, Bound<'_, PyAny>, Option<Bound<'_, PyAny>>, String, (f64, f64), [f64; 2])>,
) -> PyResult<Network> {
    let (mut described, mut rates, mut names, mut theta) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut inputs, mut dtype): (Option<usize>, Option<Dtype>) = (None, None);
    for (name, weights, bias, activation, (c, s), rate) in layers {
        let of_bias = bias_of(&name);
        let weights = Numbers::new(&name, &weights)?;
        weights.check_finite(&name)?;
        let [outputs, ins] = *weights.shape() else {
            return Err(value(format!("{name}: shape {}; a weight has two dimensions", shown(weights.shape()))));
        };
        if *dtype.get_or_insert(weights.dtype()) != weights.dtype() {
            return Err(wrong_type(format!("{name}: {}, but the layers before are not", dtype_name(weights.dtype()))));
        }
        let before = described.last().map(|layer: &Layer| layer.width);
        if before.is_some_and(|width| width != ins) {
            return Err(value(format!(
                "{name}: {ins} inputs, but the layer before has {} outputs",
                before.unwrap_or(0)
            )));
        }
        inputs.get_or_insert(ins);
        theta.extend(weights.to_f64()?);
        if let Some(bias) = &bias {
            let bias = Numbers::new(&of_bias, bias)?;
            bias.check_finite(&of_bias)?;
            if bias.shape() != [outputs] || bias.dtype() != weights.dtype() {
                let text = format!(
                    "{of_bias}: shape {}, {}; its weight needs ({outputs},), {}",
                    shown(bias.shape()),
                    dtype_name(bias.dtype()),
                    dtype_name(weights.dtype())
                );
                return Err(value(text));
            }
            theta.extend(bias.to_f64()?);
        }
        described.push(Layer {
            activation: activation_of(&activation)?,
            weight_scale: c,
            bias_scale: bias.as_ref().map(|_| s),
            ..Layer::new(outputs)
        });
        rates.push(rate);
        names.push([name, of_bias]);
    }
    let Some((inputs, dtype)) = inputs.zip(dtype) else { return Err(value("no layer, so no network")) };
    let chain = Chain::new(inputs, described, rates, names)?;
    Ok(Network::chain(chain, theta, dtype)?)
}

/// The name of the bias beside weights of this name: `0.bias` beside `0.weight`, `b0` beside `W0`.
fn bias_of(weights: &str) -> String {
    match (weights.strip_suffix("weight"), weights.strip_prefix('W')) {
        (Some(layer), _) => format!("{layer}bias"),
        (_, Some(index)) => format!("b{index}"),
        _ => format!("{weights} (bias)"),
    }
}

/// The activation of this name.
pub(crate) fn activation_of(name: &str) -> PyResult<Activation> {
    name.parse().map_err(|unknown| value(format!("activation {name:?}: {unknown}")))
}
