//! A training run: loss, optimizer, where it ends.

use ntkscope_core::loss::Loss;
use ntkscope_core::train::Optimizer;

use super::{non_negative, positive, range};
use crate::error::UsageError;
use crate::experiment::{BackendKind, LossKind, OptimizerKind, TrainingSettings};

/// Largest `--snapshots`.
pub const MAX_SNAPSHOTS: usize = 1024;

/// Largest n C for which predictions are made: they take (n C)^2 numbers and (n C)^3 operations a step.
pub const MAX_SIZE: usize = 2048;

/// One training run, resolved. [`LossKind::Both`] is two of them.
#[derive(Clone, Debug)]
pub struct Training {
    /// squared error or cross-entropy
    pub loss_kind: LossKind,
    /// the loss of this number of outputs
    pub loss: Loss,
    /// lambda of the mean loss
    pub penalty: f64,
    /// eps
    pub smoothing: f64,
    /// how the parameters move
    pub optimizer: Optimizer,
    /// where it ends
    pub stop: Stop,
    /// capacity of the record
    pub snapshots: usize,
    /// backend
    pub backend: BackendKind,
    /// whether fixed kernels' predictions are made for the same moments
    pub predictions: bool,
    /// the same as settings, every key filled in
    pub settings: TrainingSettings,
}

/// Where a run ends: at whichever comes first.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// time t
    pub time: f64,
    /// smallest margin
    pub margin: Option<f64>,
    /// mean loss
    pub loss: Option<f64>,
    /// steps
    pub steps: u64,
}

impl Training {
    /// Checks, and the run or the two runs that these settings mean for a network of `outputs` outputs.
    pub fn resolve(settings: &TrainingSettings, outputs: usize, samples: usize) -> Result<Vec<Self>, UsageError> {
        match settings.loss.unwrap_or(LossKind::Both) {
            LossKind::Both => {
                let cross_entropy = Self::one(settings, LossKind::CrossEntropy, (outputs, samples))?;
                // soft targets are cross-entropy's; beside it, squared error keeps the hard ones
                let hard = TrainingSettings { smoothing: Some(0.0), ..settings.clone() };
                Ok(vec![cross_entropy, Self::one(&hard, LossKind::Mse, (outputs, samples))?])
            }
            one => Ok(vec![Self::one(settings, one, (outputs, samples))?]),
        }
    }

    fn one(
        settings: &TrainingSettings,
        kind: LossKind,
        (outputs, samples): (usize, usize),
    ) -> Result<Self, UsageError> {
        let penalty = non_negative("--penalty", settings.penalty.unwrap_or(0.0))?;
        let smoothing = settings.smoothing.unwrap_or(0.0);
        if !(0.0..1.0).contains(&smoothing) {
            return Err(range("--smoothing", smoothing, "must lie in [0, 1)"));
        }
        if smoothing > 0.0 && kind == LossKind::Mse {
            return Err(range("--smoothing", smoothing, "only --loss cross-entropy has soft targets"));
        }
        let optimizer_kind = settings.optimizer.unwrap_or(OptimizerKind::Flow);
        let optimizer = match (optimizer_kind, settings.rate) {
            (OptimizerKind::Gd, Some(rate)) => Optimizer::Descent { rate: positive("--rate", rate)? },
            (OptimizerKind::Gd, None) => {
                return Err(range("--optimizer", "gd", "needs --rate ETA (for squared error below 2n/lambda_max)"));
            }
            (OptimizerKind::Flow, Some(rate)) => {
                return Err(range("--rate", rate, "is the step of --optimizer gd; the flow adapts its own step"));
            }
            (OptimizerKind::Flow, None) => {
                let tolerance = settings.tolerance.unwrap_or(0.01);
                if !(tolerance > 0.0 && tolerance < 1.0) {
                    return Err(range("--tolerance", tolerance, "must lie between 0 and 1"));
                }
                Optimizer::Flow { tolerance }
            }
        };
        let until = settings.until_time.unwrap_or(1e5);
        let ends = settings.until_margin.is_some() || settings.until_loss.is_some();
        let predictions = settings.predictions.unwrap_or(outputs * samples <= MAX_SIZE);
        let stop = Stop {
            // with another criterion a run may go on beyond what an f64 can hold
            time: if until == f64::INFINITY && ends { until } else { positive("--until-time", until)? },
            margin: settings.until_margin.map(|u| positive("--until-margin", u)).transpose()?,
            loss: settings.until_loss.map(|e| positive("--until-loss", e)).transpose()?,
            steps: settings.max_steps.unwrap_or(1_000_000),
        };
        let snapshots = settings.snapshots.unwrap_or(64);
        if !(3..=MAX_SNAPSHOTS).contains(&snapshots) {
            return Err(range("--snapshots", snapshots, format!("give a number from 3 to {MAX_SNAPSHOTS}")));
        }
        let filled = TrainingSettings {
            loss: Some(kind),
            penalty: Some(penalty),
            smoothing: Some(smoothing),
            optimizer: Some(optimizer_kind),
            tolerance: match optimizer {
                Optimizer::Flow { tolerance } => Some(tolerance),
                Optimizer::Descent { .. } => None,
            },
            until_time: Some(stop.time),
            max_steps: Some(stop.steps),
            snapshots: Some(snapshots),
            predictions: Some(predictions),
            backend: Some(settings.backend.unwrap_or(BackendKind::Fast)),
            ..settings.clone()
        };
        Ok(Self {
            loss_kind: kind,
            loss: if kind == LossKind::Mse { Loss::SquaredError } else { Loss::CrossEntropy },
            penalty,
            smoothing,
            optimizer,
            stop,
            snapshots,
            backend: settings.backend.unwrap_or(BackendKind::Fast),
            predictions,
            settings: filled,
        })
    }

    /// The loss's name in file names.
    pub fn name(&self) -> &'static str {
        if self.loss == Loss::SquaredError { "mse" } else { "cross-entropy" }
    }
    /// The loss's name in figures.
    pub fn label(&self) -> &'static str {
        if self.loss == Loss::SquaredError { "squared error" } else { "cross-entropy" }
    }
}
