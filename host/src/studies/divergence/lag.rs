//! How far a network lags behind its linearization, and that kinks do it: the six points, one hidden layer, widths at which the
//! lag has its leading power.

use super::claims::lag;
use super::kinks::{bands, is_wide, wide, with_and_without};
use super::plan;
use crate::experiment::NetworkKind;
use crate::plot::{Axis, Figure, Scale, Series};
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Theory, UNEXPLAINED};
use crate::study::draw::{Sketch, width_axis};
use crate::study::group::Group;
use crate::study::kernel_regime::order_in_width;
use crate::study::net::CE;
use crate::study::options::Takes;
use crate::study::paper::{Part, Scope};
use crate::study::plan::{Findings, Runs};

/// Mean margin at which times are compared.
const MARGIN: f64 = 1.0;

pub(super) static PART: Part = Part {
    name: "lag",
    title: "Behind the linearization",
    summary: "the six points, one hidden layer of ReLU or erf, to width 16,384: how much later than its linearization a network reaches a margin",
    introduction: "The six points and networks of one hidden layer, with kinks (ReLU) and without (erf), beside their linearizations at θ_{0}. A \
                   sample pushes units over their kinks, and those that it pushes out of its reach no longer drive its output: K_{t} loses a share \
                   of the order of u/√m along the labels, and the network needs longer to a margin by as much. A smooth activation has no such term.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[NetworkKind::Fcn], widths: true, seeds: true, n: false, full: false },
    plan: |part, options| Box::new(Runs { cells: plan::lag().cells(part, options), findings }),
};

fn findings(groups: &[Group]) -> Findings {
    with_and_without(groups, CLAIMS, against_width)
}

static CLAIMS: &[Claim<Group>] = &[
    Claim {
        name: "A9 decay of the lag behind the linearization with width",
        place: "derived: what kinks take from K_{t} on the way, of the order of u/√m",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.exponents_in_width(CE, &wide(group), |run| lag(run, MARGIN)),
        theory: |group| {
            let reason = "the other terms at these widths; without kinks it is −1";
            let order = order_in_width(&group.net);
            group.net.activation.has_kink().then(|| Theory::number(order).said("−1/2").within(0.1, reason))
        },
        note: |group| {
            format!(
                "slope of ln(lag) against ln m over widths {:?}, the lag ln of the ratio of the times to mean margin {}, network over its \
                 linearization at θ_{{0}}; lags by width: {}",
                wide(group),
                number(MARGIN),
                group.by_width(CE, |run| lag(run, MARGIN))
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A9 time to margin 1 as predicted by the linearized network, with and without kinks",
        place: "derived: df/dt = −K_{0} (p − y)/n",
        kind: Kind::Claim,
        about: Group::cross_entropy,
        measure: |group| group.at_widest(CE, |run| lag(run, MARGIN)),
        theory: |group| {
            let (within, reason) = if group.net.activation.has_kink() {
                (0.1, "what kinks take, which is the claim before")
            } else {
                (0.01, "terms of the order 1/m, and the integrators' errors")
            };
            is_wide(group).then(|| Theory::number(0.0).within(within, reason))
        },
        note: |group| {
            format!(
                "ln of the ratio of the times to mean margin {}, network over its linearization at θ_{{0}}, width {}",
                number(MARGIN),
                group.widest()
            )
        },
        failing: UNEXPLAINED,
    },
];

/// Times over those of the linearization, and 1.
fn against_width(first: &Group, groups: &[Group]) -> Figure {
    let mut series = bands(groups, |run| Some(lag(run, MARGIN)?.exp()));
    let (x, ones) = first.widths().into_iter().map(|width| (width as f64, 1.0)).unzip();
    series.push(Series::theory("linearization", x, ones));
    let caption = format!(
        "Time to mean margin {} over that of the network's linearization at θ_{{0}}, against the width. With kinks the excess falls like \
         m^{{−1/2}}; without them it is of the order 1/m.",
        number(MARGIN)
    );
    let (x, y) = (width_axis(), Axis::new("time over that of the linearization", Scale::Linear));
    Sketch { name: "lag-width".into(), title: "Time against width", x, y, series, caption }.figure(first)
}
