//! What is left to do of a study, and how that is told: before it runs, and in its place with `--dry-run`.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::reproduce::ReproduceArgs;
use super::terminal::{in_flags, print, say};
use crate::machine::{Budget, cores};
use crate::study::grid::{Job, Resources, State};
use crate::study::manifest::Fault;
use crate::study::paper::{Part, Study};
use crate::study::{Error, forecast, grid};
use crate::words::{count, duration};

/// What is left to do of a study.
pub(super) struct Remaining<'a> {
    study: &'a Study,
    directory: &'a Path,
    jobs: Vec<Entry<'a>>,
    /// what the machine gives
    pub(super) resources: Resources,
}

/// A job, and what stands in its way.
struct Entry<'a> {
    part: &'static Part,
    job: &'a dyn Job,
    state: State,
    /// the data that it needs is not there
    lacks: Option<String>,
}

impl<'a> Remaining<'a> {
    /// Looks at every job, its data and what the directory holds of it. Where data is missing, a plan says so, and a
    /// study that is to run does not begin.
    pub(super) fn new(args: &ReproduceArgs, study: &'a Study, directory: &'a Path) -> Result<Self> {
        let (mut jobs, mut needs, budget) = (Vec::new(), Vec::new(), Budget::new(args.common.memory));
        for (part, of_part) in study.parts() {
            for job in of_part {
                let looked = grid::need(job, &budget).and_then(|need| {
                    needs.push(need);
                    job.state(directory).map_err(Error::job(job.id()))
                });
                let (state, lacks) = match looked {
                    Ok(state) => (state, None),
                    Err(error) if args.dry_run && error.lacks_data() => (State::Missing, Some(reason(&error))),
                    Err(error) => return Err(error.into()),
                };
                jobs.push(Entry { part, job, state, lacks });
            }
        }
        let threads = args.common.threads.map_or_else(cores, usize::from);
        let resources = Resources { threads, at_a_time: grid::fitting(&needs, &budget) };
        Ok(Self { study, directory, jobs, resources })
    }

    /// The jobs that are not finished.
    pub(super) fn left(&self) -> Vec<&'a dyn Job> {
        let left = |entry: &&Entry<'_>| !matches!(entry.state, State::Finished(_));
        self.jobs.iter().filter(left).map(|entry| entry.job).collect()
    }

    /// How much there is to do and about how long it will take, and what is done again and why.
    pub(super) fn announce(&self) -> Result<()> {
        let left = self.left();
        for Entry { job, state, .. } in &self.jobs {
            if let State::Spoilt(fault) = state {
                say(&format!("run {}: {fault}; running it again", job.id()));
            }
        }
        let kept = self.jobs.len() - left.len();
        let kept = if kept == 0 { String::new() } else { format!(", {kept} of them already finished") };
        let time = duration(self.seconds(&left)?);
        let (runs, threads) = (count(self.jobs.len(), "run"), count(self.resources.threads, "thread"));
        let place = self.directory.display();
        say(&format!("{}: {runs}{kept}, about {time} on {threads}, in {place}", self.study.name()));
        Ok(())
    }

    fn seconds(&self, left: &[&dyn Job]) -> Result<f64> {
        Ok(forecast::seconds(left, self.resources.workers(left.len()), forecast::gemm_rate()?))
    }

    /// The plan for people: every job on a line of its own; then, on standard error, which parts lack data.
    pub(super) fn print(&self) -> Result<()> {
        self.jobs.iter().try_for_each(|entry| print(entry.job.id()))?;
        for same in self.jobs.chunk_by(|a, b| a.part == b.part && a.lacks == b.lacks) {
            if let [Entry { part, lacks: Some(lacks), .. }, ..] = same {
                let (study, runs) = (self.study.name(), count(same.len(), "run"));
                let lack = if same.len() == 1 { "lacks" } else { "lack" };
                say(&format!("{study}: {runs} of {} {lack} data: {}", part.name, in_flags(lacks)));
            }
        }
        Ok(())
    }

    /// The plan for scripts.
    pub(super) fn json(&self) -> Result<Value> {
        let job = |entry: &Entry<'_>| -> Result<Value> {
            let Entry { part, job, state, lacks } = entry;
            let settings = job.plan().with_context(|| format!("run {}", job.id()))?;
            let (state, why) = match state {
                State::Missing => ("missing", None),
                State::Finished(_) => ("finished", None),
                State::Spoilt(fault) => ("spoilt", Some(Fault::to_string(fault))),
            };
            Ok(json!({
                "id": job.id(), "part": part.name, "state": state, "why": why, "lacks": lacks, "work": job.work(),
                "settings": settings,
            }))
        };
        Ok(json!({
            "study": self.study.name(),
            "directory": self.directory,
            "threads": self.resources.threads,
            "seconds": self.seconds(&self.left())?,
            "runs": self.jobs.iter().map(job).collect::<Result<Vec<_>>>()?,
        }))
    }
}

/// An error without the name of its job.
fn reason(error: &Error) -> String {
    match error {
        Error::Job { source, .. } => reason(source),
        other => other.to_string(),
    }
}
