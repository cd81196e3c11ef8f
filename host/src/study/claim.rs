//! The language of claims: what is measured of a thing of one kind, what theory says of it, and why it may lie a little off.
//!
//! A claim is data and four functions of its subject, such as the runs of one network. The verdict is the judge's
//! ([`super::judge`]); nobody writes one by hand.

use super::judge::{Allowed, Level, Measured};
use crate::report::{ClaimRow, Kind, Verdict, number};
use crate::words::count;

/// A claim about subjects of the kind `S`.
pub struct Claim<S> {
    /// its name, beginning with the paper's letter and a number
    pub name: &'static str,
    /// where it stands in the paper, or how it is derived
    pub place: &'static str,
    /// whether data may refute it, or only an error of the program
    pub kind: Kind,
    /// what it is about
    pub about: fn(&S) -> Subject,
    /// the numbers that decide
    pub measure: fn(&S) -> Measured,
    /// what theory says of them; `None` where it says nothing, and there is no row
    pub theory: fn(&S) -> Option<Theory>,
    /// what is measured over which runs, in words
    pub note: fn(&S) -> String,
    /// why it fails, where it does
    pub failing: Failing,
}

/// Why a claim fails at the sizes of the studies, in a sentence for either side of theory; empty where no reason is known. What
/// explains a number that is too large seldom explains one that is too small.
#[derive(Clone, Copy, Debug)]
pub struct Failing {
    /// measured below what theory allows
    pub below: &'static str,
    /// measured above it
    pub above: &'static str,
}

/// A failure on either side would be news.
pub const UNEXPLAINED: Failing = Failing { below: "", above: "" };

impl Failing {
    /// The reason for this number, which lies outside what is allowed.
    fn reason(self, value: f64, allowed: Allowed) -> &'static str {
        if value < allowed.low { self.below } else { self.above }
    }

    /// Whether no reason stands on a side that theory leaves open. What the measure excludes, such as a negative distance, is not seen.
    fn fits(self, allowed: Allowed) -> bool {
        let (never_below, never_above) = (allowed.low == f64::NEG_INFINITY, allowed.high == f64::INFINITY);
        (self.below.is_empty() || !never_below) && (self.above.is_empty() || !never_above)
    }
}

/// What a row is about, as far as the subject knows it: columns of `claims.csv`.
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

/// What theory says of a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Theory {
    allowed: Allowed,
    words: String,
    allowance: f64,
    reason: String,
}

impl Theory {
    /// It is this number.
    pub fn number(value: f64) -> Self {
        Self::new(Allowed::number(value), number(value))
    }
    /// It is no less.
    pub fn at_least(low: f64) -> Self {
        Self::new(Allowed::at_least(low), format!("≥ {}", number(low)))
    }
    /// It is no more.
    pub fn at_most(high: f64) -> Self {
        Self::new(Allowed::at_most(high), format!("≤ {}", number(high)))
    }
    /// It is more.
    pub fn above(low: f64) -> Self {
        Self::new(Allowed::at_least(low.next_up()), format!("> {}", number(low)))
    }
    /// It is less.
    pub fn below(high: f64) -> Self {
        Self::new(Allowed::at_most(high.next_down()), format!("< {}", number(high)))
    }
    /// It lies between these.
    pub fn between(low: f64, high: f64) -> Self {
        Self::new(Allowed::between(low, high), format!("{} to {}", number(low), number(high)))
    }
    fn new(allowed: Allowed, words: String) -> Self {
        Self { allowed, words, allowance: 0.0, reason: String::new() }
    }
    /// As people write it: `−1`, `2L/(L + 1) = 4/3`.
    pub fn said(self, words: impl Into<String>) -> Self {
        Self { words: words.into(), ..self }
    }
    /// It may be off by so much on either side, for a reason that was known beforehand.
    pub fn within(self, allowance: f64, reason: impl Into<String>) -> Self {
        Self { allowance, reason: reason.into(), ..self }
    }
}

/// A claim about a subject with what was measured of it, to be judged with all others of the study.
#[derive(Clone, Debug)]
pub struct Stated {
    kind: Kind,
    name: &'static str,
    place: &'static str,
    subject: Subject,
    measured: Measured,
    theory: Theory,
    note: String,
    failing: Failing,
}

impl<S> Claim<S> {
    /// What this claim says of a subject; `None` where theory says nothing of it.
    pub fn state(&self, subject: &S) -> Option<Stated> {
        let theory = (self.theory)(subject)?;
        debug_assert!(self.failing.fits(theory.allowed), "{}: a reason for failing where it cannot", self.name);
        Some(Stated {
            kind: self.kind,
            name: self.name,
            place: self.place,
            subject: (self.about)(subject),
            measured: (self.measure)(subject),
            theory,
            note: (self.note)(subject),
            failing: self.failing,
        })
    }
}

/// What these claims say of a subject, in order.
pub fn state_all<S>(claims: &[Claim<S>], subject: &S) -> Vec<Stated> {
    claims.iter().filter_map(|claim| claim.state(subject)).collect()
}

