//! `ntkscope reproduce`: a study, from its grid to its page.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser};
use serde_json::json;
use toml::{Table, Value};

use super::grid::{self, Grid, GridArgs, Outcome};
use super::json::{document, fail, print_document};
use super::terminal::{DONE, FAILED, INTERRUPTED, command, in_flags, print, say};
use crate::cli::{Common, Figures};
use crate::data;
use crate::data::{DataSpec, Source};
use crate::experiment::{NetworkKind, Open};
use crate::files::Roles;
use crate::machine::check_threads;
use crate::report::narrative::plain;
use crate::report::{ClaimRow, Kind, Verdict, number};
use crate::studies::PAPERS;
use crate::study::options::{MAX_SEEDS, Options};
use crate::study::page;
use crate::study::paper::{Planned, Study, parts_of};

const EXAMPLES: &str = "\
Examples:
  ntkscope reproduce divergence
      six points on the circle, in minutes
  ntkscope reproduce divergence --only mnist --data-dir DIR --widths 128,512
      odd against even digits
  ntkscope reproduce initialization
      what random initialization costs, from kernels alone
  ntkscope reproduce probability
      how often small networks trained on a line give a positive logit off it
  ntkscope reproduce divergence --full --data-dir DIR --out results
      everything; rerun the same command to resume";

/// Name of all studies together.
const ALL: &str = "all";

/// The names of the papers, and [`ALL`].
fn study_names() -> PossibleValuesParser {
    let all = PossibleValue::new(ALL).help("every study, each in its own directory");
    let papers = PAPERS.iter().map(|paper| PossibleValue::new(paper.name).help(paper.summary));
    PossibleValuesParser::new(papers.chain([all]))
}

/// The names of all parts of all papers, each once. Which of them the study has it says itself.
fn part_names() -> Open<StringValueParser> {
    let names = parts_of(PAPERS).into_iter().map(|part| PossibleValue::new(part.name).help(part.summary));
    Open::new(StringValueParser::new(), names)
}

/// `ntkscope reproduce`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct ReproduceArgs {
    /// Study to reproduce
    #[arg(value_parser = study_names())]
    pub study: String,
    /// Small grid, minutes on two cores (the default)
    #[arg(long, conflicts_with = "full", help_heading = "Grid")]
    pub quick: bool,
    /// All parts, more widths and seeds: hours to days; finished runs are kept
    #[arg(long, help_heading = "Grid")]
    pub full: bool,
    /// The paper's own experiments at its settings, with the values of its figures beside ours; with --full over more seeds and
    /// to their ends
    #[arg(long, help_heading = "Grid")]
    pub as_published: bool,
    /// Only these parts of the study
    #[arg(long, value_parser = part_names(), value_delimiter = ',', help_heading = "Grid")]
    pub only: Vec<String>,
    /// Only these architectures
    #[arg(long, value_enum, value_delimiter = ',', help_heading = "Grid")]
    pub network: Vec<NetworkKind>,
    /// Use these widths instead of the grid's
    #[arg(long, value_name = "M,M,…", value_delimiter = ',', help_heading = "Grid")]
    pub widths: Vec<usize>,
    /// Use this many seeds, draws or trials instead of the grid's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_SEEDS), help_heading = "Grid")]
    pub seeds: Option<u64>,
    /// Number of MNIST samples [default: 256, 200 or 3000, depending on the study]
    #[arg(long, value_name = "N", help_heading = "Grid")]
    pub n: Option<usize>,
    /// Folder with the idx files of MNIST
    #[arg(long, value_name = "DIR", help_heading = "Grid")]
    pub data_dir: Option<PathBuf>,
    /// Folder with the idx files of Fashion-MNIST (for initialization, part smoothness)
    #[arg(long, value_name = "DIR", help_heading = "Grid")]
    pub fashion_dir: Option<PathBuf>,
    /// Folder with the binary files of CIFAR-10 (for initialization, part smoothness)
    #[arg(long, value_name = "DIR", help_heading = "Grid")]
    pub cifar_dir: Option<PathBuf>,
    /// Of the grid
    #[command(flatten)]
    pub grid: GridArgs,
    /// Study directory; an existing one is resumed [default: studies/NAME]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Of its figures
    #[command(flatten)]
    pub figures: Figures,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// Runs the study or the studies, and returns the exit code.
