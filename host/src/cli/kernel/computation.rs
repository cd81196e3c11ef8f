//! One kernel computed, whole or in blocks, and saved.

use std::path::Path;

use anyhow::{Context, Result};
use bytesize::ByteSize;
use ntkscope_core::kernel::Definiteness;
use ntkscope_core::{Backend, MatRef};

use super::KernelArgs;
use crate::backend::HostReal;
use crate::cli::terminal::{in_flags, phase, progress};
use crate::data::Samples;
use crate::files::npz::Array;
use crate::files::{self, Dtype, Format};
use crate::kernel::{
    Degeneracy, Entry, KernelFile, KernelPlace, KernelPlan, KernelSource, KernelSummary, Suspects, on_disk, whole,
};
use crate::machine;
use crate::machine::{Ended, MemoryLimit, Stop, ranks};
use crate::run::write_archive;

/// What was asked for, and how it is done.
pub(super) struct Computation<'a, T: 'static> {
    pub(super) args: &'a KernelArgs,
    pub(super) backend: &'a dyn Backend<T>,
    pub(super) dtype: Dtype,
    /// rows of the kernel
    pub(super) rows: usize,
    /// in what a singular kernel may have its cause
    pub(super) suspects: Suspects<'a>,
    pub(super) plan: KernelPlan,
    /// of `--out`
    pub(super) format: Option<Format>,
}

/// A kernel that is done: its entries, unless they are on the disk.
pub(super) struct Computed<T> {
    pub(super) name: &'static str,
    pub(super) summary: KernelSummary,
    /// why it is singular, where it is and that was found
    pub(super) cause: Option<Degeneracy>,
    pub(super) entries: Option<Vec<T>>,
    /// all eigenvalues, in increasing order, of a kernel that is held whole
    pub(super) eigenvalues: Vec<f64>,
}

impl<T> Computed<T> {
    /// What people read.
    pub(super) fn describe(&self) -> String {
        let cause = self.cause.map_or(String::new(), |cause| format!("; {cause}"));
        format!("{}: {}{cause}", self.name, self.summary)
    }

    /// What a script reads: the summary, and `cause`.
    pub(super) fn json(&self) -> serde_json::Value {
        let mut json = serde_json::json!(self.summary);
        json["cause"] = self.cause.map(|cause| cause.to_string()).into();
        json
    }
}

