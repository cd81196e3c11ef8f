//! ntkscope on a workstation: data, backends, runs, figures and reports around `ntkscope-core`.

pub mod backend;
pub mod data;
pub mod npz;
pub mod plot;
pub mod report;