pub fn reproduce(args: ReproduceArgs) -> Result<u8> {
    check_threads(args.common.threads.map_or(1, usize::from))?;
    let chosen: Vec<_> =
        PAPERS.iter().copied().filter(|paper| [paper.name, ALL].contains(&args.study.as_str())).collect();
    let several = chosen.len() > 1;
    let Planned { studies, notes } = Study::plan(&chosen, &args.only, &options(&args))?;
    if !args.common.quiet {
        notes.iter().for_each(|note| say(&format!("note: {}", in_flags(note))));
    }
    let place = |study: &Study| match &args.out {
        Some(out) if several => out.join(study.name()),
        Some(out) => out.clone(),
        None => PathBuf::from("studies").join(study.name()),
    };
    let grids: Vec<Grid<'_>> = studies.iter().map(|study| grid_of(study, place(study))).collect();
    if args.grid.dry_run {
        let plans = grid::dry_run(&args.grid, &args.common, &grids)?;
        if args.common.json {
            print_json(&args, plans, several, "")?;
        }
        return Ok(DONE);
    }
    for Grid { directory, .. } in &grids {
        let read = Roles::new()
            .reads("data-dir", images(Source::Mnist, &args.data_dir))
            .reads("fashion-dir", images(Source::FashionMnist, &args.fashion_dir))
            .reads("cifar-dir", images(Source::Cifar10, &args.cifar_dir));
        read.writes("out", page::FILES.map(|name| directory.join(name)))?;
    }
    let (mut code, mut summaries, mut failures) = (DONE, Vec::new(), Vec::new());
    let outcome = grid::carry_out(&args.grid, &args.common, &grids, |index| {
        let directory = &grids[index].directory;
        let (claims, runs) = studies[index].write(directory, args.figures.style(), &command()).context("the report")?;
        failures.extend(grid::failure(&runs, |cell| &cell.run.id));
        if !failures.is_empty() || claims.iter().any(|claim| claim.verdict == Verdict::Fails) {
            code = FAILED;
        }
        print_claims(&args, directory, &claims)?;
        summaries.push(summary(directory, &claims));
        Ok(())
    })?;
    match outcome {
        Outcome::Stopped => {
            say("interrupted; finished runs are kept; rerun the same command to resume");
            return Ok(INTERRUPTED);
        }
        Outcome::Part(parts) => summaries = parts,
        Outcome::Finished => {}
    }
    if args.common.json {
        print_json(&args, summaries, several, &failures.join("; "))?;
    }
    failures.iter().for_each(|message| say(&format!("error: {message}")));
    Ok(code)
}

/// What runs for a study, and where.
fn grid_of(study: &Study, directory: PathBuf) -> Grid<'_> {
    let jobs = study.parts().flat_map(|(part, jobs)| jobs.into_iter().map(|job| (part.name, job)));
    Grid { name: study.name(), directory, jobs: jobs.collect(), smaller: "leave its part out with `only`" }
}

/// The files of images in a directory that was given.
fn images(source: Source, directory: &Option<PathBuf>) -> Vec<PathBuf> {
    let spec = directory.clone().map(|dir| DataSpec { dir: Some(dir), ..DataSpec::new(source) });
    spec.map_or_else(Vec::new, |spec| data::inputs(&spec))
}

/// What the arguments ask of a study.
fn options(args: &ReproduceArgs) -> Options {
    Options {
        parts: Vec::new(),
        full: args.full,
        as_published: args.as_published,
        networks: args.network.clone(),
        widths: args.widths.clone(),
        seeds: args.seeds,
        n: args.n,
        data_dir: args.data_dir.clone(),
        fashion_dir: args.fashion_dir.clone(),
        cifar_dir: args.cifar_dir.clone(),
    }
}

