//! `ntkscope compare`: every distance between two kernels.

use std::path::Path;

use anyhow::Result;
use ntkscope_core::MatRef;
use ntkscope_core::kernel::{centred_alignment, max_abs, max_abs_difference, relative_frobenius};
use serde_json::json;

use super::{DONE, print};
use crate::backend::HostReal;
use crate::cli::CompareArgs;
use crate::data::DataError;
use crate::error::UsageError;
use crate::npz;
use crate::summary::KernelSummary;

/// Compares, and returns the exit code.
pub fn compare(args: CompareArgs) -> Result<u8> {
    let (a, b) = (read(&args.a)?, read(&args.b)?);
    if a.n != b.n {
        let what = format!("kernel of {} rows, but {} has {}; compare kernels of the same samples", a.n, args.b, b.n);
        return Err(UsageError::Mismatch { path: args.a.into(), what }.into());
    }
    let (left, right) = (a.view(), b.view());
    let distances = [
        ("max|A - B|", "max_abs_difference", max_abs_difference(left, right)),
        ("max|A - B| / max|B|", "max_relative", max_abs_difference(left, right) / max_abs(right)),
        ("|A - B|_F / |B|_F", "frobenius_relative", relative_frobenius(left, right)),
        ("centred alignment", "centred_alignment", centred_alignment(left, right)),
    ];
    let (of_a, of_b) = (KernelSummary::of(f64::fast(), left)?, KernelSummary::of(f64::fast(), right)?);
    if args.json {
        let named = distances.iter().map(|(_, key, value)| ((*key).to_owned(), json!(value)));
        let mut all: serde_json::Map<String, serde_json::Value> = named.collect();
        all.insert("a".into(), serde_json::to_value(of_a)?);
        all.insert("b".into(), serde_json::to_value(of_b)?);
        print(&serde_json::to_string_pretty(&all)?)?;
    } else {
        for (words, _, value) in distances {
            print(&format!("{words:<22}{value:.9e}"))?;
        }
        print(&format!("A: {of_a}\nB: {of_b}"))?;
    }
    Ok(DONE)
}

struct Kernel {
    n: usize,
    data: Vec<f64>,
}

impl Kernel {
    fn view(&self) -> MatRef<'_, f64> {
        MatRef::new(&self.data, self.n, self.n).expect("the shape was checked when it was read")
    }
}

/// `FILE.npz` with an array `kernel`, or `FILE.npz:NAME`.
fn read(given: &str) -> Result<Kernel> {
    let (path, name) = match given.rsplit_once(':') {
        Some((path, name)) if path.ends_with(".npz") => (path, name),
        _ => (given, "kernel"),
    };
    let path = Path::new(path);
    let damaged = |what: String| DataError::Archive { path: path.into(), what };
    if !path.exists() {
        return Err(DataError::NotFound {
            path: path.into(),
            what: "no such file".into(),
            mend: "give the path of an npz with a kernel".into(),
        }
        .into());
    }
    let (shape, data) = npz::open(path).and_then(|mut archive| archive.array(name)).map_err(damaged)?;
    match shape.as_slice() {
        &[n, m] if n == m && n > 0 => {}
        _ => return Err(damaged(format!("array `{name}` has shape {shape:?}, but a square matrix is needed")).into()),
    }
    if let Some(at) = data.iter().position(|v| !v.is_finite()) {
        let n = shape[0];
        return Err(
            damaged(format!("array `{name}`, row {} column {}: {} is not finite", at / n, at % n, data[at])).into()
        );
    }
    Ok(Kernel { n: shape[0], data })
}
