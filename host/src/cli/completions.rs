//! Completions for a shell, from the same definitions as the help texts.

use anyhow::Result;
use clap::builder::PossibleValue;
use clap::{Command, ValueHint};
use clap_complete::Shell;

use super::Failure;
use super::terminal::{DONE, print};

/// Completions on standard output.
pub fn completions(shell: Shell) -> Result<u8> {
    let mut script = Vec::new();
    let mut command = offered(super::command());
    clap_complete::generate(shell, &mut command, "ntkscope", &mut script);
    let mut script = String::from_utf8(script).map_err(Failure::text("completions"))?;
    match shell {
        Shell::Fish => script.push_str(&fish_positionals(&command, "")),
        Shell::Zsh => script.push_str(ZSH_WORDS_OR_FILES),
        _ => {}
    }
    words_or_files(shell, &command, &mut script);
    print(script.trim_end())?;
    Ok(DONE)
}

/// Completes the words that it is given, and files.
const ZSH_WORDS_OR_FILES: &str = "
_ntkscope_words_or_files() {
    compadd -- \"$@\"
    _files
}
";

/// The generators offer words or files: here both, for arguments that take either. (bash offers files where no word fits.)
fn words_or_files(shell: Shell, command: &Command, script: &mut String) {
    for argument in command.get_arguments().filter(|a| a.get_value_hint() == ValueHint::FilePath) {
        let values = argument.get_possible_values();
        let (Some(long), false) = (argument.get_long(), values.is_empty()) else { continue };
        let words = values.iter().map(PossibleValue::get_name).collect::<Vec<_>>().join(" ");
        *script = match shell {
            Shell::Zsh => script.replace(&format!(":({words})'"), &format!(": _ntkscope_words_or_files {words}'")),
            Shell::Fish => {
                let both = |line: &str| match line.contains(&format!(" -l {long} ")) {
                    true => line.replace(" -r -f -a ", " -r -F -a "),
                    false => line.to_owned(),
                };
                script.lines().map(both).collect::<Vec<_>>().join("\n") + "\n"
            }
            _ => continue,
        };
    }
    command.get_subcommands().for_each(|inner| words_or_files(shell, inner, script));
}

/// The command without its hidden arguments, which the generators would offer.
pub(super) fn offered(command: Command) -> Command {
    let mut visible = Command::new(command.get_name().to_owned());
    if let Some(about) = command.get_about() {
        visible = visible.about(about.clone());
    }
    if let Some(about) = command.get_long_about() {
        visible = visible.long_about(about.clone());
    }
    if let Some(examples) = command.get_before_help() {
        visible = visible.before_help(examples.clone());
    }
    if let Some(version) = command.get_version() {
        visible = visible.version(version.to_owned());
    }
    let required = command.is_subcommand_required_set();
    visible
        .subcommand_required(required)
        .args(command.get_arguments().filter(|argument| !argument.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|inner| !inner.is_hide_set()).cloned().map(offered))
}

/// What clap_complete leaves out for fish: the values of arguments without a flag. A line for each command.
fn fish_positionals(command: &Command, path: &str) -> String {
    let mut script = String::new();
    for inner in command.get_subcommands() {
        let path = format!("{path} {}", inner.get_name());
        let words: Vec<&str> = path.split_whitespace().collect();
        for argument in inner.get_positionals() {
            let values: Vec<String> = argument
                .get_possible_values()
                .iter()
                .map(|value| {
                    let help = value.get_help().map(ToString::to_string).unwrap_or_default();
                    format!(
                        "{}\\t'{}'",
                        value.get_name(),
                        help.replace('\\', "\\\\").replace('\'', "\\'").replace('"', "'")
                    )
                })
                .collect();
            if values.is_empty() {
                continue;
            }
            let here = match words.as_slice() {
                [one] => format!("__fish_ntkscope_using_subcommand {one}"),
                [one, rest @ ..] => {
                    format!(
                        "__fish_ntkscope_using_subcommand {one}; and __fish_seen_subcommand_from {}",
                        rest.join(" ")
                    )
                }
                [] => continue,
            };
            script.push_str(&format!("complete -c ntkscope -n \"{here}\" -f -a \"{}\"\n", values.join(" ")));
        }
        script.push_str(&fish_positionals(inner, &path));
    }
    script
}
