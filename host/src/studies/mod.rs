//! Papers, each a study that reproduces it: plan, claims, figures, words. The list of them is all that the rest of the
//! program knows.

pub mod divergence;
pub mod initialization;
pub mod lazy;

use crate::study::paper::Paper;

/// Every paper, in the order of `reproduce all`.
pub static PAPERS: &[&Paper] = &[&divergence::PAPER, &lazy::PAPER, &initialization::PAPER];
