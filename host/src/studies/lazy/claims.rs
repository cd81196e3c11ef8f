//! The claims of the study: what keeps the kernel, where training ends, and how the ends are spread.

use super::ensemble::{Ensemble, Members};
use super::plan::Kind;
use crate::analysis::law::Law;
use crate::analysis::statistics::{Curve, Estimate, line};
use crate::experiment::LossKind;
use crate::report::{Claim, Verdict, number};
use crate::run::TraceRow;
use crate::study::group::{Group, Run};
use crate::study::judged::Judged;
use crate::study::plan::Part;

const CE: LossKind = LossKind::CROSS_ENTROPY;
const DRIFT: fn(&TraceRow) -> f64 = |row| row.drift_max;

/// Penalty from which on network and kernel should agree on images.
const STRONG: f64 = 0.1;

/// The runs of one kind beside the plain ones of the same part and network.
pub struct OfKind<'a> {
    /// penalty or smoothing
    pub kind: Kind,
    /// its runs
    pub group: &'a Group<'a>,
    /// runs of plain cross-entropy
    pub plain: Option<&'a Group<'a>>,
}

/// All claims about runs of one kind.
pub fn of_runs(kept: &OfKind<'_>) -> Vec<Claim> {
    match (kept.group.part, kept.kind) {
        (Part::Conflicting, _) => vec![kept.bounded("B2"), kept.targets_met()],
        (_, Kind::Plain) => Vec::new(),
        (_, Kind::Penalty(lambda)) => {
            let mut claims = vec![kept.bounded("B1"), kept.falls("B1"), kept.ends_near(), kept.distance_bound()];
            // a weaker penalty leaves the kernel regime at these widths; the table of runs has its agreement too
            let judged = matches!(kept.group.part, Part::Mnist | Part::MnistTen) && lambda >= STRONG;
            claims.extend(judged.then(|| kept.agreement()));
            claims
        }
        (_, Kind::Smoothing(_)) => {
            vec![kept.bounded("B2"), kept.falls("B2"), kept.on_the_plain_curve(), kept.ends_near()]
        }
    }
}

