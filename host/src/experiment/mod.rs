//! What will run: one value for a model and one for its training, checked, ready to be saved and run again.

mod description;
mod error;
mod kinds;
mod list;
mod model;
mod network;
mod settings;
mod settings_file;
mod times;
mod training;

pub use error::Error;
pub use kinds::{BackendKind, Init, KeptKernels, LossKind, NetworkKind, Open, OptimizerKind, ReadingKind, choice};
pub use list::{List, NoList};
pub use model::{MAX_DEPTH, MAX_WIDTH, Model, Shape};
pub use network::{AnyNetwork, Family};
pub use settings::{PROVENANCE, Settings, in_words, keys, overlay, overlay_pair, value_of};
pub use settings_file::{overlay_file, overlay_text, parse_toml, place_paths, read_toml};
pub use times::Times;
pub use training::{MAX_SIZE, MAX_SNAPSHOTS, Training};

use crate::files::Dtype;
use crate::words::number;

/// Whole numbers as large as a toml file can hold.
fn whole<T: TryFrom<u64> + Clone + Send + Sync>() -> clap::builder::RangedU64ValueParser<T> {
    clap::builder::RangedU64ValueParser::new().range(..=i64::MAX as u64)
}

fn range(setting: &'static str, given: impl ToString, what: impl Into<String>) -> Error {
    Error::Range { setting, given: given.to_string(), what: what.into() }
}

fn at_least_one(setting: &'static str, value: usize, most: usize, what: &str) -> Result<(), Error> {
    match value {
        0 => Err(range(setting, 0, what)),
        _ if value > most => Err(range(setting, value, format!("give at most {most}"))),
        _ => Ok(()),
    }
}

fn non_negative(setting: &'static str, value: f64) -> Result<f64, Error> {
    if value >= 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(range(setting, value, "must be finite and not negative; give a number of 0 or more"))
    }
}

/// Refuses a number that the scalar of a run does not have: it would be 0 there, or infinite.
fn held(dtype: Dtype, setting: &'static str, value: f64) -> Result<(), Error> {
    held_as(dtype, setting, format!("{value:e}"), value)
}

/// The same of a number that is a part of what was given.
fn held_as(dtype: Dtype, setting: &'static str, given: String, value: f64) -> Result<(), Error> {
    if dtype.holds(value) {
        return Ok(());
    }
    let (least, most) = dtype.range();
    let (name, mend) = (dtype.name(), if dtype == Dtype::F32 { ", or `dtype = f64`" } else { "" });
    let what = format!("{name} has 0 and numbers from {} to {}; give one of those{mend}", number(least), number(most));
    Err(range(setting, given, what))
}

fn positive(setting: &'static str, value: f64) -> Result<f64, Error> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(range(setting, value, "must be finite and positive; give a number above 0"))
    }
}
