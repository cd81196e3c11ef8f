//! How far along work is: a bar on a terminal, a line now and then where there is none.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::streams::{make_room_above, say};
use crate::machine::ranks;
use crate::words::duration;

/// Seconds between the lines of a log, which grow, and stay at the last.
const INTERVALS: [u64; 5] = [10, 14, 19, 24, 28];

/// What is known of the work.
#[derive(Debug, Default)]
struct State {
    prefix: String,
    message: String,
    done: u64,
    /// 0: nobody knows
    all: u64,
    /// how `done` and `all` are written, where they mean something
    unit: Option<fn(u64) -> String>,
    /// seconds that are left, where the work knows better than the clock
    left: Option<f64>,
    /// seconds that the whole was to take, where there was a forecast
    forecast: Option<f64>,
    over: bool,
}

/// Follows work that takes long. Dropped, it leaves nothing on the terminal.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    shared: Arc<(Mutex<State>, Condvar)>,
    lines: Option<JoinHandle<()>>,
}

/// The progress of `steps` steps (0: nobody knows how many) on standard error, unless nothing is to be said.
pub fn progress(label: &str, steps: u64, quiet: bool) -> Progress {
    Progress::new(label, steps, None, quiet, "{prefix} {wide_bar} {percent}%  {left}  {msg}")
}

/// The progress of work that does not count its steps.
pub fn phase(what: &str, quiet: bool) -> Progress {
    let progress = Progress::new("", 0, None, quiet, "{spinner} {elapsed} {msg}");
    progress.set_message(what);
    if !progress.bar.is_hidden() {
        progress.bar.enable_steady_tick(Duration::from_millis(500));
    }
    progress
}

/// The progress of a download.
pub fn bytes(quiet: bool) -> Progress {
    let written: fn(u64) -> String = |bytes| bytesize::ByteSize::b(bytes).to_string();
    Progress::new("", 0, Some(written), quiet, "{bar:30} {bytes}/{total_bytes}  {left}")
}

