//! What the user asked for, as typed on the command line and as saved in a run's settings.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::format::format_of;

/// Which samples to use: one table of a run's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// The data set (`data`).
    pub source: Source,
    /// Where files of images lie (`data-dir`); `None` is [`super::default_dir`]. Only `mnist`, `fashion-mnist` and `cifar-10` look at
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// How many samples (`n`): the first n after the class selection, or the number generated.
    /// `None` is 6 for `circle`, 24 for `conflicting`, 64 for `sphere` and `mixture`, and all there are for files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<usize>,
    /// What y is (`targets`); `None` is classes, but numbers in a file that stores y as real numbers (npz) or without a
    /// type (csv), unless `classes` are selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Targets>,
    /// Which labels become which classes (`classes`); `None` is `parity` for sets of images, else `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<ClassSelection>,
    /// What is done to each sample (`normalize`); `None` is `sphere` for sets of images, else `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalize>,
    /// Numbers per sample d of `sphere` (default 3) and `mixture` (default 2); an error for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<usize>,
    /// Which set of images (`split`); `None` is `train` where it is there, else `t10k`; an error for other data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// The column of a csv file that is the label (`label-column`), by its name or its number from 1; `None` is the one
    /// that is named so (label, target, class, y), else the last; an error for other data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    /// Seed of `sphere` and `mixture`.
    #[serde(default)]
    pub seed: u64,
    /// How many samples beyond the first n are held out (`held-out`).
    #[serde(default)]
    pub held_out: usize,
}

impl DataSpec {
    /// `source` with every other setting at its default, seed 0.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            dir: None,
            n: None,
            targets: None,
            classes: None,
            normalize: None,
            dimension: None,
            split: None,
            label_column: None,
            seed: 0,
            held_out: 0,
        }
    }

    /// What is done to each sample: what `normalize` says, else the default of the data set.
    pub fn normalization(&self) -> Normalize {
        let default = if self.source.is_images() { Normalize::Sphere } else { Normalize::None };
        self.normalize.unwrap_or(default)
    }
}

/// A data set: generated, downloaded, or the user's own file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Source {
    /// n points on the unit circle in antipodal pairs, labels alternating.
    Circle,
    /// Six points of the circle, each several times with labels that disagree.
    Conflicting,
    /// Random points on the unit sphere of R^d, labelled by a sign.
    Sphere,
    /// Two Gaussian clusters in R^d.
    Mixture,
    /// Handwritten digits: idx files.
    Mnist,
    /// Pictures of clothes: idx files.
    FashionMnist,
    /// Colour pictures of animals and vehicles: files of its binary version.
    Cifar10,
    /// An `.npz` file (array `x` (n, d), and `y` (n) or (n, C)), a `.csv` file (last column is y), or an `.npy` file of x,
    /// with its y in a file beside it.
    File(PathBuf),
}

