//! The table of claims: what the paper proves or theory derives, and the number measured for it.
//!
//! A verdict is about the runs that were made and says no more: *holds* where the measured number is where the
//! claim has it, within two standard errors over seeds or the allowance that the note states; *not reached* where
//! the runs ended too early to tell.

use super::group::{Group, Run};
use super::plan::{Part, init_name, loss_name};
use crate::report::{Claim, TraceRow, Verdict, number};
use crate::settings::LossKind;
use crate::studies::statistics::{Curve, Estimate, line};

const CE: LossKind = LossKind::CrossEntropy;
const MSE: LossKind = LossKind::Mse;
/// Mean margin at which widths are compared: the kernel regime's end at the narrow ones.
pub const MARGIN: f64 = 2.0;
/// Mean margin at which movement is compared with the linearized network's: within the kernel regime.
const EARLY: f64 = 0.5;
/// Relative drift whose time is asked for.
pub const SHARE: f64 = 0.1;
/// Mean margin behind which time grows exponentially with the margin.
const LATE: f64 = 0.5;
/// Mean loss below which squared error counts as fitted.
const FITTED: f64 = 1e-4;
/// Allowance for slopes in width, whose law holds for small drift only.
const SLOPE_ALLOWANCE: f64 = 0.25;
/// Allowance for the exponent of the drift at margins of 10^4.
const EXPONENT_ALLOWANCE: f64 = 0.08;

type Column = fn(&TraceRow) -> f64;
const DRIFT: Column = |row| row.drift_max;
const DISTANCE: Column = |row| row.param_distance;

/// All claims about a group of runs.
pub fn of_group(group: &Group<'_>) -> Vec<Claim> {
    let builder = Builder { group };
    match group.part {
        Part::Exponent => vec![builder.exponent(), builder.parameters_diverge()],
        _ => {
            vec![
                builder.parameters_diverge(),
                builder.distance_of_the_kernel(),
                builder.drift_grows(),
                builder.drift_saturates(),
                builder.losses_part(),
                builder.falls_with_width(CE),
                builder.falls_with_width(MSE),
                builder.time_of_drift(),
                builder.margin_of_drift(),
            ]
        }
    }
}

/// Widths at which every seed passes the share of drift when time already grows exponentially with the margin.
pub fn late_widths(group: &Group<'_>) -> Vec<usize> {
    let late = |run: &Run<'_>| run.passes_drift(SHARE).is_some_and(|(_, margin)| margin > LATE);
    group.widths().into_iter().filter(|width| group.at_width(CE, *width).iter().all(late)).collect()
}

struct Builder<'a, 'g> {
    group: &'a Group<'g>,
}

/// What a claim is judged by.
struct Judged {
    measured: Option<Estimate>,
    theory: String,
    /// `None`: not reached
    holds: Option<bool>,
    note: String,
}

