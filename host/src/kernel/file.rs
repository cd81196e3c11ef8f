//! A square matrix in an npy file, written in blocks and read in rows, never held whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use npyz::{DType, NpyHeader, Order, WriterBuilder};
use ntkscope_core::linalg::dot;
use ntkscope_core::{MatRef, Real};
use rayon::prelude::*;

use super::{Error, KernelFault};
use crate::files::{self, Dtype, Unfinished, nameless_file};

/// Bytes of f64 that are read at a time: a 64th of the matrix within these bounds, but a row at least. Fewer would have
/// threads wait for each other too often.
const FEWEST: usize = 1 << 18;
const MOST: usize = 1 << 23;

const fn at_once(rows: usize) -> usize {
    let (row, share) = (8 * rows, 8 * rows * rows / 64);
    let bytes = if share < FEWEST {
        FEWEST
    } else if share > MOST {
        MOST
    } else {
        share
    };
    if bytes < row { row } else { bytes }
}

/// Columns that a thread adds to at a time: they stay in its level-1 cache.
const COLUMNS: usize = 1024;

/// A square matrix on the disk. As a file that is still being written it has no name yet, or never gets one.
#[derive(Debug)]
pub struct KernelFile {
    file: File,
    unfinished: Option<Unfinished>,
    /// where the numbers begin
    start: u64,
    rows: usize,
    dtype: Dtype,
}

