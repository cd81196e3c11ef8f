//! The claims of the study.

mod kernels;
mod networks;

pub use kernels::{Decayed, Learned, decay, identity, labels, learning};
pub use networks::{Replicated, closeness, farthest, outputs, replica};

use crate::analysis::statistics::Estimate;
use crate::study::judged::Judged;

const LOSS: &str = "squared error";

/// Judges an exponent that holds in the limit of many points: off the theory, but `nearing` it, it is not reached.
fn in_the_limit(measured: Option<Estimate>, theory: f64, allowance: f64, nearing: bool) -> Option<bool> {
    measured?.agrees(theory, allowance).filter(|agrees| *agrees || !nearing)
}

/// Whether the one of more points is nearer the theory than that of fewer.
fn nearing(more: Option<Estimate>, fewer: Option<Estimate>, theory: f64) -> bool {
    let off = |estimate: Estimate| (estimate.value - theory).abs();
    more.zip(fewer).is_some_and(|(more, fewer)| off(more) < off(fewer))
}

/// Whether a number lies below another by more than two standard errors of both: `None` where they are unknown.
fn below(value: Option<Estimate>, other: Option<Estimate>) -> (Option<Estimate>, Option<bool>) {
    let (Some(value), Some(other)) = (value, other) else { return (None, None) };
    let error = value.error.zip(other.error).map(|(a, b)| a.hypot(b));
    let difference = Estimate { value: value.value - other.value, error, count: value.count.min(other.count) };
    (Some(difference), negative(difference))
}

/// Whether a number is negative by more than two standard errors.
fn negative(estimate: Estimate) -> Option<bool> {
    let error = estimate.error.filter(|_| estimate.count > 2)?;
    (estimate.value.abs() > 2.0 * error).then_some(estimate.value < 0.0)
}

fn judged(
    measured: Option<Estimate>,
    theory: impl Into<String>,
    holds: Option<bool>,
    note: impl Into<String>,
) -> Judged {
    Judged { measured, theory: theory.into(), holds, note: note.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let at = |value, error| Some(Estimate { value, error: Some(error), count: 5 });
        assert_eq!(in_the_limit(at(-0.6, 0.01), -0.5, 0.15, false), Some(true));
        assert_eq!(in_the_limit(at(-0.8, 0.01), -0.5, 0.15, true), None);
        assert_eq!(in_the_limit(at(-0.8, 0.01), -0.5, 0.15, false), Some(false));
        assert_eq!(in_the_limit(None, -0.5, 0.15, false), None);
        assert!(nearing(at(-0.8, 0.1), at(-0.9, 0.1), -0.5) && !nearing(at(-0.8, 0.1), at(-0.7, 0.1), -0.5));
        let (difference, holds) = below(at(-1.0, 0.3), at(0.0, 0.4));
        assert!((difference.unwrap().error.unwrap() - 0.5).abs() < 1e-15 && holds.is_none());
        assert_eq!(below(at(-1.1, 0.3), at(0.0, 0.4)).1, Some(true));
        assert_eq!(below(at(1.1, 0.3), at(0.0, 0.4)).1, Some(false));
        assert_eq!(below(Estimate::of(&[1.0]), at(0.0, 0.1)).1, None);
    }
}
