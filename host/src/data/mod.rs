//! Samples to train on: generated, from idx files, or from the user's own npz and csv files.
//!
//! [`load`] turns a [`DataSpec`] into [`Samples`], in this order: read or generate, select the classes of the first n,
//! normalize. What y means follows from the settings and the type that a file stores, see [`DataSpec::targets`]. [`fetch`] downloads, [`list`] and [`show`] describe; nothing here prints.

mod archive;
mod catalogue;
mod cause;
mod checksums;
mod cifar;
mod classes;
mod csv;
mod curve;
mod download;
mod error;
mod fetch;
mod format;
mod generate;
mod idx;
mod npy_file;
mod npz_file;
mod own_file;
mod part;
mod places;
mod raw;
mod samples;
mod select;
mod spec;
mod summary;

use std::path::{Path, PathBuf};

use crate::machine::Budget;

pub use catalogue::{CatalogueEntry, list};
pub use checksums::{Checksum, RemoteFile};
pub use classes::Classes;
pub use curve::{Curve, CurveSource};
pub use error::Error;
pub use fetch::{FetchProgress, Limits, default_mirror, fetch, fetch_files};
use format::{Opened, Reading, format_of};
pub use generate::MIXTURE_OFFSET;
pub use places::default_dir;
pub use samples::Samples;
use select::{on_circle, select};
pub use spec::{ClassSelection, DataSpec, Normalize, Source, Split, Targets};
pub use summary::{SmallestAngle, Summary, show};

/// Loads or generates the samples of `spec`, whose memory is drawn from `budget` before they are made: of a file only the
/// rows that are used are kept.
///
/// # Errors
/// [`Error`]: wrong settings (exit code 2), among them more than the budget holds, or missing or damaged data (exit
/// code 3).
pub fn load(spec: &DataSpec, budget: &Budget) -> Result<Samples, Error> {
    check(spec)?;
    let reading = reading(spec, budget);
    let generated = spec.n.unwrap_or(64).saturating_add(spec.held_out);
    if on_circle(&spec.source) {
        budget.draw(
            &format!("{} held-out points of the circle", spec.held_out),
            (spec.held_out as u64).saturating_mul(16),
        )?;
    }
    let raw = match &spec.source {
        Source::Circle => generate::circle(spec.n.unwrap_or(6), budget)?,
        Source::Conflicting => generate::conflicting(spec.n.unwrap_or(24), budget)?,
        Source::Sphere => generate::sphere(generated, spec.dimension.unwrap_or(3), spec.seed, budget)?,
        Source::Mixture => generate::mixture(generated, spec.dimension.unwrap_or(2), spec.seed, budget)?,
        Source::Mnist | Source::FashionMnist => {
            let dir = spec.dir.clone().map_or_else(|| default_dir(&spec.source), Ok)?;
            idx::read(idx::open_both(&idx::locate(&dir, spec.split, &spec.source.to_string())?)?, &reading)?
        }
        Source::Cifar10 => {
            let dir = spec.dir.clone().map_or_else(|| default_dir(&spec.source), Ok)?;
            cifar::read(cifar::open(&cifar::locate(&dir, spec.split)?)?, &reading)?
        }
        Source::File(path) => match format_of(path) {
            Some(format) => (format.read)(Opened::file(path)?, &reading)?,
            None => return Err(Error::UnknownSource { given: path.display().to_string() }),
        },
    };
    select(spec, raw, budget)
}

/// The samples of `spec` from the content of the file that it names, which need not be there.
///
/// # Errors
/// As [`load`].
pub fn load_bytes(spec: &DataSpec, content: Vec<u8>, budget: &Budget) -> Result<Samples, Error> {
    check(spec)?;
    let unknown = || Error::UnknownSource { given: spec.source.to_string() };
    let Source::File(path) = &spec.source else { return Err(unknown()) };
    let reading = reading(spec, budget);
    let raw = (format_of(path).ok_or_else(unknown)?.read)(Opened::content(path, content), &reading)?;
    select(spec, raw, budget)
}

/// The samples of `spec`, a set of idx files, from the content of these two.
///
/// # Errors
/// As [`load`].
pub fn load_idx_bytes(spec: &DataSpec, [images, labels]: [Vec<u8>; 2], budget: &Budget) -> Result<Samples, Error> {
    check(spec)?;
    let files = [Opened::content("images", images), Opened::content("labels", labels)];
    let raw = idx::read(files, &reading(spec, budget))?;
    select(spec, raw, budget)
}

/// The samples of `spec`, CIFAR-10, from the content of one of its files.
///
/// # Errors
/// As [`load`].
pub fn load_cifar_bytes(spec: &DataSpec, content: Vec<u8>, budget: &Budget) -> Result<Samples, Error> {
    check(spec)?;
    select(spec, cifar::read(vec![Opened::content("batch", content)], &reading(spec, budget))?, budget)
}

/// The files of a set of images in its folder.
fn located(source: &Source, dir: &Path, split: Option<Split>) -> Result<Vec<PathBuf>, Error> {
    match source {
        Source::Cifar10 => cifar::locate(dir, split),
        _ => idx::locate(dir, split, &source.to_string()).map(|files| files.paths().into()),
    }
}

fn reading<'a>(spec: &'a DataSpec, budget: &'a Budget) -> Reading<'a> {
    Reading { label_column: spec.label_column.as_deref(), budget }
}

/// Settings that do not apply.
fn check(spec: &DataSpec) -> Result<(), Error> {
    let source_name = || spec.source.to_string();
    if spec.n == Some(0) {
        return Err(Error::NoSamples);
    }
    if spec.dimension.is_some() && !spec.source.is_drawn() {
        return Err(Error::DimensionUnused { source_name: source_name() });
    }
    if spec.split.is_some() && !spec.source.is_images() {
        return Err(Error::SplitUnused { source_name: source_name() });
    }
    if spec.label_column.is_some() && !spec.source.is_csv() {
        return Err(Error::LabelColumnUnused { source_name: source_name() });
    }
    Ok(())
}

/// The files that [`load`] reads for `spec`, as far as they are there.
pub fn inputs(spec: &DataSpec) -> Vec<PathBuf> {
    match &spec.source {
        Source::File(path) => std::iter::once(path.clone()).chain(npy_file::labels_of(path)).collect(),
        source if source.is_images() => {
            let dir = spec.dir.clone().map_or_else(|| default_dir(source), Ok);
            dir.and_then(|dir| located(source, &dir, spec.split)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// Bytes in hexadecimal, small letters.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The last part of a path, for messages.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
