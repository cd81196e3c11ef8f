//! B1, B2: what keeps the kernel, and how it is lost.

use super::{Beside, SoftTargets, margin_of_targets};
use crate::analysis::statistics::{Curve, larger, line, smaller};
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Failing, Subject, Theory, UNEXPLAINED};
use crate::study::group::{DRIFT, Group, Run};
use crate::study::judge::Measured;
use crate::study::kernel_regime::in_width;
use crate::study::net::{CE, Regularization};

/// Runs that would never end: the control of "comes to rest".
pub(super) static WITHOUT: &[Claim<Beside>] = &[Claim {
    name: "B0 with neither, the drift does not converge",
    place: "the control of B1 and B2",
    kind: Kind::Claim,
    about: Beside::subject,
    // the width that comes nearest to rest: one that grows is not to speak for the others
    measure: |beside| beside.group.extremes(CE, smaller, growth_of),
    theory: |_| Some(Theory::at_least(REST).said("q ln 2/u at the end")),
    note: |_| "growth as in B1, at the width where it is least, above the threshold used there".into(),
    failing: UNEXPLAINED,
}];

pub(super) static WITH_A_PENALTY: &[Claim<Beside>] = &[
    comes_to_rest("B1 with a penalty the drift converges", "abstract: with a penalty the kernel stays at any time"),
    decays_with_width(
        "B1 with a penalty the largest drift decays with the width",
        "derived: movement is bounded at every width; A u/√m + B u^{2}/m, A = 0 without kinks",
    ),
];

