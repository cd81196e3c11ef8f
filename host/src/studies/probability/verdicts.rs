//! Verdicts: whether the probe's logit is positive, at every time, for every network or draw.

use super::line::TIMES;
use crate::analysis::binomial::Share;
use crate::files;
use crate::files::numbers::NumberTable;

/// The names of the columns of a kind of outputs, at time 0 and at each of the times.
pub fn columns(kind: &str) -> impl Iterator<Item = String> {
    (0..=TIMES.len()).map(move |time| format!("{kind}_{time}"))
}

/// By time, 0 first: of every network or draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts(Vec<Vec<bool>>);

impl Verdicts {
    /// Those of a table's outputs of this kind.
    ///
    /// # Errors
    /// A column is missing.
    pub fn of(table: &NumberTable, kind: &str) -> Result<Self, files::Error> {
        let at_time = |name: String| Ok(table.column(&name)?.into_iter().map(|f| f > 0.0).collect());
        columns(kind).map(at_time).collect::<Result<_, _>>().map(Self)
    }
    /// All at a time: 0 is the start, k the k-th of [`TIMES`].
    pub fn at(&self, time: usize) -> &[bool] {
        &self.0[time]
    }
    /// How many are positive.
    pub fn share(&self, time: usize) -> Share {
        Share::of(self.0[time].iter().copied())
    }
    /// How often a positive logit is followed by one that is not.
    pub fn reversals(&self) -> usize {
        let fell =
            |pair: &[Vec<bool>]| pair[0].iter().zip(&pair[1]).filter(|(before, after)| **before && !**after).count();
        self.0.windows(2).map(fell).sum()
    }
    /// Of every one here, 1 for a positive verdict, less the share of positive ones there: the same number of those, in order,
    /// belongs to each.
    pub fn differences(&self, other: &Self, time: usize) -> Vec<f64> {
        let (here, there) = (self.numbers(time), other.numbers(time));
        let size = (there.len() / here.len().max(1)).max(1);
        let mean = |group: &[f64]| group.iter().sum::<f64>() / size as f64;
        here.iter().zip(there.chunks_exact(size)).map(|(here, there)| here - mean(there)).collect()
    }
    /// Of every one, 1 for a positive verdict, 0 for another.
    pub fn numbers(&self, time: usize) -> Vec<f64> {
        self.0[time].iter().map(|verdict| f64::from(u8::from(*verdict))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_counted_by_time() {
        let mut table = NumberTable::new(columns("network"));
        let row = |f: &dyn Fn(usize) -> f64| (0..=TIMES.len()).map(f).collect();
        table.push(row(&|k| k as f64 - 1.5));
        table.push(row(&|k| if k == 3 { 1.0 } else { -1.0 }));
        // no unit is active there: not positive
        table.push(row(&|_| 0.0));
        let verdicts = Verdicts::of(&table, "network").unwrap();
        assert_eq!(verdicts.at(3), [true, true, false]);
        assert_eq!([0, 2, 3].map(|k| verdicts.share(k).successes), [0, 1, 2]);
        assert_eq!((verdicts.reversals(), verdicts.numbers(2)), (1, vec![1.0, 0.0, 0.0]));
        assert_eq!(verdicts.differences(&verdicts, 3), [0.0; 3]);
        // of one network and three draws
        assert_eq!(
            Verdicts(vec![vec![true]]).differences(&Verdicts(vec![vec![true, false, false]]), 0),
            [1.0 - 1.0 / 3.0]
        );
        assert!(Verdicts::of(&table, "linearized").is_err());
    }
}
