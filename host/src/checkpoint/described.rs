//! What a file can say of its layers beside their arrays: scales, functions, rates. Networks that Python has saved say it;
//! where a file says nothing, its layers are taken as libraries store them.

use ntkscope_core::network::{Activation, Layer};
use serde::{Deserialize, Serialize};

use super::error::Fault;
use super::source::{Arrays, Numbers};
use super::tensor_file::ParameterFault;
use super::{Checkpoint, Reading};
use crate::files::npy::Number;
use crate::files::{Dtype, NpzError};
use crate::words::excerpt;

/// A layer `z = c W a + s b` beside its arrays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DescribedLayer {
    /// of W and b
    pub names: [String; 2],
    /// after the layer
    pub activation: Activation,
    /// factor of W
    pub c: f64,
    /// factor of b, where there is one
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub s: Option<f64>,
    /// standard deviations of W and b at initialization
    pub deviations: [f64; 2],
    /// learning rates of W and b beside the common one; 0 for what is not trained
    pub rates: [f64; 2],
}

/// All of them, from the first to the output.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    layer: Vec<DescribedLayer>,
}

impl DescribedLayer {
    /// The same of a layer with arrays of these names.
    pub fn of(layer: &Layer, names: &[String; 2], rates: &[f64; 2]) -> Self {
        Self {
            names: names.clone(),
            activation: layer.activation,
            c: layer.weight_scale,
            s: layer.bias_scale,
            deviations: [layer.weight_deviation, layer.bias_deviation],
            rates: *rates,
        }
    }

    /// The layer of so many numbers.
    pub(super) fn layer(&self, width: usize) -> Layer {
        Layer {
            activation: self.activation,
            weight_scale: self.c,
            bias_scale: self.s,
            weight_deviation: self.deviations[0],
            bias_deviation: self.deviations[1],
            ..Layer::new(width)
        }
    }
}

/// The text that a file holds.
///
/// # Errors
/// A number that toml does not have.
pub fn text_of(layers: &[DescribedLayer]) -> Result<String, toml::ser::Error> {
    toml::to_string(&Document { layer: layers.to_vec() })
}

/// The layers of such a text; one at least.
///
/// # Errors
/// [`ParameterFault::Layers`].
pub(super) fn of_text(text: &str) -> Result<Vec<DescribedLayer>, ParameterFault> {
    let wrong = |what: String| ParameterFault::Layers(excerpt(&what));
    let Document { layer } = toml::from_str(text).map_err(|error: toml::de::Error| wrong(error.message().into()))?;
    if layer.is_empty() {
        return Err(wrong("there is none".into()));
    }
    match layer.iter().flat_map(|layer| layer.rates).find(|rate| !(rate.is_finite() && *rate >= 0.0)) {
        Some(rate) => Err(wrong(format!("a rate is {rate}"))),
        None => Ok(layer),
    }
}

/// The network of arrays that the file describes, each of which one layer has.
///
/// # Errors
/// Another number of activations; an order; arrays that are missing, left over or shared, or whose shapes do not follow one another.
pub(super) fn read(
    arrays: &mut dyn Arrays,
    mut described: Vec<DescribedLayer>,
    reading: &Reading,
) -> Result<Checkpoint, Fault> {
    if reading.order.is_some() {
        return Err(Fault::OrderSaid);
    }
    let hidden = described.len() - 1;
    if let Some(given) = &reading.activation {
        let activations = given.spread(hidden);
        let activations = activations.ok_or(Fault::Activations { hidden, given: given.values().len() })?;
        described.iter_mut().zip(activations).for_each(|(layer, activation)| layer.activation = activation);
    }
    let (all, _) = arrays.shapes()?;
    let names: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
    let unfit = |at: usize, what: String| {
        let (array, shape) = all[at].clone();
        Fault::Array { array, shape, what }
    };
    let mut left: Vec<usize> = (0..all.len()).collect();
    let mut take = |name: &String| {
        let missing = || NpzError::NoArray { array: name.clone(), present: names.clone() };
        let at = names.iter().position(|known| known == name);
        let at = at.ok_or_else(|| Fault::File(ParameterFault::Npz(missing())))?;
        let free = left.iter().position(|free| *free == at);
        let free = free.ok_or_else(|| Fault::Tied { first: name.clone(), second: name.clone() })?;
        Ok::<usize, Fault>(left.swap_remove(free))
    };
    let (mut layers, mut entering, mut inputs) = (Vec::new(), reading.inputs, None);
    let mut numbers = Numbers { arrays, names: &names, theta: Vec::new(), stored: None };
    for layer in &described {
        let weights = take(&layer.names[0])?;
        let bias = layer.s.map(|_| take(&layer.names[1])).transpose()?;
        let &[out, d] = &all[weights].1[..] else {
            return Err(unfit(weights, "is no weight, which has two dimensions".into()));
        };
        if let Some(given) = entering.filter(|given| *given != d) {
            return Err(unfit(weights, format!("takes {d} numbers, but is given {given}")));
        }
        if let Some(bias) = bias.filter(|bias| all[*bias].1 != [out]) {
            return Err(unfit(bias, format!("is no bias of {out} numbers")));
        }
        numbers.append(weights)?;
        bias.map_or(Ok(()), |bias| numbers.append(bias))?;
        layers.push(layer.layer(out));
        (entering, inputs) = (Some(out), inputs.or(Some(d)));
    }
    if let Some(left) = left.into_iter().min() {
        return Err(unfit(left, "is of none of the layers that the file describes".into()));
    }
    let Numbers { theta, stored, .. } = numbers;
    Ok(Checkpoint {
        inputs: inputs.unwrap_or(0),
        layers,
        names: described.iter().map(|layer| layer.names[0].clone()).collect(),
        arrays: described.iter().map(|layer| layer.names.clone()).collect(),
        rates: described.iter().map(|layer| layer.rates).collect(),
        theta,
        stored: stored.unwrap_or(Number::of(Dtype::F64)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_to_the_last_bit() {
        let third =
            Layer { bias_scale: Some(0.1), activation: Activation::Gelu, weight_scale: 1.0 / 3.0, ..Layer::new(4) };
        let names = ["a \"b\".weight".to_owned(), "ä\n".to_owned()];
        let layers = [
            DescribedLayer::of(&third, &names, &[5e-324, 0.0]),
            DescribedLayer::of(&Layer::new(1), &names, &[f64::MAX, 1.0]),
        ];
        assert_eq!(of_text(&text_of(&layers).unwrap()).unwrap(), layers);
        assert_eq!(layers[0].layer(4), third);
    }

    #[test]
    fn what_is_none_is_told() {
        let whole = text_of(&[DescribedLayer::of(&Layer::new(1), &["w".into(), "b".into()], &[1.0; 2])]).unwrap();
        for (text, what) in [
            (String::new(), "missing field `layer`"),
            ("layer = []".into(), "there is none"),
            (whole.replace("rates = [1.0, 1.0]", "rates = [1.0, -1.0]"), "a rate is -1"),
            (whole.replace("c = 1.0", "d = 1.0"), "unknown field `d`"),
            (whole.replace("identity", "step"), "unknown activation"),
        ] {
            let told = of_text(&text).unwrap_err().to_string();
            assert!(told.contains(what), "{text}: {told}");
        }
    }
}
