//! The judge: one rule for every claim of every study.
//!
//! A claim says beforehand where a number must lie: theory's value or set, widened by an allowance that has a reason. What
//! was measured of the number are independent values, one for every seed, draw or trial, and their mean has Student's
//! interval
//!
//! ```text
//! [mean - t s/sqrt(n), mean + t s/sqrt(n)],   t = t_{n-1}(1 - level)
//! ```
//!
//! with the sample's standard deviation s. Of values in a known range [a, b], as those of yes or no, it is never narrower than what could
//! be there unseen: with n values other than v not seen, one occurs with the probability p at most, (1 - p)^n = level, and
//! moves the mean to v - p (v - a) or v + p (b - v). Where all values are equal that is all there is of the interval (of yes or
//! no it is then Clopper and Pearson's). The claim **holds** where the whole interval lies inside what is allowed, it
//! **fails** where the whole interval lies outside, and is **not decided** otherwise: noise decides nothing, and a number
//! without an interval neither. (Two one-sided tests: Schuirmann 1987.) Numbers without scatter, which are those of
//! identities, bounds and regression values, are intervals of one point.
//!
//! A study judges many claims, so the level is the study's ([`Level`]): 2.5 % on either side, the 95 % interval, where all
//! are decided, and less where only some are (Benjamini and Hochberg 1995).

mod level;
#[cfg(test)]
mod tests;

pub use level::{FALSE_SHARE, Level};

use statrs::distribution::{ContinuousCDF, StudentsT};

pub use crate::analysis::statistics::Estimate;
use crate::report::Verdict;

/// Most seeds that a row promises to be enough: beyond, the true value may lie on the edge.
const MOST_SEEDS: usize = 1_000_000;

/// Where a number must lie, ends included; they may be infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowed {
    /// lower end
    pub low: f64,
    /// upper end
    pub high: f64,
}

/// What was measured of a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// independent values, one for every seed, of which the mean is judged
    Values(Vec<f64>),
    /// the same of something else than seeds
    Sample(Sample),
    /// one number, without scatter
    Exact(f64),
    /// nothing, for this reason
    Nothing(String),
}

/// Independent values that are not of a seed each.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// the values
    pub values: Vec<f64>,
    /// what each is of, several of them: "images", "groups of 20 networks"
    pub of: String,
    /// the least and the largest that a value can be, where those are known
    pub range: Option<[f64; 2]>,
}

impl Measured {
    /// Values of these units, several of them.
    pub fn sample(values: Vec<f64>, of: impl Into<String>) -> Self {
        Self::Sample(Sample { values, of: of.into(), range: None })
    }

    /// The same, each between these.
    pub fn between([low, high]: [f64; 2], values: Vec<f64>, of: impl Into<String>) -> Self {
        Self::Sample(Sample { values, of: of.into(), range: Some([low, high]) })
    }

    /// The independent values; none of a number without scatter.
    pub fn values(&self) -> &[f64] {
        match self {
            Self::Values(values) => values,
            Self::Sample(sample) => &sample.values,
            Self::Exact(_) | Self::Nothing(_) => &[],
        }
    }

    /// What the values are of, several of them.
    pub fn units(&self) -> &str {
        match self {
            Self::Sample(sample) => &sample.of,
            _ => "seeds",
        }
    }

    /// The values that every one of several has, or why there are none.
    pub fn of(values: impl IntoIterator<Item = Option<f64>>, missing: &str) -> Self {
        let values: Option<Vec<f64>> = values.into_iter().collect();
        match values {
            Some(values) if !values.is_empty() => Self::Values(values),
            _ => Self::Nothing(missing.into()),
        }
    }

    /// The values that every one of several has, or the first reason why one has none.
    pub fn tried<E: std::fmt::Display>(values: impl IntoIterator<Item = Result<f64, E>>) -> Self {
        match values.into_iter().collect::<Result<Vec<f64>, E>>() {
            Ok(values) => Self::of(values.into_iter().map(Some), "nothing was measured"),
            Err(why) => Self::Nothing(why.to_string()),
        }
    }

    /// An extreme of numbers that all must be there.
    pub fn extreme(value: Option<f64>, missing: &str) -> Self {
        value.map_or(Self::Nothing(missing.into()), Self::Exact)
    }

    /// What the judge sees of it; `None` where there is nothing, or a value is not finite.
    pub fn estimate(&self) -> Option<Estimate> {
        match self {
            Self::Nothing(_) => None,
            Self::Exact(value) => value.is_finite().then_some(Estimate::exact(*value)),
            Self::Values(values) => Estimate::from_values(values),
            Self::Sample(Sample { values, range, .. }) => {
                Estimate::from_values(values).map(|estimate| Estimate { range: *range, ..estimate })
            }
        }
    }
}

