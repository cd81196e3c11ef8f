//! How often the judge of claims is wrong, and how often it decides: `cargo run --release -p ntkscope --example judge -- DIR`.
//!
//! Synthetic studies of one claim each: the true value lies at some distance from theory's, the values of the seeds scatter
//! about it, and what is allowed is -1 to 1. Printed are the shares of verdicts, of which *holds* is false beyond 1 and
//! *fails* within; drawn into DIR is the power, the share of right verdicts. Then whole studies of 30 claims at one level.

use std::error::Error;
use std::path::PathBuf;

use ntkscope::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use ntkscope::report::Verdict;
use ntkscope::study::judge::{Allowed, Estimate, FALSE_SHARE, Level, Measured};
use ntkscope_core::init::Normals;

/// Studies at every distance and number of seeds.
const STUDIES: usize = 10_000;
/// Standard deviation of one seed, in units of what is allowed.
const SCATTER: f64 = 0.5;
const SEEDS: [usize; 4] = [3, 5, 8, 20];
/// Claims of a whole study.
const CLAIMS: usize = 30;

fn measured(truth: f64, seeds: usize, normals: &mut Normals) -> Estimate {
    let values = (0..seeds).map(|_| truth + SCATTER * normals.draw()).collect();
    Measured::Values(values).estimate().expect("finite values")
}

/// Shares of the verdicts on one claim.
fn shares(truth: f64, seeds: usize, normals: &mut Normals) -> [f64; 3] {
    let allowed = Allowed::between(-1.0, 1.0);
    let mut counted = [0; 3];
    for _ in 0..STUDIES {
        let verdict = measured(truth, seeds, normals).verdict(allowed, FALSE_SHARE);
        let at = Verdict::ALL.iter().position(|other| *other == verdict);
        counted[at.expect("one of all verdicts")] += 1;
    }
    counted.map(|count| f64::from(count) / STUDIES as f64)
}

/// Share of the verdicts of whole studies that are false, and of the claims that are decided.
fn whole(seeds: usize, normals: &mut Normals) -> [f64; 2] {
    let (allowed, mut false_share, mut decided) = (Allowed::between(-1.0, 1.0), 0.0, 0.0);
    let studies = STUDIES / CLAIMS;
    for _ in 0..studies {
        // from the middle to twice what is allowed
        let truth = |claim: usize| 2.0 * claim as f64 / (CLAIMS - 1) as f64;
        let claims: Vec<(f64, Estimate)> =
            (0..CLAIMS).map(|claim| (truth(claim), measured(truth(claim), seeds, normals))).collect();
        let level = Level::of(claims.iter().map(|(_, estimate)| (Some(*estimate), allowed)));
        let wrong = |(truth, estimate): &&(f64, Estimate)| match estimate.verdict(allowed, level.side) {
            Verdict::Holds => *truth > 1.0,
            Verdict::Fails => *truth < 1.0,
            Verdict::NotDecided => false,
        };
        false_share += claims.iter().filter(wrong).count() as f64 / level.decided.max(1) as f64 / studies as f64;
        decided += level.decided as f64 / (CLAIMS * studies) as f64;
    }
    [false_share, decided]
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut normals = Normals::new(0);
    println!("true value  seeds   holds   fails  not decided");
    for truth in [0.0, 0.5, 0.9, 1.0, 1.1, 1.5, 2.0] {
        for seeds in SEEDS {
            let [holds, fails, open] = shares(truth, seeds, &mut normals);
            println!("{truth:>10} {seeds:>6} {holds:>7.4} {fails:>7.4} {open:>12.4}");
        }
    }
    println!(
        "whole studies of {CLAIMS} claims, true values from 0 to 2: false verdicts among those made, claims decided"
    );
    for seeds in SEEDS {
        let [wrong, decided] = whole(seeds, &mut normals);
        println!("{seeds:>6} seeds: {wrong:.4}, {decided:.3}");
    }
    let mut series = Vec::new();
    for seeds in SEEDS {
        let x: Vec<f64> = (0..=60).map(|i| f64::from(i) / 20.0).collect();
        let power = |truth: &f64| {
            let [holds, fails, _] = shares(*truth, seeds, &mut normals);
            if *truth <= 1.0 { holds } else { fails }
        };
        let y = x.iter().map(power).collect();
        series.push(Series::new(format!("{seeds} seeds"), (x, y), Mark::Line, Hue::at("seeds", seeds as f64)));
    }
    let figure = Figure {
        name: "judge-power".into(),
        title: "How often a claim is decided".into(),
        x: Axis::new("true distance from theory, in units of what is allowed", Scale::Linear),
        y: Axis::new("share of right verdicts", Scale::Linear),
        series,
        caption: format!(
            "Share of {STUDIES} synthetic studies with the right verdict, holds up to 1 and fails beyond; the seeds scatter with half of what is \
             allowed."
        ),
        ..Figure::default()
    };
    let place = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "judge".into()));
    figure.save(&place)?;
    println!("drawn: {}", place.join("judge-power.svg").display());
    Ok(())
}
