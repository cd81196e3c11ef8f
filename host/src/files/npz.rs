//! Reading and writing npz archives: named arrays of real numbers.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use zip::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::npy::{Header, Npy, NpyFault, Number, NumberKind};
use super::{Dtype, Error, Input, open_input};
use crate::machine::Cause;
use crate::words::{excerpt, listed};

/// What is wrong with an npz archive, without the file's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzError {
    /// no zip archive, or a damaged one
    #[error("not readable as an npz archive: {0}")]
    Archive(String),
    /// there is no array of this name
    #[error("no array `{array}`; {}", if present.is_empty() { "it is empty".into() } else { format!("it has {}", listed(present)) })]
    NoArray {
        /// the name
        array: String,
        /// the names that there are
        present: Vec<String>,
    },
    /// an array cannot be read
    #[error("array `{}` {fault}", excerpt(array))]
    Array {
        /// its name
        array: String,
        /// why
        fault: NpyFault,
    },
}

impl NpzError {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Array { fault, .. } => fault.cause(),
            Self::Archive(_) | Self::NoArray { .. } => Cause::Data,
        }
    }
}

/// An npz archive open for reading.
pub struct Npz<R = BufReader<File>> {
    archive: ZipArchive<R>,
    /// bytes of the whole archive
    bytes: u64,
}

/// Shape and numbers, in C order.
pub type Shaped = (Vec<usize>, Vec<f64>);

/// Most bytes that one packed byte can stand for (deflate).
const RATIO: u64 = 1032;

impl Npz {
    /// The archive in an open file.
    ///
    /// # Errors
    /// [`NpzError::Archive`].
    pub fn new(Input { file, bytes }: Input) -> Result<Self, NpzError> {
        Self::of(BufReader::new(file), bytes)
    }
}

impl<R: Read + Seek> Npz<R> {
    /// The archive in what `reader` gives, which is `bytes` bytes long.
    ///
    /// # Errors
    /// [`NpzError::Archive`].
    pub fn of(reader: R, bytes: u64) -> Result<Self, NpzError> {
        let archive = ZipArchive::new(reader).map_err(|e| NpzError::Archive(e.to_string()))?;
        Ok(Self { archive, bytes })
    }

    /// Names of the arrays.
    pub fn names(&self) -> Vec<String> {
        let array_name = |file: &str| file.strip_suffix(".npy").unwrap_or(file).to_string();
        self.archive.file_names().flatten().map(|file| array_name(&file)).collect()
    }

    /// The array `name`, of which the header was read.
    ///
    /// # Errors
    /// [`NpzError`]: there is none of this name, or it is damaged or holds no numbers.
    pub fn open(&mut self, name: &str) -> Result<Npy<impl Read + use<'_, R>>, NpzError> {
        let file = format!("{name}.npy");
        if self.archive.index_for_name(&file).is_none() {
            return Err(NpzError::NoArray { array: name.into(), present: self.names() });
        }
        let fault = |fault| NpzError::Array { array: name.into(), fault };
        let entry = self.archive.by_name(&file).map_err(|e| fault(NpyFault::Archive(e.to_string())))?;
        // what the archive says of its sizes, as far as it can be true
        let held = entry.size().min(entry.compressed_size().min(self.bytes).saturating_mul(RATIO));
        Npy::new(entry, held).map_err(fault)
    }

    /// The array `name`, whose numbers take no more than `most` bytes.
    ///
    /// # Errors
    /// [`NpzError`]: there is none of this name, or it is damaged or holds no numbers, or too many.
    pub fn array_within(&mut self, name: &str, most: u64) -> Result<Shaped, NpzError> {
        let npy = self.open(name)?;
        let shape = npy.shape().to_vec();
        let numbers = npy.all(most).map_err(|fault| NpzError::Array { array: name.into(), fault })?;
        Ok((shape, numbers))
    }

    /// The array `name`, of any size.
    ///
    /// # Errors
    /// As [`Self::array_within`].
    pub fn array(&mut self, name: &str) -> Result<Shaped, NpzError> {
        self.array_within(name, u64::MAX)
    }
}

/// One array to write.
pub struct Array<'a> {
    /// name without `.npy`
    pub name: &'a str,
    /// shape
    pub shape: &'a [usize],
    /// how the numbers are stored; f32 loses nothing where that is what was computed
    pub dtype: Dtype,
    /// the number at an index, in C order
    pub number: &'a dyn Fn(usize) -> f64,
}

