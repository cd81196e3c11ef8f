//! What commands that run a grid have in common: the whole of it, one part of it, or what all parts have left.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::Common;
use super::plan::Remaining;
use super::terminal::{Progress, print, progress, say, stop_on_interrupt};
use crate::files::{self, Access, DirectoryLock, Unfinished};
use crate::machine::{Ended, Stop};
use crate::study::cell::Finished;
use crate::study::grid::{self, Follow, Job, State};
use crate::study::manifest::Fault;
use crate::study::shard::Shard;
use crate::study::{self, Error};
use crate::words::{count, listed};

/// The options of every command that runs a grid.
#[derive(Args, Debug, Clone)]
pub struct GridArgs {
    /// List the planned runs and estimate their time, without running them
    #[arg(long, help_heading = "Grid")]
    pub dry_run: bool,
    /// Run only part I of N, counted from 1, next to other parts in the same directory, and make no tables [default: in a
    /// Slurm job array, the part of its task]
    #[arg(long, value_name = "I/N", help_heading = "Grid")]
    pub shard: Option<Shard>,
    /// Make the tables and the page from the finished runs of all parts, and run nothing
    #[arg(long, help_heading = "Grid")]
    pub collect: bool,
}

/// A grid that a command runs, and where.
#[derive(Clone)]
pub(super) struct Grid<'a> {
    /// as it is typed
    pub(super) name: &'a str,
    pub(super) directory: PathBuf,
    /// what runs, each with the part of the grid that it belongs to
    pub(super) jobs: Vec<(&'a str, &'a dyn Job)>,
    /// what makes them smaller
    pub(super) smaller: &'static str,
}

/// What is to be done of a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// everything, from the first run to the page
    Whole,
    /// the runs of one part
    Part(Shard),
    /// what is made of finished runs
    Collection,
}

/// What came of it.
pub(super) enum Outcome {
    /// every grid was finished
    Finished,
    /// the part is finished: what a script reads of each grid
    Part(Vec<Value>),
    /// interrupted
    Stopped,
}

impl GridArgs {
    /// What is to be done: as it was typed, else as the environment has it.
    ///
    /// # Errors
    /// Options that exclude one another; an array that names no part.
    pub(super) fn course(&self) -> Result<Course> {
        let refused = |what: &str| Error::Range { setting: "collect", given: String::new(), what: what.into() };
        if self.collect && self.shard.is_some() {
            return Err(refused("it gathers all parts; leave out `shard`").into());
        }
        if self.collect && self.dry_run {
            return Err(refused("it runs nothing; leave out `dry-run`, or list the runs without `collect`").into());
        }
        let shard = match self.shard {
            _ if self.collect => return Ok(Course::Collection),
            Some(shard) => Some(shard),
            None => Shard::of_slurm(|name| std::env::var(name).ok())?,
        };
        Ok(shard.map_or(Course::Whole, Course::Part))
    }
}

impl Course {
    /// The same grids with the runs of this course alone.
    pub(super) fn of<'a>(self, grids: &[Grid<'a>]) -> Vec<Grid<'a>> {
        let Self::Part(shard) = self else { return grids.to_vec() };
        // of all grids together, so that every part takes about as long
        let work: Vec<f64> = grids.iter().flat_map(|grid| &grid.jobs).map(|(_, job)| job.work()).collect();
        let mut takes = shard.takes(&work).into_iter();
        let own = |grid: &Grid<'a>| {
            let mine = takes.by_ref().take(grid.jobs.len()).collect::<Vec<_>>();
            let jobs = grid.jobs.iter().zip(mine).filter(|(_, mine)| *mine).map(|(job, _)| *job).collect();
            Grid { jobs, ..grid.clone() }
        };
        grids.iter().map(own).collect()
    }

    /// What is said of it after the name of a grid.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Part(shard) => format!(", part {shard}"),
            Self::Whole | Self::Collection => String::new(),
        }
    }
}

