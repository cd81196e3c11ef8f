//! Figure 4: digits by gradient descent, above the stable rate and below.

use std::path::Path;

use super::digits_figures::{Diagonals, diagonals};
use super::reading::{Reading, as_read_off, spread};
use super::{NETWORKS, digits_figures, ended};
use crate::analysis::statistics::{Curve, larger, smaller};
use crate::data::{ClassSelection, Normalize, Source};
use crate::experiment::{Init, KeptKernels, Model, OptimizerKind, Settings, Training};
use crate::files::Dtype;
use crate::report::Kind;
use crate::run::TraceRow;
use crate::study::Error;
use crate::study::cell::{Cell, Finished};
use crate::study::claim::{Claim, Failing, Stated, Subject, Theory, UNEXPLAINED, state_all};
use crate::study::judge::Measured;
use crate::study::net::{CE, Net, Regularization};
use crate::study::options::Options;
use crate::study::paper::Part;
use crate::study::plan::{Findings, Judged, Plan};
use crate::study::training_run::TrainingRun;

/// Images; the paper's number is not stated.
pub(super) const IMAGES: usize = 128;
/// Width of the figure.
const WIDTH: usize = 500;
/// The paper's learning rate, and one that is stable from the first step.
const RATES: [f64; 2] = [0.5, 0.05];
/// The epochs that the figure leaves out.
pub(super) const LEFT_OUT: u64 = 10;
/// The epoch by which the kernel has come back, the last one of the quick study.
const BACK: u64 = 1_500;

/// Runs of descent on digits.
pub(super) struct Digits(Vec<Cell>);

/// The runs of one network at one rate.
pub(super) struct AtRate {
    /// the network
    pub(super) net: Net,
    /// the learning rate
    pub(super) rate: f64,
    /// a run a seed
    pub(super) runs: Vec<Finished>,
    /// K_t(x, x) of every image along each of them
    pub(super) diagonals: Vec<Diagonals>,
    /// runs that failed, and so are left out
    failed: usize,
}

impl Digits {
    /// Both networks at both rates over seeds.
    pub(super) fn new(part: &'static Part, options: &Options) -> Self {
        let seeds = options.seeds.unwrap_or(6);
        // the figure's 100,000 at its rate; at the other, which it does not have, as many as show that nothing happens
        let epochs = |rate: f64| match (options.full, rate == RATES[0]) {
            (true, true) => 100_000,
            (true, false) => 10_000,
            (false, _) => BACK,
        };
        let nets = NETWORKS.into_iter().filter(|net| options.has_network(net.kind));
        let of = |net| RATES.into_iter().flat_map(move |rate| (0..seeds).map(move |seed| (net, rate, seed)));
        Self(nets.flat_map(of).map(|(net, rate, seed)| cell(part, options, net, rate, seed, epochs(rate))).collect())
    }
}

fn cell(part: &'static Part, options: &Options, net: Net, rate: f64, seed: u64, epochs: u64) -> Cell {
    let digits = Model {
        data: Source::Mnist,
        data_dir: options.data_dir.clone(),
        classes: Some(ClassSelection::Parity),
        normalize: Some(Normalize::None),
        n: Some(IMAGES),
        init: Init::Standard,
        seed,
        dtype: Dtype::F32,
        ..Model::default()
    };
    let training = Training {
        loss: CE,
        optimizer: OptimizerKind::Gd,
        rate: Some(rate),
        until_time: 2.0 * rate * epochs as f64,
        max_steps: epochs,
        snapshots: 48,
        kernels: KeptKernels::All,
        predictions: Some(false),
        ..Training::default()
    };
    let parameters = (WIDTH * (784 + net.matrices() * WIDTH)) as f64;
    Cell {
        run: TrainingRun {
            id: format!("{}-{}-rate{rate}-epochs{epochs}-s{seed}", part.name, net.name()),
            settings: Settings { model: net.model(WIDTH, &digits), training },
            work: epochs as f64 * parameters * IMAGES as f64 * 7e-11,
        },
        part,
        net,
        init: Init::Standard,
        regularization: Regularization::Plain,
        loss: CE,
        width: WIDTH,
        seed,
    }
}

impl AtRate {
    pub(super) fn subject(&self) -> Subject {
        Subject {
            network: format!("{}, rate {}; figure-4", self.net.title(), self.rate),
            loss: CE.to_string(),
            init: "standard".into(),
            failed: self.failed,
        }
    }
    fn over_seeds(&self, value: impl Fn(&Finished) -> Option<f64>) -> Measured {
        Measured::of(self.runs.iter().map(value), "not every run got that far")
    }
    /// Whether the rate is the paper's.
    pub(super) fn is_the_papers(&self) -> bool {
        self.rate == RATES[0]
    }
    /// The row of a snapshot at this epoch or the last before it.
    pub(super) fn at(run: &Finished, epoch: u64) -> Option<&TraceRow> {
        run.trace.rows.iter().rfind(|row| row.step <= epoch)
    }
}

