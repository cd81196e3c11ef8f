//! What commands have in common: exit codes, messages, progress bars.

use std::process::ExitCode;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use super::Cli;
pub use super::progress::{Progress, bytes, phase, progress};
pub use super::signals::{stop_on_interrupt, stop_on_interrupt_quietly};
pub use super::streams::say;
use super::streams::{write_data, write_message};
use crate::cli::{Failure, UsageError};
use crate::data::Samples;
use crate::machine::Cause;
use crate::{analysis, data, experiment, files, kernel, machine, plot, run, study};

/// Done.
pub const DONE: u8 = 0;
/// Done, but a stated claim or check failed.
pub const FAILED: u8 = 1;
/// Wrong usage or settings.
pub const USAGE: u8 = 2;
/// Data that is missing or damaged.
pub const DATA: u8 = 3;
/// Input or output failed: a full disk, no permission.
pub const SYSTEM: u8 = 4;
/// Interrupted; what is finished is kept.
pub const INTERRUPTED: u8 = 130;

/// The process's exit code; an error is printed with everything that led to it.
pub fn exit(result: Result<u8>) -> ExitCode {
    let code = match &result {
        Ok(code) => *code,
        Err(e) => {
            say(&format!("error: {}", in_flags(&format!("{e:#}"))));
            code_of(e)
        }
    };
    ExitCode::from(code)
}

/// The code of an error, which its own type knows.
fn code_of(error: &anyhow::Error) -> u8 {
    fn of<E: std::error::Error + Send + Sync + 'static>(
        error: &anyhow::Error,
        cause: impl Fn(&E) -> Cause,
    ) -> Option<Cause> {
        error.downcast_ref().map(cause)
    }
    let cause = None
        .or_else(|| of(error, UsageError::cause))
        .or_else(|| of(error, Failure::cause))
        .or_else(|| of(error, study::Error::cause))
        .or_else(|| of(error, analysis::Error::cause))
        .or_else(|| of(error, run::Error::cause))
        .or_else(|| of(error, kernel::Error::cause))
        .or_else(|| of(error, experiment::Error::cause))
        .or_else(|| of(error, data::Error::cause))
        .or_else(|| of(error, plot::Error::cause))
        .or_else(|| of(error, files::Error::cause))
        .or_else(|| of(error, machine::Error::cause))
        .or_else(|| of(error, Cause::of_core));
    debug_assert!(cause.is_some(), "no floor has this error, so that it has no code: {error:?}");
    code(cause.unwrap_or(Cause::Work))
}

/// The exit code that says where the cause lies.
pub const fn code(cause: Cause) -> u8 {
    match cause {
        Cause::Work => FAILED,
        Cause::Settings => USAGE,
        Cause::Data => DATA,
        Cause::System => SYSTEM,
    }
}

/// A message of the library with every setting in backticks as the flag that sets it: `width` as --width, `n = 3` as
/// --n 3. Other words in backticks stay, and so does the name of an array.
pub fn in_flags(message: &str) -> String {
    let command = super::Cli::command();
    let fetch = command.find_subcommand("data").and_then(|data| data.find_subcommand("fetch"));
    let commands = ["run", "kernel", "reproduce"].map(|name| command.find_subcommand(name));
    let known = |key: &str| {
        let mut arguments = commands.iter().chain([&fetch]).flatten().flat_map(|command| command.get_arguments());
        arguments.any(|argument| argument.get_long() == Some(key))
    };
    let (mut text, mut rest) = (String::new(), message);
    while let Some((before, after)) = rest.split_once('`') {
        text.push_str(before);
        let Some((quoted, after)) = after.split_once('`') else {
            return text + "`" + after;
        };
        let (key, value) = quoted.split_at(quoted.find([' ', '=']).unwrap_or(quoted.len()));
        if known(key) && !before.ends_with("array ") && !before.ends_with("key ") {
            text += &format!("--{key}{}", value.replacen(" = ", " ", 1));
        } else {
            text += &format!("`{quoted}`");
        }
        rest = after;
    }
    text + rest
}

/// What was typed. A value that the library refuses is told in flags, as every other error.
pub fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        if error.kind() == ErrorKind::ValueValidation {
            write_message(&in_flags(&error.render().to_string()));
            std::process::exit(i32::from(USAGE));
        }
        error.exit()
    })
}

/// Says on standard error what was doubtful about the data, unless nothing is to be said.
pub fn warn(samples: &Samples, quiet: bool) {
    for warning in samples.warnings.iter().filter(|_| !quiet) {
        say(&format!("warning: {}", in_flags(warning)));
    }
}

/// Prints to standard output; a reader that went away (`| head`) is no error.
///
/// # Errors
/// Standard output that takes no more, as on a full disk, or was closed from the start.
pub fn print(text: &str) -> Result<()> {
    Ok(write_data(&format!("{text}\n")).map_err(Failure::Output)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every floor that has errors of its own has their codes.
    #[test]
    fn each_error_has_a_code() {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let known = include_str!("terminal.rs");
        let mut floors = 0;
        for entry in std::fs::read_dir(source).unwrap() {
            let floor = entry.unwrap();
            if floor.path().join("error.rs").exists() {
                let name = floor.file_name().into_string().unwrap();
                assert!(known.contains(&format!("of(error, {name}::Error::cause)")), "no codes of {name}'s errors");
                floors += 1;
            }
        }
        assert!(floors > 5);
        let io = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        let full = files::Error::io("write", "K.npz")(io());
        let study = study::Error::File(files::Error::io("write", "trace.csv")(io()));
        let job = study::Error::job("a")(study);
        for (error, expected) in [
            (anyhow::Error::from(full), SYSTEM),
            (anyhow::Error::from(job).context("the report"), SYSTEM),
            (run::Error::from(files::Error::InUse { path: "o".into() }).into(), USAGE),
            (files::Error::io("read", "t.csv")(std::io::ErrorKind::NotFound.into()).into(), DATA),
            (Failure::Output(io()).into(), SYSTEM),
            (ntkscope_core::Error::StepUnderflow { step: 1 }.into(), FAILED),
        ] {
            assert_eq!(code_of(&error), expected, "{error:?}");
        }
    }

    #[test]
    fn settings_become_flags() {
        for (message, told) in [
            ("`n = 7`: give an even `n`, such as `n = 8`", "--n 7: give an even --n, such as --n 8"),
            ("`set width=x`: raise `memory`, or `data-dir`", "--set width=x: raise --memory, or --data-dir"),
            ("array `n`, unknown key `seed`", "array `n`, unknown key `seed`"),
            ("`ntkscope data fetch` and `widht` and ` alone", "`ntkscope data fetch` and `widht` and ` alone"),
            ("`mirror = http://x/=y` fails", "--mirror http://x/=y fails"),
        ] {
            assert_eq!(in_flags(message), told);
        }
    }
}
