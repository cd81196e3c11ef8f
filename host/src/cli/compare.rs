//! `ntkscope compare`: the distances between two kernels, and their spectra.

use std::borrow::Cow;
use std::io::BufReader;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use ntkscope_core::MatRef;
use ntkscope_core::kernel::{CentredAlignment, RelativeFrobenius, max_abs, max_abs_difference};
use serde_json::json;
use toml::Value;

use super::json::{document, print_document};
use super::terminal::{DONE, INTERRUPTED, phase, print, say, stop_on_interrupt};
use crate::backend::HostReal;
use crate::cli::Common;
use crate::cli::UsageError;
use crate::files::npy::Npy;
use crate::files::npz::Npz;
use crate::files::numbers::Json;
use crate::files::{Dtype, NpzError, open_input};
use crate::kernel;
use crate::kernel::{Entries, KernelFault, KernelFile, KernelSummary, check_symmetric, extremes, rows_at_once};
use crate::machine::{Budget, Ended, Stop, with_threads};
use crate::words::precise;

const EXAMPLES: &str = "\
Examples:
  ntkscope compare A.npz B.npz
  ntkscope compare K.npz:ntk K.npz:nngp
      two arrays of one file
  ntkscope compare A.npy B.npy --memory 1GiB --json";

/// `ntkscope compare`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct CompareArgs {
    /// Kernel A: FILE.npz (its array `kernel`), FILE.npz:NAME, or FILE.npy
    pub a: String,
    /// Kernel B, the reference for relative distances
    pub b: String,
    /// The rest; an npy that needs more than the memory stays on the disk
    #[command(flatten)]
    pub common: Common,
}

/// Compares, and returns the exit code.
pub fn compare(args: CompareArgs) -> Result<u8> {
    let threads = args.common.threads;
    with_threads(threads, || compare_here(args))?
}

/// Compares on this pool's threads.
fn compare_here(args: CompareArgs) -> Result<u8> {
    let budget = Budget::new(args.common.memory);
    let (mut a, mut b) = (Kernel::read(&args.a, &budget)?, Kernel::read(&args.b, &budget)?);
    if a.n() != b.n() {
        let what = format!(
            "this kernel has {} rows, but {} has {}; compare kernels on the same samples",
            a.n(),
            args.b,
            b.n()
        );
        return Err(UsageError::Mismatch { path: args.a.into(), what }.into());
    }
    let _bar = phase("distances and eigenvalues", args.common.quiet);
    let stop = if a.is_on_disk() || b.is_on_disk() { stop_on_interrupt() } else { Stop::new() };
    let (mut largest, mut apart) = (0.0f64, 0.0f64);
    let (first_a, first_b) = (a.rows(0..1)?.into_owned(), b.rows(0..1)?.into_owned());
    let first = |row| MatRef::new(row, 1, a.n());
    let mut alignment = CentredAlignment::new(first(&first_a)?, first(&first_b)?)?;
    let mut frobenius = RelativeFrobenius::default();
    for rows in rows_at_once(a.n()).take_while(|_| !stop.requested()) {
        let (left, right) = (a.rows(rows.clone())?, b.rows(rows.clone())?);
        let view = |data| MatRef::new(data, rows.len(), left.len() / rows.len());
        let (left, right) = (view(&left)?, view(&right)?);
        (largest, apart) = (largest.max(max_abs(right)), apart.max(max_abs_difference(left, right)?));
        frobenius.add(left, right)?;
        alignment.add(left, right)?;
    }
    let distances = [
        ("max|A - B|", "max_abs_difference", apart),
        ("max|A - B| / max|B|", "max_relative", apart / largest),
        ("|A - B|_F / |B|_F", "frobenius_relative", frobenius.value()),
        ("centred alignment", "centred_alignment", alignment.value()?),
    ];
    let settings = [("a", &args.a), ("b", &args.b)];
    let settings = settings.map(|(key, path)| (key.to_owned(), Value::String(path.clone()))).into_iter().collect();
    let (of_a, of_b) = (a.summary(&stop).context(args.a)?, b.summary(&stop).context(args.b)?);
    let (Ended::Done(of_a), Ended::Done(of_b)) = (of_a, of_b) else {
        say("interrupted");
        return Ok(INTERRUPTED);
    };
    if args.common.json {
        let named = distances.iter().map(|(_, key, value)| ((*key).to_owned(), json!(Json(*value))));
        let mut body: serde_json::Map<String, serde_json::Value> = named.collect();
        body.insert("a".into(), serde_json::to_value(of_a)?);
        body.insert("b".into(), serde_json::to_value(of_b)?);
        print_document(&document("compare", &settings, body.into()))?;
    } else {
        for (words, _, value) in distances {
            print(&format!("{words:<22}{}", precise(value)))?;
        }
        print(&format!("A: {of_a}\nB: {of_b}"))?;
    }
    Ok(DONE)
}