pub(super) static WITH_SOFT_TARGETS: &[Claim<Beside>] = &[
    Claim {
        name: "B2 with soft targets the drift converges",
        place: "abstract; outputs are at their targets long before t = 10^{5}, so this is a check",
        kind: Kind::Check,
        about: Beside::subject,
        measure: |beside| largest_at_end(&beside.group, |run| growth_of(run).map(f64::abs)),
        theory: at_rest,
        note: |beside| {
            format!(
                "the largest of the runs that reached their end, {}; {}",
                complete_of(&beside.group),
                of_growth(beside)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "B2 soft targets are met at logit(1 − ε/2)",
        place: "definition of the soft targets: 1 − ε/2 of two classes",
        kind: Kind::Check,
        about: Beside::subject,
        measure: |beside| match beside.group.regularization {
            Regularization::Smoothing(eps) => largest_at_end(&beside.group, |run| {
                let last = run.last();
                let off = |margin: f64| (margin / margin_of_targets(eps) - 1.0).abs();
                Some(off(last.margin_min).max(off(last.margin_mean)))
            }),
            _ => Measured::Nothing("there are no soft targets".into()),
        },
        theory: |_| Some(Theory::at_most(0.01).said("0")),
        note: |beside| {
            format!(
                "smallest and mean margin at the end over ln((1 − ε/2)/(ε/2)), less 1, the largest of the runs that reached their end, {}",
                complete_of(&beside.group)
            )
        },
        failing: UNEXPLAINED,
    },
    decays_with_width(
        "B2 with soft targets the largest drift decays with the width",
        "derived: outputs end at logit(q) at every width; A u/√m + B u^{2}/m, A = 0 without kinks",
    ),
    Claim {
        name: "B2 same drift as plain cross-entropy at the targets' margin",
        place: "derived: the kernel follows the outputs",
        kind: Kind::Claim,
        about: |beside| {
            let failed = beside.group.failed() + beside.plain.as_ref().map_or(0, Group::failed);
            Subject { failed, ..beside.subject() }
        },
        measure: |beside| match (&beside.plain, beside.group.regularization) {
            (Some(plain), Regularization::Smoothing(eps)) => {
                let runs = beside.group.at_width(CE, plain.widest());
                let paired = runs.iter().filter(|run| !plain.has_failed(CE, run.width, run.seed));
                let ratio = |run: &Run| {
                    let other = plain.run(CE, run.width, run.seed)?;
                    Some(run.last().drift_max / other.at_margin(margin_of_targets(eps), DRIFT)?)
                };
                Measured::of(paired.map(ratio), "plain cross-entropy did not reach this margin")
            }
            _ => Measured::Nothing("there are no runs with plain cross-entropy to compare with".into()),
        },
        theory: |_| {
            let reason = "margins differ between samples along the way, but not at the targets";
            Some(Theory::number(1.0).within(0.3, reason))
        },
        note: |beside| {
            let margin = match beside.group.regularization {
                Regularization::Smoothing(eps) => margin_of_targets(eps),
                Regularization::Plain | Regularization::Penalty(_) => f64::NAN,
            };
            let width = beside.plain.as_ref().map_or(0, Group::widest);
            format!(
                "ratio of the final drift to that of plain cross-entropy from the same initialization at margin logit(1 − ε/2) = {}, width {width}",
                number(margin)
            )
        },
        failing: Failing {
            above: "with hard labels the mean margin arrives there while the hardest samples are behind, with soft ones these arrive too, \
                    and it is they that move the kernel most",
            ..UNEXPLAINED
        },
    },
];

pub(super) static WITH_LABELS_THAT_DISAGREE: &[Claim<Beside>] =
    &[comes_to_rest("B2 with conflicting labels the drift converges", "abstract: such labels are soft targets")];

/// All smoothings of a network together.
pub(super) static TO_HARD_TARGETS: &[Claim<SoftTargets>] = &[Claim {
    name: "B2 the lazy regime is lost as ε → 0",
    place: "derived: drift ~ u^{q} at u = logit(1 − ε/2), which grows without bound",
    kind: Kind::Claim,
    about: |soft| {
        let failed = soft.by_margin.iter().map(|(_, beside)| beside.group.failed()).sum();
        Subject { failed, ..soft.first().subject("cross-entropy, soft targets") }
    },
    measure: |soft| {
        let of_seed = |seed: u64| {
            let point = |(margin, beside): &(f64, Beside)| {
                Some((margin.ln(), beside.group.run(CE, soft.width, seed)?.last().drift_max.ln()))
            };
            let points: Option<Vec<_>> = soft.by_margin.iter().map(point).collect();
            Some(line(&points?)?.0)
        };
        let whole =
            |seed: &u64| soft.by_margin.iter().all(|(_, beside)| !beside.group.has_failed(CE, soft.width, *seed));
        Measured::of(soft.first().seeds().into_iter().filter(whole).map(of_seed), "a run is missing")
    },
    theory: |soft| {
        let net = soft.first().net;
        // in the kernel regime what kinks change is of the order u
        let (low, of) = match net.exponent() {
            late if net.activation.has_kink() && late > 1.0 => (1.0, "kinks"),
            late => (late, "late"),
        };
        let words = format!("{} ({of}) to 2 (kernel regime)", number(low));
        Some(
            Theory::between(low, 2.0)
                .said(words)
                .within(0.1, "finite margins; the alternative is a bounded drift, q = 0"),
        )
    },
    note: |soft| {
        format!(
            "exponent q of the final drift ~ u^{{q}} over u = logit(1 − ε/2), ε from the largest to the smallest, width {}",
            soft.width
        )
    },
    failing: UNEXPLAINED,
}];

/// What counts as rest: a third of what plain cross-entropy does over a doubling of time at t = 10^5.
const REST: f64 = 0.03;

/// The largest value of the runs that went on to their end: of others nothing is known of it.
fn largest_at_end(group: &Group, value: impl Fn(&Run) -> Option<f64>) -> Measured {
    let values: Option<Vec<f64>> = group.runs(CE).filter(Run::is_complete).map(|run| value(&run)).collect();
    let largest = values.and_then(|values| values.into_iter().reduce(larger));
    Measured::extreme(largest, "no run reached its end within its steps")
}

fn complete_of(group: &Group) -> String {
    format!("{} of {}", group.runs(CE).filter(Run::is_complete).count(), group.runs(CE).count())
}

/// ln of the growth of the drift over the last doubling of time, at the width where it is farthest from 0.
fn growth(group: &Group) -> Measured {
    group.farthest_from_0(CE, growth_of)
}

fn growth_of(run: &Run) -> Option<f64> {
    let last = run.last();
    let drift = Curve::new(run.rows().map(|row| (row.log_time, row.drift_max)));
    Some((last.drift_max / drift.at(last.log_time - 2.0f64.ln())?).ln())
}

fn at_rest(_: &Beside) -> Option<Theory> {
    let reason = "a third of the growth of plain cross-entropy at t = 10^{5}, q ln 2/u";
    Some(Theory::number(0.0).within(REST, reason))
}

fn of_growth(beside: &Beside) -> String {
    format!(
        "ln of the growth of the drift over the last doubling of time, at the width where it is farthest from 0, one value per seed; \
         largest drift at each width: {}",
        beside.group.by_width(CE, |run| Some(run.largest(DRIFT)))
    )
}

/// That the drift grows no more at the end of the run.
const fn comes_to_rest(name: &'static str, place: &'static str) -> Claim<Beside> {
    Claim {
        name,
        place,
        kind: Kind::Claim,
        about: Beside::subject,
        measure: |beside| growth(&beside.group),
        theory: at_rest,
        note: of_growth,
        failing: UNEXPLAINED,
    }
}

/// The exponent of the largest drift in the width m.
const fn decays_with_width(name: &'static str, place: &'static str) -> Claim<Beside> {
    Claim {
        name,
        place,
        kind: Kind::Claim,
        about: Beside::subject,
        measure: |beside| beside.group.exponents_in_width(CE, &beside.group.widths(), |run| Some(run.largest(DRIFT))),
        theory: |beside| Some(in_width(&beside.group.net).within(0.25, "the next order, (u/√m)^{3}, at small widths")),
        note: |beside| format!("slope of ln(largest drift) against ln m, widths {:?}", beside.group.widths()),
        failing: UNEXPLAINED,
    }
}