impl<T: HostReal> Computation<'_, T> {
    /// Refuses a kernel that must be written in blocks to a file that cannot be.
    pub(super) fn check_out(&self, limit: Option<MemoryLimit>) -> Result<(), machine::Error> {
        let (Some(path), Some(limit)) = (&self.args.out, limit) else { return Ok(()) };
        if self.plan.cut.is_none() || self.format == Some(Format::Npy) {
            return Ok(());
        }
        let what = format!("`out = {}`: a kernel of {} x {} entries", path.display(), self.rows, self.rows);
        let advice = "give `out = K.npy`, which is written block by block";
        Err(limit.refuse(&what, self.plan.whole, Some(advice)))
    }

    /// What it takes, in a line.
    pub(super) fn describe(&self, samples: usize, limit: Option<MemoryLimit>) -> String {
        let forecast = ByteSize::b(self.plan.forecast);
        let limit = limit
            .map_or(String::new(), |l| format!(" of {} ({})", ByteSize::b(l.bytes), in_flags(&l.source.to_string())));
        let how = self.plan.cut.map_or("the kernel is held in memory".into(), |cut| {
            let place = match &self.args.out {
                Some(path) => path.display().to_string(),
                None => "a temporary file in the current directory".into(),
            };
            let (blocks, disk) = (cut.parts(samples).count(), self.rows * self.rows * self.dtype.bytes());
            format!("the kernel is written to {place} in {blocks} x {blocks} blocks, {}", ByteSize::b(disk as u64))
        });
        format!("memory: about {forecast}{limit}; {how}")
    }

    /// One kernel and its summary; computed in blocks, it is written to `out` too.
    pub(super) fn compute<S: KernelSource<T>>(
        &self,
        name: &'static str,
        source: &S,
        out: Option<&Path>,
        stop: &Stop,
    ) -> Result<Ended<Computed<T>>> {
        let Some(cut) = self.plan.cut else {
            let _bar = phase(&format!("{}: entries and eigenvalues", words(name)), self.args.common.quiet);
            let entries = whole(source)?;
            let summary =
                KernelSummary::with_spectrum(self.backend, MatRef::new(&entries, self.rows, self.rows)?, self.dtype);
            let (summary, eigenvalues) = summary.context(words(name))?;
            let (rows, per_sample) = (self.rows, source.rows_per_sample());
            let entry = |i: usize, j: usize| entries[i * per_sample * rows + j * per_sample].to_f64();
            let cause = self.cause(&summary, Some(&entry));
            return Ok(Ended::Done(Computed { name, summary, cause, entries: Some(entries), eigenvalues }));
        };
        let directory = self.args.out.as_deref().and_then(Path::parent).filter(|p| !p.as_os_str().is_empty());
        let place = match out {
            Some(path) => KernelPlace::Named(path),
            None => KernelPlace::Nameless(directory.unwrap_or(Path::new("."))),
        };
        let bar = progress(name, 1000, self.args.common.quiet);
        let mut progress = |done: f64, what: &str| {
            bar.set_position((1000.0 * done) as u64);
            bar.set_message(what);
        };
        let summary = on_disk(source, cut, place, self.dtype, ranks(), &mut progress, stop);
        bar.finish_and_clear();
        Ok(match summary.context(words(name))? {
            Ended::Done(summary) => {
                let cause = self.cause(&summary, None);
                Ended::Done(Computed { name, cause, summary, entries: None, eigenvalues: Vec::new() })
            }
            Ended::Stopped => Ended::Stopped,
        })
    }

    fn cause(&self, summary: &KernelSummary, entry: Option<Entry<'_>>) -> Option<Degeneracy> {
        match summary.definiteness {
            Definiteness::Zero => Some(self.suspects.of_zero()),
            Definiteness::Singular => self.suspects.of_singular(entry),
            _ => None,
        }
    }

    /// Writes to `--out` what was held whole: arrays `kernel`, its `eigenvalues` in increasing order, `x`, and `y` where there
    /// is one; of the analytic kernel also `ntk` (the same as `kernel`), `nngp` and `nngp_eigenvalues`. An npy file has `kernel`
    /// alone.
    pub(super) fn save(&self, computed: &[Computed<T>], samples: &Samples) -> Result<()> {
        let (Some(path), Some(kernel)) = (&self.args.out, &computed[0].entries) else { return Ok(()) };
        if !ranks().is_first() {
            return Ok(());
        }
        if self.format == Some(Format::Npy) {
            let whole = MatRef::new(kernel, self.rows, self.rows)?;
            let mut file = KernelFile::create(path, self.rows, self.dtype)?;
            file.write_block(0, 0, whole).map_err(files::Error::io("write", path))?;
            return Ok(file.commit()?);
        }
        let numbers: Vec<_> =
            computed.iter().filter_map(|f| f.entries.as_ref()).map(|k| |at: usize| k[at].to_f64()).collect();
        let (square, x_shape, y_shape) = ([self.rows; 2], [samples.n, samples.d], samples.y_shape());
        let array = |name, shape, number| Array { name, shape, dtype: self.dtype, number };
        let mut arrays = vec![array("kernel", &square[..], &numbers[0] as &dyn Fn(usize) -> f64)];
        if computed.len() > 1 {
            arrays.extend(computed.iter().zip(&numbers).map(|(f, number)| array(f.name, &square, number)));
        }
        let names = ["eigenvalues", "nngp_eigenvalues"];
        let spectra: Vec<_> = computed.iter().map(|of| |at: usize| of.eigenvalues[at]).collect();
        let rows = [self.rows];
        arrays.extend(names.iter().zip(&spectra).map(|(name, values)| array(*name, &rows[..], values)));
        let (x, y) = (|at: usize| samples.x[at], |at: usize| samples.y[at]);
        // samples as they are, whatever the kernel's precision
        let exact = |name, shape, number| Array { name, shape, dtype: Dtype::F64, number };
        arrays.push(exact("x", &x_shape[..], &x as &dyn Fn(usize) -> f64));
        if !samples.y.is_empty() {
            arrays.push(exact("y", &y_shape, &y));
        }
        Ok(write_archive(path, &arrays)?)
    }
}

/// A kernel's name for people.
fn words(name: &str) -> &'static str {
    match name {
        "ntk" => "the analytic NTK",
        "nngp" => "the NNGP kernel",
        _ => "the empirical NTK",
    }
}
