//! What was asked for, and what a part of a study makes of it.

use std::path::{Path, PathBuf};

use super::Error;
use super::cell::{Cell, Finished};
use super::grid::Job;
use super::group::Group;
use super::paper::Part;
use crate::data::Source;
use crate::experiment::{MAX_WIDTH, NetworkKind};
use crate::plot::Figure;
use crate::report::Claim;

/// What runs for a part, and what comes of it.
pub trait Plan {
    /// Everything that runs.
    fn jobs(&self) -> Vec<&dyn Job>;
    /// Those of the jobs that are rows of `cells.csv`.
    fn cells(&self) -> &[Cell] {
        &[]
    }
    /// What the finished jobs show: the runs of [`Self::cells`], and what else the study's directory holds.
    ///
    /// # Errors
    /// A job that is not finished, a damaged file.
    fn findings(&self, finished: &[Finished], study: &Path) -> Result<Findings, Error>;
}

/// What a part shows.
#[derive(Default)]
pub struct Findings {
    /// a sentence on how much was measured, behind the part's introduction
    pub sizes: String,
    /// what was found of the claims
    pub claims: Vec<Claim>,
    /// what is drawn
    pub figures: Vec<Figure>,
}

/// The plan of a part that is training runs and nothing else.
pub struct Runs {
    /// the runs
    pub cells: Vec<Cell>,
    /// what they show, grouped by network, initialization and regularization, in the order of the cells
    pub findings: fn(&[Group<'_>]) -> Findings,
}

impl Plan for Runs {
    fn jobs(&self) -> Vec<&dyn Job> {
        self.cells.iter().map(|cell| cell as &dyn Job).collect()
    }
    fn cells(&self) -> &[Cell] {
        &self.cells
    }
    fn findings(&self, finished: &[Finished], _: &Path) -> Result<Findings, Error> {
        Ok((self.findings)(&Group::all(finished)))
    }
}

/// What was asked for.
#[derive(Clone, Default)]
pub struct Options {
    /// the parts that run, see [`super::paper::Paper::choose`]
    pub parts: Vec<&'static Part>,
    /// more widths and seeds
    pub full: bool,
    /// only these families of networks
    pub networks: Vec<NetworkKind>,
    /// other widths
    pub widths: Vec<usize>,
    /// another number of seeds
    pub seeds: Option<u64>,
    /// another number of MNIST samples
    pub n: Option<usize>,
    /// folder of MNIST
    pub data_dir: Option<PathBuf>,
    /// folder of Fashion-MNIST
    pub fashion_dir: Option<PathBuf>,
}

impl Options {
    /// Whether networks of this family run.
    pub fn has_network(&self, kind: NetworkKind) -> bool {
        self.networks.is_empty() || self.networks.contains(&kind)
    }
    /// The widths that were asked for, or else `own`.
    pub fn widths_or(&self, own: &[usize]) -> Vec<usize> {
        if self.widths.is_empty() { own.to_vec() } else { self.widths.clone() }
    }
    /// Whether one of the parts reads these images.
    fn reads(&self, images: &Source) -> bool {
        self.parts.iter().any(|part| part.images.contains(images))
    }

    /// Whether all of them can have an effect.
    ///
    /// # Errors
    /// A width that is none; options of images where no part reads them.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |setting, given: String, what: &str| Err(Error::Range { setting, given, what: what.into() });
        if let Some(width) = self.widths.iter().find(|width| **width == 0 || **width > MAX_WIDTH) {
            return wrong("widths", width.to_string(), &format!("give widths from 1 to {MAX_WIDTH}"));
        }
        let mnist = self.reads(&Source::Mnist);
        if let (Some(n), false) = (self.n, mnist) {
            return wrong("n", n.to_string(), "is the number of MNIST samples; add `only = mnist`, or `full`");
        }
        if let (Some(dir), false) = (&self.data_dir, mnist) {
            let what = "is the folder of MNIST; add `only = mnist`, or `full`";
            return wrong("data-dir", dir.display().to_string(), what);
        }
        if let (Some(dir), false) = (&self.fashion_dir, self.reads(&Source::FashionMnist)) {
            let what = "is the folder of Fashion-MNIST; it is for the study initialization with `only = smoothness`, or `full`";
            return wrong("fashion-dir", dir.display().to_string(), what);
        }
        Ok(())
    }
}
