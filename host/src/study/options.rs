//! What was asked for, and which parts of a study make use of it: an option is used, or refused with the parts' names.

use std::path::PathBuf;

use super::Error;
use super::paper::Part;
use crate::data::Source;
use crate::experiment::{MAX_WIDTH, NetworkKind};

/// Most seeds, draws or trials.
pub const MAX_SEEDS: u64 = 10_000;

/// What was asked for.
#[derive(Clone, Default)]
pub struct Options {
    /// the parts that run, see [`super::paper::Paper::choose`]
    pub parts: Vec<&'static Part>,
    /// more widths and seeds
    pub full: bool,
    /// the paper's own experiments at its settings, see [`super::paper::Scope::AsPublished`]
    pub as_published: bool,
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
    /// folder of CIFAR-10
    pub cifar_dir: Option<PathBuf>,
}

/// What a part makes use of; the folders of images follow from [`Part::images`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takes {
    /// families of its networks, of which `network` leaves some; none: there is nothing to choose
    pub networks: &'static [NetworkKind],
    /// other widths than its own
    pub widths: bool,
    /// another number of seeds, draws or trials
    pub seeds: bool,
    /// another number of samples
    pub n: bool,
    /// a larger grid of its own
    pub full: bool,
}

impl Takes {
    /// A grid of runs of both families on samples of its own.
    pub const GRID: Self =
        Self { networks: &[NetworkKind::Fcn, NetworkKind::Resnet], widths: true, seeds: true, n: false, full: true };
}

/// An option by the name of its setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// see [`Options::full`]
    Full,
    /// see [`Options::networks`]
    Network,
    /// see [`Options::widths`]
    Widths,
    /// see [`Options::seeds`]
    Seeds,
    /// see [`Options::n`]
    N,
    /// see [`Options::data_dir`]
    DataDir,
    /// see [`Options::fashion_dir`]
    FashionDir,
    /// see [`Options::cifar_dir`]
    CifarDir,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Full,
        Self::Network,
        Self::Widths,
        Self::Seeds,
        Self::N,
        Self::DataDir,
        Self::FashionDir,
        Self::CifarDir,
    ];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Network => "network",
            Self::Widths => "widths",
            Self::Seeds => "seeds",
            Self::N => "n",
            Self::DataDir => "data-dir",
            Self::FashionDir => "fashion-dir",
            Self::CifarDir => "cifar-dir",
        }
    }
}

impl Options {
    /// Whether networks of this family run.
    pub fn has_network(&self, kind: NetworkKind) -> bool {
        self.networks.is_empty() || self.networks.contains(&kind)
    }

    /// The widths that were asked for, or else `own`; ascending, each once.
    pub fn widths_or(&self, own: &[usize]) -> Vec<usize> {
        let mut widths = if self.widths.is_empty() { own.to_vec() } else { self.widths.clone() };
        widths.sort_unstable();
        widths.dedup();
        widths
    }

    /// What the id of a job says of another number of samples, so that results of both can be kept: `-n300`.
    pub fn n_in_ids(&self) -> String {
        self.n.map_or(String::new(), |n| format!("-n{n}"))
    }

    /// The value of an option as it was given; `None`: it was not.
    pub fn given(&self, setting: Setting) -> Option<String> {
        let list = |words: Vec<String>| (!words.is_empty()).then(|| words.join(","));
        let folder = |dir: &Option<PathBuf>| dir.as_ref().map(|dir| dir.display().to_string());
        match setting {
            Setting::Full => self.full.then(String::new),
            Setting::Network => list(self.networks.iter().map(ToString::to_string).collect()),
            Setting::Widths => list(self.widths.iter().map(ToString::to_string).collect()),
            Setting::Seeds => self.seeds.map(|seeds| seeds.to_string()),
            Setting::N => self.n.map(|n| n.to_string()),
            Setting::DataDir => folder(&self.data_dir),
            Setting::FashionDir => folder(&self.fashion_dir),
            Setting::CifarDir => folder(&self.cifar_dir),
        }
    }

    /// Whether an option that was given changes what a part does.
    fn has_effect(&self, setting: Setting, part: &Part) -> bool {
        let takes = part.takes;
        match setting {
            Setting::Full => takes.full,
            Setting::Network => takes.networks.iter().any(|kind| self.networks.contains(kind)),
            Setting::Widths => takes.widths,
            Setting::Seeds => takes.seeds,
            Setting::N => takes.n,
            Setting::DataDir => part.images.contains(&Source::Mnist),
            Setting::FashionDir => part.images.contains(&Source::FashionMnist),
            Setting::CifarDir => part.images.contains(&Source::Cifar10),
        }
    }

    /// Checks that everything given has an effect on one of the parts that run; `named`: those were chosen by name. The
    /// answer says of what is given on which of the parts it has none.
    ///
    /// # Errors
    /// [`Error::Range`]: a width or a number of seeds out of range, an option without effect; it names the parts, and
    /// those of `all` that would make use of it.
    pub fn check(&self, parts: &[&Part], named: bool, all: &[&Part]) -> Result<Vec<String>, Error> {
        let wrong = |setting, given: String, what: String| Err(Error::Range { setting, given, what });
        if let Some(width) = self.widths.iter().find(|width| **width == 0 || **width > MAX_WIDTH) {
            return wrong("widths", width.to_string(), format!("give widths from 1 to {MAX_WIDTH}"));
        }
        if let Some(seeds) = self.seeds.filter(|seeds| *seeds == 0 || *seeds > MAX_SEEDS) {
            return wrong("seeds", seeds.to_string(), format!("give a number from 1 to {MAX_SEEDS}"));
        }
        let mut notes = Vec::new();
        for setting in Setting::ALL {
            let Some(given) = self.given(setting) else { continue };
            let (with, without): (Vec<&Part>, Vec<&Part>) =
                parts.iter().copied().partition(|part| self.has_effect(setting, part));
            // without names `full` chooses parts
            if setting == Setting::Full && !named {
                continue;
            }
            let why = without_effect(setting, &without);
            if with.is_empty() {
                let those = all.iter().filter(|part| self.has_effect(setting, part));
                let those = listed(those.map(|part| format!("`only = {}`", part.name)));
                let advice = if those.is_empty() { "leave it out".into() } else { format!("it applies to {those}") };
                return wrong(setting.name(), given, format!("{}; {advice}", why.join(", and ")));
            }
            notes.extend(why.iter().map(|why| format!("`{}` {why}", setting.name())));
        }
        Ok(notes)
    }
}

/// What is to be said of parts on which an option has no effect; of `network` there are two kinds.
fn without_effect(setting: Setting, parts: &[&Part]) -> Vec<String> {
    let (emptied, others): (Vec<&Part>, Vec<&Part>) =
        parts.iter().copied().partition(|part| setting == Setting::Network && !part.takes.networks.is_empty());
    let said = |what: &str, parts: Vec<&Part>| {
        let plural = if parts.len() == 1 { "" } else { "s" };
        let names = listed(parts.iter().map(|part| part.name.to_owned()));
        (!parts.is_empty()).then(|| format!("{what} the part{plural} {names}"))
    };
    [said("has no effect on", others), said("excludes everything in", emptied)].into_iter().flatten().collect()
}

/// Names one after another, each once.
fn listed(names: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all.join(", ")
}
