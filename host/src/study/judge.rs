//! The rules by which claims are judged, each once, and the row of the table that a judged number becomes.
//!
//! A rule answers `Some(true)`, the claim holds; `Some(false)`, it fails; `None`, the runs do not tell.

use crate::analysis::statistics::Estimate;
use crate::report::{Claim, Verdict};
use crate::words::count;

/// Standard errors within which two numbers agree, and beyond which they differ.
const ERRORS: f64 = 2.0;
/// Values from which on a claim can fail for lying off by more than two standard errors: that of two values is next to
/// unknown.
const VALUES_TO_FAIL: usize = 3;

/// What a rule about a sign asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// the fewest values; with 1 an unknown standard error counts as 0
    values: usize,
    /// the answer for a number that is within two standard errors of 0
    uncertain: Option<bool>,
}

impl Evidence {
    /// A single value will do, and a sign that is not clear fails.
    pub const ANY: Self = Self { values: 1, uncertain: Some(false) };
    /// A known standard error, be it of two values.
    pub const ERROR: Self = Self { values: 2, uncertain: None };
    /// A standard error of three values or more.
    pub const SPREAD: Self = Self { values: 3, uncertain: None };
}

/// Whether the number is the target to within `allowance` or two standard errors. One that is off is judged only where
/// its standard error is known from three values or more.
pub fn agrees(measured: Option<Estimate>, target: f64, allowance: f64) -> Option<bool> {
    let measured = measured?;
    let off = (measured.value - target).abs();
    if off <= allowance {
        return Some(true);
    }
    let within = off <= ERRORS * measured.error?;
    (within || measured.count >= VALUES_TO_FAIL).then_some(within)
}

/// Whether the number is the target to within `allowance`, whatever its standard error.
pub fn within(value: Option<f64>, target: f64, allowance: f64) -> Option<bool> {
    value.map(|value| (value - target).abs() <= allowance)
}

/// [`agrees`] for an exponent that belongs to a limit: off the target, but nearing it, it is not judged.
pub fn agrees_in_the_limit(measured: Option<Estimate>, target: f64, allowance: f64, nearing: bool) -> Option<bool> {
    agrees(measured, target, allowance).filter(|agrees| *agrees || !nearing)
}

/// Whether the number measured with more points is nearer the target than that with fewer; no where one is unknown.
pub fn nears(more: Option<Estimate>, fewer: Option<Estimate>, target: f64) -> bool {
    let off = |estimate: Estimate| (estimate.value - target).abs();
    more.zip(fewer).is_some_and(|(more, fewer)| off(more) < off(fewer))
}

/// Whether the number is positive by more than two standard errors; negative by as much, it fails.
pub fn positive(measured: Option<Estimate>, evidence: Evidence) -> Option<bool> {
    let measured = measured?;
    let error = if evidence.values > 1 { measured.error? } else { measured.error_or_0() };
    if evidence.values > 1 && measured.count < evidence.values {
        return None;
    }
    if measured.value.abs() > ERRORS * error { Some(measured.value > 0.0) } else { evidence.uncertain }
}

/// Whether the number is negative by more than two standard errors; positive by as much, it fails.
pub fn negative(measured: Option<Estimate>, evidence: Evidence) -> Option<bool> {
    positive(measured.map(|m| Estimate { value: -m.value, ..m }), evidence)
}

/// `value <= bound`, for extremes, which have no standard error.
pub fn at_most(value: Option<f64>, bound: f64) -> Option<bool> {
    value.map(|value| value <= bound)
}

/// `value >= bound`.
pub fn at_least(value: Option<f64>, bound: f64) -> Option<bool> {
    value.map(|value| value >= bound)
}

/// `value > bound`.
pub fn above(value: Option<f64>, bound: f64) -> Option<bool> {
    value.map(|value| value > bound)
}

/// `value < bound`.
pub fn below(value: Option<f64>, bound: f64) -> Option<bool> {
    value.map(|value| value < bound)
}

/// Both of two rules; not judged where one of them is not.
pub fn both(first: Option<bool>, second: Option<bool>) -> Option<bool> {
    first.zip(second).map(|(first, second)| first && second)
}

/// What a claim is about: columns of `claims.csv`, and what its note has to say of the runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// network, and what it was tried on
    pub network: String,
    /// loss
    pub loss: String,
    /// initialization
    pub init: String,
    /// runs that failed, and so are left out
    pub failed: usize,
}

