//! How the drift falls with the width, and how long the kernel stays.

use super::Builder;
use crate::analysis::statistics::Estimate;
use crate::experiment::LossKind;
use crate::report::{Claim, number};
use crate::study::group::{Column, DRIFT, Group, Run};
use crate::study::judge::{self, Evidence, Judged};
use crate::study::net::CE;

/// Mean margin at which widths are compared: the kernel regime's end at the narrow ones.
pub const MARGIN: f64 = 2.0;
/// Relative drift whose time is asked for.
pub const SHARE: f64 = 0.1;
/// Mean margin behind which time grows exponentially with the margin.
const LATE: f64 = 0.5;
/// Allowance for slopes in width, whose law holds for small drift only.
const SLOPE_ALLOWANCE: f64 = 0.25;

/// Widths at which every seed passes the share of drift when time already grows exponentially with the margin.
pub fn late_widths(group: &Group<'_>) -> Vec<usize> {
    let late = |run: &Run<'_>| run.passes_drift(SHARE).is_some_and(|passage| passage.margin > LATE);
    group.widths().into_iter().filter(|width| group.at_width(CE, *width).iter().all(late)).collect()
}

/// c in t(m) ~ exp(c √m), t(m) the time at which a network of one of these widths passes the share of drift.
pub fn time_of_drift(group: &Group<'_>, widths: &[usize]) -> Option<Estimate> {
    group.slope(CE, widths, |run| Some(((run.width as f64).sqrt(), run.passes_drift(SHARE)?.log_time)))
}

impl<'g> Builder<'_, 'g> {
    /// The fall of the drift with the width: at a fixed margin, or the largest one of squared error.
    pub(super) fn falls_with_width(&self, loss: LossKind) -> Claim {
        let at_margin = loss == CE;
        let value = |run: &Run<'g>| if at_margin { run.at_margin(MARGIN, DRIFT) } else { Some(run.largest(DRIFT)) };
        let relative = |run: &Run<'g>| {
            let column: Column = |row| row.drift_fro;
            if at_margin { run.at_margin(MARGIN, column) } else { Some(run.largest(column)) }
        };
        // c u^2/m is the law of small drift
        let small = |width: &usize| {
            let shares: Option<Vec<f64>> = self.group.at_width(loss, *width).iter().map(relative).collect();
            shares.and_then(|s| Estimate::from_values(&s)).is_some_and(|s| s.value < 0.3)
        };
        let widths: Vec<usize> = self.group.widths().into_iter().filter(small).collect();
        let measured = if widths.len() >= 2 { self.group.exponent_in_width(loss, &widths, value) } else { None };
        let holds = judge::agrees(measured, -1.0, SLOPE_ALLOWANCE);
        let (what, claim) = if at_margin {
            (format!("drift at mean margin {}", number(MARGIN)), "A3 fall of the drift with the width")
        } else {
            ("largest drift".into(), "A3 fall of the largest drift with the width")
        };
        let note = format!(
            "slope of ln({what}) against ln m over widths {widths:?}, those of less than 30 % relative drift there; \
             allowed: two standard errors, or {SLOPE_ALLOWANCE}"
        );
        self.claim(claim, &loss.to_string(), Judged { measured, theory: "−1".into(), holds, note })
    }

    /// t(m) ~ exp(c sqrt(m)).
    pub(super) fn time_of_drift(&self) -> Claim {
        let widths = late_widths(self.group);
        let measured = time_of_drift(self.group, &widths);
        let times: Vec<String> = self.group.widths().iter().map(|width| self.time_at(*width)).collect();
        let note = format!(
            "c in t(m) ~ exp(c √m), t(m) the time at which |K_{{t}} − K_{{0}}|_{{F}}/|K_{{0}}|_{{F}} passes 10 %, fitted over \
             widths {widths:?} (those that pass it behind mean margin {LATE}); t(m): {}",
            times.join(", ")
        );
        let holds = judge::positive(measured, Evidence::ANY);
        let theory = "c > 0".into();
        self.claim("A3 time of 10 % drift, exp(c √m)", &CE.to_string(), Judged { measured, theory, holds, note })
    }

    /// `64: 12.3`, the geometric mean over seeds.
    fn time_at(&self, width: usize) -> String {
        let times: Option<Vec<f64>> = self
            .group
            .at_width(CE, width)
            .iter()
            .map(|run| run.passes_drift(SHARE).map(|passage| passage.log_time))
            .collect();
        let mean =
            times.and_then(|t| Estimate::from_values(&t)).map_or("not passed".into(), |t| number(t.value.exp_m1()));
        format!("{width}: {mean}")
    }

    /// The margin at which the drift passes 10 % grows like sqrt(m): drift ~ c u^2/m.
    pub(super) fn margin_of_drift(&self) -> Claim {
        let widths = late_widths(self.group);
        let measured = if widths.len() >= 2 {
            self.group.exponent_in_width(CE, &widths, |run| run.passes_drift(SHARE).map(|passage| passage.margin))
        } else {
            None
        };
        let holds = judge::agrees(measured, 0.5, 0.15);
        let note = format!(
            "exponent a of u ~ m^{{a}}, u the mean margin at 10 % drift, widths {widths:?}; allowed: two standard errors, or 0.15"
        );
        let theory = "1/2, from drift ~ c u^{2}/m".into();
        self.claim("A3 margin of 10 % drift", &CE.to_string(), Judged { measured, theory, holds, note })
    }
}
