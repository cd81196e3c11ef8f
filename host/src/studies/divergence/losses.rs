//! Losses that the paper does not treat: one with the tail of cross-entropy, one with none.

use super::claims::{between_the_regimes, largest, small_widths};
use super::figures::{log_against_margin, log_against_time};
use super::{plan, sizes};
use crate::analysis::statistics::{Curve, larger};
use crate::experiment::LossKind;
use crate::plot::{Axis, Figure, Hue, Scale, Series};
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Theory, UNEXPLAINED, state_all};
use crate::study::draw::{Change, DRIFT_AXIS, MEAN_MARGIN, Sketch, TIME, band};
use crate::study::group::{DRIFT, Group, Run};
use crate::study::judge::Measured;
use crate::study::kernel_regime::{OF_SLOPES, in_width};
use crate::study::net::{CE, EXPONENTIAL, HINGE};
use crate::study::options::Takes;
use crate::study::paper::{Part, Scope};
use crate::study::plan::{Findings, Runs};

/// Mean margin at which the two losses with a tail are compared.
const COMPARED: f64 = 8.0;

pub(super) static PART: Part = Part {
    name: "losses",
    title: "Exponential and hinge loss",
    summary: "the six points under the exponential loss, whose tail is that of cross-entropy, and hinge loss, which has none",
    introduction: "The six points again. The paper treats cross-entropy; what makes its kernel diverge is the tail of the loss, ln(1 + e^{−u}) \
                   = e^{−u} + O(e^{−2u}), along which no finite margin has the least loss. The exponential loss e^{−u} has that tail too. Hinge \
                   loss, max(0, 1 − u), has none: it is met at margins of 1, where training ends, like squared error.",
    scope: Scope::Full,
    images: &[],
    takes: Takes { full: false, ..Takes::GRID },
    plan: |part, options| Box::new(Runs { cells: plan::losses(options).cells(part, options), findings }),
};

fn findings(groups: &[Group]) -> Findings {
    Findings {
        sizes: sizes(groups),
        claims: groups.iter().flat_map(|group| state_all(CLAIMS, group)).collect(),
        figures: groups.iter().flat_map(|group| [against_time(group), against_margin(group)]).collect(),
        ..Findings::default()
    }
}

static CLAIMS: &[Claim<Group>] = &[
    Claim {
        name: "A7 drift keeps growing under the exponential loss",
        place: "derived as for cross-entropy",
        kind: Kind::Claim,
        about: |group| group.subject(EXPONENTIAL.to_string()),
        measure: |group| group.at_widest(EXPONENTIAL, |run| run.last_exponent(DRIFT)),
        theory: between_the_regimes,
        note: |group| {
            let width = group.widest();
            format!(
                "exponent q of max|K_{{t}} − K_{{0}}| ~ u^{{q}} over the last doubling of the mean margin, width {width}"
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A7 the same drift under the exponential loss as under cross-entropy",
        place: "derived: the same tail, and on these points one margin for all samples",
        kind: Kind::Claim,
        about: |group| group.subject(EXPONENTIAL.to_string()),
        measure: |group| {
            group.at_widest(EXPONENTIAL, |run| {
                let other = group.run(CE, run.width, run.seed)?;
                Some(run.at_margin(COMPARED, DRIFT)? / other.at_margin(COMPARED, DRIFT)?)
            })
        },
        theory: |_| {
            let reason = "residuals of samples with unequal margins differ by more at margins below 1";
            Some(Theory::number(1.0).within(0.05, reason))
        },
        note: |group| {
            let margin = number(COMPARED);
            format!(
                "ratio of the drifts at mean margin {margin} from the same initialization, width {}",
                group.widest()
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A7 hinge loss is met",
        place: "derived: margins of 1 are reached in finite time while λ_{min}(K_{t}) > 0",
        kind: Kind::Check,
        about: |group| group.subject(HINGE.to_string()),
        measure: |group| {
            let met = group.runs(HINGE).filter(comes_to_its_end).map(|run| run.last().loss);
            Measured::extreme(met.reduce(larger), "λ_{min}(K_{t}) stays positive in no run that came to its end")
        },
        theory: |_| Some(Theory::at_most(1e-8)),
        note: |group| {
            let (asked, all) = (group.runs(HINGE).filter(comes_to_its_end).count(), group.runs(HINGE).count());
            format!(
                "mean loss at the end, largest over the {asked} of {all} runs that came to their end and along which λ_{{min}}(K_{{t}}) > 0"
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A7 decay of the largest drift with width under hinge loss",
        place: "derived: A u/√m + B u^{2}/m in the kernel regime, in which training ends",
        kind: Kind::Claim,
        about: |group| group.subject(HINGE.to_string()),
        measure: |group| {
            let widths = small_widths(group, HINGE);
            group.exponents_in_width(HINGE, &widths, |run| Some(run.largest(DRIFT)))
        },
        theory: |group| Some(in_width(&group.net).within(0.25, OF_SLOPES)),
        note: |group| largest(&small_widths(group, HINGE), "those with less than 30 % relative drift"),
        failing: UNEXPLAINED,
    },
];

/// Whether the premise holds, and the run took the time that it was given.
fn comes_to_its_end(run: &Run) -> bool {
    run.is_complete() && run.smallest(|row| row.lambda_min) > 0.0
}

/// A band for each of these losses, of the widest networks.
fn of_losses(group: &Group, losses: &[LossKind], curve: fn(&Run) -> Curve, shown: Change) -> Vec<Series> {
    let of_loss = |loss: &LossKind| {
        let curves: Vec<Curve> = group.at_width(*loss, group.widest()).iter().map(curve).collect();
        band(&curves, shown, loss.label().into(), Hue::named("losses", loss.label()))
    };
    losses.iter().filter_map(of_loss).collect()
}

fn name(group: &Group, figure: &str) -> String {
    format!("{}-{}-{figure}", group.part.name, group.net.name())
}

fn against_time(group: &Group) -> Figure {
    let series = of_losses(group, &[CE, EXPONENTIAL, HINGE], |run| log_against_time(run, DRIFT), Change::EXP_Y);
    let caption = format!(
        "Drift along training, width {}: it keeps growing under both losses with an exponential tail; under hinge loss it ends.",
        group.widest()
    );
    let (x, y) = (Axis::new(TIME, Scale::Exponent), Axis::new(DRIFT_AXIS, Scale::Log));
    Sketch { name: name(group, "drift"), title: "Drift under three losses", x, y, series, caption }.figure(group)
}

fn against_margin(group: &Group) -> Figure {
    let series = of_losses(group, &[CE, EXPONENTIAL], |run| log_against_margin(run, DRIFT), Change::EXP);
    let caption = format!(
        "Drift against the mean margin under the two losses with an exponential tail, width {}.",
        group.widest()
    );
    let (x, y) = (Axis::new(MEAN_MARGIN, Scale::Log), Axis::new(DRIFT_AXIS, Scale::Log));
    Sketch { name: name(group, "drift-margin"), title: "Drift against margin", x, y, series, caption }.figure(group)
}
