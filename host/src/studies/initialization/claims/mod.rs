//! The claims of the study.

mod decay;
mod labels;
mod learning;
mod networks;

pub use decay::{Decayed, decay};
pub use labels::{LabelsDescribed, labels};
pub use learning::{Compared, Learned, Stopping, identity, learning};
pub use networks::{OutputsTested, Replicated, closeness, farthest, outputs, replica};

use crate::analysis::statistics::line;
use crate::study::claim::Subject;
use crate::study::judge::Measured;

const LOSS: &str = "squared error";

/// What a claim about squared error is about.
fn subject(network: impl Into<String>, init: &str) -> Subject {
    Subject { network: network.into(), loss: LOSS.into(), init: init.into(), failed: 0 }
}

const NO_RISK: &str = "a risk is 0: there is nothing to be learned";

fn slope(points: &[(f64, f64)]) -> Option<f64> {
    Some(line(points)?.0)
}

/// Paired numbers of mirrored and standard networks, or from 0 and from f^GP, the former less the latter.
fn differences(zero: Option<Vec<f64>>, random: Option<Vec<f64>>) -> Measured {
    match zero.zip(random) {
        Some((zero, random)) => {
            Measured::Values(zero.iter().zip(&random).map(|(zero, random)| zero - random).collect())
        }
        None => Measured::Nothing(NO_RISK.into()),
    }
}