impl<'g> Builder<'_, 'g> {
    fn claim(&self, claim: &str, loss: &str, judged: Judged) -> Claim {
        let Judged { measured, theory, holds, note } = judged;
        let one_seed = if measured.is_some_and(|m| m.count == 1) { "; one seed, so no standard error" } else { "" };
        Claim {
            claim: claim.into(),
            network: format!("{}; {}", self.group.net.title(), self.group.part.name()),
            loss: loss.into(),
            init: init_name(self.group.init).into(),
            measured: measured.map(|m| m.value),
            uncertainty: measured.and_then(|m| m.error),
            theory,
            verdict: match (holds, measured) {
                (Some(true), Some(_)) => Verdict::Holds,
                (Some(false), Some(_)) => Verdict::Fails,
                _ => Verdict::NotReached,
            },
            note: format!("{note}{one_seed}"),
        }
    }

    fn widest(&self) -> usize {
        self.group.widths().last().copied().unwrap_or(0)
    }
    /// Mean over the seeds of the widest networks.
    fn at_widest(&self, loss: LossKind, value: impl Fn(&Run<'g>) -> Option<f64>) -> Option<Estimate> {
        let values: Option<Vec<f64>> = self.group.at_width(loss, self.widest()).iter().map(value).collect();
        Estimate::of(&values?)
    }
    /// The slope of ln(value) against ln(width), for every seed, and its mean.
    fn slope_in_width(
        &self,
        loss: LossKind,
        widths: &[usize],
        value: impl Fn(&Run<'g>) -> Option<f64>,
    ) -> Option<Estimate> {
        let of_seed = |seed: u64| {
            let point = |width: &usize| {
                let value = value(&self.group.one(loss, *width, seed)?)?;
                Some(((*width as f64).ln(), value.ln()))
            };
            let points: Option<Vec<_>> = widths.iter().map(point).collect();
            Some(line(&points?)?.0)
        };
        let slopes: Option<Vec<f64>> = self.group.seeds().into_iter().map(of_seed).collect();
        Estimate::of(&slopes?)
    }
    fn reached(&self) -> String {
        let furthest = self.group.all(CE).map(|run| run.last().log_time).fold(f64::INFINITY, f64::min);
        let margin = self.group.all(CE).map(|run| run.last().margin_mean).fold(f64::INFINITY, f64::min);
        let exponent = number((crate::plot::decimal_exponent(furthest)).floor());
        format!("every run to a mean margin of {} at least, t = 10^{{{exponent}}}", number(margin))
    }

    /// A2: |theta_t - theta_0| goes on growing while lambda_min(K_t) stays positive.
    fn parameters_diverge(&self) -> Claim {
        let exponents: Option<Vec<f64>> = self.group.all(CE).map(|run| run.last_exponent(DISTANCE)).collect();
        let measured = self.at_widest(CE, |run| run.last_exponent(DISTANCE));
        let lambda = self.group.all(CE).map(|run| run.smallest(|row| row.lambda_min)).fold(f64::INFINITY, f64::min);
        let slowest = exponents.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let depth = self.group.net.depth as f64;
        let theory = match self.group.net.exponent() {
            Some(_) => format!("between 1/(L+1) = {} (late) and 1 (kernel regime)", number(1.0 / (depth + 1.0))),
            None => "> 0; 1 in the kernel regime".into(),
        };
        let note = format!(
            "exponent p of |θ_{{t}} − θ_{{0}}| ~ u^{{p}} over the last doubling of the mean margin u, at width {}; \
             smallest over all runs {}; λ_{{min}}(K_{{t}}) never below {}; {}",
            self.widest(),
            number(slowest),
            number(lambda),
            self.reached()
        );
        let holds = exponents.map(|_| slowest > 0.0 && lambda > 0.0);
        self.claim("A2 parameters diverge under cross-entropy", loss_name(CE), Judged { measured, theory, holds, note })
    }

    /// A2 in numbers: in the kernel regime the parameters move as those of the linearized network.
    fn distance_of_the_kernel(&self) -> Claim {
        let ratio = |run: &Run<'g>| {
            let rows = &run.finished.predictions.rows;
            let linear = Curve::new(rows.iter().map(|r| (r.linearized.margin_mean.ln(), r.linearized.distance.ln())));
            Some(run.at_margin(EARLY, DISTANCE)? / linear.at(EARLY.ln())?.exp())
        };
        let measured = self.at_widest(CE, ratio);
        let allowance = measured.map(|m| (2.0 * m.error_or_0()).max(0.1));
        let holds = measured.zip(allowance).map(|(m, a)| (m.value - 1.0).abs() <= a);
        let note = format!(
            "|θ_{{t}} − θ_{{0}}| of the network over that of its linearization, at mean margin {} and width {}; allowed: two \
             standard errors, or 0.1 for the drift until then",
            number(EARLY),
            self.widest()
        );
        let theory = "1".into();
        self.claim("A2 distance as the kernel predicts it", loss_name(CE), Judged { measured, theory, holds, note })
    }

    /// A3: the drift goes on growing under cross-entropy.
    fn drift_grows(&self) -> Claim {
        let exponents: Option<Vec<f64>> = self.group.all(CE).map(|run| run.last_exponent(DRIFT)).collect();
        let measured = self.at_widest(CE, |run| run.last_exponent(DRIFT));
        let slowest = exponents.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let theory = match self.group.net.exponent() {
            Some(exponent) => format!("2 in the kernel regime, 2L/(L+1) = {} late", number(exponent)),
            None => "> 0; 2 in the kernel regime".into(),
        };
        let note = format!(
            "exponent q of max|K_{{t}} − K_{{0}}| ~ u^{{q}} over the last doubling of the mean margin, at width {}; smallest \
             over all runs {}; {}; growth without bound is seen as far as that",
            self.widest(),
            number(slowest),
            self.reached()
        );
        let holds = exponents.zip(measured).map(|(_, m)| slowest > 0.0 && m.value > 2.0 * m.error_or_0());
        self.claim("A3 drift grows on under cross-entropy", loss_name(CE), Judged { measured, theory, holds, note })
    }

    /// A3, the contrast: under squared error it comes to rest.
    fn drift_saturates(&self) -> Claim {
        let late = |run: &Run<'g>| {
            let drift = Curve::new(run.rows().map(|row| (-row.loss.ln(), row.drift_max)));
            let last = run.last();
            Some((last.drift_max - drift.at(-FITTED.ln())?).abs() / last.drift_max)
        };
        let values: Option<Vec<f64>> = self.group.all(MSE).map(|run| late(&run)).collect();
        let fitted = self.group.all(MSE).map(|run| run.last().loss).fold(0.0, f64::max);
        let measured = values.as_ref().and_then(|values| Estimate::of(values));
        let worst = values.iter().flatten().copied().fold(0.0, f64::max);
        let note = format!(
            "share of the final drift that came while the mean loss fell from {} to {} at most, mean over all widths and \
             seeds; largest {}; allowed 0.1",
            number(FITTED),
            number(fitted),
            number(worst)
        );
        let holds = (fitted < 1e-2 * FITTED).then_some(worst <= 0.1);
        let theory = "0".into();
        self.claim("A3 drift saturates under squared error", loss_name(MSE), Judged { measured, theory, holds, note })
    }

    /// A3: the two losses beside one another.
    fn losses_part(&self) -> Claim {
        let ratio = |run: &Run<'g>| {
            let other = self.group.one(MSE, run.width, run.seed)?;
            Some(run.largest(DRIFT) / other.largest(DRIFT))
        };
        let all: Option<Vec<f64>> = self.group.all(CE).map(|run| ratio(&run)).collect();
        let measured = self.at_widest(CE, ratio);
        let smallest = all.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let note = format!(
            "largest drift under cross-entropy over that under squared error, same start, at width {}; smallest over all \
             runs {}; {}",
            self.widest(),
            number(smallest),
            self.reached()
        );
        let holds = all.map(|_| smallest > 1.0);
        let theory = "→ ∞ with t".into();
        self.claim("A3 cross-entropy against squared error", "both", Judged { measured, theory, holds, note })
    }

    /// The fall of the drift with the width: at a fixed margin, or the largest one of squared error.
    fn falls_with_width(&self, loss: LossKind) -> Claim {
        let value = |run: &Run<'g>| match loss {
            CE => run.at_margin(MARGIN, DRIFT),
            _ => Some(run.largest(DRIFT)),
        };
        let relative = |run: &Run<'g>| match loss {
            CE => run.at_margin(MARGIN, |row| row.drift_fro),
            _ => Some(run.largest(|row| row.drift_fro)),
        };
        // c u^2/m is the law of small drift
        let small = |width: &usize| {
            let shares: Option<Vec<f64>> = self.group.at_width(loss, *width).iter().map(relative).collect();
            shares.and_then(|s| Estimate::of(&s)).is_some_and(|s| s.value < 0.3)
        };
        let widths: Vec<usize> = self.group.widths().into_iter().filter(small).collect();
        let measured = if widths.len() >= 2 { self.slope_in_width(loss, &widths, value) } else { None };
        let allowance = measured.map(|m| (2.0 * m.error_or_0()).max(SLOPE_ALLOWANCE));
        let holds = measured.zip(allowance).map(|(m, a)| (m.value + 1.0).abs() <= a);
        let (what, claim) = match loss {
            CE => (format!("drift at mean margin {}", number(MARGIN)), "A3 fall of the drift with the width"),
            _ => ("largest drift".into(), "A3 fall of the largest drift with the width"),
        };
        let note = format!(
            "slope of ln({what}) against ln m over widths {widths:?}, those of less than 30 % relative drift there; \
             allowed: two standard errors, or {SLOPE_ALLOWANCE}"
        );
        self.claim(claim, loss_name(loss), Judged { measured, theory: "−1".into(), holds, note })
    }

    /// t(m) ~ exp(c sqrt(m)).
    fn time_of_drift(&self) -> Claim {
        let widths = late_widths(self.group);
        let of_seed = |seed: u64| {
            let point = |width: &usize| {
                let (time, _) = self.group.one(CE, *width, seed)?.passes_drift(SHARE)?;
                Some(((*width as f64).sqrt(), time))
            };
            let points: Option<Vec<_>> = widths.iter().map(point).collect();
            Some(line(&points?)?.0)
        };
        let slopes: Option<Vec<f64>> = self.group.seeds().into_iter().map(of_seed).collect();
        let measured = if widths.len() >= 2 { slopes.and_then(|s| Estimate::of(&s)) } else { None };
        let times: Vec<String> = self.group.widths().iter().map(|width| self.time_at(*width)).collect();
        let note = format!(
            "c in t(m) ~ exp(c √m), t(m) the time at which |K_{{t}} − K_{{0}}|_{{F}}/|K_{{0}}|_{{F}} passes 10 %, fitted over \
             widths {widths:?} (those that pass it behind mean margin {LATE}); t(m): {}",
            times.join(", ")
        );
        let holds = measured.map(|m| m.value > 2.0 * m.error_or_0());
        let theory = "c > 0".into();
        self.claim("A3 time of 10 % drift, exp(c √m)", loss_name(CE), Judged { measured, theory, holds, note })
    }

    /// `64: 12.3`, the geometric mean over seeds.
    fn time_at(&self, width: usize) -> String {
        let times: Option<Vec<f64>> =
            self.group.at_width(CE, width).iter().map(|run| run.passes_drift(SHARE).map(|(time, _)| time)).collect();
        let mean = times.and_then(|t| Estimate::of(&t)).map_or("not passed".into(), |t| number(t.value.exp_m1()));
        format!("{width}: {mean}")
    }

    /// The margin at which the drift passes 10 % grows like sqrt(m): drift ~ c u^2/m.
    fn margin_of_drift(&self) -> Claim {
        let widths = late_widths(self.group);
        let measured = if widths.len() >= 2 {
            self.slope_in_width(CE, &widths, |run| run.passes_drift(SHARE).map(|(_, margin)| margin))
        } else {
            None
        };
        let allowance = measured.map(|m| (2.0 * m.error_or_0()).max(0.15));
        let holds = measured.zip(allowance).map(|(m, a)| (m.value - 0.5).abs() <= a);
        let note = format!(
            "exponent a of u ~ m^{{a}}, u the mean margin at 10 % drift, widths {widths:?}; allowed: two standard errors, or 0.15"
        );
        let theory = "1/2, from drift ~ c u^{2}/m".into();
        self.claim("A3 margin of 10 % drift", loss_name(CE), Judged { measured, theory, holds, note })
    }

    /// The exponent of the drift at large margins, 2L/(L + 1).
    fn exponent(&self) -> Claim {
        let reached = self.group.all(CE).map(|run| run.largest(|row| row.margin_mean)).fold(f64::INFINITY, f64::min);
        // the last decade and a half
        let window = (reached / 30.0, reached);
        let exponents: Option<Vec<f64>> = self.group.all(CE).map(|run| run.exponent(window, DRIFT)).collect();
        let measured = exponents.and_then(|e| Estimate::of(&e));
        let note = format!(
            "exponent q of max|K_{{t}} − K_{{0}}| ~ u^{{q}} for mean margins from {} to {}, width {}",
            number(window.0),
            number(window.1),
            self.widest()
        );
        let depth = self.group.net.depth as f64;
        let far = reached >= 1e4 * 0.999;
        let (theory, holds, note) = match self.group.net.exponent() {
            Some(exponent) => (
                format!("2L/(L+1) = {}", number(exponent)),
                measured.filter(|_| far).map(|m| (m.value - exponent).abs() <= EXPONENT_ALLOWANCE),
                format!("{note}; allowed {EXPONENT_ALLOWANCE}"),
            ),
            None => {
                // of all products of weights the longest, v V_L W_L … V_1 W_1 A, has degree 2L + 2
                let longest = 2.0 * (2.0 * depth + 1.0) / (2.0 * depth + 2.0);
                (
                    format!(
                        "none known; > 0, and {} if the longest product of weights alone remained",
                        number(longest)
                    ),
                    measured.filter(|_| far).map(|m| m.value > 2.0 * m.error_or_0()),
                    format!("{note}; only its sign is judged"),
                )
            }
        };
        self.claim("A3 exponent of the divergence", loss_name(CE), Judged { measured, theory, holds, note })
    }
}
