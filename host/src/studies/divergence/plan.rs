//! The grid of the study "divergence": what is run, on what, how far.

use ntkscope_core::network::{Activation, Bias};

use crate::data::{ClassSelection, CurveSource, Source};
use crate::experiment::{Init, LossKind, Model, NetworkKind, Settings, Training};
use crate::study::cell::Cell;
use crate::study::net::{CE, EXPONENTIAL, HINGE, MSE, Net, Regularization};
use crate::study::options::Options;
use crate::study::paper::Part;
use crate::study::training_run::TrainingRun;
use crate::study::work;

/// A part's runs, and where they end.
#[derive(Clone)]
pub struct Grid {
    nets: Vec<Net>,
    widths: Vec<usize>,
    /// the widest residual networks, of which every block has two matrices
    widest_residual: usize,
    inits: Vec<Init>,
    losses: Vec<LossKind>,
    seeds: u64,
    samples: usize,
    held_out: usize,
    outputs: usize,
    data: Model,
    /// what ids say of another number of samples or of snapshots, so that results of both can be kept
    variant: String,
    /// mean margin at which losses end that have no least value
    margin: f64,
    max_steps: u64,
    /// of the integrator, where it is another than that of a run
    tolerance: Option<f64>,
    /// those that a run takes, as measured, for the forecast of its time
    gradients: Gradients,
    snapshots: usize,
    /// whether the kernels' predictions are made beside the runs
    predictions: bool,
    /// widths at which the kernel is read along the circle too: on 60 times as many inputs
    profiles: Vec<usize>,
}

#[derive(Clone, Copy)]
struct Gradients {
    /// of losses whose margins grow for ever, until the margin is reached
    endless: f64,
    /// of losses that come to rest
    finite: f64,
}

const RESIDUAL: Net = Net::resnet(2, 1.0);

/// The network of (2.1) with this many hidden layers.
pub const fn papers_fcn(depth: usize) -> Net {
    Net::fcn(depth).with_bias(Bias::Hidden)
}

/// That of (2.2) with this many blocks of branch scale 1.
pub const fn papers_resnet(blocks: usize) -> Net {
    Net::resnet(blocks, 1.0).with_bias(Bias::Hidden)
}

/// Three antipodal pairs, on many widths.
pub fn six_points(options: &Options) -> Grid {
    let full = options.full;
    Grid {
        nets: if full {
            vec![Net::fcn(2), Net::fcn(3), RESIDUAL, Net::resnet(2, 0.5)]
        } else {
            vec![Net::fcn(2), RESIDUAL]
        },
        widths: if full { vec![64, 128, 256, 512, 1024] } else { vec![32, 64, 128, 256, 512] },
        widest_residual: if full { 512 } else { 256 },
        inits: vec![Init::Mirrored, Init::Standard],
        losses: vec![CE, MSE],
        seeds: 8,
        samples: 6,
        held_out: 6,
        outputs: 1,
        data: samples_of(Source::Circle, 6, 6),
        variant: if full { "-full".into() } else { String::new() },
        margin: 16.0,
        max_steps: MAX_STEPS,
        tolerance: None,
        gradients: Gradients { endless: 2120.0, finite: 850.0 },
        // each is a burst of twenty steps
        snapshots: if full { 64 } else { 32 },
        predictions: true,
        profiles: Vec::new(),
    }
}

/// The same points, the networks as the paper defines them, from their own initialization.
pub fn theorems(options: &Options) -> Grid {
    let full = options.full;
    Grid {
        nets: vec![papers_fcn(3), papers_resnet(2)],
        widths: if full { vec![32, 128, 256, 512, 1024] } else { vec![32, 128, 512] },
        widest_residual: if full { 512 } else { 128 },
        inits: vec![Init::Standard],
        losses: vec![CE],
        held_out: 0,
        data: samples_of(Source::Circle, 6, 0),
        predictions: false,
        profiles: vec![128],
        ..six_points(options)
    }
}

/// The same of fully connected networks of several depths.
pub fn depths(options: &Options) -> Grid {
    let nets = [2, 3, 4, 5].map(papers_fcn).into();
    Grid { nets, widths: vec![64, 256], profiles: vec![64], ..theorems(options) }
}

/// The same of a smooth activation, under which no unit rests on a kink.
pub fn smooth(options: &Options) -> Grid {
    let nets = [2, 3].map(|depth| papers_fcn(depth).with_activation(Activation::Erf)).into();
    Grid { nets, ..depths(options) }
}

