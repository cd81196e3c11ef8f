//! One part of a grid, for several machines that share the work: which runs are whose is known to each of them beforehand.

use std::fmt;
use std::str::FromStr;

use super::Error;

/// Most parts: more than any grid has runs.
const MOST: usize = 1_000_000;

/// Part I of N, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

/// A text that is no part of anything, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoShard(&'static str);

impl FromStr for Shard {
    type Err = NoShard;
    fn from_str(text: &str) -> Result<Self, NoShard> {
        let numbers = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        let (index, count) = numbers.ok_or(NoShard("give I/N: part I of N, such as 2/8"))?;
        match (index, count) {
            (0, _) => Err(NoShard("parts are counted from 1, so that 1/N is the first and N/N the last")),
            (_, count) if count > MOST => Err(NoShard("give at most 1000000 parts")),
            (index, count) if index > count => Err(NoShard("there is no such part; give I/N with I from 1 to N")),
            _ => Ok(Self { index, count }),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl Shard {
    /// That of a task in an array of Slurm's, by its environment: the task's place in the array, which may begin anywhere and
    /// have any step. `None` outside of arrays.
    ///
    /// # Errors
    /// [`Error::Range`]: an array with gaps, whose tasks do not say which place is whose; numbers that are none.
    pub fn of_slurm(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Error> {
        let number = |name: &'static str, other: Option<usize>| {
            let name = format!("SLURM_ARRAY_TASK_{name}");
            let text = variable(&name);
            let number = text.as_ref().map_or(other, |text| text.parse().ok());
            number.ok_or_else(|| match text {
                Some(text) => refused(&format!("{name} = {text} is no number")),
                None => refused(&format!("{name} is not set, though SLURM_ARRAY_TASK_ID is")),
            })
        };
        if variable("SLURM_ARRAY_TASK_ID").is_none() {
            return Ok(None);
        }
        let (id, count, first) = (number("ID", None)?, number("COUNT", None)?, number("MIN", None)?);
        let step = number("STEP", Some(1))?.max(1);
        let last = number("MAX", Some(first + step * count.saturating_sub(1)))?;
        let whole = last.checked_sub(first) == count.checked_sub(1).map(|gaps| gaps * step);
        match id.checked_sub(first) {
            Some(distance) if whole && distance % step == 0 && distance / step < count => {
                Ok(Some(Self { index: distance / step + 1, count }))
            }
            _ => Err(refused(&format!("the tasks of this array ({count} from {first} to {last}) have no common step"))),
        }
    }

    /// Which of these pieces of work are this part's. The heaviest go first, each to the part that has least by then, so
    /// that every part takes about as long; every piece is in exactly one part, whoever asks.
    pub fn takes(&self, work: &[f64]) -> Vec<bool> {
        let mut order: Vec<usize> = (0..work.len()).collect();
        order.sort_by(|a, b| work[*b].total_cmp(&work[*a]));
        let mut given = vec![(0.0, 0usize); self.count.min(work.len().max(1))];
        let mut takes = vec![false; work.len()];
        for piece in order {
            // of parts with the same work that with the fewest pieces, and of these the first
            let lighter = |a: &&mut (f64, usize), b: &&mut (f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            if let Some((part, least)) = given.iter_mut().enumerate().min_by(|(_, a), (_, b)| lighter(a, b)) {
                *least = (least.0 + work[piece], least.1 + 1);
                takes[piece] = part + 1 == self.index;
            }
        }
        takes
    }
}

fn refused(what: &str) -> Error {
    let what = format!("{what}; give `shard = I/N`");
    Error::Range { setting: "shard", given: String::new(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_from_1() {
        assert_eq!("2/3".parse(), Ok(Shard { index: 2, count: 3 }));
        assert_eq!("1/1".parse::<Shard>().unwrap().to_string(), "1/1");
        for wrong in
            ["", "3", "0/3", "0/0", "4/3", "1/0", "-1/3", "1/2/3", "a/b", "1/1000001", "1/99999999999999999999"]
        {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    /// Every piece has one part, and no part more than the fairest share and the heaviest piece.
    #[test]
    fn parts_are_disjoint_cover_all_and_are_balanced() {
        let works: [Vec<f64>; 4] =
            [(0..50).map(|k| f64::from(k * k % 17)).collect(), vec![0.0; 7], vec![100.0, 1.0, 1.0, 1.0], Vec::new()];
        for work in works {
            for count in [1, 2, 3, 5, 60] {
                let parts: Vec<Vec<bool>> = (1..=count).map(|index| Shard { index, count }.takes(&work)).collect();
                for piece in 0..work.len() {
                    assert_eq!(parts.iter().filter(|part| part[piece]).count(), 1, "{piece} of {work:?}");
                }
                let (all, most) = (work.iter().sum::<f64>(), work.iter().copied().fold(0.0, f64::max));
                for part in &parts {
                    let has: f64 = part.iter().zip(&work).filter(|(takes, _)| **takes).map(|(_, work)| work).sum();
                    assert!(has <= all / count as f64 + most, "{has} of {all} in {count} parts");
                }
            }
        }
        // where nobody knows how long anything takes, each part has as many
        let many = |index| Shard { index, count: 3 }.takes(&[0.0; 7]).iter().filter(|takes| **takes).count();
        assert_eq!([1, 2, 3].map(many), [3, 2, 2]);
    }

    #[test]
    fn an_array_may_begin_anywhere_and_have_any_step() {
        let of = |id: &str, [first, last, step, count]: [&str; 4]| {
            let all = [("ID", id), ("MIN", first), ("MAX", last), ("STEP", step), ("COUNT", count)];
            let value = |name: &str| {
                let (_, value) = all.iter().find(|(end, _)| name == format!("SLURM_ARRAY_TASK_{end}"))?;
                (!value.is_empty()).then(|| (*value).to_owned())
            };
            Shard::of_slurm(value)
        };
        for (id, array, shard) in [
            ("0", ["0", "3", "1", "4"], "1/4"),
            ("3", ["0", "3", "1", "4"], "4/4"),
            ("1", ["1", "4", "1", "4"], "1/4"),
            ("15", ["7", "15", "4", "3"], "3/3"),
            // one task of an array that was submitted again by itself does all that is left
            ("2", ["2", "2", "1", "1"], "1/1"),
            ("2", ["1", "", "", "2"], "2/2"),
        ] {
            assert_eq!(of(id, array).unwrap().unwrap().to_string(), shard, "{id} of {array:?}");
        }
        assert_eq!(Shard::of_slurm(|_| None).unwrap(), None);
        for (id, array) in [
            ("5", ["1", "5", "1", "3"]),
            ("1", ["1", "5", "1", "3"]),
            ("0", ["1", "3", "1", "3"]),
            ("2", ["1", "5", "2", "3"]),
            ("x", ["1", "5", "2", "3"]),
            ("2", ["1", "3", "1", ""]),
            ("2", ["1", "3", "1", "0"]),
        ] {
            let told = of(id, array).unwrap_err().to_string();
            assert!(told.contains("SLURM") || told.contains("array"), "{told}");
            assert!(told.contains("`shard = I/N`"), "{told}");
        }
    }
}
