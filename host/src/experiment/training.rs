//! A training run: the values, which are at once flags, keys of a settings file and fields.

use clap::Args;
use ntkscope_core::loss::Loss;
use ntkscope_core::record::Burst;
use ntkscope_core::train::Optimizer;
use serde::{Deserialize, Serialize};

use super::settings::defaults;
use super::{Error, held, non_negative, positive, range, whole};
use crate::data::CurveSource;
use crate::experiment::kinds::open;
use crate::experiment::{BackendKind, KeptKernels, LossKind, OptimizerKind, ReadingKind, Times};
use crate::files::Dtype;
use crate::words::number;

/// Largest number of snapshots.
pub const MAX_SNAPSHOTS: usize = 1024;

/// Largest n C for which predictions are made: they take (n C)^2 numbers and (n C)^3 operations a step.
pub const MAX_SIZE: usize = 2048;

/// Training and recording.
///
/// A field is all that a setting needs, as in [`super::Model`].
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Training {
    /// Loss, averaged over the samples
    #[arg(long, value_parser = LossKind::parser(), default_value_t = LossKind::Both, help_heading = "Training")]
    pub loss: LossKind,
    /// Train on the sum of the losses over the samples instead of their mean: LAMBDA, ETA, T and E refer to the sum, and time
    /// runs n times as fast [default: false]
    #[arg(long, help_heading = "Training")]
    pub loss_sum: bool,
    /// Penalty on the distance from initialization: adds (LAMBDA/2) |theta - theta_0|^2 to the mean loss
    #[arg(
        long,
        value_name = "LAMBDA",
        default_value_t = 0.0,
        allow_negative_numbers = true,
        help_heading = "Training"
    )]
    pub penalty: f64,
    /// Label smoothing for cross-entropy: among K classes the correct one has the target probability 1 - EPS + EPS/K
    #[arg(long, value_name = "EPS", default_value_t = 0.0, allow_negative_numbers = true, help_heading = "Training")]
    pub smoothing: f64,
    /// Optimizer
    #[arg(long, value_enum, default_value_t = OptimizerKind::Flow, help_heading = "Training")]
    pub optimizer: OptimizerKind,
    /// Learning rate (full-batch gradient descent on the mean loss); required with --optimizer gd
    #[arg(long, visible_alias = "lr", value_name = "ETA", allow_negative_numbers = true, help_heading = "Training")]
    pub rate: Option<f64>,
    /// ODE tolerance relative to the distance from initialization; 0.0025 gives drift to about 1 %
    #[arg(long, value_name = "TOL", default_value_t = 0.01, allow_negative_numbers = true, help_heading = "Training")]
    pub tolerance: f64,
    /// Stop at gradient-flow time T of the mean loss; may be inf with --until-margin or --until-loss
    #[arg(
        long,
        value_name = "T",
        default_value = "1e5",
        allow_negative_numbers = true,
        help_heading = "Stop at whichever comes first"
    )]
    pub until_time: f64,
    /// Stop when the smallest margin reaches U
    #[arg(long, value_name = "U", allow_negative_numbers = true, help_heading = "Stop at whichever comes first")]
    pub until_margin: Option<f64>,
    /// Stop when the mean loss falls to E
    #[arg(long, value_name = "E", allow_negative_numbers = true, help_heading = "Stop at whichever comes first")]
    pub until_loss: Option<f64>,
    /// Stop after N steps
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1_000_000,
        value_parser = whole::<u64>(),
        help_heading = "Stop at whichever comes first"
    )]
    pub max_steps: u64,
    /// Record at most K snapshots, log-spaced in time
    #[arg(long, value_name = "K", default_value_t = 64, value_parser = whole::<usize>(), allow_negative_numbers = true, help_heading = "Recording")]
    pub snapshots: usize,
    /// Record at these times instead, and end at the last of them: 0,0.1,1,10 or a csv file with a column due or time, such as
    /// the times.csv of a device and the trace.csv of a run
    #[arg(long, value_name = "TIMES|FILE.csv", value_parser = open::<Times>(&[]), allow_negative_numbers = true,
        value_hint = clap::ValueHint::FilePath, hide_possible_values = true, help_heading = "Recording")]
    pub times: Option<Times>,
    /// How the kernel is measured where the activation has kinks (relu)
    #[arg(long, value_enum, default_value_t = ReadingKind::Burst, help_heading = "Recording")]
    pub reading: ReadingKind,
    /// Empirical kernels kept in kernels.npz: the first and the last, or those of all snapshots with their spectra
    #[arg(long, value_enum, default_value_t = KeptKernels::Ends, help_heading = "Recording")]
    pub kernels: KeptKernels,
    /// Record K_t(x_0, x) along a curve: circle rotates the first (two-dimensional) sample x_0 through 360 degrees; with
    /// FILE.npz, .npy or .csv (as for --data) x_0 is the first row and x runs over all rows
    #[arg(long, value_name = "circle|FILE", value_parser = open::<CurveSource>(&CurveSource::NAMES),
        value_hint = clap::ValueHint::FilePath, hide_possible_values = true, help_heading = "Recording")]
    pub profile: Option<CurveSource>,
    /// Predict the run from the analytic NTK and from the linearized network [default: true up to 2048 samples x outputs]
    #[arg(long, value_name = "true|false", help_heading = "Recording")]
    pub predictions: Option<bool>,
    /// Implementation of products and decompositions
    #[arg(long, value_enum, default_value_t = BackendKind::Fast, help_heading = "Recording")]
    pub backend: BackendKind,
}

