//! Samples to train on: generated, from idx files, or from the user's own npz and csv files.
//!
//! [`load`] turns a [`DataSpec`] into [`Samples`], in this order: read or generate, select the classes of the first n,
//! normalise. What y means follows from the settings and the type that a file stores, see [`DataSpec::targets`]. [`fetch`] downloads, [`list`] and [`show`] describe; nothing here prints.

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
mod spec;
mod summary;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::machine::Budget;

pub use catalogue::{CatalogueEntry, list};
pub use checksums::{Checksum, RemoteFile};
pub use classes::Classes;
use classes::{Selected, Wanted};
pub use curve::{Curve, CurveSource};
pub use error::Error;
pub use fetch::{FetchProgress, Limits, default_mirror, fetch, fetch_files};
use format::{Opened, Reading, format_of};
pub use generate::MIXTURE_OFFSET;
pub use places::default_dir;
use raw::Raw;
pub use spec::{ClassSelection, DataSpec, Normalize, Source, Split, Targets};
pub use summary::{SmallestAngle, Summary, show};

/// Samples ready to train on.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// Inputs, (n, d) row-major.
    pub x: Vec<f64>,
    /// Number of samples.
    pub n: usize,
    /// Numbers per sample.
    pub d: usize,
    /// y as in the file, (n, `y_columns`) row-major; empty where there is none.
    pub y: Vec<f64>,
    /// Numbers of y per sample; 0 where there is none.
    pub y_columns: usize,
    /// Held-out inputs, on which predictions are compared, (h, d) row-major; empty unless asked for.
    pub held_out: Vec<f64>,
    /// y of the held-out samples, (h, `y_columns`); empty where they have none.
    pub held_out_y: Vec<f64>,
    /// Inputs along which a kernel is read, where that was asked for: see [`Samples::follow`].
    pub curve: Option<Curve>,
    /// What y is; `None` where there is none.
    pub targets: Option<Targets>,
    /// The map from labels to classes; `None` unless y is classes.
    pub map: Option<Classes>,
    /// Class of each sample, 0..classes, (n); empty unless y is classes.
    pub labels: Vec<usize>,
    /// Number of classes of the selection, whether or not each occurs among the first n; 0 unless y is classes.
    pub classes: usize,
    /// One line: data set, files, selection, normalisation.
    pub description: String,
    /// What was doubtful about the reading of a file, a sentence each: to be shown.
    pub warnings: Vec<String>,
    /// SHA-256, in hexadecimal, of `x` as little-endian f64 and then `labels` as little-endian u64 (unless y is classes,
    /// `y` as little-endian f64 in their place).
    pub sha256: String,
}

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
    let bytes = content.len() as u64;
    let opened = Opened { content: Box::new(Cursor::new(content)), bytes, path: path.clone() };
    let raw = (format_of(path).ok_or_else(unknown)?.read)(opened, &reading)?;
    select(spec, raw, budget)
}

/// The samples of `spec`, a set of idx files, from the content of these two.
///
/// # Errors
/// As [`load`].
pub fn load_idx_bytes(spec: &DataSpec, [images, labels]: [Vec<u8>; 2], budget: &Budget) -> Result<Samples, Error> {
    check(spec)?;
    let opened = |content: Vec<u8>, name: &str| {
        let bytes = content.len() as u64;
        Opened { content: Box::new(Cursor::new(content)), bytes, path: name.into() }
    };
    let raw = idx::read([opened(images, "images"), opened(labels, "labels")], &reading(spec, budget))?;
    select(spec, raw, budget)
}

