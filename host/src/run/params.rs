//! Parameters of a network from a file: npz or safetensors, under the names `W0`, `b0`, …, and prefixed
//! `first.` and `second.` for a mirrored network. Those of a shifted network are the standard one's, and so is the
//! kernel they give; its outputs need theta_0 as well, which the seed gives.

use std::path::Path;

use ntkscope_core::Real;
use ntkscope_core::network::Network;
use safetensors::{Dtype, SafeTensors};

use crate::data;
use crate::files::npz;
use crate::run::Error;

/// A tensor of a file: shape and numbers.
type Loaded = (Vec<usize>, Vec<f64>);

/// Fills `theta` from the file.
///
/// # Errors
/// [`Error::Parameters`]: no such file, a damaged one, a number that is not finite; [`Error::OtherNetwork`]: a missing
/// name, another shape.
pub fn read_parameters<N: Network, T: Real>(path: &Path, network: &N, theta: &mut [T]) -> Result<(), Error> {
    if !path.exists() {
        let (what, advice) = ("file".into(), "give `params` the path of an npz or safetensors file".into());
        return Err(data::Error::NotFound { path: path.into(), what, advice }.into());
    }
    let damaged = |what: String| data::Error::Archive { path: path.into(), what };
    let mut file = ParameterFile::open(path).map_err(damaged)?;
    for index in 0..network.sizes().layers {
        let layer = network.layer(index);
        let weights = (layer.name.of_weights().to_string(), vec![layer.outputs, layer.inputs], layer.weights);
        let bias = layer.bias.map(|at| (layer.name.of_bias().to_string(), vec![layer.outputs], at));
        for (name, shape, at) in std::iter::once(weights).chain(bias) {
            let mismatch = |what: String| Error::OtherNetwork { path: path.into(), what };
            let (found, data) = file
                .array(&name)
                .map_err(|what| mismatch(format!("{what}; the network needs it: check `depth`, `bias` and `init`")))?;
            if found != shape {
                let what = format!(
                    "array `{name}` has shape {found:?}, but the network needs {shape:?}; check `width` and `depth`"
                );
                return Err(mismatch(what));
            }
            if data.iter().any(|v| !v.is_finite()) {
                return Err(damaged(format!("array `{name}` holds a number that is not finite")).into());
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
    Npz(npz::Npz),
    SafeTensors(Vec<u8>),
}

impl ParameterFile {
    fn open(path: &Path) -> Result<Self, String> {
        if is_safetensors(path) {
            let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
            // a damaged file is known at once, and told from one that is for another network
            SafeTensors::deserialize(&bytes).map_err(|e| format!("not readable as safetensors: {e}"))?;
            Ok(Self::SafeTensors(bytes))
        } else {
            npz::open(path).map(Self::Npz).map_err(|e| e.to_string())
        }
    }
    fn array(&mut self, name: &str) -> Result<Loaded, String> {
        match self {
            Self::Npz(archive) => archive.array(name).map_err(|e| e.to_string()),
            Self::SafeTensors(bytes) => from_safetensors(bytes, name),
        }
    }
}

fn from_safetensors(bytes: &[u8], name: &str) -> Result<Loaded, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| format!("not readable as safetensors: {e}"))?;
    let tensor = file.tensor(name).map_err(|_| format!("no array `{name}`; it has {}", file.names().join(", ")))?;
    let data = match tensor.dtype() {
        Dtype::F32 => tensor.data().as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
        Dtype::F64 => tensor.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        other => return Err(format!("array `{name}` has dtype {other:?}, but F32 or F64 is needed")),
    };
    Ok((tensor.shape().to_vec(), data))
}
