//! The claims of the study: what keeps the kernel, where training ends, and how the ends are spread.

mod ensembles;

pub use ensembles::{EnsembleAndLaw, of_ensembles};

use ntkscope_core::loss::logit;

use crate::analysis::statistics::{Curve, Estimate, line};
use crate::report::{Claim, number};
use crate::run::Measured;
use crate::study::group::{DRIFT, Group, Run};
use crate::study::judge::{self, Evidence, Judged, Subject};
use crate::study::net::{CE, Regularization};

/// Penalty from which on network and kernel should agree on images.
const STRONG: f64 = 0.1;

/// The runs with one regularization beside the plain ones of the same part and network.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    /// the runs
    pub group: &'a Group<'a>,
    /// runs of plain cross-entropy
    pub plain: Option<&'a Group<'a>>,
}

/// The claims about one network: runs without regularization are there for comparison only.
pub fn of_network(all: &[Beside<'_>]) -> Vec<Claim> {
    all.iter().flat_map(Beside::claims).collect()
}

/// The same, with what becomes of them as soft targets become hard.
pub fn of_network_to_hard_targets(all: &[Beside<'_>]) -> Vec<Claim> {
    of_network(all).into_iter().chain(lost_with_smoothing(all)).collect()
}

/// The claims about one network on images: the classes of held-out ones too.
pub fn of_network_on_images(all: &[Beside<'_>]) -> Vec<Claim> {
    let claims = |beside: &Beside<'_>| {
        let mut claims = beside.claims();
        // a weaker penalty leaves the kernel regime at these widths; the table of runs has its agreement too
        let strong = matches!(beside.group.regularization, Regularization::Penalty(lambda) if lambda >= STRONG);
        claims.extend(strong.then(|| beside.agreement()));
        claims
    };
    all.iter().flat_map(claims).collect()
}

/// The claims about labels that disagree, which are soft targets in all but name.
pub fn of_conflicting(group: &Group<'_>) -> Vec<Claim> {
    let beside = Beside { group, plain: None };
    vec![beside.bounded("B2"), beside.targets_met()]
}

/// The margin of the targets of two classes.
fn margin_of_targets(eps: f64) -> f64 {
    logit(1.0 - 0.5 * eps)
}

/// B2, the other end: as eps falls to 0 the targets become hard, and laziness is lost. Of all runs of a network.
fn lost_with_smoothing(all: &[Beside<'_>]) -> Option<Claim> {
    let soft: Vec<(f64, &Beside<'_>)> = all
        .iter()
        .filter_map(|beside| match beside.group.regularization {
            Regularization::Smoothing(eps) => Some((margin_of_targets(eps), beside)),
            Regularization::Plain | Regularization::Penalty(_) => None,
        })
        .collect();
    let (_, first) = soft.first()?;
    // the widest that all of them have
    let width =
        *first.group.widths().iter().rfind(|w| soft.iter().all(|(_, beside)| beside.group.widths().contains(w)))?;
    let of_seed = |seed: u64| {
        let point = |(margin, beside): &(f64, &Beside<'_>)| {
            Some((margin.ln(), beside.group.run(CE, width, seed)?.last().drift_max.ln()))
        };
        let points: Option<Vec<_>> = soft.iter().map(point).collect();
        Some(line(&points?)?.0)
    };
    let whole = |seed: &u64| soft.iter().all(|(_, beside)| !beside.group.has_failed(CE, width, *seed));
    let slopes: Option<Vec<f64>> = first.group.seeds().into_iter().filter(whole).map(of_seed).collect();
    let measured = Estimate::from_values(&slopes?);
    let holds = judge::positive(measured, Evidence::ERROR).filter(|_| soft.len() > 1);
    let note = format!(
        "exponent q of the final drift ~ u^{{q}} over u = logit(1 − ε/2), ε from the largest to the smallest, width {width}: the drift \
         grows without bound as ε → 0"
    );
    let theory = "> 0; 2 in the kernel regime".into();
    let judged = Judged { measured, theory, holds, note };
    let failed = soft.iter().map(|(_, beside)| beside.group.failed()).sum();
    let subject = Subject { failed, ..first.group.subject("cross-entropy, soft targets") };
    Some(judged.claim("B2 laziness is lost as ε → 0", subject))
}

impl<'a> Beside<'a> {
    fn claims(&self) -> Vec<Claim> {
        match self.group.regularization {
            Regularization::Plain => Vec::new(),
            Regularization::Penalty(_) => {
                vec![self.bounded("B1"), self.falls("B1"), self.ends_near(), self.distance_bound()]
            }
            Regularization::Smoothing(eps) => {
                vec![self.bounded("B2"), self.falls("B2"), self.on_the_plain_curve(eps), self.ends_near()]
            }
        }
    }
    fn subject(&self) -> Subject {
        self.group.subject(format!("cross-entropy, {}", self.group.regularization.title()))
    }
    fn claim(&self, claim: String, judged: Judged) -> Claim {
        judged.claim(claim, self.subject())
    }
    /// Slope of ln(value) against ln(width), over all widths.
    fn slope(&self, value: impl Fn(&Run<'a>) -> Option<f64>) -> Option<Estimate> {
        self.group.exponent_in_width(CE, &self.group.widths(), value)
    }
    fn by_width(&self, value: impl Fn(&Run<'a>) -> f64) -> String {
        let at = |width: &usize| {
            let values: Vec<f64> = self.group.at_width(CE, *width).iter().map(&value).collect();
            format!("{width}: {}", Estimate::from_values(&values).map_or("none".into(), |e| number(e.value)))
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
        let values: Option<Vec<f64>> = self.group.runs(CE).map(growth).collect();
        let measured = values.and_then(|values| Estimate::from_values(&values));
        let holds = judge::agrees(measured, 0.0, 0.1);
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
        let holds = judge::agrees(measured, -1.0, 0.25);
        let note = format!(
            "slope of ln(largest drift) against ln m, widths {:?}; allowed: two standard errors, or 0.25",
            self.group.widths()
        );
        let claim = format!("{letter} fall of the largest drift with the width");
        self.claim(claim, Judged { measured, theory: "−1".into(), holds, note })
    }

    /// B2: soft targets stop on the curve that plain cross-entropy goes on along.
    fn on_the_plain_curve(&self, eps: f64) -> Claim {
        let margin = margin_of_targets(eps);
        let ratio = |run: &Run<'a>| {
            let plain = self.plain?.run(CE, run.width, run.seed)?;
            Some(run.last().drift_max / plain.at_margin(margin, DRIFT)?)
        };
        // the widest that plain runs have too
        let width = self.plain.and_then(|plain| plain.widths().last().copied()).unwrap_or(0);
        let paired = |run: &&Run<'a>| self.plain.is_none_or(|plain| !plain.has_failed(CE, run.width, run.seed));
        let values: Option<Vec<f64>> = self.group.at_width(CE, width).iter().filter(paired).map(ratio).collect();
        let measured = values.and_then(|values| Estimate::from_values(&values));
        let holds = judge::agrees(measured, 1.0, 0.3);
        let note = format!(
            "final drift over that of plain cross-entropy from the same start at margin logit(1 − ε/2) = {}, width {width}; \
             allowed: two standard errors, or 0.3",
            number(margin)
        );
        let judged = Judged { measured, theory: "1".into(), holds, note };
        let failed = self.group.failed() + self.plain.map_or(0, Group::failed);
        let subject = Subject { failed, ..self.subject() };
        judged.claim("B2 drift as plain cross-entropy has it at the targets' margin", subject)
    }

    /// B3: the end is near the linearized network's, the nearer the wider.
    fn ends_near(&self) -> Claim {
        // training points meet soft targets whatever the kernel
        let penalty = matches!(self.group.regularization, Regularization::Penalty(_));
        let points = if penalty { "training" } else { "held-out" };
        let apart = |m: &Measured| if penalty { m.difference } else { m.difference_held_out };
        let difference = |run: &Run<'_>| Some(apart(&run.finished.limit?.linearized.measured));
        let measured = self.slope(difference);
        // neither falling nor growing for certain: more seeds or widths would tell
        let holds = judge::negative(measured, Evidence::ERROR);
        let note = format!(
            "slope of ln |f_{{T}} − f*[K_{{0}}]| (largest over the {points} points) against ln m; |f_{{T}} − f*| at each width: {}, \
             with the analytic NTK in place of K_{{0}}: {}",
            self.by_width(|run| difference(run).unwrap_or(f64::NAN)),
            self.by_width(|run| run.finished.limit.map_or(f64::NAN, |limit| apart(&limit.ntk.measured)))
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
        let values: Option<Vec<f64>> = self.group.runs(CE).map(share).collect();
        let largest = values.and_then(|values| values.into_iter().reduce(f64::max));
        let measured = largest.map(Estimate::extreme);
        let holds = judge::at_most(largest, 1.0);
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
        let holds = judge::at_least(measured.map(|m| m.value), 0.95);
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
            self.group.runs(CE).map(|run| Some(run.finished.limit?.linearized.measured.difference)).collect();
        let largest = all.and_then(|all| all.into_iter().reduce(f64::max));
        let measured = largest.map(Estimate::extreme);
        let holds = judge::at_most(largest, 0.01);
        let note =
            "largest |f_{T} − logit(3/4)| over points, widths and seeds: three of four labels of every point agree"
                .into();
        self.claim("B2 meets targets that disagree".into(), Judged { measured, theory: "0".into(), holds, note })
    }
}
