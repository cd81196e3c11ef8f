//! Networks that other programs have stored: state dicts of PyTorch, parameters of Flax, and our own names, in safetensors,
//! npz and pt files or as arrays in memory.
//!
//! Layers are taken as libraries store them, `z = W a + b` (c = s = 1): the kernel is that of the parameters as they are
//! stored, which is what plain gradient descent with one learning rate moves by. A file may say otherwise ([`DescribedLayer`]).

mod described;
mod error;
mod order;
mod pickle;
mod rates;
mod source;
mod tensor_file;
mod torch_file;

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use ntkscope_core::network::{Activation, Fcn, Layer};

pub use described::{DescribedLayer, text_of};
pub use error::{Error, Fault};
pub use order::{Kept, Placed, layers};
pub use rates::{are_plain, layers_at_one_rate, parameters_at_one_rate};
pub use tensor_file::{LAYERS, ParameterFault, ParameterFile, SETTINGS};

use crate::experiment::List;
use crate::files::npy::Number;
use crate::files::{Dtype, Input, open_input};
use crate::words::excerpt;
use source::{Arrays, InMemory, Numbers};
use torch_file::TorchFile;

/// Key of a safetensors file's metadata that names the activations.
pub const ACTIVATION: &str = "activation";

/// An array with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArray {
    /// as it is stored
    pub name: String,
    /// its shape
    pub shape: Vec<usize>,
    /// its numbers, row-major
    pub data: Vec<f64>,
}

/// How a network is to be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// after the hidden layers; that of the file where it is left out
    pub activation: Option<List<Activation>>,
    /// names of the layers in order, where the file leaves that open
    pub order: Option<Vec<String>>,
    /// numbers of a sample, where they are known
    pub inputs: Option<usize>,
}

/// A fully connected network as it was stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// numbers of a sample
    pub inputs: usize,
    /// the layers in order, the output last; c = s = 1 where the file does not say them
    pub layers: Vec<Layer>,
    /// their names
    pub names: Vec<String>,
    /// names of their weights and biases
    pub arrays: Vec<[String; 2]>,
    /// rates that weights and biases learn at beside the common one, 1 where the file does not say them
    pub rates: Vec<[f64; 2]>,
    /// parameters of [`Self::network`]
    pub theta: Vec<f64>,
    /// the widest of the numbers that they were stored as
    pub stored: Number,
}

impl Checkpoint {
    /// Of arrays; `kept` says what their order means.
    ///
    /// # Errors
    /// An array that belongs to no fully connected layer; layers that do not follow one another, or in more than one way; an
    /// activation that is missing; a number that is not finite.
    pub fn of_arrays(arrays: Vec<NamedArray>, kept: Kept, reading: &Reading) -> Result<Self, Fault> {
        Self::of(&mut InMemory { arrays, kept }, reading)
    }

    /// Of a file: `.pt` or `.pth` as `torch.save` writes a state dict, `.safetensors`, else npz. Nothing in it is run.
    ///
    /// # Errors
    /// Those of [`Self::of_arrays`]; a file that cannot be read.
    pub fn read(path: &Path, reading: &Reading) -> Result<Self, Error> {
        let read = || {
            let input = open_input(path).map_err(|fault| Fault::File(ParameterFault::Input(fault)))?;
            let Input { file, bytes } = input;
            Self::of_content(BufReader::new(file), bytes, path, reading)
        };
        read().map_err(|fault| Error { path: path.into(), fault })
    }