/// A number with what was found of it.
pub struct Judged {
    /// the number that decides
    pub measured: Option<Estimate>,
    /// what theory says of it
    pub theory: String,
    /// a rule's answer
    pub holds: Option<bool>,
    /// anything a reader should know
    pub note: String,
}

impl Judged {
    /// The row of the table.
    pub fn claim(self, name: impl Into<String>, subject: Subject) -> Claim {
        let Self { measured, theory, holds, note } = self;
        let Subject { network, loss, init, failed } = subject;
        let one_seed = if measured.is_some_and(|m| m.count == 1) { "; one seed, so no standard error" } else { "" };
        let left_out = match failed {
            0 => String::new(),
            _ => format!("; left out: {} of this network", count(failed, "failed run")),
        };
        Claim {
            claim: name.into(),
            network,
            loss,
            init,
            measured: measured.map(|m| m.value),
            uncertainty: measured.and_then(|m| m.error),
            theory,
            verdict: match (holds, measured) {
                (Some(true), Some(_)) => Verdict::Holds,
                (Some(false), Some(_)) => Verdict::Fails,
                _ => Verdict::NotReached,
            },
            note: format!("{note}{one_seed}{left_out}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn five(value: f64, error: f64) -> Option<Estimate> {
        Some(Estimate { value, error: Some(error), count: 5 })
    }

    #[test]
    fn agreement() {
        // 3.0 with the standard error 1.08
        let four = Estimate::from_values(&[1.0, 2.0, 3.0, 6.0]);
        assert_eq!((agrees(four, 5.0, 0.1), agrees(four, 5.3, 0.1)), (Some(true), Some(false)));
        let one = Estimate::from_values(&[5.0]);
        assert_eq!((agrees(one, 4.0, 1.0), agrees(one, 4.0, 0.5)), (Some(true), None));
        let two = Estimate::from_values(&[1.0, 1.2]);
        assert_eq!((agrees(two, 1.2, 0.0), agrees(two, 2.0, 0.0)), (Some(true), None));
        assert_eq!((agrees(None, 0.0, 1.0), within(Some(1.2), 1.0, 0.1)), (None, Some(false)));
    }

    #[test]
    fn limits() {
        let judge = |value, nearing| agrees_in_the_limit(five(value, 0.01), -0.5, 0.15, nearing);
        assert_eq!((judge(-0.6, false), judge(-0.8, true), judge(-0.8, false)), (Some(true), None, Some(false)));
        assert!(nears(five(-0.8, 0.1), five(-0.9, 0.1), -0.5) && !nears(five(-0.8, 0.1), five(-0.7, 0.1), -0.5));
        assert!(!nears(five(-0.8, 0.1), None, -0.5));
    }

    #[test]
    fn signs() {
        let [one, two] = [&[1.0][..], &[1.0, 1.1]].map(Estimate::from_values);
        let all = [Evidence::ANY, Evidence::ERROR, Evidence::SPREAD];
        assert_eq!(all.map(|evidence| positive(one, evidence)), [Some(true), None, None]);
        assert_eq!(all.map(|evidence| positive(two, evidence)), [Some(true), Some(true), None]);
        assert_eq!(all.map(|evidence| positive(five(1.0, 0.6), evidence)), [Some(false), None, None]);
        assert_eq!(all.map(|evidence| negative(five(-1.0, 0.3), evidence)), [Some(true); 3]);
        assert_eq!(all.map(|evidence| negative(five(1.0, 0.3), evidence)), [Some(false); 3]);
    }

    #[test]
    fn a_claim_without_a_number_is_not_reached() {
        let judged = |measured| Judged { measured, theory: String::new(), holds: Some(true), note: "n".into() };
        let [none, one] = [None, Estimate::from_values(&[1.0])].map(|m| judged(m).claim("A1", Subject::default()));
        assert_eq!((none.verdict, one.verdict), (Verdict::NotReached, Verdict::Holds));
        assert_eq!((none.note.as_str(), one.note.as_str()), ("n", "n; one seed, so no standard error"));
        let some = Subject { failed: 2, ..Subject::default() };
        let none = judged(None).claim("A1", some);
        assert_eq!(none.note, "n; left out: 2 failed runs of this network");
    }
}
