//! What figures 1 and 3 say, and what they cannot show.

use std::f64::consts::{FRAC_PI_3, PI};

use ntkscope_core::network::Bias;

use super::circle::{EPOCHS, LAST_EPOCH, Norm, RATE, Runs, at, farthest_on_circle, fixed_margin, kernel_at};
use super::reading::{Reading, as_read_off, spread};
use crate::analysis::statistics::larger;
use crate::report::{Kind, number, rounded, thousandths};
use crate::run::TraceRow;
use crate::study::cell::Finished;
use crate::study::claim::{Claim, Failing, Stated, Subject, Theory, UNEXPLAINED, state_all};
use crate::study::judge::Measured;
use crate::study::net::CE;
use crate::words::count;

/// Mean |f| over the six points, read off figure 1 to 0.02. At the first epoch the points are not fitted yet, and mean |f| is more than
/// the mean margin.
pub(super) const FIGURE_1: [(u64, f64); 4] = [(100, 0.96), (1_000, 2.90), (3_162, 4.04), (EPOCHS, 5.20)];
/// The epoch from which on mean |f| is the mean margin.
const FITTED: u64 = 1_000;
/// Three standard deviations of one seed (0.05).
const OF_LOGITS: f64 = 0.15;

/// A point of figure 3: rise of K_t over K_0, at angles to x_0.
pub(super) struct Rise {
    /// where, for people
    pub(super) title: &'static str,
    /// the angles, of which the mean is taken
    pub(super) angles: &'static [f64],
    /// epoch
    pub(super) epoch: u64,
    /// read off, to 0.03
    pub(super) read: f64,
    /// two standard deviations of one seed, and in quadrature the reading
    pub(super) allowance: f64,
}

/// Read off figure 3.
pub(super) const FIGURE_3: [Rise; 8] = [
    Rise { title: "0", angles: &[0.0], epoch: EPOCHS, read: 0.91, allowance: 0.46 },
    Rise { title: "±60°", angles: &[-FRAC_PI_3, FRAC_PI_3], epoch: EPOCHS, read: 0.475, allowance: 0.15 },
    Rise {
        title: "±120°", angles: &[-2.0 * FRAC_PI_3, 2.0 * FRAC_PI_3], epoch: EPOCHS, read: 0.155, allowance: 0.07
    },
    Rise { title: "180°", angles: &[PI], epoch: EPOCHS, read: 0.11, allowance: 0.05 },
    Rise { title: "0", angles: &[0.0], epoch: LAST_EPOCH, read: 1.67, allowance: 0.58 },
    Rise { title: "±60°", angles: &[-FRAC_PI_3, FRAC_PI_3], epoch: LAST_EPOCH, read: 0.82, allowance: 0.2 },
    Rise {
        title: "±120°",
        angles: &[-2.0 * FRAC_PI_3, 2.0 * FRAC_PI_3],
        epoch: LAST_EPOCH,
        read: 0.28,
        allowance: 0.09,
    },
    Rise { title: "180°", angles: &[PI], epoch: LAST_EPOCH, read: 0.2, allowance: 0.06 },
];

impl Rise {
    /// The rise along our runs, seed by seed, if descent was on this loss.
    pub(super) fn measured(&self, runs: &Runs, norm: Norm) -> Measured {
        let t = norm.time(self.epoch);
        runs.over_seeds(|run| {
            let rises = self.angles.iter().map(|angle| Some(kernel_at(run, t, *angle)? - kernel_at(run, 0.0, *angle)?));
            let rises: Vec<f64> = rises.collect::<Option<_>>()?;
            Some(rises.iter().sum::<f64>() / rises.len() as f64)
        })
    }
}

/// Ours in place of figure 1's logits, seed by seed: once the points are fitted, mean |f| is the mean margin.
pub(super) fn logits(runs: &Runs, norm: Norm, epoch: u64) -> Measured {
    runs.over_seeds(|run| at(run, norm.time(epoch), |row| row.margin_mean))
}