/// One object, or one that holds those of several studies.
fn print_json(args: &ReproduceArgs, mut all: Vec<serde_json::Value>, several: bool, failed: &str) -> Result<()> {
    let body = if several { json!({ "studies": all }) } else { all.pop().unwrap_or_default() };
    let mut document = document("reproduce", &settings(args), body);
    if !failed.is_empty() {
        fail(&mut document, FAILED, failed);
    }
    print_document(&document)
}

/// What was asked for.
fn settings(args: &ReproduceArgs) -> Table {
    let text = |text: String| Value::String(text);
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| text(path.display().to_string()));
    let several = |all: Vec<Value>| (!all.is_empty()).then_some(Value::Array(all));
    let whole = |number: u64| Value::Integer(number as i64);
    let all = [
        ("study", Some(text(args.study.clone()))),
        ("full", Some(Value::Boolean(args.full))),
        ("as-published", Some(Value::Boolean(args.as_published))),
        ("only", several(args.only.iter().cloned().map(text).collect())),
        ("network", several(args.network.iter().map(|network| text(network.to_string())).collect())),
        ("widths", several(args.widths.iter().map(|width| whole(*width as u64)).collect())),
        ("seeds", args.seeds.map(whole)),
        ("n", args.n.map(|n| whole(n as u64))),
        ("data-dir", path(&args.data_dir)),
        ("fashion-dir", path(&args.fashion_dir)),
        ("cifar-dir", path(&args.cifar_dir)),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// JSON has no infinity: an end that is not there is null.
fn finite(end: f64) -> Option<f64> {
    Some(end).filter(|end| end.is_finite())
}

/// What a script reads.
fn summary(directory: &Path, claims: &[ClaimRow]) -> serde_json::Value {
    let row = |c: &ClaimRow| {
        json!({
            "kind": c.kind.to_string(), "claim": plain(&c.claim), "where": plain(&c.place), "network": c.network,
            "loss": c.loss, "init": c.init, "measured": c.measured, "low": c.interval.map(|[low, _]| low),
            "high": c.interval.map(|[_, high]| high), "seeds": c.seeds, "theory": plain(&c.theory),
            "allowed_low": finite(c.allowed[0]), "allowed_high": finite(c.allowed[1]),
            "verdict": c.verdict.to_string(), "note": plain(&c.note),
        })
    };
    json!({ "directory": directory, "claims": claims.iter().map(row).collect::<Vec<_>>() })
}

/// What was found of a claim, with the number that decided and what theory has in its place.
fn in_a_line(row: &ClaimRow) -> String {
    let ClaimRow { claim, network, loss, init, measured, interval, theory, verdict, note, .. } = row;
    let measured = measured.map_or("nothing".into(), number);
    let interval = match interval {
        Some([low, high]) if low < high => format!(" [{}, {}]", number(*low), number(*high)),
        _ => String::new(),
    };
    let about: Vec<&str> = [network, loss, init].into_iter().map(String::as_str).filter(|s| !s.is_empty()).collect();
    format!("{verdict}: {claim} ({}): measured {measured}{interval}, theory {theory}; {note}", about.join(", "))
}

/// What a person reads.
fn print_claims(args: &ReproduceArgs, directory: &Path, claims: &[ClaimRow]) -> Result<()> {
    if !args.common.json {
        print(&page::count(claims))?;
        let is_open = |claim: &&ClaimRow| claim.kind == Kind::Claim && claim.verdict == Verdict::NotDecided;
        for claim in claims.iter().filter(|claim| claim.verdict != Verdict::Holds && !is_open(claim)) {
            print(&plain(&in_a_line(claim)))?;
        }
        let mut open: Vec<(&str, usize)> = Vec::new();
        for claim in claims.iter().filter(is_open) {
            match open.iter_mut().find(|(name, _)| *name == claim.claim) {
                Some((_, times)) => *times += 1,
                None => open.push((&claim.claim, 1)),
            }
        }
        if !open.is_empty() {
            let times = |(name, times): &(&str, usize)| format!("{name} ({times})");
            let names: Vec<String> = open.iter().map(times).collect();
            print(&plain(&format!("not decided: {}", names.join("; "))))?;
        }
    }
    if !args.common.quiet {
        say(&format!("report: {}", directory.join("report.html").display()));
    }
    Ok(())
}
