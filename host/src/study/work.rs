//! How long a run takes, as far as its settings tell without the data.

use crate::data::Source;
use crate::experiment::{Init, Model, OptimizerKind, Settings, Training};
use crate::study::forecast::REFERENCE_RATE;
use crate::study::net::{CE, EXPONENTIAL};

/// Gradients that a flow takes to the usual ends, measured: most take between half and twice as many.
const OF_A_FLOW: f64 = 2000.0;
/// Samples whose passes cost as much as what every step costs besides.
const BESIDES: f64 = 180.0;
/// Seconds that a run takes besides: predictions, spectra, files.
const OVERHEAD: f64 = 0.1;
/// Numbers of a sample from a file, of which only the data know.
const OF_A_FILE: usize = 16;

/// Kernels that a snapshot takes: with a burst those of the point, of its quarters and of their mean.
const OF_A_BURST: f64 = 6.0;

/// Seconds on one core of the machine of [`REFERENCE_RATE`], see [`crate::study::grid::Job::work`]: three products of every
/// sample with every parameter a gradient, and the kernel of every snapshot.
pub(crate) fn seconds(settings: &Settings) -> f64 {
    let Settings { model, training } = settings;
    let (samples, inputs) = size(model);
    let widths = model.hidden();
    let outputs = model.outputs.unwrap_or(1);
    let mut parameters = inputs * widths[0] + widths.last().copied().unwrap_or(0) * outputs;
    parameters += widths.windows(2).map(|pair| pair[0] * pair[1]).sum::<usize>();
    let copies = if model.init == Init::Mirrored { 2.0 } else { 1.0 };
    let (samples, parameters) = (samples as f64, parameters as f64);
    let passes = 3.0 * gradients(training) * parameters * (samples + model.held_out as f64 + BESIDES);
    let neurons: usize = widths.iter().sum();
    OVERHEAD + copies * passes / REFERENCE_RATE + copies * of_kernels(model, training, neurons)
}

/// Seconds of the kernels of all snapshots of a network with so many neurons, of one copy.
pub(crate) fn of_kernels(model: &Model, training: &Training, neurons: usize) -> f64 {
    let (samples, inputs) = size(model);
    let each = if training.core_burst().is_some() { OF_A_BURST } else { 1.0 };
    let kernel = 2.0 * (samples as f64).powi(2) * (inputs + neurons) as f64;
    each * training.most_snapshots() as f64 * kernel / REFERENCE_RATE
}

/// Numbers of a sample.
pub(crate) fn inputs(model: &Model) -> usize {
    size(model).1
}

/// Samples, and numbers of each.
fn size(model: &Model) -> (usize, usize) {
    let (samples, inputs) = match &model.data {
        Source::Circle => (6, 2),
        Source::Conflicting => (24, 2),
        Source::Sphere => (64, model.dimension.unwrap_or(3)),
        Source::Mixture => (64, model.dimension.unwrap_or(2)),
        Source::Mnist | Source::FashionMnist => (10_000, 784),
        Source::Cifar10 => (10_000, 3072),
        Source::File(_) => (200, OF_A_FILE),
    };
    (model.n.unwrap_or(samples), inputs)
}

fn gradients(training: &Training) -> f64 {
    let most = training.max_steps as f64;
    match (training.optimizer, training.rate) {
        (OptimizerKind::Gd, Some(rate)) => most.min((training.until_time / rate).max(1.0)),
        // what has a least value comes to rest
        _ if ![CE, EXPONENTIAL].contains(&training.loss) => OF_A_FLOW.min(4.0 * most) * 0.4,
        _ => OF_A_FLOW.min(4.0 * most),
    }
}
