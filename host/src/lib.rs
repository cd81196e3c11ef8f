//! ntkscope on a workstation: data, backends, runs, figures and reports around `ntkscope-core`.

pub mod backend;
pub mod benchmark;
pub mod cli;
pub mod commands;
pub mod data;
pub mod error;
pub mod experiment;
pub mod kernel;
pub mod law;
pub mod memory;
pub mod narrative;
pub mod network;
pub mod npz;
pub mod params;
pub mod plot;
pub mod prediction;
pub mod report;
pub mod run;
pub mod settings;
pub mod store;
pub mod studies;
pub mod summary;
