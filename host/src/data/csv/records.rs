//! The records of a text file, one at a time, and their fields.

use std::io::{BufRead, BufReader, Read};

/// Most bytes of one record: some ten million numbers.
const MOST: usize = 1 << 28;

/// What separates the fields of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// this byte
    Byte(u8),
    /// any number of spaces and tabs
    Blanks,
}

/// One field, without the blanks and quotes around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) text: &'a [u8],
    pub(super) quoted: bool,
}

/// What is wrong with a file.
#[derive(Debug)]
pub(super) enum Fault {
    /// the text of this line, from 1
    Line { line: u64, what: String },
    /// the operating system cannot read it
    Unreadable(std::io::Error),
}

/// Reads records: lines that are neither empty nor comments (`#`), joined where a quoted field goes on over their ends.
pub(super) struct Records<R> {
    reader: BufReader<R>,
    /// line that the next one is, from 1
    line: u64,
    record: Vec<u8>,
    /// the last comment before the first record
    comment: Vec<u8>,
    begun: bool,
}

impl<R: Read> Records<R> {
    pub(super) fn new(reader: R) -> Self {
        let reader = BufReader::with_capacity(1 << 16, reader);
        Self { reader, line: 1, record: Vec::new(), comment: Vec::new(), begun: false }
    }

    /// The last comment before the first record, without its mark.
    pub(super) fn comment(&self) -> &[u8] {
        &self.comment
    }

    /// The next record with the line that it begins at.
    ///
    /// # Errors
    /// A record beyond bounds, a quoted field without an end, UTF-16, a file that cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &[u8])>, Fault> {
        loop {
            self.record.clear();
            let line = self.line;
            if !self.append_line()? {
                return Ok(None);
            }
            if line == 1 {
                self.begin()?;
            }
            match self.record.trim_ascii() {
                [] => continue,
                [b'#', comment @ ..] => {
                    if !self.begun {
                        self.comment = comment.to_vec();
                    }
                    continue;
                }
                _ => {}
            }
            let mut quotes = count_quotes(&self.record);
            while quotes % 2 == 1 {
                let before = self.record.len();
                self.record.push(b'\n');
                if !self.append_line()? {
                    return Err(Fault::Line { line, what: "a quoted field is not closed".into() });
                }
                quotes += count_quotes(&self.record[before..]);
            }
            self.begun = true;
            return Ok(Some((line, &self.record)));
        }
    }

    /// What text editors put before the first line.
    fn begin(&mut self) -> Result<(), Fault> {
        let utf16 = self.record.starts_with(b"\xff\xfe") || self.record.starts_with(b"\xfe\xff");
        if utf16 || self.record.iter().take(100).any(|&b| b == 0) {
            let what = if utf16 { "is UTF-16 text" } else { "is not text" };
            return Err(Fault::Line { line: 1, what: format!("the file {what}; save it as UTF-8 text") });
        }
        if self.record.starts_with(b"\xef\xbb\xbf") {
            self.record.drain(..3);
        }
        Ok(())
    }

    /// Appends the next line without its end, which is \n, \r\n or \r; false where there is none.
    fn append_line(&mut self) -> Result<bool, Fault> {
        let mut some = false;
        loop {
            let line = self.line;
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(Fault::Unreadable(e)),
            };
            if buffer.is_empty() {
                self.line += u64::from(some);
                return Ok(some);
            }
            some = true;
            let end = buffer.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let taken = end.unwrap_or(buffer.len());
            if self.record.len() + taken > MOST {
                return Err(Fault::Line { line, what: format!("more than {MOST} bytes without a line break") });
            }
            self.record.extend_from_slice(&buffer[..taken]);
            let Some(end) = end else {
                self.reader.consume(taken);
                continue;
            };
            let carriage = buffer[end] == b'\r';
            self.reader.consume(end + 1);
            if carriage && self.reader.fill_buf().is_ok_and(|next| next.first() == Some(&b'\n')) {
                self.reader.consume(1);
            }
            self.line += 1;
            return Ok(true);
        }
    }
}

fn count_quotes(bytes: &[u8]) -> usize {
    bytes.iter().filter(|b| **b == b'"').count()
}

/// The fields of a record.
pub(super) fn fields(record: &[u8], separator: Separator) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let (mut start, mut quoted) = (0, false);
    let is_separator = |b: u8| match separator {
        Separator::Byte(separator) => b == separator,
        Separator::Blanks => b == b' ' || b == b'\t',
    };
    for (at, &b) in record.iter().enumerate() {
        if b == b'"' {
            quoted = !quoted;
        } else if !quoted && is_separator(b) {
            fields.push(bare(&record[start..at]));
            start = at + 1;
        }
    }
    fields.push(bare(&record[start..]));
    if separator == Separator::Blanks {
        fields.retain(|field| field.quoted || !field.text.is_empty());
    }
    fields
}

fn bare(text: &[u8]) -> Field<'_> {
    match text.trim_ascii() {
        [b'"', inner @ .., b'"'] => Field { text: inner, quoted: true },
        text => Field { text, quoted: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Result<Vec<(u64, String)>, String> {
        let told = |fault| match fault {
            Fault::Line { line, what } => format!("line {line}: {what}"),
            Fault::Unreadable(reason) => reason.to_string(),
        };
        let (mut records, mut found) = (Records::new(text), Vec::new());
        while let Some((line, record)) = records.next().map_err(told)? {
            found.push((line, String::from_utf8_lossy(record).into_owned()));
        }
        Ok(found)
    }

    #[test]
    fn lines_end_in_three_ways_and_comments_are_none() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["\u{feff}a,b", "", "# note \"", "1,2", "  ", "\"x", "y\",3"].join(end);
            let expected = [(1, "a,b"), (4, "1,2"), (6, "\"x\ny\",3")].map(|(line, text)| (line, text.to_owned()));
            assert_eq!(all(text.as_bytes()).unwrap(), expected, "{end:?}");
            assert_eq!(all(format!("{text}{end}").as_bytes()).unwrap(), expected, "{end:?}");
        }
        assert!(all(b"").unwrap().is_empty() && all(b"\n\n#\n").unwrap().is_empty());
        let fault = all(b"1,2\n\"3,4\n5\n").unwrap_err();
        assert_eq!(fault, "line 2: a quoted field is not closed");
        assert!(all(b"\xff\xfe1\x00").unwrap_err().contains("UTF-16"));
        assert!(all(b"1\x00,\x002\x00").unwrap_err().contains("not text"));
    }

    #[test]
    fn fields_are_what_stands_between_separators_outside_quotes() {
        let split = |text: &'static str, separator| -> Vec<&str> {
            fields(text.as_bytes(), separator).iter().map(|f| std::str::from_utf8(f.text).unwrap()).collect()
        };
        assert_eq!(split("1, \"a,b\" ,,3,", Separator::Byte(b',')), ["1", "a,b", "", "3", ""]);
        assert_eq!(split("1\t\t2", Separator::Byte(b'\t')), ["1", "", "2"]);
        assert_eq!(split("  1 \t 2 \"\" ", Separator::Blanks), ["1", "2", ""]);
    }
}