/// The same points under losses of other tails.
pub fn losses(options: &Options) -> Grid {
    Grid {
        widths: vec![64, 128, 256, 512],
        inits: vec![Init::Mirrored],
        losses: vec![CE, EXPONENTIAL, HINGE],
        held_out: 0,
        data: samples_of(Source::Circle, 6, 0),
        predictions: false,
        ..six_points(options)
    }
}

/// The same points in other parametrizations, whose kernels that are fixed predict nothing: one hidden layer, and two, which cost much
/// more.
pub fn parametrizations(options: &Options) -> [Grid; 2] {
    let [shallow, deep] = super::parametrizations::nets();
    let grid = |nets: [Net; 3], widest: usize| Grid {
        nets: nets.into(),
        widths: (5..).map(|power| 1 << power).take_while(|width| *width <= widest).collect(),
        inits: vec![Init::Mirrored],
        losses: vec![CE],
        held_out: 0,
        data: samples_of(Source::Circle, 6, 0),
        margin: super::parametrizations::COMPARED,
        predictions: false,
        ..six_points(options)
    };
    [grid(shallow, 4096), grid(deep, 1024)]
}

/// Two antipodal points, with kinks and without.
pub fn kinks() -> Grid {
    Grid {
        nets: vec![Net::fcn(1), Net::fcn(1).with_activation(Activation::Erf)],
        widths: [4, 5, 6, 7, 8].map(|power| 1 << (2 * power)).into(),
        inits: vec![Init::Mirrored],
        losses: vec![CE],
        seeds: 32,
        samples: 2,
        held_out: 0,
        margin: 4.0,
        snapshots: 32,
        predictions: false,
        ..small(samples_of(Source::Circle, 2, 0), Gradients { endless: 45.0, finite: 45.0 })
    }
}

/// The six points, with kinks and without, beside their linearizations.
pub fn lag() -> Grid {
    Grid {
        widths: [4, 5, 6, 7].map(|power| 1 << (2 * power)).into(),
        seeds: 8,
        samples: 6,
        margin: 2.0,
        predictions: true,
        data: samples_of(Source::Circle, 6, 0),
        // times that differ by less than a hundredth are compared
        tolerance: Some(0.001),
        // 3,400 with kinks, 40 without
        gradients: Gradients { endless: 1700.0, finite: 1700.0 },
        ..kinks()
    }
}

/// Handwritten digits.
pub fn mnist(options: &Options) -> Grid {
    let seeds = if options.full { 3 } else { 1 };
    Grid { widths: vec![128, 256, 512, 1024], seeds, ..digits(options, options.n.unwrap_or(256)) }
}

/// Many of them.
pub fn mnist_large(options: &Options) -> Grid {
    Grid { widths: vec![128, 512], seeds: 1, variant: String::new(), ..digits(options, 1024) }
}

/// All ten classes of them, an output each.
pub fn mnist_classes(options: &Options) -> Grid {
    let parity = digits(options, 64);
    let data = Model { classes: Some(ClassSelection::All), ..parity.data };
    Grid { data, outputs: 10, widths: vec![64, 128, 256], variant: String::new(), ..parity }
}

fn digits(options: &Options, n: usize) -> Grid {
    let data = Model {
        data_dir: options.data_dir.clone(),
        classes: Some(ClassSelection::Parity),
        ..samples_of(Source::Mnist, n, 64)
    };
    // the more the more images. Measured at width 128 and margin 8: for 64 and 256 digits 1739 and 5267 gradients under cross-entropy,
    // 2507 and some 20,000 under squared error, about one a step
    let of = |of_64: f64, power: f64, of_a_step: f64| {
        (of_64 * (n as f64 / 64.0).powf(power)).min(of_a_step * MAX_STEPS as f64)
    };
    let gradients = Gradients { endless: of(1739.0, 0.8, 4.0), finite: of(2507.0, 1.6, 1.1) };
    Grid { samples: n, held_out: 64, variant: options.n_in_ids(), ..small(data, gradients) }
}

/// Points on the sphere.
pub fn sphere() -> Grid {
    // 2,100 to 11,000 to margin 8; 4,500 to 21,900, the bound on steps, to loss 1e-8
    small(samples_of(Source::Sphere, 32, 32), Gradients { endless: 6700.0, finite: 14_000.0 })
}

