//! npy files, alone or inside an npz: the one reader of them. Nothing is set aside for what a header promises before it
//! was compared with the bytes that there are.

mod header;
mod number;

use std::io::{self, Read};

use bytesize::ByteSize;

use super::input::reason;
use crate::machine::Cause;
pub use header::{Header, MOST_HEADER};
pub use number::{NoNumber, Number, NumberKind};

/// What is wrong with an npy file, without its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpyFault {
    /// it begins otherwise
    #[error("is damaged: not an npy file, which starts with \\x93NUMPY")]
    NotNpy,
    /// its header is wrong
    #[error("is damaged: its header {0}")]
    Header(String),
    /// it holds no numbers
    #[error("has dtype {}, but real numbers or integers are needed; save {} instead", .0.dtype, .0.call)]
    NoNumbers(NoNumber),
    /// its header promises what is not there
    #[error("is damaged: it is truncated; shape {} needs more than the {held} bytes present", in_brackets(.shape))]
    Short {
        /// the shape
        shape: Vec<usize>,
        /// bytes there are, those of the header included
        held: u64,
    },
    /// there is more than its header promises
    #[error("is damaged: it continues after the numbers of shape {}", in_brackets(.shape))]
    Long {
        /// the shape
        shape: Vec<usize>,
    },
    /// an integer beyond 2^53
    #[error("holds an integer too large to be represented exactly, number {at} (from 0, as stored)")]
    Inexact {
        /// its index, as stored
        at: u64,
    },
    /// its place in the archive is damaged
    #[error("is damaged: {0}")]
    Archive(String),
    /// it cannot be read
    #[error("cannot be read: {}", reason(.0))]
    Read(io::Error),
    /// more than may be taken
    #[error("needs {} of memory, more than {}", ByteSize::b(*.need), ByteSize::b(*.most))]
    Memory {
        /// bytes that its numbers take
        need: u64,
        /// bytes that may be taken
        most: u64,
    },
}

impl NpyFault {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Read(_) => Cause::System,
            Self::Memory { .. } => Cause::Settings,
            _ => Cause::Data,
        }
    }

    /// A reader's error: what unpacks an archive marks its own, and any other is the system's.
    fn of_reading(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(Damaged(what)) => Self::Archive(what.clone()),
            None => Self::Read(error),
        }
    }
}

/// Inside an [`io::Error`]: the bytes could be read, but what unpacks them found them damaged.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damaged(pub(super) String);

/// A shape as messages show it, however long.
pub fn in_brackets(shape: &[usize]) -> String {
    crate::words::excerpt(&format!("{:?}", &shape[..shape.len().min(40)]))
}

/// Numbers that are decoded at a time.
const AT_ONCE: usize = 1 << 13;

/// An npy file of which the header was read.
#[derive(Debug)]
pub struct Npy<R> {
    header: Header,
    reader: R,
    /// numbers of the array
    count: u64,
    /// numbers that were read
    done: u64,
    bytes: Vec<u8>,
}

impl<R: Read> Npy<R> {
    /// Reads the header of what `reader` gives, which is `length` bytes long.
    ///
    /// # Errors
    /// [`NpyFault`]: no header, no numbers, or fewer or more bytes than the header promises.
    pub fn new(mut reader: R, length: u64) -> Result<Self, NpyFault> {
        let (header, begin) = Header::read(&mut reader)?;
        let Header { number, shape, .. } = &header;
        // no product of some of the dimensions overflows, also where another is 0
        let product = |least| shape.iter().try_fold(1u64, |product, &s| product.checked_mul((s as u64).max(least)));
        let sound = product(1).is_some_and(|all| usize::try_from(all).is_ok());
        let count = product(0).filter(|_| sound);
        let end = count.and_then(|count| count.checked_mul(number.bytes as u64)?.checked_add(begin));
        match (count, end) {
            (Some(count), Some(end)) if end == length => Ok(Self { header, reader, count, done: 0, bytes: Vec::new() }),
            (Some(_), Some(end)) if end < length => Err(NpyFault::Long { shape: header.shape }),
            _ => Err(NpyFault::Short { shape: header.shape, held: length }),
        }
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        &self.header
    }
    /// The shape.
    pub fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// Decodes the next numbers, in the order in which they are stored: as many as there is room for, or are left.
    /// Returns how many; 0 at the end, when everything was read on to the end of the file.
    ///
    /// # Errors
    /// [`NpyFault`]: it ends too early or goes on, cannot be read, or holds an integer beyond 2^53.
    pub fn next(&mut self, out: &mut [f64]) -> Result<usize, NpyFault> {
        let left = self.count - self.done;
        if left == 0 {
            // an archive's checksum is compared at its end
            return match self.reader.read(&mut [0]) {
                Ok(0) => Ok(0),
                Ok(_) => Err(NpyFault::Long { shape: self.header.shape.clone() }),
                Err(e) => Err(NpyFault::of_reading(e)),
            };
        }
        let count = out.len().min(AT_ONCE).min(usize::try_from(left).unwrap_or(AT_ONCE));
        let number = self.header.number;
        self.bytes.resize(count * number.bytes, 0);
        self.reader.read_exact(&mut self.bytes).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => {
                NpyFault::Short { shape: self.header.shape.clone(), held: self.done * number.bytes as u64 }
            }
            _ => NpyFault::of_reading(e),
        })?;
        if let Some(at) = number.decode(&self.bytes, &mut out[..count]) {
            return Err(NpyFault::Inexact { at: self.done + at as u64 });
        }
        self.done += count as u64;
        Ok(count)
    }

    /// All numbers in C order, which take no more than `most` bytes.
    ///
    /// # Errors
    /// [`NpyFault`].
    pub fn all(mut self, most: u64) -> Result<Vec<f64>, NpyFault> {
        let turn = self.header.fortran && self.header.shape.len() > 1;
        let need = self.count.saturating_mul(if turn { 16 } else { 8 });
        let count = usize::try_from(self.count).ok().filter(|_| need <= most);
        let mut numbers = Vec::new();
        let count = count.filter(|&count| numbers.try_reserve_exact(count).is_ok());
        let count = count.ok_or(NpyFault::Memory { need, most })?;
        numbers.resize(count, 0.0);
        let mut done = 0;
        loop {
            match self.next(&mut numbers[done..])? {
                0 => break,
                got => done += got,
            }
        }
        Ok(if turn { in_c_order(&self.header.shape, &numbers) } else { numbers })
    }

    /// Shows every number of an array of one or two dimensions to `visit` with its row and column, in the order in which
    /// they are stored, to the end.
    ///
    /// # Errors
    /// [`NpyFault`], and what `visit` returns.
    ///
    /// # Panics
    /// For an array of other dimensions.
    pub fn visit<E: From<NpyFault>>(
        mut self,
        mut visit: impl FnMut(usize, usize, f64) -> Result<(), E>,
    ) -> Result<(), E> {
        let (rows, columns) = match *self.shape() {
            [rows] => (rows, 1),
            [rows, columns] => (rows, columns),
            _ => panic!("an array of one or two dimensions"),
        };
        let fortran = self.header.fortran;
        let (mut row, mut column, mut buffer) = (0, 0, vec![0.0; AT_ONCE]);
        loop {
            let got = self.next(&mut buffer)?;
            if got == 0 {
                return Ok(());
            }
            for &value in &buffer[..got] {
                visit(row, column, value)?;
                if fortran {
                    row += 1;
                    if row == rows {
                        (row, column) = (0, column + 1);
                    }
                } else {
                    column += 1;
                    if column == columns {
                        (row, column) = (row + 1, 0);
                    }
                }
            }
        }
    }
}

