//! The claims of the study.

mod kernels;
mod networks;

pub use kernels::{Decayed, Learned, decay, identity, labels, learning};
pub use networks::{Replicated, closeness, farthest, outputs, replica};

use crate::study::judge::Subject;

const LOSS: &str = "squared error";

/// What a claim about squared error is about.
fn subject(network: impl Into<String>, init: &str) -> Subject {
    Subject { network: network.into(), loss: LOSS.into(), init: init.into(), failed: 0 }
}
