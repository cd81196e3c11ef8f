//! `ntkscope reproduce`: a study, from its grid to its page.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;

use super::{DONE, FAILED, INTERRUPTED, print, stop_on_interrupt};
use crate::cli::{ReproduceArgs, StudyKind};
use crate::error::UsageError;
use crate::report::{Claim, Verdict};
use crate::studies::Study;
use crate::studies::divergence::Divergence;
use crate::studies::grid::{self, Job, Resources};
use crate::studies::lazy::Lazy;
use crate::studies::plan::Options;

/// Runs the study, and returns the exit code.
pub fn reproduce(args: ReproduceArgs) -> Result<u8> {
    let options = Options {
        full: args.full,
        only: args.only.clone(),
        networks: args.network.clone(),
        widths: args.widths.clone(),
        seeds: args.seeds,
        n: args.n,
        data_dir: args.data_dir.clone(),
    };
    let study: Box<dyn Study> = match args.study {
        StudyKind::Divergence => Box::new(Divergence::new(options)?),
        StudyKind::Lazy => Box::new(Lazy::new(options)?),
    };
    if args.dry_run {
        return dry_run(&study.jobs());
    }
    let directory = args.out.clone().unwrap_or_else(|| PathBuf::from("studies").join(study.name()));
    // every setting and every data set is looked at before the first run, and before anything is written
    let at_a_time = grid::at_a_time(&study.jobs(), args.common.memory.map(|m| m.as_u64()))?;
    let refuse = |e: std::io::Error| UsageError::Out { flag: "--out", path: directory.clone(), what: e.to_string() };
    std::fs::create_dir_all(directory.join("runs")).map_err(refuse)?;
    stop_on_interrupt();
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let resources =
        Resources { threads: args.common.threads.map_or(available, usize::from), at_a_time, quiet: args.common.quiet };
    let jobs = study.jobs();
    if !args.common.quiet {
        eprintln!("{} runs, in {}", jobs.len(), directory.display());
    }
    if !grid::run(&jobs, &directory, resources)? {
        eprintln!("interrupted; finished runs are kept, and the same command goes on from here");
        return Ok(INTERRUPTED);
    }
    let claims = study.write(&directory).context("the report")?;
    say(&args, &directory, &claims)?;
    Ok(if claims.iter().any(|claim| claim.verdict == Verdict::Fails) { FAILED } else { DONE })
}

fn dry_run(jobs: &[&dyn Job]) -> Result<u8> {
    for job in jobs {
        print(job.id())?;
    }
    Ok(DONE)
}

fn say(args: &ReproduceArgs, directory: &std::path::Path, claims: &[Claim]) -> Result<()> {
    let count = |verdict: Verdict| claims.iter().filter(|claim| claim.verdict == verdict).count();
    if args.common.json {
        let rows: Vec<_> = claims
            .iter()
            .map(|c| {
                json!({
                    "claim": c.claim, "network": c.network, "loss": c.loss, "init": c.init, "measured": c.measured,
                    "uncertainty": c.uncertainty, "theory": c.theory, "verdict": c.verdict.to_string(), "note": c.note,
                })
            })
            .collect();
        let summary = json!({ "directory": directory, "claims": rows });
        print(&serde_json::to_string_pretty(&summary)?)?;
    } else {
        let [holds, fails, open] = Verdict::ALL.map(count);
        print(&format!("{holds} claims hold, {fails} fail, {open} are not reached"))?;
        for claim in claims.iter().filter(|claim| claim.verdict != Verdict::Holds) {
            print(&crate::narrative::plain(&format!(
                "{}: {} ({}, {}, {}): {}",
                claim.verdict, claim.claim, claim.network, claim.loss, claim.init, claim.note
            )))?;
        }
    }
    if !args.common.quiet {
        eprintln!("report: {}", directory.join("report.html").display());
    }
    Ok(())
}
