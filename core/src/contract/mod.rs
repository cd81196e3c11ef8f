//! What every implementation of [`Backend`](crate::Backend) and [`Network`](crate::network::Network) must satisfy, as a test of one
//! call each: they panic, at the caller's line, with what was violated.
//!
//! A test of yours calls [`backend`] with a backend of yours, or [`network`] with a network of yours; this crate's own pass them
//! in its tests. Nothing is allocated, so that they run on a microcontroller too, given 100 KB of stack.

mod backend;
mod network;

pub use backend::backend;
pub use network::{network, network_len};

use crate::Real;

/// Where a draw differs from every other of the suite.
const SEED: u64 = 0x0c04_7ac7;

/// |x - y| is at most `allowed`; NaN is not.
fn near<T: Real>(x: T, y: T, allowed: T) -> bool {
    (x - y).abs() <= allowed
}

/// The same bits, NaN included.
fn same<T: Real>(x: T, y: T) -> bool {
    x.to_f64().to_bits() == y.to_f64().to_bits()
}
