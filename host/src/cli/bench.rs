//! `ntkscope bench`: kernels and training against the machine's peak.

use std::process::Stdio;

use anyhow::Result;
use bytesize::ByteSize;
use clap::Args;
use clap::builder::StringValueParser;
use toml::{Table, Value};

use super::json::{document, fail, print_document};
use super::terminal::{
    DONE, INTERRUPTED, Progress, print, progress, say, stop_on_interrupt, stop_on_interrupt_quietly,
};
use crate::benchmark::{BenchmarkReport, BenchmarkTask, CASES, NoSuchCase, PROBES, Reading, choose, measure};
use crate::cli::{Call, Common};
use crate::cli::{Failure, UsageError};
use crate::experiment::Open;
use crate::machine::{Budget, Ended, Stop, with_threads};
use crate::words::{count, did_you_mean};

const EXAMPLES: &str = "\
Examples:
  ntkscope bench
      every case, in a few minutes
  ntkscope bench --quick --json
  ntkscope bench --only analytic,step-6 --repeat 15 --threads 4";

/// `ntkscope bench`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct BenchArgs {
    /// Only cases with at most 1000 samples
    #[arg(long, help_heading = "Cases")]
    pub quick: bool,
    /// Only these cases, given by name or prefix: empirical, analytic-4000, step-6
    #[arg(long, value_name = "CASE,…", value_parser = Open::new(StringValueParser::new(), NAMES), hide_possible_values = true, value_delimiter = ',', help_heading = "Cases")]
    pub only: Vec<String>,
    /// Number of rounds, each measuring every case once; medians are reported
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Cases")]
    pub repeat: u16,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// Names of all cases.
const NAMES: [&str; CASES.len()] = {
    let mut names = [""; CASES.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = CASES[at].name;
        at += 1;
    }
    names
};

/// Environment variable by which the command tells a process that it starts which one task to measure.
const TASK: &str = "NTKSCOPE_BENCH_TASK";

/// Measures, prints; returns the exit code.
pub fn bench(args: BenchArgs) -> Result<u8> {
    // a measurement that has begun ends, in this process or another, and then no further one begins
    if let Some(name) = std::env::var_os(TASK) {
        let _stop = stop_on_interrupt_quietly();
        return measure_here(&name.to_string_lossy(), args.common.threads);
    }
    let stop = stop_on_interrupt();
    let cases = choose(&args.only, args.quick).map_err(|NoSuchCase { given }| UsageError::Range {
        flag: "--only",
        what: format!("no such case{}; there are {}", did_you_mean(&given, NAMES), NAMES.join(", ")),
        given,
    })?;
    if cases.is_empty() {
        let what = "--quick leaves none of these cases; leave out --quick".into();
        return Err(UsageError::Range { flag: "--only", given: args.only.join(","), what }.into());
    }
    let tasks: Vec<BenchmarkTask> =
        PROBES.map(BenchmarkTask::Probe).into_iter().chain(cases.iter().copied().map(BenchmarkTask::Case)).collect();
    with_threads(args.common.threads, || check_memory(&tasks, args.common.memory))??;
    let threads = with_threads(args.common.threads, rayon::current_num_threads)?;
    let bar = progress("", (tasks.len() * usize::from(args.repeat)) as u64, args.common.quiet);
    let mut readings = vec![Vec::new(); tasks.len()];
    for _ in 0..args.repeat {
        let Ended::Done(round) = round(&tasks, threads, &bar, &stop)? else { break };
        readings.iter_mut().zip(round).for_each(|(all, reading)| all.push(reading));
    }
    bar.finish_and_clear();
    if readings.iter().all(|of_task| !of_task.is_empty()) {
        let report = BenchmarkReport::new(threads, &cases, &readings)?;
        if args.common.json {
            let mut all = document("bench", &settings(&args, threads), serde_json::to_value(&report)?);
            if stop.requested() {
                fail(&mut all, INTERRUPTED, "interrupted: the medians are over fewer rounds");
            }
            print_document(&all)?;
        } else {
            print(report.to_string().trim_end())?;
        }
    }
    if stop.requested() {
        match readings[0].len() {
            0 => say("interrupted before the first round was complete; give --quick or --only for shorter rounds"),
            rounds => say(&format!("interrupted; the medians are over {}", count(rounds, "complete round"))),
        }
        return Ok(INTERRUPTED);
    }
    Ok(DONE)
}

/// What was asked for.
fn settings(args: &BenchArgs, threads: usize) -> Table {
    let only = args.only.iter().cloned().map(Value::String).collect();
    Table::from_iter([
        ("quick".to_owned(), Value::Boolean(args.quick)),
        ("only".to_owned(), Value::Array(only)),
        ("repeat".to_owned(), Value::Integer(args.repeat.into())),
        ("threads".to_owned(), Value::Integer(threads as i64)),
    ])
}

/// One measurement in this process; its reading goes to standard output.
fn measure_here(name: &str, threads: Option<u16>) -> Result<u8> {
    let no_task =
        || UsageError::Range { flag: TASK, given: name.into(), what: "no such task; unset this variable".into() };
    let task = BenchmarkTask::named(name).ok_or_else(no_task)?;
    let threads = if task.one_thread() { Some(1) } else { threads };
    let reading = with_threads(threads, || measure(task))??;
    print(&serde_json::to_string(&reading)?)?;
    Ok(DONE)
}

/// Every task once, each in a process of its own.
fn round(tasks: &[BenchmarkTask], threads: usize, bar: &Progress, stop: &Stop) -> Result<Ended<Vec<Reading>>> {
    let mut readings = Vec::new();
    for task in tasks {
        let task_name = task.name();
        let start = |source| Failure::Start { task: task_name, source };
        let mut command = Call::present().again().map_err(start)?;
        bar.set_message(task_name);
        command.args(["bench", "--threads", &threads.to_string()]).env(TASK, task.name());
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        if stop.requested() {
            return Ok(Ended::Stopped);
        }
        let output = output.map_err(start)?;
        if !output.status.success() {
            return Err(Failure::Measurement { task: task_name, status: output.status }.into());
        }
        let reading = serde_json::from_slice(&output.stdout);
        readings.push(reading.map_err(|source| Failure::Reading { task: task_name, source })?);
        bar.inc(1);
    }
    Ok(Ended::Done(readings))
}

/// The largest task must fit: they are measured one after the other.
fn check_memory(tasks: &[BenchmarkTask], limit: Option<ByteSize>) -> Result<()> {
    let Some(limit) = Budget::new(limit).limit() else { return Ok(()) };
    for task in tasks {
        let need = task.need()?;
        if need > limit.bytes {
            let advice = match task {
                BenchmarkTask::Case(_) => "exclude it with --only",
                BenchmarkTask::Probe(_) => "it measures the machine's limits",
            };
            return Err(limit.refuse(task.name(), need, Some(advice)).into());
        }
    }
    Ok(())
}
