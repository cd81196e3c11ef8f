//! B4 over widths: how ensembles come nearer to their law, and why their mean is off.

use super::ensembles::squared_covariance_offset;
use super::judged_ensemble::{JACKKNIFE, JudgedEnsemble, mean};
use crate::analysis::statistics::{Estimate, line};
use crate::experiment::Init;
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Subject, Theory};
use crate::study::judge::Measured;

/// Ensembles that differ in nothing but their width, narrow to wide.
pub type OverWidths = Vec<JudgedEnsemble>;

/// The mean of what trained networks are beyond their linearizations, along the law's mean and as a share of it:
/// `sum_i (mean_i f - k) mean_i / sum_i mean_i^2`. Paired, so that the scatter of f_0 and of K_0 does not enter.
pub fn bias(ensemble: &JudgedEnsemble) -> Vec<f64> {
    let law = &ensemble.law.mean;
    let square: f64 = law.iter().map(|mean| mean * mean).sum();
    ensemble.beyond(|columns| columns.iter().zip(law).map(|(column, law)| mean(column) * law).sum::<f64>() / square)
}

/// Slopes of the logarithm of a number against ln m, one for every group of networks; nothing where a width's number is not
/// above 0 by two standard errors. `of` gives its `power`.
fn slopes(all: &OverWidths, of: impl Fn(&JudgedEnsemble) -> Vec<f64>, power: f64) -> Measured {
    let by_width: Vec<(f64, Vec<f64>)> =
        all.iter().map(|ensemble| ((ensemble.ensemble.width() as f64).ln(), of(ensemble))).collect();
    if by_width.len() < 2 {
        return Measured::Nothing("there is one width".into());
    }
    let points: Option<Vec<(f64, Estimate)>> =
        by_width.iter().map(|(log_width, values)| Some((*log_width, Estimate::from_values(values)?))).collect();
    let above = |(_, estimate): &(f64, Estimate)| estimate.value.abs() > 2.0 * estimate.error_or_0();
    let Some(points) = points.filter(|points| points.iter().all(above)) else {
        return Measured::Nothing("at a width it is 0 to within two standard errors".into());
    };
    // by the derivative of the logarithm: a group's pseudo-value may have either sign
    let groups = by_width.iter().map(|(_, values)| values.len()).min().unwrap_or(0);
    let slope = |group: usize| {
        let log = |((log_width, estimate), (_, values)): (&(f64, Estimate), &(f64, Vec<f64>))| {
            let value = estimate.value.abs().ln() + (values[group] - estimate.value) / estimate.value;
            (*log_width, value / power)
        };
        Some(line(&points.iter().zip(&by_width).map(log).collect::<Vec<_>>())?.0)
    };
    Measured::of((0..groups).map(slope), "there is one width")
}

fn at_widths(all: &OverWidths, of: impl Fn(&JudgedEnsemble) -> Vec<f64>) -> String {
    let one = |ensemble: &JudgedEnsemble| {
        let estimate = Estimate::from_values(&of(ensemble));
        let value = estimate
            .map_or("none".into(), |e| format!("{} ± {}", number(e.value), number(e.error.unwrap_or(f64::NAN))));
        format!("{}: {value}", ensemble.ensemble.width())
    };
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn subject(all: &OverWidths) -> Subject {
    let Some(first) = all.first() else { return Subject::default() };
    let network = format!("{}; ensembles of {}", first.network(), first.ensemble.networks);
    Subject { network, ..first.subject() }
}

/// Of ReLU networks.
pub(super) static BIAS_OF_KINKS: &[Claim<OverWidths>] = &[bias_decays(
    "derived: kinks that pass a sample, a share of the units like m^{−1/2}",
    |_| Some(Theory::number(-0.5).said("−1/2").within(0.25, SMALL)),
    "a unit moves by |θ_{T} − θ_{0}|/m^{1/2}, which turns kinks by several degrees at these widths: not yet a small part of the distance \
     between samples, below which the bias is in proportion to it",
)];

/// Of networks without kinks.
pub(super) static BIAS_OF_SMOOTH: &[Claim<OverWidths>] = &[bias_decays(
    "derived: the drift of the kernel, 1/m",
    |_| Some(Theory::number(-1.0).said("−1").within(0.25, SMALL)),
    "terms of higher order in the movement of a unit are not yet small at these widths",
)];

const SMALL: &str = "small widths; the alternative is a bias that does not decay, 0";

const fn bias_decays(
    place: &'static str,
    theory: fn(&OverWidths) -> Option<Theory>,
    failing: &'static str,
) -> Claim<OverWidths> {
    Claim {
        name: "B4 bias of trained networks decays with width",
        place,
        kind: Kind::Claim,
        about: subject,
        measure: |all| slopes(all, bias, 1.0),
        theory,
        note: |all| {
            format!(
                "slope against ln m of the logarithm of the bias: the mean over networks of f_{{T}} less the limit of the network's own \
                 linearization, along the mean of the law and as a share of it; ± a standard error, at each width: {}; {JACKKNIFE}",
                at_widths(all, bias)
            )
        },
        failing,
    }
}

/// Ensembles that start from their own outputs.
pub(super) static SPREAD: &[Claim<OverWidths>] = &[Claim {
    name: "B4 the covariance comes nearer to the law with width",
    place: "derived: as K_{0} to the NTK, and the drift",
    kind: Kind::Claim,
    about: subject,
    measure: |all| slopes(all, apart, 2.0),
    theory: |all| {
        let standard = all.first()?.ensemble.first.init == Init::Standard;
        let words = "−1 (as the drift, and the variance of K_{0}) to −1/2 (as its spread)";
        let theory = Theory::between(-1.0, -0.5).said(words);
        standard.then(|| theory.within(0.25, "small widths; the alternative is a distance that does not decay, 0"))
    },
    note: |all| {
        format!(
            "slope against ln m of the logarithm of the covariance's distance from the law's; its square, as in the rows of one width: {}; \
             {JACKKNIFE}",
            at_widths(all, apart)
        )
    },
    failing: "",
}];

fn apart(ensemble: &JudgedEnsemble) -> Vec<f64> {
    squared_covariance_offset(ensemble).values().to_vec()
}
