//! Where the arrays of a network come from: memory, a state dict of PyTorch, an npz or safetensors file.

use std::io::{Read, Seek};

use super::described::{self, DescribedLayer};
use super::error::Fault;
use super::order::Kept;
use super::tensor_file::ParameterFile;
use super::torch_file::TorchFile;
use super::{ACTIVATION, NamedArray};
use crate::files::Dtype;
use crate::files::npy::Number;

/// Name and shape of every array.
pub(super) type Shapes = Vec<(String, Vec<usize>)>;

/// Where arrays come from: names and shapes are known before any number is read.
pub(super) trait Arrays {
    /// Names and shapes, and what their order means.
    fn shapes(&mut self) -> Result<(Shapes, Kept), Fault>;
    /// Numbers of the array at this index, and how they are stored.
    fn numbers(&mut self, index: usize) -> Result<(Vec<f64>, Number), Fault>;
    /// What the source says of its activations.
    fn activation(&mut self) -> Result<Option<String>, Fault> {
        Ok(None)
    }
    /// What it says of its layers.
    fn described(&mut self) -> Result<Option<Vec<DescribedLayer>>, Fault> {
        Ok(None)
    }
}

/// The numbers of a network, as they are read.
pub(super) struct Numbers<'a> {
    pub(super) arrays: &'a mut dyn Arrays,
    pub(super) names: &'a [String],
    pub(super) theta: Vec<f64>,
    /// the widest of them
    pub(super) stored: Option<Number>,
}

impl Numbers<'_> {
    /// Those of the array at this index.
    pub(super) fn append(&mut self, index: usize) -> Result<(), Fault> {
        let (numbers, number) = self.arrays.numbers(index)?;
        self.stored = self.stored.filter(|widest| widest.bytes >= number.bytes).or(Some(number));
        self.theta.extend(finite(&self.names[index], numbers)?);
        Ok(())
    }
}

fn finite(name: &str, numbers: Vec<f64>) -> Result<Vec<f64>, Fault> {
    match numbers.iter().position(|number| !number.is_finite()) {
        None => Ok(numbers),
        Some(at) => Err(Fault::NotFinite { array: name.into(), at, value: numbers[at] }),
    }
}

/// Arrays in memory.
pub(super) struct InMemory {
    pub(super) arrays: Vec<NamedArray>,
    /// what the order in which they come means
    pub(super) kept: Kept,
}

impl Arrays for InMemory {
    fn shapes(&mut self) -> Result<(Shapes, Kept), Fault> {
        Ok((self.arrays.iter().map(|array| (array.name.clone(), array.shape.clone())).collect(), self.kept))
    }
    fn numbers(&mut self, index: usize) -> Result<(Vec<f64>, Number), Fault> {
        Ok((std::mem::take(&mut self.arrays[index].data), Number::of(Dtype::F64)))
    }
}

impl<R: Read + Seek> Arrays for TorchFile<R> {
    fn shapes(&mut self) -> Result<(Shapes, Kept), Fault> {
        Ok((Self::shapes(self), self.kept()))
    }
    fn numbers(&mut self, index: usize) -> Result<(Vec<f64>, Number), Fault> {
        Self::numbers(self, index)
    }
}

impl<R: Read + Seek> Arrays for ParameterFile<R> {
    fn shapes(&mut self) -> Result<(Shapes, Kept), Fault> {
        let names = self.names();
        let shapes = names.iter().map(|name| self.shape(name)).collect::<Result<Vec<_>, _>>().map_err(Fault::File)?;
        // safetensors sorts its tensors; an npz keeps the order in which it was written
        let kept = if matches!(self, Self::Npz(_)) { Kept::ByWriter } else { Kept::No };
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
    fn described(&mut self) -> Result<Option<Vec<DescribedLayer>>, Fault> {
        let text = self.layers().map_err(Fault::File)?;
        text.map(|text| described::of_text(&text)).transpose().map_err(Fault::File)
    }
}
