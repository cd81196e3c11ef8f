//! Where results go: run directories, whose files are each written under a temporary name and renamed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::backend::instruction_set;
use crate::data::Samples;
use crate::error::UsageError;
use crate::experiment::{Model, Training, settings_of};
use crate::npz::{Array, Data, write};
use crate::report::write_atomic;
use crate::run::{Outcome, Tensor};
use crate::settings::{BackendKind, Dtype, PROVENANCE};

/// An existing, writable directory that held nothing, or whose old results may be replaced.
#[derive(Clone, Debug)]
pub struct RunDirectory(PathBuf);

impl RunDirectory {
    /// `out` as given, or the first unused `runs/NAME`, `runs/NAME-2`, … A directory that already holds
    /// something is refused unless `force`. Created before the work begins, so that a path that cannot be
    /// written is known at once.
    pub fn create(out: Option<&Path>, name: &str, force: bool) -> Result<Self, UsageError> {
        let path = out.map_or_else(|| first_unused(name), Path::to_path_buf);
        let refuse = |what: String| UsageError::Out { path: path.clone(), what };
        std::fs::create_dir_all(&path).map_err(|e| refuse(format!("cannot be created: {e}")))?;
        let mut entries = std::fs::read_dir(&path).map_err(|e| refuse(format!("cannot be read: {e}")))?;
        if entries.next().is_some() && !force {
            return Err(refuse("is not empty; choose another, or replace what is there with --force".into()));
        }
        let probe = path.join(format!(".writable.{}", std::process::id()));
        std::fs::write(&probe, b"")
            .and_then(|()| std::fs::remove_file(&probe))
            .map_err(|e| refuse(format!("cannot be written: {e}")))?;
        Ok(Self(path))
    }
    /// A directory inside this one, created.
    pub fn inside(&self, name: &str) -> Result<Self> {
        let path = self.0.join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }
    /// its path
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `run.toml`: the settings, every key filled in, and where they come from. Running the file again gives
    /// the same bits with the same backend.
    pub fn write_settings(&self, model: &Model, training: &Training, samples: &Samples) -> Result<()> {
        let mut table = settings_of(model, training).table()?;
        let text = |s: &str| Value::String(s.into());
        let backend = match training.backend {
            BackendKind::Fast => format!("gemm and faer, {}", instruction_set()),
            BackendKind::Portable => "portable".into(),
        };
        let provenance = Table::from_iter([
            ("ntkscope".to_owned(), text(env!("CARGO_PKG_VERSION"))),
            ("backend".to_owned(), Value::String(backend)),
            ("data".to_owned(), text(&samples.description)),
            ("data-sha256".to_owned(), text(&samples.sha256)),
        ]);
        table.insert(PROVENANCE.into(), Value::Table(provenance));
        let body = toml::to_string(&table).context("run.toml")?;
        let head = "# Settings of this run, every default filled in. Run it again: ntkscope run run.toml\n";
        write_atomic(&self.0.join("run.toml"), format!("{head}{body}").as_bytes())
    }

    /// `trace.csv`, `kernels.npz` and `params.npz`.
    pub fn write_outcome(&self, outcome: &Outcome, n: usize, dtype: Dtype) -> Result<()> {
        outcome.trace.write(&self.0.join("trace.csv"))?;
        let [analytic, initial, last] = &outcome.kernels;
        let times: Vec<f64> = outcome.trace.rows.iter().map(|row| row.time).collect();
        let square = vec![n, n];
        let arrays = [
            ("analytic", &square, analytic),
            ("initial", &square, initial),
            ("final", &square, last),
            ("times", &vec![times.len()], &times),
        ];
        write_arrays(&self.0.join("kernels.npz"), &arrays, dtype)?;
        write_tensors(&self.0.join("params.npz"), &outcome.parameters, dtype)
    }
}

/// `runs/NAME`, or the first of `runs/NAME-2`, `runs/NAME-3`, … that is not there.
fn first_unused(name: &str) -> PathBuf {
    let base = Path::new("runs");
    let candidates = std::iter::once(base.join(name)).chain((2..).map(|k| base.join(format!("{name}-{k}"))));
    candidates.into_iter().find(|p| !p.exists()).unwrap_or_else(|| base.join(name))
}

/// Named tensors of parameters as an npz archive.
pub fn write_tensors(path: &Path, tensors: &[Tensor], dtype: Dtype) -> Result<()> {
    let arrays: Vec<_> = tensors.iter().map(|t| (t.name.as_str(), &t.shape, &t.data)).collect();
    write_arrays(path, &arrays, dtype)
}

/// Named arrays as an npz archive; numbers computed in f32 are stored as f32, which loses nothing.
pub fn write_arrays(path: &Path, arrays: &[(&str, &Vec<usize>, &Vec<f64>)], dtype: Dtype) -> Result<()> {
    let single: Vec<Vec<f32>> = match dtype {
        Dtype::F32 => arrays.iter().map(|(_, _, data)| data.iter().map(|v| *v as f32).collect()).collect(),
        Dtype::F64 => Vec::new(),
    };
    let arrays: Vec<Array<'_>> = arrays
        .iter()
        .enumerate()
        .map(|(i, (name, shape, data))| Array {
            name: (*name).to_owned(),
            shape: (*shape).clone(),
            data: single.get(i).map_or(Data::F64(data), |single| Data::F32(single)),
        })
        .collect();
    let bytes = write(&arrays).with_context(|| format!("cannot write {}", path.display()))?;
    write_atomic(path, &bytes)
}
