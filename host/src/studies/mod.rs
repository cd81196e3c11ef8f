//! Papers, each a study that reproduces it: plan, claims, figures, words.

pub mod divergence;
pub mod initialization;
pub mod lazy;
