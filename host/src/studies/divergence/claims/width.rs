//! How the drift falls with the width, and how long the kernel stays.

use crate::analysis::statistics::{Estimate, line};
use crate::experiment::LossKind;
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Theory, UNEXPLAINED};
use crate::study::group::{Column, DRIFT, Group, Run};
use crate::study::judge::Measured;
use crate::study::kernel_regime::{OF_SLOPES, in_width};
use crate::study::net::{CE, MSE};

/// Mean margin at which widths are compared: the kernel regime's end at the narrow ones.
pub const MARGIN: f64 = 2.0;
/// Relative drift whose time is asked for.
pub const SHARE: f64 = 0.1;
/// Mean margin after which time grows exponentially with the margin.
const LATE: f64 = 0.5;
/// Relative drift up to which A u/√m + B u²/m is the law: beyond, terms of the next order are as large as the difference from it.
const SMALL: f64 = 0.3;

/// Where exponents in the width are from.
const IN_WIDTH: &str = "derived: A u/√m + B u^{2}/m in the kernel regime, A = 0 without kinks";
/// All widths are there to show what choosing some of them does.
const OF_CONTROL: &str = "that of the claim for small drifts, of which this is the control";

/// Every group.
pub(super) static CLAIMS: &[Claim<Group>] = &[
    Claim {
        name: "A3 decay of the drift with width, small drifts",
        place: IN_WIDTH,
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.exponents_in_width(CE, &small_widths(group, CE), |run| run.at_margin(MARGIN, DRIFT)),
        theory: |group| Some(in_width(&group.net).within(0.25, OF_SLOPES)),
        note: |group| at_margin(&small_widths(group, CE), "those with less than 30 % relative drift there"),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A3 decay of the drift with width, all widths",
        place: "control: without choosing the widths",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.exponents_in_width(CE, &group.widths(), |run| run.at_margin(MARGIN, DRIFT)),
        theory: |group| control(group, CE),
        note: |group| at_margin(&group.widths(), "all"),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A3 decay of the largest drift with width, small drifts",
        place: IN_WIDTH,
        kind: Kind::Claim,
        about: Group::squared_error,
        measure: |group| group.exponents_in_width(MSE, &small_widths(group, MSE), |run| Some(run.largest(DRIFT))),
        theory: |group| Some(in_width(&group.net).within(0.25, OF_SLOPES)),
        note: |group| largest(&small_widths(group, MSE), "those with less than 30 % relative drift"),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A3 decay of the largest drift with width, all widths",
        place: "control: without choosing the widths",
        kind: Kind::Claim,
        about: Group::squared_error,
        measure: |group| group.exponents_in_width(MSE, &group.widths(), |run| Some(run.largest(DRIFT))),
        theory: |group| control(group, MSE),
        note: |group| largest(&group.widths(), "all"),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A3 margin at 10 % drift",
        place: "derived: drift is a function of u/√m in the kernel regime",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| {
            let margin = |run: &Run| run.passes_drift(SHARE).map(|passage| passage.margin);
            group.exponents_in_width(CE, &late_widths(group), margin)
        },
        theory: |_| {
            let reason = "outputs at the start that are not 0, and terms that are no function of u/√m";
            Some(Theory::number(0.5).said("1/2").within(0.15, reason))
        },
        note: |group| format!("exponent a of u ~ m^{{a}}, u the mean margin at 10 % drift, {}", of_late(group)),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A3 time to 10 % drift grows like exp(c √m) rather than like a power of m",
        place: "derived: t ~ e^{u} and u ~ √m at a given drift",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| match &late_widths(group)[..] {
            [] | [_] | [_, _] => Measured::Nothing("fewer than three widths, two to fit and one to compare".into()),
            widths => {
                group.over_widths(CE, widths, time, |points| Some(miss(points, f64::ln)? - miss(points, f64::sqrt)?))
            }
        },
        theory: |_| Some(Theory::above(0.0)),
        note: |group| {
            let law = |of: fn(f64) -> f64, name: &str| {
                let miss = group.over_widths(CE, &late_widths(group), time, |points| miss(points, of));
                let mean = miss.estimate().map_or("unknown".into(), |miss| number(miss.value));
                format!("{name} is off by {mean}")
            };
            format!(
                "both laws fitted to all widths but the largest, {}; error in ln t at the largest width, power law less exponential: {}, {}; t(m): {}",
                of_late(group),
                law(f64::sqrt, "exp(c √m)"),
                law(f64::ln, "the power law"),
                group.by_width(CE, |run| Some(run.passes_drift(SHARE)?.log_time.exp_m1()))
            )
        },
        failing: UNEXPLAINED,
    },
];

/// What theory says at all widths: nothing where all are small, and the control would be the claim again.
fn control(group: &Group, loss: LossKind) -> Option<Theory> {
    (small_widths(group, loss) != group.widths()).then(|| in_width(&group.net).within(0.25, OF_CONTROL))
}

/// Width and ln t of 10 % drift.
fn time(run: &Run) -> Option<(f64, f64)> {
    Some((run.width as f64, run.passes_drift(SHARE)?.log_time))
}

/// By how much the last ordinate is missed by the line through the others, over some function of the abscissae.
fn miss(points: &[(f64, f64)], of: fn(f64) -> f64) -> Option<f64> {
    let (last, others) = points.split_last()?;
    let (slope, intercept) = line(&others.iter().map(|(m, y)| (of(*m), *y)).collect::<Vec<_>>())?;
    Some((slope * of(last.0) + intercept - last.1).abs())
}

fn at_margin(widths: &[usize], which: &str) -> String {
    let margin = number(MARGIN);
    format!("slope of ln(drift at mean margin {margin}) against ln m over widths {widths:?}, {which}")
}

/// The words for the exponent of the largest drift in the width.
pub fn largest(widths: &[usize], which: &str) -> String {
    format!("slope of ln(largest drift) against ln m over widths {widths:?}, {which}")
}

fn of_late(group: &Group) -> String {
    format!("widths {:?}, those that reach it after mean margin {LATE}", late_widths(group))
}

/// Widths of small relative drift, at the margin of comparison or, under losses that come to rest, ever.
pub fn small_widths(group: &Group, loss: LossKind) -> Vec<usize> {
    let column: Column = |row| row.drift_fro;
    let relative = |run: &Run| if loss.has_tail() { run.at_margin(MARGIN, column) } else { Some(run.largest(column)) };
    let small = |width: &usize| group.mean_at(loss, *width, relative).is_some_and(|share| share.value < SMALL);
    group.widths().into_iter().filter(small).collect()
}

/// Widths at which every seed passes the share of drift when time already grows exponentially with the margin.
pub fn late_widths(group: &Group) -> Vec<usize> {
    let late = |run: &Run| run.passes_drift(SHARE).is_some_and(|passage| passage.margin > LATE);
    group.widths().into_iter().filter(|width| group.at_width(CE, *width).iter().all(late)).collect()
}

/// c in t(m) ~ exp(c √m), t(m) the time at which a network of one of these widths passes the share of drift.
pub fn time_of_drift(group: &Group, widths: &[usize]) -> Option<Estimate> {
    let slopes = group.slopes(CE, widths, |run| Some(((run.width as f64).sqrt(), run.passes_drift(SHARE)?.log_time)));
    Estimate::from_values(slopes.values())
}
