//! The engine of studies: a grid of runs, what they add up to, and a page. Knows no paper.

pub mod cell;
pub mod draw;
mod error;
pub mod forecast;
pub mod grid;
pub mod group;
pub mod judge;
pub mod kept;
pub mod manifest;
pub mod net;
pub mod options;
pub mod page;
pub mod paper;
mod place;
pub mod plan;
pub mod table;

pub use error::Error;
