//! Theorems 1 and 2 and Corollary 1 in the terms in which they are stated.

use super::beside::{At, error, last_exponent};
use crate::analysis::statistics::{Curve, smaller};
use crate::report::{Kind, number, thousandths};
use crate::studies::divergence::claims::{leaves_by, reached};
use crate::study::claim::{Claim, Theory, UNEXPLAINED};
use crate::study::group::{Group, Run};
use crate::study::judge::Measured;
use crate::study::net::CE;

/// Share of lambda_0 that counts as a positive constant: far above rounding, far below what K_0 has.
const CONSTANT: f64 = 0.1;

/// Every group.
pub(super) static ALONG_TRAINING: &[Claim<Group>] = &[
    Claim {
        name: "A2 λ_{min}(K_{t}) stays above a positive constant",
        place: "the hypothesis of Theorem 1",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.extremes(CE, smaller, |run| Some(least(run))),
        theory: |_| Some(Theory::at_least(CONSTANT).said(format!("≥ {CONSTANT}: some constant > 0"))),
        note: |group| {
            format!(
                "infimum over the run of λ_{{min}}(K_{{t}}) over λ_{{0}} of the NTK, smallest over widths of each seed; mean by width: {}; smallest of \
                 all {}; {}",
                group.by_width(CE, |run| Some(least(run))),
                of_all(group, |run| Some(least(run))),
                reached(group)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A2 λ_{min}(K_{t}) does not decay",
        place: "the hypothesis of Theorem 1, beyond the end of the runs",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        // a logarithm would leave out what is not positive
        measure: |group| match group.runs(CE).find(|run| least(run).is_nan() || least(run) <= 0.0) {
            Some(run) => {
                Measured::Nothing(format!("it is not positive throughout at width {}, seed {}", run.width, run.seed))
            }
            None => group.extremes(CE, smaller, |run| run.last_exponent(|row| row.lambda_min)),
        },
        theory: |_| Some(Theory::at_least(0.0)),
        note: |group| {
            format!(
                "exponent p of λ_{{min}}(K_{{t}}) ~ u^{{p}} over the last doubling of the mean margin u, smallest over widths of each seed; mean by \
                 width: {}",
                group.by_width(CE, |run| run.last_exponent(|row| row.lambda_min))
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A2 every sample ends on the right side",
        place: "Theorem 1, Lemma 8",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.extremes(CE, smaller, smallest_margin),
        theory: |_| Some(Theory::above(0.0)),
        note: |group| {
            format!(
                "smallest margin over the mean margin at the end, smallest over widths of each seed; mean by width: {}; smallest of all {}",
                group.by_width(CE, smallest_margin),
                of_all(group, smallest_margin)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A2 the smallest margin keeps growing",
        place: "Theorem 1: |f_{t}(x_{i})| → ∞ for all i",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.extremes(CE, smaller, growth_of_the_smallest),
        theory: |_| Some(Theory::above(0.0).said("> 0; 1 where all grow alike")),
        note: |group| {
            format!(
                "growth of the smallest margin over that of the mean margin, over the last doubling of the latter, smallest over widths of \
                 each seed; mean by width: {}; smallest of all {}",
                group.by_width(CE, growth_of_the_smallest),
                of_all(group, growth_of_the_smallest)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A2 the largest movement of a parameter keeps growing",
        place: "Corollary 1: limsup_{t} of the max norm of θ_{t} − θ_{0} is infinite",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.extremes(CE, smaller, |run| run.last_exponent(|row| row.param_max)),
        theory: |_| Some(Theory::above(0.0).said(ENDED)),
        note: |group| {
            format!(
                "exponent p of max_{{i}} |θ_{{ti}} − θ_{{0i}}| ~ u^{{p}} over the last doubling of the mean margin u, smallest over widths of each \
                 seed; mean by width: {}; of the Euclidean norm: {}; the max norm itself at the end: {}",
                group.by_width(CE, |run| run.last_exponent(|row| row.param_max)),
                group.by_width(CE, |run| run.last_exponent(|row| row.param_distance)),
                group.by_width(CE, |run| Some(run.last().param_max))
            )
        },
        failing: UNEXPLAINED,
    },
    leaves_by::<false>("A3 the kernel leaves the NTK by λ_{0}/(2n^{2})", "Theorem 2"),
    Claim {
        name: "A3 max|K_{t} − Θ| keeps growing",
        place: "Theorem 2; derived: it outgrows every constant",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.extremes(CE, smaller, |run| run.last_exponent(|row| row.error_max)),
        theory: |_| Some(Theory::above(0.0).said(ENDED)),
        note: |group| {
            let times = |run: &Run| Some(run.last().error_max / run.rows().next()?.error_max);
            format!(
                "exponent q of max|K_{{t}} − Θ| ~ u^{{q}} over the last doubling of the mean margin u, smallest over widths of each seed; mean by \
                 width: {}; how many times that at t = 0: {}",
                group.by_width(CE, |run| run.last_exponent(|row| row.error_max)),
                group.by_width(CE, times)
            )
        },
        failing: UNEXPLAINED,
    },
];

/// The alternative that a growth excludes. One that ends beyond the last margin no finite run can exclude.
const ENDED: &str = "> 0; 0 if it had ended before the last doubling";

/// Every group of which a width has kept profiles.
pub(super) static BESIDE: &[Claim<Group>] = &[Claim {
    name: "A3 the kernel leaves its start between the training points too",
    place: "Theorem 2 speaks of the domain, its proof of the training points",
    kind: Kind::Claim,
    about: Group::cross_entropy,
    measure: |group| {
        let runs: Vec<Run> = group.runs(CE).filter(profiled).collect();
        Measured::of(runs.iter().map(|run| last_exponent(run, At::Between)), "no run has kept a profile")
    },
    theory: |_| Some(Theory::above(0.0).said(ENDED)),
    note: |group| {
        let mean = |value: &dyn Fn(&Run) -> Option<f64>| {
            let values: Option<Vec<f64>> = group.runs(CE).filter(profiled).map(|run| value(&run)).collect();
            let values = values.filter(|values| !values.is_empty()).unwrap_or_else(|| vec![f64::NAN]);
            number(values.iter().sum::<f64>() / values.len() as f64)
        };
        let bound = |run: &Run| run.finished.analytic_lambda_min / run.finished.samples as f64;
        format!(
            "exponent of the largest |K_{{t}}(x_{{0}}, x) − K_{{0}}(x_{{0}}, x)|, x half-way between neighbouring training points, over the last \
             doubling of the mean margin, width {}; mean of the same at the training points: {}; largest |K_{{t}}(x_{{0}}, x) − Θ(x_{{0}}, x)| over \
             λ_{{0}}/n there: {} at t = 0, {} at any time",
            group.runs(CE).find(profiled).map_or(0, |run| run.width),
            mean(&|run| last_exponent(run, At::Training)),
            mean(&|run| Some(error(run, At::Between)?[0] / bound(run))),
            mean(&|run| Some(error(run, At::Between)?[1] / bound(run)))
        )
    },
    failing: UNEXPLAINED,
}];

fn profiled(run: &Run) -> bool {
    !run.finished.profile.rows.is_empty()
}

/// The smallest over all runs, for a note: an interval of the mean over seeds does not speak of every network.
fn of_all(group: &Group, value: fn(&Run) -> Option<f64>) -> String {
    group.over_all(CE, smaller, value).estimate().map_or("unknown".into(), |smallest| thousandths(smallest.value))
}

/// Smallest over mean margin at the end.
fn smallest_margin(run: &Run) -> Option<f64> {
    Some(run.last().margin_min / run.last().margin_mean)
}

/// Infimum over the run of lambda_min(K_t), over lambda_0.
fn least(run: &Run) -> f64 {
    run.smallest(|row| row.lambda_min) / run.finished.analytic_lambda_min
}

/// How much the smallest margin has grown for every unit of the mean margin, over the last doubling of that.
fn growth_of_the_smallest(run: &Run) -> Option<f64> {
    let end = run.last();
    // linear in the margin: a logarithm would leave out one of the wrong sign
    let smallest = Curve::new(run.rows().map(|row| (row.margin_mean, row.margin_min)));
    let half = 0.5 * end.margin_mean;
    (end.margin_mean >= 2.0).then_some(())?;
    Some((end.margin_min - smallest.at(half)?) / (end.margin_mean - half))
}
