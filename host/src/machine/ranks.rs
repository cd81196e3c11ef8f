//! The processes among which one piece of work is divided, on one machine or on many: its ranks.
//!
//! Every rank runs the same program on the same input. It does its part of what is divided, and all of the rest, so that it has the
//! same numbers, bit for bit, as any other. What ranks tell one another is sent and received by all in the same order.
//!
//! No [`Stop`](super::Stop) is requested among several ranks, since one that ends early would leave the others waiting: there the
//! process ends, and all with it.

use std::any::Any;
use std::sync::OnceLock;

use super::cores;

/// The ranks of a piece of work, as one of them sees them.
pub trait Ranks: Sync {
    /// The number of this one, from 0.
    fn rank(&self) -> usize;
    /// How many there are.
    fn size(&self) -> usize;
    /// Sends `to[r]` to each rank r, and hands back what each has sent to this one, by rank. Called by all.
    fn exchange(&self, to: Vec<Vec<f64>>) -> Vec<Vec<f64>>;
    /// Ends all ranks with this exit code.
    fn abort(&self, code: u8) -> !;

    /// How many of them run on this machine.
    fn here(&self) -> usize {
        1
    }
    /// Cores for each rank of this machine.
    fn cores(&self) -> usize {
        cores()
    }
    /// What each rank has given, by rank. Called by all.
    fn share(&self, own: &[f64]) -> Vec<Vec<f64>> {
        self.exchange(vec![own.to_vec(); self.size()])
    }
    /// Whether this is the one that speaks for all, and writes what is written once.
    fn is_first(&self) -> bool {
        self.rank() == 0
    }
}

/// A process by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Ranks for Alone {
    fn rank(&self) -> usize {
        0
    }
    fn size(&self) -> usize {
        1
    }
    fn exchange(&self, to: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        to
    }
    fn abort(&self, code: u8) -> ! {
        std::process::exit(i32::from(code))
    }
}

static RANKS: OnceLock<&'static dyn Ranks> = OnceLock::new();

/// Those of this process: it is alone, unless [`begin_ranks`] found others.
pub fn ranks() -> &'static dyn Ranks {
    RANKS.get().copied().unwrap_or(&Alone)
}

/// Finds the other ranks, where this program was built for several and a launcher has started them. Called once, at the
/// beginning; what is handed back is dropped at the regular end, which all ranks reach.
pub fn begin_ranks() -> Option<Box<dyn Any>> {
    let (found, session) = others()?;
    // a second call of one process has the ranks of the first
    let _ = RANKS.set(found);
    Some(session)
}

#[cfg(feature = "mpi")]
use super::mpi::others;

#[cfg(not(feature = "mpi"))]
fn others() -> Option<(&'static dyn Ranks, Box<dyn Any>)> {
    None
}
