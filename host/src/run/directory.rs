//! Where results go: run directories, whose files are each written under a temporary name and renamed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::{Table, Value};

use crate::backend::InstructionSet;
use crate::data::Samples;
use crate::experiment::{self, BackendKind, Model, PROVENANCE, Settings, Training};
use crate::files::numbers::defined;
use crate::files::{self, DirectoryLock, Unfinished, write_atomic};
use crate::plot::{self, Figure};
use crate::run::{Error, Judgement, Outcome, write_parameters};

use super::layout::{FIGURE_FOLDER, FIGURES, FILES, PARTS, folders, result_paths};

/// The settings that name the directory.
const OUT: &str = "out";
const CONTINUED: &str = "continue";

/// A directory of results that nobody else works in meanwhile, with nothing of another run in it.
#[derive(Clone, Debug)]
pub struct RunDirectory {
    path: PathBuf,
    _held: Option<Arc<Held>>,
}

/// What is given back when nobody uses the directory any more: the lock, and, where nothing was written, the directories that
/// were made.
#[derive(Debug)]
struct Held {
    /// innermost first
    made: Vec<PathBuf>,
    _lock: DirectoryLock,
}

impl Drop for Held {
    fn drop(&mut self) {
        remove_empty(&self.made);
    }
}

impl RunDirectory {
    /// `out` as given, or the first unused `runs/NAME`, `runs/NAME-2`, … It is locked until this and all clones are dropped.
    ///
    /// One that was made here and is empty then is removed.
    ///
    /// A directory that already holds something is refused unless `force`, which removes whatever a run can write there;
    /// files of others stay. Created before the work begins, so that a path that cannot be written is known at once.
    ///
    /// # Errors
    /// [`files::Error`]: the directory is in use, not empty, or cannot be written.
    pub fn create(out: Option<&Path>, name: &str, force: bool) -> Result<Self, Error> {
        let directory = Self::reserve(out, name, force)?;
        directory.make_room()?;
        Ok(directory)
    }

    /// The same, with whatever is to be replaced still there: for work whose result may be refused in the end.
    /// [`Self::make_room`] comes before the first file.
    ///
    /// # Errors
    /// As of [`Self::create`].
    pub fn reserve(out: Option<&Path>, name: &str, force: bool) -> Result<Self, Error> {
        let (path, made) = match out {
            Some(path) => (path.to_path_buf(), missing(path)),
            None => first_unused(name).map_err(of_place(Path::new("runs")))?,
        };
        let lock = match DirectoryLock::create(&path) {
            Ok(lock) => lock,
            // it is another's now, though it may be empty still
            Err(error @ files::Error::InUse { .. }) => return Err(error.into()),
            Err(error) => {
                remove_empty(&made);
                return Err(of_place(&path)(error).into());
            }
        };
        let directory = Self { path, _held: Some(Arc::new(Held { made, _lock: lock })) };
        directory.prepare(force)?;
        Ok(directory)
    }

