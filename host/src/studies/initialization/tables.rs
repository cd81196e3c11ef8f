//! The tables of the study: learning rates by octave, fixed schedules beside the oracle, the smoothness of labels.

use super::claims::{LabelsDescribed, Learned, SCHEDULES, Stopping};
use crate::analysis::curves::{Start, local_slopes, of_draws, slope_in_the_limit};
use crate::analysis::points::Target;
use crate::analysis::spectra::Spectra;
use crate::analysis::statistics::{Estimate, line};
use crate::report::{Table, number};

/// Smoothness of labels by window, decay, coding and scaling, beside the paper's.
pub fn labels(all: &[LabelsDescribed]) -> Table {
    let header = [
        "data",
        "function",
        "paper's window and decay",
        "paper's window, decay fitted",
        "middle window, paper's decay",
        "middle window, decay fitted",
        "published",
    ];
    let caption = "Smoothness α with respect to the NTK by window and decay: the paper's window is k < 0.9 n and its decay (d + 1)/d, the middle \
                   window is k = 20 to n/5; a fitted decay is that of the eigenvalues in the same window. Means over the draws for f^{GP}.";
    let mut table = Table::new(caption, header);
    for labels in all {
        let functions = labels.spectra.functions.iter().map(|(name, tails)| (name.clone(), tails.clone()));
        for (name, tails) in functions.chain([("f^{GP}".to_owned(), Spectra::mean(&labels.spectra.draws))]) {
            let ways = [
                LabelsDescribed::paper,
                LabelsDescribed::paper_fitted,
                LabelsDescribed::middle_paper,
                LabelsDescribed::middle,
            ];
            let alphas = ways.map(|way| match way(labels, &tails) {
                Ok(found) => format!("{:.3}", found.alpha).replace('-', "−"),
                Err(why) => format!("none: {why}"),
            });
            let published = labels.described.published.filter(|_| name != "f^{GP}").map_or(String::new(), number);
            let row = [labels.described.title.clone(), name].into_iter().chain(alphas).chain([published]);
            table.push(row);
        }
    }
    table
}

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

/// The slope in the limit of the risk from f^GP at t = n^c: that of the part that falls more slowly, of what is not learned yet,
/// `t^(-3/(d+1))`, and of the noise, `t^(d/(d+1))/n`.
fn theory_at(learned: &Learned, c: f64) -> f64 {
    let d = learned.sphere() as f64;
    (-3.0 * c / (d + 1.0)).max(c * d / (d + 1.0) - 1.0)
}

/// Risk from f^GP at fixed schedules, beside that at the oracle's time.
pub fn schedules(all: &[Learned]) -> Table {
    let header =
        ["sphere", "learned", "stopped at t =", "slope, last octave", "theory in the limit", "risk over the oracle's"];
    let caption = "From f^{GP}, stopped by the oracle and at fixed times t = n^{c} and t = C n^{c}, with the C that makes it the oracle's at the \
                   first n; c is half, once and one and a half times the (d + 1)/(d + 3) that theorem 4.3 stops at. Slope of ln risk against ln n \
                   over the last octave, what theory has for it in the limit, and the risk over the oracle's at the largest n, which no schedule \
                   can beat; beside the oracle the exponent of its time in n, over all n. Mean and 95 % interval over draws of the points.";
    let mut table = Table::new(caption, header);
    for learned in all {
        let times = learned.sizes().into_iter().zip(&learned.curves);
        let time =
            of_draws(times.map(|(n, curves)| (n, curves.log_best_time(Start::Random))), |points| Some(line(points)?.0));
        let last = |stopping| learned.of_draws(Start::Random, stopping, |points| Some(points.last()?.1));
        let best = last(Stopping::Best);
        let names = starts(learned).last().map_or("", |(_, name)| name);
        let mut push = |stopped: String, stopping: Stopping, theory: f64| {
            let ratio = last(stopping).zip(best.clone()).map(|(at, best)| {
                at.iter().zip(&best).map(|(at, best)| (at - best).exp()).sum::<f64>() / best.len() as f64
            });
            table.push([
                format!("S^{{{}}}", learned.sphere()),
                names.to_owned(),
                stopped,
                with_interval(learned.last_slopes(Start::Random, stopping)),
                number((1e3 * theory).round() / 1e3),
                ratio.map_or("none".into(), |ratio| number((1e3 * ratio).round() / 1e3)),
            ]);
        };
        push(format!("the oracle's, n^{{a}}, a = {}", with_interval(time)), Stopping::Best, learned.theory());
        for schedule in [Stopping::Power, Stopping::PowerFromFirst] {
            for share in SCHEDULES {
                let c = share * learned.time_exponent();
                push(schedule(c).schedule(), schedule(c), theory_at(learned, c));
            }
        }
    }
    table
}
