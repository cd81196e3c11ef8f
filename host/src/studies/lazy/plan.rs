//! The grid of the study "lazy": penalties, soft targets, and plain cross-entropy beside them.

use crate::data::{ClassSelection, Source};
use crate::experiment::{Init, LossKind, Model, NetworkKind, Settings, Training};
use crate::study::cell::Cell;
use crate::study::plan::{Net, Options, Part};

/// The parts of this study.
pub const PARTS: [Part; 5] = [Part::SixPoints, Part::Conflicting, Part::Ensemble, Part::Mnist, Part::MnistTen];
/// Those of `--quick`.
pub const QUICK: [Part; 3] = [Part::SixPoints, Part::Conflicting, Part::Ensemble];

/// What keeps the kernel, if anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// nothing: hard targets, no penalty
    Plain,
    /// (LAMBDA/2)|theta - theta_0|^2 added to the mean loss
    Penalty(f64),
    /// targets 1 - eps + eps/C and eps/C
    Smoothing(f64),
}

impl Kind {
    /// Its name in ids.
    pub fn name(self) -> String {
        match self {
            Self::Plain => "plain".into(),
            Self::Penalty(lambda) => format!("penalty{lambda:.3}"),
            Self::Smoothing(eps) => format!("smoothing{eps:.3}"),
        }
    }
    /// Its name for people.
    pub fn title(self) -> String {
        match self {
            Self::Plain => "no penalty, hard labels".into(),
            Self::Penalty(lambda) => format!("penalty Λ = {lambda:.3}"),
            Self::Smoothing(eps) => format!("soft targets ε = {eps:.2}"),
        }
    }
    /// Of a cell's settings.
    pub fn of(training: &Training) -> Self {
        match (training.penalty, training.smoothing) {
            (lambda, _) if lambda > 0.0 => Self::Penalty(lambda),
            (_, eps) if eps > 0.0 => Self::Smoothing(eps),
            _ => Self::Plain,
        }
    }
    /// Cross-entropy with it, to where training ends: `e^(-LAMBDA t)` is what a penalty leaves of the way, and soft
    /// targets come to rest.
    pub fn training(self) -> Training {
        let base = Training { loss: LossKind::CROSS_ENTROPY, max_steps: 20_000, snapshots: 64, ..Training::default() };
        match self {
            Self::Plain => {
                Training { until_time: f64::INFINITY, until_margin: Some(8.0), predictions: Some(false), ..base }
            }
            Self::Penalty(lambda) => {
                Training { penalty: lambda, until_time: 10.0 / lambda, predictions: Some(true), ..base }
            }
            Self::Smoothing(eps) => Training { smoothing: eps, until_time: 1e5, predictions: Some(true), ..base },
        }
    }
}

/// Penalty and smoothing that all widths have: `LAMBDA = 0.2/6` is 0.2 in the convention of the sum on six points.
pub const CENTRAL: [Kind; 2] = [Kind::Penalty(0.2 / 6.0), Kind::Smoothing(0.1)];
/// The others, larger and smaller.
const OTHERS: [Kind; 4] = [Kind::Penalty(0.3), Kind::Penalty(0.01), Kind::Smoothing(0.4), Kind::Smoothing(0.01)];

/// Every training run of the grid; ensembles are apart.
pub fn cells(options: &Options) -> Vec<Cell> {
    let mut cells = Vec::new();
    for part in options.parts(&PARTS, &QUICK).into_iter().filter(|part| *part != Part::Ensemble) {
        let nets = match part {
            Part::SixPoints | Part::Mnist => vec![Net::fcn(2), Net::resnet(2, 1.0)],
            _ => vec![Net::fcn(2)],
        };
        for net in nets.into_iter().filter(|net| options.networks.is_empty() || options.networks.contains(&net.kind)) {
            for (kind, widths) in kinds(options, part, &net) {
                for width in widths {
                    for seed in 0..options.seeds.unwrap_or(seeds(options, part)) {
                        cells.push(cell(options, part, (&net, width, kind, seed)));
                    }
                }
            }
        }
    }
    cells
}

fn seeds(options: &Options, part: Part) -> u64 {
    match part {
        Part::SixPoints => 5,
        Part::Conflicting => 3,
        _ if options.full => 3,
        _ => 1,
    }
}

/// What is run, at which widths.
fn kinds(options: &Options, part: Part, net: &Net) -> Vec<(Kind, Vec<usize>)> {
    let widths = |own: &[usize]| if options.widths.is_empty() { own.to_vec() } else { options.widths.clone() };
    match part {
        Part::SixPoints => {
            let wide = options.full || net.kind == NetworkKind::Fcn;
            let all = widths(if wide { &[64, 256, 1024] } else { &[64, 256] });
            let narrow = widths(if options.full { &[64, 256, 1024] } else { &[64, 256] });
            let central = CENTRAL.map(|kind| (kind, all.clone()));
            let others = OTHERS.into_iter().chain([Kind::Plain]).map(|kind| (kind, narrow.clone()));
            central.into_iter().chain(others).collect()
        }
        Part::Conflicting => vec![(Kind::Plain, widths(&[64, 256]))],
        Part::MnistTen => [0.1, 0.01, 1e-3].map(|lambda| (Kind::Penalty(lambda), widths(&[128, 512]))).to_vec(),
        _ => [Kind::Penalty(0.1), Kind::Penalty(1e-3), Kind::Smoothing(0.1), Kind::Plain]
            .map(|kind| (kind, widths(&[128, 512])))
            .to_vec(),
    }
}

fn cell(options: &Options, part: Part, (net, width, kind, seed): (&Net, usize, Kind, u64)) -> Cell {
    let n = options.n.unwrap_or(200);
    let (data, samples, held_out, classes) = match part {
        Part::Conflicting => (Source::Conflicting, 24, 6, None),
        Part::Mnist => (Source::Mnist, n, 500, Some(ClassSelection::Parity)),
        Part::MnistTen => (Source::Mnist, n, 500, Some(ClassSelection::All)),
        _ => (Source::Circle, 6, 6, None),
    };
    let idx = data.is_idx();
    let model = Model {
        network: net.kind,
        depth: net.depth,
        width: width,
        alpha: (net.kind == NetworkKind::Resnet).then_some(net.alpha),
        init: Init::Mirrored,
        seed: seed,
        data: data,
        n: Some(samples),
        held_out: held_out,
        classes,
        data_dir: options.data_dir.clone().filter(|_| idx),
        ..Model::default()
    };
    let training = match (part, kind) {
        // labels that disagree are soft targets in all but name
        (Part::Conflicting, _) => {
            Training { until_time: 1e5, until_margin: None, predictions: Some(true), ..Kind::Plain.training() }
        }
        _ => kind.training(),
    };
    let parameters = 2 * (net.matrices() * width * width + 16 * width);
    // a penalty's steps jitter about the fixed point
    let steps = if matches!(kind, Kind::Penalty(_)) { 3.0 } else { 1.0 };
    let work = (parameters * (samples + held_out + 20)) as f64 * steps * 1.5e-7;
    let id = format!("{}-{}-w{width}-{}-{}-s{seed}", part.name(), net.name(), kind.name(), Init::Mirrored);
    Cell { id, part: part.name(), settings: Settings { model, training }, work }
}
