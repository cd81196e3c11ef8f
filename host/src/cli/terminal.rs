//! What commands have in common: exit codes, messages, progress bars.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::data::DataError;
use crate::error::UsageError;
use crate::machine::Stop;

/// Done.
pub const DONE: u8 = 0;
/// Done, but a stated claim or check failed.
pub const FAILED: u8 = 1;
/// Wrong usage or settings.
pub const USAGE: u8 = 2;
/// Interrupted; what is finished is kept.
pub const INTERRUPTED: u8 = 130;

/// The process's exit code; an error is printed with everything that led to it.
pub fn exit(result: Result<u8>) -> ExitCode {
    let code = match &result {
        Ok(code) => *code,
        Err(e) => {
            eprintln!("error: {e:#}");
            code_of(e)
        }
    };
    ExitCode::from(code)
}

fn code_of(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if let Some(e) = cause.downcast_ref::<DataError>() {
            return e.exit_code();
        }
        if cause.is::<UsageError>() {
            return USAGE;
        }
    }
    FAILED
}

/// A token that Ctrl-C requests from now on, so that the work ends after its present step; a second one, or a system
/// without signals, ends the process as usual.
pub fn stop_on_interrupt() -> Stop {
    let stop = Stop::new();
    let requested = stop.clone();
    let _ = ctrlc::set_handler(move || {
        if requested.requested() {
            std::process::exit(i32::from(INTERRUPTED));
        }
        requested.request();
    });
    stop
}

/// A progress bar on standard error, unless nothing is to be said or nobody sees it.
pub fn progress(label: &str, steps: u64, quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(steps), target);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {percent}%  {eta} left  {msg}") {
        bar.set_style(style);
    }
    bar.with_prefix(label.to_owned())
}

/// Prints to standard output; a reader that went away (`| head`) is no error.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("standard output"),
    }
}
