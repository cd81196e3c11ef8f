//! Parameters of a network from a file: npz or safetensors, under the names `W0`, `b0`, …, and prefixed
//! `first.` and `second.` for a mirrored network. Those of a shifted network are the standard one's, and so is the
//! kernel they give; its outputs need theta_0 as well, which the seed gives.

use std::fs::File;
use std::path::Path;

use ntkscope_core::Real;
use ntkscope_core::network::Network;
use safetensors::{Dtype, SafeTensors};

use super::Error;
use crate::files::NpzError;
use crate::files::npz::{Npz, Shaped};
use crate::machine::Cause;

/// What is wrong with a file of parameters, without its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterFault {
    /// the operating system cannot read it
    #[error("{0}")]
    Unreadable(std::io::Error),
    /// no npz archive, or a damaged one
    #[error("{0}")]
    Npz(NpzError),
    /// no safetensors file, or a damaged one
    #[error("not readable as safetensors: {0}")]
    SafeTensors(safetensors::SafeTensorError),
    /// a tensor of other numbers than f32 and f64
    #[error("array `{array}` has dtype {dtype:?}, but F32 or F64 is needed")]
    Dtype {
        /// its name
        array: String,
        /// what it holds
        dtype: Dtype,
    },
    /// a number that is NaN or infinite
    #[error("array `{array}` holds a number that is not finite")]
    NotFinite {
        /// name of the array
        array: String,
    },
}

impl ParameterFault {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Unreadable(_) => Cause::System,
            Self::Npz(_) | Self::SafeTensors(_) | Self::Dtype { .. } | Self::NotFinite { .. } => Cause::Data,
        }
    }
}

/// Where a file of parameters differs from the network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// the network has an array that the file has not
    #[error("{0}; the network needs it: check `depth`, `bias` and `init`")]
    Missing(NpzError),
    /// an array has another shape
    #[error("array `{array}` has shape {found:?}, but the network needs {needed:?}; check `width` and `depth`")]
    Shape {
        /// its name
        array: String,
        /// its shape
        found: Vec<usize>,
        /// the network's
        needed: Vec<usize>,
    },
}

/// Fills `theta` from the file.
///
/// # Errors
/// [`Error::NoParameters`], [`Error::DamagedParameters`]; [`Error::OtherNetwork`] for a missing name or another shape.
pub fn read_parameters<N: Network, T: Real>(path: &Path, network: &N, theta: &mut [T]) -> Result<(), Error> {
    if !path.exists() {
        return Err(Error::NoParameters { path: path.into() });
    }
    let damaged = |fault| Error::DamagedParameters { path: path.into(), fault };
    let differs = |mismatch| Error::OtherNetwork { path: path.into(), mismatch };
    let mut file = ParameterFile::open(path).map_err(damaged)?;
    for index in 0..network.sizes().layers {
        let layer = network.layer(index);
        let weights = (layer.name.of_weights().to_string(), vec![layer.outputs, layer.inputs], layer.weights);
        let bias = layer.bias.map(|at| (layer.name.of_bias().to_string(), vec![layer.outputs], at));
        for (array, needed, at) in std::iter::once(weights).chain(bias) {
            let (found, data) = file.array(&array).map_err(|fault| match fault {
                ParameterFault::Npz(missing @ NpzError::NoArray { .. }) => differs(Mismatch::Missing(missing)),
                fault => damaged(fault),
            })?;
            if found != needed {
                return Err(differs(Mismatch::Shape { array, found, needed }));
            }
            if data.iter().any(|v| !v.is_finite()) {
                return Err(damaged(ParameterFault::NotFinite { array }));
            }
            for (theta, v) in theta[at..].iter_mut().zip(&data) {
                *theta = T::from_f64(*v);
            }
        }
    }
    Ok(())
}

/// Bytes that [`read_parameters`] takes beside `theta`: a tensor as bytes and as numbers, and all of a safetensors file.
pub fn reading_bytes<N: Network>(path: &Path, network: &N) -> u64 {
    let tensors = (0..network.sizes().layers).map(|index| network.layer(index));
    let largest = tensors.map(|layer| layer.inputs * layer.outputs).max().unwrap_or(0);
    let file = if is_safetensors(path) { std::fs::metadata(path).map_or(0, |file| file.len()) } else { 0 };
    file + 16 * largest as u64
}

fn is_safetensors(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "safetensors")
}

/// A file of named tensors, open.
enum ParameterFile {
    Npz(Npz),
    SafeTensors(Vec<u8>),
}

impl ParameterFile {
    fn open(path: &Path) -> Result<Self, ParameterFault> {
        if is_safetensors(path) {
            let bytes = std::fs::read(path).map_err(ParameterFault::Unreadable)?;
            // a damaged file is known at once, and told from one that is for another network
            SafeTensors::deserialize(&bytes).map_err(ParameterFault::SafeTensors)?;
            return Ok(Self::SafeTensors(bytes));
        }
        let file = File::open(path).map_err(ParameterFault::Unreadable)?;
        Npz::new(file).map(Self::Npz).map_err(ParameterFault::Npz)
    }
    fn array(&mut self, name: &str) -> Result<Shaped, ParameterFault> {
        match self {
            Self::Npz(archive) => archive.array(name).map_err(ParameterFault::Npz),
            Self::SafeTensors(bytes) => from_safetensors(bytes, name),
        }
    }
}

fn from_safetensors(bytes: &[u8], name: &str) -> Result<Shaped, ParameterFault> {
    let file = SafeTensors::deserialize(bytes).map_err(ParameterFault::SafeTensors)?;
    let Ok(tensor) = file.tensor(name) else {
        let present = file.names().into_iter().map(String::from).collect();
        return Err(ParameterFault::Npz(NpzError::NoArray { array: name.into(), present }));
    };
    let data = match tensor.dtype() {
        Dtype::F32 => tensor.data().as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
        Dtype::F64 => tensor.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        dtype => return Err(ParameterFault::Dtype { array: name.into(), dtype }),
    };
    Ok((tensor.shape().to_vec(), data))
}
