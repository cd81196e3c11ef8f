//! The tables of the study: learning rates by octave, and fixed schedules beside the oracle.

use super::claims::{Learned, Stopping};
use crate::analysis::curves::{Start, local_slopes, of_draws, slope_in_the_limit};
use crate::analysis::points::Target;
use crate::analysis::statistics::Estimate;
use crate::report::{Table, number};

/// The probability on either side of the intervals in tables: 95 %, of one number alone.
const SIDE: f64 = 0.025;

/// Mean and interval: `−0.63 [−0.65, −0.61]`.
fn with_interval(values: Option<Vec<f64>>) -> String {
    let Some(mean) = values.and_then(|values| Estimate::from_values(&values)) else { return "none".into() };
    let of = |value: f64| format!("{:.3}", value).replace('-', "−");
    match mean.interval(SIDE) {
        Some([low, high]) => format!("{} [{}, {}]", of(mean.value), of(low), of(high)),
        None => of(mean.value),
    }
}

/// What is learned from where.
fn starts(learned: &Learned) -> &'static [(Start, &'static str)] {
    match learned.target {
        Target::SquaredSum => &[(Start::Zero, "f* from 0"), (Start::Random, "f* from f^{GP}")],
        Target::Zero => &[(Start::Random, "0 from f^{GP}")],
    }
}

/// Local slopes of the smallest risk, octave by octave, and where they lead.
pub fn slopes(all: &[Learned]) -> Table {
    let mut sizes: Vec<usize> = all.iter().flat_map(Learned::sizes).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let octaves: Vec<[usize; 2]> = sizes.windows(2).map(|w| [w[0], w[1]]).collect();
    let names = octaves.iter().map(|[from, to]| format!("n = {from} to {to}"));
    let header = ["sphere".to_owned(), "learned".into()].into_iter().chain(names);
    let ends = ["limit in n^{−s}", "limit in 1/ln n", "theory from f^{GP}"].map(String::from);
    let caption = "Slope of ln risk against ln n at the optimal stopping time, by octave, and extrapolated along a line in n^{−s}, \
                   s = min(2, d)/(d + 3), which is judged, and in 1/ln n; mean and 95 % interval over draws of the points. At finite n a slope \
                   steeper than theory's is no contradiction.";
    let mut table = Table::new(caption, header.chain(ends));
    for learned in all {
        for (start, name) in starts(learned) {
            let octave = |[from, to]: &[usize; 2]| {
                let index = learned.sizes().windows(2).position(|w| w == [*from, *to]);
                index.map_or(String::new(), |i| {
                    with_interval(
                        learned.of_draws(*start, Stopping::Best, |points| Some(local_slopes(points).get(i)?.1)),
                    )
                })
            };
            let slow = learned.of_draws(*start, Stopping::Best, |points| slope_in_the_limit(points, |x| 1.0 / x));
            let row = [format!("S^{{{}}}", learned.sphere()), (*name).to_owned()];
            let ends = [
                with_interval(learned.limits(*start, Stopping::Best)),
                with_interval(slow),
                if *start == Start::Zero { String::new() } else { number(learned.theory()) },
            ];
            table.push(row.into_iter().chain(octaves.iter().map(octave)).chain(ends));
        }
    }
    table
}

/// Exponents of the schedules, in units of that of theorem 4.3.
pub const SCHEDULES: [f64; 3] = [0.5, 1.0, 1.5];

/// The slope in the limit of the risk from f^GP at t = n^c: that of the part that falls more slowly, of what is not learned yet,
/// `t^(-3/(d+1))`, and of the noise, `t^(d/(d+1))/n`.
fn theory_at(learned: &Learned, c: f64) -> f64 {
    let d = learned.sphere() as f64;
    (-3.0 * c / (d + 1.0)).max(c * d / (d + 1.0) - 1.0)
}

/// Risk from f^GP at fixed schedules t = n^c, beside that at the oracle's time.
pub fn schedules(all: &[Learned]) -> Table {
    let named = SCHEDULES.iter().flat_map(|share| {
        let c = if *share == 1.0 { "c*".to_owned() } else { format!("{} c*", number(*share)) };
        [format!("slope, c = {c}"), format!("theory, c = {c}"), format!("risk over the oracle's, c = {c}")]
    });
    let header = ["sphere", "learned", "c* = (d + 1)/(d + 3)", "growth of the oracle's ln t", "slope, oracle"];
    let caption = "From f^{GP}, stopped at the fixed time t = n^{c} and by the oracle: slope of ln risk against ln n over the last octave, what \
                   theory has for it in the limit, and the risk divided by the oracle's at the largest n. The oracle's time grows like n to the \
                   power given, over all n; theorem 4.3 stops at n^{c*}. Mean and 95 % interval over draws of the points.";
    let mut table = Table::new(caption, header.map(String::from).into_iter().chain(named));
    for learned in all {
        let times = learned.sizes().into_iter().zip(&learned.curves);
        let time = of_draws(times.map(|(n, curves)| (n, curves.log_best_time(Start::Random))), |points| {
            Some(crate::analysis::statistics::line(points)?.0)
        });
        let last = |stopping| learned.of_draws(Start::Random, stopping, |points| Some(points.last()?.1));
        let best = last(Stopping::Best);
        let (_, name) = starts(learned)[starts(learned).len() - 1];
        let mut row = vec![format!("S^{{{}}}", learned.sphere()), name.to_owned(), number(learned.time_exponent())];
        row.push(with_interval(time));
        row.push(with_interval(learned.last_slopes(Start::Random, Stopping::Best)));
        for share in SCHEDULES {
            let c = share * learned.time_exponent();
            let ratio = last(Stopping::Power(c)).zip(best.clone()).map(|(at, best)| {
                at.iter().zip(&best).map(|(at, best)| (at - best).exp()).sum::<f64>() / best.len() as f64
            });
            row.push(with_interval(learned.last_slopes(Start::Random, Stopping::Power(c))));
            row.push(number((1e3 * theory_at(learned, c)).round() / 1e3));
            row.push(ratio.map_or("none".into(), |ratio| number((1e3 * ratio).round() / 1e3)));
        }
        table.push(row);
    }
    table
}
