//! What a board has recorded, as a run's files: `numbers.csv` with all that it sent, and for each part of its experiment that has core's
//! columns a `trace.csv` and `times.csv`, the times that [`Times`](crate::experiment::Times) reads.

use ntkscope_core::record::Value;
use ntkscope_frames::{Received, Record};

use super::{RunDirectory, Trace, TraceRow};
use crate::files::{self, Cell, CsvTable};

/// The field of a record that says when it was due.
const DUE: &str = "due";

/// What a board sent.
pub struct Device<'a>(pub &'a Received);

impl Device<'_> {
    /// Every part of the experiment, in order.
    fn parts(&self) -> Vec<&str> {
        let mut parts: Vec<&str> = Vec::new();
        for Record { run, .. } in &self.0.records {
            if !parts.contains(&run.as_str()) {
                parts.push(run);
            }
        }
        parts
    }

    fn of(&self, part: &str) -> impl Iterator<Item = &Record> {
        self.0.records.iter().filter(move |record| record.run == part)
    }

    /// The traces of the parts that are training: their records have a time, and every field is one of core's columns.
    pub fn traces(&self) -> Vec<Trace> {
        let is_column = |(name, _): &(String, f32)| name == DUE || TraceRow::column(name).is_some();
        // a name from a file that becomes a directory's
        let is_plain = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let trains = |part: &&str| {
            is_plain(part)
                && self.of(part).all(|record| record.get("time").is_some() && record.fields.iter().all(is_column))
        };
        let trace = |part: &str| Trace { label: part.replace('-', " "), rows: self.of(part).map(row).collect() };
        self.parts().into_iter().filter(trains).map(trace).collect()
    }

    /// Writes the tables: those of the only trace in the directory itself, of several in a directory each.
    ///
    /// # Errors
    /// [`files::Error::Io`].
    pub fn write(&self, directory: &RunDirectory) -> Result<(), files::Error> {
        let mut numbers = CsvTable::new(["run", "record", "field", "bits", "value"]);
        for number in &self.0.numbers {
            let (value, bits) = (f64::from(number.value()), format!("{:08x}", number.bits));
            let cells = [number.run.clone(), number.record.to_string(), number.field.clone(), bits];
            let value = Value::Number(value).to_string();
            numbers.push(cells.into_iter().chain([value]).map(Cell::from));
        }
        numbers.write(&directory.file("numbers.csv"))?;
        let traces = self.traces();
        for trace in &traces {
            let part = trace.label.replace(' ', "-");
            let place = if traces.len() > 1 { directory.inside(&part)? } else { directory.clone() };
            trace.write(&place.file("trace.csv"))?;
        }
        let mut due: Vec<f32> = self.0.records.iter().filter_map(|record| record.get(DUE)).collect();
        due.sort_by(f32::total_cmp);
        due.dedup();
        if due.is_empty() {
            return Ok(());
        }
        let mut times = CsvTable::new([DUE]);
        // the shortest text of the number that the board has: that of the same number in double precision is another
        due.iter().for_each(|time| times.push([Cell::from(format!("{time:?}"))]));
        times.write(&directory.file("times.csv"))
    }
}

/// A record as a row; what the board does not send is not known.
fn row(record: &Record) -> TraceRow {
    let mut row = TraceRow::unknown();
    for (name, value) in record.fields.iter().filter(|(name, _)| name != DUE) {
        let Some(column) = TraceRow::column(name) else { continue };
        // a count is sent as a number
        let count = || column.read(&mut TraceRow::default(), "0").is_some_and(|value| matches!(value, Value::Count(_)));
        let text = if count() { format!("{value:.0}") } else { Value::Number(f64::from(*value)).to_string() };
        let _ = column.read(&mut row, &text);
    }
    row.finite = row.loss.is_finite();
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_with_the_columns_of_a_snapshot_is_a_row() {
        let record = |run: &str, fields: &[(&str, f32)]| Record {
            run: run.into(),
            record: 0,
            fields: fields.iter().map(|(name, value)| ((*name).into(), *value)).collect(),
            at: None,
        };
        let records = vec![
            record(
                "squared-error",
                &[("due", 0.1), ("step", 7.0), ("time", 0.125), ("loss", 0.5), ("condition", f32::NAN)],
            ),
            record("width", &[("error_fro", 0.5)]),
        ];
        let received = Received { records, ..Received::default() };
        let traces = Device(&received).traces();
        assert_eq!((traces.len(), traces[0].label.as_str()), (1, "squared error"));
        let row = traces[0].rows[0];
        assert_eq!((row.step, row.time, row.loss, row.finite), (7, 0.125, 0.5, true));
        assert!(row.condition.is_nan() && row.drift_max.is_nan());
    }
}
