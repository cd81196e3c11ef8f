//! README.md: what it has people type works as typed, and what it quotes is what the program prints.

use std::collections::BTreeSet;

use ntkscope::backend::InstructionSet;

use crate::Place;

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"));

/// How README calls the program.
const CALLS: [&str; 2] = ["cargo run --release -- ", "ntkscope "];

/// The instruction set whose digits README quotes; those of others are compared to a twentieth.
const QUOTED: InstructionSet = InstructionSet::Avx512;

/// Commands that are not run, but asked for their plan or at least parsed, and why.
const NOT_RUN: [(&str, &str, &str); 10] = [
    ("reproduce divergence", "--dry-run", "minutes"),
    ("reproduce lazy", "--dry-run", "minutes"),
    ("reproduce initialization", "--dry-run", "minutes"),
    ("reproduce probability", "--dry-run", "minutes"),
    ("data fetch mnist", "--help", "the network"),
    ("run --data mnist", "--help", "MNIST"),
    ("kernel empirical --data mnist", "--help", "MNIST"),
    ("kernel empirical --params model", "--help", "somebody's network"),
    ("drift start.pt", "--help", "somebody's network"),
    ("bench", "--help", "minutes, and it measures the machine"),
];

/// A command with what is quoted of its output, a passage between two `[…]` each.
struct Shown {
    arguments: String,
    quoted: Vec<String>,
}

/// Every command of the code blocks that calls the program.
fn shown() -> Vec<Shown> {
    let (mut all, mut fenced): (Vec<Shown>, bool) = (Vec::new(), false);
    for line in README.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if let Some(arguments) = CALLS.iter().find_map(|call| line.strip_prefix(call)).filter(|_| fenced) {
            all.push(Shown { arguments: arguments.into(), quoted: vec![String::new()] });
        } else if let Some(text) = line.strip_prefix("> ") {
            let quoted = &mut all.last_mut().expect("a quotation is of the command before it").quoted;
            for (index, passage) in text.split("[…]").enumerate() {
                if index > 0 {
                    quoted.push(String::new());
                }
                let last = quoted.last_mut().unwrap();
                last.push_str(passage.trim());
                last.push(' ');
            }
        }
    }
    all
}

/// A word, or a number without the punctuation about it.
fn number(word: &str) -> Option<(&str, f64)> {
    let text = word.trim_matches(|c: char| !c.is_ascii_digit() && c != '-');
    text.parse().ok().map(|number| (text, number))
}

fn bare(word: &str) -> &str {
    word.trim_end_matches([',', '.', ';', ':'])
}

/// Whether a word of the output is the quoted one: a number to the last quoted place, or to a twentieth.
fn agree(quoted: &str, printed: &str, loosely: bool) -> bool {
    let (Some((text, quoted_number)), Some((_, number))) = (number(quoted), number(printed)) else {
        // a quotation may end before a comma
        return bare(quoted) == bare(printed);
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let places = mantissa.split_once('.').map_or(0, |(_, places)| places.len()) as i32;
    let unit = 10f64.powi(exponent.parse::<i32>().unwrap() - places);
    let within = if loosely { 0.05 * quoted_number.abs() } else { 0.501 * unit };
    (number - quoted_number).abs() <= within
}

/// Where the passage stands in the words of the output, which is after it.
fn find(passage: &[&str], output: &[&str], loosely: bool) -> Option<usize> {
    let same = |window: &[&str]| window.iter().zip(passage).all(|(printed, quoted)| agree(quoted, printed, loosely));
    output.windows(passage.len()).position(same).map(|at| at + passage.len())
}

#[test]
fn the_commands_work_and_print_what_is_quoted() {
    let place = Place::new();
    // "data of your own": points of the plane in two classes
    let row = |k: i32| {
        let (a, b) = (f64::from(k * 37 % 101) / 50.0 - 1.0, f64::from(k * 53 % 97) / 48.0 - 1.0);
        format!("{a},{b},{}\n", i32::from(a * b > 0.0))
    };
    place.file("samples.csv", (0..120).map(row).collect::<String>());
    let loosely = InstructionSet::here() != QUOTED;
    let (mut left, mut quotations): (BTreeSet<&str>, usize) = (NOT_RUN.iter().map(|(begins, ..)| *begins).collect(), 0);
    for Shown { arguments, quoted } in shown() {
        let instead = NOT_RUN.iter().find(|(begins, ..)| arguments.starts_with(begins));
        let line = instead.map_or(arguments.clone(), |(_, flag, _)| format!("{arguments} {flag}"));
        let done = place.succeed(&line);
        let mut output: Vec<&str> = done.stdout.split_whitespace().collect();
        if let Some((begins, flag, _)) = instead {
            left.remove(begins);
            // a study's size is told in words
            let plan = done.stderr.lines().chain(done.stdout.lines()).find(|line| line.contains(" runs, about "));
            if *flag == "--dry-run" {
                let runs =
                    plan.and_then(|line| line.split(": ").nth(1)?.split(", ").next()).expect("a plan has a size");
                assert!(
                    README.contains(&format!(" {runs} ")) || README.contains(&format!(" {runs},")),
                    "{line}: {runs}"
                );
            }
        }
        for passage in quoted.iter().filter(|passage| !passage.trim().is_empty()) {
            quotations += 1;
            let words: Vec<&str> = passage.split_whitespace().collect();
            let behind = find(&words, &output, loosely);
            let behind = behind.unwrap_or_else(|| panic!("`{line}` does not print \"{passage}\", but {}", done.stdout));
            output.drain(..behind);
        }
    }
    assert!(left.is_empty(), "not in README any more: {left:?}");
    assert!(quotations > 0);
}

/// Commands and flags that are named inside the text.
#[test]
fn what_is_named_exists() {
    let place = Place::new();
    let (text, _) = README.split_once("## On a microcontroller").unwrap();
    let rest = README.split_once("## Speed").unwrap().1;
    let mut known = BTreeSet::new();
    let commands = "run reproduce sweep report predict smoothness kernel kernel:analytic kernel:empirical compare data data:list data:show \
                    data:fetch columns bench completions man";
    for command in commands.split_whitespace() {
        let help = place.succeed(&format!("{} --help", command.replace(':', " "))).stdout;
        known.extend(help.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).map(str::to_owned));
    }
    let code = |text: &'static str| text.split('`').skip(1).step_by(2).filter(|code| !code.contains('\n'));
    for code in code(text).chain(code(rest)).filter(|code| !code.starts_with("cargo")) {
        for flag in code.split_whitespace().filter(|word| word.starts_with("--")) {
            assert!(known.contains(flag), "`{code}`: no command has {flag}");
        }
        let Some(arguments) = code.strip_prefix("ntkscope ") else { continue };
        let plain = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
        let command: Vec<&str> = arguments.split_whitespace().take_while(plain).collect();
        place.succeed(&format!("{} --help", command.join(" ")));
    }
}

#[test]
fn numbers_are_compared_to_their_last_place() {
    assert!(agree("3.845e-5,", "3.8454e-5,", false) && !agree("3.845e-5", "3.8456e-5", false));
    assert!(agree("(10.12", "(10.12", false) && !agree("10.12", "10.13", false) && agree("10.12", "10.4", true));
    assert!(!agree("10.12", "10.7", true) && !agree("rest", "move", true) && agree("error", "error,", false));
}
