//! Tables of text and numbers.

use std::fmt;

use crate::words;

/// A table with a heading row and a caption.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What the table shows.
    pub caption: String,
    /// One name per column, with its unit.
    pub header: Vec<String>,
    /// Rows of as many cells; short rows are filled with empty cells.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new<S: Into<String>>(caption: impl Into<String>, header: impl IntoIterator<Item = S>) -> Self {
        Self { caption: caption.into(), header: header.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push<S: Into<String>>(&mut self, row: impl IntoIterator<Item = S>) {
        self.rows.push(row.into_iter().map(Into::into).collect());
    }

    /// How many columns the widest row has.
    pub(super) fn width(&self) -> usize {
        self.rows.iter().map(Vec::len).chain([self.header.len()]).max().unwrap_or(0)
    }

    /// Whether a column holds numbers only (and at least one), which then stand to the right.
    pub(super) fn is_numeric(&self, column: usize) -> bool {
        let cells = || self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.trim());
        cells().any(looks_like_number)
            && cells().all(|cell| looks_like_number(cell) || ["", "—", "–", "-"].contains(&cell))
    }
}

impl fmt::Display for Table {
    /// For a terminal: columns of equal width two blanks apart, numbers to the right, the heading above them. The markup of
    /// figures stays as it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = || [&self.header].into_iter().chain(&self.rows);
        let wide = |text: &str| text.chars().count();
        let widest = |column: usize| rows().filter_map(|row| row.get(column)).map(|cell| wide(cell)).max();
        let columns: Vec<(usize, bool)> =
            (0..self.width()).map(|column| (widest(column).unwrap_or(0), self.is_numeric(column))).collect();
        for row in rows() {
            let cell = |(i, (width, numeric)): (usize, &(usize, bool))| {
                let text = row.get(i).map_or("", String::as_str);
                let blanks = " ".repeat(width - wide(text));
                if *numeric { format!("{blanks}{text}") } else { format!("{text}{blanks}") }
            };
            let line = columns.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Numbers as people write them: `−1.5`, `3e5`, `4.2 ± 0.1`, `2×10^{5}`, `12 %`, and `undefined`.
fn looks_like_number(cell: &str) -> bool {
    let known = |c: char| c.is_ascii_digit() || " .,+-−±×^{}()eE%".contains(c);
    let digits = cell.trim_start_matches(['+', '-', '−', '<', '>', '≤', '≥', '≈', ' ', '(']);
    ["undefined", "inf", "∞"].contains(&digits)
        || digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && digits.chars().all(known)
}

/// A number as [`words::number`] has it, in the markup of figures: `1.234×10^{7}`.
pub fn number(value: f64) -> String {
    marked_up(&words::number(value))
}

/// A number with its standard error as [`words::with_error`] has it, in the markup of figures.
pub fn number_with_error(value: f64, error: f64) -> String {
    marked_up(&words::with_error(value, error))
}

/// `-1.5e-7` as `−1.5×10^{−7}`, `inf` as `∞`.
fn marked_up(text: &str) -> String {
    let power = |word: &str| match word.rsplit_once('e') {
        Some((mantissa, exponent)) if exponent.parse::<i32>().is_ok() => format!("{mantissa}×10^{{{exponent}}}"),
        _ => word.replace("inf", "∞"),
    };
    text.split(' ').map(power).collect::<Vec<_>>().join(" ").replace('-', "−")
}

/// A number to as many digits as its standard error allows; three where that is not known.
pub fn rounded(value: f64, error: impl Into<Option<f64>>) -> String {
    match error.into().filter(|error| error.is_finite() && *error > 0.0) {
        Some(error) => number_with_error(value, error),
        None => number(format!("{value:.2e}").parse().unwrap_or(value)),
    }
}

/// A number to thousandths, as [`number`] has it: what is nearly 0 does not show digits that say nothing.
pub fn thousandths(value: f64) -> String {
    number((1e3 * value).round() / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_marked_up() {
        let cases: [(f64, &str); 7] = [
            (-1.5, "−1.5"),
            (123456.0, "123456"),
            (1234567.0, "1.235×10^{6}"),
            (-4e-7, "−4×10^{−7}"),
            (f64::NAN, "undefined"),
            (f64::NEG_INFINITY, "−∞"),
            (24.6, "24.6"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
            assert!(looks_like_number(text), "{text}");
        }
        assert_eq!(number_with_error(1.23e7, 1.1e6), "(1.23 ± 0.11)×10^{7}");
        assert_eq!(number_with_error(1.5, f64::NAN), "1.5 ± undefined");
    }

    #[test]
    fn a_number_without_an_error_has_three_digits() {
        let said = [rounded(-1.11543, None), rounded(-1.11543, 0.08), rounded(123456.0, 0.0), rounded(f64::NAN, None)];
        assert_eq!(said, ["−1.12", "−1.115 ± 0.080", "123000", "undefined"]);
    }

    #[test]
    fn thousandths_have_three_decimals() {
        let said = [0.12345, -1.9996, -0.0004, 12.3456, f64::NAN].map(thousandths);
        assert_eq!(said, ["0.123", "−2", "0", "12.35", "undefined"]);
    }

    #[test]
    fn columns_of_numbers_are_found() {
        let mut table = Table::new("", ["name", "value", "mixed", "none"]);
        table.push(["A1", "4.2 ± 0.1", "3", ""]);
        table.push(["2nd", "—", "three", ""]);
        table.push(["3"]);
        assert_eq!([0, 1, 2, 3].map(|column| table.is_numeric(column)), [false, true, false, false]);
        assert_eq!(table.width(), 4);
    }

    #[test]
    fn columns_stand_below_each_other_in_a_terminal() {
        let mut table = Table::new("", ["", "cross-entropy", "squared error"]);
        table.push(["λ_min", "0.5", "12.25"]);
        table.push(["accuracy", "100 %"]);
        let text = "          cross-entropy  squared error\n\
                    λ_min               0.5          12.25\n\
                    accuracy          100 %\n";
        assert_eq!(table.to_string(), text);
    }
}
