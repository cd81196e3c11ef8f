//! What will run: one value for a model and one for its training, checked, ready to be saved and run again.

mod kinds;
mod model;
mod network;
mod settings;
mod training;

pub use kinds::{ActivationKind, BackendKind, BiasKind, Init, LossKind, NetworkKind, OptimizerKind, TrainedKind};
pub use model::{MAX_WIDTH, Model, Shape};
pub use network::{AnyNetwork, Family};
pub use settings::{PROVENANCE, Settings, keys, overlay, value_of};
pub use training::{MAX_SIZE, MAX_SNAPSHOTS, Training};

use crate::error::UsageError;

/// Whole numbers as large as a toml file can hold.
fn whole() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(..=i64::MAX as u64)
}

fn range(flag: &'static str, given: impl ToString, what: impl Into<String>) -> UsageError {
    UsageError::Range { flag, given: given.to_string(), what: what.into() }
}

fn at_least_one(flag: &'static str, value: usize, most: usize, what: &str) -> Result<(), UsageError> {
    match value {
        0 => Err(range(flag, 0, what)),
        _ if value > most => Err(range(flag, value, format!("at most {most} is possible"))),
        _ => Ok(()),
    }
}

fn non_negative(flag: &'static str, value: f64) -> Result<f64, UsageError> {
    if value >= 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(range(flag, value, "must be finite and not negative"))
    }
}

fn positive(flag: &'static str, value: f64) -> Result<f64, UsageError> {
    if value > 0.0 && value.is_finite() { Ok(value) } else { Err(range(flag, value, "must be finite and above 0")) }
}
