//! A kernel that is never held whole: its blocks go to a file as they come, its eigenvalues come from that file.

use std::io;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use ntkscope_core::{MatRef, Real};

use super::Error;
use super::blocks::{KernelSource, own_blocks};
use super::file::KernelFile;
use super::forecast::Cut;
use super::lanczos::{Extremes, MAX_STEPS, Ritz, extremes};
use crate::files::{self, Dtype};
use crate::kernel::{Entries, KernelSummary};
use crate::machine::{Ended, Ranks, Stop};

/// Where the kernel is written.
#[derive(Clone, Copy, Debug)]
pub enum KernelPlace<'a> {
    /// to this file, which is there when the kernel is whole
    Named(&'a Path),
    /// to the disk of this directory, for the summary only
    Nameless(&'a Path),
}

/// Writes the kernel of `source` and summarizes it; `progress` is told the share that is done, and of what.
///
/// Rows of blocks belong to ranks, which write into one file; the first one gives it its name and finds the eigenvalues. The rows' blocks
/// are the same for any number of ranks, and so is the order in which what they say of their entries is added.
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
    ranks: &dyn Ranks,
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
    let of_blocks = |place: KernelPlace<'_>| match place {
        KernelPlace::Named(path) => path.to_path_buf(),
        // never committed
        KernelPlace::Nameless(directory) => directory.join("kernel.npy"),
    };
    let file = match place {
        _ if ranks.size() > 1 => {
            let first = ranks.is_first().then(|| KernelFile::create_shared(&of_blocks(place), rows, dtype));
            let (file, name) = first.transpose().map_err(refuse_file)?.unzip();
            let name = told_by_first(ranks, name);
            file.map_or_else(|| KernelFile::join(&name, rows, dtype).map_err(refuse), Ok)
        }
        KernelPlace::Named(path) => KernelFile::create(path, rows, dtype).map_err(refuse_file),
        KernelPlace::Nameless(directory) => KernelFile::nameless(directory, rows, dtype).map_err(refuse),
    };
    let (mut file, mut own, mut done) = (file?, Vec::new(), 0);
    let mut write = |row: usize, col: usize, block: MatRef<'_, T>| {
        let mut entries = Entries::default();
        entries.add(row, col, block, false)?;
        own.extend([row as f64, col as f64]);
        own.extend(entries.numbers());
        file.write_block(row, col, block).map_err(refuse)?;
        done += block.rows() * block.cols() * if row == col { 1 } else { 2 };
        progress(done as f64 / (rows * rows) as f64, "entries");
        Ok(())
    };
    if own_blocks(source, &cut, ranks, &mut write, stop)? == Ended::Stopped {
        return Ok(Ended::Stopped);
    }
    if ranks.size() > 1 {
        file.flush().map_err(refuse)?;
    }
    let entries = joined(ranks, &own);
    if ranks.is_first() {
        // without a name it is gone when this ends
        if matches!(place, KernelPlace::Named(_)) {
            file.commit().map_err(refuse_file)?;
        }
    }
    let mut steps = 0;
    let mut product = |x: &[f64], y: &mut [f64]| {
        steps += 1;
        progress(steps as f64 / MAX_STEPS as f64, "at most, eigenvalues");
        file.product(x, y).map_err(refuse)
    };
    // the others need not read the file once more
    let found = if ranks.is_first() { extremes(rows, &mut product, stop)?.done() } else { None };
    Ok(match Extremes::told_by_first(ranks, found) {
        Some(found) => Ended::Done(KernelSummary::large(rows, &entries, found, dtype)),
        None => Ended::Stopped,
    })
}

/// A path that the first rank knows.
fn told_by_first(ranks: &dyn Ranks, path: Option<PathBuf>) -> PathBuf {
    let bytes: Vec<f64> =
        path.iter().flat_map(|path| path.as_os_str().as_encoded_bytes()).map(|b| f64::from(*b)).collect();
    let told = ranks.share(&bytes).swap_remove(0);
    let text: Vec<u8> = told.into_iter().map(|byte| byte as u8).collect();
    path.unwrap_or_else(|| String::from_utf8_lossy(&text).into_owned().into())
}

/// What all blocks say: place and numbers of each, added in the order of rows and columns.
fn joined(ranks: &dyn Ranks, own: &[f64]) -> Entries {
    let mut all = ranks.share(own).concat();
    let (blocks, _) = all.as_chunks_mut::<8>();
    blocks.sort_unstable_by(|a, b| a[..2].partial_cmp(&b[..2]).expect("places are finite"));
    let mut entries = Entries::default();
    for [row, col, rest @ ..] in blocks {
        entries.join(&Entries::of_numbers(*rest), row != col);
    }
    entries
}

impl Extremes {
    /// What the first rank has found; `None` where it was stopped.
    fn told_by_first(ranks: &dyn Ranks, found: Option<Self>) -> Option<Self> {
        let of = |ritz: Ritz| [ritz.value, ritz.residual, f64::from(u8::from(ritz.converged))];
        let numbers: Vec<f64> =
            found.iter().flat_map(|f| [&[f.steps as f64], &of(f.min)[..], &of(f.max)].concat()).collect();
        let ritz = |of: &[f64]| Ritz { value: of[0], residual: of[1], converged: of[2] == 1.0 };
        let told = ranks.share(&numbers).swap_remove(0);
        told.first().map(|steps| Self { steps: *steps as usize, min: ritz(&told[1..4]), max: ritz(&told[4..]) })
    }
}
