//! A square matrix in an npy file, written in blocks and read in rows, never held whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use ntkscope_core::linalg::dot;
use ntkscope_core::{MatRef, Real};
use rayon::prelude::*;

use super::symmetric::Mirror;
use super::{Error, KernelFault};
use crate::files::npy::{Header, Npy, NpyFault, Number};
use crate::files::{self, Dtype, Input, Unfinished, nameless_file, open_input};

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
    number: Number,
}

/// Rows and columns of the squares of which two, mirror images of one another, are compared at a time.
const SQUARE: usize = 512;

impl KernelFile {
    /// A file for a matrix of `rows` rows, of its full length, which gets the name `path` when it is committed.
    ///
    /// # Errors
    /// Those of [`Unfinished::create`]; a disk without room.
    pub fn create(path: &Path, rows: usize, dtype: Dtype) -> Result<Self, files::Error> {
        let (unfinished, file) = Unfinished::create(path)?;
        Self::prepare(file, Some(unfinished), rows, dtype).map_err(files::Error::io("write", path))
    }
    /// The same under a temporary name, which is handed back: there other ranks [`join`](Self::join) it.
    ///
    /// # Errors
    /// Those of [`Unfinished::create_named`]; a disk without room.
    pub fn create_shared(path: &Path, rows: usize, dtype: Dtype) -> Result<(Self, PathBuf), files::Error> {
        let (unfinished, file) = Unfinished::create_named(path)?;
        let name = unfinished.temporary_name().map_or(PathBuf::new(), Path::to_path_buf);
        let prepared = Self::prepare(file, Some(unfinished), rows, dtype).map_err(files::Error::io("write", path))?;
        Ok((prepared, name))
    }
    /// The file that another rank has created, to write blocks into it.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn join(name: &Path, rows: usize, dtype: Dtype) -> io::Result<Self> {
        let mut file = File::options().read(true).write(true).open(name)?;
        let header = Header { number: Number::of(dtype), fortran: false, shape: vec![rows; 2] };
        // the same bytes once more, which tell where the numbers begin
        header.write(&mut file)?;
        let start = file.stream_position()?;
        Ok(Self { file, unfinished: None, start, rows, number: header.number })
    }
    /// Flushes what was written to the disk, where other ranks see it.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn flush(&self) -> io::Result<()> {
        self.file.sync_all()
    }
    /// The same without a name, on the disk of `directory`; it is gone when this is dropped, or the process ends.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn nameless(directory: &Path, rows: usize, dtype: Dtype) -> io::Result<Self> {
        Self::prepare(nameless_file(directory)?, None, rows, dtype)
    }
    fn prepare(mut file: File, unfinished: Option<Unfinished>, rows: usize, dtype: Dtype) -> io::Result<Self> {
        let header = Header { number: Number::of(dtype), fortran: false, shape: vec![rows; 2] };
        header.write(&mut file)?;
        let start = file.stream_position()?;
        file.set_len(start + (rows * rows * dtype.bytes()) as u64)?;
        Ok(Self { file, unfinished, start, rows, number: header.number })
    }

    /// The precision of its numbers.
    pub fn dtype(&self) -> Dtype {
        self.number.scalar()
    }

    /// Opens an npy file of a square matrix of any numbers, and looks at all of it in squares: a kernel is finite and
    /// symmetric up to rounding. Of a file in Fortran order columns are read as rows, which is the same up to rounding.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Damaged`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let input = open_input(path).map_err(|fault| Error::input(path, fault))?;
        Self::of(input).map_err(|fault| Error::Damaged { path: path.into(), fault })
    }
    /// The same of a file that is open.
    ///
    /// # Errors
    /// [`KernelFault`].
    pub fn of(Input { mut file, bytes }: Input) -> Result<Self, KernelFault> {
        let header = Npy::new(&mut file, bytes).map_err(KernelFault::Npy)?.header().clone();
        let rows = match *header.shape {
            [n, m] if n == m && n > 0 => n,
            _ => return Err(KernelFault::Shape { array: None, shape: header.shape }),
        };
        let start = file.stream_position().map_err(KernelFault::Unreadable)?;
        let mut kernel = Self { file, unfinished: None, start, rows, number: header.number };
        kernel.check_entries(header.fortran)?;
        Ok(kernel)
    }

    /// Every pair of mirrored entries.
    fn check_entries(&mut self, turned: bool) -> Result<(), KernelFault> {
        let (mut roots, mut entry) = (vec![0.0; self.rows], [0.0]);
        for (i, root) in roots.iter_mut().enumerate() {
            self.read_square(i..i + 1, i..i + 1, &mut entry)?;
            *root = f64::sqrt(entry[0].abs());
        }
        let mirror = Mirror { array: None, roots, turned };
        let (mut lower, mut upper) = (Vec::new(), Vec::new());
        let parts = |end| (0..end).step_by(SQUARE).map(move |first| first..end.min(first + SQUARE));
        for rows in parts(self.rows) {
            for columns in parts(rows.end) {
                lower.resize(rows.len() * columns.len(), 0.0);
                upper.resize(lower.len(), 0.0);
                self.read_square(rows.clone(), columns.clone(), &mut lower)?;
                self.read_square(columns.clone(), rows.clone(), &mut upper)?;
                for (a, i) in rows.clone().enumerate() {
                    for (b, j) in columns.clone().enumerate().take_while(|(_, j)| *j <= i) {
                        mirror.pair(j, i, upper[b * rows.len() + a], lower[a * columns.len() + b])?;
                    }
                }
            }
        }
        Ok(())
    }
    fn read_square(&mut self, rows: Range<usize>, columns: Range<usize>, out: &mut [f64]) -> Result<(), KernelFault> {
        let mut bytes = vec![0; columns.len() * self.number.bytes];
        for (row, out) in rows.zip(out.chunks_exact_mut(columns.len())) {
            self.file.seek(SeekFrom::Start(self.position(row, columns.start))).map_err(KernelFault::Unreadable)?;
            self.file.read_exact(&mut bytes).map_err(KernelFault::Unreadable)?;
            if let Some(at) = self.number.decode(&bytes, out) {
                let at = (row * self.rows + columns.start + at) as u64;
                return Err(KernelFault::Npy(NpyFault::Inexact { at }));
            }
        }
        Ok(())
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
        let mut bytes = Vec::with_capacity(block.cols() * self.number.bytes);
        for i in 0..block.rows() {
            bytes.clear();
            let numbers = (0..block.cols()).map(|j| block.at(i, j).to_f64());
            match self.number.bytes {
                4 => numbers.for_each(|v| bytes.extend_from_slice(&(v as f32).to_le_bytes())),
                _ => numbers.for_each(|v| bytes.extend_from_slice(&v.to_le_bytes())),
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
        self.start + ((row * self.rows + col) * self.number.bytes) as u64
    }
    /// Reads the first `columns` numbers of a row.
    fn read_row(&mut self, row: usize, columns: usize, bytes: &mut [u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.position(row, 0)))?;
        self.file.read_exact(&mut bytes[..columns * self.number.bytes])
    }

    /// These rows as numbers, (rows.len(), n) row-major.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn read_rows(&mut self, rows: Range<usize>) -> io::Result<Vec<f64>> {
        let mut bytes = vec![0; self.rows * self.number.bytes];
        let mut numbers = vec![0.0; rows.len() * self.rows];
        for (row, numbers) in rows.zip(numbers.chunks_exact_mut(self.rows)) {
            self.read_row(row, self.rows, &mut bytes)?;
            self.number.decode(&bytes, numbers);
        }
        Ok(numbers)
    }

    /// The lower triangle of these rows, each row in a slice for `rows.end` numbers.
    fn read_lower(&mut self, rows: Range<usize>, bytes: &mut Vec<u8>) -> io::Result<()> {
        let width = rows.end * self.number.bytes;
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
        let number = self.number;
        let mut parts = rows_at_once(self.rows);
        let (mut bytes, mut next, mut lower) = (Vec::new(), Vec::new(), Vec::new());
        let mut rows = parts.next().unwrap_or(0..0);
        self.read_lower(rows.clone(), &mut bytes)?;
        while !rows.is_empty() {
            let following = parts.next().unwrap_or(0..0);
            let width = rows.end;
            lower.resize(rows.len() * width, 0.0);
            let multiply = || {
                let numbers = lower.par_chunks_exact_mut(width).zip(bytes.par_chunks_exact(width * number.bytes));
                y[rows.clone()].par_iter_mut().zip(numbers).enumerate().for_each(|(k, (y, (row, bytes)))| {
                    let count = rows.start + k + 1;
                    number.decode(bytes, &mut row[..count]);
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
