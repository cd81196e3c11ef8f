//! Ctrl-C, SIGTERM and SIGHUP.
//!
//! All three mean the same. Work that can end between two steps hands out a [`Stop`]: the first signal is answered at once and
//! requests it, the second ends the process. Other work ends at the first. The exit code is 130 in each case, and no unfinished
//! file stays. A signal that was ignored when the program started, as `nohup` has it for SIGHUP and a shell for the
//! commands that it starts in the background, stays ignored.
//!
//! Among several ranks nothing ends between two steps: the first signal ends all processes.
//!
//! signal-hook rather than ctrlc: that one catches either SIGINT alone or, with its feature `termination`, SIGHUP too,
//! even where it was ignored.

use std::sync::{Mutex, PoisonError};

use super::streams::say;
use super::terminal::INTERRUPTED;
use crate::machine::{Stop, ranks};

/// What a signal does.
enum Work {
    /// it cannot end between two steps: the process ends at once
    Whole,
    /// it ends after its present step
    Steps { stop: Stop, quiet: bool },
}

static WORK: Mutex<Work> = Mutex::new(Work::Whole);

/// Catches the signals from now on. Where the system has none of them, or no thread to wait for them, it ends the
/// process as usual.
pub(super) fn catch() {
    #[cfg(unix)]
    unix::catch();
}

/// A token that a signal requests from now on, so that the work ends after its present step.
pub fn stop_on_interrupt() -> Stop {
    hand_out(false)
}

/// The same, without a word: for a process whose parent answers for both.
pub fn stop_on_interrupt_quietly() -> Stop {
    hand_out(true)
}

fn hand_out(quiet: bool) -> Stop {
    let stop = Stop::new();
    if ranks().size() > 1 {
        // one that ended early would leave the others waiting: all end at the first signal
        return stop;
    }
    *WORK.lock().unwrap_or_else(PoisonError::into_inner) = Work::Steps { stop: stop.clone(), quiet };
    stop
}

/// What happens on a signal.
#[cfg(unix)]
fn answer() {
    match &*WORK.lock().unwrap_or_else(PoisonError::into_inner) {
        Work::Steps { stop, quiet } if !stop.requested() => {
            stop.request();
            if !quiet {
                say("stopping after this step; interrupt again to stop at once");
            }
        }
        Work::Steps { .. } => end(),
        Work::Whole => {
            say("interrupted");
            end()
        }
    }
}

/// Ends the process and leaves nothing unfinished.
#[cfg(unix)]
fn end() -> ! {
    crate::files::abandon();
    std::process::exit(i32::from(INTERRUPTED))
}

#[cfg(unix)]
mod unix {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    pub(super) fn catch() {
        let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal));
        let Ok(mut signals) = Signals::new(wanted) else { return };
        let waiting = std::thread::Builder::new().name("signals".into());
        // without a thread the handlers only note the signal: the system's own are better then
        let started = waiting.spawn(move || signals.forever().for_each(|_| super::answer()));
        drop(started);
    }

    /// Whether the process was started with this signal ignored.
    fn is_ignored(signal: i32) -> bool {
        let mut now = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: without a new action nothing is changed, and the answer goes into memory of ours that has the size of a
        // sigaction; where it came it is whole, and zeros were a valid one already. An unknown signal is an error
        let now = unsafe {
            if libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr()) != 0 {
                return false;
            }
            now.assume_init()
        };
        now.sa_sigaction == libc::SIG_IGN
    }
}
