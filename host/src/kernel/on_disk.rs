//! A kernel that is never held whole: its blocks go to a file as they come, its eigenvalues come from that file.

use std::io;
use std::path::Path;

use bytesize::ByteSize;
use ntkscope_core::{MatRef, Real};

use super::Error;
use super::blocks::{KernelSource, blocks};
use super::file::KernelFile;
use super::forecast::Cut;
use super::lanczos::{MAX_STEPS, extremes};
use crate::files::{self, Dtype};
use crate::kernel::{Entries, KernelSummary};
use crate::machine::{Ended, Stop};

/// Where the kernel is written.
#[derive(Clone, Copy, Debug)]
pub enum KernelPlace<'a> {
    /// to this file, which is there when the kernel is whole
    Named(&'a Path),
    /// to the disk of this directory, for the summary only
    Nameless(&'a Path),
}

/// Writes the kernel of `source` and summarises it; `progress` is told the share that is done, and of what.
///
/// Until the kernel is whole, an error or a
/// requested `stop` leaves nothing behind; after that its file stays.
///
/// # Errors
/// [`Error::Core`] for an entry that is not finite; [`Error::Disk`].
pub fn on_disk<T: Real, S: KernelSource<T>>(
    source: &S,
    cut: Cut,
    place: KernelPlace<'_>,
    dtype: Dtype,
    progress: &mut dyn FnMut(f64, &str),
    stop: &Stop,
) -> Result<Ended<KernelSummary>, Error> {
    let rows = source.samples().count() * source.rows_per_sample();
    let size = ByteSize::b((rows * rows * dtype.bytes()) as u64);
    let refuse = |reason: io::Error| {
        let (path, nameless) = match place {
            KernelPlace::Named(path) => (path, false),
            KernelPlace::Nameless(directory) => (directory, true),
        };
        Error::Disk { path: path.into(), nameless, size, reason }
    };
    let refuse_file = |error: files::Error| match error {
        files::Error::Io { source, .. } => refuse(source),
        other => other.into(),
    };
    let file = match place {
        KernelPlace::Named(path) => KernelFile::create(path, rows, dtype).map_err(refuse_file),
        KernelPlace::Nameless(directory) => KernelFile::nameless(directory, rows, dtype).map_err(refuse),
    };
    let (mut file, mut entries, mut done) = (file?, Entries::default(), 0);
    let mut write = |row: usize, col: usize, block: MatRef<'_, T>| {
        entries.add(row, col, block, row != col)?;
        file.write_block(row, col, block).map_err(refuse)?;
        done += block.rows() * block.cols() * if row == col { 1 } else { 2 };
        progress(done as f64 / (rows * rows) as f64, "entries");
        Ok(())
    };
    if blocks(source, &cut, &mut write, stop)? == Ended::Stopped {
        return Ok(Ended::Stopped);
    }
    file.commit().map_err(refuse_file)?;
    let mut steps = 0;
    let mut product = |x: &[f64], y: &mut [f64]| {
        steps += 1;
        progress(steps as f64 / MAX_STEPS as f64, "at most, eigenvalues");
        file.product(x, y).map_err(refuse)
    };
    Ok(match extremes(rows, &mut product, stop)? {
        Ended::Done(found) => Ended::Done(KernelSummary::large(rows, &entries, found, dtype)),
        Ended::Stopped => Ended::Stopped,
    })
}
