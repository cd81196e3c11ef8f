//! A kernel that is never held whole: its blocks go to a file as they come, its eigenvalues come from that file.

use std::io;
use std::path::Path;

use anyhow::Result;
use bytesize::ByteSize;
use ntkscope_core::{MatRef, Real};

use super::blocks::{Source, blocks};
use super::file::KernelFile;
use super::forecast::Cut;
use super::lanczos::{MAX_STEPS, extremes};
use crate::error::UsageError;
use crate::files::Dtype;
use crate::kernel::{Entries, KernelSummary};
use crate::machine::{Ended, Stop};

/// Where the kernel is written.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// to this file, which is there when the kernel is whole
    Named(&'a Path),
    /// to the disk of this directory, for the summary only
    Nameless(&'a Path),
}

/// Writes the kernel of `source` and summarises it; `progress` is told the share that is done, and of what.
///
/// Errors: an entry that is not finite, a disk that cannot be written. Until the kernel is whole, an error or a
/// requested `stop` leaves nothing behind; after that its file stays.
pub fn on_disk<T: Real, S: Source<T>>(
    source: &S,
    cut: Cut,
    place: Place<'_>,
    dtype: Dtype,
    progress: &mut dyn FnMut(f64, &str),
    stop: &Stop,
) -> Result<Ended<KernelSummary>> {
    let rows = source.samples().n * source.rows_per_sample();
    let size = ByteSize::b((rows * rows * dtype.bytes()) as u64);
    let refuse = |e: io::Error| {
        let path = match place {
            Place::Named(path) | Place::Nameless(path) => path.into(),
        };
        let what = match place {
            Place::Named(_) => e.to_string(),
            Place::Nameless(_) => {
                format!("a kernel that does not fit into memory is written here for its summary: {e}")
            }
        };
        UsageError::Out {
            flag: "--out",
            path,
            what: format!("{what}; give --out K.npy on a disk with {size} to spare"),
        }
    };
    let file = match place {
        Place::Named(path) => KernelFile::create(path, rows, dtype),
        Place::Nameless(directory) => KernelFile::nameless(directory, rows, dtype),
    };
    let (mut file, mut entries, mut done) = (file.map_err(refuse)?, Entries::default(), 0);
    let mut write = |(row, col): (usize, usize), block: MatRef<'_, T>| {
        entries.add((row, col), block, row != col)?;
        file.write_block((row, col), block).map_err(refuse)?;
        done += block.rows() * block.cols() * if row == col { 1 } else { 2 };
        progress(done as f64 / (rows * rows) as f64, "entries");
        Ok(())
    };
    if blocks(source, &cut, &mut write, stop)? == Ended::Stopped {
        return Ok(Ended::Stopped);
    }
    file.commit().map_err(refuse)?;
    let mut steps = 0;
    let mut product = |x: &[f64], y: &mut [f64]| {
        steps += 1;
        progress(steps as f64 / MAX_STEPS as f64, "at most, eigenvalues");
        Ok(file.product(x, y).map_err(refuse)?)
    };
    Ok(match extremes(rows, &mut product, stop)? {
        Ended::Done(found) => Ended::Done(KernelSummary::large(rows, &entries, found)),
        Ended::Stopped => Ended::Stopped,
    })
}
