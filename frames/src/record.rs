use std::{format, string::String, time::Duration, vec::Vec};

use crate::Number;

/// The numbers of one record, in the order in which they came.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Which part of the experiment.
    pub run: String,
    /// Which record of it.
    pub record: u32,
    /// Names and values.
    pub fields: Vec<(String, f32)>,
    /// When the board had sent all of it, since its start; where it knows.
    pub at: Option<Duration>,
}

/// Fields that a line has of a record with many.
const TOLD: [&str; 6] = ["time", "loss", "margin_min", "drift_max", "error_max", "lambda_min"];
/// Fields that a line has room for.
const ROOM: usize = 6;

impl Record {
    /// The value of this name.
    pub fn get(&self, field: &str) -> Option<f32> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, value)| *value)
    }

    /// One line about it: all of few fields, of many those of a run that one follows.
    pub fn line(&self) -> String {
        let told = |(name, _): &&(String, f32)| self.fields.len() <= ROOM || TOLD.contains(&name.as_str());
        let fields = self.fields.iter().filter(told);
        let mut line = format!("{} {}", self.run, self.record);
        for (name, value) in fields {
            line += &format!("  {name} {}", short(*value));
        }
        match self.at {
            Some(at) => line + &format!("  at {:.3} s", at.as_secs_f64()),
            None => line,
        }
    }
}

/// Four digits.
pub(crate) fn short(value: f32) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-3..1e5).contains(&magnitude) {
        let decimals = if magnitude == 0.0 { 0 } else { (3 - magnitude.log10().floor() as i32).max(0) as usize };
        let fixed = format!("{value:.decimals$}");
        if fixed.contains('.') {
            return fixed.trim_end_matches('0').trim_end_matches('.').into();
        }
        return fixed;
    }
    format!("{value:.3e}")
}

/// Numbers on their way to being records.
#[derive(Debug, Default)]
pub struct Records {
    open: Option<Record>,
}

impl Records {
    /// Adds a number that was sent at this time; the record before it, where that is whole now.
    pub fn push(&mut self, number: &Number, at: Option<Duration>) -> Option<Record> {
        let field = (number.field.clone(), number.value());
        match &mut self.open {
            Some(open) if open.run == number.run && open.record == number.record => {
                open.fields.push(field);
                open.at = at;
                None
            }
            open => open.replace(Record { run: number.run.clone(), record: number.record, fields: [field].into(), at }),
        }
    }

    /// The last record, which nothing follows for now.
    pub fn close(&mut self) -> Option<Record> {
        self.open.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_of_any_size() {
        let texts = [0.0, 1.0, 0.1, -2.398_028_4, 93.076, 1e4, 12_345.6, 1e-9, 3.2e12, 0.001_234_56].map(short);
        assert_eq!(texts, ["0", "1", "0.1", "-2.398", "93.08", "10000", "12346", "1.000e-9", "3.200e12", "0.001235"]);
    }
}
