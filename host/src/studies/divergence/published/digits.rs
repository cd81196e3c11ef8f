//! Figure 4: digits by gradient descent, above the stable rate and below.

use std::path::Path;

use super::reading::spread;
use super::{NETWORKS, digits_figures, ended};
use crate::data::{ClassSelection, Normalize, Source};
use crate::experiment::{Init, KeptKernels, Model, OptimizerKind, Settings, Training};
use crate::files::Dtype;
use crate::report::Kind;
use crate::run::TraceRow;
use crate::study::Error;
use crate::study::cell::{Cell, Finished};
use crate::study::claim::{Claim, Subject, Theory, state_all};
use crate::study::judge::Measured;
use crate::study::net::{CE, Net, Regularization};
use crate::study::options::Options;
use crate::study::paper::Part;
use crate::study::plan::{Findings, Plan};
use crate::study::training_run::TrainingRun;

/// Images; the paper's number is not stated.
pub(super) const IMAGES: usize = 128;
/// Width of the figure.
const WIDTH: usize = 500;
/// The paper's learning rate, and one that is stable from the first step.
const RATES: [f64; 2] = [0.5, 0.05];
/// The epochs that the figure leaves out.
pub(super) const LEFT_OUT: u64 = 10;

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
    /// runs that failed, and so are left out
    failed: usize,
}

impl Digits {
    /// Both networks at both rates over seeds.
    pub(super) fn new(part: &'static Part, options: &Options) -> Self {
        // the network that the other figures show decides; the other is beside it
        let seeds = move |net: Net| match (options.seeds, options.full) {
            (Some(seeds), _) => seeds,
            // of the full grid runs are up to sixty times as long
            (None, false) if net == NETWORKS[0] => 6,
            (None, _) => 3,
        };
        // the figure's 100,000 at its rate; at the other, which it does not have, as many as show that nothing happens
        let epochs = |rate: f64| match (options.full, rate == RATES[0]) {
            (true, true) => 100_000,
            (true, false) => 10_000,
            (false, _) => 1_500,
        };
        let nets = NETWORKS.into_iter().filter(|net| options.has_network(net.kind));
        let of = |net| RATES.into_iter().flat_map(move |rate| (0..seeds(net)).map(move |seed| (net, rate, seed)));
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
            id: format!("{}-{}-rate{rate}-s{seed}", part.name, net.name()),
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
    fn subject(&self) -> Subject {
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

fn largest(run: &Finished, column: fn(&TraceRow) -> f64) -> Option<f64> {
    run.trace.rows.iter().map(column).filter(|v| v.is_finite()).reduce(f64::max)
}

/// How far below its largest value along the run a column ends.
fn fall(run: &Finished, column: fn(&TraceRow) -> f64) -> Option<f64> {
    Some(largest(run, column)? - column(run.trace.rows.last()?))
}

static CLAIMS: &[Claim<AtRate>] = &[
    Claim {
        name: "A5 figure 4: descent starts above the stable rate",
        place: "figure 4; derived: stable below reading 1",
        kind: Kind::Claim,
        about: AtRate::subject,
        measure: |at| {
            at.over_seeds(|run| {
                let early = run.trace.rows.iter().filter(|row| row.step <= LEFT_OUT);
                early.map(|row| row.stability).filter(|v| v.is_finite()).reduce(f64::max)
            })
        },
        theory: |at| {
            Some(if at.is_the_papers() { Theory::at_least(1.0).said("> 1") } else { Theory::at_most(1.0).said("< 1") })
        },
        note: |at| {
            let peak = at.over_seeds(|run| Some(largest(run, |row| row.loss)? / run.trace.rows.first()?.loss));
            format!(
                "largest stability reading, rate × sharpness/2, at the snapshots of the first {LEFT_OUT} epochs; the loss rises to {} times its start",
                spread(&peak)
            )
        },
        failing: "",
    },
    Claim {
        name: "A5 figure 4: the kernel comes back towards K_{0}",
        place: "figure 4, which leaves out the first 10 epochs",
        kind: Kind::Claim,
        about: AtRate::subject,
        measure: |at| at.over_seeds(|run| fall(run, |row| row.drift_fro)),
        theory: |at| {
            // between 0.05 and 0, which an independent program found at these rates
            Some(match at.is_the_papers() {
                true => Theory::at_least(0.03).said("> 0.03; 0 if the drift only grows"),
                false => Theory::at_most(0.03).said("< 0.03; 0 if the drift only grows"),
            })
        },
        note: |at| {
            let peak = spread(&at.over_seeds(|run| largest(run, |row| row.drift_fro)));
            let fallen = spread(&at.over_seeds(|run| {
                let first = run.trace.rows.first()?.lambda_max;
                Some(run.trace.rows.iter().map(|row| row.lambda_max).fold(f64::INFINITY, f64::min) / first)
            }));
            let last = spread(
                &at.over_seeds(|run| Some(run.trace.rows.last()?.lambda_max / run.trace.rows.first()?.lambda_max)),
            );
            format!(
                "largest relative drift along the run, {peak}, less that at the last epoch; λ_{{max}}(K_{{t}}) falls to {fallen} of its start and \
                 ends at {last} of it"
            )
        },
        failing: "",
    },
];

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
                    all.push(AtRate { net, rate, runs, failed });
                }
            }
        }
        let mut figures = Vec::new();
        for net in NETWORKS {
            let of_net: Vec<&AtRate> = all.iter().filter(|at| at.net == net).collect();
            if !of_net.is_empty() {
                figures.push(digits_figures::drifts(&of_net));
                figures.extend(digits_figures::values(&of_net, study)?);
            }
        }
        let tables = all.iter().map(digits_figures::along).collect();
        let claims = all.iter().flat_map(|at| state_all(CLAIMS, at)).collect();
        let sizes = format!("{} images.", finished.first().map_or(IMAGES, |run| run.samples));
        Ok(Findings { sizes, claims, figures, tables, ..Findings::default() }.without_failed(finished))
    }
}
