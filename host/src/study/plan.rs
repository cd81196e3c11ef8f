//! What studies choose from: parts, networks, options.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::error::UsageError;
use crate::experiment::{Init, LossKind, MAX_WIDTH, Model, NetworkKind};

/// A part of the study: one data set, one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// three antipodal pairs on the circle with opposite labels
    SixPoints,
    /// the six points and a narrow network, to margins of 10^4 and more: the exponent of the drift
    Exponent,
    /// odd against even handwritten digits
    Mnist,
    /// the same with 1024 of them
    MnistLarge,
    /// all ten handwritten digits
    MnistTen,
    /// the six points, each four times with labels that disagree
    Conflicting,
    /// many networks that differ in their initialization only
    Ensemble,
    /// points on the sphere of R^3, labelled by the sign of x_1 x_2
    Sphere,
    /// two clusters in 32 dimensions: linearly separable
    Separable,
    /// two overlapping clusters in the plane: separable by memory only
    Mixture,
    /// outputs of networks at random initialization, against their Gaussian limit
    Outputs,
    /// eigenvalues of the kernels on spheres, and how rough random outputs are
    Spectra,
    /// excess risk of the kernel's flow against the number of samples, from 0 and from random outputs
    Learning,
    /// the same of trained networks, mirrored and standard
    Replica,
    /// distance of wide networks from the kernel's flow, at all times
    Closeness,
    /// how smooth the labels of images are for the NTK
    Smoothness,
}

impl Part {
    /// Its name in ids and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::SixPoints => "six-points",
            Self::Exponent => "exponent",
            Self::Mnist => "mnist",
            Self::MnistLarge => "mnist-large",
            Self::MnistTen => "mnist-ten",
            Self::Conflicting => "conflicting",
            Self::Ensemble => "ensemble",
            Self::Sphere => "sphere",
            Self::Separable => "separable",
            Self::Mixture => "mixture",
            Self::Outputs => "outputs",
            Self::Spectra => "spectra",
            Self::Learning => "learning",
            Self::Replica => "replica",
            Self::Closeness => "closeness",
            Self::Smoothness => "smoothness",
        }
    }
    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::SixPoints => "Six points",
            Self::Exponent => "The exponent of divergence",
            Self::Mnist => "MNIST, odd against even digits",
            Self::MnistLarge => "MNIST, odd against even, 1024 digits",
            Self::MnistTen => "MNIST, ten digits",
            Self::Conflicting => "Labels that disagree",
            Self::Ensemble => "Over initializations",
            Self::Sphere => "Points on the sphere",
            Self::Separable => "Linearly separable clusters",
            Self::Mixture => "Overlapping clusters",
            Self::Outputs => "Random outputs",
            Self::Spectra => "Spectra on spheres",
            Self::Learning => "Learning curves of the kernel",
            Self::Replica => "Learning curves of networks",
            Self::Closeness => "Networks beside the kernel's flow",
            Self::Smoothness => "Smoothness of labels",
        }
    }
}

/// A network of the study, width and initialization aside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Net {
    /// family
    pub kind: NetworkKind,
    /// hidden layers or blocks L
    pub depth: usize,
    /// branch scale of a resnet
    pub alpha: f64,
}

impl Net {
    /// Fully connected.
    pub const fn fcn(depth: usize) -> Self {
        Self { kind: NetworkKind::Fcn, depth, alpha: 1.0 }
    }
    /// Residual.
    pub const fn resnet(depth: usize, alpha: f64) -> Self {
        Self { kind: NetworkKind::Resnet, depth, alpha }
    }
    /// Its name in ids and files.
    pub fn name(&self) -> String {
        match self.kind {
            NetworkKind::Fcn => format!("fcn{}", self.depth),
            NetworkKind::Resnet => format!("resnet{}-alpha{}", self.depth, self.alpha),
        }
    }
    /// Its name for people.
    pub fn title(&self) -> String {
        match self.kind {
            NetworkKind::Fcn => format!("FCN, L = {}", self.depth),
            NetworkKind::Resnet => format!("ResNet, {} blocks, α = {}", self.depth, self.alpha),
        }
    }
    /// Matrices of width x width.
    pub fn matrices(&self) -> usize {
        match self.kind {
            NetworkKind::Fcn => self.depth - 1,
            NetworkKind::Resnet => 2 * self.depth,
        }
    }
    /// 2L/(L + 1) for a fully connected network; none is known for a residual one.
    pub fn exponent(&self) -> Option<f64> {
        let depth = self.depth as f64;
        (self.kind == NetworkKind::Fcn).then_some(2.0 * depth / (depth + 1.0))
    }
}

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// all parts, more widths and seeds
    pub full: bool,
    /// only these parts; empty: quick the first two, full all
    pub only: Vec<Part>,
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
    /// The parts that will run, of those that a study has: all of them or the quick ones, or those that are asked for.
    pub fn parts(&self, all: &[Part], quick: &[Part]) -> Vec<Part> {
        match (self.only.is_empty(), self.full) {
            (false, _) => all.iter().copied().filter(|part| self.only.contains(part)).collect(),
            (true, false) => quick.to_vec(),
            (true, true) => all.to_vec(),
        }
    }

    /// Errors: a width that is none; a part that the study has not; MNIST's options without MNIST.
    pub fn check(&self, all: &[Part], quick: &[Part]) -> Result<(), UsageError> {
        let wrong = |flag, given: String, what: &str| Err(UsageError::Range { flag, given, what: what.into() });
        if let Some(width) = self.widths.iter().find(|width| **width == 0 || **width > MAX_WIDTH) {
            return wrong("--widths", width.to_string(), &format!("give widths from 1 to {MAX_WIDTH}"));
        }
        if let Some(part) = self.only.iter().find(|part| !all.contains(part)) {
            let names: Vec<&str> = all.iter().map(|part| part.name()).collect();
            return wrong(
                "--only",
                part.name().into(),
                &format!("is no part of this study; give {}", names.join(", ")),
            );
        }
        let parts = self.parts(all, quick);
        let mnist = [Part::Mnist, Part::MnistLarge, Part::MnistTen, Part::Smoothness];
        let mnist = parts.iter().any(|part| mnist.contains(part));
        if let (Some(n), false) = (self.n, mnist) {
            return wrong("--n", n.to_string(), "is the number of MNIST samples; add --only mnist, or --full");
        }
        if let (Some(dir), false) = (&self.data_dir, mnist) {
            let what = "is the folder of MNIST; add --only mnist, or --full";
            return wrong("--data-dir", dir.display().to_string(), what);
        }
        if let (Some(dir), false) = (&self.fashion_dir, parts.contains(&Part::Smoothness)) {
            let what =
                "is the folder of Fashion-MNIST; it is for reproduce initialization --only smoothness, or --full";
            return wrong("--fashion-dir", dir.display().to_string(), what);
        }
        Ok(())
    }
}

/// Network and initialization of a cell.
pub fn kind_of(model: &Model) -> (Net, Init) {
    (Net { kind: model.network, depth: model.depth, alpha: model.alpha.unwrap_or(1.0) }, model.init)
}

/// The loss's name in ids and tables.
pub fn loss_name(loss: LossKind) -> &'static str {
    if loss == LossKind::MSE { "mse" } else { "cross-entropy" }
}

/// The initialization's name in ids and tables.
pub fn init_name(init: Init) -> &'static str {
    match init {
        Init::Mirrored => "mirrored",
        Init::Standard => "standard",
        Init::Shifted => "shifted",
    }
}
