//! Samples from an npz file: array `x` (n, d) and array `y` (n), any real or integer dtype, C or Fortran order.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use npyz::{Deserialize, NpyFile, Order, TypeChar};
use zip::ZipArchive;

use super::error::DataError;
use super::raw::{Raw, Values};

/// Reads all of `path`.
pub(super) fn read(path: &Path) -> Result<Raw, DataError> {
    let damaged = |what: String| DataError::Npz { path: path.into(), what };
    let mut archive = ZipArchive::new(BufReader::new(super::open_file(path)?))
        .map_err(|e| damaged(format!("not readable as an npz archive: {e}")))?;
    let (x_shape, x) = array(&mut archive, "x").map_err(damaged)?;
    let (y_shape, y) = array(&mut archive, "y").map_err(damaged)?;

    let &[n, d] = x_shape.as_slice() else {
        return Err(damaged(format!("array `x` has shape {x_shape:?}, but (n, d) is needed")));
    };
    if n == 0 || d == 0 {
        return Err(damaged(format!("array `x` has shape {x_shape:?}: there is no sample in it")));
    }
    if y_shape != [n] {
        return Err(damaged(format!("array `y` has shape {y_shape:?}, but `x` has {n} samples, so ({n},) is needed")));
    }
    if let Some(at) = x.iter().position(|v| !v.is_finite()) {
        return Err(damaged(format!("array `x`, row {} column {} (from 0): {} is not finite", at / d, at % d, x[at])));
    }
    if let Some(at) = y.iter().position(|v| !v.is_finite()) {
        return Err(damaged(format!("array `y`, row {at} (from 0): {} is not finite", y[at])));
    }
    Ok(Raw { values: Values::Real(x), n, d, y, place: super::file_name(path) })
}

/// Shape and numbers, in C order, of the array `name`; errors are messages without the file's name.
fn array(archive: &mut ZipArchive<BufReader<File>>, name: &str) -> Result<(Vec<usize>, Vec<f64>), String> {
    let array_name = |file: &str| npyz::npz::array_name_from_file_name(file).unwrap_or(file).to_string();
    let names: Vec<String> = archive.file_names().flatten().map(|file| array_name(&file)).collect();
    if !names.iter().any(|n| n == name) {
        let present = if names.is_empty() { "it is empty".into() } else { format!("it has {}", names.join(", ")) };
        return Err(format!("no array `{name}`; {present}"));
    }
    let unreadable = |e: &dyn std::fmt::Display| format!("array `{name}` is damaged: {e}");
    let mut entry = archive.by_name(&npyz::npz::file_name_from_array_name(name)).map_err(|e| unreadable(&e))?;
    // To the end, so that the archive's own checksum is compared before anything is believed.
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(|e| unreadable(&e))?;
    drop(entry);

    let file = NpyFile::new(bytes.as_slice()).map_err(|e| unreadable(&e))?;
    let (order, dtype) = (file.order(), file.dtype());
    let shape: Vec<usize> =
        file.shape().iter().map(|&s| usize::try_from(s)).collect::<Result<_, _>>().map_err(|e| unreadable(&e))?;
    let promised = shape.iter().try_fold(1usize, |len, &s| len.checked_mul(s));
    let promised = promised.filter(|&len| len <= bytes.len()).ok_or_else(|| {
        format!("array `{name}` is damaged: shape {shape:?} promises more than the {} bytes there are", bytes.len())
    })?;

    let wrong_type = || format!("array `{name}` has dtype {}, but real numbers or integers are needed", dtype.descr());
    let npyz::DType::Plain(plain) = &dtype else { return Err(wrong_type()) };
    let numbers = match (plain.type_char(), plain.size_field()) {
        (TypeChar::Float, 8) => numbers(file, |v: f64| Some(v)),
        (TypeChar::Float, 4) => numbers(file, |v: f32| Some(v.into())),
        (TypeChar::Int, 1) => numbers(file, |v: i8| Some(v.into())),
        (TypeChar::Int, 2) => numbers(file, |v: i16| Some(v.into())),
        (TypeChar::Int, 4) => numbers(file, |v: i32| Some(v.into())),
        (TypeChar::Int, 8) => numbers(file, |v: i64| exact(v.into())),
        (TypeChar::Uint, 1) => numbers(file, |v: u8| Some(v.into())),
        (TypeChar::Uint, 2) => numbers(file, |v: u16| Some(v.into())),
        (TypeChar::Uint, 4) => numbers(file, |v: u32| Some(v.into())),
        (TypeChar::Uint, 8) => numbers(file, |v: u64| exact(v.into())),
        (TypeChar::Bool, _) => numbers(file, |v: bool| Some(v.into())),
        _ => return Err(wrong_type()),
    }
    .map_err(|e| unreadable(&e))?;
    if numbers.len() != promised {
        return Err(format!("array `{name}` is damaged: {} numbers for shape {shape:?}", numbers.len()));
    }
    let numbers = match (order, shape.as_slice()) {
        (Order::Fortran, &[n, d]) => (0..n * d).map(|at| numbers[(at % d) * n + at / d]).collect(),
        _ => numbers,
    };
    Ok((shape, numbers))
}

/// The integer as a float, unless rounding would change it.
fn exact(v: i128) -> Option<f64> {
    Some(v as f64).filter(|&f| f as i128 == v)
}

fn numbers<T: Deserialize>(file: NpyFile<&[u8]>, convert: impl Fn(T) -> Option<f64>) -> Result<Vec<f64>, String> {
    let convert = |value: std::io::Result<T>| match value {
        Ok(value) => convert(value).ok_or_else(|| "an integer is too large to be kept exactly".to_string()),
        Err(e) => Err(super::idx::reason(&e)),
    };
    file.data::<T>().map_err(|e| e.to_string())?.map(convert).collect()
}