impl KernelFile {
    /// A file for a matrix of `rows` rows, of its full length, which gets the name `path` when it is committed.
    ///
    /// # Errors
    /// Those of [`Unfinished::create`]; a disk without room.
    pub fn create(path: &Path, rows: usize, dtype: Dtype) -> Result<Self, files::Error> {
        let (unfinished, file) = Unfinished::create(path)?;
        Self::prepare(file, Some(unfinished), rows, dtype).map_err(files::Error::io("write", path))
    }
    /// The same without a name, on the disk of `directory`; it is gone when this is dropped, or the process ends.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn nameless(directory: &Path, rows: usize, dtype: Dtype) -> io::Result<Self> {
        Self::prepare(nameless_file(directory)?, None, rows, dtype)
    }
    fn prepare(mut file: File, unfinished: Option<Unfinished>, rows: usize, dtype: Dtype) -> io::Result<Self> {
        let (descr, shape) = (format!("<f{}", dtype.bytes()), [rows as u64; 2]);
        let descr = DType::Plain(descr.parse().map_err(io::Error::other)?);
        npyz::WriteOptions::new_header_only().dtype(descr).shape(&shape).writer(&mut file).write_header_only()?;
        let start = file.stream_position()?;
        file.set_len(start + (rows * rows * dtype.bytes()) as u64)?;
        Ok(Self { file, unfinished, start, rows, dtype })
    }

    /// The scalar of its numbers.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Opens an npy file of a square matrix of f32 or f64.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_npy(path).map_err(|fault| Error::Damaged { path: path.into(), fault })
    }
    fn open_npy(path: &Path) -> Result<Self, KernelFault> {
        let mut file = File::open(path).map_err(KernelFault::Unreadable)?;
        let header = NpyHeader::from_reader(&mut file).map_err(KernelFault::NotNpy)?;
        let descr = header.dtype().descr();
        let dtype = match descr.as_str() {
            "'<f4'" => Dtype::F32,
            "'<f8'" => Dtype::F64,
            _ => return Err(KernelFault::Dtype(descr)),
        };
        let shape = header.shape();
        let rows = match shape {
            &[n, m] if n == m && n > 0 => usize::try_from(n).ok(),
            _ => None,
        };
        let rows = rows.ok_or_else(|| KernelFault::Shape(shape.to_vec()))?;
        if header.order() != Order::C {
            return Err(KernelFault::ColumnMajor);
        }
        let start = file.stream_position().map_err(KernelFault::Unreadable)?;
        let bytes = file.metadata().map_err(KernelFault::Unreadable)?.len();
        let needed = (rows as u64).checked_mul(rows as u64).and_then(|n| n.checked_mul(dtype.bytes() as u64));
        if needed.and_then(|needed| needed.checked_add(start)) != Some(bytes) {
            return Err(KernelFault::Length { bytes, rows, dtype: descr });
        }
        Ok(Self { file, unfinished: None, start, rows, dtype })
    }

    /// Rows of the matrix.
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Bytes that [`KernelFile::product`] takes for a matrix of `rows` rows.
    pub fn product_bytes(rows: usize) -> u64 {
        3 * at_once(rows) as u64
    }

    /// Writes the block whose first element is (row, col), and its transpose at (col, row) unless that is itself.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn write_block<T: Real>(&mut self, row: usize, col: usize, block: MatRef<'_, T>) -> io::Result<()> {
        self.write(row, col, block)?;
        if row == col { Ok(()) } else { self.write(col, row, block.t()) }
    }
    fn write<T: Real>(&mut self, row: usize, col: usize, block: MatRef<'_, T>) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(block.cols() * self.dtype.bytes());
        for i in 0..block.rows() {
            bytes.clear();
            let numbers = (0..block.cols()).map(|j| block.at(i, j).to_f64());
            match self.dtype {
                Dtype::F32 => numbers.for_each(|v| bytes.extend_from_slice(&(v as f32).to_le_bytes())),
                Dtype::F64 => numbers.for_each(|v| bytes.extend_from_slice(&v.to_le_bytes())),
            }
            self.file.seek(SeekFrom::Start(self.position(row + i, col)))?;
            self.file.write_all(&bytes)?;
        }
        Ok(())
    }
    /// Flushes the file to the disk and gives it its name, if it is to have one.
    ///
    /// # Errors
    /// [`files::Error::Io`].
    pub fn commit(&mut self) -> Result<(), files::Error> {
        self.unfinished.take().map_or(Ok(()), |unfinished| unfinished.commit(&self.file))
    }

    fn position(&self, row: usize, col: usize) -> u64 {
        self.start + ((row * self.rows + col) * self.dtype.bytes()) as u64
    }
    /// Reads the first `columns` numbers of a row.
    fn read_row(&mut self, row: usize, columns: usize, bytes: &mut [u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.position(row, 0)))?;
        self.file.read_exact(&mut bytes[..columns * self.dtype.bytes()])
    }

    /// These rows as numbers, (rows.len(), n) row-major.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn read_rows(&mut self, rows: Range<usize>) -> io::Result<Vec<f64>> {
        let mut bytes = vec![0; self.rows * self.dtype.bytes()];
        let mut numbers = vec![0.0; rows.len() * self.rows];
        for (row, numbers) in rows.zip(numbers.chunks_exact_mut(self.rows)) {
            self.read_row(row, self.rows, &mut bytes)?;
            decode(&bytes, self.dtype, numbers);
        }
        Ok(numbers)
    }

    /// The lower triangle of these rows, each row in a slice for `rows.end` numbers.
    fn read_lower(&mut self, rows: Range<usize>, bytes: &mut Vec<u8>) -> io::Result<()> {
        let width = rows.end * self.dtype.bytes();
        bytes.resize(rows.len() * width, 0);
        rows.zip(bytes.chunks_exact_mut(width.max(1))).try_for_each(|(i, bytes)| self.read_row(i, i + 1, bytes))
    }

    /// y <- K x in f64 for a symmetric K, of which only the lower triangle is read.
    ///
    /// Order: y_i is the sum over j <= i, then the terms of j = i + 1, i + 2, ... one by one; threads change nothing.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn product(&mut self, x: &[f64], y: &mut [f64]) -> io::Result<()> {
        let dtype = self.dtype;
        let mut parts = rows_at_once(self.rows);
        let (mut bytes, mut next, mut lower) = (Vec::new(), Vec::new(), Vec::new());
        let mut rows = parts.next().unwrap_or(0..0);
        self.read_lower(rows.clone(), &mut bytes)?;
        while !rows.is_empty() {
            let following = parts.next().unwrap_or(0..0);
            let width = rows.end;
            lower.resize(rows.len() * width, 0.0);
            let multiply = || {
                let numbers = lower.par_chunks_exact_mut(width).zip(bytes.par_chunks_exact(width * dtype.bytes()));
                y[rows.clone()].par_iter_mut().zip(numbers).enumerate().for_each(|(k, (y, (row, bytes)))| {
                    let count = rows.start + k + 1;
                    decode(bytes, dtype, &mut row[..count]);
                    *y = dot(&row[..count], &x[..count]);
                });
                y[..width].par_chunks_mut(COLUMNS).enumerate().for_each(|(chunk, y)| {
                    let first = chunk * COLUMNS;
                    for (i, row) in rows.clone().zip(lower.chunks_exact(width)) {
                        let below = i.saturating_sub(first).min(y.len());
                        y.iter_mut().zip(&row[first..][..below]).for_each(|(y, k)| *y += k * x[i]);
                    }
                });
            };
            // the disk, and the memory that it is cached in, are no faster than the sums
            let (read, ()) = rayon::join(|| self.read_lower(following.clone(), &mut next), multiply);
            read?;
            std::mem::swap(&mut bytes, &mut next);
            rows = following;
        }
        Ok(())
    }
}

/// All of `rows` rows, in parts that are read at once.
pub fn rows_at_once(rows: usize) -> impl Iterator<Item = Range<usize>> {
    let height = at_once(rows) / (8 * rows);
    (0..rows).step_by(height).map(move |first| first..rows.min(first + height))
}

fn decode(bytes: &[u8], dtype: Dtype, numbers: &mut [f64]) {
    match dtype {
        Dtype::F32 => {
            numbers.iter_mut().zip(bytes.as_chunks().0).for_each(|(v, b)| *v = f32::from_le_bytes(*b).into());
        }
        Dtype::F64 => numbers.iter_mut().zip(bytes.as_chunks().0).for_each(|(v, b)| *v = f64::from_le_bytes(*b)),
    }
}
