//! What the computer gives: memory, threads; and asking work to end early.

pub mod memory;
mod stop;
mod threads;

pub use stop::{Ended, Stop};
pub use threads::with_threads;
