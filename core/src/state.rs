//! A computation between two steps as bytes, so that it can be left and resumed, on another day or another machine.
//!
//! One list of fields serves both ways: [`Bytes`] writes the fields that it meets, or replaces them by those that it reads.
//! Numbers are little-endian and in their own precision, so that what goes on has the same bits; what can be computed again
//! from the rest, such as a gradient, is left out. The end is a checksum (FNV-1a of 64 bits), which a file that was cut or
//! changed does not have.
//!
//! ```
//! use ntkscope_core::state::Bytes;
//!
//! let (mut file, mut step, mut theta) = (Vec::new(), 7, [0.5f32, -0.25]);
//! let mut sink = |bytes: &[u8]| Ok(file.extend_from_slice(bytes));
//! let mut out = Bytes::writing(&mut sink);
//! out.count(&mut step)?;
//! out.numbers(&mut theta)?;
//! out.finish()?;
//!
//! let (mut rest, mut read_step, mut read) = (&file[..], 0, [0.0f32; 2]);
//! let mut source = |bytes: &mut [u8]| {
//!     let (head, tail) = rest.split_at(bytes.len());
//!     bytes.copy_from_slice(head);
//!     rest = tail;
//!     Ok(())
//! };
//! let mut back = Bytes::reading(&mut source);
//! back.count(&mut read_step)?;
//! back.numbers(&mut read)?;
//! back.finish()?;
//! assert_eq!((read_step, read), (step, theta));
//! # Ok::<(), ntkscope_core::Error>(())
//! ```

use crate::{Error, Real};

/// Takes bytes.
pub type Sink<'s> = dyn FnMut(&[u8]) -> Result<(), Error> + 's;
/// Fills bytes.
pub type Source<'s> = dyn FnMut(&mut [u8]) -> Result<(), Error> + 's;

/// Largest count.
const MOST: u64 = 1 << 53;
/// FNV-1a: offset and prime.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// FNV-1a of bytes after those whose sum is `so_far`.
fn extended(so_far: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(so_far, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// The checksum that ends a state of these bytes.
pub fn checksum(bytes: &[u8]) -> u64 {
    extended(OFFSET, bytes)
}

/// A state on its way into bytes or out of them.
pub struct Bytes<'s> {
    stream: Stream<'s>,
    checksum: u64,
}

enum Stream<'s> {
    Write(&'s mut Sink<'s>),
    Read(&'s mut Source<'s>),
}

impl<'s> Bytes<'s> {
    /// Fields go into `sink`.
    pub fn writing(sink: &'s mut Sink<'s>) -> Self {
        Self { stream: Stream::Write(sink), checksum: OFFSET }
    }

    /// Fields come from `source`.
    pub fn reading(source: &'s mut Source<'s>) -> Self {
        Self { stream: Stream::Read(source), checksum: OFFSET }
    }

    /// Whether fields are replaced.
    pub fn is_reading(&self) -> bool {
        matches!(self.stream, Stream::Read(_))
    }

    fn raw(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        match &mut self.stream {
            Stream::Write(sink) => sink(bytes)?,
            Stream::Read(source) => source(bytes)?,
        }
        self.checksum = extended(self.checksum, bytes);
        Ok(())
    }

    fn word(&mut self, word: &mut u64) -> Result<(), Error> {
        let mut bytes = word.to_le_bytes();
        self.raw(&mut bytes)?;
        *word = u64::from_le_bytes(bytes);
        Ok(())
    }

    /// A count.
    ///
    /// # Errors
    /// One above 2^53, which nothing is counted to; those of the sink or the source, here and in all that follow.
    pub fn count(&mut self, count: &mut u64) -> Result<(), Error> {
        self.word(count)?;
        if *count > MOST { Err(DAMAGED) } else { Ok(()) }
    }

    /// A count of things in memory.
    ///
    /// # Errors
    /// One that is larger than this machine's memory.
    pub fn size(&mut self, size: &mut usize) -> Result<(), Error> {
        let mut count = *size as u64;
        self.count(&mut count)?;
        *size = usize::try_from(count).map_err(|_| DAMAGED)?;
        Ok(())
    }

    /// A count of 31 bits.
    ///
    /// # Errors
    /// A larger one.
    pub fn small(&mut self, count: &mut u32) -> Result<(), Error> {
        let mut wide = u64::from(*count);
        self.count(&mut wide)?;
        *count = i32::try_from(wide).map_err(|_| DAMAGED)?.unsigned_abs();
        Ok(())
    }

    /// True or false.
    ///
    /// # Errors
    /// A byte that is neither.
    pub fn flag(&mut self, flag: &mut bool) -> Result<(), Error> {
        let mut byte = [u8::from(*flag)];
        self.raw(&mut byte)?;
        *flag = match byte {
            [0] => false,
            [1] => true,
            _ => return Err(DAMAGED),
        };
        Ok(())
    }

