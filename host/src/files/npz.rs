//! Reading and writing npz archives: named arrays of real numbers.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use npyz::{Deserialize, NpyFile, Order, TypeChar, WriterBuilder};
use zip::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{Dtype, Error};

/// What is wrong with an npz archive, without the file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NpzError {
    /// no zip archive, or a damaged one
    #[error("not readable as an npz archive: {0}")]
    Archive(String),
    /// there is no array of this name
    #[error("no array `{array}`; {}", if present.is_empty() { "it is empty".into() } else { format!("it has {}", present.join(", ")) })]
    NoArray {
        /// the name
        array: String,
        /// the names that there are
        present: Vec<String>,
    },
    /// an array cannot be read
    #[error("array `{array}` is damaged: {what}")]
    Damaged {
        /// its name
        array: String,
        /// why
        what: String,
    },
    /// an array holds neither real numbers nor integers
    #[error("array `{array}` has dtype {dtype}, but real numbers or integers are needed")]
    NotNumbers {
        /// its name
        array: String,
        /// what it holds, as numpy names it
        dtype: String,
    },
}

/// An npz archive open for reading.
pub struct Npz(ZipArchive<BufReader<File>>);

/// Shape and numbers, in C order.
pub type Shaped = (Vec<usize>, Vec<f64>);

impl Npz {
    /// The archive in an open file.
    ///
    /// # Errors
    /// [`NpzError::Archive`].
    pub fn new(file: File) -> Result<Self, NpzError> {
        ZipArchive::new(BufReader::new(file)).map(Self).map_err(|e| NpzError::Archive(e.to_string()))
    }

    /// Names of the arrays.
    pub fn names(&self) -> Vec<String> {
        let array_name = |file: &str| npyz::npz::array_name_from_file_name(file).unwrap_or(file).to_string();
        self.0.file_names().flatten().map(|file| array_name(&file)).collect()
    }

    /// The array `name`.
    ///
    /// # Errors
    /// [`NpzError`]: there is none of this name, or it is damaged or holds no numbers.
    pub fn array(&mut self, name: &str) -> Result<Shaped, NpzError> {
        let present = self.names();
        if !present.iter().any(|n| n == name) {
            return Err(NpzError::NoArray { array: name.into(), present });
        }
        let unreadable = |e: &dyn std::fmt::Display| damaged(name, e);
        let mut entry = self.0.by_name(&npyz::npz::file_name_from_array_name(name)).map_err(|e| unreadable(&e))?;
        // To the end, so that the archive's own checksum is compared before anything is believed.
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|e| unreadable(&e))?;
        drop(entry);
        parse(name, &bytes)
    }

    /// The precision of the numbers in the array `name`: single where they are stored so, else double.
    pub fn scalar(&mut self, name: &str) -> Dtype {
        let mut header = Vec::new();
        let entry = self.0.by_name(&npyz::npz::file_name_from_array_name(name)).map_err(io::Error::from);
        let read = entry.and_then(|entry| entry.take(HEADER).read_to_end(&mut header));
        let single = read.is_ok() && [b"'<f4'", b"'>f4'"].into_iter().any(|t| header.windows(5).any(|w| w == t));
        if single { Dtype::F32 } else { Dtype::F64 }
    }

    /// Whether the array `name` holds integers or truth values.
    ///
    /// # Errors
    /// As [`Self::array`].
    pub fn holds_integers(&mut self, name: &str) -> Result<bool, NpzError> {
        let file = npyz::npz::file_name_from_array_name(name);
        let entry = self.0.by_name(&file).map_err(|e| damaged(name, &e))?;
        let npy = NpyFile::new(BufReader::new(entry)).map_err(|e| damaged(name, &e))?;
        let npyz::DType::Plain(plain) = npy.dtype() else { return Ok(false) };
        Ok(matches!(plain.type_char(), TypeChar::Int | TypeChar::Uint | TypeChar::Bool))
    }
}

/// Bytes of an npy file in which its header names the type of its numbers.
const HEADER: u64 = 256;

fn damaged(array: &str, what: &dyn std::fmt::Display) -> NpzError {
    NpzError::Damaged { array: array.into(), what: what.to_string() }
}

