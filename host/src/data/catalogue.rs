//! The data sets one can name, and whether they are there.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::spec::Source;
use super::{located, places};

/// A data set with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogueEntry {
    /// The value of `data`.
    pub name: String,
    /// One line on what it is.
    pub description: &'static str,
    /// Where its files are looked for; `None` for generated data, and without a home directory.
    pub dir: Option<PathBuf>,
    /// True when it can be loaded now: generated, or a complete set of files lies in `dir`.
    pub present: bool,
}

/// Every data set; files of images are looked for in `dir` (the setting `data-dir`), or where [`super::default_dir`] says.
///
/// Only the names of files are looked at, not their content: MNIST and Fashion-MNIST have the same file names, so one
/// directory given for both is said to hold both.
pub fn list(dir: Option<&Path>) -> Vec<CatalogueEntry> {
    let entry = |source: Source, description| {
        let dir = source.is_images().then(|| dir.map(Path::to_path_buf).or_else(|| places::default_dir(&source).ok()));
        let dir = dir.flatten();
        let present = !source.is_images() || dir.as_deref().is_some_and(|d| located(&source, d, None).is_ok());
        CatalogueEntry { name: source.to_string(), description, dir, present }
    };
    vec![
        entry(Source::Circle, "n points (6) on the unit circle in antipodal pairs, with alternating labels"),
        entry(
            Source::Conflicting,
            "the six points of circle, n/6 copies each (24 in all), one label in four conflicting",
        ),
        entry(Source::Sphere, "n points (64), uniform on the unit sphere of R^d (d = 3), label: sign of x_1 x_2"),
        entry(Source::Mixture, "n points (64) from two unit Gaussians in R^d (d = 2) at -1.5 e_1 and +1.5 e_1"),
        entry(Source::Mnist, "handwritten digits, 28 x 28 pixels, 10 labels"),
        entry(Source::FashionMnist, "images of clothing, 28 x 28 pixels, 10 labels"),
        entry(Source::Cifar10, "colour images of animals and vehicles, 32 x 32 pixels, 10 labels"),
    ]
}

impl fmt::Display for CatalogueEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<14} {}", self.name, self.description)?;
        match (&self.dir, self.present) {
            (Some(dir), true) => write!(f, " [in {}]", dir.display()),
            (Some(dir), false) => write!(f, " [not in {}: ntkscope data fetch {}]", dir.display(), self.name),
            (None, true) => Ok(()),
            (None, false) => write!(f, " [no home directory; give `data-dir`]"),
        }
    }
}
