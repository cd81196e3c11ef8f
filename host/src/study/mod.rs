//! The engine of studies: a grid of runs, what they add up to, and a page. Knows no paper.

pub mod cell;
pub mod forecast;
pub mod grid;
pub mod group;
pub mod judged;
pub mod kept;
pub mod page;
mod paper;
pub mod plan;
pub mod table;

pub use paper::Study;
