//! Kernel matrices of any size: computed whole where they fit into memory, else in blocks that go to the disk.

mod blocks;
mod file;
mod forecast;
mod lanczos;
mod on_disk;
mod summary;

pub use blocks::{Analytic, Empirical, Sink, Source, analytic_kernel, blocks, rows_per_sample, whole};
pub use file::{KernelFile, rows_at_once};
pub use forecast::{Cut, Job, Plan};
pub use lanczos::{Extremes, Product, Ritz, extremes};
pub use on_disk::{Place, on_disk};
pub use summary::*;
