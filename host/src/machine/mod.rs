//! What the computer gives: memory, threads; and asking work to end early; whose fault an error is.

mod cause;
mod error;
mod here;
mod limits;
pub mod memory;
#[cfg(feature = "mpi")]
mod mpi;
mod ranks;
mod stop;
mod threads;

pub use cause::Cause;
pub use error::Error;
pub use here::processor;
pub use memory::{Budget, MemoryLimit};
pub use ranks::{Alone, Ranks, begin_ranks, ranks};
pub use stop::{Ended, Stop};
pub use threads::{check_threads, cores, side_by_side, with_threads};
