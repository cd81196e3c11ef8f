//! What theory says of networks at large margins: exponents of kernel and parameters, their direction, and what holds at
//! every moment.

use super::Grown;
use super::row::Row;
use super::windows::{WINDOWS, extrapolation, last, locals, rho};
use crate::analysis::statistics::{larger, line, smaller};
use crate::experiment::NetworkKind;
use crate::report::{Kind, decimal_exponent, number, rounded, thousandths};
use crate::study::claim::{Claim, Stated, Theory, UNEXPLAINED, state_all};
use crate::study::judge::Measured;

/// y in the last window above which a local exponent says nothing of its limit: the start is as large as what was added.
const NEAR: f64 = 1.0;
/// What a conserved quantity may change by, as a share of the squares of which it is a difference. Steps of the flow at its usual
/// tolerance left 0.3 % in eight networks of every kind of the study's widths, 1 % at width 4, and a fourth of the tolerance a fourth or
/// less; quantities of which one layer is missing change by as much as they are.
const UNBALANCED: f64 = 0.03;

const PLACE: &str = "derived: K_{ii} ~ |f|^{2 − 2/M}, |θ| ~ |f|^{1/M} with the flow's balanced layers (homogeneous networks: Lyu and Li 2020; those that become \
                     so, with biases beyond the first layer: Cai et al. 2025; a conjecture for residual networks)";

