//! B4: how the trained outputs of ensembles are spread, against the law that theory has for them.

use super::judged_ensemble::{JACKKNIFE, JudgedEnsemble, by_chance, list, mean};
use crate::analysis::normal_law::{Moments, probability_of_shape};
use crate::analysis::statistics::{deviation, kurtosis, larger, smaller};
use crate::report::Kind;
use crate::studies::lazy::law::PredictedLaw;
use crate::study::claim::{Claim, Failing, Theory, UNEXPLAINED};
use crate::study::judge::Measured;
use crate::study::net::Regularization;

/// Mean square over the numbers of the distance of an ensemble's mean from the law's, in standard deviations of the law.
/// Unbiased: a mean of n networks is off by 1/n of their variance by chance, which is taken off.
fn squared_offset(law: &PredictedLaw, columns: &[Vec<f64>]) -> f64 {
    let sd = law.deviation();
    let squared = |(i, column): (usize, &Vec<f64>)| {
        let off = (mean(column) - law.mean[i]) / sd[i];
        off * off - (deviation(column) / sd[i]).powi(2) / column.len() as f64
    };
    columns.iter().enumerate().map(squared).sum::<f64>() / columns.len() as f64
}

/// Mean over the numbers of ln(sd of the ensemble/sd).
pub(super) fn log_spread(columns: &[Vec<f64>], deviations: &[f64]) -> f64 {
    let ratio = |(column, sd): (&Vec<f64>, &f64)| (deviation(column) / sd).ln();
    columns.iter().zip(deviations).map(ratio).sum::<f64>() / columns.len() as f64
}

pub(super) fn deviations(ensemble: &JudgedEnsemble) -> String {
    list((0..ensemble.numbers()).map(|i| deviation(&ensemble.column(i))))
}

fn a_quarter(_: &JudgedEnsemble) -> Option<Theory> {
    Some(Theory::number(0.0).within(0.0625, "a quarter of a standard deviation, root mean square"))
}

const NARROW: &str = "narrow networks learn features and spread more widely than in the infinite-width limit";
/// Of a square, which has no sign.
const NARROW_IN_SQUARE: &str = "narrow networks learn features, which changes their covariance";

