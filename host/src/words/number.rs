//! One way to write a number for people.

/// Powers of ten that are written in full: numbers from 1e-4 up to 1e6.
const PLAIN: std::ops::Range<i32> = -4..6;
/// Most digits that a person is shown.
const MOST: i32 = 7;

/// A number to four digits (whole ones below 10⁶ to all of theirs): in full from 1e-4 to 1e6, else as `1.234e7`.
/// What has no value is `undefined`.
pub fn number(value: f64) -> String {
    to_digits(value, 4)
}

/// A number to seven digits, for values that are compared with others of the kind.
pub fn precise(value: f64) -> String {
    to_digits(value, MOST as usize)
}

/// `value`, rounded to so many digits, without zeros after the last one that counts.
fn to_digits(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "undefined".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    if value == 0.0 {
        return "0".into();
    }
    let text = format!("{value:.*e}", digits - 1);
    // the format has an exponent
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if PLAIN.contains(&exponent) {
        let places = (digits as i32 - 1 - exponent).max(0) as usize;
        return without_zeros(&format!("{value:.places$}")).to_owned();
    }
    format!("{}e{exponent}", without_zeros(mantissa))
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A number with its standard error, both ending at the error's second digit: `9.63 ± 0.29`, `(1.2 ± 0.1)e7`. An error too
/// small to show beside seven digits of the number stands by itself.
pub fn with_error(value: f64, error: f64) -> String {
    if !(value.is_finite() && error.is_finite() && error > 0.0) {
        return format!("{} ± {}", number(value), number(error));
    }
    let top = exponent(value).max(exponent(error));
    let last = exponent(error) - 1;
    if top - last >= MOST {
        return format!("{} ± {}", precise(value), to_digits(error, 2));
    }
    let places = |last: i32| last.saturating_neg().clamp(0, 17) as usize;
    if PLAIN.contains(&top) {
        return format!("{value:.0$} ± {error:.0$}", places(last));
    }
    // in two steps, for powers of ten beyond the range of an f64
    let scaled = |v: f64| v / 10f64.powi(top / 2) / 10f64.powi(top - top / 2);
    format!("({:.2$} ± {:.2$})e{top}", scaled(value), scaled(error), places(last - top))
}

/// The power of ten of a number, from its decimal text, which is exact where a logarithm is rounded.
fn exponent(value: f64) -> i32 {
    match format!("{value:e}").split_once('e') {
        Some((_, exponent)) if value != 0.0 => exponent.parse().unwrap_or(i32::MIN),
        _ => i32::MIN,
    }
}

/// A time to the accuracy that a forecast or a look at the clock has: `40 s`, `12 min`, `3 h 20 min`, `42 h`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "an unknown time".into();
    }
    let minutes = (seconds / 60.0).round();
    match minutes {
        _ if seconds < 90.0 => format!("{:.0} s", seconds.max(0.0)),
        ..90.0 => format!("{minutes:.0} min"),
        ..600.0 => format!("{:.0} h {:.0} min", (minutes / 60.0).floor(), (minutes % 60.0 / 10.0).floor() * 10.0),
        _ => format!("{} h", number((minutes / 60.0).round())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let cases: [(f64, &str); 16] = [
            (0.0, "0"),
            (-0.0, "0"),
            (-1.5, "-1.5"),
            (0.012345, "0.01235"),
            (9999.96, "10000"),
            (12345.6, "12346"),
            (123456.4, "123456"),
            (999999.6, "1e6"),
            (1234567.0, "1.235e6"),
            (1e-4, "0.0001"),
            (9.99996e-5, "0.0001"),
            (-4e-7, "-4e-7"),
            (f64::NAN, "undefined"),
            (f64::NEG_INFINITY, "-inf"),
            (1e200, "1e200"),
            (24.6, "24.6"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(precise(1234.56789), "1234.568");
        assert_eq!(precise(2.0 / 3.0), "0.6666667");
        assert_eq!(precise(2e-18 / 3.0), "6.666667e-19");
    }

    /// Every power of ten, and what lies beside it: never more than 13 characters, and never 0 for what is none.
    #[test]
    fn no_number_is_long() {
        for power in -323..=308 {
            for factor in [1.0, 1.23456789, 9.99999999] {
                let value = factor * 10f64.powi(power / 2) * 10f64.powi(power - power / 2);
                if !value.is_finite() {
                    continue;
                }
                for text in [number(value), precise(value), number(-value), precise(-value)] {
                    assert!(text.len() <= 14 && text != "0", "{text}");
                    let told: f64 = text.parse().unwrap();
                    assert!((told.abs() / value - 1.0).abs() < 1e-3 || value < 1e-300, "{text} for {value:e}");
                }
            }
        }
    }

    #[test]
    fn an_error_decides_how_many_digits_are_told() {
        let cases: [(f64, f64, &str); 9] = [
            (0.917, 0.02751, "0.917 ± 0.028"),
            (-9.63, 0.2889, "-9.63 ± 0.29"),
            (144.2, 12.0, "144 ± 12"),
            (1.23e7, 1.1e6, "(1.23 ± 0.11)e7"),
            (4.2e-6, 1e-5, "(0.4 ± 1.0)e-5"),
            (0.0, 0.5, "0.00 ± 0.50"),
            (1.5, 0.0, "1.5 ± 0"),
            (1.23456789, 1e-12, "1.234568 ± 1e-12"),
            (2e-320, 1e-320, "(2.0 ± 1.0)e-320"),
        ];
        for (value, error, text) in cases {
            assert_eq!(with_error(value, error), text);
        }
    }

    #[test]
    fn times_for_people() {
        let all = [2.0, 61.0, 90.0, 725.0, 5400.0, 12_345.0, 150_000.0, 1e7].map(duration);
        assert_eq!(all, ["2 s", "61 s", "2 min", "12 min", "1 h 30 min", "3 h 20 min", "42 h", "2778 h"]);
    }
}
