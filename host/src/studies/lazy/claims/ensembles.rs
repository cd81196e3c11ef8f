//! B4: how the trained outputs of ensembles are spread, against the law that theory has for them.

use crate::analysis::law::Law;
use crate::analysis::normal_law::{Moments, probability_of_shape};
use crate::analysis::statistics::{deviation, jackknife, kurtosis};
use crate::report::{Kind, number, thousandths};
use crate::studies::lazy::ensemble::Members;
use crate::study::claim::{Claim, Stated, Subject, Theory, state_all};
use crate::study::judge::Measured;
use crate::study::net::Regularization;

/// Groups of networks, of which one at a time is left out.
const GROUPS: usize = 20;

/// An ensemble with what theory says of it.
pub struct EnsembleAndLaw {
    /// what keeps the kernel
    pub regularization: Regularization,
    /// width m
    pub width: usize,
    /// outputs of every network on the points held out
    pub members: Members,
    /// the law
    pub law: Law,
    /// its covariance over the points held out, row by row
    pub covariance: Vec<f64>,
    /// the same law, every training sample given twice
    pub doubled: Law,
}

/// What the claims say of an ensemble of one width.
pub fn of_ensembles(by_width: &[EnsembleAndLaw]) -> Vec<Stated> {
    by_width.iter().flat_map(|ensemble| state_all(CLAIMS, ensemble)).collect()
}

static CLAIMS: &[Claim<EnsembleAndLaw>] = &[
    Claim {
        name: "B4 mean over initializations",
        place: "derived: A y with the analytic kernels",
        kind: Kind::Claim,
        about: EnsembleAndLaw::subject,
        measure: |ensemble| {
            ensemble.jackknifed(|columns| {
                // unbiased: a mean of n networks is off by 1/n of their variance by chance
                let squared = |(i, column): (usize, &Vec<f64>)| {
                    let (n, sd) = (column.len() as f64, ensemble.law.deviation[i]);
                    let off = (column.iter().sum::<f64>() / n - ensemble.law.mean[i]) / sd;
                    off * off - (deviation(column) / sd).powi(2) / n
                };
                columns.iter().enumerate().map(squared).sum::<f64>() / columns.len() as f64
            })
        },
        theory: |_| Some(Theory::number(0.0).within(0.0625, "a quarter of a standard deviation, root mean square")),
        note: |ensemble| {
            let offset = |i: usize| {
                let column = ensemble.members.column(i);
                (column.iter().sum::<f64>() / column.len() as f64 - ensemble.law.mean[i]) / ensemble.law.deviation[i]
            };
            format!(
                "mean over the held-out points of the squared distance of the ensemble's mean from theory's, in theory's standard deviations, \
                 its own chance taken off; offsets: {}; Hotelling's T^{{2}}: {}; {JACKKNIFE}",
                list((0..ensemble.members.points).map(offset)),
                by_chance(ensemble.moments().probability_of_mean(&ensemble.law.mean))
            )
        },
        failing: "the ensemble is centred off the mean of the law, by the same amount in every group; neither the integrator nor the formula explains it, \
                  and the cause is open",
    },
    Claim {
        name: "B4 spread over initializations",
        place: "derived: S + A S A^{T} − A S − S A^{T}",
        kind: Kind::Claim,
        about: EnsembleAndLaw::subject,
        measure: |ensemble| {
            ensemble.jackknifed(|columns| {
                let ratio = |(i, column): (usize, &Vec<f64>)| (deviation(column) / ensemble.law.deviation[i]).ln();
                columns.iter().enumerate().map(ratio).sum::<f64>() / columns.len() as f64
            })
        },
        theory: |ensemble| {
            let reason = match ensemble.regularization {
                Regularization::Penalty(_) => "finite width, and 4 % for the delta method",
                Regularization::Plain | Regularization::Smoothing(_) => "finite width; the law is exact in the limit",
            };
            Some(Theory::number(0.0).within(0.1, reason))
        },
        note: |ensemble| {
            let points = 0..ensemble.members.points;
            format!(
                "mean over the held-out points of ln(sd/sd of theory); sd: {}; theory: {}; {JACKKNIFE}",
                list(points.map(|i| deviation(&ensemble.members.column(i)))),
                list(ensemble.law.deviation.iter().copied())
            )
        },
        failing: "narrow networks learn features and spread more widely than in the infinite-width limit",
    },
    Claim {
        name: "B4 covariance over initializations",
        place: "derived: S + A S A^{T} − A S − S A^{T}",
        kind: Kind::Claim,
        about: EnsembleAndLaw::subject,
        measure: |ensemble| ensemble.jackknifed(|columns| Moments::of(columns).covariance_offset(&ensemble.covariance)),
        theory: |_| Some(Theory::number(0.0).within(0.2, "a tenth of every standard deviation")),
        note: |ensemble| {
            format!(
                "root mean square over pairs of held-out points of the covariance's distance from theory's, in products of theory's standard \
                 deviations; Nagao's statistic: {}; {JACKKNIFE}",
                by_chance(ensemble.moments().probability_of_covariance(&ensemble.covariance))
            )
        },
        failing: "narrow networks learn features and spread more widely than in the infinite-width limit",
    },
    Claim {
        name: "B4 normality over initializations",
        place: "derived: trained outputs are linear in f_{0} (with a penalty to first order)",
        kind: Kind::Claim,
        about: EnsembleAndLaw::subject,
        measure: |ensemble| {
            ensemble
                .jackknifed(|columns| columns.iter().map(|column| kurtosis(column)).sum::<f64>() / columns.len() as f64)
        },
        theory: |_| Some(Theory::number(0.0).within(0.5, "the width, f_{0} itself having the excess kurtosis 15/m")),
        note: |ensemble| {
            let points = ensemble.members.points;
            let least = (0..points).map(|i| probability_of_shape(&ensemble.members.column(i))).fold(1.0, f64::min);
            format!(
                "excess kurtosis, mean over the held-out points; Jarque and Bera's statistic at the least normal of {points} points, corrected \
                 for their number: {}; {JACKKNIFE}",
                by_chance(Ok((points as f64 * least).min(1.0)))
            )
        },
        failing: "",
    },
    Claim {
        name: "B4 the ensemble is not the Laplace posterior",
        place: "derived: an ensemble lacks the observation noise",
        kind: Kind::Claim,
        about: EnsembleAndLaw::subject,
        measure: |ensemble| match &ensemble.law.laplace {
            None => Measured::Nothing("there is no Laplace posterior".into()),
            Some(laplace) => ensemble.jackknifed(|columns| {
                let ratio = |(column, laplace): (&Vec<f64>, &f64)| (laplace / deviation(column)).ln();
                columns.iter().zip(laplace).map(ratio).sum::<f64>() / columns.len() as f64
            }),
        },
        theory: |ensemble| {
            let laplace = ensemble.law.laplace.as_ref()?;
            let ratios = laplace.iter().zip(&ensemble.law.deviation).map(|(laplace, sd)| (laplace / sd).ln());
            let derived = ratios.sum::<f64>() / laplace.len() as f64;
            Some(Theory::number(derived).within(0.1, "as for the spread; 0 if the two laws were the same"))
        },
        note: |ensemble| {
            format!(
                "mean over the held-out points of ln(sd of the Laplace posterior/sd of the ensemble); Laplace: {}; {JACKKNIFE}",
                list(ensemble.law.laplace.iter().flatten().copied())
            )
        },
        failing: "",
    },
    Claim {
        name: "B4 duplicating every sample leaves the law unchanged, and halves the variance of the Laplace posterior",
        place: "identity: the loss is a mean over the samples, the likelihood of the posterior a product",
        kind: Kind::Check,
        about: EnsembleAndLaw::subject,
        measure: |ensemble| {
            let apart = |of: fn(&Law) -> &[f64], factor: f64| {
                let pairs = of(&ensemble.law).iter().zip(of(&ensemble.doubled));
                pairs.map(|(once, twice)| (factor * once - twice).abs()).fold(0.0, f64::max)
            };
            let laplace = apart(|law| law.laplace.as_deref().unwrap_or_default(), std::f64::consts::FRAC_1_SQRT_2);
            let largest = apart(|law| &law.mean, 1.0).max(apart(|law| &law.deviation, 1.0)).max(laplace);
            Measured::extreme(Some(largest), "there is no law")
        },
        theory: |_| Some(Theory::at_most(1e-6).said("0")),
        note: |_| "largest deviation from this of a mean or standard deviation".into(),
        failing: "",
    },
];