/// Networks at standard initialization.
pub(super) static OF_OWN_OUTPUTS: &[Claim<JudgedEnsemble>] = &[
    Claim {
        name: "B4 mean over initializations",
        place: "derived: A y with the analytic kernels",
        kind: Kind::Claim,
        about: JudgedEnsemble::subject,
        measure: |ensemble| ensemble.jackknifed(|columns| squared_offset(&ensemble.law, columns)),
        theory: a_quarter,
        note: |ensemble| {
            let sd = ensemble.law.deviation();
            let offset = |i: usize| (mean(&ensemble.column(i)) - ensemble.law.mean[i]) / sd[i];
            format!(
                "mean over the held-out points of the squared distance of the ensemble's mean from theory's, in theory's standard deviations, \
                 its own chance taken off; offsets: {}; Hotelling's T^{{2}}: {}; {JACKKNIFE}",
                list((0..ensemble.numbers()).map(offset)),
                by_chance(ensemble.moments().probability_of_mean(&ensemble.law.mean))
            )
        },
        failing: Failing {
            above: "trained networks end off their own linearizations, whose mean is the law's: by what is won and lost as kinks pass \
                    samples, which decays like m^{−1/2} and not before a unit moves little, and without kinks by the drift of the kernel \
                    (rows “bias”)",
            ..UNEXPLAINED
        },
    },
    Claim {
        name: "B4 mean of the linearized networks",
        place: "derived: A y; what is left is the scatter of K_{0} about the NTK",
        kind: Kind::Claim,
        about: JudgedEnsemble::subject,
        measure: |ensemble| ensemble.jackknifed_linearized(|columns| squared_offset(&ensemble.law, columns)),
        theory: a_quarter,
        note: |_| {
            format!(
                "the same of the limits of every network's own linearization (its K_{{0}}, its f_{{0}}): where it holds, the scatter of K_{{0}} \
                 does not move the mean; {JACKKNIFE}"
            )
        },
        failing: Failing {
            above: "the inverse of a kernel that scatters this much is no longer that of its mean",
            ..UNEXPLAINED
        },
    },
    Claim {
        name: "B4 spread over initializations",
        place: "derived: S + A S A^{T} − A S − S A^{T}",
        kind: Kind::Claim,
        about: JudgedEnsemble::subject,
        measure: |ensemble| ensemble.jackknifed(|columns| log_spread(columns, &ensemble.law.deviation())),
        theory: |ensemble| {
            let reason = match ensemble.ensemble.first.regularization {
                Regularization::Penalty(_) => "finite width, and 4 % for the delta method",
                Regularization::Plain | Regularization::Smoothing(_) => "finite width; the law is exact in the limit",
            };
            Some(Theory::number(0.0).within(0.1, reason))
        },
        note: |ensemble| {
            format!(
                "mean over the held-out points of ln(sd/sd of theory); sd: {}; theory: {}; {JACKKNIFE}",
                deviations(ensemble),
                list(ensemble.law.deviation().into_iter())
            )
        },
        failing: Failing { above: NARROW, ..UNEXPLAINED },
    },
    Claim {
        name: "B4 covariance over initializations",
        place: "derived: S + A S A^{T} − A S − S A^{T}",
        kind: Kind::Claim,
        about: JudgedEnsemble::subject,
        measure: squared_covariance_offset,
        theory: a_tenth_of_deviations,
        note: of_covariance_offset,
        failing: Failing { above: NARROW_IN_SQUARE, ..UNEXPLAINED },
    },
    Claim {
        name: "B4 normality over initializations",
        place: "derived: trained outputs are linear in f_{0} (with a penalty to first order)",
        kind: Kind::Claim,
        about: JudgedEnsemble::subject,
        measure: |ensemble| {
            ensemble
                .jackknifed(|columns| columns.iter().map(|column| kurtosis(column)).sum::<f64>() / columns.len() as f64)
        },
        theory: |_| Some(Theory::number(0.0).within(0.5, "the width, f_{0} itself having the excess kurtosis 15/m")),
        note: |ensemble| {
            let points = ensemble.numbers();
            let least = (0..points).map(|i| probability_of_shape(&ensemble.column(i))).fold(1.0, smaller);
            format!(
                "excess kurtosis, mean over the held-out points; Jarque and Bera's statistic at the least normal of {points} numbers, corrected \
                 for their number: {}; {JACKKNIFE}",
                by_chance(Ok((points as f64 * least).min(1.0)))
            )
        },
        failing: Failing { above: "the tails of narrow networks are those of f_{0} and of K_{0}", ..UNEXPLAINED },
    },
    Claim {
        name: "B4 the ensemble is not the Laplace posterior",
        place: "derived: an ensemble lacks the observation noise",
        kind: Kind::Claim,
        about: JudgedEnsemble::subject,
        measure: |ensemble| match laplace_deviations(ensemble) {
            None => Measured::Nothing("there is no Laplace posterior".into()),
            Some(laplace) => ensemble.jackknifed(|columns| -log_spread(columns, &laplace)),
        },
        theory: |ensemble| {
            let laplace = laplace_deviations(ensemble)?;
            let sd = ensemble.law.deviation();
            let derived =
                laplace.iter().zip(&sd).map(|(laplace, sd)| (laplace / sd).ln()).sum::<f64>() / sd.len() as f64;
            Some(Theory::number(derived).within(0.1, "as for the spread; 0 if the two laws were the same"))
        },
        note: |ensemble| {
            format!(
                "mean over the held-out points of ln(sd of the Laplace posterior/sd of the ensemble); Laplace: {}; {JACKKNIFE}",
                list(laplace_deviations(ensemble).into_iter().flatten())
            )
        },
        failing: Failing { below: NARROW, ..UNEXPLAINED },
    },
    Claim {
        name: "B4 duplicating every sample leaves the law unchanged, and halves the variance of the Laplace posterior",
        place: "identity: the loss is a mean over the samples, the likelihood of the posterior a product",
        kind: Kind::Check,
        about: JudgedEnsemble::subject,
        measure: |ensemble| {
            let (once, twice) = (&ensemble.law, &ensemble.doubled);
            let apart = |a: &[f64], b: &[f64], factor: f64| {
                a.iter().zip(b).map(|(a, b)| (factor * a - b).abs()).fold(0.0, larger)
            };
            let laplace = once.laplace.as_ref().zip(twice.laplace.as_ref());
            let laplace = laplace.map_or(0.0, |(once, twice)| apart(once, twice, 0.5));
            let law = apart(&once.mean, &twice.mean, 1.0).max(apart(&once.covariance, &twice.covariance, 1.0));
            Measured::extreme(Some(law.max(laplace)), "there is no law")
        },
        theory: |_| Some(Theory::at_most(1e-6).said("0")),
        note: |_| "largest deviation from this of a mean or a covariance".into(),
        failing: UNEXPLAINED,
    },
];

pub(super) fn laplace_deviations(ensemble: &JudgedEnsemble) -> Option<Vec<f64>> {
    ensemble.law.laplace.as_ref().map(|laplace| PredictedLaw::deviations(laplace, ensemble.numbers()))
}

pub(super) fn squared_covariance_offset(ensemble: &JudgedEnsemble) -> Measured {
    ensemble.jackknifed(|columns| Moments::of(columns).squared_covariance_offset(&ensemble.law.covariance))
}

/// A covariance is off by 0.2 of the products of standard deviations where each of those is off by a tenth.
pub(super) fn a_tenth_of_deviations(_: &JudgedEnsemble) -> Option<Theory> {
    Some(Theory::number(0.0).within(0.04, "(0.2)^{2}: a tenth of every standard deviation"))
}

pub(super) fn of_covariance_offset(ensemble: &JudgedEnsemble) -> String {
    format!(
        "mean square over pairs of held-out points of the covariance's distance from theory's, in products of theory's standard deviations, \
         its own chance taken off; Nagao's statistic: {}; {JACKKNIFE}",
        by_chance(ensemble.moments().probability_of_covariance(&ensemble.law.covariance))
    )
}