impl Source {
    /// The names of the data sets that have one.
    pub const NAMES: [&'static str; 7] =
        ["circle", "conflicting", "sphere", "mixture", "mnist", "fashion-mnist", "cifar-10"];

    /// True for csv files, whose columns may have names.
    pub fn is_csv(&self) -> bool {
        matches!(self, Source::File(path) if super::format::is_csv(path))
    }

    /// True for the published sets of images, whose files lie in a folder: ten labels, a training set and a test set.
    pub fn is_images(&self) -> bool {
        matches!(self, Source::Mnist | Source::FashionMnist | Source::Cifar10)
    }

    /// True for the data sets that a seed draws, in a dimension that can be chosen.
    pub fn is_drawn(&self) -> bool {
        matches!(self, Source::Sphere | Source::Mixture)
    }
}

impl FromStr for Source {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self, Error> {
        Ok(match s {
            "circle" => Source::Circle,
            "sphere" => Source::Sphere,
            "mixture" => Source::Mixture,
            "conflicting" => Source::Conflicting,
            "mnist" => Source::Mnist,
            "fashion-mnist" => Source::FashionMnist,
            "cifar-10" => Source::Cifar10,
            file if format_of(Path::new(file)).is_some() => Source::File(file.into()),
            _ => return Err(Error::UnknownSource { given: s.into() }),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Circle => f.pad("circle"),
            Source::Sphere => f.pad("sphere"),
            Source::Mixture => f.pad("mixture"),
            Source::Conflicting => f.pad("conflicting"),
            Source::Mnist => f.pad("mnist"),
            Source::FashionMnist => f.pad("fashion-mnist"),
            Source::Cifar10 => f.pad("cifar-10"),
            Source::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What y is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Targets {
    /// integer class labels
    Classes,
    /// real numbers, one or several per sample
    Values,
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Targets::Classes => "classes",
            Targets::Values => "values",
        })
    }
}

/// Which labels are used, and which class each becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ClassSelection {
    /// Even labels are class 0, odd labels class 1.
    Parity,
    /// Two or more different labels: the first is class 0, the second class 1, …; every other sample is left out.
    Labels(Vec<i64>),
    /// The labels of the samples that are used, in increasing order, are classes 0..C; of sets of images the
    /// labels 0 to 9, of generated samples 0 and 1, whichever are used.
    All,
}

impl ClassSelection {
    /// The selections that are words.
    pub const NAMES: [&'static str; 2] = ["parity", "all"];
}

impl FromStr for ClassSelection {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self, Error> {
        let bad = || Error::BadClasses { given: s.into() };
        match s {
            "parity" => Ok(ClassSelection::Parity),
            "all" => Ok(ClassSelection::All),
            _ => {
                let label = |text: &str| text.trim().parse::<i64>().map_err(|_| bad());
                let labels: Vec<i64> = s.split(',').map(label).collect::<Result<_, _>>()?;
                let mut distinct = labels.clone();
                distinct.sort_unstable();
                distinct.dedup();
                if distinct.len() < 2 || distinct.len() < labels.len() {
                    Err(bad())
                } else {
                    Ok(ClassSelection::Labels(labels))
                }
            }
        }
    }
}

impl fmt::Display for ClassSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClassSelection::Parity => f.pad("parity"),
            ClassSelection::Labels(labels) => {
                let texts: Vec<String> = labels.iter().map(i64::to_string).collect();
                f.pad(&texts.join(","))
            }
            ClassSelection::All => f.pad("all"),
        }
    }
}

/// What is done to each sample before it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Normalize {
    /// Divided by its Euclidean norm.
    Sphere,
    /// Nothing.
    None,
}

impl Normalize {
    /// Its names.
    pub const NAMES: [&'static str; 2] = ["sphere", "none"];
}

impl FromStr for Normalize {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self, Error> {
        match s {
            "sphere" => Ok(Normalize::Sphere),
            "none" => Ok(Normalize::None),
            _ => Err(Error::BadNormalize { given: s.into() }),
        }
    }
}

impl fmt::Display for Normalize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Normalize::Sphere => "sphere",
            Normalize::None => "none",
        })
    }
}

/// Which set of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// train-images-idx3-ubyte: 60,000 samples of MNIST; data_batch_1.bin to data_batch_5.bin: 50,000 of CIFAR-10
    Train,
    /// t10k-images-idx3-ubyte, test_batch.bin: 10,000 samples
    T10k,
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Split::Train => "train",
            Split::T10k => "t10k",
        })
    }
}

// serde reads and writes the three as the strings above.
impl TryFrom<String> for Source {
    type Error = Error;
    fn try_from(s: String) -> Result<Self, Error> {
        s.parse()
    }
}
impl From<Source> for String {
    fn from(value: Source) -> String {
        value.to_string()
    }
}
impl TryFrom<String> for ClassSelection {
    type Error = Error;
    fn try_from(s: String) -> Result<Self, Error> {
        s.parse()
    }
}
impl From<ClassSelection> for String {
    fn from(value: ClassSelection) -> String {
        value.to_string()
    }
}
impl TryFrom<String> for Normalize {
    type Error = Error;
    fn try_from(s: String) -> Result<Self, Error> {
        s.parse()
    }
}
impl From<Normalize> for String {
    fn from(value: Normalize) -> String {
        value.to_string()
    }
}
