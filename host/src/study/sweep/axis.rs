//! One setting of a sweep and the values that it takes, as they are typed.

use toml::{Table, Value};

use crate::experiment::{self, Settings, in_words, overlay, value_of};
use crate::study::Error;
use crate::words::excerpt;

use super::MOST_RUNS;

/// A setting and its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// as a settings file has it
    pub key: String,
    /// in the order in which they were typed
    pub values: Vec<Value>,
    /// the same as people read them, no two alike
    pub words: Vec<String>,
}

impl Axis {
    /// The axis in `KEY=A,B,C`: values separated by commas, of which `FIRST..LAST` is every whole number from one to the
    /// other, both included, and `[A,B]` a single value that holds commas.
    ///
    /// # Errors
    /// [`Error::Range`]: no key, no value, one that stands twice, brackets that do not match, a range that falls; those of
    /// [`overlay`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (key, list) = text.split_once('=').ok_or_else(|| refused(text, "give key=value,value,…"))?;
        let mut found = Self { key: key.trim().to_owned(), values: Vec::new(), words: Vec::new() };
        for item in split(list).map_err(|what| refused(text, what))? {
            for value in values_of(item.trim()).map_err(|what| refused(text, what))? {
                found.push(value).map_err(|error| error.of_list(text))?;
            }
        }
        Ok(found)
    }

    /// An axis of these values.
    ///
    /// # Errors
    /// Those of [`overlay`].
    pub fn new(key: &str, values: impl IntoIterator<Item = Value>) -> Result<Self, Error> {
        let mut axis = Self { key: key.to_owned(), values: Vec::new(), words: Vec::new() };
        values.into_iter().try_for_each(|value| axis.push(value))?;
        Ok(axis)
    }

    fn push(&mut self, value: Value) -> Result<(), Error> {
        let mut alone = Table::new();
        overlay(&mut alone, Table::from_iter([(self.key.clone(), value)]), "in --set")?;
        // with hyphens for underscores
        let Some((key, value)) = alone.into_iter().next() else { return Ok(()) };
        let words = resolved(&key, &value)?;
        if self.words.contains(&words) {
            return Err(refused(&format!("{key}={words}"), "the value stands twice; leave one of them out"));
        }
        self.key = key;
        self.values.push(value);
        self.words.push(words);
        Ok(())
    }

    /// The values as numbers; `None` where one is none.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        self.words.iter().map(|word| word.parse().ok()).collect()
    }
}

/// A value as the resolved settings have it, so that two ways to write one are the same.
fn resolved(key: &str, value: &Value) -> Result<String, Error> {
    let settings = Settings::from_table(Table::from_iter([(key.to_owned(), value.clone())]))?.table()?;
    Ok(in_words(settings.get(key).unwrap_or(value)))
}

/// The values of a list, at its commas outside brackets.
fn split(list: &str) -> Result<Vec<&str>, &'static str> {
    let (mut items, mut start, mut depth) = (Vec::new(), 0, 0u32);
    for (at, sign) in list.char_indices() {
        match sign {
            '[' => depth += 1,
            ']' => depth = depth.checked_sub(1).ok_or("a bracket is closed that was not opened")?,
            ',' if depth == 0 => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err("a bracket is not closed");
    }
    items.push(&list[start..]);
    Ok(items)
}

/// What an item of a list stands for: one value, or the whole numbers of a range.
fn values_of(item: &str) -> Result<Vec<Value>, &'static str> {
    if let Some(inside) = item.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return if inside.trim().is_empty() {
            Err("there is nothing in the brackets")
        } else {
            Ok(vec![value_of(inside)])
        };
    }
    let number =
        |text: &str| (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<i64>());
    let ends = item.split_once("..").and_then(|(first, last)| Some((number(first)?, number(last)?)));
    match ends {
        None if item.is_empty() => Err("give a value before and after every comma"),
        None => Ok(vec![value_of(item)]),
        Some((Ok(first), Ok(last))) if first > last => Err("the range falls; give FIRST..LAST, both included"),
        Some((Ok(first), Ok(last))) if last - first < MOST_RUNS as i64 => {
            Ok((first..=last).map(Value::Integer).collect())
        }
        Some((Ok(_), Ok(_))) => Err("the range has more values than a sweep may have runs"),
        // whole numbers of settings files have 64 bits and a sign
        Some(_) => Err("the range goes beyond 9223372036854775807, the largest whole number of a setting"),
    }
}

pub(super) fn refused(given: &str, what: impl Into<String>) -> Error {
    Error::Range { setting: "set", given: excerpt(given), what: what.into() }
}

impl Error {
    /// The same, where a value of a list is wrong that may have been meant to hold commas.
    fn of_list(self, text: &str) -> Self {
        match self {
            Self::Settings(source @ experiment::Error::Value { .. }) if text.contains(',') && !text.contains('[') => {
                refused(
                    text,
                    format!("{source}; a single value that holds commas stands in brackets, as in widths=[64,32]"),
                )
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_ranges_and_brackets() {
        let words = |text: &str| Axis::parse(text).unwrap().words.join(" ");
        for (text, values) in [
            ("width=64,128", "64 128"),
            ("seed=0..3,7", "0 1 2 3 7"),
            ("seed=4..4", "4"),
            ("widths=[64,32],[128,64],8", "64,32 128,64 8"),
            ("classes=[3,8],[0,1],parity", "3,8 0,1 parity"),
            ("loss= mse , cross-entropy", "mse cross-entropy"),
            ("bias_scale=0.10,1,2e0", "0.1 1 2"),
            ("activation=relu,[relu,erf],leaky-relu:0.2", "relu relu,erf leaky-relu:0.2"),
            ("data=../a..b.csv,1..2.csv", "../a..b.csv 1..2.csv"),
        ] {
            assert_eq!(words(text), values, "{text}");
        }
        assert_eq!(Axis::parse("bias_scale=1").unwrap().key, "bias-scale");
        assert_eq!(Axis::parse("penalty=0,0.5").unwrap().numbers(), Some(vec![0.0, 0.5]));
        assert_eq!(Axis::parse("loss=mse").unwrap().numbers(), None);
    }

    #[test]
    fn wrong_lists_are_refused() {
        for (text, told) in [
            ("width", "key=value"),
            ("width=", "before and after every comma"),
            ("width=64,,128", "before and after every comma"),
            ("width=64,64", "twice"),
            ("bias-scale=1,1.0", "twice"),
            ("seed=3..1", "falls"),
            ("seed=0..99999999999999999999", "goes beyond"),
            ("seed=18446744073709551614..18446744073709551615", "goes beyond"),
            ("seed=0..100000", "more values"),
            ("widths=[64,32", "not closed"),
            ("widths=64],32", "not opened"),
            ("widths=[]", "nothing in the brackets"),
            ("wdith=5", "width"),
            ("width=64,many", "whole number"),
            ("classes=3,8,x", "brackets"),
            ("=5", "unknown key"),
        ] {
            let error = Axis::parse(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
