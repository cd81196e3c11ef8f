//! A grid over any settings of a run: the values of each, the runs of every combination, and what they show.

mod axis;
mod figures;
mod page;
mod quantity;

use std::collections::HashSet;

use toml::{Table, Value};

use super::Error;
use super::grid::Job;
use super::net::{CE, MSE};
use super::training_run::TrainingRun;
use super::work;
use crate::experiment::{LossKind, OptimizerKind, Settings};
use crate::words::count;
use axis::refused;

pub use axis::Axis;
pub use page::FILES;

/// Most runs of a sweep.
pub const MOST_RUNS: usize = 5000;
/// Most characters of a run's name, which is one of a file.
const LONGEST_NAME: usize = 200;
/// Most characters of a value in such a name.
const LONGEST_VALUE: usize = 32;
/// The setting over which means are taken.
const SEED: &str = "seed";

/// A grid.
pub struct Sweep {
    /// the settings that take several values, in the order in which they were typed
    axes: Vec<Axis>,
    /// every combination, the last axis running fastest
    points: Vec<Point>,
}

/// One combination.
#[derive(Clone)]
pub struct Point {
    /// what runs
    pub run: TrainingRun,
    /// which value it has of each axis
    at: Vec<usize>,
}

impl Sweep {
    /// Every combination of these settings over those of `base`. Where both losses are asked for, as where nothing is said of
    /// the loss, each is a value of it.
    ///
    /// # Errors
    /// [`Error::Range`]: a setting twice, too many runs; [`Error::Job`] around whatever is wrong with a combination.
    pub fn plan(mut axes: Vec<Axis>, base: &Table) -> Result<Self, Error> {
        for (index, axis) in axes.iter().enumerate() {
            if axes[..index].iter().any(|other| other.key == axis.key) {
                return Err(refused(&axis.key, "the setting stands twice; give all of its values one after another"));
            }
        }
        if axes.iter().all(|axis| axis.key != "loss")
            && Settings::from_table(base.clone())?.training.loss == LossKind::Both
        {
            axes.push(Axis::new("loss", [CE, MSE].map(|loss| Value::String(loss.to_string())))?);
        }
        let runs = axes.iter().try_fold(1usize, |runs, axis| runs.checked_mul(axis.values.len()));
        if runs.is_none_or(|runs| runs > MOST_RUNS) {
            let sizes: Vec<String> = axes.iter().map(|axis| format!("{} {}", axis.values.len(), axis.key)).collect();
            let what = format!("{} are more than {MOST_RUNS} runs; sweep fewer values at a time", sizes.join(" x "));
            return Err(Error::Range { setting: "set", given: String::new(), what });
        }
        let mut points = Vec::new();
        for index in 0..runs.unwrap_or(0) {
            // the digits of the index in the bases of the axes
            let (mut at, mut rest) = (vec![0; axes.len()], index);
            for (digit, axis) in at.iter_mut().zip(&axes).rev() {
                (*digit, rest) = (rest % axis.values.len(), rest / axis.values.len());
            }
            let mut table = base.clone();
            table.extend(axes.iter().zip(&at).map(|(axis, at)| (axis.key.clone(), axis.values[*at].clone())));
            let id = name(&axes, &at);
            let settings = checked(table).map_err(Error::job(&id))?;
            points.push(Point { run: TrainingRun { id, work: work::seconds(&settings), settings }, at });
        }
        if points.iter().any(|point| point.run.id.len() > LONGEST_NAME) {
            points.iter_mut().enumerate().for_each(|(index, point)| point.run.id = format!("run-{}", index + 1));
        }
        debug_assert_eq!(points.iter().map(|point| &point.run.id).collect::<HashSet<_>>().len(), points.len());
        // a setting of one value is one of all runs
        let varied: Vec<bool> = axes.iter().map(|axis| axis.values.len() > 1).collect();
        let mut keep = varied.iter();
        axes.retain(|_| keep.next().is_some_and(|varied| *varied));
        for point in &mut points {
            let mut keep = varied.iter();
            point.at.retain(|_| keep.next().is_some_and(|varied| *varied));
        }
        Ok(Self { axes, points })
    }

    /// Everything that runs.
    pub fn jobs(&self) -> impl Iterator<Item = &dyn Job> {
        self.points.iter().map(|point| &point.run as &dyn Job)
    }

    /// The runs.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The settings that vary, with the value that a run has of each.
    pub fn values<'a>(&'a self, point: &'a Point) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.axes.iter().zip(&point.at).map(|(axis, at)| (axis.key.as_str(), axis.words[*at].as_str()))
    }

    /// Its settings and how many values each takes: `width (3) x seed (5)`.
    fn in_words(&self) -> String {
        let axes: Vec<String> = self.axes.iter().map(|axis| format!("{} ({})", axis.key, axis.values.len())).collect();
        if axes.is_empty() { count(self.points.len(), "run") } else { axes.join(" × ") }
    }
}

/// The settings of a run, with all checked that can be without its data.
fn checked(table: Table) -> Result<Settings, Error> {
    let mut settings = Settings::from_table(table)?;
    let Settings { model, training } = &mut settings;
    let single = |setting: &'static str, given: String, both: &str| {
        let what = format!("a run of a sweep has one of them; give `set {setting}={both}` for a run of each");
        Err(Error::Range { setting, given, what })
    };
    if training.loss == LossKind::Both {
        return single("loss", training.loss.to_string(), &format!("{CE},{MSE}"));
    }
    if training.optimizer == OptimizerKind::Both {
        let both = format!("{},{}", OptimizerKind::Flow, OptimizerKind::Gd);
        return single("optimizer", training.optimizer.to_string(), &both);
    }
    model.check()?;
    training.check(model.dtype)?;
    model.under(training.loss)?;
    if training.predictions == Some(true) {
        model.check_kernel_regime()?;
    } else if !model.parametrization.has_kernel_regime() {
        training.predictions = Some(false);
    }
    Ok(settings)
}

/// The name of a combination: `width-64_loss-mse_seed-0`; of a value that no file's name should hold, its place among the others.
fn name(axes: &[Axis], at: &[usize]) -> String {
    let part = |(axis, at): (&Axis, &usize)| {
        let word = &axis.words[*at];
        let plain = |c: char| c.is_ascii_alphanumeric() || "-+.,".contains(c);
        match word.len() <= LONGEST_VALUE && word.chars().all(plain) {
            true => format!("{}-{word}", axis.key),
            false => format!("{}-({})", axis.key, at + 1),
        }
    };
    let varied = axes.iter().zip(at).filter(|(axis, _)| axis.values.len() > 1);
    let parts: Vec<String> = varied.map(part).collect();
    if parts.is_empty() { "run".into() } else { parts.join("_") }
}
