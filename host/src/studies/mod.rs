//! Studies: a paper's experiments as one command. A grid of runs, what they add up to, and a page.

pub mod cell;
pub mod divergence;
pub mod grid;
pub mod statistics;
pub mod table;
