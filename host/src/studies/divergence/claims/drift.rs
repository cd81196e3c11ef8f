//! A3: the kernel leaves its start under cross-entropy, and stays under squared error.

use crate::analysis::statistics::{Curve, larger, smaller};
use crate::report::{Kind, number, rounded};
use crate::study::claim::{Claim, Failing, Theory, UNEXPLAINED};
use crate::study::group::{DRIFT, Group, Run};
use crate::study::judge::Measured;
use crate::study::net::{CE, MSE};

use super::movement::reached;

/// Mean loss below which squared error counts as fitted.
const FITTED: f64 = 1e-4;
/// The share of that below which there is something to compare with it.
const FAR_BELOW: f64 = 1e-2;

/// Every group of cross-entropy.
pub static AWAY: &[Claim<Group>] = &[
    leaves_by::<true>("A3 the kernel leaves the NTK by λ_{0}/n", "Theorem 2, with the constant that its proof gives"),
    Claim {
        name: "A3 drift keeps growing under cross-entropy",
        place: "derived: 2 in the kernel regime, 2 − 2/M of a homogeneous network",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.at_widest(CE, |run| run.last_exponent(DRIFT)),
        theory: between_the_regimes,
        note: |group| {
            let smallest = group.runs(CE).filter_map(|run| run.last_exponent(DRIFT)).fold(f64::INFINITY, smaller);
            format!(
                "exponent q of max|K_{{t}} − K_{{0}}| ~ u^{{q}} over the last doubling of the mean margin, width {}; smallest over all runs {}; {}",
                group.widest(),
                number(smallest),
                reached(group)
            )
        },
        failing: Failing {
            below: "between the two regimes the local exponent dips below its limit and recovers only at margins of several hundred",
            ..UNEXPLAINED
        },
    },
];

/// The exponent q of drift ~ u^q, from the kernel regime to late training.
pub fn between_the_regimes(group: &Group) -> Option<Theory> {
    let late = group.net.exponent();
    let words = format!("{} = {} (late) to 2 (kernel regime)", group.net.exponent_formula(), number(late));
    let reason = "finite margins; the alternative is a drift that saturates, q = 0";
    Some(Theory::between(late, 2.0).said(words).within(0.1, reason))
}

/// What theory has no scatter for: any network passes a constant of Theorem 2, of its proof, lambda_0/n, or its own,
/// lambda_0/(2 n^2).
pub const fn leaves_by<const OF_THE_PROOF: bool>(name: &'static str, place: &'static str) -> Claim<Group> {
    Claim {
        name,
        place,
        kind: Kind::Check,
        about: Group::cross_entropy,
        measure: |group| {
            group.over_all(CE, smaller, |run| Some(run.last().error_highest / constant::<OF_THE_PROOF>(run)))
        },
        theory: |_| Some(Theory::at_least(1.0)),
        note: |group| {
            let times: Vec<f64> =
                group.runs(CE).filter_map(|run| passing(&run, constant::<OF_THE_PROOF>(&run))).collect();
            let all = group.runs(CE).count();
            let (at_once, later): (Vec<f64>, Vec<f64>) = times.into_iter().partition(|t| *t == 0.0);
            let later = match (later.iter().copied().reduce(smaller), later.iter().copied().reduce(larger)) {
                (Some(first), Some(last)) => {
                    format!("; {} do later, at t from {} to {}", later.len(), rounded(first, None), rounded(last, None))
                }
                _ => String::new(),
            };
            let words = if OF_THE_PROOF { "λ_{min}(Θ)/n" } else { "λ_{min}(Θ)/(2n^{2})" };
            let no_evidence = if at_once.len() == all { ", as random networks do, so this is no evidence" } else { "" };
            format!(
                "sup_{{t}} max|K_{{t}} − Θ| over {words}, smallest over all runs; {} of {all} runs exceed it at t = 0 already{no_evidence}{later}",
                at_once.len()
            )
        },
        failing: UNEXPLAINED,
    }
}

/// The time of the first snapshot at which max|K_t - Theta| is no less than a constant.
fn passing(run: &Run, constant: f64) -> Option<f64> {
    run.rows().find(|row| row.error_max >= constant).map(|row| row.log_time.exp_m1())
}

fn constant<const OF_THE_PROOF: bool>(run: &Run) -> f64 {
    let n = run.finished.samples as f64;
    run.finished.analytic_lambda_min / if OF_THE_PROOF { n } else { 2.0 * n * n }
}

/// Every group of both losses.
pub(super) static CONTRAST: &[Claim<Group>] = &[
    Claim {
        name: "A3 drift saturates under squared error, widest networks",
        place: "the contrast: no divergence in regression",
        kind: Kind::Claim,
        about: Group::squared_error,
        measure: |group| after_the_fit(group, group.widest()),
        theory: at_rest,
        note: |group| of_rest(group.widest()),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A3 drift saturates under squared error, narrowest networks",
        place: "control: the other end of the widths",
        kind: Kind::Claim,
        about: Group::squared_error,
        measure: |group| after_the_fit(group, narrowest(group)),
        theory: at_rest,
        note: |group| of_rest(narrowest(group)),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A3 larger drift under cross-entropy than under squared error",
        place: "the contrast: no divergence in regression",
        kind: Kind::Check,
        about: Group::both_losses,
        measure: |group| {
            group.over_all(CE, smaller, |run| {
                let other = group.run(MSE, run.width, run.seed)?;
                Some(run.largest(DRIFT) / other.largest(DRIFT))
            })
        },
        theory: |_| Some(Theory::at_least(1.0).said("→ ∞ with t")),
        note: |_| {
            "ratio of the largest drifts from the same initialization, smallest over all runs; it grows with the training time under \
             cross-entropy, so this is no evidence"
                .into()
        },
        failing: UNEXPLAINED,
    },
];

fn narrowest(group: &Group) -> usize {
    group.widths().first().copied().unwrap_or(0)
}

/// ln of the final drift over that where the loss is small, one number a seed.
fn after_the_fit(group: &Group, width: usize) -> Measured {
    let fitted = group.at_width(MSE, width).iter().map(|run| run.last().loss).fold(0.0, larger);
    if fitted >= FAR_BELOW * FITTED {
        let [fitted, asked] = [fitted, FAR_BELOW * FITTED].map(number);
        return Measured::Nothing(format!("the loss fell only to {fitted} in a run, not to {asked}"));
    }
    let growth = |run: &Run| {
        let drift = Curve::new(run.rows().map(|row| (-row.loss.ln(), row.drift_max)));
        Some((run.last().drift_max / drift.at(-FITTED.ln())?).ln())
    };
    Measured::of(group.at_width(MSE, width).iter().map(growth), "there is no run")
}

fn at_rest(_: &Group) -> Option<Theory> {
    let reason = "the outputs still move by 1 % of their size; under cross-entropy the drift keeps growing";
    Some(Theory::number(0.0).within(0.1, reason))
}

fn of_rest(width: usize) -> String {
    format!("ln of the ratio of the final drift to the drift at mean loss {}, width {width}", number(FITTED))
}
