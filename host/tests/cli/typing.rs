//! Typing errors, help texts, manual pages and completions.

use std::any::TypeId;

use clap::builder::PossibleValue;
use clap::{Arg, Command};

use crate::Place;

/// Every command with the words that lead to it.
fn commands(command: &Command, path: &[String], all: &mut Vec<(Vec<String>, Command)>) {
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        let mut path = path.to_vec();
        path.push(inner.get_name().to_owned());
        commands(inner, &path, all);
        all.push((path, inner.clone()));
    }
}

pub(crate) fn every_command() -> Vec<(Vec<String>, Command)> {
    let mut all = Vec::new();
    commands(&ntkscope::cli::command(), &[], &mut all);
    all
}

fn values(argument: &Arg) -> Vec<String> {
    // clap has true and false for a flag without a value
    if !argument.get_action().takes_values() {
        return Vec::new();
    }
    let values = argument.get_possible_values();
    values.iter().filter(|value| !value.is_hide_set()).map(PossibleValue::get_name).map(str::to_owned).collect()
}

/// A word with two letters exchanged, or one left out where they are equal.
fn mistyped(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = letters.len() / 2;
    if letters[at] == letters[at - 1] {
        letters.remove(at);
    } else {
        letters.swap(at, at - 1);
    }
    letters.into_iter().collect()
}

#[track_caller]
fn guessed(place: &Place, words: &[&str], meant: &str) {
    let done = place.run(words);
    assert_eq!(done.code, 2, "{words:?}: {}", done.stderr);
    assert!(done.stderr.contains(&format!("did you mean {meant}?")), "{words:?}, meant {meant}: {}", done.stderr);
    assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
}

