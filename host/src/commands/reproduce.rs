//! `ntkscope reproduce`: a study, from its grid to its page.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use super::{DONE, FAILED, INTERRUPTED, print, stop_on_interrupt};
use crate::cli::{ReproduceArgs, StudyKind};
use crate::error::UsageError;
use crate::narrative::plain;
use crate::report::{Claim, Verdict};
use crate::studies::Study;
use crate::studies::divergence::Divergence;
use crate::studies::grid::{self, Job, Resources};
use crate::studies::lazy::Lazy;
use crate::studies::plan::Options;

/// Runs the study or the studies, and returns the exit code.
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
    let divergence = || -> Result<Box<dyn Study>> { Ok(Box::new(Divergence::new(options.clone())?)) };
    let lazy = || -> Result<Box<dyn Study>> { Ok(Box::new(Lazy::new(options.clone())?)) };
    let studies = match args.study {
        StudyKind::Divergence => vec![divergence()?],
        StudyKind::Lazy => vec![lazy()?],
        StudyKind::All => vec![divergence()?, lazy()?],
    };
    if args.dry_run {
        return studies.iter().try_fold(DONE, |_, study| dry_run(&study.jobs()));
    }
    let several = studies.len() > 1;
    let place = |study: &dyn Study| match &args.out {
        Some(out) if several => out.join(study.name()),
        Some(out) => out.clone(),
        None => PathBuf::from("studies").join(study.name()),
    };
    // every setting and every data set is looked at before the first run, and before anything is written
    let memory = args.common.memory.map(|m| m.as_u64());
    let at_a_time: Vec<usize> =
        studies.iter().map(|study| grid::at_a_time(&study.jobs(), memory)).collect::<Result<_>>()?;
    stop_on_interrupt();
    let (mut code, mut summaries) = (DONE, Vec::new());
    for (study, at_a_time) in studies.iter().zip(at_a_time) {
        let directory = place(study.as_ref());
        let Some(claims) = carry_out(&args, study.as_ref(), &directory, at_a_time)? else {
            eprintln!("interrupted; finished runs are kept, and the same command goes on from here");
            return Ok(INTERRUPTED);
        };
        if claims.iter().any(|claim| claim.verdict == Verdict::Fails) {
            code = FAILED;
        }
        say(&args, &directory, &claims)?;
        summaries.push(summary(&directory, &claims));
    }
    if args.common.json {
        let all = if several { json!({ "studies": summaries }) } else { summaries.remove(0) };
        print(&serde_json::to_string_pretty(&all)?)?;
    }
    Ok(code)
}

/// The claims of a finished study; `None` after Ctrl-C.
fn carry_out(
    args: &ReproduceArgs,
    study: &dyn Study,
    directory: &Path,
    at_a_time: usize,
) -> Result<Option<Vec<Claim>>> {
    let refuse = |e: std::io::Error| UsageError::Out { flag: "--out", path: directory.into(), what: e.to_string() };
    std::fs::create_dir_all(directory.join("runs")).map_err(refuse)?;
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let resources =
        Resources { threads: args.common.threads.map_or(available, usize::from), at_a_time, quiet: args.common.quiet };
    let jobs = study.jobs();
    if !args.common.quiet {
        eprintln!("{}: {} runs, in {}", study.name(), jobs.len(), directory.display());
    }
    if !grid::run(&jobs, directory, resources)? {
        return Ok(None);
    }
    study.write(directory).context("the report").map(Some)
}

fn dry_run(jobs: &[&dyn Job]) -> Result<u8> {
    for job in jobs {
        print(job.id())?;
    }
    Ok(DONE)
}

/// What a script reads.
fn summary(directory: &Path, claims: &[Claim]) -> serde_json::Value {
    let row = |c: &Claim| {
        json!({
            "claim": plain(&c.claim), "network": c.network, "loss": c.loss, "init": c.init, "measured": c.measured,
            "uncertainty": c.uncertainty, "theory": plain(&c.theory), "verdict": c.verdict.to_string(),
            "note": plain(&c.note),
        })
    };
    json!({ "directory": directory, "claims": claims.iter().map(row).collect::<Vec<_>>() })
}

/// What a person reads.
fn say(args: &ReproduceArgs, directory: &Path, claims: &[Claim]) -> Result<()> {
    if !args.common.json {
        let count = |verdict: Verdict| claims.iter().filter(|claim| claim.verdict == verdict).count();
        let [holds, fails, open] = Verdict::ALL.map(count);
        print(&format!("{holds} claims hold, {fails} fail, {open} are not reached"))?;
        for claim in claims.iter().filter(|claim| claim.verdict != Verdict::Holds) {
            let Claim { claim, network, loss, init, verdict, note, .. } = claim;
            print(&plain(&format!("{verdict}: {claim} ({network}, {loss}, {init}): {note}")))?;
        }
    }
    if !args.common.quiet {
        eprintln!("report: {}", directory.join("report.html").display());
    }
    Ok(())
}