/// Every claim about the runs of one network.
pub(super) fn all(runs: &Runs) -> Vec<Stated> {
    let mut stated = Vec::new();
    for norm in Norm::ALL {
        for (epoch, read) in FIGURE_1.into_iter().filter(|(epoch, _)| *epoch >= FITTED) {
            let note = format!(
                "mean |f| over the six points at epoch {epoch}, t = {} on the mean loss",
                number(norm.time(epoch))
            );
            let (subject, values) = (subject(runs, norm.title()), logits(runs, norm, epoch));
            let reason = "three standard deviations of one seed";
            stated.extend(state_all(LOGITS, &Reading { subject, values, read, allowance: OF_LOGITS, reason, note }));
        }
        // the kernels of the other network are three times as large before the first step: figure 2
        for rise in FIGURE_3.iter().filter(|_| runs.net.bias == Bias::None) {
            let (subject, values) = (subject(runs, norm.title()), rise.measured(runs, norm));
            let (title, epoch, t) = (rise.title, rise.epoch, number(norm.time(rise.epoch)));
            let note = format!(
                "K_{{t}}(x_{{0}}, x) − K_{{0}}(x_{{0}}, x) at the angle {title}, epoch {epoch}, t = {t} on the mean loss"
            );
            let (read, allowance) = (rise.read, rise.allowance);
            let reason = "two standard deviations of one seed and, in quadrature, the reading off the image";
            stated.extend(state_all(RISES, &Reading { subject, values, read, allowance, reason, note }));
        }
    }
    stated.extend(state_all(SHOWN, runs));
    stated
}

pub(super) fn subject(runs: &Runs, of_loss: &str) -> Subject {
    Subject {
        network: format!("{}; figures-1-3", runs.net.title()),
        loss: if of_loss.is_empty() { CE.to_string() } else { format!("{CE}, {of_loss}") },
        init: "standard".into(),
        failed: runs.failed,
    }
}

/// Too high or too low, it comes to the same.
const fn another(sentence: &'static str) -> Failing {
    Failing { below: sentence, above: sentence }
}

pub(super) static LOGITS: &[Claim<Reading>] = &[as_read_off(
    "A5 figure 1: the logits",
    "figure 1",
    another("figure 1 was not made with this network and this loss at rate 0.1"),
)];

pub(super) static RISES: &[Claim<Reading>] = &[as_read_off(
    "A5 figure 3: the kernel's rise",
    "figure 3",
    another("figure 3 was not made with this network and this loss at rate 0.1"),
)];

/// Times of the comparison with the fixed kernel: epochs 10,000 and 200,000 on the mean loss.
const LATE: [f64; 2] = [1000.0, 20_000.0];

/// The last epoch of descent on the sum.
const END: f64 = 1.2e5;