/// A value of figure 4: the mean over its three curves of K_t(x, x) over what it was at epoch 11.
pub(super) struct Risen {
    /// epoch
    pub(super) epoch: u64,
    /// read off
    pub(super) read: f64,
    /// two standard deviations of the mean of three images (one image's are 0.035, 0.05 and 0.06), and in quadrature the reading
    allowance: f64,
}

/// Read off figure 4: (739/713 + 759/735 + 550/532)/3, and so on.
pub(super) const RISES: [Risen; 3] = [
    Risen { epoch: 1_000, read: 1.034, allowance: 0.04 },
    Risen { epoch: 10_000, read: 1.076, allowance: 0.06 },
    Risen { epoch: 100_000, read: 1.119, allowance: 0.07 },
];

pub(super) static RISE: &[Claim<Reading>] = &[as_read_off(
    "A5 figure 4: the rise of K_{t}(x, x)",
    "figure 4",
    Failing {
        above: "the sign is the figure's, the size is not; the paper's number of images and their scale are not stated",
        ..UNEXPLAINED
    },
)];

impl Risen {
    /// Ours over the first snapshot from epoch `since` on, seed by seed: the mean over the images.
    pub(super) fn measured(&self, at: &AtRate, since: u64) -> Measured {
        let of_run = |along: &Diagonals| {
            let (_, from) = along.iter().find(|(step, _)| *step >= since)?;
            let mean = |now: &[f64]| now.iter().zip(from).map(|(now, from)| now / from).sum::<f64>() / now.len() as f64;
            let points = along.iter().filter(|(step, _)| *step > 0).map(|(step, now)| ((*step as f64).ln(), mean(now)));
            Curve::new(points).at((self.epoch as f64).ln())
        };
        Measured::of(at.diagonals.iter().map(of_run), "no run got that far")
    }

    /// The claim, of runs at the paper's rate that got that far.
    fn stated(&self, at: &AtRate) -> Vec<Stated> {
        let values = self.measured(at, LEFT_OUT + 1);
        if !at.is_the_papers() || values.values().is_empty() {
            return Vec::new();
        }
        let Self { epoch, read, allowance } = *self;
        let reason =
            "two standard deviations of the mean of three images and, in quadrature, the reading off the image";
        let from = at.diagonals.first().and_then(|along| along.iter().find(|(step, _)| *step > LEFT_OUT));
        let note = format!(
            "K_{{t}}(x, x) at epoch {epoch} over that at the first snapshot after epoch {LEFT_OUT}{}, mean over {IMAGES} images",
            from.map_or_else(String::new, |(step, _)| format!(
                " (epoch {step}; the figure begins at {})",
                LEFT_OUT + 1
            ))
        );
        state_all(RISE, &Reading { subject: at.subject(), values, read, allowance, reason, note })
    }
}

fn largest(run: &Finished, column: fn(&TraceRow) -> f64) -> Option<f64> {
    run.trace.rows.iter().map(column).filter(|v| v.is_finite()).reduce(larger)
}

/// The snapshot of the largest stability reading of the first [`LEFT_OUT`] epochs.
fn steepest(run: &Finished) -> Option<&TraceRow> {
    let early = run.trace.rows.iter().filter(|row| row.step <= LEFT_OUT && row.stability.is_finite());
    early.max_by(|a, b| a.stability.total_cmp(&b.stability))
}

/// How far below its largest value up to epoch [`BACK`] a column is there.
fn fall(run: &Finished, column: fn(&TraceRow) -> f64) -> Option<f64> {
    let rows = run.trace.rows.iter().take_while(|row| row.step <= BACK);
    let here = column(AtRate::at(run, BACK)?);
    rows.map(column).filter(|v| v.is_finite()).reduce(larger).map(|largest| largest - here)
}

