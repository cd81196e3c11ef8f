//! The grid of the study "divergence": what is run, on what, how far.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::data::{ClassSelection, Source};
use crate::error::UsageError;
use crate::experiment::MAX_WIDTH;
use crate::settings::{Init, LossKind, ModelSettings, NetworkKind, Settings, TrainingSettings};
use crate::studies::cell::Cell;

/// A part of the study: one data set, one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// three antipodal pairs on the circle with opposite labels
    SixPoints,
    /// the six points and a narrow network, to margins of 10^4 and more: the exponent of the drift
    Exponent,
    /// odd against even handwritten digits
    Mnist,
    /// points on the sphere of R^3, labelled by the sign of x_1 x_2
    Sphere,
    /// two clusters in 32 dimensions: linearly separable
    Separable,
    /// two overlapping clusters in the plane: separable by memory only
    Mixture,
}

impl Part {
    /// Its name in ids and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::SixPoints => "six-points",
            Self::Exponent => "exponent",
            Self::Mnist => "mnist",
            Self::Sphere => "sphere",
            Self::Separable => "separable",
            Self::Mixture => "mixture",
        }
    }
    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::SixPoints => "Six points",
            Self::Exponent => "The exponent of divergence",
            Self::Mnist => "MNIST, odd against even digits",
            Self::Sphere => "Points on the sphere",
            Self::Separable => "Linearly separable clusters",
            Self::Mixture => "Overlapping clusters",
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
    const fn fcn(depth: usize) -> Self {
        Self { kind: NetworkKind::Fcn, depth, alpha: 1.0 }
    }
    const fn resnet(depth: usize, alpha: f64) -> Self {
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
    fn matrices(&self) -> usize {
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
}

/// One part's grid, and where its runs end.
struct Grid {
    nets: Vec<Net>,
    widths: Vec<usize>,
    inits: Vec<Init>,
    losses: Vec<LossKind>,
    seeds: u64,
    samples: usize,
    held_out: usize,
    data: ModelSettings,
    margin: f64,
    snapshots: usize,
}

impl Options {
    /// The parts that will run.
    pub fn parts(&self) -> Vec<Part> {
        match (self.only.is_empty(), self.full) {
            (false, _) => Part::value_variants().iter().copied().filter(|part| self.only.contains(part)).collect(),
            (true, false) => vec![Part::SixPoints, Part::Exponent],
            (true, true) => Part::value_variants().to_vec(),
        }
    }

    /// Errors: a width that is none; a choice that chooses nothing.
    pub fn check(&self) -> Result<(), UsageError> {
        let wrong = |flag, given: String, what: &str| Err(UsageError::Range { flag, given, what: what.into() });
        if let Some(width) = self.widths.iter().find(|width| **width == 0 || **width > MAX_WIDTH) {
            return wrong("--widths", width.to_string(), &format!("give widths from 1 to {MAX_WIDTH}"));
        }
        let mnist = self.parts().contains(&Part::Mnist);
        if let (Some(n), false) = (self.n, mnist) {
            return wrong("--n", n.to_string(), "is the number of MNIST samples; add --only mnist, or --full");
        }
        if let (Some(dir), false) = (&self.data_dir, mnist) {
            let what = "is the folder of MNIST; add --only mnist, or --full";
            return wrong("--data-dir", dir.display().to_string(), what);
        }
        Ok(())
    }

    /// Every cell of the grid.
    pub fn cells(&self) -> Vec<Cell> {
        self.parts().into_iter().flat_map(|part| self.cells_of(part)).collect()
    }

    fn cells_of(&self, part: Part) -> Vec<Cell> {
        let grid = self.grid(part);
        let mut cells = Vec::new();
        for net in grid.nets.iter().filter(|net| self.networks.is_empty() || self.networks.contains(&net.kind)) {
            for width in &grid.widths {
                for init in &grid.inits {
                    for loss in &grid.losses {
                        for seed in 0..grid.seeds {
                            cells.push(cell(part, &grid, (net, *width, *init, *loss, seed)));
                        }
                    }
                }
            }
        }
        cells
    }

    fn grid(&self, part: Part) -> Grid {
        let full = self.full;
        let of = |source: Source, n: usize, held_out: usize| ModelSettings {
            data: Some(source),
            n: Some(n),
            held_out: Some(held_out),
            ..ModelSettings::default()
        };
        let both = vec![LossKind::CrossEntropy, LossKind::Mse];
        let residual = Net::resnet(2, 1.0);
        let small = |data: ModelSettings, n: usize| Grid {
            nets: vec![Net::fcn(2), residual],
            widths: vec![64, 256, 1024],
            inits: vec![Init::Mirrored],
            losses: both.clone(),
            seeds: 3,
            samples: n,
            held_out: 32,
            data,
            margin: 8.0,
            snapshots: 64,
        };
        let mut grid = match part {
            Part::SixPoints => Grid {
                nets: if full {
                    vec![Net::fcn(2), Net::fcn(3), residual, Net::resnet(2, 0.5)]
                } else {
                    vec![Net::fcn(2), residual]
                },
                widths: if full { vec![64, 256, 1024, 4096] } else { vec![32, 64, 128, 256, 512] },
                inits: vec![Init::Mirrored, Init::Standard],
                losses: both,
                seeds: if full { 5 } else { 3 },
                samples: 6,
                held_out: 6,
                data: of(Source::Circle, 6, 6),
                margin: 16.0,
                snapshots: 64,
            },
            Part::Exponent => Grid {
                nets: vec![Net::fcn(2), Net::fcn(3), residual],
                widths: vec![32],
                inits: vec![Init::Standard],
                losses: vec![LossKind::CrossEntropy],
                seeds: if full { 5 } else { 3 },
                samples: 6,
                held_out: 0,
                data: of(Source::Circle, 6, 0),
                margin: if full { 1e5 } else { 1e4 },
                snapshots: 512,
            },
            Part::Mnist => {
                let n = self.n.unwrap_or(256);
                let data = ModelSettings {
                    data_dir: self.data_dir.clone(),
                    classes: Some(ClassSelection::Parity),
                    ..of(Source::Mnist, n, 64)
                };
                Grid { widths: vec![128, 512, 2048], seeds: if full { 3 } else { 1 }, held_out: 64, ..small(data, n) }
            }
            Part::Sphere => small(of(Source::Sphere, 32, 32), 32),
            Part::Separable => small(ModelSettings { dimension: Some(32), ..of(Source::Mixture, 32, 32) }, 32),
            Part::Mixture => small(of(Source::Mixture, 32, 32), 32),
        };
        if !self.widths.is_empty() {
            grid.widths.clone_from(&self.widths);
            grid.widths.sort_unstable();
            grid.widths.dedup();
        }
        grid.seeds = self.seeds.unwrap_or(grid.seeds);
        grid
    }
}

fn cell(part: Part, grid: &Grid, (net, width, init, loss, seed): (&Net, usize, Init, LossKind, u64)) -> Cell {
    let (loss_name, init_name) = (loss_name(loss), init_name(init));
    let model = ModelSettings {
        network: Some(net.kind),
        depth: Some(net.depth),
        width: Some(width),
        alpha: (net.kind == NetworkKind::Resnet).then_some(net.alpha),
        init: Some(init),
        seed: Some(seed),
        ..grid.data.clone()
    };
    let cross_entropy = loss == LossKind::CrossEntropy;
    let training = TrainingSettings {
        loss: Some(loss),
        // cross-entropy has no end in time; squared error comes to rest
        until_time: Some(if cross_entropy { f64::INFINITY } else { 1e6 }),
        until_margin: cross_entropy.then_some(grid.margin),
        until_loss: (!cross_entropy).then_some(1e-8),
        // a network too narrow for the data never gets there
        max_steps: Some(if part == Part::Exponent { 1_000_000 } else { 20_000 }),
        snapshots: Some(grid.snapshots),
        predictions: Some(part != Part::Exponent),
        ..TrainingSettings::default()
    };
    // parameters moved, and products with the samples; a margin costs steps in proportion
    let copies = if init == Init::Mirrored { 2.0 } else { 1.0 };
    let parameters = (net.matrices() * width * width + 16 * width) as f64;
    let steps = if cross_entropy { (grid.margin / 16.0).max(1.0) } else { 1.0 };
    let work = copies * parameters * (grid.samples + grid.held_out + 20) as f64 * steps / 1e6;
    let id = format!("{}-{}-w{width}-{loss_name}-{init_name}-s{seed}", part.name(), net.name());
    Cell { id, part: part.name(), settings: Settings { model, training }, work }
}

/// Network and initialization of a cell.
pub fn kind_of(model: &ModelSettings) -> Option<(Net, Init)> {
    Some((Net { kind: model.network?, depth: model.depth?, alpha: model.alpha.unwrap_or(1.0) }, model.init?))
}

/// The loss's name in ids and tables.
pub fn loss_name(loss: LossKind) -> &'static str {
    if loss == LossKind::Mse { "mse" } else { "cross-entropy" }
}

/// The initialization's name in ids and tables.
pub fn init_name(init: Init) -> &'static str {
    match init {
        Init::Mirrored => "mirrored",
        Init::Standard => "standard",
    }
}
