use std::{borrow::ToOwned, fmt, string::String, time::Duration, vec::Vec};

use crate::{Error, checksum};

/// One frame: a number where it has no level, else something said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// When the board sent it, since its start, to the microsecond; where it knows.
    pub at: Option<Duration>,
    /// `info`, `error`, …
    pub level: Option<&'static str>,
    /// All but the level.
    pub text: String,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(f, "{}.{:06} ", at.as_secs(), at.subsec_micros())?;
        }
        match self.level {
            Some(level) => write!(f, "{level}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
/// Words of a number.
const WORDS: usize = 7;

/// A board's text on one line, with nothing in it that moves a terminal's cursor: it may come from anything behind a port.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

impl Frame {
    /// What a board said at this level; a number, where it has none.
    pub fn new(level: Option<&'static str>, text: &str) -> Self {
        Self { at: None, level, text: plain(text) }
    }

    /// The same, with the time that stands before it, as `12.000345`; 0 is that of a board which does not know.
    #[must_use]
    pub fn stamped(self, text: &str) -> Self {
        Self { at: time_of(text).filter(|at| !at.is_zero()), ..self }
    }

    /// The frame in a line, whatever stands before it: the board's time, that of a terminal's log, a level in brackets.
    ///
    /// None in a line that is empty or says nothing of a frame, as what another program writes.
    ///
    /// ```
    /// use ntkscope_frames::Frame;
    ///
    /// let frame = Frame::of("[12:00:01.250] [INFO ] width 64");
    /// assert_eq!(frame.map(|frame| frame.to_string()), Some("info: width 64".into()));
    /// assert_eq!(Frame::of("  Finished in 2.3 s"), None);
    /// ```
    pub fn of(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.iter().rev().nth(1).is_some_and(|word| is_sequence(word)) {
            let (before, text) = words.split_at(words.len().saturating_sub(WORDS));
            return Some(Self::new(None, &text.join(" ")).stamped(before.first().copied().unwrap_or_default()));
        }
        // the level is the first word that is one, near the beginning
        let mut rest = line.trim();
        for _ in 0..4 {
            let word = rest.split_whitespace().next()?;
            let bare = word.trim_matches(['[', ']', ':', '<', '>']).to_ascii_lowercase();
            rest = rest[word.len()..].trim_start();
            if let Some(level) = LEVELS.into_iter().find(|level| *level == bare) {
                // `[INFO ]`
                let open = word.starts_with('[') && !word.ends_with(']');
                let text = rest.strip_prefix(']').filter(|_| open).unwrap_or(rest).trim_start();
                return Some(Self::new(Some(level), text).stamped(words[0]));
            }
        }
        None
    }

    /// What it says after `words`, one of [`crate::words`].
    pub fn after(&self, words: &str) -> Option<&str> {
        self.level.and(self.text.strip_prefix(words))
    }
}

/// `12.000345`, seconds to the microsecond.
fn time_of(text: &str) -> Option<Duration> {
    let (seconds, micros) = text.split_once('.')?;
    let are_digits = [seconds, micros].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let micros: u32 = micros.parse().ok().filter(|_| are_digits && micros.len() == 6)?;
    Some(Duration::new(seconds.parse().ok()?, 1000 * micros))
}

/// `#57`
fn is_sequence(word: &str) -> bool {
    word.strip_prefix('#').is_some_and(|digits| digits.parse::<u32>().is_ok())
}

/// One number of an experiment, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Which part of the experiment.
    pub run: String,
    /// Which record of it.
    pub record: u32,
    /// Which number of the record.
    pub field: String,
    /// Of an `f32`.
    pub bits: u32,
    /// How many came before it.
    pub sequence: u32,
}

impl Number {
    /// The number as a float.
    pub fn value(&self) -> f32 {
        f32::from_bits(self.bits)
    }

    /// The number in a frame without a level.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Damaged`].
    pub fn of(text: &str) -> Result<Self, Error> {
        let malformed = || Error::Malformed { text: text.to_owned() };
        let words: Vec<&str> = text.split(' ').collect();
        let [run, record, field, bits, _value, sequence, sum] = words.as_slice() else { return Err(malformed()) };
        let hex = |word: &str| u32::from_str_radix(word, 16).ok().filter(|_| word.len() == 8);
        let (Some(bits), Some(sent)) = (hex(bits), hex(sum)) else { return Err(malformed()) };
        let decimal = |word: &str| word.parse().ok();
        let (Some(record), Some(sequence)) = (decimal(record), sequence.strip_prefix('#').and_then(decimal)) else {
            return Err(malformed());
        };
        let found = checksum(sequence, run, record, field, bits);
        if found != sent {
            return Err(Error::Damaged { sequence, text: text.to_owned(), found, sent });
        }
        Ok(Self { run: (*run).to_owned(), record, field: (*field).to_owned(), bits, sequence })
    }
}

#[cfg(test)]
mod tests {
    use std::{format, string::ToString};

    use super::*;

    fn text() -> String {
        let bits = 0.1_f32.to_bits();
        format!(
            "cross-entropy 3 drift_max {bits:08x} 0.1 #57 {:08x}",
            checksum(57, "cross-entropy", 3, "drift_max", bits)
        )
    }

    #[test]
    fn a_number_is_read_whatever_stands_before_it() {
        for prefix in ["", "[  12.5] ", "2026-01-01T00:00:00 <lvl> "] {
            let frame = Frame::of(&format!("{prefix}{}\r\n", text())).unwrap();
            assert_eq!(frame.level, None);
            let number = Number::of(&frame.text).unwrap();
            assert_eq!((number.run.as_str(), number.record, number.field.as_str()), ("cross-entropy", 3, "drift_max"));
            assert_eq!((number.value(), number.sequence), (0.1, 57));
        }
    }

    #[test]
    fn the_time_of_the_board_stands_before_a_frame() {
        let number = text();
        for (line, at) in [
            (format!("12.000345 {number}"), Some(Duration::from_micros(12_000_345))),
            ("0.000001 info: x".into(), Some(Duration::from_micros(1))),
            ("3.250000 [INFO ] x".into(), Some(Duration::from_millis(3250))),
            // a board that does not know; times of other programs
            (format!("0.000000 {number}"), None),
            (number.clone(), None),
            (number.replace("cross-entropy", "1.000000"), None),
            ("info: 1.000000".into(), None),
            ("12.5 info: x".into(), None),
            ("-1.000000 info: x".into(), None),
            ("1.+00000 info: x".into(), None),
            ("99999999999999999999.000000 info: x".into(), None),
        ] {
            let frame = Frame::of(&line).unwrap();
            assert_eq!(frame.at, at, "{line}");
            assert_eq!(Frame::of(&frame.to_string()), Some(frame));
        }
    }

    /// Every bit of every character but the float's, which is for the reader alone: another number never passes for this one.
    #[test]
    fn any_flipped_bit_is_noticed() {
        let (text, right) = (text(), Number::of(&text()).unwrap());
        for place in 0..text.len() {
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let line = String::from_utf8(bytes).unwrap();
                let read = Frame::of(&line).map(|frame| (frame.level.is_none(), Number::of(&frame.text)));
                if let Some((true, Ok(number))) = read {
                    // hex digits in the other case, or the float
                    assert_eq!(number, right, "{line}");
                }
            }
        }
    }

    /// A recording has a line a frame, and a terminal shows what a port sends.
    #[test]
    fn a_frame_is_one_line_of_plain_text() {
        let panic = "panicked at src/bin/mine.rs:70:66:\nindex out of bounds\u{1b}[31m\u{9b}2J";
        let frame = Frame::new(Some("error"), panic);
        assert_eq!(frame.text, "panicked at src/bin/mine.rs:70:66: index out of bounds [31m 2J");
        assert_eq!(Frame::of(&frame.to_string()), Some(frame));
        assert_eq!(Frame::of("info: \u{1b}[2J\u{7}x").unwrap().text, "[2J x");
    }

    #[test]
    fn what_is_said_has_its_level() {
        for line in ["info: alive: x", "INFO alive: x", "0.5 [INFO ] alive: x", "<info> alive: x"] {
            let frame = Frame::of(line).unwrap();
            assert_eq!((frame.level, frame.after(crate::words::ALIVE)), (Some("info"), Some("x")), "{line}");
        }
        for line in ["", "   ", "Erasing ✔ 100% [####]", "a word about an error"] {
            assert!(Frame::of(line).is_none_or(|frame| frame.level == Some("error")), "{line}");
        }
        assert_eq!(Frame::of("error: x").unwrap().to_string(), "error: x");
    }
}