/// What is said at the paper's rate, and its opposite of the control at the stable one.
static CLAIMS: &[Claim<AtRate>] = &[
    stability("A5 figure 4: descent passes the stable rate in its first ten epochs", |at| {
        at.is_the_papers().then(|| Theory::above(1.0))
    }),
    stability("A5 figure 4, control: descent stays below the stable rate", |at| {
        (!at.is_the_papers()).then(|| Theory::below(1.0))
    }),
    // between 0.05 and 0, which an independent program found at these rates
    coming_back("A5 figure 4: the kernel comes back towards K_{0}", |at| {
        at.is_the_papers().then(|| Theory::above(0.03).said("> 0.03; 0 if the drift only grows"))
    }),
    coming_back("A5 figure 4, control: the kernel does not come back", |at| {
        (!at.is_the_papers()).then(|| Theory::below(0.03).said("< 0.03; 0 if the drift only grows"))
    }),
];

const fn stability(name: &'static str, theory: fn(&AtRate) -> Option<Theory>) -> Claim<AtRate> {
    Claim {
        name,
        place: "figure 4; derived: stable below reading 1",
        kind: Kind::Claim,
        about: AtRate::subject,
        measure: |at| at.over_seeds(|run| Some(steepest(run)?.stability)),
        theory,
        note: |at| {
            let over_start = |of: fn(&Finished) -> Option<f64>| {
                spread(&at.over_seeds(|run| Some(of(run)? / run.trace.rows.first()?.loss)))
            };
            format!(
                "largest stability reading, rate × sharpness/2, at the snapshots of the first {LEFT_OUT} epochs; at epoch 0 it is {}. The loss at the \
                 snapshot of the largest reading is {} times that at the start, at its own peak {} times",
                spread(&at.over_seeds(|run| Some(run.trace.rows.first()?.stability))),
                over_start(|run| Some(steepest(run)?.loss)),
                over_start(|run| largest(run, |row| row.loss))
            )
        },
        failing: UNEXPLAINED,
    }
}

const fn coming_back(name: &'static str, theory: fn(&AtRate) -> Option<Theory>) -> Claim<AtRate> {
    Claim {
        name,
        place: "figure 4, which leaves out the first 10 epochs",
        kind: Kind::Claim,
        about: AtRate::subject,
        measure: |at| at.over_seeds(|run| fall(run, |row| row.drift_fro)),
        theory,
        note: |at| {
            let peak = spread(&at.over_seeds(|run| largest(run, |row| row.drift_fro)));
            let of_start = |epoch: u64| {
                spread(
                    &at.over_seeds(|run| Some(AtRate::at(run, epoch)?.lambda_max / run.trace.rows.first()?.lambda_max)),
                )
            };
            let fallen = spread(&at.over_seeds(|run| {
                let first = run.trace.rows.first()?.lambda_max;
                Some(run.trace.rows.iter().map(|row| row.lambda_max).fold(f64::INFINITY, smaller) / first)
            }));
            format!(
                "largest relative drift up to epoch {BACK} (of the whole run {peak}) less that at epoch {BACK}; λ_{{max}}(K_{{t}}) falls to {fallen} of \
                 its start, is at {} of it there and ends at {}",
                of_start(BACK),
                of_start(u64::MAX)
            )
        },
        failing: UNEXPLAINED,
    }
}

impl Plan for Digits {
    fn cells(&self) -> &[Cell] {
        &self.0
    }
    fn findings(&self, finished: &[Finished], study: &Path) -> Result<Findings, Error> {
        let mut all = Vec::new();
        for net in NETWORKS {
            for rate in RATES {
                let here = |cell: &Cell| cell.net == net && cell.run.settings.training.rate == Some(rate);
                let (runs, failed) = ended(finished, here);
                if !runs.is_empty() {
                    let diagonals = runs.iter().map(|run| diagonals(run, study)).collect::<Result<_, _>>()?;
                    all.push(AtRate { net, rate, runs, diagonals, failed });
                }
            }
        }
        let mut figures = Vec::new();
        for net in NETWORKS {
            let of_net: Vec<&AtRate> = all.iter().filter(|at| at.net == net).collect();
            if !of_net.is_empty() {
                figures.push(digits_figures::drifts(&of_net));
                figures.extend(digits_figures::values(&of_net));
            }
        }
        let tables = all.iter().map(digits_figures::along).collect();
        let of_figure = |at: &AtRate| RISES.iter().flat_map(|rise| rise.stated(at)).collect::<Vec<_>>();
        let claims = all.iter().flat_map(|at| state_all(CLAIMS, at).into_iter().chain(of_figure(at))).collect();
        let sizes = format!("{} images.", finished.first().map_or(IMAGES, |run| run.samples));
        let judged: Judged = Box::new(move |rows| vec![digits_figures::rises(&all, rows)]);
        let findings = Findings { sizes, claims, figures, tables, judged: Some(judged), ..Findings::default() };
        Ok(findings.without_failed(finished))
    }
}