    /// The same from what a file of this name holds.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn of_content<R: Read + Seek>(content: R, bytes: u64, path: &Path, reading: &Reading) -> Result<Self, Fault> {
        if is_torch(path) {
            return Self::of(&mut TorchFile::of(content, bytes)?, reading);
        }
        Self::of(&mut ParameterFile::of(content, bytes, path).map_err(Fault::File)?, reading)
    }

    fn of(arrays: &mut dyn Arrays, reading: &Reading) -> Result<Self, Fault> {
        let read = match arrays.described()? {
            Some(described) => described::read(arrays, described, reading)?,
            None => Self::of_placed(arrays, reading)?,
        };
        Fcn::of_layers(read.inputs, &read.layers).map_err(Fault::Core)?;
        Ok(read)
    }

    /// Of arrays whose names and shapes say what they are.
    fn of_placed(arrays: &mut dyn Arrays, reading: &Reading) -> Result<Self, Fault> {
        let (all, kept) = arrays.shapes()?;
        let (names, shapes): (Vec<String>, Vec<Vec<usize>>) = all.into_iter().unzip();
        let placed = layers(&names, &shapes, kept, reading.inputs, reading.order.as_deref())?;
        let activations = activations(arrays, placed.len() - 1, reading)?;
        let mut read = Numbers { arrays, names: &names, theta: Vec::new(), stored: None };
        for layer in &placed {
            let from = read.theta.len();
            read.append(layer.weights)?;
            if layer.transposed {
                let stored = read.theta.split_off(from);
                let rows = (0..layer.outputs).flat_map(|out| (0..layer.inputs).map(move |at| at * layer.outputs + out));
                read.theta.extend(rows.map(|at| stored[at]));
            }
            layer.bias.map_or(Ok(()), |bias| read.append(bias))?;
        }
        let Numbers { theta, stored, .. } = read;
        // the output has no function after it
        let behind = activations.into_iter().chain([Activation::Identity]);
        let layers = placed.iter().zip(behind).map(|(layer, activation)| Layer {
            activation,
            bias_scale: layer.bias.map(|_| 1.0),
            ..Layer::new(layer.outputs)
        });
        let (layers, inputs) = (layers.collect(), placed[0].inputs);
        let names: Vec<String> = placed.into_iter().map(|layer| layer.name).collect();
        let part = |name: &str, part: &str| if name.is_empty() { part.into() } else { format!("{name}.{part}") };
        let arrays = names.iter().map(|name| [part(name, "weight"), part(name, "bias")]).collect();
        let (rates, stored) = (vec![[1.0; 2]; names.len()], stored.unwrap_or(Number::of(Dtype::F64)));
        Ok(Self { inputs, layers, names, arrays, rates, theta, stored })
    }

    /// The same function and kernel with all rates 1 or 0, which [`Self::network`] knows.
    #[must_use]
    pub fn at_one_rate(mut self) -> Self {
        self.layers = layers_at_one_rate(&self.layers, &self.rates);
        if let (false, Ok(network)) = (are_plain(&self.rates), Fcn::of_layers(self.inputs, &self.layers)) {
            parameters_at_one_rate(&network, &self.rates, &mut self.theta);
        }
        self.rates = vec![[1.0; 2]; self.layers.len()];
        self
    }

    /// The network of these layers.
    ///
    /// # Errors
    /// None that reading has not found.
    pub fn network(&self) -> Result<Fcn<'_>, ntkscope_core::Error> {
        Fcn::of_layers(self.inputs, &self.layers)
    }

    /// The network in a few words, with the order of the layers: `fully connected, 784-256-10, gelu; layers 0, 2`.
    pub fn describe(&self) -> String {
        let sizes = [self.inputs].into_iter().chain(self.layers.iter().map(|layer| layer.width));
        let sizes: Vec<String> = sizes.map(|size| size.to_string()).collect();
        let hidden = &self.layers[..self.layers.len() - 1];
        let mut activations: Vec<String> = hidden.iter().map(|layer| layer.activation.to_string()).collect();
        if activations.windows(2).all(|pair| pair[0] == pair[1]) {
            activations.truncate(1);
        }
        let activations = if activations.is_empty() { "linear".into() } else { activations.join(", ") };
        let biases = match self.layers.iter().filter(|layer| layer.bias_scale.is_some()).count() {
            0 => "no biases",
            count if count == self.layers.len() => "biases in every layer",
            _ => "biases in some layers",
        };
        format!(
            "fully connected, {}, {activations}, {biases}; layers in order: {}",
            sizes.join("-"),
            self.names.iter().map(|name| excerpt(name)).collect::<Vec<_>>().join(", ")
        )
    }
}

/// One for every hidden layer.
fn activations(arrays: &mut dyn Arrays, hidden: usize, reading: &Reading) -> Result<Vec<Activation>, Fault> {
    let stored = match &reading.activation {
        Some(_) => None,
        None => arrays.activation()?.and_then(|text| text.parse::<List<Activation>>().ok()),
    };
    match reading.activation.as_ref().or(stored.as_ref()) {
        _ if hidden == 0 => Ok(Vec::new()),
        None => Err(Fault::NoActivation { hidden }),
        Some(given) => given.spread(hidden).ok_or(Fault::Activations { hidden, given: given.values().len() }),
    }
}

/// Whether PyTorch has written it, by its ending, in any letters.
pub fn is_torch(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ["pt", "pth", "bin"].iter().any(|known| ending == *known))
}

impl ParameterFile<BufReader<File>> {
    /// Whether an array has one of our own names, so that the file is read for a network of given settings; not where the
    /// file says what its layers are.
    pub fn is_ours(&self) -> bool {
        let ours = |name: &String| {
            let name = name.trim_start_matches("first.").trim_start_matches("second.");
            let digits = name.trim_start_matches(['W', 'b', 'A', 'V', 'd', 'v']);
            digits.len() + 1 == name.len() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        !self.has_layers() && self.names().iter().any(ours)
    }
}