/// A kernel, in memory or on the disk.
enum Kernel {
    Held { n: usize, data: Vec<f64>, dtype: Dtype },
    OnDisk(KernelFile),
}

impl Kernel {
    /// `FILE.npz` with an array `kernel`, `FILE.npz:NAME`, or `FILE.npy`, which stays on the disk if both kernels and the
    /// copies for the eigenvalues would not fit.
    fn read(given: &str, budget: &Budget) -> Result<Self, kernel::Error> {
        let ends = |path: &str, end: &str| Path::new(path).extension().is_some_and(|e| e.eq_ignore_ascii_case(end));
        let (path, name) = match given.rsplit_once(':') {
            Some((path, name)) if ends(path, "npz") => (path, Some(name)),
            _ => (given, None),
        };
        let in_npy = ends(path, "npy");
        let path = Path::new(path);
        let damaged = |fault| kernel::Error::Damaged { path: path.into(), fault };
        let input = open_input(path).map_err(|fault| kernel::Error::input(path, fault))?;
        let array = (!in_npy).then_some(name.unwrap_or("kernel"));
        let square = |shape: &[usize]| match *shape {
            [n, m] if n == m && n > 0 => Ok(n),
            _ => Err(damaged(KernelFault::Shape { array: array.map(String::from), shape: shape.to_vec() })),
        };
        let (n, data, dtype) = if let Some(array) = array {
            let mut archive = Npz::new(input).map_err(|fault| damaged(KernelFault::Npz(fault)))?;
            let npy = archive.open(array).map_err(|fault| damaged(KernelFault::Npz(fault)))?;
            let n = square(npy.shape())?;
            // with the copies for its eigenvalues
            let (what, bytes) = (format!("a kernel of {n} rows in an npz"), 3 * 8 * (n as u64).pow(2));
            budget.draw_or(&what, bytes, "save it as npy, which stays on the disk")?;
            let fault = |fault| damaged(KernelFault::Npz(NpzError::Array { array: array.into(), fault }));
            let dtype = npy.header().number.scalar();
            (n, npy.all(u64::MAX).map_err(fault)?, dtype)
        } else {
            let npy = Npy::new(BufReader::new(input.file), input.bytes).map_err(|f| damaged(KernelFault::Npy(f)))?;
            let n = square(npy.shape())?;
            // both kernels, and what their eigenvalues take
            if budget.limit().is_some_and(|limit| 5 * 8 * (n as u64).pow(2) > limit.bytes) {
                return KernelFile::open(path).map(Self::OnDisk);
            }
            let dtype = npy.header().number.scalar();
            (n, npy.all(u64::MAX).map_err(|fault| damaged(KernelFault::Npy(fault)))?, dtype)
        };
        check_symmetric(array, n, &data).map_err(damaged)?;
        Ok(Self::Held { n, data, dtype })
    }

    fn is_on_disk(&self) -> bool {
        matches!(self, Self::OnDisk(_))
    }

    fn n(&self) -> usize {
        match self {
            Self::Held { n, .. } => *n,
            Self::OnDisk(file) => file.rows(),
        }
    }

    /// These rows, (rows.len(), n) row-major.
    fn rows(&mut self, rows: Range<usize>) -> Result<Cow<'_, [f64]>> {
        Ok(match self {
            Self::Held { n, data, .. } => Cow::Borrowed(&data[rows.start * *n..rows.end * *n]),
            Self::OnDisk(file) => Cow::Owned(file.read_rows(rows)?),
        })
    }

    fn summary(&mut self, stop: &Stop) -> Result<Ended<KernelSummary>> {
        let file = match self {
            Self::Held { n, data, dtype } => {
                return Ok(Ended::Done(KernelSummary::whole(f64::fast(), MatRef::new(data, *n, *n)?, *dtype)?));
            }
            Self::OnDisk(file) => file,
        };
        let (n, mut entries) = (file.rows(), Entries::default());
        for rows in rows_at_once(n) {
            let data = file.read_rows(rows.clone())?;
            entries.add(rows.start, 0, MatRef::new(&data, rows.len(), n)?, false)?;
        }
        Ok(match extremes(n, &mut |x, y| file.product(x, y).map_err(kernel::Error::Read), stop)? {
            Ended::Done(found) => Ended::Done(KernelSummary::large(n, &entries, found, file.dtype())),
            Ended::Stopped => Ended::Stopped,
        })
    }
}
