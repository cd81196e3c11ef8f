//! Kernel matrices of any size: computed whole where they fit into memory, else in blocks that go to the disk.

mod at_once;
mod blocks;
mod degeneracy;
mod density;
mod error;
mod file;
mod forecast;
mod lanczos;
mod leaf;
mod on_disk;
mod operator;
mod pair;
mod points;
mod strips;
mod summary;
mod symmetric;
mod tridiagonal;

pub use at_once::{analytic_cross, analytic_kernel, initial_kernel, whole, whole_into};
pub use blocks::{Analytic, Empirical, KernelSource, Sink, blocks, blocks_between, rows_per_sample};
pub use degeneracy::{Degeneracy, Entry, Suspects};
pub use density::{Density, Effort, Estimated, density, density_bytes};
pub use error::{Error, KernelFault};
pub use file::{KernelFile, rows_at_once};
pub use forecast::{Cut, KernelPlan, KernelWork, widest};
pub use lanczos::{Awaited, Extremes, Outermost, Product, Ritz, Search, SingleProduct, extremes, outermost};
pub use on_disk::{KernelPlace, on_disk};
pub(crate) use operator::check_finite;
pub use operator::{Difference, Gradients, Operator, Panels, ProductPlan, ProductWork, Scaled, Told};
pub use pair::{Apart, Directions};
pub use points::{HeldOut, Points, Space, convert};
pub use strips::strips;
pub use summary::{Entries, KernelSummary, Lanczos, spectrum_of_ends};
pub use symmetric::check_symmetric;
