//! The grid: all cells of a study, several at a time, each on threads of its own; finished ones are kept.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::cell::{Cell, Progress};
use crate::run::{self, INTERRUPTED, Observer};

/// What the machine gives to a study.
#[derive(Clone, Copy, Debug)]
pub struct Resources {
    /// threads in all
    pub threads: usize,
    /// most cells at a time, see [`at_a_time`]
    pub at_a_time: usize,
    /// no progress bar
    pub quiet: bool,
}

/// Runs every cell that is not finished yet. Returns whether all are finished now; the alternative is Ctrl-C.
///
/// The result does not depend on how many run at a time. Errors: the first of any cell; cells that were
/// finished by then are kept.
pub fn run(cells: &[Cell], study: &Path, resources: Resources) -> Result<bool> {
    // the longest first, so that no long one is left alone at the end
    let mut order: Vec<&Cell> = cells.iter().collect();
    order.sort_by(|a, b| b.work.total_cmp(&a.work));
    let workers = resources.threads.min(order.len()).min(resources.at_a_time).max(1);
    let threads = u16::try_from((resources.threads / workers).max(1)).unwrap_or(u16::MAX);
    let shared = Shared {
        order,
        study,
        threads,
        next: AtomicUsize::new(0),
        failed: Mutex::new(None),
        stop: AtomicBool::new(false),
        bar: bar(cells, resources.quiet),
        finished: AtomicUsize::new(0),
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| shared.work());
        }
    });
    shared.bar.finish_and_clear();
    let failed = shared.failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failed.map_or(Ok(shared.finished.load(Ordering::Relaxed) == cells.len()), Err)
}

/// How many cells fit into memory at a time, by the largest of them. Error: not even that one does.
pub fn at_a_time(cells: &[Cell], memory: Option<u64>) -> Result<usize> {
    // widths, depth and data decide, so the cell of most work is the largest
    let Some(largest) = cells.iter().max_by(|a, b| a.work.total_cmp(&b.work)) else { return Ok(1) };
    let resolved = largest.resolve()?;
    let need = run::forecast(&resolved.model, &resolved.training, &resolved.samples)?;
    crate::memory::check(&format!("the run {}", largest.id), need, memory.map(bytesize::ByteSize::b))?;
    let free = memory.or_else(crate::memory::available).unwrap_or(u64::MAX);
    Ok(usize::try_from(free / need.max(1)).unwrap_or(usize::MAX))
}

/// Positions of the bar that one unit of the smallest cell's work takes.
const RESOLUTION: f64 = 1000.0;

fn bar(cells: &[Cell], quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let total: f64 = cells.iter().map(|cell| cell.work).sum();
    let bar = ProgressBar::with_draw_target(Some((total * RESOLUTION) as u64), target);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {percent}%  {eta} left  {msg}") {
        bar.set_style(style);
    }
    bar
}

struct Shared<'a> {
    order: Vec<&'a Cell>,
    study: &'a Path,
    threads: u16,
    next: AtomicUsize,
    failed: Mutex<Option<anyhow::Error>>,
    stop: AtomicBool,
    bar: ProgressBar,
    finished: AtomicUsize,
}

impl Shared<'_> {
    /// Takes cells until there are none, one failed, or the study is interrupted.
    fn work(&self) {
        while !self.stop.load(Ordering::Relaxed) && !INTERRUPTED.load(Ordering::Relaxed) {
            let Some(cell) = self.order.get(self.next.fetch_add(1, Ordering::Relaxed)) else { return };
            let mut share = Share { bar: &self.bar, work: cell.work, shown: 0 };
            match cell.run(self.study, self.threads, &mut share).with_context(|| format!("run {}", cell.id)) {
                Ok(Progress::Interrupted) => return,
                Ok(Progress::Kept | Progress::Done) => {
                    let finished = self.finished.fetch_add(1, Ordering::Relaxed) + 1;
                    share.show(1.0);
                    self.bar.set_prefix(format!("{finished}/{} runs", self.order.len()));
                }
                Err(error) => {
                    self.stop.store(true, Ordering::Relaxed);
                    let mut failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    failed.get_or_insert(error);
                }
            }
        }
    }
}

/// One cell's part of the bar.
struct Share<'a> {
    bar: &'a ProgressBar,
    work: f64,
    shown: u64,
}

impl Share<'_> {
    fn show(&mut self, done: f64) {
        let at = (done * self.work * RESOLUTION) as u64;
        self.bar.inc(at.saturating_sub(self.shown));
        self.shown = self.shown.max(at);
    }
}

impl Observer for Share<'_> {
    fn step(&mut self, done: f64, _at: &dyn Fn() -> String) {
        self.show(done);
    }
}