/// What the figures show, and what they cannot.
static SHOWN: &[Claim<Runs>] = &[
    Claim {
        name: "A5 figure 1: the fixed NTK has the same logits",
        place: "derived: u + e^{u} − 1 = λ_{0} t/n",
        kind: Kind::Claim,
        about: |runs| subject(runs, "mean loss"),
        measure: |runs| {
            runs.over_seeds(|run| {
                let [here, there] = LATE.map(|t| ratio_to_fixed(run, t));
                Some(if (here? - 1.0).abs() > (there? - 1.0).abs() { here? } else { there? })
            })
        },
        theory: |_| {
            let reason = "what cannot be told from it by eye in figure 1";
            Some(Theory::number(1.0).within(0.05, reason))
        },
        note: |runs| {
            let [ratio, drift] = [
                |run: &Finished, t: f64| ratio_to_fixed(run, t),
                |run: &Finished, t: f64| {
                    let largest = run.profile.rows.iter().map(|row| row.analytic).fold(0.0, larger);
                    Some(at(run, t, |row| row.drift_max)? / largest)
                },
            ]
            .map(|of| LATE.map(|t| runs.over_seeds(|run| of(run, t)).estimate().map_or(f64::NAN, |mean| mean.value)));
            let percent = drift.map(|drift| number((100.0 * drift).round()));
            format!(
                "mean margin of the networks over that of kernel logistic regression with the fixed NTK from f_{{0}} = 0, at epoch 10,000 ({}) or 200,000 \
                 ({}), whichever is farther from 1; the kernel has drifted by {} % of K(x, x) at the first, where figure 1 ends, and by {} % at \
                 the second",
                thousandths(ratio[0]),
                thousandths(ratio[1]),
                percent[0],
                percent[1]
            )
        },
        failing: Failing {
            below: "the kernel of this network does not stay: its outputs fall a tenth behind those of its fixed NTK",
            ..UNEXPLAINED
        },
    },
    Claim {
        name: "A5 figure 1: logits grow like ln t",
        place: "figure 1, Theorem 1",
        kind: Kind::Claim,
        about: |runs| subject(runs, "mean loss"),
        measure: |runs| {
            runs.over_seeds(|run| {
                let [from, to] = LATE.map(|t| at(run, t, |row| row.margin_mean));
                Some((to? - from?) / (LATE[1] / LATE[0]).ln())
            })
        },
        theory: |_| {
            Some(Theory::number(1.0).within(0.15, "a kernel that grows, and so a margin that is ahead of ln t"))
        },
        note: |_| "du/d ln t of the mean margin u from t = 1000 to 20,000".into(),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A5 figure 3: kinks at the training points",
        place: "figure 3",
        kind: Kind::Claim,
        about: |runs| subject(runs, ""),
        measure: |runs| runs.over_seeds(|run| Some(kink(run, END)? / kink(run, 0.0)?)),
        // of the network that figure 3 shows
        theory: |runs| (runs.net.bias == Bias::None).then(|| Theory::above(1.1).said("> 1.1; 1 without a kink")),
        note: |runs| {
            let step = |t: f64| runs.over_seeds(|run| Some(-slope(run, t, STEP)?));
            let [start, end] = [0.0, END].map(|t| spread(&step(t)));
            format!(
                "slope of K_{{t}}(x_{{0}}, x) from 54° to 59°, before the training points at ±60°, over that from 61° to 66°, after them, at \
                 t = 120,000, relative to t = 0. From 59° to 61° the kernel falls by {end} a degree, at t = 0 by {start}: units that rest on \
                 the kink of a training point switch there, all at once, so what the kernel of a point is at ±60° itself is chance"
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A5 Theorem 2 on the circle: the kernel keeps leaving the NTK",
        place: "Theorem 2, at points of the domain beside the training points",
        kind: Kind::Claim,
        about: |runs| subject(runs, "mean loss"),
        measure: |runs| runs.over_seeds(|run| Some(farthest_on_circle(run, END) / farthest_on_circle(run, LATE[0]))),
        theory: |_| Some(Theory::above(1.2).said("> 1.2; 1 if it stays")),
        note: |runs| {
            let bound = runs.flows.first().map_or(f64::NAN, |run| run.analytic_lambda_min);
            let largest = |t: f64| {
                runs.over_seeds(|run| Some(farthest_on_circle(run, t))).estimate().map_or(f64::NAN, |mean| mean.value)
            };
            let at_once = |constant: f64| {
                let passing = |run: &Finished| {
                    let row = run.profile.rows.iter().find(|row| (row.kernel - row.analytic).abs() >= constant)?;
                    Some(row.log_time.exp_m1())
                };
                let times: Vec<f64> = runs.flows.iter().filter_map(passing).collect();
                let last = match times.iter().copied().fold(0.0, larger) {
                    0.0 => String::new(),
                    last => format!(", the last of {} that pass it at t = {}", times.len(), rounded(last, None)),
                };
                let passed = times.iter().filter(|t| **t == 0.0).count();
                format!(
                    "{} (which {passed} of {} exceed at t = 0{last})",
                    thousandths(constant),
                    count(runs.flows.len(), "network")
                )
            };
            format!(
                "largest |K_{{t}}(x_{{0}}, x) − Θ(x_{{0}}, x)| along the circle up to t = 120,000 over that up to t = 1000; at t = 0 it is {}, at the end {}, \
                 against λ_{{0}}/(2n^{{2}}) = {} and λ_{{0}}/n = {}",
                thousandths(largest(0.0)),
                thousandths(largest(END)),
                at_once(bound / 72.0),
                at_once(bound / 6.0)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A5 the flow stands in for descent: margin",
        place: "rate 0.1 is below the stable rate",
        kind: Kind::Check,
        about: |runs| subject(runs, ""),
        measure: |runs| apart(runs, |row| row.margin_mean),
        theory: |runs| (!runs.descents.is_empty()).then(|| Theory::at_most(0.01)),
        note: |runs| of_descents(runs, "the mean margin", |row| row.margin_mean),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A5 the flow stands in for descent: kernel",
        place: "rate 0.1 is below the stable rate",
        kind: Kind::Check,
        about: |runs| subject(runs, ""),
        measure: |runs| apart(runs, |row| row.lambda_max),
        // of the kernel at a point, where gates that rest on their kinks take either side by chance
        theory: |runs| (!runs.descents.is_empty()).then(|| Theory::at_most(0.05)),
        note: |runs| of_descents(runs, "λ_{max}(K_{t})", |row| row.lambda_max),
        failing: UNEXPLAINED,
    },
];

/// Largest |ln ratio| at epoch 10,000 between descent and the flow from the same seed.
fn apart(runs: &Runs, column: fn(&TraceRow) -> f64) -> Measured {
    let apart: Option<Vec<f64>> =
        runs.descents.iter().map(|of| apart_at(runs, of, EPOCHS, column).map(f64::abs)).collect();
    Measured::extreme(apart.and_then(|all| all.into_iter().reduce(larger)), "no descent beside the flow")
}

/// ln of the ratio of descent to the flow from the same seed.
fn apart_at(runs: &Runs, (norm, descent): &(Norm, Finished), epoch: u64, column: fn(&TraceRow) -> f64) -> Option<f64> {
    let flow = runs.flows.iter().find(|run| run.cell.seed == descent.cell.seed)?;
    Some((at(descent, RATE * epoch as f64, column)? / at(flow, norm.time(epoch), column)?).ln())
}

fn of_descents(runs: &Runs, what: &str, column: fn(&TraceRow) -> f64) -> String {
    let of_one = |(norm, descent): &(Norm, Finished)| {
        let highest = descent.trace.rows.iter().map(|row| row.stability).fold(0.0, larger);
        format!("the {} (largest stability reading {})", norm.title(), thousandths(highest))
    };
    let all: Vec<String> = runs.descents.iter().map(of_one).collect();
    let mut text = format!(
        "largest |ln ratio| of {what} at epoch 10,000 between descent and flow from the same seed, on {}",
        all.join(" and ")
    );
    for of in &runs.descents {
        let epoch = of.1.cell.run.settings.training.max_steps;
        if let Some(apart) = apart_at(runs, of, epoch, column).filter(|_| epoch > EPOCHS) {
            text += &format!(
                "; at epoch {} on the {} the ln ratio is {}: there steps of descent are below the rounding of the parameters, which are in single \
                 precision",
                number(epoch as f64),
                of.0.title(),
                thousandths(apart)
            );
        }
    }
    text
}

fn ratio_to_fixed(run: &Finished, t: f64) -> Option<f64> {
    Some(at(run, t, |row| row.margin_mean)? / fixed_margin(run.analytic_lambda_min, t))
}

/// Degrees before the training points at +-60, around them, and behind.
const BEFORE: [f64; 2] = [54.0, 59.0];
const STEP: [f64; 2] = [59.0, 61.0];
const BEHIND: [f64; 2] = [61.0, 66.0];

/// Slope of K_t(x_0, x) per degree of the angle between these, mean over both sides of x_0.
fn slope(run: &Finished, t: f64, [from, to]: [f64; 2]) -> Option<f64> {
    let both = |degrees: f64| {
        let angle = degrees.to_radians();
        Some((kernel_at(run, t, angle)? + kernel_at(run, t, -angle)?) / 2.0)
    };
    Some((both(to)? - both(from)?) / (to - from))
}

/// Slope before the training points over that after them.
fn kink(run: &Finished, t: f64) -> Option<f64> {
    Some(slope(run, t, BEFORE)? / slope(run, t, BEHIND)?)
}
