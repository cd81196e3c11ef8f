//! Numbers as text: with a decimal point, or with a decimal comma where commas separate no fields.

use super::records::{Field, Separator};
use crate::words::excerpt;

/// How the numbers of a file are written; known from the first one that is no integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimals {
    comma: Option<bool>,
    separator: Separator,
}

impl Decimals {
    pub(super) fn new(separator: Separator) -> Self {
        Self { comma: None, separator }
    }

    /// The number in a field.
    ///
    /// # Errors
    /// Why it is none, to be put after its place.
    pub(super) fn number(&mut self, field: Field<'_>) -> Result<f64, String> {
        let text = std::str::from_utf8(field.text).map_err(|_| "is not UTF-8 text".to_owned())?;
        let none = || format!("{:?} is not a number", excerpt(text));
        let comma = self.separator != Separator::Byte(b',') && text.contains(',');
        if (comma || text.contains('.')) && *self.comma.get_or_insert(comma) != comma {
            let (this, others) = if comma { ("comma", "point") } else { ("point", "comma") };
            return Err(format!(
                "{:?} has a decimal {this}, but earlier numbers have a decimal {others}",
                excerpt(text)
            ));
        }
        let value: f64 = match comma {
            // a digit on both sides: "1," is no number
            true => decimal_comma(text).ok_or_else(none)?.parse().map_err(|_| none())?,
            false => text.parse().map_err(|_| none())?,
        };
        if value.is_finite() { Ok(value) } else { Err(format!("{} is not finite", excerpt(text))) }
    }
}

fn decimal_comma(text: &str) -> Option<String> {
    let (before, after) = text.split_once(',')?;
    let digits = before.ends_with(|c: char| c.is_ascii_digit()) && after.starts_with(|c: char| c.is_ascii_digit());
    digits.then(|| format!("{before}.{after}"))
}

/// Whether a field is a number, finite or not, in either way to write one.
pub(super) fn is_number(field: Field<'_>, separator: Separator) -> bool {
    let Ok(text) = std::str::from_utf8(field.text) else { return false };
    let with_comma = || decimal_comma(text).filter(|_| separator != Separator::Byte(b','));
    text.parse::<f64>().is_ok() || with_comma().is_some_and(|text| text.parse::<f64>().is_ok())
}

/// Whether a field says that there is no value, as pandas, R, Excel and the archives of data sets write it.
pub(super) fn is_missing(field: Field<'_>) -> bool {
    const WORDS: [&[u8]; 8] = [b"", b"na", b"n/a", b"#n/a", b"<na>", b"nan", b"null", b"?"];
    WORDS.iter().any(|word| field.text.eq_ignore_ascii_case(word))
}

/// The integer that a field is.
pub(super) fn integer(field: Field<'_>) -> Option<u64> {
    std::str::from_utf8(field.text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_commas_are_not_mixed() {
        let field = |text: &'static str| Field { text: text.as_bytes(), quoted: false };
        let read = |separator, texts: &[&'static str]| {
            let mut decimals = Decimals::new(separator);
            texts.iter().map(|text| decimals.number(field(text))).collect::<Result<Vec<_>, _>>()
        };
        let (semicolon, comma) = (Separator::Byte(b';'), Separator::Byte(b','));
        assert_eq!(read(semicolon, &["1", "-0,5", "2,5e3"]).unwrap(), [1.0, -0.5, 2500.0]);
        assert_eq!(read(comma, &["1", "-0.5", "2.5e3"]).unwrap(), [1.0, -0.5, 2500.0]);
        assert!(read(semicolon, &["0,5", "0.5"]).unwrap_err().contains("decimal point"));
        assert!(read(semicolon, &["0.5", "0,5"]).unwrap_err().contains("decimal comma"));
        for text in ["1.234,5", "1,", ",5", "1,2,3", "", "five", "0x1", "1_0"] {
            assert!(read(semicolon, &[text]).unwrap_err().contains("not a number"), "{text}");
            assert!(text.is_empty() || !is_number(field(text), semicolon), "{text}");
        }
        assert!(read(comma, &["1e999"]).unwrap_err().contains("1e999 is not finite"));
    }
}
