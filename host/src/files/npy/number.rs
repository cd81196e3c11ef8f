//! The types of the numbers in a file, and what they are as f64.

use crate::files::Dtype;

/// What the bits of a number mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberKind {
    /// IEEE 754, of 2, 4 or 8 bytes
    Float,
    /// the upper half of a float of 4 bytes
    Brain,
    /// two's complement
    Int,
    /// without a sign
    Uint,
    /// 0 or 1
    Bool,
}

/// How one number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// meaning of the bits
    pub kind: NumberKind,
    /// 1, 2, 4 or 8
    pub bytes: usize,
    /// whether the highest byte comes first
    pub big_endian: bool,
}

/// A type that is none of [`Number`]: its name, and the call of numpy that makes one of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoNumber {
    /// as numpy has it, in quotes
    pub dtype: String,
    /// the array `a` converted
    pub call: &'static str,
}

impl Number {
    /// A little-endian number of this kind.
    pub const fn little(kind: NumberKind, bytes: usize) -> Self {
        Self { kind, bytes, big_endian: false }
    }

    /// How our own files store a scalar.
    pub const fn of(dtype: Dtype) -> Self {
        Self::little(NumberKind::Float, dtype.bytes())
    }

    /// Whether they are integers or truth values.
    pub const fn is_integer(self) -> bool {
        matches!(self.kind, NumberKind::Int | NumberKind::Uint | NumberKind::Bool)
    }

    /// The precision of such numbers: single where they are stored so, or shorter, else double.
    pub const fn scalar(self) -> Dtype {
        match (self.kind, self.bytes) {
            (NumberKind::Float, 2 | 4) | (NumberKind::Brain, _) => Dtype::F32,
            _ => Dtype::F64,
        }
    }

    /// The type that numpy calls `descr`: `<f8`, `|u1`, `>i2`, …
    ///
    /// # Errors
    /// [`NoNumber`] for complex numbers, texts, dates, objects and floats of another size.
    pub fn parse(descr: &str) -> Result<Self, NoNumber> {
        let none = |call| NoNumber { dtype: format!("'{descr}'"), call };
        let (big_endian, code) = match descr.as_bytes() {
            [b'<' | b'|', ..] => (false, &descr[1..]),
            [b'=', ..] => (cfg!(target_endian = "big"), &descr[1..]),
            [b'>', ..] => (true, &descr[1..]),
            _ => (false, descr),
        };
        let mut letters = code.chars();
        let kind = letters.next().unwrap_or(' ');
        let bytes: usize = match (kind, letters.as_str()) {
            ('?', "") => 1,
            (_, digits) => digits.parse().unwrap_or(0),
        };
        let kind = match (kind, bytes) {
            ('f', 2 | 4 | 8) => NumberKind::Float,
            ('i', 1 | 2 | 4 | 8) => NumberKind::Int,
            ('u', 1 | 2 | 4 | 8) => NumberKind::Uint,
            ('b' | '?', 1) => NumberKind::Bool,
            ('c', _) => return Err(none("a.real.astype(numpy.float64)")),
            ('M' | 'm', _) => return Err(none("a.astype(numpy.int64)")),
            ('V', _) => return Err(none("a.view(dtype).astype(numpy.float64) with the dtype that it had")),
            ('U' | 'S' | 'O', _) => {
                return Err(none("a.astype(numpy.float64), of names numpy.unique(a, return_inverse=True)[1],"));
            }
            _ => return Err(none("a.astype(numpy.float64)")),
        };
        // a single byte has no order, whatever is written before it
        Ok(Self { kind, bytes, big_endian: big_endian && bytes > 1 })
    }

    /// Decodes `out.len()` numbers from as many times [`Self::bytes`] bytes. Returns the index of the first integer that
    /// no f64 is equal to, if there is one.
    pub fn decode(self, bytes: &[u8], out: &mut [f64]) -> Option<usize> {
        /// Every N bytes as one number.
        fn each<const N: usize>(bytes: &[u8], out: &mut [f64], big: bool, number: impl Fn([u8; N]) -> f64) {
            let chunks = out.iter_mut().zip(bytes.as_chunks().0);
            if big {
                chunks.for_each(|(v, b): (_, &[u8; N])| {
                    let mut b = *b;
                    b.reverse();
                    *v = number(b);
                });
            } else {
                chunks.for_each(|(v, b)| *v = number(*b));
            }
        }
        let big = self.big_endian;
        match (self.kind, self.bytes) {
            (NumberKind::Float, 8) => each(bytes, out, big, f64::from_le_bytes),
            (NumberKind::Float, 4) => each(bytes, out, big, |b| f32::from_le_bytes(b).into()),
            (NumberKind::Float, _) => each(bytes, out, big, |b| half(u16::from_le_bytes(b))),
            (NumberKind::Brain, _) => {
                each(bytes, out, big, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16).into());
            }
            (NumberKind::Int, 1) => each(bytes, out, big, |b| i8::from_le_bytes(b).into()),
            (NumberKind::Int, 2) => each(bytes, out, big, |b| i16::from_le_bytes(b).into()),
            (NumberKind::Int, 4) => each(bytes, out, big, |b| i32::from_le_bytes(b).into()),
            (NumberKind::Uint, 1) => each(bytes, out, big, |[b]: [u8; 1]| b.into()),
            (NumberKind::Uint, 2) => each(bytes, out, big, |b| u16::from_le_bytes(b).into()),
            (NumberKind::Uint, 4) => each(bytes, out, big, |b| u32::from_le_bytes(b).into()),
            (NumberKind::Bool, _) => each(bytes, out, big, |[b]: [u8; 1]| f64::from(b != 0)),
            (NumberKind::Int | NumberKind::Uint, _) => {
                let signed = self.kind == NumberKind::Int;
                let chunks = out.iter_mut().zip(bytes.as_chunks::<8>().0);
                for (at, (v, b)) in chunks.enumerate() {
                    let bits = if big { u64::from_be_bytes(*b) } else { u64::from_le_bytes(*b) };
                    let integer = if signed { i128::from(bits as i64) } else { i128::from(bits) };
                    *v = integer as f64;
                    if *v as i128 != integer {
                        return Some(at);
                    }
                }
            }
        }
        None
    }
}

