//! B5: ensembles that sample a posterior, and the posterior in the space of parameters.

use super::ensembles::{
    a_tenth_of_deviations, deviations, laplace_deviations, log_spread, of_covariance_offset, squared_covariance_offset,
};
use super::judged_ensemble::{JACKKNIFE, JudgedEnsemble, list, mean};
use crate::report::Kind;
use crate::study::claim::{Claim, Failing, Theory, UNEXPLAINED};
use crate::study::judge::Measured;
use crate::study::net::MSE;

/// Networks whose f_0 is drawn from the prior.
pub(super) static FROM_THE_PRIOR: &[Claim<JudgedEnsemble>] = &[
    spread(
        "B5 f_{0} from the prior: spread is the posterior's less that of noise",
        "derived: Laplace − A W^{−1} A^{T} when f_{0} ~ GP(0, T/(n Λ))",
    ),
    covariance(
        "B5 f_{0} from the prior: covariance is the posterior's less that of noise",
        "derived: Laplace − A W^{−1} A^{T} when f_{0} ~ GP(0, T/(n Λ))",
    ),
];

/// The same with noise in the targets.
pub(super) static SAMPLED_THEN_OPTIMIZED: &[Claim<JudgedEnsemble>] = &[
    spread("B5 f_{0} from the prior, noisy targets: spread is the posterior's", "derived: sample, then optimize"),
    covariance(
        "B5 f_{0} from the prior, noisy targets: covariance is the posterior's",
        "derived: sample, then optimize",
    ),
];

/// With a penalty: the posterior in the parameters of every network.
pub(super) static IN_PARAMETERS: &[Claim<JudgedEnsemble>] = &[Claim {
    name: "B5 the Laplace posterior in the parameters is that of the Gaussian process",
    place: "derived: its kernel is K_{T}, which tends to the NTK",
    kind: Kind::Claim,
    about: JudgedEnsemble::subject,
    measure: |ensemble| match laplace_deviations(ensemble) {
        None => Measured::Nothing("there is no Laplace posterior".into()),
        Some(laplace) => ensemble.jackknifed_laplace(|columns| {
            let ratio =
                |(column, sd): (&Vec<f64>, &f64)| mean(&column.iter().map(|own| (own / sd).ln()).collect::<Vec<_>>());
            columns.iter().zip(&laplace).map(ratio).sum::<f64>() / columns.len() as f64
        }),
    },
    theory: |_| Some(Theory::number(0.0).within(0.1, "finite width")),
    note: |ensemble| {
        let each = ensemble.numbers();
        let own = |i: usize| mean(&ensemble.laplace.iter().skip(i).step_by(each).copied().collect::<Vec<_>>());
        format!(
            "mean over networks and held-out points of ln(sd/sd of the Gaussian process's Laplace posterior); sd of the linearized Laplace \
             approximation at the trained parameters (Gauss–Newton), mean over networks: {}; sd over the ensemble: {}; {JACKKNIFE}",
            list((0..each).map(own)),
            deviations(ensemble)
        )
    },
    failing: Failing {
        above: "the kernel K_{T} of narrow networks has moved, and with it the posterior",
        ..UNEXPLAINED
    },
}];

const fn spread(name: &'static str, place: &'static str) -> Claim<JudgedEnsemble> {
    Claim {
        name,
        place,
        kind: Kind::Claim,
        about: JudgedEnsemble::subject,
        measure: |ensemble| ensemble.jackknifed(|columns| log_spread(columns, &ensemble.law.deviation())),
        theory: |_| Some(Theory::number(0.0).within(0.1, "finite width")),
        note: |ensemble| {
            let exact =
                if ensemble.ensemble.first.loss == MSE { " (exact in the limit of infinite width)" } else { "" };
            format!(
                "mean over the held-out points of ln(sd/sd of theory); sd: {}; theory{exact}: {}; posterior: {}; {JACKKNIFE}",
                deviations(ensemble),
                list(ensemble.law.deviation().into_iter()),
                list(laplace_deviations(ensemble).into_iter().flatten())
            )
        },
        failing: Failing { above: "the scatter of K_{0} moves the outputs of narrow networks too", ..UNEXPLAINED },
    }
}

const fn covariance(name: &'static str, place: &'static str) -> Claim<JudgedEnsemble> {
    Claim {
        name,
        place,
        kind: Kind::Claim,
        about: JudgedEnsemble::subject,
        measure: squared_covariance_offset,
        theory: a_tenth_of_deviations,
        note: of_covariance_offset,
        failing: Failing { above: "the scatter of K_{0} moves the outputs of narrow networks too", ..UNEXPLAINED },
    }
}