/// B2, the other end: as eps falls to 0 the targets become hard, and laziness is lost. Of all kinds of a network.
pub fn lost_with_smoothing(kinds: &[OfKind<'_>]) -> Option<Claim> {
    let soft: Vec<(f64, &OfKind<'_>)> = kinds
        .iter()
        .filter_map(|kept| match kept.kind {
            Kind::Smoothing(eps) => Some((((1.0 - 0.5 * eps) / (0.5 * eps)).ln(), kept)),
            _ => None,
        })
        .collect();
    let (_, first) = soft.first()?;
    // the widest that all of them have
    let width = *first.group.widths().iter().rfind(|w| soft.iter().all(|(_, kept)| kept.group.widths().contains(w)))?;
    let of_seed = |seed: u64| {
        let point = |(margin, kept): &(f64, &OfKind<'_>)| {
            Some((margin.ln(), kept.group.one(CE, width, seed)?.last().drift_max.ln()))
        };
        let points: Option<Vec<_>> = soft.iter().map(point).collect();
        Some(line(&points?)?.0)
    };
    let slopes: Option<Vec<f64>> = first.group.seeds().into_iter().map(of_seed).collect();
    let measured = Estimate::of(&slopes?);
    let spread = measured.and_then(|m| m.error.map(|error| (m.value, 2.0 * error)));
    let holds = spread.and_then(|(q, spread)| (q.abs() > spread).then_some(q > 0.0)).filter(|_| soft.len() > 1);
    let note = format!(
        "exponent q of the final drift ~ u^{{q}} over u = logit(1 − ε/2), ε from the largest to the smallest, width {width}: the drift \
         grows without bound as ε → 0"
    );
    let theory = "> 0; 2 in the kernel regime".into();
    let mut claim = first.claim("B2 laziness is lost as ε → 0".into(), Judged { measured, theory, holds, note });
    claim.loss = "cross-entropy, soft targets".into();
    Some(claim)
}

impl<'a> OfKind<'a> {
    fn claim(&self, claim: String, judged: Judged) -> Claim {
        judged.claim(claim, self.group, format!("cross-entropy, {}", self.kind.title()))
    }
    /// Slope of ln(value) against ln(width), over all widths.
    fn slope(&self, value: impl Fn(&Run<'a>) -> Option<f64>) -> Option<Estimate> {
        self.group.exponent_in_width(CE, &self.group.widths(), value)
    }
    fn by_width(&self, value: impl Fn(&Run<'a>) -> f64) -> String {
        let at = |width: &usize| {
            let values: Vec<f64> = self.group.at_width(CE, *width).iter().map(&value).collect();
            format!("{width}: {}", Estimate::of(&values).map_or("none".into(), |e| number(e.value)))
        };
        self.group.widths().iter().map(at).collect::<Vec<_>>().join(", ")
    }

    /// B1, B2: the drift comes to rest.
    fn bounded(&self, letter: &str) -> Claim {
        let growth = |run: Run<'a>| {
            let last = run.last();
            let drift = Curve::new(run.rows().map(|row| (row.log_time, row.drift_max)));
            Some((last.drift_max / drift.at(last.log_time - 2.0f64.ln())?).ln())
        };
        let values: Option<Vec<f64>> = self.group.all(CE).map(growth).collect();
        let measured = values.and_then(|values| Estimate::of(&values));
        let holds = measured.and_then(|m| m.agrees(0.0, 0.1));
        let note = format!(
            "ln of the drift's growth over the last doubling of time, mean over widths and seeds; largest drift at each \
             width: {}; allowed: two standard errors, or 0.1",
            self.by_width(|run| run.largest(DRIFT))
        );
        let claim = format!("{letter} drift comes to rest under cross-entropy");
        self.claim(claim, Judged { measured, theory: "0".into(), holds, note })
    }

    /// B1, B2: the largest drift falls like 1/width.
    fn falls(&self, letter: &str) -> Claim {
        let measured = self.slope(|run| Some(run.largest(DRIFT)));
        let holds = measured.and_then(|m| m.agrees(-1.0, 0.25));
        let note = format!(
            "slope of ln(largest drift) against ln m, widths {:?}; allowed: two standard errors, or 0.25",
            self.group.widths()
        );
        let claim = format!("{letter} fall of the largest drift with the width");
        self.claim(claim, Judged { measured, theory: "−1".into(), holds, note })
    }

    /// B2: soft targets stop on the curve that plain cross-entropy goes on along.
    fn on_the_plain_curve(&self) -> Claim {
        let Kind::Smoothing(eps) = self.kind else { unreachable!("soft targets only") };
        let margin = ((1.0 - 0.5 * eps) / (0.5 * eps)).ln();
        let ratio = |run: &Run<'a>| {
            let plain = self.plain?.one(CE, run.width, run.seed)?;
            Some(run.last().drift_max / plain.at_margin(margin, DRIFT)?)
        };
        // the widest that plain runs have too
        let width = self.plain.and_then(|plain| plain.widths().last().copied()).unwrap_or(0);
        let values: Option<Vec<f64>> = self.group.at_width(CE, width).iter().map(ratio).collect();
        let measured = values.and_then(|values| Estimate::of(&values));
        let holds = measured.and_then(|m| m.agrees(1.0, 0.3));
        let note = format!(
            "final drift over that of plain cross-entropy from the same start at margin logit(1 − ε/2) = {}, width {width}; \
             allowed: two standard errors, or 0.3",
            number(margin)
        );
        let claim = "B2 drift as plain cross-entropy has it at the targets' margin".into();
        self.claim(claim, Judged { measured, theory: "1".into(), holds, note })
    }

    /// B3: the end is near the linearized network's, the nearer the wider.
    fn ends_near(&self) -> Claim {
        // training points meet soft targets whatever the kernel
        let (difference, where_): (fn(&Run<'_>) -> Option<f64>, _) = match self.kind {
            Kind::Penalty(_) => (|run| Some(run.finished.limit?.linearized.measured.difference), "training"),
            _ => (|run| Some(run.finished.limit?.linearized.measured.difference_held_out), "held-out"),
        };
        let measured = self.slope(difference);
        // neither falling nor growing for certain: more seeds or widths would tell
        let spread = measured.and_then(|m| m.error.map(|error| (m.value, 2.0 * error)));
        let holds = spread.and_then(|(slope, spread)| (slope.abs() > spread).then_some(slope < 0.0));
        let note = format!(
            "slope of ln |f_{{T}} − f*[K_{{0}}]| (largest over the {where_} points) against ln m; |f_{{T}} − f*| at each width: {}, \
             with the analytic NTK in place of K_{{0}}: {}",
            self.by_width(|run| difference(run).unwrap_or(f64::NAN)),
            self.by_width(|run| run.finished.limit.map_or(f64::NAN, |limit| match self.kind {
                Kind::Penalty(_) => limit.ntk.measured.difference,
                _ => limit.ntk.measured.difference_held_out,
            }))
        );
        let theory = "< 0; about −1/2".into();
        self.claim("B3 ends where the linearized network does".into(), Judged { measured, theory, holds, note })
    }

    /// B3: |theta_t - theta_0|^2 <= 2 R(f_0)/LAMBDA, at every snapshot.
    fn distance_bound(&self) -> Claim {
        let share = |run: Run<'a>| {
            let bound = run.finished.limit?.bound;
            Some(run.largest(|row| row.param_distance) / bound)
        };
        let values: Option<Vec<f64>> = self.group.all(CE).map(share).collect();
        let largest = values.as_ref().map(|v| v.iter().copied().fold(0.0, f64::max));
        let measured = largest.map(Estimate::extreme);
        let holds = largest.map(|v| v <= 1.0);
        let note =
            "largest |θ_{t} − θ_{0}| of all runs and snapshots over (2 R(f_{0})/Λ)^{1/2}, R the mean loss".into();
        let claim = "B3 bound on the movement of the parameters".into();
        self.claim(claim, Judged { measured, theory: "≤ 1".into(), holds, note })
    }

    /// B3 on held-out images: the same class.
    fn agreement(&self) -> Claim {
        let measured =
            self.group.mean_at(CE, self.group.widest(), |run| Some(run.finished.limit?.linearized.agreement));
        let ntk = self.group.mean_at(CE, self.group.widest(), |run| Some(run.finished.limit?.ntk.agreement));
        let holds = measured.map(|m| m.value >= 0.95);
        let note = format!(
            "share of held-out images to which network and fixed point of its own kernel K_{{0}} give the same class, width {}; \
             with the analytic NTK {}",
            self.group.widest(),
            ntk.map_or("not known".into(), |e| number(e.value))
        );
        let claim = "B3 same class as the kernel's on held-out images".into();
        self.claim(claim, Judged { measured, theory: "≥ 0.95".into(), holds, note })
    }

    /// B2 for labels that disagree: outputs meet the mean label.
    fn targets_met(&self) -> Claim {
        let all: Option<Vec<f64>> =
            self.group.all(CE).map(|run| Some(run.finished.limit?.linearized.measured.difference)).collect();
        let largest = all.map(|v| v.into_iter().fold(0.0, f64::max));
        let measured = largest.map(Estimate::extreme);
        let holds = largest.map(|v| v <= 0.01);
        let note =
            "largest |f_{T} − logit(3/4)| over points, widths and seeds: three of four labels of every point agree"
                .into();
        self.claim("B2 meets targets that disagree".into(), Judged { measured, theory: "0".into(), holds, note })
    }
}

/// An ensemble with what theory says of it.
pub struct Measured<'a> {
    /// what was trained
    pub ensemble: &'a Ensemble,
    /// outputs
    pub members: Members,
    /// the law
    pub law: Law,
}

impl Measured<'_> {
    fn deviations(&self) -> Vec<f64> {
        (0..self.members.points).map(|i| deviation(&self.members.column(i))).collect()
    }
    /// sd of the trained networks over sd of theory, on every held-out point.
    fn ratios(&self) -> Vec<f64> {
        self.deviations().iter().zip(&self.law.deviation).map(|(d, t)| d / t).collect()
    }
}