/// All networks of a kind from several seeds.
static CLAIMS: &[Claim<Grown>] = &[
    Claim {
        name: "A3 exponent of the divergence",
        place: PLACE,
        kind: Kind::Claim,
        about: Grown::subject,
        measure: |grown| limits(grown, |row| row.kernel),
        theory: |grown| {
            let words = format!("{} = {}", grown.net.exponent_formula(), number(grown.net.exponent()));
            Some(
                Theory::number(grown.net.exponent())
                    .said(words)
                    .within(0.08, "terms of second order in y, and a normalized margin that still grows"),
            )
        },
        note: |grown| {
            format!(
                "exponent q of the mean of K_{{t}}(x_{{i}}, x_{{i}}) ~ u^{{q}} over half decades of the mean margin, {}; degree {}, which \
                 supports 2 − 2/degree = {}; {}",
                extrapolated(grown, |row| row.kernel),
                mean_at_the_end(grown, |row| row.degree),
                mean_at_the_end(grown, |row| 2.0 - 2.0 / row.degree),
                reached(grown)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A2 exponent of the parameters' growth",
        place: PLACE,
        kind: Kind::Claim,
        about: Grown::subject,
        measure: |grown| limits(grown, rho),
        theory: |grown| {
            let exponent = 1.0 / grown.net.degree();
            let half_way = (exponent - 1.0 / (grown.net.degree() + 1.0)) / 2.0;
            let words = format!("1/M = {}", number(exponent));
            Some(
                Theory::number(exponent)
                    .said(words)
                    .within(half_way, "half of the way to the next degree's, 1/(M + 1)"),
            )
        },
        note: |grown| {
            format!(
                "exponent p of (|θ_{{t}}|^{{2}} − |θ_{{0}}|^{{2}})^{{1/2}} ~ u^{{p}} over half decades of the mean margin, {}; degree {}, which \
                 supports 1/degree = {}; {}",
                extrapolated(grown, rho),
                mean_at_the_end(grown, |row| row.degree),
                mean_at_the_end(grown, |row| 1.0 / row.degree),
                reached(grown)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A2 the direction of the parameters converges",
        place: "homogeneous networks: Ji and Telgarsky 2020; with biases beyond the first layer and for residual networks a conjecture",
        kind: Kind::Claim,
        about: Grown::subject,
        measure: |grown| Measured::of(grown.runs.iter().map(|rows| turning(rows)), TOO_SHORT),
        theory: |_| Some(Theory::below(0.0)),
        note: |grown| {
            format!(
                "exponent of 1 − cos of the angle between θ_{{t}} and θ half a decade of the mean margin before, over the last one and a half \
                 decades: where it is negative, and stays so, the angles have a finite sum, and the direction a limit; 1 − cos: {}",
                along(grown, |row| row.turned)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A3 the kernel is above its lower bound in the outputs",
        place: "derived: the share of the last layer and the last bias",
        kind: Kind::Check,
        about: Grown::subject,
        measure: |grown| least(grown, |row| row.above_bound),
        theory: |_| Some(Theory::at_least(0.0)),
        note: |grown| {
            let bound = match grown.net.kind {
                NetworkKind::Fcn => "2 (2/m)^{1/2} |f(x_{i})|",
                NetworkKind::Resnet => "2 α m^{−1/2} |f(x_{i})|",
            };
            format!("smallest K_{{t}}(x_{{i}}, x_{{i}}) − {bound} over all rows and samples, K_{{t}} of the point")
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A3 the kernel is above its lower bound by the degree",
        place: "derived: Cauchy and Schwarz on θ · ∇f, every parameter with its weight",
        kind: Kind::Check,
        about: Grown::subject,
        measure: |grown| least(grown, |row| row.identity),
        theory: |_| Some(Theory::at_least(1.0)),
        note: |grown| {
            let of = match grown.net.kind {
                NetworkKind::Fcn => {
                    "K_{t}(x_{i}, x_{i}) (Σ |W_{l}|^{2} + Σ (l + 1)^{2} |b_{l}|^{2})/((L + 1) f(x_{i}))^{2}"
                }
                NetworkKind::Resnet => {
                    "K_{t}(x_{i}, x_{i}) (|v|^{2} + |A|^{2} + |b|^{2} + Σ |b_{l}|^{2} + |d_{l}|^{2})/(2 f(x_{i}))^{2}"
                }
            };
            format!("smallest {of} over all rows and samples, K_{{t}} of the point")
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A2 what the flow conserves",
        place: "derived: a ReLU passes a factor on from its inputs to its outputs",
        kind: Kind::Check,
        about: Grown::subject,
        measure: |grown| Measured::extreme(grown.rows().map(|row| row.unbalanced).reduce(larger), "there is no run"),
        theory: |_| Some(Theory::at_most(UNBALANCED).said("0")),
        note: |grown| {
            let incoming = match grown.net.kind {
                NetworkKind::Fcn => "|W_{l}|^{2} + b_{l}^{2} − |W_{l+1}|^{2} of every hidden unit",
                NetworkKind::Resnet => {
                    "|W_{l}|^{2} + b_{l}^{2} − |V_{l}|^{2} of every unit of a block, and of the square of v less those of A and all biases"
                }
            };
            format!(
                "largest change since t = 0 of {incoming}, relative to the sum of the same squares; what remains is the steps' error, in \
                 proportion to the flow's tolerance"
            )
        },
        failing: UNEXPLAINED,
    },
];

/// What the claims say of these networks.
pub(super) fn claims(grown: &Grown) -> Vec<Stated> {
    state_all(CLAIMS, grown)
}

const TOO_SHORT: &str = "there is no network that went through three windows";

/// The limit of the local exponents of a column, one for every seed.
fn limits(grown: &Grown, column: fn(&Row) -> f64) -> Measured {
    let farthest = grown.runs.iter().filter_map(|rows| Some(locals(rows, column).last()?.y)).reduce(larger);
    match farthest {
        Some(y) if y >= NEAR => Measured::Nothing(format!(
            "y is {} in the last window; above {} there is nothing to extrapolate from",
            rounded(y, None),
            number(NEAR)
        )),
        _ => Measured::of(grown.runs.iter().map(|rows| Some(extrapolation(&locals(rows, column))?.1)), TOO_SHORT),
    }
}

/// The exponent of 1 - cos over the last windows.
fn turning(rows: &[Row]) -> Option<f64> {
    let from = last(&locals(rows, |row| row.kernel))?.first()?.from;
    let late = rows.iter().filter(|row| row.margin_mean >= 0.99 * from && row.turned > 0.0);
    Some(line(&late.map(|row| (row.margin_mean.ln(), row.turned.ln())).collect::<Vec<_>>())?.0)
}

fn least(grown: &Grown, column: fn(&Row) -> f64) -> Measured {
    Measured::extreme(grown.rows().map(column).reduce(smaller), "there is no run")
}

/// How exponents are extrapolated, and what from.
fn extrapolated(grown: &Grown, column: fn(&Row) -> f64) -> String {
    let means = grown.mean_locals(column);
    let last = means.last().map_or_else(String::new, |local| {
        format!(
            ", mean over the seeds {} at y = {} in the last of them",
            thousandths(local.exponent),
            thousandths(local.y)
        )
    });
    format!(
        "extrapolated linearly in y = |θ_{{0}}|^{{2}}/(|θ_{{t}}|^{{2}} − |θ_{{0}}|^{{2}}) to y = 0 from the last {WINDOWS}, width {}{last}",
        grown.width
    )
}

/// The mean over the seeds of a column in the last row.
fn mean_at_the_end(grown: &Grown, column: fn(&Row) -> f64) -> String {
    grown.mean_at(grown.margin, column).map_or("unknown".into(), thousandths)
}

/// Means over the seeds of a column at powers of 10 of the margin.
fn along(grown: &Grown, column: fn(&Row) -> f64) -> String {
    let at = |from: f64| Some(format!("{} at u = {}", rounded(grown.mean_at(from, column)?, None), number(from)));
    let decades = (1..).map(|k| 10f64.powi(k)).take_while(|from| *from <= grown.margin);
    decades.filter_map(at).collect::<Vec<_>>().join(", ")
}

/// How far all went.
fn reached(grown: &Grown) -> String {
    let ends = grown.runs.iter().filter_map(|rows| rows.last()).map(|row| row.log_time);
    let Some(furthest) = ends.reduce(smaller) else { return "no network got there".into() };
    let exponent = number(decimal_exponent(furthest).floor());
    let conjecture = match grown.net.kind {
        NetworkKind::Fcn => "",
        NetworkKind::Resnet => "; for this network theory is a conjecture",
    };
    format!("every network reached mean margin {}, t = 10^{{{exponent}}}{conjecture}", number(grown.margin))
}
