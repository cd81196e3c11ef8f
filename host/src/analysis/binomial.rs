//! A probability estimated by how often something happened.

use statrs::distribution::{Beta, ContinuousCDF};

/// Share of the probability that an interval leaves out on either side.
const SIDE: f64 = 0.025;

/// Something happened so many times in so many independent trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// k: how often it happened
    pub successes: u64,
    /// n: how often it was tried
    pub trials: u64,
}

impl Share {
    /// Of trials that each happened or not.
    pub fn of(happened: impl Iterator<Item = bool>) -> Self {
        happened.fold(Self { successes: 0, trials: 0 }, |share, happened| Self {
            successes: share.successes + u64::from(happened),
            trials: share.trials + 1,
        })
    }
    /// k/n; NaN without a trial.
    pub fn value(self) -> f64 {
        self.successes as f64 / self.trials as f64
    }
    /// The interval of Clopper and Pearson (1934), which holds the probability with 95 % or more whatever it is: its ends are
    /// the 2.5 % quantile of Beta(k, n - k + 1) and the 97.5 % quantile of Beta(k + 1, n - k), 0 where k = 0 and 1 where
    /// k = n.
    pub fn interval(self) -> [f64; 2] {
        let (k, missed) = (self.successes as f64, (self.trials - self.successes) as f64);
        let quantile = |a: f64, b: f64, p: f64| Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(p));
        let low = if k == 0.0 { 0.0 } else { quantile(k, missed + 1.0, SIDE) };
        let high = if missed == 0.0 { 1.0 } else { quantile(k + 1.0, missed, 1.0 - SIDE) };
        [low, high]
    }
    /// How far it lies above this probability, in standard errors of as many trials with it; NaN where it is 0 or 1.
    pub fn errors_above(self, probability: f64) -> f64 {
        (self.value() - probability) / (probability * (1.0 - probability) / self.trials as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_intervals() {
        let off = |successes, trials, [low, high]: [f64; 2]| {
            let [l, h] = Share { successes, trials }.interval();
            (l - low).abs().max((h - high).abs())
        };
        // tables of Clopper and Pearson
        assert!(off(8, 10, [0.443_90, 0.974_79]) < 1e-5);
        assert!(off(0, 10, [0.0, 1.0 - 0.025f64.powf(0.1)]) < 1e-9);
        assert!(off(10, 10, [0.025f64.powf(0.1), 1.0]) < 1e-9);
        // of many, a normal law's 1.96 standard errors
        let share = Share { successes: 1900, trials: 2000 };
        let error = (0.95 * 0.05 / 2000f64).sqrt();
        assert!(off(1900, 2000, [0.95 - 1.96 * error, 0.95 + 1.96 * error]) < 1e-3);
        assert!(share.errors_above(0.95).abs() < 1e-9 && share.errors_above(0.9) > 7.0);
    }

    #[test]
    fn shares_are_counted() {
        let share = Share::of([true, false, true, true].into_iter());
        assert_eq!((share, share.value()), (Share { successes: 3, trials: 4 }, 0.75));
    }
}
