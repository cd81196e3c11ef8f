//! A grid over any settings of a run: the values of each, the runs of every combination, and what they show.

mod axis;
mod figures;
mod page;
mod quantity;

use std::collections::HashSet;

use sha2::{Digest, Sha256};
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
        for point in points.iter_mut().filter(|point| point.run.id.len() > LONGEST_NAME) {
            point.run.id = format!("run-{}", digest(&point.run.id));
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

/// The name of a combination: `width-64_loss-mse_seed-0`. It does not depend on which other values are swept, so that a grid can grow.
fn name(axes: &[Axis], at: &[usize]) -> String {
    let part = |(axis, at): (&Axis, &usize)| {
        let value = in_names(&axis.words[*at]);
        // two files of one name in different folders
        let same = axis.words[..*at].iter().filter(|other| in_names(other) == value).count();
        let place = if same == 0 { String::new() } else { format!("({})", same + 1) };
        format!("{}-{value}{place}", axis.key)
    };
    axes.iter().zip(at).map(part).collect::<Vec<_>>().join("_")
}

/// A value as the name of a file can hold it: of a path its last name, without signs that mean something to a shell.
fn in_names(word: &str) -> String {
    let last = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-+.,".contains(c) { c } else { '-' };
    let plain: String = last.chars().map(plain).collect();
    if plain.len() <= LONGEST_VALUE { plain } else { format!("{}-{}", &plain[..LONGEST_VALUE - 9], &digest(last)[..8]) }
}

/// Sixteen hexadecimal digits that stand for a text.
fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(sets: &[&str]) -> Vec<String> {
        let base = Table::from_iter([("loss".to_owned(), Value::String(MSE.to_string()))]);
        let axes = sets.iter().map(|set| Axis::parse(set).unwrap()).collect();
        Sweep::plan(axes, &base).unwrap().points.into_iter().map(|point| point.run.id).collect()
    }

    /// Finished runs are found again under their names, and no other run takes one.
    #[test]
    fn names_do_not_depend_on_the_other_values() {
        let grown: [(&[&str], &[&str]); 5] = [
            (&["width=8"], &["width=16,8"]),
            (&["width=8", "seed=0..1"], &["width=4,8", "seed=0..3"]),
            (&["data=a/one.csv,b/two words.csv"], &["data=c/three.csv,b/two words.csv,a/one.csv"]),
            (&["activation=leaky-relu:0.1,relu"], &["activation=relu,leaky-relu:0.2,leaky-relu:0.1"]),
            (&["bias=none", "widths=[64,32]"], &["bias=none", "widths=[64,32],[32,64]"]),
        ];
        for (before, after) in grown {
            let (before, after) = (ids(before), ids(after));
            assert!(before.iter().all(|id| after.contains(id)), "{before:?} {after:?}");
            assert!(after.len() > before.len());
        }
        assert_eq!(ids(&["width=8", "seed=0,1"]), ["width-8_seed-0", "width-8_seed-1"]);
        assert_eq!(ids(&["data=./a/p.csv,b/p.csv"]), ["data-p.csv", "data-p.csv(2)"]);
        let long = format!("data={0}1.csv,{0}2.csv", "x".repeat(40));
        let [one, two] = &ids(&[&long])[..] else { panic!() };
        assert!(one != two && one.len() == two.len() && one.len() <= "data-".len() + LONGEST_VALUE, "{one} {two}");
    }
}
