//! The engine of studies: a grid of runs, what they add up to, and a page. Knows no paper.

pub mod cell;
pub mod draw;
mod error;
pub mod forecast;
pub mod grid;
pub mod group;
pub mod judge;
pub mod kept;
pub mod net;
pub mod page;
pub mod paper;
pub mod plan;
pub mod table;

pub use error::Error;