    /// The directory of a run that is to be gone on with. What is in it stays until it is replaced.
    ///
    /// # Errors
    /// [`files::Error`]: there is none, it is in use, or cannot be written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if !files::look(path)?.is_some_and(|kind| kind.is_dir()) {
            let what = "is not a directory; give the directory of a run".into();
            return Err(files::Error::Place { setting: CONTINUED, path: path.into(), what }.into());
        }
        let lock = DirectoryLock::create(path)?;
        Ok(Self { path: path.into(), _held: Some(Arc::new(Held { made: Vec::new(), _lock: lock })) })
    }

    /// An empty directory that the caller has locked.
    pub fn within(path: &Path) -> Self {
        Self { path: path.into(), _held: None }
    }

    fn prepare(&self, force: bool) -> Result<(), files::Error> {
        let path = &self.path;
        let empty = files::is_empty(path).map_err(files::Error::io("list", path)).map_err(of_place(path))?;
        if !empty && !force {
            let what = "is not empty; give another directory, or replace its contents with `force`".into();
            return Err(files::Error::Place { setting: OUT, path: path.clone(), what });
        }
        // before anything is removed, all is tried that will be needed
        let folders: Vec<PathBuf> = folders(path).filter(|folder| folder.exists()).collect();
        drop(self.lock_inside()?);
        for place in std::iter::once(path).chain(&folders) {
            Unfinished::try_create(&place.join(FILES[0])).map_err(of_place(path))?;
        }
        Ok(())
    }

    /// The locks of the runs inside this directory: one of them may be somebody else's.
    fn lock_inside(&self) -> Result<Vec<DirectoryLock>, files::Error> {
        let inside = PARTS.iter().map(|part| self.path.join(part)).filter(|folder| folder.is_dir());
        inside.map(|folder| DirectoryLock::create(&folder)).collect()
    }

    /// Removes whatever a run can write here; files of others stay.
    ///
    /// # Errors
    /// [`files::Error`]: a run inside it is in use; a file that cannot be removed.
    pub fn make_room(&self) -> Result<(), files::Error> {
        let path = &self.path;
        let _held = self.lock_inside()?;
        let folders: Vec<PathBuf> = folders(path).filter(|folder| folder.exists()).collect();
        if !files::is_empty(path).map_err(files::Error::io("list", path))? {
            files::make_room(&result_paths(path)).map_err(of_place(path))?;
        }
        for folder in folders {
            // leftovers of a killed run go; a directory with files of others stays
            if files::is_empty(&folder).unwrap_or(false) {
                let _ = std::fs::remove_dir(folder);
            }
        }
        Ok(())
    }

    /// A directory inside this one, created and locked.
    ///
    /// # Errors
    /// [`files::Error`].
    pub fn inside(&self, name: &str) -> Result<Self, files::Error> {
        debug_assert!(PARTS.contains(&name), "{name} is in the layout");
        let path = self.path.join(name);
        let made = missing(&path);
        let lock = DirectoryLock::create(&path)?;
        Ok(Self { path, _held: Some(Arc::new(Held { made, _lock: lock })) })
    }

    /// The path of one of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        debug_assert!(FILES.contains(&name), "{name} is in the layout");
        self.path.join(name)
    }

    /// Writes a run's figures.
    ///
    /// # Errors
    /// [`plot::Error`].
    pub fn write_figures(&self, figures: &[Figure]) -> Result<(), plot::Error> {
        figures.iter().try_for_each(|figure| {
            debug_assert!(FIGURES.contains(&figure.name.as_str()), "{} is in the layout", figure.name);
            figure.save(&self.figures())
        })
    }

    /// Where a run's figures are.
    pub fn figures(&self) -> PathBuf {
        self.path.join(FIGURE_FOLDER)
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
        let mut table =
            Settings { model: model.resolve(samples)?.seen_from(&self.path), training: training.seen_from(&self.path) }
                .table()?;
        let text = |s: &str| Value::String(s.into());
        let backend = backend_name(training.backend);
        let mut provenance = Table::from_iter([
            ("ntkscope".to_owned(), text(env!("CARGO_PKG_VERSION"))),
            ("backend".to_owned(), Value::String(backend)),
            ("data".to_owned(), text(&samples.description)),
            ("data-sha256".to_owned(), text(&samples.sha256)),
        ]);
        if samples.map.is_some() {
            // class k is the label at place k
            let labels = samples.class_names().into_iter().map(Value::String).collect();
            provenance.insert("class-labels".into(), Value::Array(labels));
        }
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
            let stable = rate.and_then(|rate| rate.bound).map(|bound| bound.rate).filter(|rate| rate.is_finite());
            provenance.extend(stable.map(|stable| ("stable-rate".to_owned(), Value::Float(stable))));
            if let Some(lambda) = defined(outcome.analytic_lambda_min) {
                provenance.insert("analytic-lambda-min".into(), Value::Float(lambda));
            }
        }
        table.insert(PROVENANCE.into(), Value::Table(provenance));
        let body = toml::to_string(&table).map_err(experiment::Error::from)?;
        let head = "# All settings of this run, defaults included. To repeat it: ntkscope run run.toml\n";
        Ok(write_atomic(&self.file("run.toml"), format!("{head}{body}").as_bytes())?)
    }

    /// `trace.csv`, `kernels.npz`, the profile, the predictions, and `params.npz`.
    ///
    /// # Errors
    /// As [`write_parameters`].
    pub fn write_outcome(&self, outcome: &Outcome, samples: &Samples, model: &Model) -> Result<(), Error> {
        self.write_record(outcome, samples, model.dtype)?;
        write_parameters(&self.file("params.npz"), &outcome.parameters, model)
    }
}

/// The backend, and what it uses of this machine, as `[provenance]` names it.
pub fn backend_name(backend: BackendKind) -> String {
    match backend {
        BackendKind::Fast => format!("gemm and faer, {}", InstructionSet::here().name()),
        BackendKind::Portable => "portable".into(),
    }
}

/// The directories on the way to `path` that are not there yet, innermost first.
fn missing(path: &Path) -> Vec<PathBuf> {
    let named = path.ancestors().filter(|p| !p.as_os_str().is_empty());
    named.take_while(|p| !p.exists()).map(Path::to_path_buf).collect()
}

/// Removes these directories as far as they are empty.
fn remove_empty(made: &[PathBuf]) {
    for directory in made {
        // one that is not empty holds results and stays, and so do those around it
        let _ = std::fs::remove_dir(directory);
    }
}

fn of_place(path: &Path) -> impl Fn(files::Error) -> files::Error {
    move |error| error.of_place(OUT, path, "give another directory")
}

/// `runs/NAME`, or the first of `runs/NAME-2`, `runs/NAME-3`, … that is not there, made; and the directories that were made.
fn first_unused(name: &str) -> Result<(PathBuf, Vec<PathBuf>), files::Error> {
    let base = Path::new("runs");
    let around = missing(base);
    std::fs::create_dir_all(base).map_err(files::Error::io("create", base))?;
    let candidates = std::iter::once(base.join(name)).chain((2..).map(|k| base.join(format!("{name}-{k}"))));
    for path in candidates {
        // whoever makes it has it, so that two runs at once find two
        match std::fs::create_dir(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => {
                made.map_err(files::Error::io("create", &path))?;
                let made = std::iter::once(path.clone()).chain(around).collect();
                return Ok((path, made));
            }
        }
    }
    unreachable!("the numbers do not end")
}
