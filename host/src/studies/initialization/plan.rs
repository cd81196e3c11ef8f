//! The grid of the study "initialization".

use super::decay::OnSphere;
use super::identity::Identity;
use super::learning::Learning;
use super::outputs::RandomOutputs;
use super::replica::Replica;
use crate::analysis::labels::Labels;
use crate::analysis::smoothness::Coding;
use crate::data::{ClassSelection, Normalize, Source};
use crate::experiment::{Init, Model, NetworkKind, Settings, Training};
use crate::study::cell::Cell;
use crate::study::kept::Kept;
use crate::study::net::{MSE, Net, Regularization};
use crate::study::options::Options;
use crate::study::paper::Part;
use crate::study::training_run::TrainingRun;
use ntkscope_core::network::Bias;

/// Network of the comparison of networks with the kernel's flow.
pub const CLOSE: Net = Net::fcn(1);

/// Some dimensions, and more of them in the full grid.
fn dimensions(options: &Options, all: &'static [usize], few: usize) -> &'static [usize] {
    if options.full { all } else { &all[..few] }
}

/// How many draws, and what ids say of another number than `own`, so that results of both can be kept.
fn draws(options: &Options, own: u32) -> (u32, String) {
    match options.seeds.and_then(|seeds| u32::try_from(seeds).ok()) {
        Some(seeds) if seeds != own => (seeds, format!("-draws{seeds}")),
        Some(_) | None => (own, String::new()),
    }
}

/// Networks at initialization, narrow to wide.
pub fn outputs(options: &Options) -> Vec<Kept<RandomOutputs>> {
    if !options.has_network(NetworkKind::Fcn) {
        return Vec::new();
    }
    let (networks, count) = if options.full { (100_000, "-networks100000") } else { (20_000, "") };
    let kept = |width| Kept {
        id: format!("outputs-{}-w{width}{count}", Net::fcn(1).name()),
        measurement: RandomOutputs { width, networks, points: 4 },
    };
    options.widths_or(&[8, 32, 128, 1024]).into_iter().map(kept).collect()
}

/// Sets of points on every sphere: eigenvalues scatter with them.
const SETS: u64 = 5;

/// Spectra of every sphere on several sets of points.
pub fn decay(options: &Options) -> Vec<Vec<Kept<OnSphere>>> {
    let points = if options.full { 1600 } else { 800 };
    let kept = |sphere: usize, set: u64| {
        // two layers on the circle, where the kernel of one lacks every second frequency
        let depth = if sphere == 1 { 2 } else { 1 };
        let measurement = OnSphere { sphere, depth, points, draws: 8, seed: 100 * sphere as u64 + set };
        Kept { id: format!("spectra-s{sphere}-fcn{depth}-n{points}-set{set}"), measurement }
    };
    let spheres = dimensions(options, &[1, 2, 3, 4, 5, 6, 7, 8, 9], 2);
    spheres.iter().map(|sphere| (0..SETS).map(|set| kept(*sphere, set)).collect()).collect()
}

/// Standard deviation of the noise of all learning curves, the paper's.
const NOISE: f64 = 0.2;
/// First and last time: before the first little is learned, and the best one lies well before the last.
const SPAN: [f64; 2] = [1.0, 1e5];

/// Learning curves of the kernel, by dimension, n ascending.
pub fn learning(options: &Options) -> Vec<Vec<Kept<Learning>>> {
    let (draws, count) = draws(options, 8);
    let kept = |dimension: usize, n: usize| Kept {
        id: format!("learning-d{dimension}-n{n}{count}"),
        measurement: Learning { dimension, n, draws, noise: NOISE, test: 600, times: SPAN, seed: 0 },
    };
    let curve = |dimension: &usize| {
        let octaves = match dimension {
            _ if !options.full => 4,
            2 | 3 => 6,
            _ => 5,
        };
        (0..octaves).map(|octave| kept(*dimension, 100 << octave)).collect()
    };
    dimensions(options, &[2, 3, 4, 5, 6, 7, 8, 9, 10], 2).iter().map(curve).collect()
}

/// Starts compared draw by draw, on the first sphere.
pub fn identity(options: &Options) -> Vec<Kept<Identity>> {
    let (draws, count) = draws(options, 8);
    let measurement = Identity { dimension: 3, n: 200, draws, noise: NOISE, test: 200, times: SPAN };
    vec![Kept { id: format!("identity-d3-n200{count}"), measurement }]
}

/// Learning curves of networks, by dimension, n ascending.
pub fn replicas(options: &Options) -> Vec<Vec<Kept<Replica>>> {
    if !options.has_network(NetworkKind::Fcn) {
        return Vec::new();
    }
    let (trials, count) = draws(options, 20);
    let kept = |dimension: usize, n: usize| Kept {
        id: format!("replica-d{dimension}-n{n}{count}"),
        measurement: Replica::new(dimension, n, trials),
    };
    let curve = |dimension: &usize| [50, 100, 200].map(|n| kept(*dimension, n)).into();
    dimensions(options, &[5, 10], 1).iter().map(curve).collect()
}

/// Networks beside the kernel's flow on six points of the circle, few and far apart, until nothing is left to learn.
pub fn closeness(part: &'static Part, options: &Options) -> Vec<Cell> {
    let (inits, widths): (&[Init], &[usize]) = match options.full {
        true => (&[Init::Mirrored, Init::Shifted, Init::Standard], &[64, 128, 256, 512, 1024, 2048]),
        false => (&[Init::Mirrored, Init::Standard], &[64, 256, 1024]),
    };
    close(part, options, (inits, widths), &Points { data: Source::Circle, n: 6, until_time: 1e5, seeds: 24 })
}

/// The same on random points of S^2, most of whose eigenvalues are smaller than the spread of K_0; until those are learned.
pub fn closeness_sphere(part: &'static Part, options: &Options) -> Vec<Cell> {
    let grid: (&[Init], &[usize]) = (&[Init::Mirrored, Init::Standard], &[64, 256, 1024]);
    close(part, options, grid, &Points { data: Source::Sphere, n: 32, until_time: 1e3, seeds: 36 })
}

/// What networks are compared with the kernel's flow on.
struct Points {
    data: Source,
    /// samples, and as many more held out
    n: usize,
    until_time: f64,
    /// so many decide at the scatter of pilot runs
    seeds: u64,
}

fn close(part: &'static Part, options: &Options, (inits, widths): (&[Init], &[usize]), points: &Points) -> Vec<Cell> {
    let mut cells = Vec::new();
    if !options.has_network(CLOSE.kind) {
        return cells;
    }
    for init in inits {
        for width in options.widths_or(widths) {
            for seed in 0..options.seeds.unwrap_or(points.seeds) {
                cells.push(cell(part, points, *init, width, seed));
            }
        }
    }
    cells
}

fn cell(part: &'static Part, points: &Points, init: Init, width: usize, seed: u64) -> Cell {
    let model = Model {
        network: CLOSE.kind,
        depth: CLOSE.depth,
        width,
        init,
        seed,
        data: points.data.clone(),
        n: Some(points.n),
        held_out: points.n,
        ..Model::default()
    };
    let training = Training {
        loss: MSE,
        until_time: points.until_time,
        snapshots: 64,
        predictions: Some(true),
        max_steps: 20_000,
        ..Training::default()
    };
    let id = format!("{}-{}-w{width}-{init}-s{seed}", part.name, CLOSE.name());
    let copies = if init == Init::Mirrored { 2.0 } else { 1.0 };
    let work = (0.1 + 3e-4 * copies * width as f64) * (points.n as f64 / 6.0);
    let (settings, regularization) = (Settings { model, training }, Regularization::Plain);
    let run = TrainingRun { id, settings, work };
    Cell { run, part, net: CLOSE, init, regularization, loss: MSE, width, seed }
}

/// MNIST, and Fashion-MNIST and CIFAR-10 where folders of them are given, as they are and on the sphere.
pub fn labels(options: &Options) -> Vec<Kept<Labels>> {
    let mnist = (Source::Mnist, options.data_dir.clone());
    let others = [(Source::FashionMnist, &options.fashion_dir), (Source::Cifar10, &options.cifar_dir)];
    let given = others.into_iter().filter(|(_, dir)| dir.is_some()).map(|(data, dir)| (data, dir.clone()));
    let mut all = Vec::new();
    for (data, dir) in std::iter::once(mnist).chain(given) {
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
            all.push(Kept { id: format!("smoothness-{data}{}-{name}", options.n_in_ids()), measurement });
        }
    }
    all
}
