//! Figures 1 and 3: what is run, and what is read of the runs.

use std::path::Path;

use super::{NETWORKS, circle_claims, circle_figures, ended};
use crate::analysis::statistics::{Curve, larger};
use crate::data::{CurveSource, Source};
use crate::experiment::{Init, Model, OptimizerKind, ReadingKind, Settings, Training};
use crate::files::Dtype;
use crate::run::TraceRow;
use crate::study::Error;
use crate::study::cell::{Cell, Finished};
use crate::study::judge::Measured;
use crate::study::net::{CE, Net, Regularization};
use crate::study::options::Options;
use crate::study::paper::Part;
use crate::study::plan::{Findings, Plan};
use crate::study::training_run::TrainingRun;
use crate::words::count;

/// Width of the figures.
const WIDTH: usize = 2000;
/// Learning rate.
pub(super) const RATE: f64 = 0.1;
/// Samples n: by so much faster is descent on the sum.
pub(super) const SAMPLES: f64 = 6.0;
/// Epochs of figure 1.
pub(super) const EPOCHS: u64 = 10_000;
/// Epochs of figure 3.
pub(super) const LAST_EPOCH: u64 = 200_000;
/// The flow's end: the last epoch of descent on the sum.
const UNTIL: f64 = RATE * SAMPLES * LAST_EPOCH as f64;

/// What descent was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Norm {
    /// the mean of the losses
    Mean,
    /// the sum of the losses, as (2.3) has it
    Sum,
}

impl Norm {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Mean, Self::Sum];

    /// Time of the flow on the mean loss after so many epochs.
    pub(super) fn time(self, epoch: u64) -> f64 {
        let rate = match self {
            Self::Mean => RATE,
            Self::Sum => RATE * SAMPLES,
        };
        rate * epoch as f64
    }
    /// As people say it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Mean => "mean loss",
            Self::Sum => "sum of the losses",
        }
    }
    fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Sum => "sum",
        }
    }
}

/// The runs of figures 1 and 3.
pub(super) struct Circle(Vec<Cell>);

/// The flows of one network, and the descents beside them, all of which ended as planned.
pub(super) struct Runs {
    /// the network
    pub(super) net: Net,
    /// gradient flow on the mean loss, a run a seed
    pub(super) flows: Vec<Finished>,
    /// gradient descent from the first seed
    pub(super) descents: Vec<(Norm, Finished)>,
    /// runs that failed, and so are left out
    pub(super) failed: usize,
}

impl Circle {
    /// The flow of both networks over seeds, and descent on both losses from one seed.
    pub(super) fn new(part: &'static Part, options: &Options) -> Self {
        let seeds = options.seeds.unwrap_or(if options.full { 8 } else { 6 });
        let mut cells = Vec::new();
        for net in NETWORKS.into_iter().filter(|net| options.has_network(net.kind)) {
            cells.extend((0..seeds).map(|seed| cell(part, net, seed, None)));
            // the network that the figures show
            if options.full || net == NETWORKS[0] {
                // the last epoch is in figure 3 alone, which fits the sum
                let last = |norm| options.full && net == NETWORKS[0] && norm == Norm::Sum;
                let epochs = |norm| if last(norm) { LAST_EPOCH } else { EPOCHS };
                cells.extend(Norm::ALL.map(|norm| cell(part, net, 0, Some((norm, epochs(norm))))));
            }
        }
        Self(cells)
    }
}

