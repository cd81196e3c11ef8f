//! The grid of the study "lazy": penalties, soft targets, and plain cross-entropy beside them.

use crate::data::{ClassSelection, Source};
use crate::experiment::{Init, LossKind, Model, NetworkKind, Settings, Training};
use crate::study::cell::Cell;
use crate::study::net::{CE, Net, Regularization};
use crate::study::options::Options;
use crate::study::paper::Part;
use crate::study::training_run::TrainingRun;

/// Cross-entropy with it, to where training ends: `e^(-LAMBDA t)` is what a penalty leaves of the way, and soft
/// targets come to rest.
pub fn until_the_end(regularization: Regularization) -> Training {
    let base = Training { loss: LossKind::CROSS_ENTROPY, max_steps: 20_000, snapshots: 32, ..Training::default() };
    match regularization {
        Regularization::Plain => {
            Training { until_time: f64::INFINITY, until_margin: Some(8.0), predictions: Some(false), ..base }
        }
        Regularization::Penalty(lambda) => {
            Training { penalty: lambda, until_time: 10.0 / lambda, predictions: Some(true), ..base }
        }
        Regularization::Smoothing(eps) => Training { smoothing: eps, until_time: 1e5, predictions: Some(true), ..base },
    }
}

/// Networks with one regularization.
struct Row {
    net: Net,
    regularization: Regularization,
    widths: Vec<usize>,
}

/// A part's runs.
pub struct Grid {
    rows: Vec<Row>,
    inits: &'static [Init],
    seeds: u64,
    data: Source,
    samples: usize,
    held_out: usize,
    classes: Option<ClassSelection>,
    /// how long they train
    training: fn(Regularization) -> Training,
}

/// Penalty and smoothing that all widths have: `LAMBDA = 0.2/6` is 0.2 in the convention of the sum on six points.
const CENTRAL: [Regularization; 2] = [Regularization::Penalty(0.2 / 6.0), Regularization::Smoothing(0.1)];
/// The others, larger and smaller.
const OTHERS: [Regularization; 4] = [
    Regularization::Penalty(0.3),
    Regularization::Penalty(0.01),
    Regularization::Smoothing(0.4),
    Regularization::Smoothing(0.01),
];

/// Three antipodal pairs with every regularization.
pub fn six_points(options: &Options) -> Grid {
    let mut rows = Vec::new();
    for net in [Net::fcn(2), Net::resnet(2, 1.0)] {
        let wide = net.kind == NetworkKind::Fcn;
        let all = options.widths_or(match (options.full, wide) {
            (true, true) => &[64, 256, 1024],
            (false, true) => &[64, 128, 256, 512],
            (_, false) => &[64, 128, 256],
        });
        let narrow = options.widths_or(if options.full && wide { &[64, 256, 1024] } else { &[64, 256] });
        let row = |regularization, widths: &Vec<usize>| Row { net, regularization, widths: widths.clone() };
        rows.extend(CENTRAL.map(|regularization| row(regularization, &all)));
        rows.extend(OTHERS.map(|regularization| row(regularization, &narrow)));
        rows.push(row(Regularization::Plain, &narrow));
    }
    Grid {
        rows,
        inits: &[Init::Mirrored],
        seeds: 8,
        data: Source::Circle,
        samples: 6,
        held_out: 6,
        classes: None,
        training: until_the_end,
    }
}

/// The same from the other initializations.
pub fn initializations(options: &Options) -> Grid {
    let mut grid = six_points(options);
    for row in &mut grid.rows {
        row.widths =
            options.widths_or(if row.net.kind == NetworkKind::Fcn { &[64, 256, 1024] } else { &[64, 128, 256] });
    }
    Grid { inits: &[Init::Standard, Init::Shifted], ..grid }
}

