//! The csv files of runs and studies: accepted, written, and read back, they have the same content.

use std::path::Path;

use ntkscope::{
    files::{CsvTable, Error, numbers::NumberTable},
    run::{LimitRow, PredictionTable, ProfileTable, Trace},
};

use crate::refused::Verdict;

fn check(input: &[u8], read: impl Fn(&CsvTable) -> Result<CsvTable, Error>) -> Verdict {
    let path = Path::new("table.csv");
    let content = |table: &CsvTable| table.content().expect("memory can be written");
    let table = CsvTable::parse(path, input)?;
    let texts = content(&CsvTable::parse(path, &content(&table)).expect("our own file"));
    assert_eq!(texts, content(&table), "other texts when it is read back");
    let written = content(&read(&table)?);
    let back = read(&CsvTable::parse(path, &written).expect("our own file")).expect("our own file");
    assert_eq!(content(&back), written, "not the same when it is read back");
    Ok(())
}

/// `trace.csv`.
pub(crate) fn trace(input: &[u8]) -> Verdict {
    check(input, |table| Trace::of("run", table).map(|trace| trace.table()))
}

/// `numbers.csv`.
pub(crate) fn numbers(input: &[u8]) -> Verdict {
    check(input, |table| {
        let numbers = NumberTable::of(table)?;
        assert!(!numbers.columns().is_empty(), "a table without columns");
        for name in numbers.columns() {
            assert_eq!(numbers.column(name)?.len(), numbers.rows().len());
        }
        // a name that no column has
        numbers.column("a\u{1b}[31m").map_or_else(|error| assert!(!error.to_string().is_empty()), drop);
        Ok(numbers.table())
    })
}

/// `predictions.csv`.
pub(crate) fn predictions(input: &[u8]) -> Verdict {
    check(input, |table| PredictionTable::of(table).map(|predictions| predictions.table()))
}

/// `profile.csv`.
pub(crate) fn profile(input: &[u8]) -> Verdict {
    check(input, |table| {
        let profile = ProfileTable::of(table)?;
        assert_eq!(profile.snapshots().map(<[_]>::len).sum::<usize>(), profile.rows.len());
        Ok(profile.table())
    })
}

/// `limit.csv`.
pub(crate) fn limit(input: &[u8]) -> Verdict {
    check(input, |table| LimitRow::of(table).map(|limit| limit.table()))
}
