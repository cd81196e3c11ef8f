//! The header of an npy file: magic, version, and a dictionary of exactly three keys.
//!
//! The dictionary is written as Python's, but read as no more than it can be: two texts or a word as values and one tuple
//! of integers, nothing nested.

use std::io::{self, Read, Write};

use super::{NoNumber, NpyFault, Number};
use crate::words::excerpt;

/// Most bytes that a header may have: as many as numpy itself reads.
pub const MOST_HEADER: usize = 10_000;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// What a header says of its array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// type of the numbers
    pub number: Number,
    /// whether the first index runs fastest (Fortran order)
    pub fortran: bool,
    /// the array's shape; a single number has none
    pub shape: Vec<usize>,
}

impl Header {
    /// Reads a header and nothing behind it; returns the number of its bytes too.
    ///
    /// # Errors
    /// [`NpyFault`]: it is none, longer than [`MOST_HEADER`], or of an array that holds no numbers.
    pub fn read(reader: &mut dyn Read) -> Result<(Self, u64), NpyFault> {
        let mut start = [0; 8];
        fill(reader, &mut start)?;
        let [magic @ .., major, _] = &start;
        if magic != MAGIC {
            return Err(NpyFault::NotNpy);
        }
        let (length, before) = match major {
            1 => {
                let mut bytes = [0; 2];
                fill(reader, &mut bytes)?;
                (usize::from(u16::from_le_bytes(bytes)), 10)
            }
            2 | 3 => {
                let mut bytes = [0; 4];
                fill(reader, &mut bytes)?;
                (u32::from_le_bytes(bytes) as usize, 12)
            }
            _ => return Err(NpyFault::Header(format!("has the unknown version {major}"))),
        };
        if length > MOST_HEADER {
            return Err(NpyFault::Header(format!("has {length} characters, more than {MOST_HEADER}")));
        }
        let mut text = vec![0; length];
        fill(reader, &mut text)?;
        let text = std::str::from_utf8(&text).map_err(|_| NpyFault::Header("is not text".into()))?;
        Ok((dictionary(text)?, (before + length) as u64))
    }

    /// Writes the header of an array in C order, of a length that is a multiple of 64 bytes.
    ///
    /// # Errors
    /// Those of `out`; a shape of more than a thousand dimensions.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Number { kind, bytes, big_endian } = self.number;
        let letter = match kind {
            super::NumberKind::Float => 'f',
            super::NumberKind::Int => 'i',
            super::NumberKind::Uint => 'u',
            super::NumberKind::Bool => 'b',
            super::NumberKind::Brain => return Err(io::Error::other("npy has no such type of numbers")),
        };
        let order = match (bytes, big_endian) {
            (1, _) => '|',
            (_, true) => '>',
            (_, false) => '<',
        };
        let mut shape: String = self.shape.iter().map(|length| format!("{length}, ")).collect();
        if self.shape.len() > 1 {
            shape.truncate(shape.len() - 2);
        }
        let fortran = if self.fortran { "True" } else { "False" };
        let shape = shape.trim_end();
        let text = format!("{{'descr': '{order}{letter}{bytes}', 'fortran_order': {fortran}, 'shape': ({shape}), }}");
        let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
        let field = u16::try_from(length).map_err(io::Error::other)?;
        out.write_all(MAGIC)?;
        out.write_all(&[1, 0])?;
        out.write_all(&field.to_le_bytes())?;
        out.write_all(format!("{text:<width$}\n", width = length - 1).as_bytes())
    }
}

/// Reads all of `bytes`.
fn fill(reader: &mut dyn Read, bytes: &mut [u8]) -> Result<(), NpyFault> {
    reader.read_exact(bytes).map_err(|e| match e.kind() {
        io::ErrorKind::UnexpectedEof => NpyFault::Header("is truncated".into()),
        _ => NpyFault::of_reading(e),
    })
}

/// `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }`, the keys in any order.
fn dictionary(text: &str) -> Result<Header, NpyFault> {
    let wrong = |what: &str| NpyFault::Header(what.into());
    let mut rest = Scanner(text.trim_ascii());
    rest.expect("{").ok_or_else(|| wrong("is not a dictionary"))?;
    let (mut number, mut fortran, mut shape) = (None, None, None);
    while !rest.take("}") {
        let key = rest.quoted().ok_or_else(|| wrong("lacks a key"))?;
        rest.expect(":").ok_or_else(|| wrong("has a key without a value"))?;
        let double = match key {
            "descr" => number.replace(rest.number()?).is_some(),
            "fortran_order" => fortran
                .replace(rest.truth().ok_or_else(|| wrong("has a `fortran_order` other than True or False"))?)
                .is_some(),
            "shape" => {
                let tuple = rest.tuple().ok_or_else(|| wrong("has a `shape` that is not a tuple of integers"))?;
                shape.replace(tuple).is_some()
            }
            other => return Err(NpyFault::Header(format!("has an unknown key {:?}", excerpt(other)))),
        };
        if double {
            return Err(NpyFault::Header(format!("repeats the key `{key}`")));
        }
        if !rest.take(",") {
            rest.expect("}").ok_or_else(|| wrong("has an unclosed dictionary"))?;
            break;
        }
    }
    if !rest.0.is_empty() {
        return Err(wrong("continues after its dictionary"));
    }
    match (number, fortran, shape) {
        (Some(number), Some(fortran), Some(shape)) => Ok(Header { number, fortran, shape }),
        _ => Err(wrong("lacks one of the keys `descr`, `fortran_order` and `shape`")),
    }
}