/// Clusters that a linear function separates.
pub fn separable() -> Grid {
    // learnt at once: 400 to 840 under either loss
    let gradients = Gradients { endless: 500.0, finite: 500.0 };
    small(Model { dimension: Some(32), ..samples_of(Source::Mixture, 32, 32) }, gradients)
}

/// Clusters that none separates.
pub fn mixture() -> Grid {
    // 3,500 to 16,000 to margin 8; 8,400 to 21,900, the bound on steps, to loss 1e-8
    small(samples_of(Source::Mixture, 32, 32), Gradients { endless: 7900.0, finite: 19_400.0 })
}

/// 32 samples and as many held out.
fn small(data: Model, gradients: Gradients) -> Grid {
    Grid {
        nets: vec![Net::fcn(2), RESIDUAL],
        widths: vec![64, 128, 256, 512, 1024],
        widest_residual: 512,
        inits: vec![Init::Mirrored],
        losses: vec![CE, MSE],
        seeds: 3,
        samples: 32,
        held_out: 32,
        outputs: 1,
        data,
        variant: String::new(),
        margin: 8.0,
        max_steps: MAX_STEPS,
        tolerance: None,
        gradients,
        snapshots: 64,
        predictions: true,
        profiles: Vec::new(),
    }
}

/// A network too narrow for the data never gets to the end.
const MAX_STEPS: u64 = 20_000;

fn samples_of(source: Source, n: usize, held_out: usize) -> Model {
    Model { data: source, n: Some(n), held_out, ..Model::default() }
}

impl Grid {
    /// Every run, with the widths and seeds that the options have instead.
    pub fn cells(&self, part: &'static Part, options: &Options) -> Vec<Cell> {
        let mut cells = Vec::new();
        for net in self.nets.iter().filter(|net| options.has_network(net.kind)) {
            let widest = if net.kind == NetworkKind::Resnet { self.widest_residual } else { usize::MAX };
            let own: Vec<usize> = self.widths.iter().copied().filter(|width| *width <= widest).collect();
            let widths = options.widths_or(&own);
            // of other widths the widest
            let is_among = self.profiles.iter().any(|profiled| widths.contains(profiled));
            let profiles = match widths.iter().max() {
                Some(widest) if !is_among && !self.profiles.is_empty() => vec![*widest],
                _ => self.profiles.clone(),
            };
            let here = Self { profiles, ..self.clone() };
            for width in &widths {
                for init in &self.inits {
                    for loss in &self.losses {
                        for seed in 0..options.seeds.unwrap_or(self.seeds) {
                            cells.push(here.cell(part, *net, *width, *init, *loss, seed));
                        }
                    }
                }
            }
        }
        cells
    }

    fn cell(&self, part: &'static Part, net: Net, width: usize, init: Init, loss: LossKind, seed: u64) -> Cell {
        let model = Model { init, seed, ..net.model(width, &self.data) };
        // margins grow for ever under an exponential tail; squared error and hinge loss come to rest
        let endless = loss.has_tail();
        let own = Training::default();
        let training = Training {
            loss,
            until_time: if endless { f64::INFINITY } else { 1e6 },
            until_margin: endless.then_some(self.margin),
            until_loss: (!endless).then_some(1e-8),
            max_steps: self.max_steps,
            tolerance: self.tolerance.unwrap_or(own.tolerance),
            snapshots: self.snapshots,
            predictions: Some(self.predictions),
            profile: self.profiles.contains(&width).then_some(CurveSource::Circle),
            ..own
        };
        // parameters moved, which takes as long as products with 180 samples, and those
        let copies = if init == Init::Mirrored { 2.0 } else { 1.0 };
        let parameters = (net.matrices() * width * width + work::inputs(&model).max(16) * width) as f64;
        let gradients = if endless { self.gradients.endless } else { self.gradients.finite };
        // that of the inputs of a curve, which are many, but seldom passed
        let profile = if training.profile.is_some() { 350 } else { 0 };
        let outputs = (1 + self.outputs) as f64 / 2.0;
        let products = parameters * outputs * (self.samples + self.held_out + 180 + profile) as f64;
        let work = copies
            * (products * gradients * 5.66e-11 + work::of_kernels(&model, &training, (net.matrices() + 1) * width));
        let id = format!("{}{}-{}-w{width}-{loss}-{init}-s{seed}", part.name, self.variant, net.name());
        let (settings, regularization) = (Settings { model, training }, Regularization::Plain);
        let run = TrainingRun { id, settings, work };
        Cell { run, part, net, init, regularization, loss, width, seed }
    }
}
