//! What kinks add to the drift: the least data on which it is known, two antipodal points, and one hidden layer.

use super::claims::MARGIN;
use super::{plan, sizes};
use crate::analysis::statistics::Curve;
use crate::experiment::NetworkKind;
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Theory, UNEXPLAINED, state_all};
use crate::study::draw::{Sketch, by_width, width_axis};
use crate::study::group::{DRIFT, Group, Run};
use crate::study::kernel_regime::order_in_width;
use crate::study::net::CE;
use crate::study::options::Takes;
use crate::study::paper::{Part, Scope};
use crate::study::plan::{Findings, Runs};

/// Where the exponents are from.
const LAW: &str = "derived: A u/√m + B u^{2}/m, A = 0 without kinks";
/// Narrowest width of the fits: at narrower ones few units have a kink within reach, and terms of the next order are not small.
const WIDE: usize = 1024;
/// Mean margins between which drifts are compared.
const MARGINS: [f64; 2] = [1.0, 4.0];

pub(super) static PART: Part = Part {
    name: "kinks",
    title: "Kinks and the width",
    summary: "two antipodal points, one hidden layer of ReLU or erf, to width 65,536: how fast the drift falls with the width",
    introduction: "Two antipodal points and networks of one hidden layer, with kinks (ReLU) and without (erf). In the kernel regime the drift is \
                   A u/√m + B u^{2}/m, u the mean margin, m the width. B is that of any activation. A comes from kinks: a sample moves only the units \
                   that are active on it, so it pushes them across their kinks in one direction, and those that leave the sum of the kernel do not \
                   balance those that enter. On two antipodal points, whose inputs (x, 1) are orthogonal, none enters, and K_{t}(x, x) falls by \
                   (2/π)(|x|^{2} + 1)^{3/2} u/(λ_{s} √m): of the units with 0 < z < √(2/m) |a| (|x|^{2} + 1) ∫r dt half leave, by the sign of a, \
                   each with its share 2a^{2}(|x|^{2} + 1)/m; a and z are normal, and ∫r dt = u/(√2 λ_{s}) of the residual r over n that each copy of \
                   a mirrored network feels.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[NetworkKind::Fcn], widths: true, seeds: true, n: false, full: false },
    plan: |part, options| Box::new(Runs { cells: plan::kinks().cells(part, options), findings }),
};

fn findings(groups: &[Group]) -> Findings {
    with_and_without(groups, CLAIMS, against_width)
}

/// What claims say of each activation, and a figure of all.
pub(super) fn with_and_without(
    groups: &[Group],
    claims: &'static [Claim<Group>],
    figure: fn(&Group, &[Group]) -> Figure,
) -> Findings {
    Findings {
        sizes: sizes(groups),
        claims: groups.iter().flat_map(|group| state_all(claims, group)).collect(),
        figures: groups.first().map(|first| figure(first, groups)).into_iter().collect(),
        ..Findings::default()
    }
}

static CLAIMS: &[Claim<Group>] = &[
    Claim {
        name: "A9 decay of the drift with width, with and without kinks",
        place: LAW,
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.exponents_in_width(CE, &wide(group), |run| run.at_margin(MARGIN, DRIFT)),
        theory: |group| {
            let words = if group.net.activation.has_kink() { "−1/2" } else { "−1" };
            Some(
                Theory::number(order_in_width(&group.net))
                    .said(words)
                    .within(0.1, "the other terms at these widths; the two differ by 1/2"),
            )
        },
        note: |group| {
            format!(
                "slope of ln(drift at mean margin {}) against ln m over widths {:?}; drifts by width: {}",
                number(MARGIN),
                wide(group),
                group.by_width(CE, |run| run.at_margin(MARGIN, DRIFT))
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A9 growth of the drift with the margin, with and without kinks",
        place: LAW,
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.at_widest(CE, |run| run.exponent(MARGINS[0]..=MARGINS[1], DRIFT)),
        theory: |group| {
            let exponent = if group.net.activation.has_kink() { 1.0 } else { 2.0 };
            let theory = Theory::number(exponent).within(0.15, "the other terms at this width; the two differ by 1");
            is_wide(group).then_some(theory)
        },
        note: |group| {
            let [from, to] = MARGINS.map(number);
            format!("exponent q of drift ~ u^{{q}} between mean margins {from} and {to}, width {}", group.widest())
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A9 what kinks take from K_{t}(x, x)",
        place: "derived: (2/π)(|x|^{2} + 1)^{3/2} u/(λ_{s} √m)",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.at_widest(CE, fall_over_theory),
        theory: |group| {
            let reason = "terms of the order 1/m";
            (group.net.activation.has_kink() && is_wide(group)).then(|| Theory::number(1.0).within(0.1, reason))
        },
        note: |group| {
            format!(
                "fall of the mean of K_{{t}}(x, x) over the two points at mean margin {}, relative to theory, width {}; by width: {}",
                number(MARGIN),
                group.widest(),
                group.by_width(CE, fall_over_theory)
            )
        },
        failing: UNEXPLAINED,
    },
];

pub(super) fn wide(group: &Group) -> Vec<usize> {
    group.widths().into_iter().filter(|width| *width >= WIDE).collect()
}

/// Whether theory speaks of its widest networks.
pub(super) fn is_wide(group: &Group) -> bool {
    group.widest() >= WIDE
}

/// The fall of the mean of K(x, x) from the start to the mean margin, which of two samples is that of the mean eigenvalue,
/// relative to theory.
fn fall_over_theory(run: &Run) -> Option<f64> {
    let mean = Curve::new(run.rows().map(|row| (row.margin_mean, 0.5 * (row.lambda_min + row.lambda_max))));
    Some((mean.at(0.0)? - mean.at(MARGIN)?) / taken_by_kinks(run))
}

/// (2/pi)(|x|² + 1)^(3/2) u/(lambda_s sqrt(m)), |x| = 1: the fall of K(x, x) by units that leave.
fn taken_by_kinks(run: &Run) -> f64 {
    let of_inputs = 2.0f64.powf(1.5);
    std::f64::consts::FRAC_2_PI * of_inputs * MARGIN / (run.finished.analytic_lambda_min * (run.width as f64).sqrt())
}

/// A number against the width, a band for each activation.
pub(super) fn bands(groups: &[Group], value: fn(&Run) -> Option<f64>) -> Vec<Series> {
    let of = |group: &Group| {
        let name = group.net.activation.to_string();
        by_width(group, CE, value, name.clone(), Hue::named("activation", name))
    };
    groups.iter().filter_map(of).collect()
}

/// Drifts, and theory's fall.
fn against_width(first: &Group, groups: &[Group]) -> Figure {
    let mut series = bands(groups, |run| run.at_margin(MARGIN, DRIFT));
    let of_width = |width: usize| Some((width as f64, taken_by_kinks(first.at_width(CE, width).first()?)));
    let theory: (Vec<f64>, Vec<f64>) = first.widths().into_iter().filter_map(of_width).unzip();
    series.push(Series::new("of kinks, theory", theory, Mark::Theory, Hue::Theory));
    let caption = format!(
        "Largest entry of |K_{{t}} − K_{{0}}| at mean margin {} against the width. Units that leave the sum of K(x, x) over their kinks give \
         the slope −1/2 of the broken line, which no fit has made; without kinks the slope is −1.",
        number(MARGIN)
    );
    let (x, y) = (width_axis(), Axis::new("max |K_{t} − K_{0}|", Scale::Log));
    Sketch { name: "kinks-drift-width".into(), title: "Drift against width", x, y, series, caption }.figure(first)
}