impl Default for Training {
    fn default() -> Self {
        defaults()
    }
}

impl Training {
    /// The burst of a snapshot, if one is wanted.
    pub const fn core_burst(&self) -> Option<Burst> {
        match self.reading {
            ReadingKind::Burst => Some(Burst::STANDARD),
            ReadingKind::Fine => Some(Burst::FINE),
            ReadingKind::Point => None,
        }
    }

    /// Checks, for a run in this scalar.
    ///
    /// # Errors
    /// A number outside its range, settings that do not go together.
    pub fn check(&self, dtype: Dtype) -> Result<(), Error> {
        non_negative("penalty", self.penalty)?;
        if !(0.0..1.0).contains(&self.smoothing) {
            return Err(range("smoothing", self.smoothing, "must be at least 0 and below 1"));
        }
        if self.smoothing > 0.0 && !self.core_loss().properties(1).probabilities {
            return Err(range(
                "smoothing",
                self.smoothing,
                "label smoothing is for cross-entropy only; give `loss = cross-entropy`, or leave it out",
            ));
        }
        if self.smoothing > 0.0 && self.smoothing < dtype.epsilon() {
            let what = format!(
                "is lost beside 1 in the scalar of the run, and labels would be hard; give 0, or at least {}",
                number(dtype.epsilon())
            );
            return Err(range("smoothing", self.smoothing, what));
        }
        self.core_optimizer()?;
        // with another criterion a run may go on beyond what an f64 can hold
        let ends = self.until_margin.is_some() || self.until_loss.is_some();
        match (self.until_time == f64::INFINITY, ends) {
            (true, true) => {}
            (true, false) => {
                let what = "the run would never stop; give `until-margin` or `until-loss` as well, or a finite time";
                return Err(range("until-time", self.until_time, what));
            }
            (false, _) => {
                positive("until-time", self.until_time)?;
            }
        }
        self.until_margin.map(|u| positive("until-margin", u)).transpose()?;
        self.until_loss.map(|e| positive("until-loss", e)).transpose()?;
        self.check_held(dtype)?;
        if !(3..=MAX_SNAPSHOTS).contains(&self.snapshots) {
            return Err(range("snapshots", self.snapshots, format!("give a number from 3 to {MAX_SNAPSHOTS}")));
        }
        if self.times.is_some() && self.snapshots != Self::default().snapshots {
            return Err(range("snapshots", self.snapshots, "a run with `times` records at each of them; leave it out"));
        }
        Ok(())
    }

    /// Refuses a number that the scalar of the run does not have.
    fn check_held(&self, dtype: Dtype) -> Result<(), Error> {
        // before the end, which is the last of them
        self.times.iter().flat_map(Times::after_0).try_for_each(|time| held(dtype, "times", time))?;
        let until = Some(self.until_time).filter(|until| until.is_finite());
        let given = [
            ("penalty", Some(self.penalty)),
            ("rate", self.rate),
            ("until-time", until),
            ("until-margin", self.until_margin),
            ("until-loss", self.until_loss),
        ];
        given.into_iter().try_for_each(|(setting, value)| value.map_or(Ok(()), |value| held(dtype, setting, value)))
    }

    /// Refuses what only the margins of classes can end.
    ///
    /// # Errors
    /// [`Self::until_margin`].
    pub fn without_margins(&self) -> Result<(), Error> {
        let what = "margins are defined for classes only, but y is numbers; give `until-loss` or `until-time` instead";
        self.until_margin.map_or(Ok(()), |u| Err(range("until-margin", u, what)))
    }

