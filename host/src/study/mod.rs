//! The engine of studies: a grid of runs, what they add up to, and a page. Knows no paper.

pub mod cell;
pub mod claim;
pub mod comparison;
mod described;
pub mod draw;
mod error;
pub mod forecast;
pub mod grid;
pub mod group;
pub mod judge;
pub mod kept;
pub mod kernel_regime;
pub mod manifest;
pub mod net;
pub mod options;
pub mod page;
pub mod paper;
mod place;
pub mod plan;
pub mod saved_run;
pub mod shard;
pub mod sweep;
pub mod table;
pub mod training_run;
pub(crate) mod work;

use described::{CELLS, CLAIMS, SWEPT};
pub use error::Error;

/// The columns of a study's tables, in words.
pub fn described() -> impl Iterator<Item = &'static crate::files::Described> {
    CLAIMS.iter().chain(&CELLS).chain(&SWEPT)
}
