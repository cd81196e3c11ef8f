//! Network, data and training as one flat table of settings: what a run saves, and what files, `key=value` pairs and
//! flags are laid over.

use clap::Args;
use serde::Deserialize;
use toml::{Table, Value};

use super::{Error, Model, Training};
use crate::words::{did_you_mean, either, nearest};

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
    /// The settings of this table; those that it does not hold have their defaults. A key that is no setting and a value of
    /// the wrong kind were refused by [`overlay`] before, which knows where they stand.
    ///
    /// # Errors
    /// A value of the wrong kind.
    pub fn from_table(table: Table) -> Result<Self, Error> {
        let model_keys = keys::<Model>();
        let (model, training): (Table, Table) = table.into_iter().partition(|(key, _)| model_keys.contains(key));
        Ok(Self { model: model.try_into()?, training: training.try_into()? })
    }

    /// The settings as one flat table, as `run.toml` has them.
    ///
    /// # Errors
    /// A number that toml cannot hold.
    pub fn table(&self) -> Result<Table, Error> {
        let mut table = Table::try_from(&self.model)?;
        table.extend(Table::try_from(&self.training)?);
        Ok(table)
    }
}

/// Lays the entries of `over` over those of `base`. Keys may have underscores for hyphens; [`PROVENANCE`] is left out.
///
/// # Errors
/// A key that is no setting, or a value of the wrong kind; the message says that it stands in `place`.
pub fn overlay(base: &mut Table, over: Table, place: &str) -> Result<(), Error> {
    let model = keys::<Model>();
    let known: Vec<String> = model.iter().cloned().chain(keys::<Training>()).collect();
    for (key, value) in over {
        if key == PROVENANCE {
            continue;
        }
        let key = key.replace('_', "-");
        if !known.contains(&key) {
            let near = nearest(&key, known.iter().map(String::as_str)).map(str::to_owned);
            return Err(Error::UnknownKey { place: place.into(), near, key });
        }
        // each by itself, so that the message can name the key and its place
        let alone = Table::from_iter([(key.clone(), value.clone())]);
        let wrong = if model.contains(&key) { kind_of::<Model>(alone) } else { kind_of::<Training>(alone) };
        if let Some(said) = wrong {
            return Err(Error::Value {
                what: needed(&said, &value),
                key,
                value: value.to_string(),
                place: place.into(),
            });
        }
        base.insert(key, value);
    }
    Ok(())
}

/// Lays one entry over those of `base`: the `KEY=VALUE` of the flag `set`.
///
/// # Errors
/// [`Error::Pair`], and those of [`overlay`].
pub fn overlay_pair(base: &mut Table, pair: &str) -> Result<(), Error> {
    let (key, value) = pair.split_once('=').ok_or_else(|| Error::Pair { given: pair.into() })?;
    overlay(base, Table::from_iter([(key.trim().to_owned(), value_of(value.trim()))]), "in --set")
}

/// What the reader of a group of settings says against this table.
fn kind_of<S: for<'de> Deserialize<'de>>(table: Table) -> Option<String> {
    table.try_into::<S>().err().map(|e| e.message().to_owned())
}

/// What a setting needs, from what its reader says, whose words are those of the language that it is written in.
fn needed(said: &str, value: &Value) -> String {
    // the setting's own error, which names it
    if said.starts_with('`') {
        return said.to_owned();
    }
    // after what was given, which may have that word too
    let Some((_, expected)) = said.rsplit_once("expected ") else { return said.to_owned() };
    let given = value.as_str().unwrap_or_default();
    match expected.trim_end_matches('.') {
        "usize" | "u64" | "u32" | "u16" | "u8" if given.parse::<u128>().is_ok() => {
            format!("is too large; give a whole number up to {}", i64::MAX)
        }
        "usize" | "u64" | "u32" | "u16" | "u8" => "give a whole number of 0 or more".into(),
        "f64" | "f32" => "give a number".into(),
        "bool" | "a boolean" => "give true or false".into(),
        choices if choices.contains("one of") || choices.contains('`') => {
            let choices = choices.trim_start_matches("one of").trim_start_matches(':').replace('`', "");
            let choices: Vec<&str> = choices.split([',']).flat_map(|part| part.split(" or ")).map(str::trim).collect();
            format!("give {}{}", either(&choices), did_you_mean(given, choices.iter().copied()))
        }
        _ => "give a string in quotes".into(),
    }
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

/// The value of `text`: toml where it is that, else a bare word such as mnist.
pub fn value_of(text: &str) -> Value {
    let parsed = format!("v = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("v"));
    parsed.unwrap_or_else(|| Value::String(text.into()))
}

/// A value as people read it: a text without quotes, 5 rather than 5.0.
pub fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(number) => number.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_said_in_plain_words() {
        for (given, told) in [
            ("width = \"abc\"", "key `width = \"abc\"` in x: give a whole number of 0 or more"),
            ("width = \"expected `a`\"", "key `width = \"expected `a`\"` in x: give a whole number of 0 or more"),
            (
                "seed = \"18446744073709551615\"",
                "key `seed = \"18446744073709551615\"` in x: is too large; give a whole number up to 9223372036854775807",
            ),
            ("width = -1", "key `width = -1` in x: give a whole number of 0 or more"),
            ("penalty = true", "key `penalty = true` in x: give a number"),
            ("predictions = 1", "key `predictions = 1` in x: give true or false"),
            ("dtype = \"f16\"", "key `dtype = \"f16\"` in x: give f32 or f64"),
            ("network = \"resent\"", "key `network = \"resent\"` in x: give fcn or resnet; did you mean resnet?"),
            ("widths = [2.5]", "key `widths = [2.5]` in x: give a whole number in place of `2.5`, as in 256,128"),
            ("widths = true", "key `widths = true` in x: give a whole number in place of `true`, as in 256,128"),
            ("data-dir = 3", "key `data-dir = 3` in x: give a string in quotes"),
        ] {
            let error = overlay(&mut Table::new(), given.parse().unwrap(), "in x").unwrap_err().to_string();
            assert_eq!(error, told);
        }
        for (given, part) in [
            ("activation = \"relo\"", "did you mean relu?"),
            ("loss = \"mes\"", "did you mean mse?"),
            ("data = \"minst\"", "did you mean mnist?"),
            ("normalize = \"shpere\"", "did you mean sphere?"),
            ("classes = \"partiy\"", "did you mean parity?"),
            ("wdith = 5", "did you mean width?"),
        ] {
            let error = overlay(&mut Table::new(), given.parse().unwrap(), "in x").unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("in x"), "{error}");
            assert!(error.matches("no such").count() <= 1, "{error}");
        }
    }
}
