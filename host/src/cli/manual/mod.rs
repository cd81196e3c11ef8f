//! Manual pages: one a command, from the same definitions as its help text, and what stands in no help text: the exit codes,
//! files, the environment, the objects that `--json` prints.

mod formats;
mod source;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::completions::offered;
use super::terminal::{DONE, EXIT, print};
use super::{Cli, Failure, UsageError};
use crate::files::write_atomic;
use crate::words::{did_you_mean, either};
use formats::{files_page, json_page};
use source::tidied;

/// `ntkscope man`
#[derive(Args, Debug)]
pub struct ManArgs {
    /// Page to print: a command such as `kernel analytic`, or files, or json [default: the program itself]
    #[arg(value_name = "COMMAND", value_parser = topics())]
    pub command: Vec<String>,
    /// Write all pages into this folder instead
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}

/// Words that a page can be asked for by; what is no page is refused later, with a guess.
fn topics() -> crate::experiment::Open<clap::builder::StringValueParser> {
    crate::experiment::Open::new(clap::builder::StringValueParser::new(), TOPICS)
}

/// The words of all pages. A test compares them with the commands.
const TOPICS: [&str; 24] = [
    "run",
    "reproduce",
    "sweep",
    "report",
    "predict",
    "smoothness",
    "regress",
    "spectrum",
    "kernel",
    "analytic",
    "empirical",
    "compare",
    "data",
    "device",
    "drift",
    "list",
    "show",
    "fetch",
    "columns",
    "bench",
    "completions",
    "man",
    FILES,
    JSON,
];

const FILES: &str = "files";
const JSON: &str = "json";

/// Prints a page, or writes all.
pub fn man(args: &ManArgs) -> Result<u8> {
    let pages = pages().map_err(Failure::text("manual page"))?;
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).map_err(crate::files::Error::io("create", folder))?;
        for Page { name, section, text } in &pages {
            write_atomic(&folder.join(format!("{name}.{section}")), text.as_bytes())?;
        }
        print(&format!("{} pages in {}", pages.len(), folder.display()))?;
        return Ok(DONE);
    }
    let asked = args.command.join("-");
    let named =
        |page: &&Page| page.name.strip_prefix("ntkscope").map(|rest| rest.trim_start_matches('-')) == Some(&asked);
    let Some(page) = pages.iter().find(named) else {
        let names: Vec<&str> = pages.iter().filter_map(|page| page.name.strip_prefix("ntkscope-")).collect();
        let guess = did_you_mean(&asked, names.iter().copied());
        let what = format!("no such page{guess}; give {}", either(&names));
        return Err(UsageError::Range { flag: "man", given: args.command.join(" "), what }.into());
    };
    print(page.text.trim_end())?;
    Ok(DONE)
}

/// A manual page.
struct Page {
    /// `ntkscope-kernel-analytic`
    name: String,
    /// of the manual: 1 commands, 5 files
    section: u8,
    /// as man reads it
    text: String,
}

/// Why a page cannot be made; nobody has seen that.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Every page.
fn pages() -> Result<Vec<Page>, Fault> {
    let mut root = offered(super::unused::hidden(Cli::command())).disable_help_subcommand(true);
    root.build();
    let mut all = Vec::new();
    commands(&root, &mut all)?;
    all.push(files_page()?);
    all.push(json_page()?);
    Ok(all)
}

fn commands(command: &Command, all: &mut Vec<Page>) -> Result<(), Fault> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    all.push(Page { section: 1, text: command_page(command, &name)?, name });
    command.get_subcommands().filter(|inner| inner.get_name() != "help").try_for_each(|inner| commands(inner, all))
}

fn command_page(command: &Command, name: &str) -> Result<String, Fault> {
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .date(RELEASED)
        .source(format!("ntkscope {}", env!("CARGO_PKG_VERSION")))
        .manual("ntkscope");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut more = Roff::new();
    if let Some(examples) = command.get_before_help() {
        more.control("SH", ["EXAMPLES"]);
        more.control("nf", []);
        let text = examples.to_string();
        text.lines().filter(|line| line.trim() != "Examples:").for_each(|line| {
            more.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        });
        more.control("fi", []);
    }
    exit_status(&mut more);
    more.control("SH", ["FILES"]);
    more.text([roman(format!("{} See ntkscope-files(5) for every file and column.", files_of(name)))]);
    environment(&mut more);
    more.control("SH", ["SEE ALSO"]);
    let parent = name.rsplit_once('-').map(|(parent, _)| format!("{parent}(1), "));
    more.text([roman(format!("{}ntkscope-files(5), ntkscope-json(5)", parent.unwrap_or_default()))]);
    more.to_writer(&mut page)?;
    Ok(tidied(&String::from_utf8(page)?))
}

/// When this version was made. A clock would give another page every day.
const RELEASED: &str = "2026-11-26";

