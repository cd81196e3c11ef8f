//! The grid: all jobs of a study, several at a time, each on threads of its own; finished ones are kept.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Error;
use super::manifest::{Fault, Manifest};
use crate::machine::{Budget, Ended, Stop, side_by_side};
use crate::run::Observer;

/// A piece of a study that is kept once it is finished.
pub trait Job: Sync {
    /// Name of its directory, unique in the study.
    fn id(&self) -> &str;
    /// Expected seconds on one core of a machine of [`super::forecast::REFERENCE_RATE`]: the order, the forecast and
    /// the progress bar rest on it, nothing else.
    fn work(&self) -> f64;
    /// Bytes of memory that it takes.
    ///
    /// # Errors
    /// Wrong settings, missing data.
    fn need(&self) -> Result<u64, Error>;
    /// All that was chosen of it, as a settings file has it, without a look at the data.
    ///
    /// # Errors
    /// Settings that toml cannot hold.
    fn plan(&self) -> Result<toml::Table, Error>;
    /// What the study's directory holds of it.
    ///
    /// # Errors
    /// As for `need`; files that cannot be read.
    fn state(&self, study: &Path) -> Result<State, Error>;
    /// Where its results lie, under the study's directory.
    fn directory(&self, study: &Path) -> PathBuf {
        study.join("runs").join(self.id())
    }
    /// Does the work, whatever is there. Of a job that was stopped nothing is kept.
    fn run(
        &self,
        study: &Path,
        threads: u16,
        observer: &mut (dyn Observer + Send),
        stop: &Stop,
    ) -> Result<Ended, Error>;
}

/// What a study's directory holds of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// nothing
    Missing,
    /// its results, of the same settings and data, as they were written
    Finished(Manifest),
    /// something that is no result of it
    Spoilt(Fault),
}

/// What the machine gives to a study.
#[derive(Clone, Copy, Debug)]
pub struct Resources {
    /// threads in all
    pub threads: usize,
    /// most jobs at a time, see [`at_a_time`]
    pub at_a_time: usize,
}

impl Resources {
    /// How many jobs run at a time.
    pub fn workers(&self, jobs: usize) -> usize {
        self.threads.min(jobs).min(self.at_a_time).max(1)
    }
}

/// Follows a grid while it goes on, from several threads.
pub trait Follow: Sync {
    /// So much of the jobs' work is done, in all, and so many of them.
    fn done(&self, work: f64, finished: usize);
}

/// Does every one of these jobs; those that are finished when `stop` is requested are kept.
///
/// The result does not depend on how many run at a time.
///
/// # Errors
/// The first of any job; those that were finished by then are kept.
pub fn run(
    jobs: &[&dyn Job],
    study: &Path,
    resources: Resources,
    follow: &dyn Follow,
    stop: &Stop,
) -> Result<Ended, Error> {
    // the longest first, so that no long one is left alone at the end
    let mut order = jobs.to_vec();
    order.sort_by(|a, b| b.work().total_cmp(&a.work()));
    let workers = resources.workers(order.len());
    let threads = u16::try_from((resources.threads / workers).max(1)).unwrap_or(u16::MAX);
    let shared = Shared {
        order,
        study,
        threads,
        next: AtomicUsize::new(0),
        failed: Mutex::new(None),
        stop,
        give_up: AtomicBool::new(false),
        follow,
        done: Mutex::new(0.0),
        finished: AtomicUsize::new(0),
    };
    side_by_side(workers, usize::from(threads), &|| shared.work())?;
    let failed = shared.failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    match failed {
        Some(error) => Err(error),
        None if shared.finished.load(Ordering::Relaxed) == jobs.len() => Ok(Ended::Done(())),
        None => Ok(Ended::Stopped),
    }
}

/// How many jobs fit into memory at a time, by the largest.
///
/// # Errors
/// Wrong settings, missing data of any job; not even one fits.
pub fn at_a_time(jobs: &[&dyn Job], budget: &Budget) -> Result<usize, Error> {
    let needs: Vec<u64> = jobs.iter().map(|job| need(*job, budget)).collect::<Result<_, _>>()?;
    Ok(fitting(&needs, budget))
}

/// Bytes of memory that a job takes.
///
/// # Errors
/// As for [`at_a_time`].
pub fn need(job: &dyn Job, budget: &Budget) -> Result<u64, Error> {
    let bytes = job.need().map_err(Error::job(job.id()))?;
    budget.check(&format!("the run {}", job.id()), bytes)?;
    Ok(bytes)
}

/// How many jobs of these needs fit into memory at a time.
pub fn fitting(needs: &[u64], budget: &Budget) -> usize {
    let most = needs.iter().copied().fold(1, u64::max);
    let free = budget.limit().map_or(u64::MAX, |limit| limit.bytes);
    usize::try_from(free / most).unwrap_or(usize::MAX)
}

struct Shared<'a> {
    order: Vec<&'a dyn Job>,
    study: &'a Path,
    threads: u16,
    next: AtomicUsize,
    failed: Mutex<Option<Error>>,
    stop: &'a Stop,
    /// a job failed
    give_up: AtomicBool,
    follow: &'a dyn Follow,
    done: Mutex<f64>,
    finished: AtomicUsize,
}

impl Shared<'_> {
    /// Takes jobs until there are none, one failed, or the study is to stop.
    fn work(&self) {
        while !self.give_up.load(Ordering::Relaxed) && !self.stop.requested() {
            let Some(job) = self.order.get(self.next.fetch_add(1, Ordering::Relaxed)) else { return };
            let mut share = Share { shared: self, work: job.work(), shown: 0.0 };
            let ended = job.run(self.study, self.threads, &mut share, self.stop);
            match ended.map_err(Error::job(job.id())) {
                Ok(Ended::Stopped) => return,
                Ok(Ended::Done(())) => {
                    self.finished.fetch_add(1, Ordering::Relaxed);
                    share.show(1.0);
                }
                Err(error) => {
                    self.give_up.store(true, Ordering::Relaxed);
                    let mut failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    failed.get_or_insert(error);
                }
            }
        }
    }
}

/// One job's part of the whole.
struct Share<'a> {
    shared: &'a Shared<'a>,
    work: f64,
    /// share of the job that is counted already
    shown: f64,
}

impl Share<'_> {
    fn show(&mut self, done: f64) {
        let mut all = self.shared.done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *all += (done - self.shown).max(0.0) * self.work;
        self.shown = self.shown.max(done);
        self.shared.follow.done(*all, self.shared.finished.load(Ordering::Relaxed));
    }
}

impl Observer for Share<'_> {
    fn step(&mut self, done: f64, _at: &dyn Fn() -> String) {
        self.show(done);
    }
}
