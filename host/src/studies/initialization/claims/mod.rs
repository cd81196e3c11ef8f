//! The claims of the study.

mod decay;
mod labels;
mod learning;
mod networks;

pub use decay::{Decayed, decay};
pub use labels::{LabelsDescribed, labels};
pub use learning::{Learned, identity, learning};
pub use networks::{OutputsTested, Replicated, closeness, farthest, outputs, replica};

use crate::study::claim::Subject;

const LOSS: &str = "squared error";

/// What a claim about squared error is about.
fn subject(network: impl Into<String>, init: &str) -> Subject {
    Subject { network: network.into(), loss: LOSS.into(), init: init.into(), failed: 0 }
}
