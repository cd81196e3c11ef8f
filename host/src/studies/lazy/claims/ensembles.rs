//! How the trained outputs of ensembles are spread, against the law that theory has for them.

use crate::analysis::law::Law;
use crate::analysis::statistics::{Estimate, deviation};
use crate::report::{Claim, number};
use crate::studies::lazy::ensemble::{Ensemble, Members};
use crate::study::judge::{self, Judged, Subject};

/// An ensemble with what theory says of it.
pub struct EnsembleAndLaw<'a> {
    /// what was trained
    pub ensemble: &'a Ensemble,
    /// outputs
    pub members: Members,
    /// the law
    pub law: Law,
}

impl EnsembleAndLaw<'_> {
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
pub fn of_ensembles(by_width: &[EnsembleAndLaw<'_>]) -> Vec<Claim> {
    let Some(widest) = by_width.last() else { return Vec::new() };
    let networks = widest.ensemble.networks as f64;
    let (deviations, ratios) = (widest.deviations(), widest.ratios());
    let worst = ratios.iter().fold(0.0f64, |m, r| m.max((r - 1.0).abs()));
    let list = |values: &[f64]| values.iter().map(|v| number(*v)).collect::<Vec<_>>().join(", ");
    let mean_ratio = |m: &EnsembleAndLaw<'_>| m.ratios().iter().sum::<f64>() / m.members.points as f64;
    let widths: Vec<String> =
        by_width.iter().map(|m| format!("{}: {}", m.ensemble.width, number(mean_ratio(m)))).collect();
    let offset = (0..widest.members.points)
        .map(|i| {
            let mean = widest.members.column(i).iter().sum::<f64>() / networks;
            ((mean - widest.law.mean[i]) / widest.law.deviation[i]).abs()
        })
        .fold(0.0, f64::max);
    let subject = Subject {
        network: format!("FCN, L = 1, width {}; ensemble", widest.ensemble.width),
        loss: format!("cross-entropy, {}", widest.ensemble.regularization.title()),
        init: "standard".into(),
        // a network that fails ends the study
        failed: 0,
    };
    // standard error of a standard deviation
    let noise = 1.0 / (2.0 * (networks - 1.0)).sqrt();
    let spread = Judged {
        measured: Some(Estimate { value: worst, error: Some(noise), count: deviations.len() }),
        theory: "0".into(),
        holds: judge::at_most(Some(worst), 0.12),
        note: format!(
            "largest |sd/sd of theory − 1| over the held-out points; sd of {networks} networks: {}; theory: {}; means within \
             {} sd of theory's; mean sd/sd of theory at each width: {}; allowed 0.12",
            list(&deviations),
            list(&widest.law.deviation),
            number(offset),
            widths.join(", ")
        ),
    };
    let mut claims = vec![spread.claim("B4 spread over initializations", subject.clone())];
    if let Some(laplace) = &widest.law.laplace {
        let against: Vec<f64> = deviations.iter().zip(laplace).map(|(d, l)| l / d).collect();
        let nearest = against.iter().fold(f64::INFINITY, |m, r| m.min((r - 1.0).abs()));
        let mean = against.iter().sum::<f64>() / against.len() as f64;
        let apart = Judged {
            measured: Some(Estimate::extreme(mean)),
            theory: "≠ 1".into(),
            holds: judge::above(Some(nearest), 0.5),
            note: format!(
                "mean of sd of the Laplace posterior over sd of the ensemble; Laplace: {}; ensemble: {}; judged: every point differs \
                 by more than half",
                list(laplace),
                list(&deviations)
            ),
        };
        claims.push(apart.claim("B4 not the Laplace posterior", subject));
    }
    claims
}