    /// The run or the two runs that these settings mean for a network in this scalar of `outputs` outputs on so many samples,
    /// each with all that depends on the data filled in, as it is saved.
    ///
    /// # Errors
    /// Those of [`Self::check`].
    pub fn resolve(&self, dtype: Dtype, outputs: usize, samples: usize) -> Result<Vec<Self>, Error> {
        self.check(dtype)?;
        let times = self.times.as_ref().map(Times::read).transpose()?;
        let last = times.as_ref().and_then(|times| times.after_0().last());
        let until_time = last.unwrap_or(self.until_time);
        if self.until_time != until_time && self.until_time != Self::default().until_time {
            return Err(range("until-time", self.until_time, "the run ends at the last of `times`; leave it out"));
        }
        let filled = Self { predictions: Some(self.predicts(outputs, samples)), times, until_time, ..self.clone() };
        filled.check_held(dtype)?;
        Ok(match (self.loss, self.optimizer) {
            (LossKind::Both, _) => vec![
                Self { loss: LossKind::CROSS_ENTROPY, ..filled.clone() },
                // soft targets are cross-entropy's; beside it, squared error keeps the hard ones
                Self { loss: LossKind::MSE, smoothing: 0.0, ..filled },
            ],
            (LossKind::Single(_), OptimizerKind::Both) => vec![
                Self { optimizer: OptimizerKind::Flow, rate: None, ..filled.clone() },
                Self { optimizer: OptimizerKind::Gd, tolerance: Self::default().tolerance, ..filled },
            ],
            (LossKind::Single(_), OptimizerKind::Flow | OptimizerKind::Gd) => vec![filled],
        })
    }

    /// What tells this run from the others that were resolved from the same settings: its name in files, and for people.
    pub fn part(&self, others: &[Self]) -> (String, &'static str) {
        if others.len() > 1 && others.iter().all(|other| other.loss == self.loss) {
            let name = self.optimizer.to_string();
            return (name, self.optimizer.label());
        }
        (self.loss.to_string(), self.loss.label())
    }

    /// Most snapshots of a run.
    pub fn most_snapshots(&self) -> usize {
        self.times.as_ref().map_or(self.snapshots, |times| times.after_0().count() + 1)
    }

    /// Whether fixed kernels' predictions are made of a network of `outputs` outputs on so many samples.
    pub fn predicts(&self, outputs: usize, samples: usize) -> bool {
        self.predictions.unwrap_or(outputs * samples <= MAX_SIZE)
    }

    /// How the parameters move, as core has it: of both optimizers, the flow.
    ///
    /// # Errors
    /// Descent without a rate, the flow with one; a rate or a tolerance outside its range; both optimizers for both losses.
    pub fn core_optimizer(&self) -> Result<Optimizer, Error> {
        match (self.optimizer, self.rate) {
            (OptimizerKind::Both, _) if self.loss == LossKind::Both => {
                Err(range("optimizer", "both", "needs a single loss; give `loss = cross-entropy` or `loss = mse`"))
            }
            (OptimizerKind::Both, None) => {
                Err(range("optimizer", self.optimizer, "gradient descent needs a learning rate; give `rate`"))
            }
            (OptimizerKind::Both, Some(_)) => {
                let default = Self::default().tolerance;
                Self { optimizer: OptimizerKind::Gd, tolerance: default, ..self.clone() }.core_optimizer()?;
                Self { optimizer: OptimizerKind::Flow, rate: None, ..self.clone() }.core_optimizer()
            }
            (OptimizerKind::Gd, _) if self.tolerance != Self::default().tolerance => {
                let what = "is for `optimizer = flow`; gradient descent takes steps of a fixed `rate`; leave it out";
                Err(range("tolerance", self.tolerance, what))
            }
            (OptimizerKind::Gd, Some(rate)) => Ok(Optimizer::Descent { rate: positive("rate", rate)? }),
            (OptimizerKind::Gd, None) => {
                let stable = if self.loss_sum { "2/lambda_max" } else { "2n/lambda_max" };
                let what =
                    format!("gradient descent needs a learning rate; give `rate` (for squared error below {stable})");
                Err(range("optimizer", self.optimizer, what))
            }
            (OptimizerKind::Flow, Some(rate)) => Err(range(
                "rate",
                rate,
                "is for `optimizer = gd`; gradient flow adapts its own step size; leave it out",
            )),
            (OptimizerKind::Flow, None) if self.tolerance > 0.0 && self.tolerance < 1.0 => {
                Ok(Optimizer::Flow { tolerance: self.tolerance })
            }
            (OptimizerKind::Flow, None) => Err(range("tolerance", self.tolerance, "must lie strictly between 0 and 1")),
        }
    }

    /// How many times as fast as under the mean loss the flow goes on so many samples, and by how much a penalty weighs less.
    pub fn pace(&self, samples: usize) -> f64 {
        if self.loss_sum { samples as f64 } else { 1.0 }
    }

    /// The loss, as core has it: of both losses, cross-entropy.
    pub fn core_loss(&self) -> Loss {
        match self.loss {
            LossKind::Single(loss) => loss,
            LossKind::Both => Loss::CrossEntropy,
        }
    }
}