/// The array `name` from its npy file.
fn parse(name: &str, bytes: &[u8]) -> Result<Shaped, NpzError> {
    let unreadable = |e: &dyn std::fmt::Display| damaged(name, e);
    let file = NpyFile::new(bytes).map_err(|e| unreadable(&e))?;
    let (order, dtype) = (file.order(), file.dtype());
    let shape: Vec<usize> =
        file.shape().iter().map(|&s| usize::try_from(s)).collect::<Result<_, _>>().map_err(|e| unreadable(&e))?;
    let promised = shape.iter().try_fold(1usize, |len, &s| len.checked_mul(s));
    let promised = promised.filter(|&len| len <= bytes.len()).ok_or_else(|| {
        unreadable(&format_args!("shape {shape:?} promises more than the {} bytes there are", bytes.len()))
    })?;

    let wrong_type = || NpzError::NotNumbers { array: name.into(), dtype: dtype.descr() };
    let npyz::DType::Plain(plain) = &dtype else { return Err(wrong_type()) };
    let numbers = match (plain.type_char(), plain.size_field()) {
        (TypeChar::Float, 8) => numbers(file, |v: f64| Some(v)),
        (TypeChar::Float, 4) => numbers(file, |v: f32| Some(v.into())),
        (TypeChar::Int, 1) => numbers(file, |v: i8| Some(v.into())),
        (TypeChar::Int, 2) => numbers(file, |v: i16| Some(v.into())),
        (TypeChar::Int, 4) => numbers(file, |v: i32| Some(v.into())),
        (TypeChar::Int, 8) => numbers(file, |v: i64| exact(v.into())),
        (TypeChar::Uint, 1) => numbers(file, |v: u8| Some(v.into())),
        (TypeChar::Uint, 2) => numbers(file, |v: u16| Some(v.into())),
        (TypeChar::Uint, 4) => numbers(file, |v: u32| Some(v.into())),
        (TypeChar::Uint, 8) => numbers(file, |v: u64| exact(v.into())),
        (TypeChar::Bool, _) => numbers(file, |v: bool| Some(v.into())),
        _ => return Err(wrong_type()),
    }
    .map_err(|e| unreadable(&e))?;
    if numbers.len() != promised {
        return Err(unreadable(&format_args!("{} numbers for shape {shape:?}", numbers.len())));
    }
    let numbers = match (order, shape.as_slice()) {
        (Order::Fortran, &[n, d]) => (0..n * d).map(|at| numbers[(at % d) * n + at / d]).collect(),
        _ => numbers,
    };
    Ok((shape, numbers))
}

/// The integer as a float, unless rounding would change it.
fn exact(v: i128) -> Option<f64> {
    Some(v as f64).filter(|&f| f as i128 == v)
}

fn numbers<T: Deserialize>(file: NpyFile<&[u8]>, convert: impl Fn(T) -> Option<f64>) -> Result<Vec<f64>, String> {
    let convert = |value: io::Result<T>| match value {
        Ok(value) => convert(value).ok_or_else(|| "an integer is too large to be kept exactly".to_string()),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Err("it ends too early".into()),
        Err(e) => Err(e.to_string()),
    };
    file.data::<T>().map_err(|e| e.to_string())?.map(convert).collect()
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
        // no time stamp: the same arrays give the same bytes
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default())
            .large_file(array.shape.iter().product::<usize>() * 8 > u32::MAX as usize);
        archive.start_file(npyz::npz::file_name_from_array_name(array.name), options)?;
        let mut out = BufWriter::new(&mut archive);
        match array.dtype {
            Dtype::F32 => write_npy(&mut out, array.shape, |at| (array.number)(at) as f32)?,
            Dtype::F64 => write_npy(&mut out, array.shape, array.number)?,
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

fn write_npy<T: npyz::AutoSerialize>(
    out: &mut impl Write,
    shape: &[usize],
    number: impl Fn(usize) -> T,
) -> io::Result<()> {
    let len = shape.iter().product();
    let shape: Vec<u64> = shape.iter().map(|s| *s as u64).collect();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(out).begin_nd()?;
    writer.extend((0..len).map(number))?;
    writer.finish()
}

/// Opens `path` as an npz archive.
///
/// # Errors
/// [`Error::Io`], [`Error::Npz`].
pub fn open(path: &Path) -> Result<Npz, Error> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    Npz::new(file).map_err(|fault| Error::Npz { path: path.into(), fault })
}
