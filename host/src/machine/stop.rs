//! Being told to end: between two steps, with what is finished kept.

use std::sync::atomic::{AtomicBool, Ordering};

/// Set by Ctrl-C: the work stops after its present step and keeps what it has.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether there was a Ctrl-C.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Ctrl-C, where work can be ended between two steps. Exit code 130.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;