    /// A real number, in its own precision.
    ///
    /// # Errors
    /// As of [`Self::count`].
    pub fn number<T: Real>(&mut self, number: &mut T) -> Result<(), Error> {
        // the same number: no scalar is wider than f64
        if size_of::<T>() == size_of::<f32>() {
            let mut bytes = (number.to_f64() as f32).to_le_bytes();
            self.raw(&mut bytes)?;
            *number = T::from_f64(f64::from(f32::from_le_bytes(bytes)));
        } else {
            let mut bytes = number.to_f64().to_le_bytes();
            self.raw(&mut bytes)?;
            *number = T::from_f64(f64::from_le_bytes(bytes));
        }
        Ok(())
    }

    /// Real numbers, as many as there are.
    ///
    /// # Errors
    /// As of [`Self::count`].
    pub fn numbers<T: Real>(&mut self, numbers: &mut [T]) -> Result<(), Error> {
        numbers.iter_mut().try_for_each(|number| self.number(number))
    }

    /// What may be missing: `fallback` where it is not, which is read over.
    ///
    /// # Errors
    /// Those of `field`.
    pub fn optional<V>(
        &mut self,
        value: &mut Option<V>,
        fallback: V,
        field: impl FnOnce(&mut Self, &mut V) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut is_there = value.is_some();
        self.flag(&mut is_there)?;
        if is_there {
            field(self, value.get_or_insert(fallback))?;
        } else {
            *value = None;
        }
        Ok(())
    }

    /// What must be the same in the state and here, such as a size of the network.
    ///
    /// # Errors
    /// [`Error::State`]: it is not.
    pub fn same(&mut self, what: &'static str, here: u64) -> Result<(), Error> {
        let mut there = here;
        self.word(&mut there)?;
        if there == here { Ok(()) } else { Err(Error::State { what }) }
    }

    /// The end, whose checksum is written, or read and compared.
    ///
    /// # Errors
    /// [`Error::State`]: other bytes were written than were read.
    pub fn finish(mut self) -> Result<(), Error> {
        let sum = self.checksum;
        self.same("damaged", sum)
    }
}

const DAMAGED: Error = Error::State { what: "damaged" };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Approx32;
    use std::vec::Vec;

    /// Every kind of field.
    #[derive(Clone, Debug, PartialEq)]
    struct All {
        count: u64,
        size: usize,
        flag: bool,
        double: f64,
        single: [f32; 3],
        approximate: Approx32,
        some: Option<u64>,
        none: Option<u64>,
    }

    impl All {
        fn pass(&mut self, mut bytes: Bytes<'_>) -> Result<(), Error> {
            bytes.same("of another kind", 5)?;
            bytes.count(&mut self.count)?;
            bytes.size(&mut self.size)?;
            bytes.flag(&mut self.flag)?;
            bytes.number(&mut self.double)?;
            bytes.numbers(&mut self.single)?;
            bytes.number(&mut self.approximate)?;
            bytes.optional(&mut self.some, 0, Bytes::count)?;
            bytes.optional(&mut self.none, 0, Bytes::count)?;
            bytes.finish()
        }
        fn written(&self) -> Vec<u8> {
            let mut bytes = Vec::new();
            let mut sink = |part: &[u8]| {
                bytes.extend_from_slice(part);
                Ok(())
            };
            self.clone().pass(Bytes::writing(&mut sink)).unwrap();
            bytes
        }
        fn read(mut bytes: &[u8]) -> Result<Self, Error> {
            let mut source = |part: &mut [u8]| {
                let (head, tail) = bytes.split_at_checked(part.len()).ok_or(DAMAGED)?;
                part.copy_from_slice(head);
                bytes = tail;
                Ok(())
            };
            let mut read = Self { some: None, none: Some(3), ..all(0) };
            read.pass(Bytes::reading(&mut source)).map(|()| read)
        }
    }

    fn all(count: u64) -> All {
        All {
            count,
            size: 9,
            flag: count > 0,
            double: 0.1,
            single: [f32::MIN_POSITIVE / 2.0, -0.0, f32::INFINITY],
            approximate: Approx32(0.3),
            some: Some(4),
            none: None,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = all(MOST).written();
        assert_eq!(All::read(&bytes).unwrap(), all(MOST));
        let (state, sum) = bytes.split_last_chunk().unwrap();
        assert_eq!(checksum(state).to_le_bytes(), *sum);
    }

    #[test]
    fn no_changed_byte_and_no_cut_is_taken_for_the_state() {
        let bytes = all(77).written();
        for at in 0..bytes.len() {
            assert!(All::read(&bytes[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(All::read(&changed).is_err(), "byte {at}, bit {bit}");
            }
        }
        let mut other = bytes;
        other[0] = 6;
        assert_eq!(All::read(&other).unwrap_err(), Error::State { what: "of another kind" });
    }
}
