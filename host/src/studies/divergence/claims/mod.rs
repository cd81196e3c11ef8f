//! The table of claims: what the paper proves or theory derives, and the number measured for it.
//!
//! A verdict is about the runs that were made and says no more: *holds* where the measured number is where the
//! claim has it, within two standard errors over seeds or the allowance that the note states; *not reached* where
//! the runs ended too early to tell.

mod width;

pub use width::{MARGIN, SHARE, late_widths, time_of_drift};

use crate::analysis::statistics::{Curve, Estimate};
use crate::experiment::LossKind;
use crate::report::{Claim, number};
use crate::study::group::{Column, DRIFT, Group, Run};
use crate::study::judge::{self, Evidence, Judged};
use crate::study::net::{CE, MSE};

/// Mean margin at which movement is compared with the linearized network's: within the kernel regime.
const EARLY: f64 = 0.5;
/// Mean loss below which squared error counts as fitted.
const FITTED: f64 = 1e-4;
/// Allowance for the exponent of the drift at margins of 10^4.
const EXPONENT_ALLOWANCE: f64 = 0.08;

const DISTANCE: Column = |row| row.param_distance;

/// The claims about a group of runs with both losses.
pub fn along_training(group: &Group<'_>) -> Vec<Claim> {
    let builder = Builder { group };
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

/// The claims about a group of runs under cross-entropy to very large margins.
pub fn at_large_margins(group: &Group<'_>) -> Vec<Claim> {
    let builder = Builder { group };
    vec![builder.exponent(), builder.parameters_diverge()]
}

struct Builder<'a, 'g> {
    group: &'a Group<'g>,
}

impl<'g> Builder<'_, 'g> {
    fn claim(&self, claim: &str, loss: &str, judged: Judged) -> Claim {
        judged.claim(claim, self.group.subject(loss))
    }
    fn widest(&self) -> usize {
        self.group.widest()
    }
    /// Mean over the seeds of the widest networks.
    fn at_widest(&self, loss: LossKind, value: impl Fn(&Run<'g>) -> Option<f64>) -> Option<Estimate> {
        self.group.mean_at(loss, self.widest(), value)
    }
    fn reached(&self) -> String {
        let furthest = self.group.runs(CE).map(|run| run.last().log_time).fold(f64::INFINITY, f64::min);
        let margin = self.group.runs(CE).map(|run| run.last().margin_mean).fold(f64::INFINITY, f64::min);
        let exponent = number((crate::report::decimal_exponent(furthest)).floor());
        format!("every run to a mean margin of {} at least, t = 10^{{{exponent}}}", number(margin))
    }

    /// A2: |theta_t - theta_0| goes on growing while lambda_min(K_t) stays positive.
    fn parameters_diverge(&self) -> Claim {
        let exponents: Option<Vec<f64>> = self.group.runs(CE).map(|run| run.last_exponent(DISTANCE)).collect();
        let measured = self.at_widest(CE, |run| run.last_exponent(DISTANCE));
        let lambda = self.group.runs(CE).map(|run| run.smallest(|row| row.lambda_min)).fold(f64::INFINITY, f64::min);
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
        let grow = judge::above(exponents.map(|_| slowest), 0.0);
        let holds = judge::both(grow, judge::above(Some(lambda), 0.0));
        self.claim(
            "A2 parameters diverge under cross-entropy",
            &CE.to_string(),
            Judged { measured, theory, holds, note },
        )
    }

    /// A2 in numbers: in the kernel regime the parameters move as those of the linearized network.
    fn distance_of_the_kernel(&self) -> Claim {
        let ratio = |run: &Run<'g>| {
            let rows = &run.finished.predictions.rows;
            let linear = Curve::new(rows.iter().map(|r| (r.linearized.margin_mean.ln(), r.linearized.distance.ln())));
            Some(run.at_margin(EARLY, DISTANCE)? / linear.at(EARLY.ln())?.exp())
        };
        let measured = self.at_widest(CE, ratio);
        let holds = judge::agrees(measured, 1.0, 0.1);
        let note = format!(
            "|θ_{{t}} − θ_{{0}}| of the network over that of its linearization, at mean margin {} and width {}; allowed: two \
             standard errors, or 0.1 for the drift until then",
            number(EARLY),
            self.widest()
        );
        let theory = "1".into();
        self.claim("A2 distance as the kernel predicts it", &CE.to_string(), Judged { measured, theory, holds, note })
    }

    /// A3: the drift goes on growing under cross-entropy.
    fn drift_grows(&self) -> Claim {
        let exponents: Option<Vec<f64>> = self.group.runs(CE).map(|run| run.last_exponent(DRIFT)).collect();
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
        let grow = judge::above(exponents.map(|_| slowest), 0.0);
        let holds = judge::both(grow, judge::positive(measured, Evidence::ANY));
        self.claim("A3 drift grows on under cross-entropy", &CE.to_string(), Judged { measured, theory, holds, note })
    }

    /// A3, the contrast: under squared error it comes to rest.
    fn drift_saturates(&self) -> Claim {
        let growth = |run: Run<'g>| {
            let drift = Curve::new(run.rows().map(|row| (-row.loss.ln(), row.drift_max)));
            Some((run.last().drift_max / drift.at(-FITTED.ln())?).ln())
        };
        let values: Option<Vec<f64>> = self.group.runs(MSE).map(growth).collect();
        let fitted = self.group.runs(MSE).map(|run| run.last().loss).fold(0.0, f64::max);
        let measured = values.as_ref().and_then(|values| Estimate::from_values(values));
        let largest = values.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
        let note = format!(
            "ln of the final drift over the drift where the mean loss is {}, mean over all widths and seeds; the loss went \
             on to {} at most; largest of a run {}, of either sign (units at their kinks); allowed: two standard errors, or 0.1",
            number(FITTED),
            number(fitted),
            number(largest)
        );
        let holds = judge::agrees(measured.filter(|_| fitted < 1e-2 * FITTED), 0.0, 0.1);
        let theory = "0".into();
        self.claim("A3 drift saturates under squared error", &MSE.to_string(), Judged { measured, theory, holds, note })
    }

    /// A3: the two losses beside one another.
    fn losses_part(&self) -> Claim {
        let ratio = |run: &Run<'g>| {
            let other = self.group.run(MSE, run.width, run.seed)?;
            Some(run.largest(DRIFT) / other.largest(DRIFT))
        };
        let paired = || self.group.runs(CE).filter(|run| !self.group.has_failed(MSE, run.width, run.seed));
        let all: Option<Vec<f64>> = paired().map(|run| ratio(&run)).collect();
        let widest: Option<Vec<f64>> =
            paired().filter(|run| run.width == self.widest()).map(|run| ratio(&run)).collect();
        let measured = widest.and_then(|ratios| Estimate::from_values(&ratios));
        let smallest = all.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let note = format!(
            "largest drift under cross-entropy over that under squared error, same start, at width {}; smallest over all \
             runs {}; {}",
            self.widest(),
            number(smallest),
            self.reached()
        );
        let holds = judge::above(all.map(|_| smallest), 1.0);
        let theory = "→ ∞ with t".into();
        self.claim("A3 cross-entropy against squared error", "both", Judged { measured, theory, holds, note })
    }

    /// The exponent of the drift at large margins, 2L/(L + 1).
    fn exponent(&self) -> Claim {
        let reached = self.group.runs(CE).map(|run| run.largest(|row| row.margin_mean)).fold(f64::INFINITY, f64::min);
        // the last decade and a half
        let from = reached / 30.0;
        let exponents: Option<Vec<f64>> = self.group.runs(CE).map(|run| run.exponent(from..=reached, DRIFT)).collect();
        let measured = exponents.and_then(|e| Estimate::from_values(&e));
        let note = format!(
            "exponent q of max|K_{{t}} − K_{{0}}| ~ u^{{q}} for mean margins from {} to {}, width {}",
            number(from),
            number(reached),
            self.widest()
        );
        let depth = self.group.net.depth as f64;
        let judged = measured.filter(|_| reached >= 1e4 * 0.999);
        let (theory, holds, note) = match self.group.net.exponent() {
            Some(exponent) => (
                format!("2L/(L+1) = {}", number(exponent)),
                judge::within(judged.map(|m| m.value), exponent, EXPONENT_ALLOWANCE),
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
                    judge::positive(judged, Evidence::ANY),
                    format!("{note}; only its sign is judged"),
                )
            }
        };
        self.claim("A3 exponent of the divergence", &CE.to_string(), Judged { measured, theory, holds, note })
    }
}
