//! The grid of the study "initialization".

use super::decay::OnSphere;
use super::learning::Learning;
use super::outputs::Outputs;
use super::replica::Replica;
use crate::analysis::labels::Labels;
use crate::analysis::points::Target;
use crate::analysis::smoothness::Coding;
use crate::data::{ClassSelection, Normalize, Source};
use crate::experiment::{Init, LossKind, Model, NetworkKind, Settings, Training};
use crate::study::cell::Cell;
use crate::study::grid::Job;
use crate::study::kept::Kept;
use crate::study::plan::{Net, Options, Part};
use ntkscope_core::network::Bias;

/// The parts of this study.
pub const PARTS: [Part; 6] =
    [Part::Outputs, Part::Spectra, Part::Learning, Part::Replica, Part::Closeness, Part::Smoothness];
/// Those of `--quick`: no network is trained.
pub const QUICK: [Part; 3] = [Part::Outputs, Part::Spectra, Part::Learning];

/// Network of the comparison of networks with the kernel's flow.
pub const CLOSE: Net = Net::fcn(1);

/// Initializations of those networks.
pub const INITIALIZATIONS: [Init; 3] = [Init::Mirrored, Init::Shifted, Init::Standard];

/// Everything that runs.
pub struct Plan {
    /// networks at initialization, narrow to wide
    pub outputs: Vec<Kept<Outputs>>,
    /// spectra, of every sphere with half of the points and with all
    pub decay: Vec<[Kept<OnSphere>; 2]>,
    /// learning curves of the kernel, by dimension and target, n ascending
    pub learning: Vec<Vec<Kept<Learning>>>,
    /// learning curves of networks, by dimension, n ascending
    pub replicas: Vec<Vec<Kept<Replica>>>,
    /// networks beside the kernel's flow
    pub cells: Vec<Cell>,
    /// data sets, with their names
    pub labels: Vec<Kept<Labels>>,
}

impl Plan {
    /// What the options choose.
    pub fn new(options: &Options) -> Self {
        let parts = options.parts(&PARTS, &QUICK);
        let has = |part: Part| parts.contains(&part);
        let when = |part: Part, dimensions: &[usize]| if has(part) { dimensions.to_vec() } else { Vec::new() };
        let full = |all: &'static [usize], few: usize| if options.full { all } else { &all[..few] };
        let learning = when(Part::Learning, full(&[2, 3, 4, 5, 10], 2)).into_iter();
        let learning = learning.flat_map(|d| [Target::SquaredSum, Target::Zero].map(|target| (d, target)));
        let replicas = when(Part::Replica, full(&[5, 10], 1)).into_iter();
        Self {
            outputs: if has(Part::Outputs) { outputs(options) } else { Vec::new() },
            decay: when(Part::Spectra, full(&[1, 2, 3, 4], 2)).into_iter().map(|d| decay(options, d)).collect(),
            learning: learning.map(|(d, target)| self::learning(options, d, target)).collect(),
            replicas: replicas.map(|d| self::replicas(options, d)).collect(),
            cells: if has(Part::Closeness) { cells(options) } else { Vec::new() },
            labels: if has(Part::Smoothness) { labels(options) } else { Vec::new() },
        }
    }

    /// All of it.
    pub fn jobs(&self) -> Vec<&dyn Job> {
        let mut jobs: Vec<&dyn Job> = Vec::new();
        jobs.extend(self.outputs.iter().map(|job| job as &dyn Job));
        jobs.extend(self.decay.iter().flatten().map(|job| job as &dyn Job));
        jobs.extend(self.learning.iter().flatten().map(|job| job as &dyn Job));
        jobs.extend(self.replicas.iter().flatten().map(|job| job as &dyn Job));
        jobs.extend(self.cells.iter().map(|job| job as &dyn Job));
        jobs.extend(self.labels.iter().map(|job| job as &dyn Job));
        jobs
    }
}

/// `own`, unless the options have others.
fn widths(options: &Options, own: &[usize]) -> Vec<usize> {
    if options.widths.is_empty() { own.to_vec() } else { options.widths.clone() }
}

