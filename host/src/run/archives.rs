//! Archives of arrays, of parameters and of anything else.

use std::path::Path;

use super::{Error, Tensor};
use crate::checkpoint::{DescribedLayer, LAYERS, SETTINGS, text_of};
use crate::experiment::{self, Model};
use crate::files::npz::Array;
use crate::files::{self, Dtype, npz, write_pieces};

/// Named tensors of parameters as an npz archive, with the settings of the network that the kernel depends on
/// ([`SETTINGS`]).
///
/// # Errors
/// A file that cannot be written, a setting that toml cannot hold.
pub fn write_parameters(path: &Path, tensors: &[Tensor], model: &Model) -> Result<(), Error> {
    let settings = toml::to_string(&model.network_settings()?).map_err(experiment::Error::from)?;
    Ok(write_tensors(path, tensors, model.dtype, (SETTINGS, &settings))?)
}

/// The same of layers that no settings describe, with what they are beside their arrays ([`LAYERS`]).
///
/// # Errors
/// A file that cannot be written, a number that toml cannot hold.
pub fn write_layers(path: &Path, tensors: &[Tensor], dtype: Dtype, layers: &[DescribedLayer]) -> Result<(), Error> {
    let layers = text_of(layers).map_err(experiment::Error::from)?;
    Ok(write_tensors(path, tensors, dtype, (LAYERS, &layers))?)
}

fn write_tensors(
    path: &Path,
    tensors: &[Tensor],
    dtype: Dtype,
    (name, text): (&str, &str),
) -> Result<(), files::Error> {
    let numbers: Vec<_> = tensors.iter().map(|tensor| |at: usize| tensor.data[at]).collect();
    let length = [text.len()];
    // a number for each byte: whoever can read the other arrays can read this one
    let byte = |at: usize| f64::from(text.as_bytes()[at]);
    let arrays: Vec<Array<'_>> = tensors
        .iter()
        .zip(&numbers)
        .map(|(Tensor { name, shape, .. }, number)| Array { name, shape, dtype, number })
        .chain([Array { name, shape: &length, dtype, number: &byte }])
        .collect();
    write_archive(path, &arrays)
}

/// Named arrays as an npz archive; numbers computed in f32 are stored as f32, which loses nothing.
///
/// # Errors
/// A file that cannot be written.
pub fn write_arrays(path: &Path, arrays: &[(&str, &Vec<usize>, &Vec<f64>)], dtype: Dtype) -> Result<(), files::Error> {
    let numbers: Vec<_> = arrays.iter().map(|(_, _, data)| |at: usize| data[at]).collect();
    let arrays: Vec<Array<'_>> =
        arrays.iter().zip(&numbers).map(|((name, shape, _), number)| Array { name, shape, dtype, number }).collect();
    write_archive(path, &arrays)
}

/// An npz archive of these arrays, under a temporary name until it is whole.
///
/// # Errors
/// A file that cannot be written.
pub fn write_archive(path: &Path, arrays: &[Array<'_>]) -> Result<(), files::Error> {
    write_pieces(path, |out| npz::write(out, arrays).map(|_| ()))
}
