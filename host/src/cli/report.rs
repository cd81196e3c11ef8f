//! `ntkscope report`: finished runs laid over one another on one page.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use toml::{Table as Settings, Value};

use super::json::{document, print_document};
use super::terminal::{DONE, command, print, say};
use super::{Page, UsageError};
use crate::files::Roles;
use crate::files::numbers::Json;
use crate::plot::{FigureStyle, share_palette};
use crate::report::narrative::{plain_table, terms};
use crate::report::{Block, Report, Section, Table, VERSION, number, provenance, run_figures};
use crate::run::{RunDirectory, Trace, result_paths};
use crate::study::comparison::{Compared, compare, places};
use crate::study::group::Column;
use crate::words::count;

const EXAMPLES: &str = "\
Examples:
  ntkscope report runs/circle-both runs/circle-both-2
      the runs of two directories in the same figures
  ntkscope report studies/sweep --out comparison
      every run of a sweep
  ntkscope report studies/sweep/runs/width-64_*";

/// Most runs: as many colours can be told apart.
const MOST: usize = 36;
/// The columns of the table: name, and the number at the end of a run.
const COLUMNS: [(&str, Column); 7] = [
    ("time t", |row| row.time),
    ("drift max|K_{t} − K_{0}|", |row| row.drift_max),
    ("relative drift", |row| row.drift_fro),
    ("smallest margin", |row| row.margin_min),
    ("mean margin", |row| row.margin_mean),
    ("loss", |row| row.loss),
    ("accuracy", |row| row.accuracy),
];

/// `ntkscope report`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct ReportArgs {
    /// Directories of finished runs, or of studies and sweeps, of which all runs are taken
    #[arg(required = true, value_name = "DIR")]
    pub directories: Vec<PathBuf>,
    /// Directory for the page and its figures [default: the first unused runs/comparison]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Of its page
    #[command(flatten)]
    pub page: Page,
}

/// Reads, draws and writes; returns the exit code.
pub fn report(args: &ReportArgs) -> Result<u8> {
    let places = places(&args.directories)?;
    if places.len() > MOST {
        let what =
            format!("more than {MOST} runs cannot be told apart in a figure; give the directories of some of them");
        return Err(UsageError::Range { flag: "DIR", given: count(places.len(), "run"), what }.into());
    }
    let inputs: Vec<PathBuf> = places.iter().flat_map(|place| result_paths(place)).collect();
    let runs = compare(places)?;
    let written = args.out.as_deref().map(result_paths);
    Roles::new().reads("DIR", inputs).writes("out", written.into_iter().flatten())?;
    let directory = RunDirectory::create(args.out.as_deref(), "comparison", args.page.force)?;
    page(args, &runs, &directory)?;
    if args.page.json {
        let text = |path: &PathBuf| Value::String(path.display().to_string());
        let given = Value::Array(args.directories.iter().map(text).collect());
        let settings = Settings::from_iter([("directories".to_owned(), given)]);
        print_document(&document("report", &settings, summary(&runs, &directory)))?;
    } else {
        print(&plain_table(&table(&runs)).to_string())?;
    }
    if !args.page.quiet {
        say(&format!("report: {}", directory.file("report.html").display()));
    }
    Ok(DONE)
}

/// The settings that differ between the runs.
fn keys(runs: &[Compared]) -> Vec<&str> {
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in runs.iter().flat_map(|run| &run.differs) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    keys
}

/// What differs between the runs, in words.
fn lead(runs: &[Compared]) -> String {
    let keys: Vec<String> = keys(runs).into_iter().map(|key| key.replace('-', " ")).collect();
    let runs = count(runs.len(), "run");
    match keys.is_empty() {
        true => format!("{runs} with the same settings."),
        false => format!("{runs} that differ in {}.", keys.join(", ")),
    }
}

/// What differs, and how each run ended.
fn table(runs: &[Compared]) -> Table {
    let last = |run: &Compared| run.finished.trace.rows.last().copied();
    let known: Vec<_> = COLUMNS
        .into_iter()
        .filter(|(_, value)| runs.iter().filter_map(last).any(|row| !value(&row).is_nan()))
        .collect();
    let keys = keys(runs);
    let header =
        ["run"].into_iter().chain(keys.iter().copied()).chain(["ended"]).chain(known.iter().map(|(name, _)| *name));
    let mut table = Table::new("What differs between the runs, and where they ended.", header);
    for run in runs {
        let value = |key: &&str| run.differs.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
        let settings = keys.iter().map(|key| value(key).unwrap_or_default());
        let ended =
            run.finished.failure.as_ref().map_or(run.finished.stopped.clone(), |failure| format!("failed: {failure}"));
        let ends = known.iter().map(|(_, value)| last(run).map_or(String::new(), |row| number(value(&row))));
        table.push([run.place.display().to_string()].into_iter().chain(settings).chain([ended]).chain(ends));
    }
    table
}

fn page(args: &ReportArgs, runs: &[Compared], directory: &RunDirectory) -> Result<()> {
    let mut sections = vec![Section { title: "Runs".into(), blocks: vec![Block::Table(table(runs))] }];
    if let Some(style) = args.page.figures.style() {
        sections.push(Section { title: "Figures".into(), blocks: figures(runs, directory, style)? });
    }
    let terms = terms(runs.iter().any(|run| run.summed));
    sections.push(Section { title: "Notation".into(), blocks: vec![Block::Paragraph(terms)] });
    sections.push(Section { title: "Provenance".into(), blocks: provenance(&command()) });
    let title = format!("Comparison of {}", count(runs.len(), "run"));
    Ok(Report { title, lead: lead(runs), sections }.save(&directory.file("report.html"))?)
}

fn figures(runs: &[Compared], directory: &RunDirectory, style: FigureStyle) -> Result<Vec<Block>> {
    let trace = |run: &Compared| Trace { label: run.label.clone(), rows: run.finished.trace.rows.clone() };
    let mut figures = run_figures(&runs.iter().map(trace).collect::<Vec<_>>(), &[]);
    share_palette(&mut figures.iter_mut().collect::<Vec<_>>());
    for figure in &mut figures {
        figure.style = style;
        figure.settings = format!("ntkscope {VERSION}; report; {}", lead(runs));
    }
    directory.write_figures(&figures)?;
    Ok(figures.into_iter().map(|figure| Block::Figure(Box::new(figure))).collect())
}

/// What a script reads.
fn summary(runs: &[Compared], directory: &RunDirectory) -> serde_json::Value {
    let number = Json;
    let run = |run: &Compared| {
        let last = run.finished.trace.rows.last().copied().unwrap_or_default();
        json!({
            "directory": run.place, "label": run.label, "values": run.differs.iter().cloned().collect::<BTreeMap<_, _>>(), "stopped": run.finished.stopped,
            "failure": run.finished.failure, "time": number(last.time), "drift_max": number(last.drift_max),
            "drift_fro": number(last.drift_fro), "margin_min": number(last.margin_min),
            "margin_mean": number(last.margin_mean), "final_loss": number(last.loss), "accuracy": number(last.accuracy),
        })
    };
    json!({ "directory": directory.path(), "runs": runs.iter().map(run).collect::<Vec<_>>() })
}