fn outputs(options: &Options) -> Vec<Kept<Outputs>> {
    let networks = if options.full { 20_000 } else { 4000 };
    let of = |width| Kept {
        id: format!("outputs-{}-w{width}", Net::fcn(1).name()),
        measurement: Outputs { width, networks, points: 4 },
    };
    widths(options, &[8, 32, 128, 1024]).into_iter().map(of).collect()
}

fn decay(options: &Options, sphere: usize) -> [Kept<OnSphere>; 2] {
    let all = if options.full { 3000 } else { 800 };
    [all / 2, all].map(|points| {
        // two layers on the circle, where the kernel of one lacks every second frequency
        let depth = if sphere == 1 { 2 } else { 1 };
        let measurement = OnSphere { sphere, depth, points, draws: 20, seed: sphere as u64 };
        Kept { id: format!("spectra-s{sphere}-fcn{depth}-n{points}"), measurement }
    })
}

fn learning(options: &Options, dimension: usize, target: Target) -> Vec<Kept<Learning>> {
    let sizes: &[usize] = if options.full { &[100, 200, 400, 800, 1600] } else { &[100, 200, 400, 800] };
    let draws = options.seeds.unwrap_or(40) as u32;
    let of = |n: &usize| Kept {
        id: format!("learning-d{dimension}-{}-n{n}", target.name()),
        measurement: Learning { dimension, target, n: *n, draws, noise: 0.2, test: 600, times: [1.0, 1e7], seed: 0 },
    };
    sizes.iter().map(of).collect()
}

fn replicas(options: &Options, dimension: usize) -> Vec<Kept<Replica>> {
    let trials = options.seeds.unwrap_or(20) as u32;
    let of = |n| Kept { id: format!("replica-d{dimension}-n{n}"), measurement: Replica::new(dimension, n, trials) };
    [50, 100, 200].map(of).into()
}

fn cells(options: &Options) -> Vec<Cell> {
    let mut cells = Vec::new();
    for init in INITIALIZATIONS {
        for width in widths(options, &[64, 128, 256, 512, 1024, 2048]) {
            for seed in 0..options.seeds.unwrap_or(10) {
                cells.push(cell(init, width, seed));
            }
        }
    }
    cells
}

fn cell(init: Init, width: usize, seed: u64) -> Cell {
    let model = Model {
        network: CLOSE.kind,
        depth: CLOSE.depth,
        width: width,
        init: init,
        seed: seed,
        // few points and far apart: where eigenvalues are smaller than the spread of K_0 no width is wide
        data: Source::Circle,
        n: Some(6),
        held_out: 6,
        ..Model::default()
    };
    let training = Training {
        loss: LossKind::MSE,
        until_time: 1e5,
        snapshots: 64,
        predictions: Some(true),
        max_steps: 20_000,
        ..Training::default()
    };
    let id = format!("closeness-{}-w{width}-{init}-s{seed}", CLOSE.name());
    let copies = if init == Init::Mirrored { 2.0 } else { 1.0 };
    let work = 0.1 + 3e-4 * copies * width as f64;
    Cell { id, part: Part::Closeness.name(), settings: Settings { model, training }, work }
}

/// MNIST, and Fashion-MNIST where a folder of it is given, as they are and on the sphere.
fn labels(options: &Options) -> Vec<Kept<Labels>> {
    let mnist = (Source::Mnist, options.data_dir.clone());
    let fashion = options.fashion_dir.clone().map(|dir| (Source::FashionMnist, Some(dir)));
    let mut all = Vec::new();
    for (data, dir) in std::iter::once(mnist).chain(fashion) {
        for (name, normalize) in [("raw", Normalize::None), ("sphere", Normalize::Sphere)] {
            let model = Model {
                network: NetworkKind::Fcn,
                depth: 1,
                bias: Bias::Input,
                data: data.clone(),
                data_dir: dir.clone(),
                n: Some(options.n.unwrap_or(3000)),
                classes: Some(ClassSelection::All),
                normalize: Some(normalize),
                ..Model::default()
            };
            let measurement = Labels { model, codings: Coding::ALL.to_vec(), draws: 10 };
            all.push(Kept { id: format!("smoothness-{data}-{name}"), measurement });
        }
    }
    all
}
