//! Reading and writing npz archives: named arrays of real numbers.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::npy::{Damaged, Header, Npy, NpyFault, Number};
use super::{Dtype, Error, Input, open_input, reason};
use crate::machine::Cause;
use crate::words::{excerpt, listed};

/// What is wrong with an npz archive, without the file's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzError {
    /// no zip archive, or a damaged one
    #[error("not readable as an npz archive: {0}")]
    Archive(String),
    /// the operating system cannot read it
    #[error("cannot be read: {}", reason(.0))]
    Unreadable(io::Error),
    /// there is no array of this name
    #[error("no array `{}`; {}", excerpt(array), if present.is_empty() { "the archive is empty".into() } else { format!("it has {}", listed(present)) })]
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
            Self::Unreadable(_) => Cause::System,
            Self::Archive(_) | Self::NoArray { .. } => Cause::Data,
        }
    }
}

/// An npz archive open for reading.
pub struct Npz<R = BufReader<File>> {
    archive: ZipArchive<Watched<R>>,
    /// what its reader failed with
    failure: Failure,
    /// bytes of the whole archive
    bytes: u64,
}

/// The first error of a reader. What unpacks an archive makes another of it, or takes it for a damaged archive, so it is kept
/// beside.
#[derive(Clone, Default)]
struct Failure(Arc<Mutex<Option<io::Error>>>);

impl Failure {
    /// Keeps `error`, and gives one to return in its place.
    fn keep(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        kind.into()
    }
    fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A reader whose errors are kept.
struct Watched<R> {
    inner: R,
    failure: Failure,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.inner.read(out).map_err(|error| match error.kind() {
            // whoever calls tries this one again
            io::ErrorKind::Interrupted => error,
            _ => self.failure.keep(error),
        })
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(to).map_err(|error| match (error.kind(), to) {
            // a damaged archive sends its reader to places that no file has
            (io::ErrorKind::InvalidInput, io::SeekFrom::Start(_) | io::SeekFrom::Current(_)) => error,
            _ => self.failure.keep(error),
        })
    }
}

/// What an archive has of one array, with errors of the reader as they were and its own marked as [`Damaged`].
struct Entry<'a, R: Read> {
    inner: ZipFile<'a, Watched<R>>,
    failure: Failure,
}

impl<R: Read> Read for Entry<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.inner.read(out).map_err(|error| match self.failure.take() {
            Some(failure) => failure,
            None if error.kind() == io::ErrorKind::Interrupted => error,
            None => io::Error::new(error.kind(), Damaged(error.to_string())),
        })
    }
}

/// Shape and numbers, in C order.
pub type Shaped = (Vec<usize>, Vec<f64>);

/// Most bytes that one packed byte can stand for (deflate).
const RATIO: u64 = 1032;

impl Npz {
    /// The archive in an open file.
    ///
    /// # Errors
    /// [`NpzError::Archive`], [`NpzError::Unreadable`].
    pub fn new(Input { file, bytes }: Input) -> Result<Self, NpzError> {
        Self::of(BufReader::new(file), bytes)
    }
}

/// Why a file is no archive, without the words of the format.
pub fn archive_fault(error: &ZipError) -> String {
    match error.to_string() {
        // the end of central directory record, by which a reader begins
        text if text.contains("EOCD") => "it is no zip archive, or is cut off".into(),
        text => text,
    }
}

