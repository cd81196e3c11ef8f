//! What `ntkscope run` shows and keeps while it works.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::terminal::{Progress, in_flags, progress, say};
use crate::files::write_pieces;
use crate::machine::Stop;
use crate::report::{judged, narrative};
use crate::run::{self, Observer, Rate, RunDirectory, Trace};

/// Least time between two writings of `trace.csv`, and of the state.
const OFTEN: Duration = Duration::from_secs(1);
/// Most time between two writings of the state, which is what a killed run loses.
const SELDOM: Duration = Duration::from_secs(30);
/// Times as long as the state took to write that pass until it is written again.
const SPARING: u32 = 50;

/// A progress bar; `run.toml` as soon as there is something to keep, and `trace.csv` and `state.bin` kept up to date from
/// then on, so that a killed run leaves what it had, and can be gone on with.
pub(super) struct Follow<'a> {
    pub(super) bar: Progress,
    quiet: bool,
    settings: &'a (dyn Fn() -> Result<(), run::Error> + Sync),
    trace: PathBuf,
    state: PathBuf,
    written: Option<Instant>,
    /// when the state was written last, and how long that took
    kept: (Instant, Duration),
    pub(super) error: Option<run::Error>,
    stop: &'a Stop,
}

impl<'a> Follow<'a> {
    pub(super) fn new(
        label: &str,
        quiet: bool,
        place: &RunDirectory,
        settings: &'a (dyn Fn() -> Result<(), run::Error> + Sync),
        stop: &'a Stop,
    ) -> Self {
        Self {
            bar: progress(label, 1000, quiet),
            quiet,
            settings,
            trace: place.file("trace.csv"),
            state: place.file("state.bin"),
            written: None,
            kept: (Instant::now(), Duration::ZERO),
            error: None,
            stop,
        }
    }

    /// Results that cannot be kept are not worth hours of work.
    fn give_up(&mut self, error: impl Into<run::Error>) {
        self.error = Some(error.into());
        self.stop.request();
    }
}

impl Observer for Follow<'_> {
    fn rate(&mut self, rate: &Rate) {
        if rate.is_beyond() && !self.quiet {
            let told = in_flags(&narrative::plain(&judged::beyond(rate)));
            say(&format!("warning: {told}"));
        }
    }
    fn step(&mut self, done: f64, at: &dyn Fn() -> String) {
        if !self.bar.is_hidden() {
            self.bar.set_position((done * 1000.0) as u64);
            self.bar.set_message(at());
        }
    }
    fn snapshot(&mut self, trace: &Trace) {
        if self.error.is_some() || self.written.is_some_and(|at| at.elapsed() < OFTEN) {
            return;
        }
        let settings = if self.written.is_none() { (self.settings)() } else { Ok(()) };
        self.written = Some(Instant::now());
        if let Err(error) = settings.and_then(|()| Ok(trace.write(&self.trace)?)) {
            self.give_up(error);
        }
    }
    fn state(&mut self, last: bool, write: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>) {
        let (at, took) = self.kept;
        let due = last || at.elapsed() >= (SPARING * took).clamp(OFTEN, SELDOM);
        if self.error.is_some() || !due {
            return;
        }
        let begun = Instant::now();
        if let Err(error) = write_pieces(&self.state, |out| write(out)) {
            self.give_up(error);
        }
        self.kept = (Instant::now(), begun.elapsed());
    }
}
