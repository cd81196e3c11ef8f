//! Parameters of a network from a file: npz or safetensors, under the names `W0`, `b0`, …, and prefixed
//! `first.` and `second.` for a mirrored network. Those of a shifted network are the standard one's, and so is the
//! kernel they give; its outputs need theta_0 as well, which the seed gives.
//!
//! The file must be this network's: its names are the network's, no more and no fewer, and where it says with which
//! settings it was saved, they are the same.

use std::io::{Cursor, Read, Seek};
use std::path::Path;

use ntkscope_core::Real;
use ntkscope_core::network::Network;
use toml::{Table, Value};

use super::Error;
pub use crate::checkpoint::SETTINGS;
use crate::checkpoint::{ParameterFault, ParameterFile};
use crate::experiment::Model;
use crate::files::InputFault;
use crate::files::npy::in_brackets;
use crate::words::listed;

/// Where a file of parameters differs from the network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// the names of the arrays are not the network's
    #[error("{}{}{}; check `depth`, `bias` and `init`",
        if missing.is_empty() { String::new() } else { format!("it lacks {}, which the network needs", listed(missing)) },
        if missing.is_empty() || left.is_empty() { "" } else { "; " },
        if left.is_empty() { String::new() } else { format!("it has {}, which the network does not have", listed(left)) })]
    Names {
        /// the network has them, the file has not
        missing: Vec<String>,
        /// the file has them, the network has not
        left: Vec<String>,
    },
    /// an array has another shape
    #[error(
        "array `{array}` has shape {}, but the network needs {needed:?}; check `width` and `depth`",
        in_brackets(found)
    )]
    Shape {
        /// its name
        array: String,
        /// its shape
        found: Vec<usize>,
        /// the network's
        needed: Vec<usize>,
    },
    /// a setting that the kernel depends on is another
    #[error("it was saved with `{key} = {saved}`, but the setting here is `{key} = {here}`; give the same")]
    Setting {
        /// the setting
        key: String,
        /// its value in the file
        saved: String,
        /// its value here
        here: String,
    },
}

/// The arrays of a network: name, shape, and where its numbers begin in the parameters.
fn arrays<N: Network>(network: &N) -> Vec<(String, Vec<usize>, usize)> {
    let mut all = Vec::new();
    for index in 0..network.sizes().layers {
        let layer = network.layer(index);
        all.push((layer.name.of_weights().to_string(), vec![layer.outputs, layer.inputs], layer.weights));
        all.extend(layer.bias.map(|at| (layer.name.of_bias().to_string(), vec![layer.outputs], at)));
    }
    all
}

/// Fills `theta` of the network of `model` from the file.
///
/// # Errors
/// [`Error::NoParameters`], [`Error::DamagedParameters`]; [`Error::OtherNetwork`] for other names, shapes or settings.
pub fn read_parameters<N: Network, T: Real>(
    path: &Path,
    network: &N,
    model: &Model,
    theta: &mut [T],
) -> Result<(), Error> {
    let damaged = |fault| match fault {
        ParameterFault::Input(InputFault::Missing) => Error::NoParameters { path: path.into() },
        fault => Error::DamagedParameters { path: path.into(), fault },
    };
    fill(path, ParameterFile::open(path).map_err(damaged)?, network, model, theta)
}

/// The same from the content of a file of this name.
///
/// # Errors
/// As [`read_parameters`].
pub fn parameters_of_bytes<N: Network, T: Real>(
    path: &Path,
    content: &[u8],
    network: &N,
    model: &Model,
    theta: &mut [T],
) -> Result<(), Error> {
    let damaged = |fault| Error::DamagedParameters { path: path.into(), fault };
    let file = ParameterFile::of(Cursor::new(content), content.len() as u64, path).map_err(damaged)?;
    fill(path, file, network, model, theta)
}

fn fill<N: Network, T: Real, R: Read + Seek>(
    path: &Path,
    mut file: ParameterFile<R>,
    network: &N,
    model: &Model,
    theta: &mut [T],
) -> Result<(), Error> {
    let damaged = |fault| Error::DamagedParameters { path: path.into(), fault };
    let differs = |mismatch| Error::OtherNetwork { path: path.into(), mismatch };
    // a damaged file is told from one that is for another network: all headers come first
    let present = file.names();
    let shapes = present.iter().map(|name| file.shape(name)).collect::<Result<Vec<_>, _>>().map_err(damaged)?;
    let saved = file.settings().map_err(damaged)?;
    let arrays = arrays(network);
    let missing: Vec<String> =
        arrays.iter().map(|(name, ..)| name).filter(|name| !present.contains(name)).cloned().collect();
    let left: Vec<String> =
        present.iter().filter(|name| arrays.iter().all(|(needed, ..)| needed != *name)).cloned().collect();
    if !missing.is_empty() || !left.is_empty() {
        return Err(differs(Mismatch::Names { missing, left }));
    }
    for (array, needed, _) in &arrays {
        let found = present.iter().zip(&shapes).find(|(name, _)| *name == array).map(|(_, shape)| shape);
        if let Some(found) = found.filter(|found| *found != needed) {
            let (array, found, needed) = (array.clone(), found.clone(), needed.clone());
            return Err(differs(Mismatch::Shape { array, found, needed }));
        }
    }
    if let Some(saved) = saved {
        let saved: Table = saved.parse().map_err(|_| damaged(ParameterFault::Settings))?;
        agree(&saved, &model.network_settings()?).map_err(differs)?;
    }
    for (array, _, at) in arrays {
        let (_, numbers) = file.array(&array).map_err(damaged)?;
        for (index, (theta, &value)) in theta[at..].iter_mut().zip(&numbers).enumerate() {
            *theta = T::from_f64(value);
            if !theta.to_f64().is_finite() {
                return Err(damaged(ParameterFault::NotFinite { array, at: index, value }));
            }
        }
    }
    Ok(())
}

/// Compares the settings that both have.
fn agree(saved: &Table, here: &Table) -> Result<(), Mismatch> {
    let number = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|v| v as f64));
    for (key, here) in here {
        let Some(saved) = saved.get(key) else { continue };
        let same = saved == here || number(saved).is_some_and(|saved| Some(saved) == number(here));
        if !same {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), String::from);
            return Err(Mismatch::Setting {
                key: key.clone(),
                saved: crate::words::excerpt(&text(saved)),
                here: text(here),
            });
        }
    }
    Ok(())
}

/// Bytes that [`read_parameters`] takes beside `theta`: the largest tensor, and the same as it was stored.
pub fn reading_bytes<N: Network>(network: &N) -> u64 {
    let tensors = (0..network.sizes().layers).map(|index| network.layer(index));
    let largest = tensors.map(|layer| layer.inputs.saturating_mul(layer.outputs)).max().unwrap_or(0);
    16u64.saturating_mul(largest as u64)
}
