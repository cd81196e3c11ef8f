//! B3: where training ends.

use super::Beside;
use crate::analysis::statistics::larger;
use crate::report::{Kind, number};
use crate::run::Measured as Ended;
use crate::study::claim::{Claim, Failing, Theory, UNEXPLAINED};
use crate::study::group::Run;
use crate::study::judge::Measured;
use crate::study::kernel_regime::in_width;
use crate::study::net::CE;

const NOT_YET_LAZY: &str = "outputs grow so far before training ends that the kernel moves with them: networks of this width are not yet \
                            lazy under this regularization";

pub(super) static WITH_A_PENALTY: &[Claim<Beside>] = &[
    Claim {
        name: "B3 distance to the closed-form solution decays with width",
        place: "abstract: the closed form of the limit; derived: the rate is that of the drift",
        kind: Kind::Claim,
        about: Beside::subject,
        measure: |beside| nearing(beside, on_training_samples),
        theory: like_the_drift,
        note: |beside| of_nearing(beside, "training", on_training_samples),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "B3 training ends at the closed-form solution",
        place: "f* = f_{0} − K_{0} (p(f*) − y)/(n Λ)",
        kind: Kind::Claim,
        about: Beside::subject,
        measure: |beside| {
            beside.group.at_widest(CE, |run| {
                Some(on_training_samples(&run.finished.limit?.linearized.measured) / run.last().logit_max)
            })
        },
        theory: |_| {
            let reason = "the drift of the kernel at this width; a wrong penalty or kernel is off by more";
            Some(Theory::number(0.0).within(0.15, reason))
        },
        note: |beside| {
            format!(
                "max |f_{{T}} − f*[K_{{0}}]| over the training samples, relative to max |f_{{T}}|, width {}",
                beside.group.widest()
            )
        },
        failing: Failing { above: NOT_YET_LAZY, ..UNEXPLAINED },
    },
    Claim {
        name: "B3 distance to the linearized network on the way decays with width",
        place: "derived: df/dt = −K_{0} (p(f) − y)/n − Λ (f − f_{0}); the rate is that of the drift",
        kind: Kind::Claim,
        about: Beside::subject,
        measure: |beside| beside.group.exponents_in_width(CE, &beside.group.widths(), on_the_way),
        theory: like_the_drift,
        note: |beside| {
            format!(
                "slope of ln max_{{t}} |f_{{t}} − linearized| (largest over the training points and the snapshots) against ln m; at each \
                 width: {}",
                beside.group.by_width(CE, on_the_way)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "B3 bound on the movement of the parameters",
        place: "derived: the objective decreases, so Λ|θ_{t} − θ_{0}|^{2}/2 ≤ R(f_{0})",
        kind: Kind::Check,
        about: Beside::subject,
        measure: |beside| {
            beside
                .group
                .over_all(CE, larger, |run| Some(run.largest(|row| row.param_distance) / run.finished.limit?.bound))
        },
        theory: |_| Some(Theory::at_most(1.0)),
        note: |_| "largest |θ_{t} − θ_{0}| of all runs and snapshots over (2 R(f_{0})/Λ)^{1/2}, R the mean loss".into(),
        failing: UNEXPLAINED,
    },
];

pub(super) static WITH_SOFT_TARGETS: &[Claim<Beside>] = &[Claim {
    name: "B3 distance to the closed-form solution decays with width",
    place: "abstract: the closed form of the limit; derived: the rate is that of the drift",
    kind: Kind::Claim,
    about: Beside::subject,
    // training points meet soft targets whatever the kernel
    measure: |beside| nearing(beside, on_held_out),
    theory: like_the_drift,
    note: |beside| of_nearing(beside, "held-out", on_held_out),
    failing: UNEXPLAINED,
}];

pub(super) static WITH_LABELS_THAT_DISAGREE: &[Claim<Beside>] = &[Claim {
    name: "B2 conflicting labels are fitted as their mean",
    place: "derived: the mean label is a soft target",
    kind: Kind::Check,
    about: Beside::subject,
    measure: |beside| beside.group.over_all(CE, larger, |run| Some(run.finished.limit?.linearized.measured.difference)),
    theory: |_| Some(Theory::at_most(0.01).said("0")),
    note: |_| {
        "largest |f_{T} − logit(3/4)| over points, widths and seeds: three of the four labels of each point agree"
            .into()
    },
    failing: UNEXPLAINED,
}];

/// On images: the class of held-out ones, for every penalty.
pub(super) static ON_IMAGES: &[Claim<Beside>] = &[Claim {
    name: "B3 same class as the kernel on held-out images",
    place: "the closed form as a predictor",
    kind: Kind::Claim,
    about: Beside::subject,
    measure: |beside| beside.group.at_widest(CE, |run| Some(run.finished.limit?.linearized.agreement)),
    theory: |beside| {
        let has_end = beside.group.runs(CE).next().is_some_and(|run| run.finished.limit.is_some());
        has_end.then(|| Theory::at_least(0.95))
    },
    note: |beside| {
        let ntk = |run: &Run| Some(run.finished.limit?.ntk.agreement);
        let ntk = beside.group.mean_at(CE, beside.group.widest(), ntk);
        format!(
            "fraction of held-out images that the network and the fixed point of its own kernel K_{{0}} assign to the same class, width {}; with the \
             analytic NTK {}",
            beside.group.widest(),
            ntk.map_or("not known".into(), |e| number(e.value))
        )
    },
    failing: Failing { below: NOT_YET_LAZY, ..UNEXPLAINED },
}];

/// The farthest that a training output ever is from the linearized network's; `None` where that was not computed.
fn on_the_way(run: &Run) -> Option<f64> {
    run.finished.predictions.rows.iter().map(|row| row.linearized.difference).reduce(larger)
}

fn on_training_samples(ended: &Ended) -> f64 {
    ended.difference
}

fn on_held_out(ended: &Ended) -> f64 {
    ended.difference_held_out
}

fn nearing(beside: &Beside, apart: fn(&Ended) -> f64) -> Measured {
    let apart = |run: &Run| Some(apart(&run.finished.limit?.linearized.measured));
    beside.group.exponents_in_width(CE, &beside.group.widths(), apart)
}

/// The rate at which a network comes near to what its own K_0 makes of it: that of the drift. The spread of K_0 about the
/// NTK does not enter.
fn like_the_drift(beside: &Beside) -> Option<Theory> {
    Some(in_width(&beside.group.net).within(0.25, "small widths; the alternative is a distance that does not decay, 0"))
}

fn of_nearing(beside: &Beside, points: &str, apart: fn(&Ended) -> f64) -> String {
    let of = |run: &Run| Some(apart(&run.finished.limit?.linearized.measured));
    let ntk = |run: &Run| Some(apart(&run.finished.limit?.ntk.measured));
    format!(
        "slope of ln |f_{{T}} − f*[K_{{0}}]| (largest over the {points} points) against ln m; at each width: {}, with the analytic NTK in place \
         of K_{{0}}: {}",
        beside.group.by_width(CE, of),
        beside.group.by_width(CE, ntk)
    )
}
