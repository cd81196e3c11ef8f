//! The times of a run's snapshots, where they are given one by one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Error, MAX_SNAPSHOTS};
use crate::files::{self, CsvTable};

/// Where the times stand. A file or a flag has the numbers, `0,0.1,1`, or the name of a csv file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Times {
    /// Here.
    List(Vec<f64>),
    /// In the column `due` of a csv file, or its column `time`.
    File(PathBuf),
}

/// The columns of a file that are looked for, in this order: when a device was to record, and when it did.
const COLUMNS: [&str; 2] = ["due", "time"];

impl Times {
    /// Most of them: a record of so many is never full.
    pub const MOST: usize = MAX_SNAPSHOTS - 1;

    /// The file that is read for them.
    pub fn input(&self) -> Option<&Path> {
        if let Self::File(path) = self { Some(path) } else { None }
    }

    /// The same with the numbers of a file in place of its name.
    ///
    /// # Errors
    /// A file that is none or has neither column; times that are not finite, from 0 on and in ascending order.
    pub fn read(&self) -> Result<Self, Error> {
        let list = match self {
            Self::List(list) => list.clone(),
            Self::File(path) => column(path)?,
        };
        let refused = |what: String| Err(Error::Range { setting: "times", given: self.to_string(), what });
        if !list.iter().all(|time| time.is_finite() && *time >= 0.0) || !list.is_sorted_by(|a, b| a < b) {
            return refused("give finite times from 0 on in ascending order, each once".into());
        }
        if list.last().is_none_or(|last| *last == 0.0) {
            return refused("the run would end where it begins; give a time after 0".into());
        }
        if list.len() > Self::MOST {
            return refused(format!("{} times; give at most {}", list.len(), Self::MOST));
        }
        Ok(Self::List(list))
    }

    /// Those after the initialization, which is always recorded; none of a file that has not been read.
    pub fn after_0(&self) -> impl Iterator<Item = f64> + '_ {
        let list: &[f64] = if let Self::List(list) = self { list } else { &[] };
        list.iter().copied().filter(|time| *time > 0.0)
    }
}

/// The times in a csv file; those of several runs are taken once.
fn column(path: &Path) -> Result<Vec<f64>, Error> {
    let refused = |what: String| Error::File { path: path.into(), what };
    // the table's errors begin with its path, which is named once
    let in_table = |error: files::Error| {
        let text = error.to_string();
        let behind = text.strip_prefix(&path.display().to_string());
        refused(behind.map_or(&*text, |rest| rest.trim_start_matches([',', ':', ' '])).to_owned())
    };
    let table = CsvTable::read(path).map_err(|error| match error {
        files::Error::Input { fault, .. } => Error::Unreadable { path: path.into(), fault },
        other => in_table(other),
    })?;
    let found = COLUMNS.into_iter().find(|name| table.columns().any(|column| column == *name));
    let name = found.ok_or_else(|| {
        refused(
            "no column named due or time; give the times.csv of a device, the trace.csv of a run, or 0,0.1,1".into(),
        )
    })?;
    let mut list = Vec::new();
    for cells in table.rows() {
        list.push(cells.get::<f64>(name).map_err(in_table)?);
    }
    list.sort_by(f64::total_cmp);
    list.dedup();
    Ok(list)
}

impl FromStr for Times {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.ends_with(".csv") {
            return Ok(Self::File(text.into()));
        }
        let list: Result<Vec<f64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
        list.map(Self::List).map_err(|_| {
            let what = "give times such as 0,0.1,1,10, or a csv file with a column due or time".into();
            Error::Range { setting: "times", given: text.into(), what }
        })
    }
}

impl TryFrom<String> for Times {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Times> for String {
    fn from(times: Times) -> Self {
        times.to_string()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::List(list) => {
                let texts: Vec<String> = list.iter().map(|time| format!("{time:?}")).collect();
                f.write_str(&texts.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        let times: Times = "0, 0.1,1e10".parse().unwrap();
        assert_eq!(times, Times::List(vec![0.0, 0.1, 1e10]));
        assert_eq!(times.to_string().parse::<Times>().unwrap(), times);
        assert_eq!(times.after_0().collect::<Vec<_>>(), [0.1, 1e10]);
        assert!("soon".parse::<Times>().is_err());
        for (wrong, said) in [("1,0.5", "ascending"), ("0", "after 0"), ("0,inf", "finite"), ("1,1", "each once")] {
            let error = wrong.parse::<Times>().unwrap().read().unwrap_err().to_string();
            assert!(error.starts_with("`times = ") && error.contains(said), "{error}");
        }
    }
}
