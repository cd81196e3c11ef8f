//! Finished runs side by side: where they lie, and what tells them apart.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Table;

use super::Error;
use super::cell::Finished;
use super::manifest::entries;
use crate::experiment::{Model, Training, in_words, keys};
use crate::files;
use crate::run::part_directories;

/// Names of files that every finished run has.
const FILES: [&str; 2] = ["run.toml", "trace.csv"];
/// The folder of the runs of a study or a sweep.
const RUNS: &str = "runs";

/// A finished run beside others.
pub struct Compared {
    /// its directory
    pub place: PathBuf,
    /// its values of the settings that are not the same for all, by setting
    pub differs: Vec<(String, String)>,
    /// these in a few words, or its directory where nothing tells it from another
    pub label: String,
    /// what it left
    pub finished: Finished<()>,
    /// whether loss and time are those of the sum over the samples
    pub summed: bool,
}

/// The runs in these directories: of a run, of a run of both losses or optimizers, or of a study or a sweep with all of its
/// runs; each once.
///
/// # Errors
/// [`Error::NoRuns`]: a directory that is none of these; one that cannot be read.
pub fn places(directories: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for directory in directories {
        let here = runs_in(directory)?;
        if here.is_empty() {
            return Err(Error::NoRuns { place: directory.clone(), what: why_none(directory) });
        }
        for place in here {
            // a directory has many names
            let same = std::fs::canonicalize(&place).map_err(files::Error::io("look at", &place))?;
            if seen.insert(same) {
                found.push(place);
            }
        }
    }
    Ok(found)
}

/// Reads these runs, and finds what tells them apart.
///
/// # Errors
/// Those of [`Finished::read`].
pub fn compare(places: Vec<PathBuf>) -> Result<Vec<Compared>, Error> {
    let (mut runs, mut tables) = (Vec::new(), Vec::new());
    for place in places {
        let (finished, settings) = Finished::read(&place, ())?;
        let mut table = settings.table()?;
        // where the samples lie decides nothing
        table.remove("data-dir");
        tables.push(table);
        let summed = settings.training.loss_sum;
        runs.push(Compared { place, differs: Vec::new(), label: String::new(), finished, summed });
    }
    let keys = differing(&tables);
    for (run, table) in runs.iter_mut().zip(&tables) {
        let known = keys.iter().filter_map(|key| Some((key.clone(), in_words(table.get(key)?))));
        run.differs = known.collect();
        let words: Vec<String> =
            run.differs.iter().map(|(key, value)| format!("{} {value}", key.replace('-', " "))).collect();
        run.label = words.join(", ");
    }
    let alike: Vec<bool> =
        runs.iter().map(|run| runs.iter().filter(|other| other.label == run.label).count() > 1).collect();
    for (run, alike) in runs.iter_mut().zip(alike) {
        if alike || run.label.is_empty() {
            let place = run.place.display().to_string();
            run.label = if run.label.is_empty() { place } else { format!("{}, {place}", run.label) };
        }
    }
    Ok(runs)
}

/// The settings that are not the same for all, in the order of the help text, the seed behind the others.
fn differing(tables: &[Table]) -> Vec<String> {
    let differs = |key: &String| tables.windows(2).any(|pair| pair[0].get(key) != pair[1].get(key));
    let mut keys: Vec<String> = keys::<Model>().into_iter().chain(keys::<Training>()).filter(differs).collect();
    keys.sort_by_key(|key| key == "seed");
    keys
}

/// Whether a run has left its files here. One that may not be looked at is not left out of a comparison without a word.
fn is_run(place: &Path) -> Result<bool, Error> {
    for name in FILES {
        if !files::look(&place.join(name))?.is_some_and(|kind| kind.is_file()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Those of these places that hold a run.
fn runs_of(places: impl Iterator<Item = PathBuf>) -> Result<Vec<PathBuf>, Error> {
    let mut runs = Vec::new();
    for place in places {
        if is_run(&place)? {
            runs.push(place);
        }
    }
    Ok(runs)
}

/// The finished runs of a directory; none where it is neither of a run nor of several.
fn runs_in(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    if is_run(directory)? {
        return Ok(vec![directory.to_path_buf()]);
    }
    let parts = runs_of(part_directories(directory))?;
    if !parts.is_empty() {
        return Ok(parts);
    }
    let folder = directory.join(RUNS);
    if !files::look(&folder)?.is_some_and(|kind| kind.is_dir()) {
        return Ok(Vec::new());
    }
    // what is under a temporary name is no run yet
    let mut names: Vec<String> =
        entries(&folder)?.into_iter().map(|(name, _)| name).filter(|name| !name.starts_with('.')).collect();
    names.sort_by(|a, b| natural(a).cmp(&natural(b)));
    runs_of(names.into_iter().map(|name| folder.join(name)))
}

/// The pieces of a name by which width-64 stands before width-128.
fn natural(name: &str) -> Vec<(u64, &str)> {
    let pieces = name.split(['-', '_']);
    pieces.map(|piece| piece.parse().map_or((u64::MAX, piece), |number| (number, ""))).collect()
}

fn why_none(directory: &Path) -> &'static str {
    match () {
        () if !directory.exists() => "there is no such directory",
        () if !directory.is_dir() => "is not a directory; give the directory of a run, of a study or of a sweep",
        () if directory.join(RUNS).is_dir() => "none of its runs is finished",
        () if directory.join(FILES[0]).is_file() => "the run has no trace yet",
        () => "holds no run; give the directory of a run, of a study or of a sweep",
    }
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::*;

    #[test]
    fn names_stand_in_the_order_of_their_numbers() {
        let mut names = ["width-128_seed-0", "width-64_seed-10", "width-64_seed-9"];
        names.sort_by(|a, b| natural(a).cmp(&natural(b)));
        assert_eq!(names, ["width-64_seed-9", "width-64_seed-10", "width-128_seed-0"]);
    }

    #[test]
    fn what_differs_is_found_once() {
        let table = |text: &str| text.parse::<Table>().unwrap();
        let tables =
            [table("width = 3\nseed = 1\nloss = 'mse'"), table("width = 3\nseed = 2\nloss = 'mse'\nwidths = '3,4'")];
        assert_eq!(differing(&tables), ["widths", "seed"]);
        assert_eq!(in_words(&Value::Float(1e5)), "100000");
    }
}
