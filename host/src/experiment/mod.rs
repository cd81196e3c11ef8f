//! What will run: settings with every default filled in, checked, ready to be saved and run again.

mod kinds;
mod model;
mod network;
mod settings;
mod training;

pub use kinds::{ActivationKind, BackendKind, BiasKind, Init, LossKind, NetworkKind, OptimizerKind, TrainedKind};
pub use model::{MAX_WIDTH, Model, data_spec};
pub use network::AnyNetwork;
pub use settings::{ModelSettings, PROVENANCE, Settings, TrainingSettings};
pub use training::{MAX_SIZE, MAX_SNAPSHOTS, Stop, Training};

use crate::error::UsageError;

/// The settings of one run as they are saved.
pub fn settings_of(model: &Model, training: &Training) -> Settings {
    Settings { model: model.settings.clone(), training: training.settings.clone() }
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
