//! What a command has no use for though it is a setting: everything that is given is used or refused, whether it comes
//! from a flag, `--set` or a file.

use std::borrow::Cow;

use clap::Command;
use ntkscope_core::network::Parametrization;
use toml::{Table, Value};

use super::UsageError;
use crate::data::Source;
use crate::experiment::{Model, Training, keys};

/// A setting without effect on a command.
struct Unused {
    /// the command: `kernel analytic`
    command: &'static str,
    /// the setting
    key: Cow<'static, str>,
    /// why it has none
    why: &'static str,
}

const fn unused(command: &'static str, key: &'static str, why: &'static str) -> Unused {
    Unused { command, key: Cow::Borrowed(key), why }
}

/// Why an order of layers has no effect on a file of ours.
pub const NOT_ORDERED: &str = "no file of another program is read whose layers it would order; leave it out";
const INFINITE: &str = "the network is infinitely wide";
const NOT_COMPARED: &str = "it compares no predictions";
const ITS_OWN: &str = "it always holds out a fifth of the samples";
const DOUBLE: &str = "it computes in f64";

/// All of them that are so whatever else is given, but those of the network for a command that has none.
const UNUSED: [Unused; 19] = [
    unused("kernel analytic", "width", INFINITE),
    unused("kernel analytic", "init", INFINITE),
    unused("kernel analytic", "outputs", "every output has the same kernel"),
    unused("kernel analytic", "multi-output", "every output has the same kernel"),
    unused(
        "kernel analytic",
        "params",
        "an infinitely wide network has no parameters; use `ntkscope kernel empirical`",
    ),
    unused(
        "kernel analytic",
        "params-out",
        "an infinitely wide network has no parameters; use `ntkscope kernel empirical`",
    ),
    unused("kernel analytic", "order", "an infinitely wide network has no parameters; use `ntkscope kernel empirical`"),
    unused("kernel analytic", "targets", "the kernel does not depend on y"),
    unused("kernel analytic", "held-out", NOT_COMPARED),
    unused("kernel empirical", "held-out", NOT_COMPARED),
    unused("predict", "dtype", DOUBLE),
    unused("smoothness", "width", INFINITE),
    unused("smoothness", "init", INFINITE),
    unused("smoothness", "outputs", "every output has the same kernel"),
    unused("smoothness", "dtype", DOUBLE),
    unused("smoothness", "held-out", ITS_OWN),
    unused("spectrum", "held-out", NOT_COMPARED),
    unused("drift", "held-out", NOT_COMPARED),
    unused("data show", "held-out", "it summarizes the training samples"),
];

fn all() -> impl Iterator<Item = Unused> {
    // generated data have a seed too
    let network = Model::network_keys().into_iter().filter(|key| key != "seed");
    let of_network = |key: String| Unused { command: "data show", key: key.into(), why: "it uses no network" };
    UNUSED.into_iter().chain(network.map(of_network))
}

/// The command line without the flags that a command has no use for: they can be typed, and are refused with the reason,
/// but no help text, page or completion offers them.
pub(super) fn hidden(command: Command) -> Command {
    all().fold(command, |command, unused| hide(command, unused.command, &unused.key.replace('-', "_")))
}

fn hide(command: Command, path: &str, id: &str) -> Command {
    let (first, rest) = path.split_once(' ').unwrap_or((path, ""));
    command.mut_subcommand(first, |inner| match rest {
        "" => inner.mut_arg(id, |argument| argument.hide(true)),
        rest => hide(inner, rest, id),
    })
}

/// Whether the kernel of an infinitely wide network depends on the widths, as in every parametrization but that of the theory.
pub fn scales_with_width(given: &Table) -> bool {
    let name = given.get("parametrization").and_then(Value::as_str);
    name.is_some_and(|name| name.parse().is_ok_and(|given: Parametrization| given != Parametrization::Ntk))
}

/// Which settings of training a command takes that does not train.
pub enum Takes<'a> {
    /// these only
    Only(&'a [&'a str]),
    /// any: it trains
    All,
}

/// What says that this setting has no effect on the command.
pub fn unused_setting(command: &'static str, given: &Table, key: &str, why: &str) -> UsageError {
    let value = given.get(key).map_or(String::new(), |value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    UsageError::Unused { command, key: key.into(), given: value, why: why.into() }
}

/// The data set of these settings; of one that cannot be read the default, as it is refused in its own place.
fn source(given: &Table) -> Source {
    let named = given.get("data").and_then(Value::as_str).and_then(|name| name.parse().ok());
    named.unwrap_or_else(|| Model::default().data)
}

/// Refuses what `command` has no use for.
///
/// # Errors
/// [`UsageError::Unused`], for the first of them.
pub fn refuse(command: &'static str, given: &Table, takes: &Takes<'_>) -> Result<(), UsageError> {
    let refused = |key: &str, why: &str| unused_setting(command, given, key, why);
    let training = keys::<Training>();
    let unused: Vec<Unused> = all().filter(|unused| unused.command == command).collect();
    for key in given.keys() {
        let scales = key == "width" && command == "kernel analytic" && scales_with_width(given);
        if let Some(Unused { why, .. }) = unused.iter().find(|unused| unused.key == *key).filter(|_| !scales) {
            return Err(refused(key, why));
        }
        match takes {
            Takes::Only(taken) if training.contains(key) && !taken.contains(&key.as_str()) => {
                return Err(refused(key, "it does not train"));
            }
            _ => {}
        }
    }
    if given.contains_key("data-dir") && !source(given).is_images() {
        return Err(refused("data-dir", "only mnist, fashion-mnist and cifar-10 are read from a folder"));
    }
    Ok(())
}

/// The settings that a command used, as a settings file has them, of all that there are.
pub fn used(command: &str, all: Table) -> Table {
    let unused: Vec<Unused> = self::all().filter(|unused| unused.command == command).collect();
    all.into_iter().filter(|(key, _)| unused.iter().all(|unused| unused.key != *key)).collect()
}

/// Refuses a seed where nothing is drawn: `drawn` says whether the command draws beside the data.
///
/// # Errors
/// [`UsageError::Unused`].
pub fn refuse_seed(command: &'static str, given: &Table, drawn: bool) -> Result<(), UsageError> {
    if drawn || source(given).is_drawn() || !given.contains_key("seed") {
        return Ok(());
    }
    let why = "nothing is random: neither parameters nor samples (unlike sphere and mixture)";
    Err(unused_setting(command, given, "seed", why))
}