impl<R: Read + Seek> Npz<R> {
    /// The archive in what `reader` gives, which is `bytes` bytes long.
    ///
    /// # Errors
    /// [`NpzError::Archive`], [`NpzError::Unreadable`].
    pub fn of(reader: R, bytes: u64) -> Result<Self, NpzError> {
        let failure = Failure::default();
        let archive = ZipArchive::new(Watched { inner: reader, failure: failure.clone() });
        // one that did not matter is forgotten as well
        let (failed, opened) = (failure.take(), archive.map_err(|e| archive_fault(&e)));
        let archive = opened.map_err(|what| failed.map_or(NpzError::Archive(what), NpzError::Unreadable))?;
        Ok(Self { archive, failure, bytes })
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
        // as numpy has it, a file whose name does not end so is an array too
        let mut files = [format!("{name}.npy"), name.to_owned()].into_iter();
        let Some(file) = files.find(|file| self.archive.index_for_name(file).is_some()) else {
            return Err(NpzError::NoArray { array: name.into(), present: self.names() });
        };
        let fault = |fault| NpzError::Array { array: name.into(), fault };
        let inner = self
            .archive
            .by_name(&file)
            .map_err(|e| fault(self.failure.take().map_or_else(|| NpyFault::Archive(e.to_string()), NpyFault::Read)))?;
        // what the archive says of its sizes, as far as it can be true
        let held = inner.size().min(inner.compressed_size().min(self.bytes).saturating_mul(RATIO));
        Npy::new(Entry { inner, failure: self.failure.clone() }, held).map_err(fault)
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
    let mut out = Latch::new(out);
    let written = write_archive(&mut out, arrays);
    match out.failed {
        Some(error) => Err(error),
        None => written.map(|()| out.inner),
    }
}

fn write_archive<W: Write + Seek>(out: &mut Latch<W>, arrays: &[Array<'_>]) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use std::io::{Cursor, SeekFrom};

    use super::*;

    /// An archive's bytes, of which those from `end` on cannot be read.
    struct Failing {
        bytes: Cursor<Vec<u8>>,
        end: u64,
        seeks: bool,
    }

    impl Read for Failing {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let left = self.end.saturating_sub(self.bytes.position()) as usize;
            if left == 0 && self.bytes.position() < self.bytes.get_ref().len() as u64 {
                return Err(io::Error::other("the disk is gone"));
            }
            let most = out.len().min(left.max(1));
            self.bytes.read(&mut out[..most])
        }
    }

    impl Seek for Failing {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            if self.seeks { self.bytes.seek(to) } else { Err(io::ErrorKind::InvalidInput.into()) }
        }
    }

    fn archive(compression: zip::CompressionMethod) -> Vec<u8> {
        let mut out = ZipWriter::new(Cursor::new(Vec::new()));
        out.start_file("x.npy", SimpleFileOptions::default().compression_method(compression)).unwrap();
        let header = Header { number: Number::of(Dtype::F64), fortran: false, shape: vec![4000] };
        header.write(&mut out).unwrap();
        (0..4000).for_each(|k| out.write_all(&f64::sin(k.into()).to_le_bytes()).unwrap());
        out.finish().unwrap().into_inner()
    }

    #[test]
    fn every_name_that_is_listed_can_be_opened() {
        let mut out = ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["x", "y.npy", "read me.txt", "\u{1b}[2J"] {
            out.start_file(name, SimpleFileOptions::default()).unwrap();
            Header { number: Number::of(Dtype::F64), fortran: false, shape: vec![0] }.write(&mut out).unwrap();
        }
        let bytes = out.finish().unwrap().into_inner();
        let length = bytes.len() as u64;
        let mut archive = Npz::of(Cursor::new(bytes), length).unwrap();
        let names = archive.names();
        assert_eq!(names.len(), 4);
        names.iter().for_each(|name| assert_eq!(archive.array(name).unwrap().0, [0]));
        let told = archive.array("\u{1b}[2K").unwrap_err().to_string();
        assert!(told.starts_with("no array") && !told.contains(char::is_control), "{told}");
    }

    fn read(bytes: &[u8], end: u64, seeks: bool) -> Result<Shaped, NpzError> {
        let reader = Failing { bytes: Cursor::new(bytes.to_vec()), end, seeks };
        Npz::of(reader, bytes.len() as u64)?.array("x")
    }

    /// Wherever the reader fails, it is the system's fault, in its words; wherever a byte is another, the data's.
    #[test]
    fn a_reader_that_fails_is_told_from_a_damaged_archive() {
        for compression in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
            let good = archive(compression);
            let length = good.len() as u64;
            assert!(read(&good, length, true).is_ok());
            for end in (0..length).step_by(397).chain(length - 40..length) {
                let error = read(&good, end, true).unwrap_err();
                assert_eq!(error.cause(), Cause::System, "{end}: {error}");
                assert!(error.to_string().contains("cannot be read: the disk is gone"), "{end}: {error}");
            }
            assert_eq!(read(&good, length, false).unwrap_err().cause(), Cause::System);
            let mut refused = 0;
            for at in (0..good.len()).step_by(397).chain(good.len() - 120..good.len()) {
                let mut bytes = good.clone();
                bytes[at] ^= 0xff;
                if let Err(error) = read(&bytes, length, true) {
                    assert_eq!(error.cause(), Cause::Data, "{at}: {error}");
                    refused += 1;
                }
            }
            assert!(refused > 60, "{refused}");
            for cut in (0..good.len()).step_by(397) {
                assert_eq!(read(&good[..cut], length, true).unwrap_err().cause(), Cause::Data, "cut at {cut}");
            }
        }
    }
}