fn exit_status(page: &mut Roff) {
    page.control("SH", ["EXIT STATUS"]);
    for (code, what) in EXIT {
        page.control("TP", []);
        page.text([bold(code.to_string())]);
        page.text([roman(what)]);
    }
}

fn environment(page: &mut Roff) {
    page.control("SH", ["ENVIRONMENT"]);
    for (name, what) in ENVIRONMENT {
        page.control("TP", []);
        page.text([bold(name)]);
        page.text([roman(what)]);
    }
}

const ENVIRONMENT: [(&str, &str); 5] = [
    ("COLUMNS", "Width to which help texts are wrapped; by default that of the terminal."),
    ("NO_COLOR", "If set, no colours and no bold type."),
    ("XDG_DATA_HOME", "Downloaded data are kept in $XDG_DATA_HOME/ntkscope/NAME."),
    (
        "SLURM_ARRAY_TASK_ID",
        "In a Slurm job array, with the variables _COUNT, _MIN, _MAX and _STEP of the same name: the part of its grid that reproduce or sweep runs, unless --shard or --collect is given.",
    ),
    ("HOME", "Without XDG_DATA_HOME, data are kept in ~/.local/share/ntkscope/NAME."),
];

/// What a command reads and writes.
fn files_of(name: &str) -> &'static str {
    match name {
        "ntkscope-run" => {
            "Reads FILE.toml and the data; writes the run directory --out, or the first unused runs/NAME: run.toml, trace.csv, \
             predictions.csv, profile.csv, kernels.npz, params.npz, state.bin, figures/ (svg, pdf, png), report.html."
        }
        "ntkscope-reproduce" => {
            "Writes the study directory --out, or studies/NAME: claims.csv, cells.csv, runs/, figures/ (svg, pdf, png), report.html."
        }
        "ntkscope-sweep" => {
            "Reads FILE.toml and the data; writes the directory --out: cells.csv, runs/, figures/ (svg, pdf, png), report.html."
        }
        "ntkscope-report" => {
            "Reads the run.toml, the trace.csv and what else there is of every run; writes report.html and figures/ (svg, pdf, png) into --out, or the first unused runs/comparison."
        }
        "ntkscope-device" => {
            "Reads frames.txt of a recording, or a serial port and --elf; writes the directory --out, or the first unused runs/device: frames.txt, numbers.csv, times.csv, trace.csv of each run, figures/ (svg, pdf, png), report.html."
        }
        "ntkscope-predict" => "Reads the data and --test; writes --out, an npz or a csv file.",
        "ntkscope-smoothness" => {
            "Reads the data; writes spectra.csv and the figure (svg, pdf, png) into --out, or the first unused runs/NAME."
        }
        "ntkscope-kernel" | "ntkscope-kernel-analytic" => "Reads the data; writes --out, an npz or an npy file.",
        "ntkscope-kernel-empirical" => {
            "Reads the data and --params; writes --out, an npz or an npy file, and --params-out, an npz file."
        }
        "ntkscope-compare" => "Reads two kernels, npz or npy files.",
        "ntkscope-data" | "ntkscope-data-fetch" | "ntkscope-data-list" | "ntkscope-data-show" => {
            "Data sets are kept in $XDG_DATA_HOME/ntkscope/NAME, or in --data-dir."
        }
        "ntkscope-man" => "Writes the pages into the folder --out.",
        _ => "None.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_page_can_be_completed() {
        let pages = pages().unwrap();
        let mut words: Vec<&str> = pages.iter().flat_map(|page| page.name.split('-').skip(1)).collect();
        words.sort_unstable();
        words.dedup();
        let mut topics = TOPICS.to_vec();
        topics.sort_unstable();
        assert_eq!(words, topics);
    }

    #[test]
    fn pages_say_when_they_were_made() {
        for page in pages().unwrap() {
            let title = page.text.lines().find(|line| line.starts_with(".TH")).unwrap();
            assert!(title.contains(&format!(" {} {RELEASED} ", page.section)), "{title}");
        }
    }

    #[test]
    fn every_page_that_is_named_is_there_and_complete() {
        let pages = pages().unwrap();
        for page in &pages {
            // a name of a page: letters and hyphens (written \-) before its section in brackets
            let text = page.text.replace("\\-", "-");
            for (before, _) in
                ["(1)", "(5)"].iter().flat_map(|section| text.match_indices(section)).map(|(at, s)| (&text[..at], s))
            {
                let start = before.rfind(|c: char| !(c.is_ascii_lowercase() || c == '-')).map_or(0, |at| at + 1);
                let name = &before[start..];
                let is_page = name.starts_with("ntkscope");
                assert!(!is_page || pages.iter().any(|page| page.name == name), "{}: {name}", page.name);
            }
            if page.section == 1 {
                for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "FILES", "ENVIRONMENT"] {
                    let heading = format!(".SH {section}\n").replace("EXIT STATUS", "\"EXIT STATUS\"");
                    assert!(page.text.contains(&heading), "{}: {section}", page.name);
                }
            }
        }
    }
}
