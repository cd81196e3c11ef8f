//! What is wrong with a command line, in the words that all messages have: the flag and its value, what is wrong, what
//! would be right. clap finds it; its own words are those of Rust's standard library.

use std::error::Error as _;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};
use std::str::ParseBoolError;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use crate::words::{clipped, did_you_mean, either};

/// Most characters that are told of what was typed.
const TYPED: usize = 200;

/// The message, of one line; settings in it stand in backticks.
pub(super) fn words(error: &Error, command: &Command, typed: &[String]) -> String {
    let (here, path) = innermost(command, typed);
    let help = format!("see `{path} --help`");
    let argument = text(error, ContextKind::InvalidArg);
    let flag = argument.as_deref().map(name_of).unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let given = clipped(value.trim(), TYPED);
    match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => {
            let choices = list(error, ContextKind::ValidValue);
            let give = if choices.is_empty() { String::new() } else { format!("; give {}", either(&choices)) };
            format!("{flag}: missing value{give}; {help}")
        }
        ErrorKind::InvalidValue => {
            let choices = list(error, ContextKind::ValidValue);
            let guess = did_you_mean(&value, choices.iter().map(String::as_str));
            format!("{flag} {given}: give {}{guess}", either(&choices))
        }
        ErrorKind::ValueValidation => match error.source() {
            Some(source) => {
                let what = reason(source, &value);
                // of a setting whose own error names it and its value nothing is said twice
                if what.starts_with('`') { what } else { format!("{flag} {given}: {what}") }
            }
            None => one_line(error),
        },
        ErrorKind::UnknownArgument => {
            let argument = clipped(argument.as_deref().unwrap_or_default(), TYPED);
            if !argument.starts_with('-') {
                return format!("{argument}: unexpected argument of `{path}`; {help}");
            }
            let known: Vec<String> =
                here.get_arguments().filter_map(|a| a.get_long()).map(|l| format!("--{l}")).collect();
            let guess = did_you_mean(&argument, known.iter().map(String::as_str));
            let elsewhere = if guess.is_empty() { format!("; {help}") } else { guess };
            format!("{argument}: `{path}` has no such option{elsewhere}")
        }
        ErrorKind::InvalidSubcommand => {
            let wrong = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            let names: Vec<&str> = here.get_subcommands().map(Command::get_name).collect();
            let guess = did_you_mean(&wrong, names.iter().copied());
            let guess = if guess.is_empty() { format!("; give {}", either(&names)) } else { guess };
            format!("{}: `{path}` has no such command{guess}", clipped(&wrong, TYPED))
        }
        ErrorKind::MissingSubcommand => {
            let names: Vec<&str> = here.get_subcommands().map(Command::get_name).collect();
            format!("`{path}` needs a command: {}; {help}", either(&names))
        }
        ErrorKind::MissingRequiredArgument => {
            let missing: Vec<String> =
                list(error, ContextKind::InvalidArg).iter().map(|argument| name_of(argument).to_owned()).collect();
            format!("`{path}` needs {}; {help}", missing.join(" and "))
        }
        ErrorKind::ArgumentConflict => {
            let others: Vec<String> =
                list(error, ContextKind::PriorArg).iter().map(|argument| name_of(argument).to_owned()).collect();
            if others.iter().all(|other| other == flag) {
                return format!("{flag}: given more than once; give it once");
            }
            format!("{flag}: cannot be combined with {}; leave one of them out", others.join(" and "))
        }
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{flag} {given}: wrong number of values; {help}")
        }
        ErrorKind::NoEquals => format!("{flag}: the value must follow an equals sign; {help}"),
        ErrorKind::InvalidUtf8 => format!("an argument is not UTF-8 text; {help}"),
        _ => one_line(error),
    }
}

/// The innermost command of what was typed, and what has been typed of it: `ntkscope data fetch`.
pub(super) fn innermost<'a>(command: &'a Command, typed: &[String]) -> (&'a Command, String) {
    let (mut here, mut path) = (command, command.get_name().to_owned());
    for word in typed {
        if let Some(next) = here.find_subcommand(word) {
            path = format!("{path} {}", next.get_name());
            here = next;
        }
    }
    (here, path)
}

/// Why a value was not taken, from the error of its parser.
pub(super) fn reason(source: &(dyn std::error::Error + 'static), value: &str) -> String {
    if let Some(error) = source.downcast_ref::<ParseIntError>() {
        return match error.kind() {
            IntErrorKind::PosOverflow => "is too large; give a smaller number".into(),
            IntErrorKind::NegOverflow => "is too small; give a larger number".into(),
            _ if value.contains(',') => "give a single number".into(),
            _ => "give a whole number of 0 or more".into(),
        };
    }
    if source.is::<ParseFloatError>() {
        return "give a number, such as 0.5 or 1e3".into();
    }
    if source.is::<ParseBoolError>() {
        return "give true or false".into();
    }
    let text = source.to_string();
    // clap's words for a number outside a range: "0 is not in 1..=65535"
    match text.split_once(" is not in ") {
        Some((_, range)) => format!("give a whole number {}", range_in_words(range)),
        None => text,
    }
}

/// `1..=65535` as `from 1 to 65535`, `1..` as `of 1 or more`.
fn range_in_words(range: &str) -> String {
    let (first, last) = range.split_once("..").unwrap_or((range, ""));
    let last = match last.strip_prefix('=') {
        Some(last) => last.to_owned(),
        None => last.parse::<i128>().map_or(String::new(), |beyond| (beyond - 1).to_string()),
    };
    // as much as the widest number can hold is no bound that anybody meets
    let open = last.is_empty() || [u64::MAX.to_string(), i64::MAX.to_string()].contains(&last);
    match (first, open) {
        ("", _) => format!("of at most {last}"),
        (first, true) => format!("of {first} or more"),
        (first, false) => format!("from {first} to {last}"),
    }
}

/// `--width` of `--width <M>`, `FILE` of `<FILE>` and `[FILE]`.
fn name_of(argument: &str) -> &str {
    let word = argument.split([' ', '=']).next().unwrap_or(argument);
    word.trim_matches(['<', '>', '[', ']', '.'])
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    list(error, kind).into_iter().next()
}

fn list(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(several)) => several.clone(),
        _ => Vec::new(),
    }
}

/// clap's own message, for what has no words of ours.
fn one_line(error: &Error) -> String {
    let text = error.to_string();
    let text = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    text.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_read_well() {
        for (range, told) in [
            ("1..=65535", "from 1 to 65535"),
            ("1..", "of 1 or more"),
            ("1..=18446744073709551615", "of 1 or more"),
            ("0..10", "from 0 to 9"),
            ("..=9", "of at most 9"),
        ] {
            assert_eq!(range_in_words(range), told);
        }
    }
}
