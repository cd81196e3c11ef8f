//! Tables of text and numbers.

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

/// Numbers as people write them: `−1.5`, `3e5`, `4.2 ± 0.1`, `2×10^{5}`, `12 %`, `NaN`.
fn looks_like_number(cell: &str) -> bool {
    let known = |c: char| c.is_ascii_digit() || " .,+-−±×^{}()eE%".contains(c);
    let digits = cell.trim_start_matches(['+', '-', '−', '<', '>', '≤', '≥', '≈', ' ', '(']);
    ["NaN", "inf", "∞"].contains(&digits)
        || digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && digits.chars().all(known)
}

/// A number for people: four significant digits, plain between 0.001 and 100 000, else as `1.234×10^{5}`.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN".into()
        } else if value > 0.0 {
            "∞".into()
        } else {
            "−∞".into()
        };
    }
    let text = format!("{value:.3e}");
    let (mantissa, exponent) = text.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is an integer");
    let text = match exponent {
        _ if value == 0.0 => "0".into(),
        -3..5 => {
            let plain = format!("{value:.*}", (3 - exponent).max(0) as usize);
            if plain.contains('.') { plain.trim_end_matches('0').trim_end_matches('.').into() } else { plain }
        }
        _ => format!("{}×10^{{{exponent}}}", mantissa.trim_end_matches('0').trim_end_matches('.')),
    };
    text.replace('-', "−")
}

/// A number with its standard error, both ending at the error's second digit: `9.63 ± 0.29`, `(1.2 ± 0.1)×10^{7}`.
pub fn number_with_error(value: f64, error: f64) -> String {
    if !(value.is_finite() && error.is_finite() && error > 0.0) {
        return format!("{} ± {}", number(value), number(error));
    }
    // From the decimal text, which is exact where a logarithm is rounded.
    let exponent_of = |v: f64| match format!("{v:e}").split_once('e') {
        Some((_, exponent)) if v != 0.0 => exponent.parse().unwrap_or(i32::MIN),
        _ => i32::MIN,
    };
    let top = exponent_of(value).max(exponent_of(error));
    let last = exponent_of(error) - 1;
    let places = |last: i32| last.saturating_neg().clamp(0, 17) as usize;
    let text = if (-3..5).contains(&top) {
        format!("{value:.0$} ± {error:.0$}", places(last))
    } else {
        // In two steps, for powers of ten beyond the range of an f64.
        let scaled = |v: f64| v / 10f64.powi(top / 2) / 10f64.powi(top - top / 2);
        format!("({:.2$} ± {:.2$})×10^{{{top}}}", scaled(value), scaled(error), places(last - top))
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let cases: [(f64, &str); 10] = [
            (0.0, "0"),
            (-1.5, "−1.5"),
            (0.012345, "0.01235"),
            (9999.96, "10000"),
            (12345.6, "12346"),
            (123456.0, "1.235×10^{5}"),
            (-4e-7, "−4×10^{−7}"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "−∞"),
            (24.6, "24.6"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
            assert!(looks_like_number(text), "{text}");
        }
    }

    #[test]
    fn an_error_decides_how_many_digits_are_told() {
        let cases: [(f64, f64, &str); 8] = [
            (0.917, 0.02751, "0.917 ± 0.028"),
            (-9.63, 0.2889, "−9.63 ± 0.29"),
            (144.2, 12.0, "144 ± 12"),
            (1.23e7, 1.1e6, "(1.23 ± 0.11)×10^{7}"),
            (4.2e-6, 1e-5, "(0.4 ± 1.0)×10^{−5}"),
            (0.0, 0.5, "0.00 ± 0.50"),
            (1.5, 0.0, "1.5 ± 0"),
            (2e-320, 1e-320, "(2.0 ± 1.0)×10^{−320}"),
        ];
        for (value, error, text) in cases {
            assert_eq!(number_with_error(value, error), text);
        }
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
}
