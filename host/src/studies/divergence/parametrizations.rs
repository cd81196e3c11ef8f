//! The same network stored with other scales: how far its kernel moves as the width grows.

use ntkscope_core::network::Parametrization;

use super::{plan, sizes};
use crate::plot::{Axis, Figure, Hue, Scale, Series};
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Theory, UNEXPLAINED, state_all};
use crate::study::draw::{Sketch, by_width, width_axis};
use crate::study::group::{Column, Group};
use crate::study::kernel_regime::in_width;
use crate::study::net::{CE, Net, parametrization_title};
use crate::study::options::{Options, Takes};
use crate::study::paper::{Part, Scope};
use crate::study::plan::{Findings, Runs};
use crate::words::count;

/// Mean margin at which drifts are compared.
pub(super) const COMPARED: f64 = 4.0;
/// Relative drift up to which the kernel regime's law is fitted.
const SMALL: f64 = 0.5;
/// Narrowest width of the other fits.
const WIDE: usize = 128;
const VERY_WIDE: usize = 1024;
const RELATIVE: Column = |row| row.drift_fro;

pub(super) static PART: Part = Part {
    name: "parametrizations",
    title: "Parametrizations",
    summary: "the six points in the NTK, standard, mean-field and muP parametrizations: drift at one margin against the width",
    introduction: "The six points again, by networks that are scaled otherwise: c in z = c W a + s b, and the variance of the entries. Standard \
                   networks begin as those of the theory, stored with c = 1; the shares of all weights but the first in their kernel grow like \
                   the width, and their time is as much shorter. With one hidden layer what grows is the output layer's share alone: the first \
                   layer hardly learns, and the kernel moves by as little as 1/m². Under the mean-field scale, and under muP for more than one \
                   hidden layer, outputs begin at the size of m^{−1/2}, the parameters of every unit have to move by a share of their own size, \
                   and the kernel with them.",
    scope: Scope::Full,
    images: &[],
    takes: Takes { networks: &[crate::experiment::NetworkKind::Fcn], widths: true, seeds: true, n: false, full: false },
    plan: |part, options: &Options| {
        let grids = plan::parametrizations(options);
        Box::new(Runs { cells: grids.iter().flat_map(|grid| grid.cells(part, options)).collect(), findings })
    },
};

/// One hidden layer in every parametrization that it has, two in those that are defined for them.
pub(super) fn nets() -> [[Net; 3]; 2] {
    let of = |depth, all: [Parametrization; 3]| all.map(|scaled| Net::fcn(depth).with_parametrization(scaled));
    [
        of(1, [Parametrization::Ntk, Parametrization::Standard, Parametrization::MeanField]),
        of(2, [Parametrization::Ntk, Parametrization::Standard, Parametrization::Mup]),
    ]
}

/// How the relative drift at one margin u goes with the width m.
#[derive(Clone, Copy)]
enum Law {
    /// A u/√m + B u²/m
    Kernel,
    /// c u²/m²: of the kernel, of order m, all is the output layer's but a part of order 1, and by that part alone the features move
    Features,
    /// as much at any width
    NoRegime,
}

impl Law {
    fn of(net: &Net) -> Self {
        match net.parametrization {
            Parametrization::Standard if net.depth == 1 => Self::Features,
            scaled if scaled.has_kernel_regime() => Self::Kernel,
            _ => Self::NoRegime,
        }
    }

    fn theory(self, net: &Net) -> Theory {
        match self {
            Self::Kernel => in_width(net).within(0.25, "the next order, c (u/√m)^{3}, at relative drifts up to 1/2"),
            Self::Features => {
                let reason = "the next order, u/√m, of which 1/8 is left at the narrowest of them";
                Theory::number(-2.0).said("−2").within(0.25, reason)
            }
            Self::NoRegime => Theory::number(0.0).within(0.1, "narrow networks, in which few units carry the outputs"),
        }
    }

    /// The widths of which the exponent is taken, and which they are.
    fn fitted(self, group: &Group) -> (Vec<usize>, String) {
        let all = group.widths().into_iter();
        let from = |least: usize| format!("those of at least {least}");
        match self {
            Self::Kernel => {
                let small = |width: &usize| {
                    let drift = group.mean_at(CE, *width, |run| run.at_margin(COMPARED, RELATIVE));
                    drift.is_some_and(|drift| drift.value < SMALL)
                };
                (all.filter(small).collect(), format!("those whose drift is below {}", number(SMALL)))
            }
            Self::Features => (all.filter(|width| *width >= VERY_WIDE).collect(), from(VERY_WIDE)),
            Self::NoRegime => (all.filter(|width| *width >= WIDE).collect(), from(WIDE)),
        }
    }
}

fn findings(groups: &[Group]) -> Findings {
    Findings {
        sizes: sizes(groups),
        claims: groups.iter().flat_map(|group| state_all(CLAIMS, group)).collect(),
        figures: groups.chunk_by(|a, b| a.net.depth == b.net.depth).map(against_width).collect(),
        ..Findings::default()
    }
}

static CLAIMS: &[Claim<Group>] = &[Claim {
    name: "A8 decay of the relative drift with width",
    place: "derived: A u/√m + B u^{2}/m in the kernel regime, c/m^{2} where only the output layer learns, a constant where there is no regime",
    kind: Kind::Claim,
    about: Group::cross_entropy,
    measure: |group| {
        let (widths, _) = Law::of(&group.net).fitted(group);
        group.exponents_in_width(CE, &widths, |run| run.at_margin(COMPARED, RELATIVE))
    },
    theory: |group| Some(Law::of(&group.net).theory(&group.net)),
    note: |group| {
        let (widths, which) = Law::of(&group.net).fitted(group);
        let drifts = group.by_width(CE, |run| run.at_margin(COMPARED, RELATIVE));
        format!(
            "exponent a of |K_{{t}} − K_{{0}}|_{{F}}/|K_{{0}}|_{{F}} ~ m^{{a}} at mean margin {}, widths {widths:?}, {which}; drifts by width: {drifts}",
            number(COMPARED),
        )
    },
    failing: UNEXPLAINED,
}];

/// A band for each parametrization of networks of one depth.
fn against_width(groups: &[Group]) -> Figure {
    let of = |group: &Group| {
        let name = parametrization_title(group.net.parametrization).to_owned();
        by_width(group, CE, |run| run.at_margin(COMPARED, RELATIVE), name.clone(), Hue::named("parametrization", name))
    };
    let series: Vec<Series> = groups.iter().filter_map(of).collect();
    let depth = groups.first().map_or(0, |group| group.net.depth);
    let caption = format!(
        "Relative drift at mean margin {} against the width, {}. A slope of −1, with kinks from −1 to −1/2, is the kernel regime{}; where the line is level there \
         is none at any width.",
        number(COMPARED),
        count(depth, "hidden layer"),
        if depth == 1 { ", one of −2 that of a network of which only the output layer learns" } else { "" }
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
