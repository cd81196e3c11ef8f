//! The claims of the study.

mod decay;
mod labels;
mod learning;
mod networks;

pub use decay::{Decayed, decay};
pub use labels::{LabelsDescribed, labels};
pub use learning::{Compared, Learned, SCHEDULES, Stopping, identity, learning};
pub use networks::{OutputsTested, Replicated, closeness, farthest, outputs, replica};

use std::fmt::Display;

use crate::analysis::statistics::line;
use crate::study::claim::Subject;
use crate::study::judge::Measured;

const LOSS: &str = "squared error";

/// What a claim about squared error is about.
fn subject(network: impl Into<String>, init: &str) -> Subject {
    Subject { network: network.into(), loss: LOSS.into(), init: init.into(), failed: 0 }
}

/// What the numbers of a learning curve are of, and those of a sphere.
const DRAWS: &str = "sets of points";
const NO_RISK: &str = "a risk is 0: there is nothing to be learned";

fn slope(points: &[(f64, f64)]) -> Option<f64> {
    Some(line(points)?.0)
}

/// Paired numbers of mirrored and standard networks, or from 0 and from f^GP, the former less the latter.
fn differences(zero: Option<Vec<f64>>, random: Option<Vec<f64>>) -> Measured {
    match zero.zip(random) {
        Some((zero, random)) => {
            Measured::sample(zero.iter().zip(&random).map(|(zero, random)| zero - random).collect(), DRAWS)
        }
        None => Measured::Nothing(NO_RISK.into()),
    }
}

/// Values of these units, several of them, or the first reason why one has none.
fn tried<E: Display>(values: impl IntoIterator<Item = Result<f64, E>>, of: &str) -> Measured {
    match Measured::tried(values) {
        Measured::Values(values) => Measured::sample(values, of),
        nothing => nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::super::decay::OnSphere;
    use super::super::{figures, tables};
    use super::*;
    use crate::analysis::labels::Described;
    use crate::analysis::smoothness::Coding;
    use crate::analysis::spectra::Spectra;
    use crate::report::ClaimRow;
    use crate::study::claim::{Stated, judge};

    const N: usize = 200;

    /// k^power, of which those beyond `rank` are rounding beside the first.
    fn law(power: f64, rank: usize) -> Vec<f64> {
        let rounding = |k: usize| if k.is_multiple_of(2) { 1e-17 } else { -1e-17 };
        (1..=N).map(|k| if k <= rank { (k as f64).powf(power) } else { rounding(k) }).collect()
    }

    /// The rows, of which each has a number or says that there is rounding where it would be fitted; whether each has one.
    fn fitted(stated: Vec<Stated>) -> Vec<bool> {
        let said = |row: &ClaimRow| match row.measured {
            Some(value) => value.is_finite(),
            None => {
                assert!(row.note.contains("values are rounding error"), "{}", row.note);
                false
            }
        };
        judge(stated).0.iter().map(said).collect()
    }

    /// Whatever would be fitted to eigenvalues or tail sums beyond a kernel's rank is refused, and everything else is not.
    #[test]
    fn nothing_is_fitted_to_rounding() {
        let on = OnSphere { sphere: 2, depth: 1, points: N, draws: 2, seed: 0 };
        let last = *on.window().end();
        let spectra = |[ntk, nngp, tails]: [usize; 3]| Spectra {
            ntk: law(-1.5, ntk),
            nngp: law(-2.5, nngp),
            functions: Coding::ALL.map(|coding| (coding.name().into(), law(-0.4, tails))).into(),
            draws: vec![law(-1.5, tails), law(-1.4, tails)],
        };
        for low in [1, 10, last - 1] {
            for (ranks, found) in [
                ([N, N, N], [true; 4]),
                ([last, last, last], [true; 4]),
                ([low, N, N], [false, true, false, false]),
                ([N, low, N], [true, false, true, true]),
                ([N, N, low], [true, true, false, false]),
            ] {
                let decayed = Decayed { sets: vec![(on, spectra(ranks)), (on, spectra([N; 3]))] };
                assert_eq!(fitted(decay(&decayed)), found, "{ranks:?}");
                let drawn = figures::decay(&decayed);
                assert!(drawn.series.iter().all(|series| series.y.iter().all(|y| *y > 0.0)), "{ranks:?}");
            }
        }
        // labels: the paper's window goes on to 0.9 n
        let described = Described { title: "images".into(), published: Some(0.4), dimension: 784 };
        for (rank, found) in [(N, [true; 3]), (last, [false, true, true]), (last - 1, [false; 3])] {
            let labels = LabelsDescribed { described: described.clone(), spectra: spectra([rank; 3]) };
            assert_eq!(fitted(super::labels(&labels)), found, "{rank}");
            let none = tables::labels(&[labels]).rows.iter().flatten().filter(|cell| cell.contains("rounding")).count();
            assert_eq!(none, 8 * found.iter().filter(|found| !**found).count().min(2));
        }
    }
}
