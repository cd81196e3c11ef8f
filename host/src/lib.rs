//! ntkscope on a workstation: data, backends, runs, figures and reports around `ntkscope-core`.

pub mod analysis;
pub mod backend;
pub mod benchmark;
pub mod cli;
pub mod data;
pub mod error;
pub mod experiment;
pub mod files;
pub mod kernel;
pub mod machine;
pub mod plot;
pub mod report;
pub mod run;
pub mod studies;
pub mod study;