/// A run by the flow, or by descent for so many epochs.
fn cell(part: &'static Part, net: Net, seed: u64, descent: Option<(Norm, u64)>) -> Cell {
    let circle = Model { data: Source::Circle, init: Init::Standard, seed, dtype: Dtype::F32, ..Model::default() };
    let model = net.model(WIDTH, &circle);
    let recorded = Training {
        loss: CE,
        snapshots: 40,
        reading: ReadingKind::Point,
        profile: Some(CurveSource::Circle),
        predictions: Some(false),
        ..Training::default()
    };
    let parameters = (net.matrices() * WIDTH * WIDTH) as f64;
    let (how, training, evaluations) = match descent {
        None => ("flow".to_owned(), Training { until_time: UNTIL, ..recorded }, 500.0),
        Some((norm, epochs)) => {
            let training = Training {
                optimizer: OptimizerKind::Gd,
                rate: Some(RATE),
                loss_sum: norm == Norm::Sum,
                // in the time of the loss that descends, whichever it is
                until_time: 2.0 * RATE * epochs as f64,
                max_steps: epochs,
                ..recorded
            };
            (format!("descent-{}-epochs{epochs}", norm.name()), training, epochs as f64)
        }
    };
    Cell {
        run: TrainingRun {
            id: format!("{}-{}-{how}-s{seed}", part.name, net.name()),
            settings: Settings { model, training },
            // parameters are read and written from memory; a snapshot passes 361 inputs
            work: parameters * (evaluations * 1.6e-9 + 40.0 * 8e-8),
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

impl Plan for Circle {
    fn cells(&self) -> &[Cell] {
        &self.0
    }
    fn findings(&self, finished: &[Finished], _: &Path) -> Result<Findings, Error> {
        let all: Vec<Runs> = NETWORKS.into_iter().filter_map(|net| Runs::of(net, finished)).collect();
        let seeds = all.iter().map(|runs| runs.flows.len()).max().unwrap_or(0);
        let findings = Findings {
            sizes: format!("{}.", count(seeds, "seed")),
            claims: all.iter().flat_map(circle_claims::all).collect(),
            figures: circle_figures::all(&all),
            tables: vec![circle_figures::along(&all)],
            judged: Some(Box::new(move |rows| circle_figures::beside_the_paper(&all, rows))),
            ..Findings::default()
        };
        Ok(findings.without_failed(finished))
    }
}

impl Runs {
    fn of(net: Net, finished: &[Finished]) -> Option<Self> {
        let (ended, failed) = ended(finished, |cell| cell.net == net);
        let norm = |run: &Finished| match run.cell.run.settings.training {
            Training { optimizer: OptimizerKind::Gd, loss_sum: true, .. } => Some(Norm::Sum),
            Training { optimizer: OptimizerKind::Gd, .. } => Some(Norm::Mean),
            Training { .. } => None,
        };
        Some(Self {
            net,
            descents: ended.iter().filter_map(|run| Some((norm(run)?, run.clone()))).collect(),
            flows: ended.into_iter().filter(|run| norm(run).is_none()).collect(),
            failed,
        })
        .filter(|runs: &Self| !runs.flows.is_empty())
    }

    /// Something of every flow.
    pub(super) fn over_seeds(&self, value: impl Fn(&Finished) -> Option<f64>) -> Measured {
        Measured::of(self.flows.iter().map(value), "not every run got that far")
    }
}

/// A column at time t of the flow on the mean loss.
pub(super) fn at(run: &Finished, t: f64, column: impl Fn(&TraceRow) -> f64) -> Option<f64> {
    let rows = run.trace.rows.iter().filter(|row| row.finite);
    reading(&Curve::new(rows.map(|row| (row.log_time, column(row)))), t)
}

/// A curve over ln(1 + t) at time t, of which a run in f32 may end a rounding before it.
fn reading(curve: &Curve, t: f64) -> Option<f64> {
    let (_, end) = curve.range()?;
    let at = t.ln_1p();
    curve.at(if at > end && at < end + 1e-3 { end } else { at })
}

/// K_t(x_0, x) at an angle between x and x_0, in radians, at time t.
pub(super) fn kernel_at(run: &Finished, t: f64, angle: f64) -> Option<f64> {
    let along = run.profile.snapshots().filter_map(|rows| {
        let kernel = Curve::new(rows.iter().map(|row| (row.position, row.kernel))).at(angle)?;
        Some((rows.first()?.log_time, kernel))
    });
    reading(&Curve::new(along), t)
}

/// Largest |K_t(x_0, x) - Theta(x_0, x)| along the circle and up to time t.
pub(super) fn farthest_on_circle(run: &Finished, t: f64) -> f64 {
    let rows = run.profile.rows.iter().filter(|row| row.log_time <= t.ln_1p());
    rows.map(|row| (row.kernel - row.analytic).abs()).fold(0.0, larger)
}

/// The margin u of kernel logistic regression with the fixed NTK from f_0 = 0: u + e^u - 1 = lambda_0 t/n, on the mean loss.
pub(super) fn fixed_margin(lambda: f64, t: f64) -> f64 {
    let target = lambda * t / SAMPLES;
    // Newton's method on a convex function from the right of its root
    (0..60).fold(target.ln_1p(), |u: f64, _| u - (u + u.exp_m1() - target) / (1.0 + u.exp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_margin_is_the_reference() {
        // 40-digit values for lambda_0 of three layers without biases
        for (t, u) in [(10.0, 0.8546), (100.0, 2.9984), (1e3, 5.3759), (1e4, 7.6955), (1e5, 10.0007)] {
            let here = fixed_margin(1.323_100_650_4, t);
            assert!((here - u).abs() < 5e-5, "{t} {here}");
        }
    }

    #[test]
    fn epochs_of_the_sum_are_faster() {
        assert_eq!([Norm::Mean.time(EPOCHS), Norm::Sum.time(EPOCHS)].map(f64::round), [1000.0, 6000.0]);
    }
}