/// Writes these arrays as an npz archive, without compression as numpy's `savez` does.
///
/// # Errors
/// Those of `out`.
pub fn write<W: Write + Seek>(out: W, arrays: &[Array<'_>]) -> io::Result<W> {
    write_with_text(out, arrays, None)
}

/// The same with a text, by its name, as an array of bytes: `bytes(archive[name]).decode()` in numpy.
///
/// # Errors
/// Those of `out`.
pub fn write_with_text<W: Write + Seek>(out: W, arrays: &[Array<'_>], text: Option<(&str, &str)>) -> io::Result<W> {
    let mut out = Latch::new(out);
    let written = write_archive(&mut out, arrays, text);
    match out.failed {
        Some(error) => Err(error),
        None => written.map(|()| out.inner),
    }
}

fn write_archive<W: Write + Seek>(
    out: &mut Latch<W>,
    arrays: &[Array<'_>],
    text: Option<(&str, &str)>,
) -> io::Result<()> {
    let mut archive = ZipWriter::new(out);
    for array in arrays {
        let header = Header { number: Number::of(array.dtype), fortran: false, shape: array.shape.to_vec() };
        let mut out = begin(&mut archive, array.name, &header)?;
        let numbers = (0..array.shape.iter().product()).map(array.number);
        for number in numbers {
            match array.dtype {
                Dtype::F32 => out.write_all(&(number as f32).to_le_bytes())?,
                Dtype::F64 => out.write_all(&number.to_le_bytes())?,
            }
        }
        out.flush()?;
    }
    if let Some((name, text)) = text {
        let header = Header { number: Number::little(NumberKind::Uint, 1), fortran: false, shape: vec![text.len()] };
        let mut out = begin(&mut archive, name, &header)?;
        out.write_all(text.as_bytes())?;
        out.flush()?;
    }
    archive.finish()?;
    Ok(())
}

/// A writer that keeps the first error to itself and from then on only counts: the archive's writer, dropped before its
/// end, would try again and complain on standard error.
struct Latch<W> {
    inner: W,
    failed: Option<io::Error>,
    /// where the next byte goes
    at: u64,
    /// the length so far
    end: u64,
}

impl<W> Latch<W> {
    fn new(inner: W) -> Self {
        Self { inner, failed: None, at: 0, end: 0 }
    }
}

impl<W: Write> Write for Latch<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = bytes.len();
        if self.failed.is_none() {
            match self.inner.write(bytes) {
                // whoever calls tries this one again
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => self.failed = Some(error),
                Ok(0) if !bytes.is_empty() => self.failed = Some(io::ErrorKind::WriteZero.into()),
                Ok(count) => written = count,
            }
        }
        self.at += written as u64;
        self.end = self.end.max(self.at);
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        if self.failed.is_none() {
            self.failed = self.inner.flush().err();
        }
        Ok(())
    }
}

impl<W: Seek> Seek for Latch<W> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let target = match to {
            io::SeekFrom::Start(at) => Some(at),
            io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
            io::SeekFrom::End(by) => self.end.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        if self.failed.is_none() {
            self.failed = self.inner.seek(io::SeekFrom::Start(self.at)).err();
        }
        Ok(self.at)
    }
}

/// Begins the array `name` of an archive.
fn begin<'a, W: Write + Seek>(
    archive: &'a mut ZipWriter<W>,
    name: &str,
    header: &Header,
) -> io::Result<BufWriter<&'a mut ZipWriter<W>>> {
    let bytes = header.shape.iter().product::<usize>() * header.number.bytes;
    // no time stamp: the same arrays give the same bytes
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .large_file(bytes > (u32::MAX - (1 << 16)) as usize);
    archive.start_file(format!("{name}.npy"), options)?;
    let mut out = BufWriter::new(archive);
    header.write(&mut out)?;
    Ok(out)
}

/// Opens `path` as an npz archive.
///
/// # Errors
/// [`Error::Input`], [`Error::Npz`].
pub fn open(path: &Path) -> Result<Npz, Error> {
    let input = open_input(path).map_err(Error::input(path))?;
    Npz::new(input).map_err(|fault| Error::Npz { path: path.into(), fault })
}
