//! Where results go: run directories, whose files are each written under a temporary name and renamed.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::backend::InstructionSet;
use crate::data::Samples;
use crate::experiment::{self, BackendKind, Model, PROVENANCE, Settings, Training};
use crate::files::npz::Array;
use crate::files::numbers::defined;
use crate::files::{self, Dtype, Unfinished, npz, write_atomic};
use crate::run::{Error, Judgement, Kernels, Outcome, Predictions, Tensor};

/// An existing, writable directory that held nothing, or whose old results may be replaced.
#[derive(Clone, Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// the directories that were made for it, innermost first
    made: Vec<PathBuf>,
}

impl RunDirectory {
    /// `out` as given, or the first unused `runs/NAME`, `runs/NAME-2`, … A directory that already holds
    /// something is refused unless `force`. Created before the work begins, so that a path that cannot be
    /// written is known at once.
    ///
    /// # Errors
    /// [`Error::Place`].
    pub fn create(out: Option<&Path>, name: &str, force: bool) -> Result<Self, Error> {
        let path = out.map_or_else(|| first_unused(name), Path::to_path_buf);
        let directory = Self { made: missing(&path), path };
        directory.prepare(force).inspect_err(|_| directory.remove_if_empty())?;
        Ok(directory)
    }
    fn prepare(&self, force: bool) -> Result<(), Error> {
        let path = &self.path;
        let refuse = |what: String| Error::Place { setting: "out", path: path.clone(), what };
        std::fs::create_dir_all(path).map_err(|e| refuse(format!("cannot be created: {e}")))?;
        let mut entries = std::fs::read_dir(path).map_err(|e| refuse(format!("cannot be read: {e}")))?;
        if entries.next().is_some() && !force {
            return Err(refuse("is not empty; choose another, or replace what is there with `force`".into()));
        }
        probe(path).map_err(|e| refuse(format!("cannot be written: {e}")))
    }
    /// A directory inside this one, created.
    ///
    /// # Errors
    /// [`files::Error::Io`].
    pub fn inside(&self, name: &str) -> Result<Self, files::Error> {
        let path = self.path.join(name);
        let made = missing(&path);
        std::fs::create_dir_all(&path).map_err(files::Error::io("create", &path))?;
        Ok(Self { path, made })
    }
    /// For a run that failed before it had anything to keep: removes the directories that were made for it, as
    /// far as they are empty.
    pub fn remove_if_empty(&self) {
        for directory in &self.made {
            // one that is not empty holds results and stays, and so do those around it
            let _ = std::fs::remove_dir(directory);
        }
    }
    /// its path
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `run.toml`: the settings, every key filled in, and where they come from. Running the file again gives
    /// the same bits with the same backend.
    ///
    /// With an outcome, `[provenance]` also says how the run ended.
    ///
    /// # Errors
    /// Settings that do not fit the samples, or that toml cannot hold; the file cannot be written.
    pub fn write_settings(
        &self,
        model: &Model,
        training: &Training,
        samples: &Samples,
        outcome: Option<&Outcome>,
    ) -> Result<(), Error> {
        let mut table = Settings { model: model.resolve(samples)?, training: training.clone() }.table()?;
        let text = |s: &str| Value::String(s.into());
        let backend = match training.backend {
            BackendKind::Fast => format!("gemm and faer, {}", InstructionSet::here().name()),
            BackendKind::Portable => "portable".into(),
        };
        let mut provenance = Table::from_iter([
            ("ntkscope".to_owned(), text(env!("CARGO_PKG_VERSION"))),
            ("backend".to_owned(), Value::String(backend)),
            ("data".to_owned(), text(&samples.description)),
            ("data-sha256".to_owned(), text(&samples.sha256)),
        ]);
        if let Some(outcome) = outcome {
            provenance.insert("samples".into(), Value::Integer(samples.n as i64));
            provenance.insert("stopped".into(), Value::String(outcome.stopped.to_string()));
            provenance.insert("evaluations".into(), Value::Integer(outcome.evaluations as i64));
            let Judgement { failures, motion, rate, .. } = &outcome.judgement;
            if let Some(failure) = failures.first() {
                provenance.insert("failure".into(), text(failure.name()));
                provenance.insert("failure-step".into(), Value::Integer(failure.step() as i64));
            }
            provenance.extend(motion.map(|motion| ("kernel".to_owned(), text(motion.name()))));
            // infinite where nothing bounds it
            let stable = rate.map(|rate| rate.stable).filter(|stable| stable.is_finite());
            provenance.extend(stable.map(|stable| ("stable-rate".to_owned(), Value::Float(stable))));
            if let Some(lambda) = defined(outcome.analytic_lambda_min) {
                provenance.insert("analytic-lambda-min".into(), Value::Float(lambda));
            }
        }
        table.insert(PROVENANCE.into(), Value::Table(provenance));
        let body = toml::to_string(&table).map_err(experiment::Error::from)?;
        let head = "# Settings of this run, every default filled in. Run it again: ntkscope run run.toml\n";
        Ok(write_atomic(&self.path.join("run.toml"), format!("{head}{body}").as_bytes())?)
    }

    /// `trace.csv`, `kernels.npz`, the predictions, and `params.npz`.
    ///
    /// # Errors
    /// [`files::Error::Io`].
    pub fn write_outcome(&self, outcome: &Outcome, n: usize, dtype: Dtype) -> Result<(), files::Error> {
        self.write_record(outcome, n, dtype)?;
        write_tensors(&self.path.join("params.npz"), &outcome.parameters, dtype)
    }

