//! Analyses for any study or command: laws over initializations, statistics, probabilities, spectra, smoothness, learning
//! curves, drift between sets of parameters.

pub mod binomial;
pub mod curves;
pub mod drift;
pub mod drift_by_rows;
mod error;
pub mod expected_risk;
pub mod fit;
pub mod labels;
pub mod law;
pub mod law_forecast;
pub mod learning;
pub mod normal_law;
pub mod orthant;
pub mod points;
pub mod probabilities;
pub mod smoothness;
pub mod spectra;
pub mod spectrum;
pub mod statistics;
pub mod watch;

pub use error::Error;