/// Numbers of which the first index runs fastest, with the last index running fastest.
fn in_c_order(shape: &[usize], stored: &[f64]) -> Vec<f64> {
    let mut strides = vec![1; shape.len()];
    for k in (0..shape.len() - 1).rev() {
        strides[k] = strides[k + 1] * shape[k + 1];
    }
    let (mut numbers, mut index, mut place) = (vec![0.0; stored.len()], vec![0; shape.len()], 0);
    for &value in stored {
        numbers[place] = value;
        for k in 0..shape.len() {
            index[k] += 1;
            place += strides[k];
            if index[k] < shape[k] {
                break;
            }
            place -= index[k] * strides[k];
            index[k] = 0;
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(descr: &str, fortran: bool, shape: &[usize], data: &[u8]) -> Vec<u8> {
        let number = Number::parse(descr).unwrap();
        let mut bytes = Vec::new();
        Header { number, fortran, shape: shape.to_vec() }.write(&mut bytes).unwrap();
        bytes.extend(data);
        bytes
    }
    fn all(bytes: &[u8]) -> Result<Vec<f64>, NpyFault> {
        Npy::new(bytes, bytes.len() as u64)?.all(1 << 20)
    }

    #[test]
    fn both_orders_in_any_number_of_dimensions() {
        let data: Vec<u8> = (0..24).collect();
        let plain: Vec<f64> = (0..24).map(f64::from).collect();
        for shape in [&[24][..], &[4, 6], &[2, 3, 4], &[2, 1, 3, 4]] {
            assert_eq!(all(&file("|u1", false, shape, &data)).unwrap(), plain);
            let numbers = all(&file("|u1", true, shape, &data)).unwrap();
            for (c, &value) in numbers.iter().enumerate() {
                // the index of the number at c, by the definition of both orders
                let (mut rest, mut index) = (c, Vec::new());
                for &s in shape.iter().rev() {
                    index.insert(0, rest % s);
                    rest /= s;
                }
                let fortran = index.iter().zip(shape).rev().fold(0, |at, (i, s)| at * s + i);
                assert_eq!(value, fortran as f64, "{shape:?} {index:?}");
            }
        }
        for fortran in [false, true] {
            let bytes = file("|u1", fortran, &[4, 6], &data);
            let whole = all(&bytes).unwrap();
            let mut seen = 0;
            let visit = |row: usize, column: usize, value| {
                assert_eq!(value, whole[6 * row + column]);
                seen += 1;
                Ok::<(), NpyFault>(())
            };
            Npy::new(bytes.as_slice(), bytes.len() as u64).unwrap().visit(visit).unwrap();
            assert_eq!(seen, 24);
        }
    }

    #[test]
    fn a_promise_is_compared_with_the_bytes_there_are() {
        let good = file("<f8", false, &[2], &[0; 16]);
        assert_eq!(all(&good).unwrap(), [0.0, 0.0]);
        for cut in 0..good.len() {
            assert!(all(&good[..cut]).is_err());
            // a length that is a lie
            assert!(Npy::new(&good[..cut], good.len() as u64).and_then(|npy| npy.all(1 << 20)).is_err());
        }
        assert!(matches!(all(&[&good[..], &[0]].concat()), Err(NpyFault::Long { .. })));
        for shape in [&[10usize.pow(8), 10usize.pow(7)][..], &[1 << 63, 1 << 63], &[0, 1 << 63, 1 << 63], &[usize::MAX]]
        {
            assert!(matches!(all(&file("<f8", false, shape, &[0; 16])), Err(NpyFault::Short { .. })), "{shape:?}");
        }
        let npy = Npy::new(good.as_slice(), good.len() as u64).unwrap();
        assert!(matches!(npy.all(15), Err(NpyFault::Memory { need: 16, most: 15 })));
    }
}
