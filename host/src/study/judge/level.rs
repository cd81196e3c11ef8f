//! The level at which the claims of a study are judged together.

use super::{Allowed, Estimate};

/// Expected share of false verdicts among those of a study, at most: for every claim two statements are tested, "outside" and
/// "inside", of which one is true, so that half the rate at which [`Level::of`] rejects is what remains.
pub const FALSE_SHARE: f64 = 0.025;

/// How unlikely a measured mean must be on one side for a verdict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// the probability on either side
    pub side: f64,
    /// claims that are decided at it
    pub decided: usize,
    /// claims that were judged
    pub judged: usize,
}

impl Level {
    /// The largest level `R/m` times 2.5 % at which R of the m claims are decided: the procedure of Benjamini and Hochberg for
    /// the 2m statements "the true value lies outside" and "inside", at a false discovery rate of 5 %. Where all are decided
    /// it is the level of the 95 % interval; a claim without an interval is not decided and counts.
    pub fn of(claims: impl IntoIterator<Item = (Option<Estimate>, Allowed)>) -> Self {
        let smaller = |(estimate, allowed): (Option<Estimate>, Allowed)| {
            estimate.map_or(1.0, |estimate| estimate.probabilities(allowed).into_iter().fold(1.0, f64::min))
        };
        let mut probabilities: Vec<f64> = claims.into_iter().map(smaller).collect();
        probabilities.sort_by(f64::total_cmp);
        let judged = probabilities.len();
        let side = |decided: usize| FALSE_SHARE * decided.max(1) as f64 / judged.max(1) as f64;
        let decided = (1..=judged).rfind(|r| probabilities[r - 1] <= side(*r)).unwrap_or(0);
        Self { side: side(decided), decided, judged }
    }

    /// The share of the means that the intervals of this level hold.
    pub fn coverage(self) -> f64 {
        1.0 - 2.0 * self.side
    }

    /// Verdicts of a study that are expected to be false, at most.
    pub fn expected_false(self) -> f64 {
        FALSE_SHARE * self.decided as f64
    }
}
