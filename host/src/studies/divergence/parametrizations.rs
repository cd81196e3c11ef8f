//! The same network stored with other scales: how far its kernel moves as the width grows.

use ntkscope_core::network::Parametrization;

use super::{plan, sizes};
use crate::plot::{Axis, Figure, Hue, Scale, Series};
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Theory, state_all};
use crate::study::draw::{Sketch, by_width, width_axis};
use crate::study::group::{Column, Group};
use crate::study::net::{CE, Net};
use crate::study::options::{Options, Takes};
use crate::study::paper::{Part, Scope};
use crate::study::plan::{Findings, Runs};

/// Mean margin at which drifts are compared.
pub(super) const COMPARED: f64 = 4.0;
/// Relative drift up to which the kernel regime's law holds.
const SMALL: f64 = 0.3;
const RELATIVE: Column = |row| row.drift_fro;

pub(super) static PART: Part = Part {
    name: "parametrizations",
    title: "Which regime is a network in?",
    summary: "the six points in the NTK, standard, mean-field and muP parametrizations: drift at one margin against the width",
    introduction: "The six points again, by networks that are scaled otherwise: c in z = c W a + s b, and the variance of the entries. Standard \
                   networks are those of the theory, stored with c = 1: the same functions of the same laws, whose kernel grows like the width \
                   and whose time is as much shorter. Under the mean-field scale, and under muP for more than one hidden layer, outputs begin \
                   at the size of m^{−1/2}, the parameters of every unit have to move by a share of their own size, and the kernel with them.",
    scope: Scope::Full,
    images: &[],
    takes: Takes { networks: &[crate::experiment::NetworkKind::Fcn], widths: true, seeds: true, n: false, full: false },
    plan: |part, options: &Options| {
        Box::new(Runs { cells: plan::parametrizations(options).cells(part, options), findings })
    },
};

/// One hidden layer in every parametrization that it has, two in those that are defined for them.
pub(super) fn nets() -> Vec<Net> {
    let of = |depth, all: [Parametrization; 3]| all.map(|scaled| Net::fcn(depth).with_parametrization(scaled));
    let shallow = of(1, [Parametrization::Ntk, Parametrization::Standard, Parametrization::MeanField]);
    let deep = of(2, [Parametrization::Ntk, Parametrization::Standard, Parametrization::Mup]);
    shallow.into_iter().chain(deep).collect()
}

fn findings(groups: &[Group]) -> Findings {
    Findings {
        sizes: sizes(groups),
        claims: groups.iter().flat_map(|group| state_all(CLAIMS, group)).collect(),
        figures: groups.chunk_by(|a, b| a.net.depth == b.net.depth).map(against_width).collect(),
        ..Findings::default()
    }
}

/// The widths of which the exponent is taken: where there is a kernel regime, those in it.
fn fitted(group: &Group) -> Vec<usize> {
    let small = |width: &usize| {
        let drift = group.mean_at(CE, *width, |run| run.at_margin(COMPARED, RELATIVE));
        drift.is_some_and(|drift| drift.value < SMALL)
    };
    let all = group.widths();
    if group.net.parametrization.has_kernel_regime() { all.into_iter().filter(small).collect() } else { all }
}

static CLAIMS: &[Claim<Group>] = &[Claim {
    name: "A8 decay of the relative drift with width",
    place: "derived: c/m in the kernel regime, a constant where there is none",
    kind: Kind::Claim,
    about: Group::cross_entropy,
    measure: |group| group.exponents_in_width(CE, &fitted(group), |run| run.at_margin(COMPARED, RELATIVE)),
    theory: |group| {
        Some(if group.net.parametrization.has_kernel_regime() {
            let reason = "the next order of c u^{2}/m (1 + c' u^{2}/m …) at relative drifts up to 0.3";
            Theory::number(-1.0).said("−1").within(0.25, reason)
        } else {
            Theory::number(0.0).within(0.1, "narrow networks, in which few units carry the outputs")
        })
    },
    note: |group| {
        let which = if group.net.parametrization.has_kernel_regime() { "those below 30 %" } else { "all" };
        let drifts = group.by_width(CE, |run| run.at_margin(COMPARED, RELATIVE));
        format!(
            "exponent a of |K_{{t}} − K_{{0}}|_{{F}}/|K_{{0}}|_{{F}} ~ m^{{a}} at mean margin {}, widths {:?}, {which}; drifts by width: {drifts}",
            number(COMPARED),
            fitted(group)
        )
    },
    failing: "",
}];

/// A band for each parametrization of networks of one depth.
fn against_width(groups: &[Group]) -> Figure {
    let of = |group: &Group| {
        let name = group.net.parametrization.to_string();
        by_width(group, CE, |run| run.at_margin(COMPARED, RELATIVE), name.clone(), Hue::named("parametrization", name))
    };
    let series: Vec<Series> = groups.iter().filter_map(of).collect();
    let depth = groups.first().map_or(0, |group| group.net.depth);
    let caption = format!(
        "Relative drift at mean margin {} against the width, {depth} hidden layer(s). A slope of −1 is the kernel regime; where the \
         line is level there is none at any width.",
        number(COMPARED)
    );
    let (x, y) = (width_axis(), Axis::new("|K_{t} − K_{0}|_{F}/|K_{0}|_{F}", Scale::Log));
    let title =
        if depth == 1 { "Drift against width, one hidden layer" } else { "Drift against width, two hidden layers" };
    let sketch = Sketch { name: format!("parametrizations-fcn{depth}-drift-width"), title, x, y, series, caption };
    match groups.first() {
        Some(group) => sketch.figure(group),
        None => Figure::default(),
    }
}
