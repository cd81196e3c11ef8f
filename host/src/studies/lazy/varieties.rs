//! Which ensembles the study has.

use ntkscope_core::network::Activation;

use super::ensemble::{Ensemble, Start, on_the_circle};
use super::plan::until_the_end;
use crate::experiment::{Init, LossKind, Model, Settings, Training};
use crate::study::cell::Cell;
use crate::study::kept::Kept;
use crate::study::net::{CE, MSE, Net, Regularization};
use crate::study::options::Options;
use crate::study::paper::Part;
use crate::study::training_run::TrainingRun;

/// Ensembles that differ in nothing but their width.
struct Variety {
    net: Net,
    init: Init,
    classes: usize,
    loss: LossKind,
    regularization: Regularization,
    /// of targets, beside a penalty
    smoothing: f64,
    start: Start,
    /// of the quick study; none: it is not in it
    quick: &'static [usize],
    /// of the full one
    full: &'static [usize],
}

/// Soft targets of margin 2.2.
const SOFT: Regularization = Regularization::Smoothing(0.2);
/// 0.3 in the convention of the sum of the losses.
const PENALTY: f64 = 0.3 / 6.0;
const PENALIZED: Regularization = Regularization::Penalty(PENALTY);

const PLAIN: Variety = Variety {
    net: Net::fcn(1),
    init: Init::Standard,
    classes: 2,
    loss: CE,
    regularization: SOFT,
    smoothing: 0.0,
    start: Start::Network,
    quick: &[64, 512, 2048],
    full: &[64, 512, 2048, 8192],
};

const NARROW: Variety = Variety { quick: &[64, 512], full: &[64, 256, 1024], ..PLAIN };
const MIRRORED: Variety = Variety { init: Init::Mirrored, quick: &[], full: &[64, 512, 2048], ..PLAIN };
const RESNET: Variety = Variety { net: Net::resnet(1, 1.0), quick: &[64, 128], full: &[64, 128, 256], ..PLAIN };

/// Networks that start from their own outputs. Mirrored ones with soft targets of margin 0.2 move a tenth as far, those with the
/// error function for activation have no kinks: what the mean of the others is off by comes from kinks that pass a sample.
static OWN: &[Variety] = &[
    PLAIN,
    Variety { regularization: PENALIZED, full: &[64, 512, 2048], ..PLAIN },
    Variety { classes: 3, ..NARROW },
    Variety { net: Net::fcn(1).with_activation(Activation::Erf), quick: &[512, 2048], full: &[64, 512, 2048], ..PLAIN },
    MIRRORED,
    Variety {
        regularization: Regularization::Smoothing(0.9),
        quick: &[512, 2048],
        full: &[512, 2048, 8192],
        ..MIRRORED
    },
    Variety { regularization: PENALIZED, ..MIRRORED },
    Variety { classes: 3, regularization: PENALIZED, quick: &[], ..NARROW },
    RESNET,
    Variety { regularization: PENALIZED, quick: &[], ..RESNET },
];

/// Networks whose outputs at the start are drawn from the prior of the posterior. Under cross-entropy a tenth of it, where the
/// outputs are linear in them, and targets that stay probabilities; under squared error, where they are linear in any case, in
/// the unit in which the prior is GP(0, T) and the noise has the variance n LAMBDA.
static BAYES: &[Variety] = &[
    Variety { start: Start::Prior { scale: 0.1, noisy: false }, ..FROM_THE_PRIOR },
    Variety { start: Start::Prior { scale: 0.1, noisy: true }, ..FROM_THE_PRIOR },
    Variety {
        loss: MSE,
        smoothing: 0.0,
        // the root of 0.3
        start: Start::Prior { scale: 0.547_722_557_505_166_1, noisy: true },
        ..FROM_THE_PRIOR
    },
];

const FROM_THE_PRIOR: Variety =
    Variety { regularization: PENALIZED, smoothing: 0.4, quick: &[256, 1024], full: &[256, 1024], ..PLAIN };

/// The ensembles that start from their own outputs, by variety, narrow to wide.
pub fn ensembles(part: &'static Part, options: &Options) -> Vec<Kept<Ensemble>> {
    all(part, options, OWN)
}

/// The ensembles that start from a draw of the prior, by variety, narrow to wide.
pub fn bayes(part: &'static Part, options: &Options) -> Vec<Kept<Ensemble>> {
    all(part, options, BAYES)
}

fn all(part: &'static Part, options: &Options, varieties: &[Variety]) -> Vec<Kept<Ensemble>> {
    let of = |variety: &Variety| -> Vec<Kept<Ensemble>> {
        let own = if options.full { variety.full } else { variety.quick };
        let widths = if own.is_empty() { Vec::new() } else { options.widths_or(own) };
        widths.into_iter().map(|width| variety.ensemble(part, options, width)).collect()
    };
    varieties.iter().filter(|variety| options.has_network(variety.net.kind)).flat_map(of).collect()
}

impl Variety {
    fn ensemble(&self, part: &'static Part, options: &Options, width: usize) -> Kept<Ensemble> {
        let Self { net, init, classes, loss, regularization, smoothing, start, .. } = *self;
        let (networks, count) = if options.full { (1000, "-networks1000") } else { (400, "") };
        let model = on_the_circle(net.model(width, &Model { init, ..Model::default() }));
        let training = until_the_end(regularization);
        let smoothing = if smoothing > 0.0 { smoothing } else { training.smoothing };
        let training = Training { loss, smoothing, ..training };
        let mut id = format!("ensemble-{}-w{width}-{}", net.name(), regularization.name());
        let mut say = |said: bool, what: String| {
            if said {
                id.push_str(&what)
            }
        };
        say(init != Init::Standard, format!("-{init}"));
        say(classes > 2, format!("-classes{classes}"));
        say(loss != CE, format!("-{loss}"));
        if let Start::Prior { noisy, .. } = start {
            say(true, if noisy { "-prior-noisy".into() } else { "-prior".into() });
        }
        say(true, count.to_owned());
        let copies = if init == Init::Mirrored { 2.0 } else { 1.0 };
        let matrices = (net.matrices() * width) as f64;
        // a small network takes as many steps as one of 400 units has time for
        let of_units = width as f64 * copies * (1.0 + matrices / 60.0);
        let work = 1.5e-5 * networks as f64 * (400.0 + of_units);
        let settings = Settings { model, training };
        let run = TrainingRun { id: id.clone(), settings, work };
        let first = Cell { run, part, net, init, regularization, loss, width, seed: 0 };
        Kept { id, measurement: Ensemble { classes, start, networks, first } }
    }
}
