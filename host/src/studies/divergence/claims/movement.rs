//! A2: outputs and parameters grow without bound under cross-entropy, and how fast.

use crate::analysis::statistics::{Curve, smaller};
use crate::experiment::Init;
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Failing, Theory, UNEXPLAINED};
use crate::study::group::{Column, Group, Run};
use crate::study::judge::Measured;
use crate::study::net::CE;

/// Mean margin at which movement is compared with the linearized network's: within the kernel regime.
const EARLY: f64 = 0.5;
const DISTANCE: Column = |row| row.param_distance;

/// Every group.
pub(super) static CLAIMS: &[Claim<Group>] = &[
    Claim {
        name: "A2 parameters keep moving while λ_{min}(K_{t}) stays positive",
        place: "Theorem 1, Corollary 1",
        kind: Kind::Check,
        about: Group::cross_entropy,
        measure: |group| match group.runs(CE).find(|run| run.smallest(|row| row.lambda_min) <= 0.0) {
            Some(run) => Measured::Nothing(format!(
                "λ_{{min}}(K_{{t}}) does not stay positive at width {}, seed {}",
                run.width, run.seed
            )),
            None => group.over_all(CE, smaller, |run| {
                Some(smaller(run.last_exponent(DISTANCE)?, run.smallest(|row| row.lambda_min)))
            }),
        },
        theory: |_| Some(Theory::above(0.0)),
        note: |group| {
            let lambda = group.runs(CE).map(|run| run.smallest(|row| row.lambda_min)).fold(f64::INFINITY, smaller);
            format!(
                "the smaller of the exponent p over the last doubling and of λ_{{min}} along the run, over all runs; smallest λ_{{min}} {}; any run \
                 that lowers its loss passes, so this is no evidence",
                number(lambda)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A2 exponent of the distance",
        place: "derived: 1 in the kernel regime, 1/M of a homogeneous network",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.at_widest(CE, |run| run.last_exponent(DISTANCE)),
        theory: |group| {
            let late = 1.0 / group.net.degree();
            let words = format!("{} (late) to 1 (kernel regime)", number(late));
            let reason = "finite margins; the alternatives are a distance that converges, p = 0, and one that outgrows its outputs";
            Some(Theory::between(late, 1.0).said(words).within(0.05, reason))
        },
        note: |group| {
            format!(
                "exponent p of |θ_{{t}} − θ_{{0}}| ~ u^{{p}} over the last doubling of the mean margin u, width {}; {}",
                group.widest(),
                reached(group)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A2 distance from initialization as predicted by the kernel",
        place: "derived: |θ_{t} − θ_{0}|^{2} = f_{t}^{T} K_{0}^{−1} f_{t} of the linearized network",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| {
            group.at_widest(CE, |run| {
                let rows = &run.finished.predictions.rows;
                let of_kernel = rows.iter().map(|r| (r.linearized.margin_mean.ln(), r.linearized.distance.ln()));
                Some(run.at_margin(EARLY, DISTANCE)? / Curve::new(of_kernel).at(EARLY.ln())?.exp())
            })
        },
        theory: |_| Some(Theory::number(1.0).within(0.1, "the drift up to there")),
        note: |group| {
            format!(
                "|θ_{{t}} − θ_{{0}}| of the network relative to its linearization at mean margin {}, width {}",
                number(EARLY),
                group.widest()
            )
        },
        failing: UNEXPLAINED,
    },
    in_the_kernels_time::<1>("A2 time to margin 1/2 as predicted by the linearized network"),
    in_the_kernels_time::<2>("A2 time to margin 1 as predicted by the linearized network"),
    in_the_kernels_time::<4>("A2 time to margin 2 as predicted by the linearized network"),
    in_the_kernels_time::<8>("A2 time to margin 4 as predicted by the linearized network"),
];

/// Where the labels are an eigenvector of the kernel, and the mean network starts from 0.
pub(super) static WITH_CLOSED_FORMS: &[Claim<Group>] = &[Claim {
    name: "A2 time to margin 1 in closed form",
    place: "derived: u + e^{u} − 1 = λ_{s} t/n",
    kind: Kind::Claim,
    about: Group::cross_entropy,
    measure: |group| group.at_widest(CE, |run| behind_closed_form(run, 1.0)),
    theory: |group| {
        let reason = "the spread of λ_{min}(K_{0}) at this width";
        (group.init == Init::Mirrored).then(|| Theory::number(0.0).within(0.15, reason))
    },
    note: |group| {
        format!(
            "ln of the time to mean margin 1 over (u + e^{{u}} − 1) n/λ_{{s}}, λ_{{s}} of the analytic NTK, width {}",
            group.widest()
        )
    },
    failing: OFF_TIME,
}];

/// ln of the network's time to a mean margin over its linearization's.
pub fn lag(run: &Run, margin: f64) -> Option<f64> {
    let [here, there] = [run.passes_margin(margin)?, run.kernel_passes_margin(margin, |row| &row.linearized)?];
    Some((here.exp_m1() / there.exp_m1()).ln())
}

/// That at a mean margin in halves.
const fn in_the_kernels_time<const HALVES: u32>(name: &'static str) -> Claim<Group> {
    Claim {
        name,
        place: "derived: df/dt = −K_{0} (p − y)/n",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.at_widest(CE, |run| lag(run, 0.5 * f64::from(HALVES))),
        theory: |_| {
            let reason = "a kernel that has grown by a tenth by then is faster by as much";
            Some(Theory::number(0.0).within(0.1, reason))
        },
        note: |_| {
            format!(
                "ln of the ratio of the times to mean margin {}, network over its linearization at θ_{{0}}, largest width",
                number(0.5 * f64::from(HALVES))
            )
        },
        failing: OFF_TIME,
    }
}

fn behind_closed_form(run: &Run, u: f64) -> Option<f64> {
    let time = (u + u.exp_m1()) * run.finished.samples as f64 / run.finished.analytic_lambda_min;
    Some((run.passes_margin(u)?.exp_m1() / time).ln())
}

/// Neither need be small: with a smooth activation the same network on the six points keeps the time to 1 %, and on digits one gains a
/// fifth by margin 4.
const OFF_TIME: Failing = Failing {
    above: "kinks have taken from the kernel, so that a ReLU network lags behind its linearization at widths where a smooth one does not \
            (part lag)",
    below: "the kernel has grown along the labels",
};

/// How far the runs went.
pub fn reached(group: &Group) -> String {
    let furthest = group.runs(CE).map(|run| run.last().log_time).fold(f64::INFINITY, smaller);
    let margin = group.runs(CE).map(|run| run.last().margin_mean).fold(f64::INFINITY, smaller);
    let exponent = number(crate::report::decimal_exponent(furthest).floor());
    format!("every run reached mean margin {}, t = 10^{{{exponent}}}", number(margin))
}