impl Allowed {
    /// The number itself.
    pub const fn number(value: f64) -> Self {
        Self { low: value, high: value }
    }
    /// No less than `low`.
    pub const fn at_least(low: f64) -> Self {
        Self { low, high: f64::INFINITY }
    }
    /// No more than `high`.
    pub const fn at_most(high: f64) -> Self {
        Self { low: f64::NEG_INFINITY, high }
    }
    /// Between these.
    pub const fn between(low: f64, high: f64) -> Self {
        Self { low, high }
    }
    /// Wider by `allowance` at both ends.
    pub fn widened(self, allowance: f64) -> Self {
        Self { low: self.low - allowance, high: self.high + allowance }
    }
    fn contains(self, low: f64, high: f64) -> bool {
        self.low <= low && high <= self.high
    }
    fn lies_apart(self, low: f64, high: f64) -> bool {
        high < self.low || self.high < low
    }
}

impl Estimate {
    /// The standard error: 0 without scatter, infinite for a single value.
    fn spread(&self) -> f64 {
        match (self.error, self.count) {
            (Some(error), _) => error,
            (None, 0) => 0.0,
            (None, _) => f64::INFINITY,
        }
    }

    fn student(&self) -> Option<StudentsT> {
        StudentsT::new(0.0, 1.0, (self.count.checked_sub(1)?) as f64).ok()
    }

    /// The interval that the mean misses with the probability `level` on either side; `None` for a single value.
    pub fn interval(&self, level: f64) -> Option<[f64; 2]> {
        let half = match self.spread() {
            0.0 => 0.0,
            spread => self.student()?.inverse_cdf(1.0 - level) * spread,
        };
        let student = half.is_finite().then_some([self.value - half, self.value + half]);
        let (Some([low, high]), Some([least, largest])) = (student, self.range) else { return student };
        let unseen = 1.0 - level.powf(1.0 / self.count as f64);
        let [down, up] = [self.value - unseen * (self.value - least), self.value + unseen * (largest - self.value)];
        Some([low.min(down).max(least), high.max(up).min(largest)])
    }

    /// The probability of a mean as far above `bound`, or farther, were the true one there.
    fn above(&self, bound: f64) -> f64 {
        if bound.is_infinite() {
            return if bound < 0.0 { 0.0 } else { 1.0 };
        }
        let student = match self.student() {
            // P(T > t) = P(T < -t), which keeps its digits
            Some(student) if self.spread() > 0.0 && self.spread().is_finite() => {
                student.cdf((bound - self.value) / self.spread())
            }
            _ if self.spread() == 0.0 => f64::from(u8::from(self.value < bound)),
            _ => 1.0,
        };
        match self.range {
            Some([least, _]) if self.value > bound => {
                let all = ((bound - least) / (self.value - least)).clamp(0.0, 1.0);
                student.max(all.powf(self.count as f64))
            }
            _ => student,
        }
    }

    fn below(&self, bound: f64) -> f64 {
        let range = self.range.map(|[least, largest]| [-largest, -least]);
        Self { value: -self.value, range, ..*self }.above(-bound)
    }

    /// The probabilities of what was measured, were the true value outside what is allowed, and were it inside: the smaller
    /// of them decides.
    pub fn probabilities(&self, allowed: Allowed) -> [f64; 2] {
        let outside = self.above(allowed.low).max(self.below(allowed.high));
        let inside = match () {
            () if self.value > allowed.high => self.above(allowed.high),
            () if self.value < allowed.low => self.below(allowed.low),
            () => 1.0,
        };
        [outside, inside]
    }

    /// The verdict at a level, from the interval alone.
    pub fn verdict(&self, allowed: Allowed, level: f64) -> Verdict {
        match self.interval(level) {
            Some([low, high]) if allowed.contains(low, high) => Verdict::Holds,
            Some([low, high]) if allowed.lies_apart(low, high) => Verdict::Fails,
            _ => Verdict::NotDecided,
        }
    }

    /// How many values would decide, were mean and scatter what they are; `None` where a million would not, or where the
    /// scatter is not known.
    pub fn seeds_to_decide(&self, allowed: Allowed, level: f64) -> Option<usize> {
        if self.count < 2 {
            return None;
        }
        let scatter = self.spread() * (self.count as f64).sqrt();
        let with = |count: usize| Self { error: Some(scatter / (count as f64).sqrt()), count, ..*self };
        let decides = |count: usize| with(count).verdict(allowed, level) != Verdict::NotDecided;
        if !decides(MOST_SEEDS) {
            return None;
        }
        let (mut too_few, mut enough) = (1, MOST_SEEDS);
        while enough - too_few > 1 {
            let middle = too_few + (enough - too_few) / 2;
            if decides(middle) { enough = middle } else { too_few = middle }
        }
        Some(enough)
    }
}