/// No number is so large that its refusal forgets which option it was.
#[test]
fn counts_beyond_every_limit_are_refused_by_name() {
    let place = Place::new();
    let counts = [TypeId::of::<usize>(), TypeId::of::<u64>()];
    let mut tried = 0;
    for (path, command) in every_command() {
        for argument in command.get_arguments() {
            let is_count = counts.iter().any(|count| argument.get_value_parser().type_id() == *count);
            let Some(flag) = argument.get_long().filter(|_| is_count) else { continue };
            for count in [u64::MAX.to_string(), format!("{}0", u64::MAX)] {
                let mut words: Vec<&str> = path.iter().map(String::as_str).collect();
                if path == ["reproduce"] {
                    words.push("lazy");
                }
                if path == ["sweep"] {
                    words.extend(["--set", "bias=none"]);
                }
                let flag = format!("--{flag}");
                words.extend([&flag, count.as_str()]);
                let done = place.run(words);
                assert!(done.code == 2 && done.stderr.contains(&flag), "{path:?} {flag} {count}: {}", done.stderr);
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn every_word_of_every_closed_list_is_guessed() {
    let place = Place::new();
    for (path, command) in every_command() {
        let mut wrong: Vec<String> = path.clone();
        let name = wrong.pop().unwrap();
        let mut words: Vec<&str> = wrong.iter().map(String::as_str).collect();
        let typed = mistyped(&name);
        words.push(&typed);
        if words[0] != "man" {
            guessed(&place, &words, &name);
        }
        for argument in command.get_arguments() {
            let Some(flag) = argument.get_long() else { continue };
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            // one of the longest, the value of one of each
            if flag.len() >= 5 && !argument.is_hide_set() {
                guessed(&place, &[&path[..], &[&format!("--{}", mistyped(flag))]].concat(), &format!("--{flag}"));
            }
            let Some(value) = values(argument).into_iter().find(|value| value.len() >= 4) else { continue };
            if !argument.is_hide_set() {
                // which parts there are depends on the study
                let study: &[&str] = if path == ["reproduce"] { &["all"] } else { &[] };
                guessed(&place, &[&path[..], study, &[&format!("--{flag}"), &mistyped(&value)]].concat(), &value);
            }
        }
    }
    guessed(&place, &["reproduce", "divergnece"], "divergence");
    guessed(&place, &["completions", "fihs"], "fish");
    guessed(&place, &["man", "kernle"], "kernel");
    guessed(&place, &["data", "fetch", "minst"], "mnist");
}

#[test]
fn keys_of_files_are_guessed() {
    let place = Place::new();
    let keys = [
        ntkscope::experiment::keys::<ntkscope::experiment::Model>(),
        ntkscope::experiment::keys::<ntkscope::experiment::Training>(),
    ];
    for key in keys.concat().into_iter().filter(|key| key.len() >= 4) {
        let wrong = mistyped(&key);
        guessed(&place, &["run", "--set", &format!("{wrong}=5")], &key);
        place.file("t.toml", format!("{wrong} = 5\n"));
        guessed(&place, &["run", "t.toml"], &key);
    }
}

#[test]
fn values_are_told_in_plain_words() {
    let place = Place::new();
    for (line, parts) in [
        ("run --width abc", &["--width abc", "whole number"][..]),
        ("run --width -1", &["--width -1", "whole number"]),
        ("run --width 64,128", &["--width 64,128", "single number"]),
        ("run --n 18446744073709551616", &["--n", "too large"]),
        ("run --seed -1", &["--seed -1", "whole number"]),
        ("run --threads 0", &["--threads 0", "from 1 to 65535"]),
        ("run --penalty much", &["--penalty much", "a number"]),
        ("run --predictions maybe", &["--predictions maybe", "true or false"]),
        ("run --memory lots", &["--memory lots", "4GiB"]),
        ("run --width", &["--width", "missing"]),
        ("run --width 1 --width 2", &["--width", "more than once"]),
        ("reproduce lazy --quick --full", &["--full", "--quick"]),
        ("compare A.npz", &["B"]),
        ("compare A B C", &["C"]),
        ("run --until-time inf", &["--until-time inf", "--until-margin", "--until-loss"]),
        ("kernel empirical --multi-output 3", &["--multi-output 3", "one output"]),
        ("kernel empirical --multi-output ful", &["did you mean full?"]),
    ] {
        let done = place.run(line.split_whitespace());
        assert_eq!(done.code, 2, "{line}: {}", done.stderr);
        for part in parts {
            assert!(done.stderr.contains(part), "{line}: {part} is not in {}", done.stderr);
        }
        assert!(!done.stderr.contains("as a value"), "{}", done.stderr);
    }
}

#[test]
fn help_fits_the_terminal() {
    let place = Place::new();
    for (path, _) in every_command() {
        for columns in [40, 60, 80, 100] {
            let mut command = place.command(path.iter().map(String::as_str).chain(["--help"]));
            let output = command.env("COLUMNS", columns.to_string()).output().unwrap();
            assert!(output.status.success());
            let text = String::from_utf8(output.stdout).unwrap();
            for line in text.lines() {
                // a single word or flag may be wider than a narrow terminal
                let is_long = line.chars().count() > columns;
                assert!(
                    !is_long || line.starts_with("Usage:") || line.split_whitespace().count() <= 4,
                    "{path:?} at {columns}: {line}"
                );
            }
        }
    }
}

#[test]
fn help_leads_with_examples() {
    let place = Place::new();
    for command in [
        "run",
        "reproduce",
        "sweep",
        "report",
        "device",
        "predict",
        "smoothness",
        "kernel",
        "compare",
        "data",
        "bench",
        "completions",
        "man",
    ] {
        let help = place.succeed(&format!("{command} --help")).stdout;
        assert!(help.starts_with("Examples:\n"), "{command}: {help}");
        assert!(help.contains("--help"), "{command}");
    }
}

#[test]
fn manual_pages_are_complete() {
    let place = Place::new();
    place.succeed("man --out pages");
    let names: Vec<String> = std::fs::read_dir(place.path("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for (path, _) in every_command() {
        let name = format!("ntkscope-{}.1", path.join("-"));
        assert!(names.contains(&name), "{name} is not among {names:?}");
        let page = place.succeed(&format!("man {}", path.join(" "))).stdout;
        assert_eq!(page.trim_end().as_bytes(), place.bytes(format!("pages/{name}")).trim_ascii_end(), "{name}");
        for section in ["NAME", "SYNOPSIS", "\"EXIT STATUS\"", "FILES", "ENVIRONMENT"] {
            assert!(page.contains(&format!(".SH {section}")), "{name}: {section}");
        }
        let is_long = page.lines().any(|line| line.starts_with(".SH EXAMPLES"));
        assert!(is_long || path.len() > 1, "{name}: no examples");
    }
    for page in ["json", "files"] {
        assert!(names.contains(&format!("ntkscope-{page}.5")));
    }
    assert!(place.succeed("man json").stdout.contains("runs[].drift_max"));
}

/// What bash offers after these words and the flag.
fn offered_by_bash(script: &str, path: &[String], flag: &str) -> String {
    let words = format!("ntkscope {} {flag}", path.join(" "));
    let ask = format!(
        "COMP_WORDS=({words} ''); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _ntkscope ntkscope '' \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; \
         echo \"${{COMPREPLY[@]}}\""
    );
    let output = std::process::Command::new("bash").args(["-c", &format!("{script}\n{ask}")]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Each closed list, in the script of each shell.
#[test]
fn every_closed_list_completes() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.succeed(&format!("completions {shell}")).stdout;
        for (path, command) in every_command() {
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                let values = values(argument);
                if values.is_empty() {
                    continue;
                }
                let offers = |line: &str| values.iter().all(|value| line.contains(value.as_str()));
                let name = argument.get_long().map_or(String::new(), |long| format!("--{long}"));
                let found = match shell {
                    "bash" => offers(&offered_by_bash(&script, &path, &name)),
                    // a call each, with the command's words and the values
                    "fish" => script.split("complete -c ntkscope").any(|call| {
                        let here = path.iter().all(|word| call.contains(word.as_str()));
                        let long = argument.get_long().is_none_or(|long| call.contains(&format!("-l {long} ")));
                        here && long && offers(call)
                    }),
                    // a quoted text each
                    _ => script.split("\n'").any(|text| text.contains(&name) && offers(text)),
                };
                assert!(found, "{shell}: {path:?} {name} {values:?}");
            }
        }
    }
}
