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
use crate::checkpoint::{ParameterFault, ParameterFile};
use crate::experiment::{Model, Settings, overlay};
use crate::files::InputFault;
use crate::files::npy::{Number, in_brackets};
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
    /// the samples are not those of the network
    #[error("array `{array}` takes samples of {found} numbers, but those of the data have {here}; check `data`")]
    Samples {
        /// the first weights
        array: String,
        /// numbers of a sample of the file's network
        found: usize,
        /// those of the samples here
        here: usize,
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
    fill(path, ParameterFile::open(path).map_err(|fault| unreadable(path, fault))?, network, model, theta)
}

fn unreadable(path: &Path, fault: ParameterFault) -> Error {
    match fault {
        ParameterFault::Input(InputFault::Missing) => Error::NoParameters { path: path.into() },
        fault => Error::DamagedParameters { path: path.into(), fault },
    }
}

/// A network as a file of its parameters says it.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedNetwork {
    /// its settings
    pub model: Model,
    /// numbers of a sample
    pub inputs: usize,
    /// numbers of an output
    pub outputs: usize,
    /// the widest of the numbers that its parameters are stored as
    pub stored: Number,
}

impl SavedNetwork {
    /// The network whose parameters [`read_parameters`] reads from this file; `None` where the file does not say its settings.
    ///
    /// # Errors
    /// [`Error::NoParameters`], [`Error::DamagedParameters`]; settings that are none.
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        let mut file = ParameterFile::open(path).map_err(|fault| unreadable(path, fault))?;
        let damaged = |fault| Error::DamagedParameters { path: path.into(), fault };
        let Some(text) = file.settings().map_err(damaged)? else { return Ok(None) };
        let saved: Table = text.parse().map_err(|_| damaged(ParameterFault::Settings))?;
        let mut table = Table::new();
        overlay(&mut table, saved, &format!("in {}", path.display()))?;
        let model = Settings::from_table(table)?.model;
        model.check()?;
        // of a mirrored network either copy says it
        let own = |name: &String| name.rsplit('.').next().unwrap_or_default().to_owned();
        let weights = file.names().into_iter().map(|name| (own(&name), name));
        let layer = |name: &str| name.strip_prefix('W').and_then(|number| number.parse::<usize>().ok());
        let weights: Vec<_> =
            weights.filter(|(own, _)| layer(own).is_some() || ["A", "v"].contains(&own.as_str())).collect();
        let first = weights.iter().find(|(own, _)| own == "W0" || own == "A");
        let last = weights.iter().max_by_key(|(own, _)| layer(own).unwrap_or(if own == "v" { usize::MAX } else { 0 }));
        let (Some((_, first)), Some((_, last))) = (first, last) else {
            let (missing, left) = (vec!["W0".into()], file.names());
            return Err(Error::OtherNetwork { path: path.into(), mismatch: Mismatch::Names { missing, left } });
        };
        let (first, last) = (file.shape(first).map_err(damaged)?, file.shape(last).map_err(damaged)?);
        let (inputs, outputs) = (first.get(1).copied().unwrap_or(0), last.first().copied().unwrap_or(0));
        let numbers =
            file.names().iter().map(|name| file.number(name)).collect::<Result<Vec<_>, _>>().map_err(damaged)?;
        let stored = numbers.into_iter().max_by_key(|number| number.bytes).unwrap_or(Number::of(model.dtype));
        Ok(Some(Self { model, inputs, outputs, stored }))
    }
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
            if let (true, &[rows, found], &[own_rows, here]) = (array == arrays[0].0, &found[..], &needed[..])
                && rows == own_rows
            {
                return Err(differs(Mismatch::Samples { array, found, here }));
            }
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
