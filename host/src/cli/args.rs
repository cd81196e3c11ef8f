//! Options that commands share, and how flags become settings.

use std::marker::PhantomData;
use std::path::Path;

use anyhow::Result;
use bytesize::ByteSize;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use serde::Serialize;
use toml::Table;

use crate::experiment::{Model, Settings, overlay_file, overlay_pair, value_of};
use crate::machine::Budget;
use crate::plot::FigureStyle;

/// Options of every command that works.
#[derive(Args, Debug, Clone)]
pub struct Common {
    /// Print a JSON summary to standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Suppress messages and progress
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,
    /// Number of threads; results do not depend on it [default: all cores]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Machine")]
    pub threads: Option<u16>,
    /// Memory limit, e.g. 4GiB; larger kernels are computed in blocks, anything else is refused [default: the free memory]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Machine")]
    pub memory: Option<ByteSize>,
}

/// What makes the work of a network smaller.
pub(super) const OF_NETWORK: &str = "reduce `n` or `width`, use `dtype = f32`";
/// That of a kernel whose network is given, or infinitely wide.
pub(super) const OF_KERNEL: &str = "reduce `n`, use `dtype = f32`";

impl Common {
    /// What the command may take of memory; `smaller` is what its refusals advise, of options that it has.
    pub(super) fn budget(&self, smaller: &'static str) -> Budget {
        Budget::new(self.memory).advising(smaller)
    }
}

/// The option of every command that draws.
#[derive(Args, Debug, Clone, Copy)]
pub struct Drawing {
    /// Medium that figures are drawn for
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub figure_style: FigureStyle,
}

/// The options of commands whose pages have figures.
#[derive(Args, Debug, Clone, Copy)]
pub struct Figures {
    /// What they are drawn for
    #[command(flatten)]
    drawing: Drawing,
    /// Leave the figures out
    #[arg(long, help_heading = "Output")]
    no_figures: bool,
}

impl Figures {
    /// What figures are drawn for; `None`: there are to be none.
    pub fn style(&self) -> Option<FigureStyle> {
        (!self.no_figures).then_some(self.drawing.figure_style)
    }
}

/// The options of commands that make a page of what others computed.
#[derive(Args, Debug, Clone, Copy)]
pub struct Page {
    /// Replace existing results in --out
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Of its figures
    #[command(flatten)]
    pub figures: Figures,
    /// Print a JSON summary to standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Suppress messages and progress
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,
}

/// The value of `--memory`.
fn size(text: &str) -> Result<ByteSize, String> {
    text.parse().map_err(|_| "give a size, such as 500MB or 4GiB".into())
}

/// Those settings of `S` that were typed as flags; its defaults are not among them, so that a file can stand below.
#[derive(Clone, Debug)]
pub struct Typed<S> {
    /// keys as in a settings file
    pub table: Table,
    settings: PhantomData<S>,
}

impl<S: Args + Serialize> Args for Typed<S> {
    fn group_id() -> Option<clap::Id> {
        S::group_id()
    }
    fn augment_args(command: Command) -> Command {
        S::augment_args(command)
    }
    fn augment_args_for_update(command: Command) -> Command {
        S::augment_args_for_update(command)
    }
}

impl<S: Args + Serialize> FromArgMatches for Typed<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let all = Table::try_from(S::from_arg_matches(matches)?)
            .map_err(|e| clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("{e}\n")))?;
        // an argument's id is the field's name, its key has hyphens
        let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let mut table: Table = all.into_iter().filter(|(key, _)| typed(&key.replace('-', "_"))).collect();
        // what is left out of files at its default was typed all the same, and stands over a file's
        let settings = S::augment_args(Command::new("settings"));
        for id in settings.get_arguments().map(|argument| argument.get_id().as_str()).filter(|id| typed(id)) {
            let text = matches.get_raw(id).and_then(|mut values| values.next_back());
            let key = id.replace('_', "-");
            if let Some(text) = text.filter(|_| !table.contains_key(&key)) {
                table.insert(key, value_of(&text.to_string_lossy()));
            }
        }
        Ok(Self { table, settings: PhantomData })
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.table.extend(Self::from_arg_matches(matches)?.table);
        Ok(())
    }
}

/// Network and data of every command that builds a network.
#[derive(Args, Debug)]
pub struct ModelArgs {
    /// Set one setting, e.g. width=512; overrides a settings file, is overridden by flags
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The flags
    #[command(flatten)]
    pub model: Typed<Model>,
}

impl ModelArgs {
    /// All that was given: these flags and `others` over `--set` over `file`.
    ///
    /// # Errors
    /// A file that cannot be read, `--set` without `=`, a key that is no setting.
    pub fn given(&self, others: &Table, file: Option<&Path>) -> Result<Table> {
        let mut given = Table::new();
        if let Some(path) = file {
            overlay_file(&mut given, path)?;
        }
        for set in &self.set {
            overlay_pair(&mut given, set)?;
        }
        given.extend(self.model.table.clone());
        given.extend(others.clone());
        Ok(given)
    }

    /// The settings given, every other one at its default.
    ///
    /// # Errors
    /// Those of [`Self::given`] and of [`Settings::from_table`].
    pub fn layered(&self, others: &Table, file: Option<&Path>) -> Result<Settings> {
        Ok(Settings::from_table(self.given(others, file)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Training;
    use toml::Value;

    fn parse<S: Args + Serialize>(words: &[&str]) -> Option<Table> {
        let command = Typed::<S>::augment_args(Command::new("test").no_binary_name(true));
        let matches = command.try_get_matches_from(words).ok()?;
        Some(Typed::<S>::from_arg_matches(&matches).unwrap().table)
    }

    /// Every flag, given a value that it takes, is the one key of its name.
    fn each_flag_is_its_key<S: Args + Serialize>() {
        assert!(parse::<S>(&[]).unwrap().is_empty(), "defaults are not typed");
        for argument in S::augment_args(Command::new("test")).get_arguments() {
            let flag = format!("--{}", argument.get_long().unwrap());
            let possible: Vec<_> = argument.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
            let words = possible.iter().map(String::as_str).chain(["3", "0.5", "true", "sphere", "all"]);
            let found = parse::<S>(&[&flag]).or_else(|| words.into_iter().find_map(|word| parse::<S>(&[&flag, word])));
            let found = found.unwrap_or_else(|| panic!("no value for {flag}"));
            assert_eq!(found.keys().map(|key| format!("--{key}")).collect::<Vec<_>>(), [flag]);
        }
    }

    /// A default that files leave out is typed all the same.
    #[test]
    fn a_default_that_is_typed_is_given() {
        for (words, key, value) in [
            (["--held-out", "0"], "held-out", Value::Integer(0)),
            (["--parametrization", "ntk"], "parametrization", Value::String("ntk".into())),
        ] {
            assert_eq!(parse::<Model>(&words).unwrap(), Table::from_iter([(key.to_owned(), value)]));
        }
    }

    #[test]
    fn flags_are_keys() {
        each_flag_is_its_key::<Model>();
        each_flag_is_its_key::<Training>();
    }
}