impl Progress {
    fn new(label: &str, all: u64, unit: Option<fn(u64) -> String>, quiet: bool, template: &str) -> Self {
        let quiet = quiet || !ranks().is_first();
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target((all > 0).then_some(all), target).with_prefix(label.to_owned());
        let state = State { prefix: label.into(), all, unit, ..State::default() };
        let shared = Arc::new((Mutex::new(state), Condvar::new()));
        if let Ok(style) = ProgressStyle::with_template(template) {
            let known = Arc::clone(&shared);
            // on a terminal and in lines the same
            bar.set_style(style.with_key("left", move |bar: &ProgressState, text: &mut dyn std::fmt::Write| {
                let state = known.0.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(left) = state.seconds_left(bar.elapsed().as_secs_f64()) {
                    // a terminal that takes no text shows none
                    let _ = write!(text, "about {} left", duration(left));
                }
            }));
        }
        // no animation off a terminal, and no lines on one
        let lines = (bar.is_hidden() && !quiet).then(|| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("progress".into()).spawn(move || keep_telling(&shared)).ok()
        });
        if !bar.is_hidden() {
            make_room_above(Some(bar.clone()));
        }
        Self { bar, shared, lines: lines.flatten() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Whether nobody is told.
    pub fn is_hidden(&self) -> bool {
        self.bar.is_hidden() && self.lines.is_none()
    }
    /// So many steps are done.
    pub fn set_position(&self, done: u64) {
        self.state().done = done;
        self.bar.set_position(done);
    }
    /// One more step is done.
    pub fn inc(&self, steps: u64) {
        self.state().done += steps;
        self.bar.inc(steps);
    }
    /// There are so many steps; 0: nobody knows.
    pub fn set_length(&self, all: u64) {
        self.state().all = all;
        self.bar.set_length(all);
    }
    /// Seconds that are left, where the work knows better than the clock.
    pub fn set_left(&self, seconds: f64) {
        self.state().left = Some(seconds);
    }
    /// Seconds that the whole was to take.
    pub fn set_forecast(&self, seconds: f64) {
        self.state().forecast = Some(seconds);
    }
    /// Where the work stands, in words.
    pub fn set_message(&self, message: impl Into<String>) {
        let message = message.into();
        self.state().message.clone_from(&message);
        self.bar.set_message(message);
    }
    /// What is followed.
    pub fn set_prefix(&self, prefix: impl Into<String>) {
        let prefix = prefix.into();
        self.state().prefix.clone_from(&prefix);
        self.bar.set_prefix(prefix);
    }
    /// The work is over.
    pub fn finish_and_clear(&self) {
        self.state().over = true;
        self.shared.1.notify_all();
        self.bar.finish_and_clear();
        if !self.bar.is_hidden() {
            make_room_above(None);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish_and_clear();
        if let Some(lines) = self.lines.take() {
            // it ends at once, unless its reader keeps it waiting; a panic of its own would change nothing
            let _ = lines.join();
        }
    }
}

/// Lines until the work is over.
fn keep_telling((state, over): &(Mutex<State>, Condvar)) {
    let began = Instant::now();
    let mut intervals = INTERVALS.into_iter().chain(std::iter::repeat(INTERVALS[INTERVALS.len() - 1]));
    let mut due = Duration::ZERO;
    loop {
        due += Duration::from_secs(intervals.next().unwrap_or(INTERVALS[0]));
        let mut now = state.lock().unwrap_or_else(PoisonError::into_inner);
        while !now.over && began.elapsed() < due {
            let left = due.saturating_sub(began.elapsed());
            now = over.wait_timeout(now, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if now.over {
            return;
        }
        let line = now.line(began.elapsed().as_secs_f64());
        drop(now);
        say(&line);
    }
}

/// The share of the work from which on the clock tells how long the rest takes.
const TELLING: f64 = 0.01;
/// The share of the work that a forecast counts for beside what is done: early shares of a grid are no measure of its time, since
/// the steps of stiff runs come late, and a forecast may be wrong. In the logs of eight studies whose forecast was right to a factor of 3
/// the mean error of ln(seconds left) was 0.36, by the clock alone 0.42; in three with worse forecasts the clock was the better.
const OF_FORECAST: f64 = 0.2;

impl State {
    /// The share that is done; 0 where nobody knows.
    fn share(&self) -> f64 {
        if self.all > 0 { (self.done as f64 / self.all as f64).min(1.0) } else { 0.0 }
    }

    /// Seconds that are left after so many: by what is done, and by the forecast, as if that had been a part of the work.
    fn seconds_left(&self, seconds: f64) -> Option<f64> {
        let share = self.share();
        let estimate = match self.forecast {
            Some(whole) => Some((seconds + OF_FORECAST * whole) / (share + OF_FORECAST)),
            None => (share >= TELLING).then(|| seconds / share),
        };
        self.left.or(estimate.filter(|_| share < 1.0).map(|whole| whole * (1.0 - share)))
    }

    /// What is done, of how much, and what is left.
    fn line(&self, seconds: f64) -> String {
        let Self { prefix, message, done, all, unit, .. } = self;
        let (mut parts, share) = (Vec::new(), self.share());
        match (unit, all) {
            (Some(unit), 0) => parts.push(unit(*done)),
            (Some(unit), _) => parts.push(format!("{} of {}", unit(*done), unit(*all))),
            (None, 0) => {}
            // rounded down: 100 % is said of nothing that goes on
            (None, _) => parts.push(format!("{} %", (100.0 * share).floor())),
        }
        if !message.is_empty() {
            parts.push(message.clone());
        }
        parts.push(format!("{} so far", duration(seconds)));
        if let Some(left) = self.seconds_left(seconds) {
            parts.push(format!("about {} left", duration(left)));
        }
        let text = parts.join(", ");
        if prefix.is_empty() { text } else { format!("{prefix}: {text}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_done_and_left() {
        let mut state = State { prefix: "squared error".into(), message: "step 7".into(), ..State::default() };
        assert_eq!(state.line(12.0), "squared error: step 7, 12 s so far");
        (state.done, state.all) = (250, 1000);
        assert_eq!(state.line(20.0), "squared error: 25 %, step 7, 20 s so far, about 60 s left");
        state.done = 1000;
        assert_eq!(state.line(20.0), "squared error: 100 %, step 7, 20 s so far");
        state.done = 9;
        assert_eq!(state.line(20.0), "squared error: 0 %, step 7, 20 s so far", "so little says nothing of the rest");
        state.done = 1000;
        (state.left, state.prefix) = (Some(1e4), String::new());
        assert_eq!(state.line(300.0), "100 %, step 7, 5 min so far, about 2 h 40 min left");
        // of nothing done a forecast tells, of all the clock alone
        (state.left, state.forecast, state.done) = (None, Some(600.0), 0);
        assert_eq!(state.line(0.0), "0 %, step 7, 0 s so far, about 10 min left");
        state.done = 800;
        assert_eq!(state.line(480.0), "80 %, step 7, 8 min so far, about 2 min left");
        state.done = 1000;
        assert_eq!(state.line(480.0), "100 %, step 7, 8 min so far");
        state.forecast = None;
        let unit: fn(u64) -> String = |bytes| format!("{bytes} B");
        (state.unit, state.left, state.done) = (Some(unit), None, 500);
        assert_eq!(state.line(1.0), "500 B of 1000 B, step 7, 1 s so far, about 1 s left");
    }

    #[test]
    fn lines_come_at_least_every_half_minute() {
        assert!(INTERVALS.is_sorted() && INTERVALS[0] <= 10 && INTERVALS[4] < 30);
    }
}