/// A float of 16 bits: sign, 5 bits of exponent of bias 15, 10 bits of fraction.
fn half(bits: u16) -> f64 {
    let (sign, exponent, fraction) = (bits >> 15, i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        0 => fraction * 2f64.powi(-24),
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if sign == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_those_of_the_standard() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 2f64.powi(-14)),
            (0x03ff, 1023.0 * 2f64.powi(-24)),
            (0x0001, 2f64.powi(-24)),
            (0x3555, 0.333251953125),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:#06x}");
        }
        assert!(half(0x7e00).is_nan() && half(0x8000).is_sign_negative());
        // every positive pattern is above the one before
        assert!((1..0x7c00).all(|bits| half(bits) > half(bits - 1)));
    }

    #[test]
    fn a_byte_has_no_order() {
        for code in ["i1", "u1", "b1", "?"] {
            let all = ["|", "<", ">", "="].map(|order| Number::parse(&format!("{order}{code}")).unwrap());
            assert!(all.iter().all(|number| *number == all[0] && !number.big_endian), "{code}: {all:?}");
        }
    }

    #[test]
    fn every_type_in_both_byte_orders() {
        for (descr, bytes, value) in [
            ("<f8", &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f][..], 1.5),
            ("<f4", &[0, 0, 0xc0, 0x3f], 1.5),
            ("<f2", &[0x00, 0x3e], 1.5),
            ("<i8", &[0xfe, 255, 255, 255, 255, 255, 255, 255], -2.0),
            ("<i4", &[0xfe, 255, 255, 255], -2.0),
            ("<i2", &[0xfe, 255], -2.0),
            ("|i1", &[0xfe], -2.0),
            ("<u8", &[1, 2, 0, 0, 0, 0, 0, 0], 513.0),
            ("<u4", &[1, 2, 0, 0], 513.0),
            ("<u2", &[1, 2], 513.0),
            ("|u1", &[200], 200.0),
            ("|b1", &[1], 1.0),
            ("?", &[2], 1.0),
        ] {
            let mut reversed = bytes.to_vec();
            reversed.reverse();
            for (descr, bytes) in [(descr.to_owned(), bytes.to_vec()), (descr.replace(['<', '|'], ">"), reversed)] {
                let mut out = [0.0];
                let number = Number::parse(&descr).unwrap();
                assert_eq!(number.bytes, bytes.len(), "{descr}");
                assert_eq!(number.decode(&bytes, &mut out), None, "{descr}");
                assert_eq!(out[0], value, "{descr}");
            }
        }
        let mut out = [0.0];
        Number::little(NumberKind::Brain, 2).decode(&[0xc0, 0x3f], &mut out);
        assert_eq!(out[0], 1.5);
        for (value, exact) in [(1u64 << 53, true), ((1 << 53) + 1, false), (u64::MAX, false), (1 << 63, true)] {
            for kind in [NumberKind::Uint, NumberKind::Int] {
                let inexact = Number::little(kind, 8).decode(&value.to_le_bytes(), &mut out);
                // as a signed number u64::MAX is -1
                assert_eq!(inexact.is_none(), exact || (kind == NumberKind::Int && value == u64::MAX), "{value}");
            }
        }
    }

    #[test]
    fn what_is_no_number_is_named_with_the_call_that_makes_one_of_it() {
        for (descr, call) in [
            ("<c16", ".real"),
            ("|O", "astype(numpy.float64)"),
            ("<U3", "astype(numpy.float64)"),
            ("|S2", "astype(numpy.float64)"),
            ("<f16", "astype(numpy.float64)"),
            ("<M8[ns]", "astype(numpy.int64)"),
            ("|V2", "view"),
            ("", "astype"),
            ("<", "astype"),
            ("f", "astype"),
            ("<i99999999999999999999999", "astype"),
            ("é8", "astype"),
        ] {
            assert!(Number::parse(descr).unwrap_err().call.contains(call), "{descr}");
        }
    }
}
