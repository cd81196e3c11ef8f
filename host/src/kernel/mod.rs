//! Kernel matrices of any size: computed whole where they fit into memory, else in blocks that go to the disk.

mod blocks;
mod cause;
mod density;
mod error;
mod file;
mod forecast;
mod lanczos;
mod on_disk;
mod operator;
mod pair;
mod points;
mod strips;
mod summary;
mod symmetric;
mod tridiagonal;

pub use blocks::{
    Analytic, Empirical, KernelSource, Sink, analytic_cross, analytic_kernel, blocks, blocks_between, initial_kernel,
    rows_per_sample, whole, whole_into,
};
pub use cause::{Cause, Entry, Suspects};
pub use density::{Density, Effort, Estimated, density, density_bytes};
pub use error::{Error, KernelFault};
pub use file::{KernelFile, rows_at_once};
pub use forecast::{Cut, KernelPlan, KernelWork};
pub use lanczos::{Awaited, Extremes, Outermost, Product, Ritz, Search, SingleProduct, extremes, outermost};
pub use on_disk::{KernelPlace, on_disk};
pub(crate) use operator::check_finite;
pub use operator::{Difference, Gradients, Operator, Panels, ProductPlan, ProductWork, Scaled, Told};
pub use pair::{Apart, Directions};
pub use points::{HeldOut, Points, Space, convert};
pub use strips::strips;
pub use summary::{Entries, KernelSummary, Lanczos};
pub use symmetric::check_symmetric;
