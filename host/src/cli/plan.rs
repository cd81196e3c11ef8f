//! What is left to do of a grid, and how that is told: before it runs, and in its place with `--dry-run`.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Common;
use super::grid::{Course, Grid};
use super::terminal::{in_flags, print, say};
use crate::machine::cores;
use crate::study::grid::{Job, Resources, State};
use crate::study::manifest::Fault;
use crate::study::{Error, forecast, grid};
use crate::words::{count, duration};

/// What is left to do of a grid.
pub(super) struct Remaining<'a> {
    grid: &'a Grid<'a>,
    course: Course,
    jobs: Vec<Entry<'a>>,
    /// what the machine gives
    pub(super) resources: Resources,
}

/// A job, and what stands in its way.
struct Entry<'a> {
    part: &'a str,
    job: &'a dyn Job,
    state: State,
    /// the data that it needs is not there
    lacks: Option<String>,
}

impl<'a> Remaining<'a> {
    /// Looks at every job, its data and what the directory holds of it. Where data is missing, a plan says so, and a
    /// grid that is to run does not begin.
    pub(super) fn new(common: &Common, grid: &'a Grid<'a>, course: Course, is_plan: bool) -> Result<Self> {
        let (mut jobs, mut needs, budget) = (Vec::new(), Vec::new(), common.budget(grid.smaller));
        for (part, job) in grid.jobs.iter().copied() {
            let looked = grid::need(job, &budget).and_then(|need| {
                needs.push(need);
                job.state(&grid.directory).map_err(Error::job(job.id()))
            });
            let (state, lacks) = match looked {
                Ok(state) => (state, None),
                Err(error) if is_plan && error.lacks_data() => (State::Missing, Some(reason(&error))),
                Err(error) => return Err(error.into()),
            };
            jobs.push(Entry { part, job, state, lacks });
        }
        let threads = common.threads.map_or_else(cores, usize::from);
        let resources = Resources { threads, at_a_time: grid::fitting(&needs, &budget) };
        Ok(Self { grid, course, jobs, resources })
    }

    /// The jobs that are not finished.
    pub(super) fn left(&self) -> Vec<&'a dyn Job> {
        let left = |entry: &&Entry<'_>| !matches!(entry.state, State::Finished(_));
        self.jobs.iter().filter(left).map(|entry| entry.job).collect()
    }

    /// Says how much there is to do and about how long it will take, and what is done again and why; returns the seconds.
    pub(super) fn announce(&self) -> Result<f64> {
        let left = self.left();
        for Entry { job, state, .. } in &self.jobs {
            if let State::Spoilt(fault) = state {
                say(&format!("run {}: {fault}; running it again", job.id()));
            }
        }
        let kept = self.jobs.len() - left.len();
        let kept = if kept == 0 { String::new() } else { format!(", {kept} of them already finished") };
        let seconds = self.seconds(&left)?;
        let time = duration(seconds);
        let (runs, threads) = (count(self.jobs.len(), "run"), count(self.resources.threads, "thread"));
        let (name, part, place) = (self.grid.name, self.course.in_words(), self.grid.directory.display());
        say(&format!("{name}{part}: {runs}{kept}, about {time} on {threads}, in {place}"));
        Ok(seconds)
    }

    fn seconds(&self, left: &[&dyn Job]) -> Result<f64> {
        let seconds = |rate| forecast::seconds(left, self.resources.workers(left.len()), rate);
        Ok(seconds(forecast::gemm_rate(seconds(forecast::REFERENCE_RATE))?))
    }

    /// The plan for people: every job on a line of its own; then, on standard error, which parts lack data.
    pub(super) fn print(&self) -> Result<()> {
        self.jobs.iter().try_for_each(|entry| print(entry.job.id()))?;
        for same in self.jobs.chunk_by(|a, b| a.part == b.part && a.lacks == b.lacks) {
            if let [Entry { part, lacks: Some(lacks), .. }, ..] = same {
                let (grid, runs) = (self.grid.name, count(same.len(), "run"));
                let lack = if same.len() == 1 { "lacks" } else { "lack" };
                say(&format!("{grid}: {runs} of {part} {lack} data: {}", in_flags(lacks)));
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
                "id": job.id(), "part": part, "state": state, "why": why, "lacks": lacks, "work": job.work(),
                "settings": settings,
            }))
        };
        Ok(json!({
            "study": self.grid.name,
            "directory": self.grid.directory,
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