    /// `trace.csv`, `kernels.npz`, and where there are predictions `predictions.csv` and `predictions.npz`,
    /// where training has an end `limit.csv` and `limit.npz`.
    ///
    /// # Errors
    /// [`files::Error::Io`].
    pub fn write_record(&self, outcome: &Outcome, n: usize, dtype: Dtype) -> Result<(), files::Error> {
        outcome.trace.write(&self.path.join("trace.csv"))?;
        let Kernels { analytic, initial, last } = &outcome.kernels;
        let times: Vec<f64> = outcome.trace.rows.iter().map(|row| row.time).collect();
        let square = vec![n, n];
        let arrays = [
            ("analytic", &square, analytic),
            ("initial", &square, initial),
            ("final", &square, last),
            ("times", &vec![times.len()], &times),
        ];
        write_arrays(&self.path.join("kernels.npz"), &arrays, dtype)?;
        let Some(predictions) = outcome.predictions.made() else { return Ok(()) };
        if let Some(limit) = &predictions.limit {
            limit.row.write(&self.path.join("limit.csv"))?;
            let shape = vec![limit.network.len() / outcome.outputs, outcome.outputs];
            let arrays = [
                ("network", &shape, &limit.network),
                ("ntk", &shape, &limit.ntk),
                ("linearized", &shape, &limit.linearized),
            ];
            write_arrays(&self.path.join("limit.npz"), &arrays, Dtype::F64)?;
        }
        if predictions.log_times.is_empty() {
            return Ok(());
        }
        predictions.table.write(&self.path.join("predictions.csv"))?;
        // (snapshots, n + h, C)
        let Predictions { log_times, network, ntk, linearized, .. } = predictions;
        let (count, all) = (log_times.len(), network.first().map_or(0, Vec::len) / outcome.outputs);
        let shape = vec![count, all, outcome.outputs];
        let [network, ntk, linearized] = [network, ntk, linearized].map(|rows| rows.concat());
        let arrays = [
            ("log_time", &vec![count], log_times),
            ("network", &shape, &network),
            ("ntk", &shape, &ntk),
            ("linearized", &shape, &linearized),
        ];
        write_arrays(&self.path.join("predictions.npz"), &arrays, Dtype::F64)
    }
}

/// The directories on the way to `path` that are not there yet, innermost first.
fn missing(path: &Path) -> Vec<PathBuf> {
    let named = path.ancestors().filter(|p| !p.as_os_str().is_empty());
    named.take_while(|p| !p.exists()).map(Path::to_path_buf).collect()
}

/// Creates and removes a file in `directory`.
fn probe(directory: &Path) -> std::io::Result<()> {
    let probe = directory.join(format!(".writable.{}", std::process::id()));
    std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe))
}

/// Refuses a file that could not be written in the end, before the work begins.
///
/// # Errors
/// [`Error::Place`], naming the setting that the file is of.
pub fn check_file(setting: &'static str, path: &Path) -> Result<(), Error> {
    let refuse = |what: String| Err(Error::Place { setting, path: path.into(), what });
    if path.is_dir() || path.file_name().is_none() {
        return refuse("is no name of a file; give one such as K.npz".into());
    }
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    probe(directory).or_else(|e| refuse(format!("cannot be written: {e}; give a file in an existing directory")))
}

/// `runs/NAME`, or the first of `runs/NAME-2`, `runs/NAME-3`, … that is not there.
fn first_unused(name: &str) -> PathBuf {
    let base = Path::new("runs");
    let candidates = std::iter::once(base.join(name)).chain((2..).map(|k| base.join(format!("{name}-{k}"))));
    candidates.into_iter().find(|p| !p.exists()).unwrap_or_else(|| base.join(name))
}

/// Named tensors of parameters as an npz archive.
///
/// # Errors
/// A file that cannot be written.
pub fn write_tensors(path: &Path, tensors: &[Tensor], dtype: Dtype) -> Result<(), files::Error> {
    let arrays: Vec<_> = tensors.iter().map(|t| (t.name.as_str(), &t.shape, &t.data)).collect();
    write_arrays(path, &arrays, dtype)
}

/// Named arrays as an npz archive; numbers computed in f32 are stored as f32, which loses nothing.
///
/// # Errors
/// A file that cannot be written.
pub fn write_arrays(path: &Path, arrays: &[(&str, &Vec<usize>, &Vec<f64>)], dtype: Dtype) -> Result<(), files::Error> {
    let numbers: Vec<_> = arrays.iter().map(|(_, _, data)| |at: usize| data[at]).collect();
    let arrays: Vec<Array<'_>> =
        arrays.iter().zip(&numbers).map(|((name, shape, _), number)| Array { name, shape, dtype, number }).collect();
    write_archive(path, &arrays)
}

/// An npz archive of these arrays, under a temporary name until it is whole.
///
/// # Errors
/// A file that cannot be written.
pub fn write_archive(path: &Path, arrays: &[Array<'_>]) -> Result<(), files::Error> {
    let written = Unfinished::create(path).and_then(|(unfinished, file)| {
        let file = npz::write(BufWriter::new(file), arrays)?.into_inner()?;
        unfinished.commit(&file)
    });
    written.map_err(files::Error::io("write", path))
}
