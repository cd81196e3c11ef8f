//! The grid of the study "divergence": what is run, on what, how far.

use crate::data::{ClassSelection, Source};
use crate::experiment::{Init, LossKind, Model, NetworkKind, Settings, Training};
use crate::study::cell::Cell;
use crate::study::plan::{Net, Options, Part};

/// The parts of this study.
pub const PARTS: [Part; 7] =
    [Part::SixPoints, Part::Exponent, Part::Mnist, Part::MnistLarge, Part::Sphere, Part::Separable, Part::Mixture];
/// Those of `--quick`.
pub const QUICK: [Part; 2] = [Part::SixPoints, Part::Exponent];

/// One part's grid, and where its runs end.
struct Grid {
    nets: Vec<Net>,
    widths: Vec<usize>,
    inits: Vec<Init>,
    losses: Vec<LossKind>,
    seeds: u64,
    samples: usize,
    held_out: usize,
    data: Model,
    margin: f64,
    snapshots: usize,
}

/// Every cell of the grid.
pub fn cells(options: &Options) -> Vec<Cell> {
    options.parts(&PARTS, &QUICK).into_iter().flat_map(|part| cells_of(options, part)).collect()
}

fn cells_of(options: &Options, part: Part) -> Vec<Cell> {
    let grid = grid(options, part);
    let mut cells = Vec::new();
    for net in grid.nets.iter().filter(|net| options.networks.is_empty() || options.networks.contains(&net.kind)) {
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

fn grid(options: &Options, part: Part) -> Grid {
    let full = options.full;
    let of = |source: Source, n: usize, held_out: usize| Model {
        data: source,
        n: Some(n),
        held_out: held_out,
        ..Model::default()
    };
    let both = vec![LossKind::CROSS_ENTROPY, LossKind::MSE];
    let residual = Net::resnet(2, 1.0);
    let small = |data: Model, n: usize| Grid {
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
            losses: vec![LossKind::CROSS_ENTROPY],
            seeds: if full { 5 } else { 3 },
            samples: 6,
            held_out: 0,
            data: of(Source::Circle, 6, 0),
            margin: if full { 1e5 } else { 1e4 },
            snapshots: 512,
        },
        Part::Mnist | Part::MnistLarge => {
            let large = part == Part::MnistLarge;
            let n = if large { 1024 } else { options.n.unwrap_or(256) };
            let data = Model {
                data_dir: options.data_dir.clone(),
                classes: Some(ClassSelection::Parity),
                ..of(Source::Mnist, n, 64)
            };
            Grid {
                widths: if large { vec![128, 512] } else { vec![128, 512, 2048] },
                seeds: if full && !large { 3 } else { 1 },
                held_out: 64,
                ..small(data, n)
            }
        }
        Part::Sphere => small(of(Source::Sphere, 32, 32), 32),
        Part::Separable => small(Model { dimension: Some(32), ..of(Source::Mixture, 32, 32) }, 32),
        _ => small(of(Source::Mixture, 32, 32), 32),
    };
    if !options.widths.is_empty() {
        grid.widths.clone_from(&options.widths);
        grid.widths.sort_unstable();
        grid.widths.dedup();
    }
    grid.seeds = options.seeds.unwrap_or(grid.seeds);
    grid
}

fn cell(part: Part, grid: &Grid, (net, width, init, loss, seed): (&Net, usize, Init, LossKind, u64)) -> Cell {
    let model = Model {
        network: net.kind,
        depth: net.depth,
        width: width,
        alpha: (net.kind == NetworkKind::Resnet).then_some(net.alpha),
        init: init,
        seed: seed,
        ..grid.data.clone()
    };
    let cross_entropy = loss == LossKind::CROSS_ENTROPY;
    let training = Training {
        loss: loss,
        // cross-entropy has no end in time; squared error comes to rest
        until_time: if cross_entropy { f64::INFINITY } else { 1e6 },
        until_margin: cross_entropy.then_some(grid.margin),
        until_loss: (!cross_entropy).then_some(1e-8),
        // a network too narrow for the data never gets there
        max_steps: if part == Part::Exponent { 1_000_000 } else { 20_000 },
        snapshots: grid.snapshots,
        predictions: Some(part != Part::Exponent),
        ..Training::default()
    };
    // parameters moved, and products with the samples; a margin costs steps in proportion
    let copies = if init == Init::Mirrored { 2.0 } else { 1.0 };
    let parameters = (net.matrices() * width * width + 16 * width) as f64;
    let steps = if cross_entropy { (grid.margin / 16.0).max(1.0) } else { 1.0 };
    let work = copies * parameters * (grid.samples + grid.held_out + 20) as f64 * steps * 1.2e-7;
    let id = format!("{}-{}-w{width}-{loss}-{init}-s{seed}", part.name(), net.name());
    Cell { id, part: part.name(), settings: Settings { model, training }, work }
}
