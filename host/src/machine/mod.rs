//! What the computer gives: memory, threads; and being told to stop.

pub mod memory;
mod stop;
mod threads;

pub use stop::{INTERRUPTED, Interrupted, interrupted};
pub use threads::with_threads;
