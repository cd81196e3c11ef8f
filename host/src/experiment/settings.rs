//! Network, data and training as one flat table of settings: what a run saves, and what files, `key=value` pairs and
//! flags are laid over.

use clap::Args;
use serde::Deserialize;
use toml::{Table, Value};

use super::{Model, Training};
use crate::error::UsageError;

/// The table of a settings file that records how it came about; read back without effect.
pub const PROVENANCE: &str = "provenance";

/// All settings of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// network and data
    pub model: Model,
    /// training and recording
    pub training: Training,
}

impl Settings {
    /// The settings of this table; those that it does not hold have their defaults. A key that is no setting was
    /// refused by [`overlay`] before.
    ///
    /// # Errors
    /// A value of the wrong kind, with its key.
    pub fn from_table(table: Table) -> Result<Self, UsageError> {
        let model_keys = keys::<Model>();
        let (model, training): (Table, Table) = table.into_iter().partition(|(key, _)| model_keys.contains(key));
        Ok(Self { model: typed(model)?, training: typed(training)? })
    }

    /// The settings as one flat table, as `run.toml` has them.
    ///
    /// # Errors
    /// A number that toml cannot hold.
    pub fn table(&self) -> Result<Table, UsageError> {
        let wrong = |e: toml::ser::Error| UsageError::Value { what: e.to_string() };
        let mut table = Table::try_from(&self.model).map_err(wrong)?;
        table.extend(Table::try_from(&self.training).map_err(wrong)?);
        Ok(table)
    }
}

/// Lays the entries of `over` over those of `base`. Keys may have underscores for hyphens; [`PROVENANCE`] is left out.
///
/// # Errors
/// A key that is no setting; the message says that it stands in `place`.
pub fn overlay(base: &mut Table, over: Table, place: &str) -> Result<(), UsageError> {
    let known: Vec<String> = keys::<Model>().into_iter().chain(keys::<Training>()).collect();
    for (key, value) in over {
        if key == PROVENANCE {
            continue;
        }
        let key = key.replace('_', "-");
        if !known.contains(&key) {
            return Err(UsageError::UnknownKey { place: place.into(), near: nearest(&key, &known), key });
        }
        base.insert(key, value);
    }
    Ok(())
}

/// The keys of a group of settings: the long names of its flags.
pub fn keys<S: Args>() -> Vec<String> {
    let command = S::augment_args(clap::Command::new("settings"));
    command.get_arguments().filter_map(|a| a.get_long()).map(str::to_owned).collect()
}

/// What clap makes of a command line without a word, so that a default stands once: at its field.
pub(super) fn defaults<S: Args>() -> S {
    let command = S::augment_args(clap::Command::new("defaults").no_binary_name(true));
    let parsed = command.try_get_matches_from([] as [&str; 0]).and_then(|matches| S::from_arg_matches(&matches));
    parsed.unwrap_or_else(|e| unreachable!("a setting without a default is an Option: {e}"))
}

/// The table as a group of settings; an error names the key.
fn typed<S: for<'de> Deserialize<'de>>(table: Table) -> Result<S, UsageError> {
    for (key, value) in &table {
        // each by itself, so that the message can name the key
        if let Err(e) = Table::from_iter([(key.clone(), value.clone())]).try_into::<S>() {
            return Err(UsageError::Value { what: format!("{key} = {value}: {}", e.message()) });
        }
    }
    table.try_into().map_err(|e: toml::de::Error| UsageError::Value { what: e.message().to_owned() })
}

/// The value of `text`: toml where it is that, else a bare word such as mnist.
pub fn value_of(text: &str) -> Value {
    let parsed = format!("v = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("v"));
    parsed.unwrap_or_else(|| Value::String(text.into()))
}

/// The known key that begins most like `key`, as a hint.
fn nearest(key: &str, known: &[String]) -> String {
    let shared = |k: &str| k.chars().zip(key.chars()).take_while(|(a, b)| a == b).count();
    known
        .iter()
        .max_by_key(|k| shared(k))
        .filter(|k| shared(k) > 1)
        .map_or(String::new(), |k| format!("; did you mean {k}?"))
}