/// Prints what would run, for people, or returns it for scripts.
pub(super) fn dry_run(args: &GridArgs, common: &Common, grids: &[Grid<'_>]) -> Result<Vec<Value>> {
    let course = args.course()?;
    let mut plans = Vec::new();
    for grid in &course.of(grids) {
        let remaining = Remaining::new(common, grid, course, true)?;
        if common.json {
            plans.push(remaining.json()?);
            continue;
        }
        remaining.print()?;
        if !common.quiet {
            remaining.announce()?;
        }
    }
    Ok(plans)
}

/// Runs what is left of the grids, one after the other; `finish` makes of each that is whole what it shows.
///
/// # Errors
/// Whatever stands in the way, before the first run as far as it can be known; those of `finish`.
pub(super) fn carry_out(
    args: &GridArgs,
    common: &Common,
    grids: &[Grid<'_>],
    mut finish: impl FnMut(usize) -> Result<()>,
) -> Result<Outcome> {
    let course = args.course()?;
    let own = course.of(grids);
    // every setting and every data set is looked at before the first run, and before anything is written
    for grid in &own {
        grid::at_a_time(&jobs(grid), &common.budget(grid.smaller))?;
    }
    if course == Course::Collection {
        own.iter().try_for_each(check_finished)?;
    }
    // nobody works in any of the directories until all is done, but other parts beside a part
    let access = if matches!(course, Course::Part(_)) { Access::Shared } else { Access::Alone };
    let mut locks = Vec::new();
    for Grid { directory, .. } in grids {
        let of_place = |error: files::Error| error.of_place("out", directory, "give another directory");
        locks.push(DirectoryLock::of_grid(directory, access).map_err(of_place)?);
        Unfinished::try_create(&directory.join("report.html")).map_err(of_place)?;
    }
    let stop = stop_on_interrupt();
    for (index, grid) in own.iter().enumerate() {
        let runs = grid.directory.join("runs");
        if course == Course::Collection {
            // nobody works there any more
            files::sweep(&runs);
        } else {
            std::fs::create_dir_all(&runs).map_err(files::Error::io("create", &runs))?;
            if run_left(common, grid, course, &stop)? == Ended::Stopped {
                return Ok(Outcome::Stopped);
            }
        }
        if !matches!(course, Course::Part(_)) {
            finish(index)?;
        }
    }
    match course {
        Course::Part(shard) => Ok(Outcome::Part(part_finished(common, shard, grids, &own)?)),
        Course::Whole | Course::Collection => Ok(Outcome::Finished),
    }
}

fn jobs<'a>(grid: &Grid<'a>) -> Vec<&'a dyn Job> {
    grid.jobs.iter().map(|(_, job)| *job).collect()
}

/// Runs what the directory does not hold yet.
fn run_left(common: &Common, grid: &Grid<'_>, course: Course, stop: &Stop) -> Result<Ended> {
    let remaining = Remaining::new(common, grid, course, false)?;
    let left = remaining.left();
    let bar = Bar::new(&left, common.quiet);
    if !common.quiet {
        bar.bar.set_forecast(remaining.announce()?);
    }
    let finished = grid::run(&left, &grid.directory, remaining.resources, &bar, stop);
    bar.bar.finish_and_clear();
    Ok(finished?)
}

/// Refuses a grid of which a run is missing, or is not what it should be.
fn check_finished(grid: &Grid<'_>) -> Result<(), Error> {
    let mut missing = Vec::new();
    for (_, job) in &grid.jobs {
        match job.state(&grid.directory).map_err(Error::job(job.id()))? {
            // one that failed is what it should be: it fails again whenever it is run
            State::Finished(_) | State::Spoilt(Fault::Ended(_)) => {}
            State::Missing => missing.push(job.id().to_owned()),
            State::Spoilt(fault) => missing.push(format!("{} ({fault})", job.id())),
        }
    }
    match missing.len() {
        0 => Ok(()),
        _ => Err(study::Error::Unfinished { missing, total: grid.jobs.len(), place: grid.directory.clone() }),
    }
}

/// Which of these runs failed and why, if any did; an id is that of its cell.
pub(super) fn failure<C>(finished: &[Finished<C>], id: impl Fn(&C) -> &String) -> Option<String> {
    let told = |run: &Finished<C>| {
        let why = run.failure.as_ref()?;
        Some(format!("{} ({why})", id(&run.cell)))
    };
    let names: Vec<String> = finished.iter().filter_map(told).collect();
    (!names.is_empty())
        .then(|| format!("{} of {} failed: {}", names.len(), count(finished.len(), "run"), listed(&names)))
}

/// Says what is left to the other parts.
fn part_finished(common: &Common, shard: Shard, grids: &[Grid<'_>], own: &[Grid<'_>]) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for (grid, own) in grids.iter().zip(own) {
        let left = grid.jobs.iter().filter(|(_, job)| !job.directory(&grid.directory).exists()).count();
        let (runs, total) = (own.jobs.len(), grid.jobs.len());
        if !common.json {
            let others = match left {
                0 => "nothing is left to other parts; make the tables with --collect in place of --shard".to_owned(),
                _ => format!("{left} of {} left to other parts", count(total, "run")),
            };
            print(&format!("{}, part {shard}: {} finished; {others}", grid.name, count(runs, "run")))?;
        }
        all.push(json!({
            "directory": grid.directory, "shard": shard.to_string(), "finished": runs, "left": left, "total": total,
        }));
    }
    if !common.quiet {
        say(
            "tables and page are made by the same command with --collect in place of --shard, once all parts are finished",
        );
    }
    Ok(all)
}

/// The progress of a grid.
struct Bar {
    bar: Progress,
    jobs: usize,
}

impl Bar {
    /// Positions that one second of work takes.
    const RESOLUTION: f64 = 1000.0;

    fn new(jobs: &[&dyn Job], quiet: bool) -> Self {
        let work: f64 = jobs.iter().map(|job| job.work()).sum();
        Self { bar: progress("", (work * Self::RESOLUTION) as u64, quiet), jobs: jobs.len() }
    }
}

impl Follow for Bar {
    fn done(&self, work: f64, finished: usize) {
        self.bar.set_position((work * Self::RESOLUTION) as u64);
        self.bar.set_prefix(format!("{finished}/{} runs", self.jobs));
    }
}
