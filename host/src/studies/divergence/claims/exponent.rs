//! The exponent of the divergence, from runs to very large margins.

use super::movement::reached;
use crate::analysis::statistics::line;
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Theory};
use crate::study::group::{DRIFT, Group, Run};
use crate::study::judge::Measured;
use crate::study::net::CE;

/// Half a decade of the margin, over which a local exponent is read.
const WINDOW: f64 = 3.162_277_660_168_379_5;
/// Windows that the extrapolation rests on.
const WINDOWS: usize = 3;

/// Groups of cross-entropy to very large margins.
pub static AT_LARGE_MARGINS: &[Claim<Group>] = &[Claim {
    name: "A3 exponent of the divergence",
    place: "derived: K_{ii} ~ |f|^{2 − 2/M} with the flow's balanced layers (Lyu and Li 2020; a conjecture for residual networks)",
    kind: Kind::Claim,
    about: Group::cross_entropy,
    measure: |group| {
        let farthest =
            group.runs(CE).filter_map(|run| Some(windows(&run)?.last()?.0)).fold(f64::NEG_INFINITY, f64::max);
        if farthest >= 1.0 {
            return Measured::Nothing(format!(
                "|θ_{{0}}|^{{2}}/(|θ_{{t}}|^{{2}} − |θ_{{0}}|^{{2}}) is {} in the last window; above 1 there is nothing to extrapolate from",
                number(farthest)
            ));
        }
        group.at_widest(CE, |run| Some(line(&windows(run)?)?.1))
    },
    theory: |group| {
        let words = format!("{} = {}", group.net.exponent_formula(), number(group.net.exponent()));
        Some(Theory::number(group.net.exponent()).said(words).within(0.08, "terms of second order in y"))
    },
    note: |group| {
        let of = |run: &Run| {
            windows(run).map_or_else(String::new, |all| {
                all.iter()
                    .map(|(y, q)| format!("{} at y = {}", number(round(*q)), number(round(*y))))
                    .collect::<Vec<_>>()
                    .join(", ")
            })
        };
        let first = group.runs(CE).next().map_or_else(String::new, |run| of(&run));
        format!(
            "exponent q of max|K_{{t}} − K_{{0}}| ~ u^{{q}} over half-decades of the mean margin, extrapolated linearly in y = \
             |θ_{{0}}|^{{2}}/(|θ_{{t}}|^{{2}} − |θ_{{0}}|^{{2}}) to y = 0 from the last {WINDOWS}, width {}; of the first seed: {first}; {}",
            group.widest(),
            reached(group)
        )
    },
    failing: "",
}];

fn round(value: f64) -> f64 {
    (1e3 * value).round() / 1e3
}

/// y in the middle of a window and the exponent over it, for the last windows of a run.
fn windows(run: &Run) -> Option<Vec<(f64, f64)>> {
    let start = run.rows().next()?.param_norm.powi(2);
    let mut end = run.largest(|row| row.margin_mean);
    let mut all = Vec::new();
    for _ in 0..WINDOWS {
        let from = end / WINDOW;
        let norm = run.at_margin((from * end).sqrt(), |row| row.param_norm)?;
        all.push((start / (norm * norm - start), run.exponent(from..=end, DRIFT)?));
        end = from;
    }
    all.reverse();
    Some(all)
}
