//! What can go wrong between asking for data and having it. Settings stand in backticks, as a settings file has them.

use std::io;
use std::path::PathBuf;

use super::spec::{ClassSelection, Normalize, Source};
use crate::files;
use crate::machine::{self, Cause};
use crate::words::{did_you_mean, either, excerpt};

/// What is wrong with the data or with the settings that select it, where, and the setting that fixes it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `data` names neither a known data set nor an `.npz` or `.csv` file.
    #[error(
        "`data = {}`: no such data set{}; give {}, or a file ending in {}",
        excerpt(given),
        did_you_mean(given, Source::NAMES),
        Source::NAMES.join(", "),
        super::format::extensions()
    )]
    UnknownSource {
        /// What was typed.
        given: String,
    },
    /// `profile` names no curve.
    #[error(
        "`profile = {}`: no such curve; give circle, or a file of inputs ending in {}{}",
        excerpt(given),
        super::format::extensions(),
        did_you_mean(given, ["circle"])
    )]
    UnknownCurve {
        /// What was typed.
        given: String,
    },
    /// A circle of samples that do not lie in a plane.
    #[error(
        "`profile = circle`: rotates the first sample in its plane, but samples have {d} numbers; use two-dimensional samples, or give a file of inputs with `profile`"
    )]
    FlatCurve {
        /// Numbers per sample.
        d: usize,
    },
    /// A curve of other inputs than the samples.
    #[error(
        "`profile = {}`: it has {found} numbers per sample (the last column of a csv file is y), but the training samples have {d}; give inputs of that dimension",
        excerpt(given)
    )]
    CurveDimension {
        /// The file.
        given: String,
        /// Its numbers per sample.
        found: usize,
        /// Those of the samples.
        d: usize,
    },
    /// A file of a curve that cannot be used.
    #[error("{what}")]
    Curve {
        /// What is wrong with it, and what fixes it.
        what: String,
        /// Where the cause lies.
        cause: Cause,
    },
    /// `classes` is neither `parity` nor `all` nor different labels.
    #[error(
        "`classes = {}`: give parity, all, or two or more different labels such as 3,8{}",
        excerpt(given),
        did_you_mean(given, ClassSelection::NAMES)
    )]
    BadClasses {
        /// What was typed.
        given: String,
    },
    /// `normalize` is neither `sphere` nor `none`.
    #[error("`normalize = {}`: give {}{}", excerpt(given), either(&Normalize::NAMES), did_you_mean(given, Normalize::NAMES))]
    BadNormalize {
        /// What was typed.
        given: String,
    },
    /// `n = 0`.
    #[error("`n = 0`: at least one sample is needed; give `n = 1` or more, or leave it out")]
    NoSamples,
    /// More samples were asked for than there are.
    #[error("`n = {asked}`: {place} has only {available} samples{selected}; give `n = {available}` or less")]
    NTooLarge {
        /// Samples asked for.
        asked: usize,
        /// Samples left after the class selection.
        available: usize,
        /// The file the samples come from.
        place: String,
        /// " after `classes = …`", or nothing.
        selected: String,
    },
    /// More samples were to be held out than there are beyond the first n.
    #[error(
        "`held-out = {asked}`: {place} has {available} samples beyond the first {n}; give a smaller `held-out` or `n`"
    )]
    HeldOutTooLarge {
        /// Samples to hold out.
        asked: usize,
        /// Samples to train on.
        n: usize,
        /// Samples beyond those.
        available: usize,
        /// The file the samples come from.
        place: String,
    },
    /// Whole groups of six points with four labels each.
    #[error("`n = {n}`: conflicting takes each of its six points in groups of four copies; give `n = {next}`")]
    BadConflicting {
        /// Samples asked for.
        n: usize,
        /// The next number that is possible.
        next: usize,
    },
    /// The circle needs antipodal pairs.
    #[error(
        "`n = {n}`: the circle consists of antipodal pairs; give an even `n` of 2 or more, such as `n = {}`",
        n.saturating_add(n % 2)
    )]
    OddCircle {
        /// Points asked for.
        n: usize,
    },
    /// The dimension is too small for this data set.
    #[error("`dimension = {given}`: {source_name} needs `dimension = {least}` or more")]
    BadDimension {
        /// The data set.
        source_name: String,
        /// Dimension asked for.
        given: usize,
        /// Smallest dimension allowed.
        least: usize,
    },
    /// The data set has a dimension of its own.
    #[error(
        "`dimension`: the dimension of {source_name} is fixed by the data; leave `dimension` out, or use `data = sphere` or `data = mixture`"
    )]
    DimensionUnused {
        /// The data set.
        source_name: String,
    },
    /// The samples asked for are more than may be held in memory.
    #[error(transparent)]
    Memory(#[from] machine::Error),
    /// The samples asked for are more than can be counted.
    #[error("`n = {n}` `dimension = {d}`: {n} x {d} numbers do not fit into memory; give a smaller `n` or `dimension`")]
    TooLarge {
        /// Samples.
        n: usize,
        /// Numbers per sample.
        d: usize,
    },
    /// A selected class has no sample.
    #[error(
        "`classes = {selection}`: {place} has no sample with {class}; its labels are {present}; choose `classes` among those"
    )]
    MissingClass {
        /// The selection as typed.
        selection: String,
        /// The file.
        place: String,
        /// The label or labels that are missing.
        class: String,
        /// The labels that do occur.
        present: String,
    },
    /// A zero vector has no direction.
    #[error(
        "`normalize = sphere`: sample {index} (row {row} of {place}, both counted from 0) is the zero vector and has no direction; give `normalize = none`, or leave the sample out"
    )]
    ZeroSample {
        /// Index among the samples used, from 0.
        index: usize,
        /// Row in the file, from 0.
        row: usize,
        /// The file.
        place: String,
    },
    /// A label column that is none.
    #[error("`label-column = {given}`: {place} has no such column; give one of {present}")]
    NoLabelColumn {
        /// What was typed.
        given: String,
        /// The file.
        place: String,
        /// The columns there are.
        present: String,
    },
    /// A label column of data that has no columns with names.
    #[error("`label-column`: {source_name} is not a csv file; leave `label-column` out")]
    LabelColumnUnused {
        /// The data set.
        source_name: String,
    },
    /// Several columns that could be the label.
    #[error("{place}: the columns {columns} could all be the label; choose one with `label-column`")]
    SeveralLabels {
        /// The file.
        place: String,
        /// Their names.
        columns: String,
    },
    /// A split of data that is no published set of images.
    #[error(
        "`split`: {source_name} has no train and t10k files; leave `split` out (it is for `data = mnist`, `data = fashion-mnist` and `data = cifar-10`)"
    )]
    SplitUnused {
        /// The data set.
        source_name: String,
    },
    /// Classes whose labels are names cannot be selected by number.
    #[error("`classes = {selection}`: the labels of {place} are names, {names}; give `classes = all`, or leave it out")]
    NamedClasses {
        /// The selection as typed.
        selection: String,
        /// The file.
        place: String,
        /// Names of the classes.
        names: String,
    },
    /// Names are no numbers.
    #[error("`targets = values`: the labels of {place} are names, {names}; leave `targets` out, or give real-valued y")]
    NamedValues {
        /// The file.
        place: String,
        /// The names.
        names: String,
    },
    /// There is no home directory to put data in.
    #[error("no directory for data: neither XDG_DATA_HOME nor a home directory is set; give `data-dir = DIR`")]
    NoDataHome,
    /// The data set is generated or is a file.
    #[error("{source_name} needs no download; give mnist, fashion-mnist or cifar-10")]
    NothingToFetch {
        /// The data set.
        source_name: String,
    },
    /// The mirror is not an http(s) address.
    #[error("`mirror = {given}`: not an address to download from; give one that begins with http:// or https://")]
    BadMirror {
        /// What was typed.
        given: String,
    },
    /// A directory or file is not there.
    #[error("{}: no such {what}; {advice}", path.display())]
    NotFound {
        /// What was looked for.
        path: PathBuf,
        /// "file", "directory" or "idx files (…)".
        what: String,
        /// The setting or command that fixes it.
        advice: String,
    },
    /// Something that is no regular file, which may have no end.
    #[error("{}: is {kind}, but a file is needed; give another with `data`, or another directory with `data-dir`", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// "a pipe", "a directory", …
        kind: &'static str,
    },
    /// The operating system refused to read or write.
    #[error("{}: cannot {action}: {}; {advice}", path.display(), files::reason(reason))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// "read", "write", …
        action: &'static str,
        /// The setting that fixes it.
        advice: &'static str,
        /// The system's reason.
        reason: io::Error,
    },
    /// A file of a published set of images is damaged, or is none.
    #[error("{}: {what}; fetch it again with `ntkscope data fetch`, or give another directory with `data-dir`", path.display())]
    Images {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A csv file is damaged, or is none.
    #[error("{}, line {line}: {what}; fix the file or give another with `data`", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Line, from 1; 0 where the whole file is meant.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// An npz file is damaged, or is none, or has not the arrays `x` and `y`.
    #[error("{}: {what}; fix the file or give another with `data`", path.display())]
    Npz {
        /// The file.
        path: PathBuf,
        /// What is wrong, naming the array.
        what: String,
    },
    /// A label that is no class.
    #[error(
        "{place}, row {row} (from 0): the label {value:?} is {}, so it is not a class; give `targets = values` to fit y as real numbers (needs `loss = mse`)",
        if value.fract() == 0.0 { "beyond 2^53" } else { "not an integer" }
    )]
    NotAClass {
        /// The file.
        place: String,
        /// Row, from 0.
        row: usize,
        /// The label.
        value: f64,
    },
    /// Several numbers per sample are no label.
    #[error(
        "{place}: y has {columns} numbers per sample, so it is not a class label; give `targets = values` to fit y as real numbers (needs `loss = mse`)"
    )]
    NoClasses {
        /// The file.
        place: String,
        /// Numbers per sample.
        columns: usize,
    },
    /// Classes were selected of y that is numbers.
    #[error(
        "`classes = {selection}`: selects class labels, but with `targets = values` y is real-valued; leave one of them out"
    )]
    ClassesOfValues {
        /// The selection as typed.
        selection: String,
    },
    /// All samples are of one class.
    #[error("{place}: the data has only one class; choose two with `classes = a,b`, or give more data")]
    OneClass {
        /// The file.
        place: String,
    },
    /// Something was asked for that needs y.
    #[error(
        "{place}: there is no y, which {what} needs; with `data` give samples with y: an npz with arrays x and y, x.npy next to y.npy, or a csv file"
    )]
    NoLabels {
        /// What needs it: a setting, "training".
        what: String,
        /// The file.
        place: String,
    },
    /// An archive's file that cannot be written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// What should be the beginning of a download is none.
    #[error("{}: is {what}, not a partial download; remove it, or give another directory with `data-dir`", path.display())]
    Part {
        /// The file.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// A download failed.
    #[error("{url}: {what}{kept}; check the network connection, or give another source with `mirror = URL`")]
    Download {
        /// The address.
        url: String,
        /// What went wrong.
        what: String,
        /// What is kept for the next try, or nothing.
        kept: String,
    },
    /// A download is not the file it should be.
    #[error(
        "{url}: {check} is {found}, but should be {expected}; the download was removed: try again, or give another source with `mirror = URL`"
    )]
    Checksum {
        /// The address.
        url: String,
        /// Which check was made.
        check: &'static str,
        /// The checksum of what came.
        found: String,
        /// The published checksum.
        expected: String,
    },
}