/// B4: the spread of ensembles of several widths, narrow to wide, is the one that theory has, and not the Laplace
/// posterior's.
pub fn of_ensembles(by_width: &[Measured<'_>]) -> Vec<Claim> {
    let Some(widest) = by_width.last() else { return Vec::new() };
    let networks = widest.ensemble.networks as f64;
    let (deviations, ratios) = (widest.deviations(), widest.ratios());
    let worst = ratios.iter().fold(0.0f64, |m, r| m.max((r - 1.0).abs()));
    let list = |values: &[f64]| values.iter().map(|v| number(*v)).collect::<Vec<_>>().join(", ");
    let mean_ratio = |m: &Measured<'_>| m.ratios().iter().sum::<f64>() / m.members.points as f64;
    let widths: Vec<String> =
        by_width.iter().map(|m| format!("{}: {}", m.ensemble.width, number(mean_ratio(m)))).collect();
    let offset = (0..widest.members.points)
        .map(|i| {
            let mean = widest.members.column(i).iter().sum::<f64>() / networks;
            ((mean - widest.law.mean[i]) / widest.law.deviation[i]).abs()
        })
        .fold(0.0, f64::max);
    let claim = |name: &str, measured: f64, uncertainty: Option<f64>, theory: &str, holds: bool, note: String| Claim {
        claim: name.into(),
        network: format!("FCN, L = 1, width {}; ensemble", widest.ensemble.width),
        loss: format!("cross-entropy, {}", widest.ensemble.kind.title()),
        init: "standard".into(),
        measured: Some(measured),
        uncertainty,
        theory: theory.into(),
        verdict: if holds { Verdict::Holds } else { Verdict::Fails },
        note,
    };
    // standard error of a standard deviation
    let noise = 1.0 / (2.0 * (networks - 1.0)).sqrt();
    let mut claims = vec![claim(
        "B4 spread over initializations",
        worst,
        Some(noise),
        "0",
        worst <= 0.12,
        format!(
            "largest |sd/sd of theory − 1| over the held-out points; sd of {networks} networks: {}; theory: {}; means within \
             {} sd of theory's; mean sd/sd of theory at each width: {}; allowed 0.12",
            list(&deviations),
            list(&widest.law.deviation),
            number(offset),
            widths.join(", ")
        ),
    )];
    if let Some(laplace) = &widest.law.laplace {
        let against: Vec<f64> = deviations.iter().zip(laplace).map(|(d, l)| l / d).collect();
        let nearest = against.iter().fold(f64::INFINITY, |m, r| m.min((r - 1.0).abs()));
        let note = format!(
            "mean of sd of the Laplace posterior over sd of the ensemble; Laplace: {}; ensemble: {}; judged: every point differs \
             by more than half",
            list(laplace),
            list(&deviations)
        );
        let mean = against.iter().sum::<f64>() / against.len() as f64;
        claims.push(claim("B4 not the Laplace posterior", mean, None, "≠ 1", nearest > 0.5, note));
    }
    claims
}

impl Members {
    /// Every network's output on point `i`.
    pub fn column(&self, i: usize) -> Vec<f64> {
        self.outputs.iter().skip(i).step_by(self.points).copied().collect()
    }
}

/// Standard deviation of a sample.
pub fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (count - 1.0)).sqrt()
}