const JACKKNIFE: &str = "jackknife interval over 20 groups of networks";

impl EnsembleAndLaw {
    fn subject(&self) -> Subject {
        Subject {
            network: format!("FCN, L = 1, width {}; ensemble of {}", self.width, self.members.networks()),
            loss: format!("cross-entropy, {}", self.regularization.title()),
            init: "standard".into(),
            // a network that fails ends the study
            failed: 0,
        }
    }

    fn moments(&self) -> Moments {
        Moments::of(&(0..self.members.points).map(|i| self.members.column(i)).collect::<Vec<_>>())
    }

    /// A statistic of the outputs on every point, with its scatter over groups of networks.
    fn jackknifed(&self, statistic: impl Fn(&[Vec<f64>]) -> f64) -> Measured {
        let networks: Vec<&[f64]> = self.members.outputs.chunks_exact(self.members.points).collect();
        let columns = |chosen: &[&[f64]]| -> Vec<Vec<f64>> {
            (0..self.members.points).map(|i| chosen.iter().map(|outputs| outputs[i]).collect()).collect()
        };
        Measured::Values(jackknife(&networks, GROUPS, |chosen| statistic(&columns(chosen))))
    }
}

/// The probability of a statistic at least so large under the normal law, in words.
fn by_chance(probability: Result<f64, ntkscope_core::Error>) -> String {
    match probability {
        Ok(p) if p < 1e-4 => "p < 10^{−4}".into(),
        Ok(p) => format!("p = {}", number((1e4 * p).round() / 1e4)),
        Err(error) => format!("undefined ({error})"),
    }
}

fn list(values: impl Iterator<Item = f64>) -> String {
    values.map(thousandths).collect::<Vec<_>>().join(", ")
}
