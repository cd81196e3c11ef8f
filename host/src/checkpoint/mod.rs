//! Networks that other programs have stored: state dicts of PyTorch, parameters of Flax, and our own names, in safetensors,
//! npz and pt files or as arrays in memory.
//!
//! Layers are taken as libraries store them, `z = W a + b` (c = s = 1): the kernel is that of the parameters as they are
//! stored, which is what plain gradient descent with one learning rate moves by.

mod error;
mod order;
mod pickle;
mod tensor_file;
mod torch_file;

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use ntkscope_core::network::{Activation, Fcn, Layer};

pub use error::{Error, Fault};
pub use order::{Placed, layers};
pub use tensor_file::{ParameterFault, ParameterFile, SETTINGS};

use crate::experiment::List;
use crate::files::npy::Number;
use crate::files::{Dtype, Input, open_input};
use crate::words::excerpt;
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
    /// behind the hidden layers; that of the file where it is left out
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
    /// the layers in order, the output last; c = s = 1
    pub layers: Vec<Layer>,
    /// their names
    pub names: Vec<String>,
    /// parameters of [`Self::network`]
    pub theta: Vec<f64>,
    /// the widest of the numbers that they were stored as
    pub stored: Number,
}

/// Name and shape of every array.
type Shapes = Vec<(String, Vec<usize>)>;

/// Where arrays come from: names and shapes are known before any number is read.
trait Arrays {
    /// Names and shapes, and whether their order means something.
    fn shapes(&mut self) -> Result<(Shapes, bool), Fault>;
    /// Numbers of the array at this index, and how they are stored.
    fn numbers(&mut self, index: usize) -> Result<(Vec<f64>, Number), Fault>;
    /// What the source says of its activations.
    fn activation(&mut self) -> Result<Option<String>, Fault> {
        Ok(None)
    }
}

impl Checkpoint {
    /// Of arrays in their own order, as a state dict has them.
    ///
    /// # Errors
    /// An array that belongs to no fully connected layer; layers that do not follow one another, or in more than one way; an
    /// activation that is missing; a number that is not finite.
    pub fn of_arrays(arrays: Vec<NamedArray>, reading: &Reading) -> Result<Self, Fault> {
        Self::of(&mut InMemory(arrays), reading)
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
        let (all, kept) = arrays.shapes()?;
        let (names, shapes): (Vec<String>, Vec<Vec<usize>>) = all.into_iter().unzip();
        let placed = layers(&names, &shapes, kept, reading.inputs, reading.order.as_deref())?;
        let activations = activations(arrays, placed.len() - 1, reading)?;
        let (mut theta, mut stored) = (Vec::new(), None);
        let mut numbers_of = |index: usize| {
            let (numbers, number) = arrays.numbers(index)?;
            stored = stored.filter(|widest: &Number| widest.bytes >= number.bytes).or(Some(number));
            finite(&names[index], numbers)
        };
        for layer in &placed {
            let numbers = numbers_of(layer.weights)?;
            if layer.transposed {
                let rows = (0..layer.outputs).flat_map(|out| (0..layer.inputs).map(move |at| at * layer.outputs + out));
                theta.extend(rows.map(|at| numbers[at]));
            } else {
                theta.extend(numbers);
            }
            if let Some(bias) = layer.bias {
                theta.extend(numbers_of(bias)?);
            }
        }
        // the output has no function behind it
        let behind = activations.into_iter().chain([Activation::Identity]);
        let layers = placed.iter().zip(behind).map(|(layer, activation)| Layer {
            activation,
            bias_scale: layer.bias.map(|_| 1.0),
            ..Layer::new(layer.outputs)
        });
        let layers: Vec<Layer> = layers.collect();
        let inputs = placed[0].inputs;
        Fcn::of_layers(inputs, &layers).map_err(Fault::Core)?;
        let stored = stored.unwrap_or(Number::of(Dtype::F64));
        Ok(Self { inputs, layers, names: placed.into_iter().map(|layer| layer.name).collect(), theta, stored })
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

fn finite(name: &str, numbers: Vec<f64>) -> Result<Vec<f64>, Fault> {
    match numbers.iter().position(|number| !number.is_finite()) {
        None => Ok(numbers),
        Some(at) => Err(Fault::NotFinite { array: name.into(), at, value: numbers[at] }),
    }
}

/// Whether PyTorch has written it, by its ending, in any letters.
pub fn is_torch(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ["pt", "pth", "bin"].iter().any(|known| ending == *known))
}

struct InMemory(Vec<NamedArray>);

impl Arrays for InMemory {
    fn shapes(&mut self) -> Result<(Shapes, bool), Fault> {
        Ok((self.0.iter().map(|array| (array.name.clone(), array.shape.clone())).collect(), true))
    }
    fn numbers(&mut self, index: usize) -> Result<(Vec<f64>, Number), Fault> {
        Ok((std::mem::take(&mut self.0[index].data), Number::of(Dtype::F64)))
    }
}

impl<R: Read + Seek> Arrays for TorchFile<R> {
    fn shapes(&mut self) -> Result<(Shapes, bool), Fault> {
        Ok((Self::shapes(self), true))
    }
    fn numbers(&mut self, index: usize) -> Result<(Vec<f64>, Number), Fault> {
        Self::numbers(self, index)
    }
}

impl<R: Read + Seek> Arrays for ParameterFile<R> {
    fn shapes(&mut self) -> Result<(Shapes, bool), Fault> {
        let names = self.names();
        let shapes = names.iter().map(|name| self.shape(name)).collect::<Result<Vec<_>, _>>().map_err(Fault::File)?;
        // safetensors sorts its tensors; an npz keeps the order in which it was written
        let kept = matches!(self, Self::Npz(_));
        Ok((names.into_iter().zip(shapes).collect(), kept))
    }
    fn numbers(&mut self, index: usize) -> Result<(Vec<f64>, Number), Fault> {
        let name = self.names().swap_remove(index);
        let number = self.number(&name).map_err(Fault::File)?;
        self.array(&name).map(|(_, numbers)| (numbers, number)).map_err(Fault::File)
    }
    fn activation(&mut self) -> Result<Option<String>, Fault> {
        Ok(self.metadata(ACTIVATION))
    }
}

impl ParameterFile<BufReader<File>> {
    /// Whether an array has one of our own names, so that the file is read for a network of given settings.
    pub fn is_ours(&self) -> bool {
        let ours = |name: &String| {
            let name = name.trim_start_matches("first.").trim_start_matches("second.");
            let digits = name.trim_start_matches(['W', 'b', 'A', 'V', 'd', 'v']);
            digits.len() + 1 == name.len() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        self.names().iter().any(ours)
    }
}