/// The samples of `spec`, CIFAR-10, from the content of one of its files.
///
/// # Errors
/// As [`load`].
pub fn load_cifar_bytes(spec: &DataSpec, content: Vec<u8>, budget: &Budget) -> Result<Samples, Error> {
    check(spec)?;
    let bytes = content.len() as u64;
    let opened = Opened { content: Box::new(Cursor::new(content)), bytes, path: "batch".into() };
    select(spec, cifar::read(vec![opened], &reading(spec, budget))?, budget)
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

/// Selects the classes, keeps the first n, normalises.
fn select(spec: &DataSpec, mut raw: Raw, budget: &Budget) -> Result<Samples, Error> {
    let on_circle = on_circle(&spec.source);
    let apart = if on_circle { 0 } else { spec.held_out };
    let parity = (spec.source.is_images() && spec.targets != Some(Targets::Values)).then_some(ClassSelection::Parity);
    let selection = spec.classes.clone().or(parity);
    let wanted =
        Wanted { source: &spec.source, targets: spec.targets, selection: selection.as_ref(), n: spec.n, apart };
    if let (false, Some(selection @ (ClassSelection::Parity | ClassSelection::Labels(_)))) =
        (raw.label_names.is_empty(), &selection)
    {
        let (selection, names) = (selection.to_string(), crate::words::listed(&raw.label_names));
        return Err(Error::NamedClasses { selection, place: raw.place, names });
    }
    let Selected { mut rows, targets, classes } = wanted.select(&raw)?;
    if targets == Some(Targets::Values) && !raw.label_names.is_empty() {
        let names = crate::words::listed(&raw.label_names);
        return Err(Error::NamedValues { place: raw.place, names });
    }
    let n = spec.n.unwrap_or(rows.len().saturating_sub(apart));
    if n > rows.len() {
        let selected = selection.as_ref().map_or_else(String::new, |s| format!(" after `classes = {s}`"));
        return Err(Error::NTooLarge { asked: n, available: rows.len(), place: raw.place, selected });
    }
    let beyond = rows.len() - n;
    if apart > beyond || (apart > 0 && n == 0) {
        return Err(Error::HeldOutTooLarge { asked: apart, n, available: beyond, place: raw.place });
    }
    rows.truncate(n + apart);

    let mut x = raw.gather(&rows, budget)?;
    let normalize = spec.normalization();
    if normalize == Normalize::Sphere {
        for (index, sample) in x.chunks_exact_mut(raw.d).enumerate() {
            if !to_unit_norm(sample) {
                return Err(Error::ZeroSample { index, row: rows[index], place: raw.place });
            }
        }
    }
    let held_out = if on_circle { generate::between(spec.held_out) } else { x.split_off(n * raw.d) };
    let of_rows = |rows: &[usize]| raw.y.as_ref().map_or(Vec::new(), |y| y.gather(rows));
    let (mut y, mut held_out_y) = (of_rows(&rows[..n]), of_rows(&rows[n..]));
    let (d, y_columns) = (raw.d, raw.y.as_ref().map_or(0, |y| y.columns));
    let (mut map, labels) = classes.unzip();
    let labels = labels.unwrap_or_default();
    if let (false, Some(Classes::Labels(places))) = (raw.label_names.is_empty(), &map) {
        // only names that are used count, so that none of the others decides on a number
        let names: Vec<String> = places.iter().map(|place| raw.label_names[*place as usize].clone()).collect();
        let named: Vec<_> = names.iter().enumerate().map(|(label, name)| format!("{name} = {label}")).collect();
        raw.warnings.push(format!("the labels are names, numbered as {}", crate::words::listed(&named)));
        let used = Classes::Names(names);
        (y, held_out_y) =
            (used.numbers_of_names(&y, &raw.label_names), used.numbers_of_names(&held_out_y, &raw.label_names));
        map = Some(used);
    }
    let meaning = match (targets, &map) {
        (None, _) => "no y".to_owned(),
        (Some(Targets::Values), _) if y_columns == 1 => "real-valued y".into(),
        (Some(Targets::Values), _) => format!("y with {y_columns} numbers per sample"),
        (Some(Targets::Classes), map) => {
            let selection = selection.unwrap_or(ClassSelection::All);
            map.as_ref().map_or_else(|| format!("classes {selection}"), Classes::to_string)
        }
    };
    let place = match &spec.source {
        Source::Sphere | Source::Mixture => format!("{} (seed {})", raw.place, spec.seed),
        source if source.is_images() => format!("{source} ({})", raw.place),
        _ => raw.place,
    };
    let amount = if n == raw.n { crate::words::count(n, "sample") } else { format!("{n} of {} samples", raw.n) };
    let scaled = if normalize == Normalize::Sphere { ", scaled to unit norm" } else { "" };
    let description = format!("{place}: {amount}, {meaning}{scaled}");
    let sha256 = digest(&x, &labels, &y);
    let classes = map.as_ref().map_or(0, Classes::count);
    Ok(Samples {
        x,
        n,
        d,
        y,
        y_columns,
        held_out,
        held_out_y,
        curve: None,
        targets,
        map,
        labels,
        classes,
        description,
        warnings: raw.warnings,
        sha256,
    })
}

/// Whether held-out points lie between those of the set; of others they are the next ones.
fn on_circle(source: &Source) -> bool {
    matches!(source, Source::Circle | Source::Conflicting)
}

impl Samples {
    /// Number of held-out samples h.
    pub fn held_out_count(&self) -> usize {
        self.held_out.len() / self.d.max(1)
    }

    /// Shape of `y`: (n) or (n, C).
    pub fn y_shape(&self) -> Vec<usize> {
        self.shape_of(&self.y)
    }

    /// Shape of y of some of these samples: (k) or (k, C).
    pub fn shape_of(&self, y: &[f64]) -> Vec<usize> {
        match self.y_columns {
            0 | 1 => vec![y.len()],
            columns => vec![y.len() / columns, columns],
        }
    }

    /// Refuses samples without y, which `what` needs.
    ///
    /// # Errors
    /// [`Error::NoLabels`].
    pub fn need_y(&self, what: &str) -> Result<(), Error> {
        if self.targets.is_some() {
            return Ok(());
        }
        Err(Error::NoLabels { what: what.into(), place: self.place() })
    }

    /// The data set or file, for messages.
    pub fn place(&self) -> String {
        self.description.split(": ").next().unwrap_or_default().to_owned()
    }

    /// What each class stands for, in the order of the classes; empty unless y is classes.
    pub fn class_names(&self) -> Vec<String> {
        self.map.as_ref().map_or(Vec::new(), Classes::names)
    }

    /// Whether y is numbers, of which margins and accuracies are undefined.
    pub fn are_values(&self) -> bool {
        self.targets == Some(Targets::Values)
    }
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

/// sample <- sample / |sample|; false for the zero vector.
fn to_unit_norm(sample: &mut [f64]) -> bool {
    let largest = sample.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    if largest == 0.0 {
        return false;
    }
    // Where squares would overflow or vanish the sample is brought to size first; elsewhere no rounding is added.
    if !(1e-100..=1e100).contains(&largest) {
        sample.iter_mut().for_each(|v| *v /= largest);
    }
    let norm = sample.iter().map(|v| v * v).sum::<f64>().sqrt();
    sample.iter_mut().for_each(|v| *v /= norm);
    true
}

/// What [`Samples::sha256`] says.
fn digest(x: &[f64], labels: &[usize], y: &[f64]) -> String {
    let mut hash = Sha256::new();
    x.iter().for_each(|v| hash.update(v.to_le_bytes()));
    match labels {
        [] => y.iter().for_each(|v| hash.update(v.to_le_bytes())),
        _ => labels.iter().for_each(|&label| hash.update((label as u64).to_le_bytes())),
    }
    hex(&hash.finalize())
}

/// Bytes in hexadecimal, small letters.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The last part of a path, for messages.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