impl Stated {
    fn allowed(&self) -> Allowed {
        self.theory.allowed.widened(self.theory.allowance)
    }

    fn row(self, side: f64) -> ClaimRow {
        let (allowed, estimate) = (self.allowed(), self.measured.estimate());
        let verdict = estimate.map_or(Verdict::NotDecided, |estimate| estimate.verdict(allowed, side));
        let Self { kind, name, place, subject, measured, theory, note, failing } = self;
        let units = measured.units();
        let mut notes = vec![note];
        if let (Verdict::Fails, Some(estimate)) = (verdict, estimate) {
            notes.push(failing.reason(estimate.value, allowed).into());
        }
        if theory.allowance > 0.0 {
            notes.push(format!("allowance ± {}: {}", number(theory.allowance), theory.reason));
        }
        if verdict == Verdict::NotDecided {
            notes.push(match (&measured, estimate) {
                (Measured::Nothing(why), _) => why.clone(),
                (_, None) => "not every value is a finite number".into(),
                (_, Some(estimate)) if estimate.count == 1 => "one value has no interval".into(),
                (_, Some(estimate)) => match estimate.seeds_to_decide(allowed, side) {
                    Some(enough) => format!("about {enough} {units} would decide at this mean and scatter"),
                    None => format!("no number of {units} would decide at this mean and scatter"),
                },
            });
        }
        if subject.failed > 0 {
            notes.push(format!("excluded: {} of this network", count(subject.failed, "failed run")));
        }
        notes.retain(|note| !note.is_empty());
        let Subject { network, loss, init, .. } = subject;
        ClaimRow {
            kind,
            claim: name.into(),
            place: place.into(),
            network,
            loss,
            init,
            measured: estimate.map(|estimate| estimate.value),
            interval: estimate.and_then(|estimate| estimate.interval(side)),
            seeds: estimate.map_or(0, |estimate| estimate.count),
            theory: theory.words,
            allowed: [allowed.low, allowed.high],
            verdict,
            note: notes.join("; "),
        }
    }
}

/// The verdicts on everything that a study states, and the level at which its claims are judged together. Checks are no tests of
/// theory and do not enter it; those that are means over seeds have their intervals at the same level.
pub fn judge(stated: Vec<Stated>) -> (Vec<ClaimRow>, Level) {
    let claims = stated.iter().filter(|stated| stated.kind == Kind::Claim);
    let level = Level::of(claims.map(|stated| (stated.measured.estimate(), stated.allowed())));
    (stated.into_iter().map(|stated| stated.row(level.side)).collect(), level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_theories_exclude_their_bound() {
        let verdict =
            |theory: Theory, value: f64| Measured::Exact(value).estimate().unwrap().verdict(theory.allowed, 0.025);
        for bound in [0.0, 1.0, -0.03] {
            let (less, more) = (bound - 1e-9, bound + 1e-9);
            assert_eq!(
                [bound, more].map(|v| verdict(Theory::above(bound), v)),
                [Verdict::Fails, Verdict::Holds],
                "{bound}"
            );
            assert_eq!(
                [bound, less].map(|v| verdict(Theory::below(bound), v)),
                [Verdict::Fails, Verdict::Holds],
                "{bound}"
            );
            assert_eq!(verdict(Theory::at_least(bound), bound), Verdict::Holds);
        }
    }

    /// A claim about a number, with a reason for either side.
    fn of_a_number(theory: fn(&f64) -> Option<Theory>, failing: Failing) -> Claim<f64> {
        Claim {
            name: "X1 a number",
            place: "nowhere",
            kind: Kind::Check,
            about: |_| Subject::default(),
            measure: |value| Measured::Exact(*value),
            theory,
            note: |_| "a note".into(),
            failing,
        }
    }

    #[test]
    fn a_reason_is_that_of_its_side() {
        let claim = of_a_number(
            |_| Some(Theory::number(1.0).within(0.5, "a reason to be off")),
            Failing { below: "too small", above: "too large" },
        );
        let note = |value: f64, claim: &Claim<f64>| judge(claim.state(&value).into_iter().collect()).0.remove(0).note;
        let allowance = "allowance ± 0.5: a reason to be off";
        for (value, reason) in [(0.4, "; too small"), (1.0, ""), (1.6, "; too large")] {
            assert_eq!(note(value, &claim), format!("a note{reason}; {allowance}"));
        }
        let of_one_side = Claim { failing: Failing { below: "too small", ..UNEXPLAINED }, ..claim };
        assert_eq!(note(1.6, &of_one_side), format!("a note; {allowance}"), "no reason is known");
    }

    #[test]
    fn no_reason_stands_where_a_claim_cannot_fail() {
        let [below, above] =
            [Failing { below: "too small", ..UNEXPLAINED }, Failing { above: "too large", ..UNEXPLAINED }];
        let [at_least, at_most] = [Theory::at_least(1.0), Theory::at_most(1.0)].map(|theory| theory.allowed);
        assert!(below.fits(at_least) && above.fits(at_most));
        assert!(!above.fits(at_least) && !below.fits(at_most));
    }
}
