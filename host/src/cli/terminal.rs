//! What commands have in common: exit codes, messages, progress bars.

use std::ffi::OsString;
use std::io::IsTerminal;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{Command, FromArgMatches};

pub use super::progress::{Progress, bytes, phase, progress};
pub use super::signals::{stop_on_interrupt, stop_on_interrupt_quietly};
pub use super::streams::say;
use super::streams::{LONGEST, write_data, write_message};
use super::{Call, Cli};
use super::{json, refusal};
use crate::cli::{Failure, UsageError};
use crate::data::Samples;
use crate::machine::Cause;
use crate::words::{chain, clipped, without_numbers};
use crate::{analysis, checkpoint, data, experiment, files, kernel, machine, plot, regression, run, study};

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

/// Every exit code, and what it says.
pub const EXIT: [(u8, &str); 6] = [
    (DONE, "Done."),
    (FAILED, "Done, but a stated claim or check failed, or training failed."),
    (USAGE, "Wrong usage or settings."),
    (DATA, "Missing or damaged data."),
    (SYSTEM, "Input or output failed (full disk, no permission)."),
    (INTERRUPTED, "Interrupted; finished work is kept."),
];

/// This command as one types it.
pub fn command() -> String {
    let words = Call::present().typed();
    let words = words.iter().map(String::as_str);
    // no argument of a process holds a NUL, the one character that cannot be quoted
    shlex::try_join(["ntkscope"].into_iter().chain(words)).unwrap_or_default()
}

/// The process's exit code; an error is printed with everything that led to it, to scripts as an object.
pub fn exit(result: Result<u8>) -> u8 {
    let (code, message) = match &result {
        Ok(INTERRUPTED) => (INTERRUPTED, "interrupted".into()),
        Ok(code) => (*code, String::new()),
        Err(e) => (code_of(e), told(e)),
    };
    fail(code, &message, result.is_err());
    code
}

/// Says what went wrong on standard error, unless that has been said, and with `--json` on standard output too.
pub(super) fn fail(code: u8, message: &str, say_so: bool) {
    if say_so {
        say(&format!("error: {message}"));
    }
    let typed = Call::present().typed();
    if !message.is_empty() && wants_json(&typed) && !json::is_printed() {
        let command = super::command();
        let (_, path) = refusal::innermost(&command, &typed);
        json::print_error(path.trim_start_matches("ntkscope").trim(), code, &clipped(message, LONGEST));
    }
}

fn wants_json(typed: &[String]) -> bool {
    typed.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

/// The error and what led to it, in flags.
pub(super) fn told(error: &anyhow::Error) -> String {
    in_flags(&chain(error.as_ref()))
}

/// The code of an error, which its own type knows.
pub(super) fn code_of(error: &anyhow::Error) -> u8 {
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
        .or_else(|| of(error, regression::Error::cause))
        .or_else(|| of(error, kernel::Error::cause))
        .or_else(|| of(error, checkpoint::Error::cause))
        .or_else(|| of(error, experiment::Error::cause))
        .or_else(|| of(error, data::Error::cause))
        .or_else(|| of(error, plot::Error::cause))
        .or_else(|| of(error, files::Error::cause))
        .or_else(|| of(error, machine::Error::cause))
        .or_else(|| of(error, of_frames))
        .or_else(|| of(error, Cause::of_core));
    debug_assert!(cause.is_some(), "no floor has this error, so that it has no code: {error:?}");
    code(cause.unwrap_or(Cause::Work))
}

/// Where that of a board's frames lies, whose package knows no causes.
fn of_frames(error: &ntkscope_frames::Error) -> Cause {
    if error.is_of_the_system() { Cause::System } else { Cause::Data }
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
    let command = super::command();
    let known = |key: &str| has_flag(&command, key);
    let (mut text, mut rest) = (String::new(), message);
    while let Some((before, after)) = rest.split_once('`') {
        text.push_str(before);
        let Some((quoted, after)) = after.split_once('`') else {
            return text + "`" + after;
        };
        let (key, value) = quoted.split_at(quoted.find([' ', '=']).unwrap_or(quoted.len()));
        // names that a file has chosen are no settings
        let is_foreign = ["array ", "entry ", "key ", "layer "].iter().any(|what| before.ends_with(what));
        if known(key) && !is_foreign {
            text += &format!("--{key}{}", value.replacen(" = ", " ", 1));
        } else {
            text += &format!("`{quoted}`");
        }
        rest = after;
    }
    text + rest
}

fn has_flag(command: &Command, name: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_long() == Some(name))
        || command.get_subcommands().any(|inner| has_flag(inner, name))
}

/// What was typed.
///
/// # Errors
/// The exit code, where there is nothing left to do: a help text was asked for, or the command line is wrong; either has
/// been printed.
pub fn parse() -> Result<Cli, u8> {
    let command = super::command();
    let words = [OsString::from("ntkscope")].into_iter().chain(Call::present().arguments.iter().cloned());
    let parsed = command.clone().try_get_matches_from(words).and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let text = styled(&error, std::io::stdout().is_terminal());
            exit(print(text.trim_end()).map(|()| DONE))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            write_message(styled(&error, std::io::stderr().is_terminal()).trim_end());
            USAGE
        }
        _ => {
            let typed = Call::present().typed();
            let message = in_flags(&without_numbers(&refusal::words(&error, &command, &typed)));
            fail(USAGE, &message, true);
            USAGE
        }
    })
}

/// A help text, in colours where they are seen and wanted.
fn styled(error: &clap::Error, is_terminal: bool) -> String {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || dumb || !is_terminal;
    if plain { error.render().to_string() } else { error.render().ansi().to_string() }
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

    #[test]
    fn an_error_says_everything_once() {
        let error =
            anyhow::anyhow!("No such file or directory (os error 2)").context("cannot read x.npz").context("x.npz");
        assert_eq!(told(&error), "x.npz: cannot read x.npz: No such file or directory");
        let error = anyhow::anyhow!("x.npz: no archive").context("x.npz");
        assert_eq!(told(&error), "x.npz: no archive");
        let error = anyhow::anyhow!("give another").context("x.npz: give another");
        assert_eq!(told(&error), "x.npz: give another");
        assert_eq!(without_numbers("a (os error 21), b (os error x)"), "a, b (os error x)");
    }

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
            ("`order`: layer `out`, entry `data`", "--order: layer `out`, entry `data`"),
            ("`ntkscope data fetch` and `widht` and ` alone", "`ntkscope data fetch` and `widht` and ` alone"),
            ("`mirror = http://x/=y` fails", "--mirror http://x/=y fails"),
        ] {
            assert_eq!(in_flags(message), told);
        }
    }
}
