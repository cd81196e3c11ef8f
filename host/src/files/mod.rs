//! What lies on a disk: files that are never half written, npz archives, tables of numbers. Knows nothing of kernels.

mod atomic;
mod dtype;
pub mod npz;
pub mod numbers;

pub use atomic::{Unfinished, nameless_file, write_atomic};
pub use dtype::Dtype;
