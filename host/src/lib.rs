//! ntkscope on a workstation: data, backends, studies, figures and reports around `ntkscope-core`.

pub mod plot;
pub mod report;