/// What is left of a header.
struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    /// Takes `token`, if that comes next.
    fn take(&mut self, token: &str) -> bool {
        let rest = self.0.trim_ascii_start().strip_prefix(token);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
    fn expect(&mut self, token: &str) -> Option<()> {
        self.take(token).then_some(())
    }
    /// A text in quotes, in which no quotes can be.
    fn quoted(&mut self) -> Option<&'a str> {
        let quote = ["'", "\""].into_iter().find(|quote| self.take(quote))?;
        let (text, rest) = self.0.split_once(quote)?;
        self.0 = rest;
        Some(text)
    }
    fn truth(&mut self) -> Option<bool> {
        if self.take("True") { Some(true) } else { self.take("False").then_some(false) }
    }
    /// `descr`: a text, or what is no type of one number.
    fn number(&mut self) -> Result<Number, NpyFault> {
        let rest = self.0.trim_ascii_start();
        match self.quoted() {
            Some(descr) => Number::parse(&excerpt(descr)).map_err(NpyFault::NoNumbers),
            None if rest.starts_with('[') => Err(NpyFault::NoNumbers(NoNumber {
                dtype: excerpt(rest.split("'fortran_order'").next().unwrap_or(rest).trim_end_matches([',', ' '])),
                call: "numpy.lib.recfunctions.structured_to_unstructured(a)",
            })),
            None => Err(NpyFault::Header("has no text as `descr`".into())),
        }
    }
    /// `()`, `(3,)`, `(3, 2)`; Python 2 wrote `3L`.
    fn tuple(&mut self) -> Option<Vec<usize>> {
        self.expect("(")?;
        let mut shape = Vec::new();
        while !self.take(")") {
            let rest = self.0.trim_ascii_start();
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            shape.push(rest[..digits].parse().ok()?);
            self.0 = &rest[digits..];
            self.take("L");
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Some(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::npy::NumberKind;

    fn read(text: &str) -> Result<Header, NpyFault> {
        let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
        Header::read(&mut bytes.as_slice()).map(|(header, _)| header)
    }

    #[test]
    fn what_python_writes_is_read() {
        let header = |shape: &[usize], fortran| Header {
            number: Number::little(NumberKind::Float, 8),
            fortran,
            shape: shape.to_vec(),
        };
        for (text, expected) in [
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", header(&[3, 2], false)),
            ("{'descr': '<f8', 'fortran_order': True, 'shape': (3,), }     \n", header(&[3], true)),
            ("{'shape':(),'fortran_order':False,\"descr\":\"<f8\"}", header(&[], false)),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 2L,), }", header(&[3, 2], false)),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_ends_at_a_multiple_of_64() {
        for shape in [&[][..], &[3], &[3, 2], &[0, 7], &[usize::MAX, 2, 3], &[1; 300]] {
            let header = Header { number: Number::little(NumberKind::Float, 4), fortran: false, shape: shape.to_vec() };
            let mut bytes = Vec::new();
            header.write(&mut bytes).unwrap();
            assert_eq!(bytes.len() % 64, 0);
            assert_eq!(Header::read(&mut bytes.as_slice()).unwrap(), (header, bytes.len() as u64));
        }
    }

    #[test]
    fn nothing_else_is_a_header_however_long_or_deep() {
        let good = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }";
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).is_err(), "{cut}");
        }
        let mut texts: Vec<String> = [
            "{'descr': '<f8', 'fortran_order': 0, 'shape': (3,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': 3}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-3,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': ((3,),)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999999,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'more': 1}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'shape': (3,)}",
            "{'descr': '<f8', 'fortran_order': False}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)} {}",
            "{'descr': None, 'fortran_order': False, 'shape': (3,)}",
        ]
        .map(String::from)
        .to_vec();
        let around = |inner: String| format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {inner}, }}");
        for length in [20, 24, 2000, 9000, 60_000] {
            for (open, close) in [("{", "}"), ("[", "]"), ("(", ")"), ("'", "'")] {
                texts.push(around(open.repeat(length) + &close.repeat(length)));
                texts.push(open.repeat(length));
            }
            texts.push(around(format!("({},)", "9".repeat(length))));
            texts.push(around(format!("({})", "x,".repeat(length))));
        }
        let start = std::time::Instant::now();
        for text in &texts {
            let fault = read(text).unwrap_err().to_string();
            assert!(fault.len() < 300, "{fault}");
        }
        assert!(start.elapsed().as_secs() < 1, "{:?}", start.elapsed());
        let many = read(&around(format!("({})", "1,".repeat(3000)))).unwrap();
        assert_eq!(many.shape.len(), 3000);
        let mut promise = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}".as_slice();
        assert!(Header::read(&mut promise).unwrap_err().to_string().contains("4294967295 characters"));
    }
}
