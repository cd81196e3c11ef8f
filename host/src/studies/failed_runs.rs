//! Of a run that failed, and of one that has not come to its end, nothing is concluded.

use std::path::Path;

use super::PAPERS;
use super::made_up::finished;
use crate::report::{ClaimRow, Verdict};
use crate::run::Stopped;
use crate::study::cell::{Cell, Finished};
use crate::study::claim::judge;
use crate::study::net::Regularization;
use crate::study::options::Options;

/// Runs with numbers that nobody could overlook, of which every one is marked as failed.
fn spoilt(mut run: Finished) -> Finished {
    for row in &mut run.trace.rows {
        (row.drift_max, row.drift_fro, row.margin_mean, row.loss) = (1e30, 1e30, 1e30, 1e30);
        (row.param_distance, row.lambda_min) = (1e30, -1e30);
    }
    for row in &mut run.predictions.rows {
        for measured in [&mut row.ntk, &mut row.linearized] {
            (measured.difference, measured.difference_held_out) = (1e30, 1e30);
        }
    }
    if let Some(limit) = &mut run.limit {
        (limit.bound, limit.linearized.agreement) = (1e-30, 0.0);
        limit.linearized.measured.difference = 1e30;
        limit.linearized.measured.difference_held_out = 1e30;
    }
    run.failure = Some("diverged".into());
    run
}

/// Claims and figures of runs of which one seed failed are those of the other seeds, and tell it.
#[test]
fn failed_runs_are_left_out_and_counted() {
    let mut plans = 0;
    for paper in PAPERS {
        for part in paper.choose(&[], &Options { full: true, ..Options::default() }) {
            let (fashion_dir, seeds) = (Some("fashion".into()), Some(4));
            let options = Options { full: true, parts: vec![part], fashion_dir, seeds, ..Options::default() };
            let plan = (part.plan)(part, &options);
            let last = |cell: &Cell| cell.seed == 3;
            if plan.cells().is_empty() {
                continue;
            }
            plans += 1;
            let whole: Vec<Finished> = plan.cells().iter().map(finished).collect();
            let others: Vec<Finished> = whole.iter().filter(|run| !last(&run.cell)).cloned().collect();
            let marked: Vec<Finished> =
                whole.into_iter().map(|run| if last(&run.cell) { spoilt(run) } else { run }).collect();
            let failed = marked.len() - others.len();
            let findings = |runs: &[Finished]| plan.findings(runs, Path::new("")).unwrap();
            let (expected, found) = (findings(&others), findings(&marked));
            assert_eq!(found.figures, expected.figures, "{}", part.name);
            let [found_rows, expected_rows] = [found.claims, expected.claims].map(|stated| judge(stated).0);
            assert_eq!(found_rows.len(), expected_rows.len());
            for (found, expected) in found_rows.into_iter().zip(expected_rows) {
                let told = found.note.rsplit_once("; excluded: ");
                // that of the analytic kernel is the same whichever run it is read from
                assert!(told.is_some() || found.claim.starts_with("A1"), "{found:?}");
                let note = told.map_or(found.note.clone(), |(note, _)| note.into());
                assert_eq!((ClaimRow { note, ..found }), expected);
            }
            assert!(found.sizes.contains(&format!("{failed} runs of {} failed", marked.len())), "{}", found.sizes);
            // of one seed of one width, the others tell
            let one: Vec<Finished> = plan.cells().iter().map(finished).collect();
            let (width, net) = (one[0].cell.width, one[0].cell.net);
            let bad = |cell: &Cell| last(cell) && cell.width == width && cell.net == net;
            let all = judge(findings(&one).claims).0;
            let one: Vec<Finished> =
                one.into_iter().map(|run| if bad(&run.cell) { spoilt(run) } else { run }).collect();
            for (found, all) in judge(findings(&one).claims).0.iter().zip(&all) {
                assert_eq!(found.measured.is_some(), all.measured.is_some(), "{found:?}");
            }
            // and of none, nothing is told
            let none: Vec<Finished> = plan.cells().iter().map(|cell| spoilt(finished(cell))).collect();
            for claim in judge(findings(&none).claims).0 {
                assert_eq!((claim.measured, claim.verdict), (None, Verdict::NotDecided), "{claim:?}");
            }
        }
    }
    assert!(plans >= 10, "{plans}");
}

/// What is checked where outputs have come to rest is not decided of runs that took all their steps before.
#[test]
fn what_is_said_of_the_end_is_said_of_complete_runs() {
    let paper = PAPERS.iter().find(|paper| paper.name == "lazy").unwrap();
    let options = Options { seeds: Some(3), ..Options::default() };
    let [part] =
        paper.choose(&[], &options).into_iter().filter(|part| part.name == "six-points").collect::<Vec<_>>()[..]
    else {
        panic!("one part of this name");
    };
    let plan = (part.plan)(part, &options);
    let rows = |stopped: Stopped| {
        let soft = |cell: &Cell| matches!(cell.regularization, Regularization::Smoothing(_));
        let ended = |mut run: Finished| {
            if soft(&run.cell) {
                run.stopped = stopped.to_string();
            }
            run
        };
        let runs: Vec<Finished> = plan.cells().iter().map(finished).map(ended).collect();
        judge(plan.findings(&runs, Path::new("")).unwrap().claims).0
    };
    let of_end = |row: &&ClaimRow| row.claim.ends_with("the drift converges") || row.claim.contains("are met at");
    let (complete, on_the_way) = (rows(Stopped::Time), rows(Stopped::Steps));
    assert_eq!(complete, rows(Stopped::Rest));
    let mut checks = 0;
    for (before, after) in complete.iter().zip(&on_the_way) {
        if before.claim.starts_with("B2") && of_end(&before) {
            checks += 1;
            assert!(before.measured.is_some(), "{before:?}");
            assert_eq!((after.measured, after.verdict), (None, Verdict::NotDecided));
            assert!(after.note.contains("no run reached its end within its steps"), "{}", after.note);
        } else {
            assert_eq!(before, after);
        }
    }
    assert!(checks >= 2, "{checks}");
}