/// Labels that disagree.
pub fn conflicting(options: &Options) -> Grid {
    let (net, widths) = (Net::fcn(2), options.widths_or(&[64, 256]));
    Grid {
        rows: vec![Row { net, regularization: Regularization::Plain, widths }],
        inits: &[Init::Mirrored],
        seeds: 3,
        data: Source::Conflicting,
        samples: 24,
        held_out: 6,
        classes: None,
        training: with_an_end_of_its_own,
    }
}

/// Odd against even digits.
pub fn mnist(options: &Options) -> Grid {
    let all = [
        Regularization::Penalty(0.1),
        Regularization::Penalty(1e-3),
        Regularization::Smoothing(0.1),
        Regularization::Plain,
    ];
    digits(options, &[Net::fcn(2), Net::resnet(2, 1.0)], &all, ClassSelection::Parity)
}

/// Ten digits.
pub fn mnist_ten(options: &Options) -> Grid {
    digits(options, &[Net::fcn(2)], &[0.1, 0.01, 1e-3].map(Regularization::Penalty), ClassSelection::All)
}

fn digits(options: &Options, nets: &[Net], all: &[Regularization], classes: ClassSelection) -> Grid {
    // a residual block has two matrices where a layer has one
    let widths = |kind| options.widths_or(if kind == NetworkKind::Fcn { &[128, 512] } else { &[128, 256] });
    let row = |net: &Net, regularization: &Regularization| Row {
        net: *net,
        regularization: *regularization,
        widths: widths(net.kind),
    };
    Grid {
        rows: nets.iter().flat_map(|net| all.iter().map(|regularization| row(net, regularization))).collect(),
        inits: &[Init::Mirrored],
        seeds: if options.full { 3 } else { 1 },
        data: Source::Mnist,
        samples: options.n.unwrap_or(200),
        held_out: 500,
        classes: Some(classes),
        training: until_the_end,
    }
}

/// Labels that disagree are soft targets in all but name.
fn with_an_end_of_its_own(regularization: Regularization) -> Training {
    Training { until_time: 1e5, until_margin: None, predictions: Some(true), ..until_the_end(regularization) }
}

impl Grid {
    /// Every run, with the seeds that the options have instead.
    pub fn cells(&self, part: &'static Part, options: &Options) -> Vec<Cell> {
        let mut cells = Vec::new();
        let rows = || self.rows.iter().filter(|row| options.has_network(row.net.kind));
        // all rows of an initialization together
        for (init, row) in self.inits.iter().flat_map(|init| rows().map(move |row| (*init, row))) {
            for width in &row.widths {
                for seed in 0..options.seeds.unwrap_or(self.seeds) {
                    cells.push(self.cell(part, options, (row, init), *width, seed));
                }
            }
        }
        cells
    }

    fn cell(&self, part: &'static Part, options: &Options, (row, init): (&Row, Init), width: usize, seed: u64) -> Cell {
        let Row { net, regularization, .. } = *row;
        let Self { samples, held_out, ref data, ref classes, .. } = *self;
        let idx = data.is_images();
        let samples_of = Model {
            data: data.clone(),
            n: Some(samples),
            held_out,
            classes: classes.clone(),
            data_dir: options.data_dir.clone().filter(|_| idx),
            ..Model::default()
        };
        let model = Model { init, seed, ..net.model(width, &samples_of) };
        let copies = if init == Init::Mirrored { 2 } else { 1 };
        let parameters = copies * (net.matrices() * width * width + 16 * width);
        // a penalty's steps jitter about the fixed point
        let steps = if matches!(regularization, Regularization::Penalty(_)) { 3.0 } else { 1.0 };
        let work = (parameters * (samples + held_out + 20)) as f64 * steps * 1.5e-7;
        let n = if idx { options.n_in_ids() } else { String::new() };
        let id = format!("{}{n}-{}-w{width}-{}-{init}-s{seed}", part.name, net.name(), regularization.name());
        let settings = Settings { model, training: (self.training)(regularization) };
        let run = TrainingRun { id, settings, work };
        Cell { run, part, net, init, regularization, loss: CE, width, seed }
    }
}
