//! Reading and writing npz archives: named arrays of real numbers.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Cursor, Read, Seek, Write};
use std::path::Path;

use npyz::{Deserialize, NpyFile, Order, TypeChar, WriterBuilder};
use zip::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};

/// An npz archive open for reading. Error messages say what is wrong with which array, without the file's name.
pub struct Npz(ZipArchive<BufReader<File>>);

impl Npz {
    /// The archive in an open file.
    pub fn new(file: File) -> Result<Self, String> {
        ZipArchive::new(BufReader::new(file)).map(Self).map_err(|e| format!("not readable as an npz archive: {e}"))
    }

    /// Names of the arrays.
    pub fn names(&self) -> Vec<String> {
        let array_name = |file: &str| npyz::npz::array_name_from_file_name(file).unwrap_or(file).to_string();
        self.0.file_names().flatten().map(|file| array_name(&file)).collect()
    }

    /// Shape and numbers, in C order, of the array `name`.
    pub fn array(&mut self, name: &str) -> Result<(Vec<usize>, Vec<f64>), String> {
        let names = self.names();
        if !names.iter().any(|n| n == name) {
            let present = if names.is_empty() { "it is empty".into() } else { format!("it has {}", names.join(", ")) };
            return Err(format!("no array `{name}`; {present}"));
        }
        let unreadable = |e: &dyn std::fmt::Display| format!("array `{name}` is damaged: {e}");
        let mut entry = self.0.by_name(&npyz::npz::file_name_from_array_name(name)).map_err(|e| unreadable(&e))?;
        // To the end, so that the archive's own checksum is compared before anything is believed.
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|e| unreadable(&e))?;
        drop(entry);
        parse(name, &bytes)
    }
}

/// Shape and numbers, in C order, of the npy file `bytes`.
fn parse(name: &str, bytes: &[u8]) -> Result<(Vec<usize>, Vec<f64>), String> {
    let unreadable = |e: &dyn std::fmt::Display| format!("array `{name}` is damaged: {e}");
    let file = NpyFile::new(bytes).map_err(|e| unreadable(&e))?;
    let (order, dtype) = (file.order(), file.dtype());
    let shape: Vec<usize> =
        file.shape().iter().map(|&s| usize::try_from(s)).collect::<Result<_, _>>().map_err(|e| unreadable(&e))?;
    let promised = shape.iter().try_fold(1usize, |len, &s| len.checked_mul(s));
    let promised = promised.filter(|&len| len <= bytes.len()).ok_or_else(|| {
        format!("array `{name}` is damaged: shape {shape:?} promises more than the {} bytes there are", bytes.len())
    })?;

    let wrong_type = || format!("array `{name}` has dtype {}, but real numbers or integers are needed", dtype.descr());
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
        return Err(format!("array `{name}` is damaged: {} numbers for shape {shape:?}", numbers.len()));
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

/// One array to write: numbers in C order, f32 where that is what was computed.
pub struct Array<'a> {
    /// name without `.npy`
    pub name: String,
    /// shape
    pub shape: Vec<usize>,
    /// the numbers
    pub data: Data<'a>,
}

/// Numbers of an array.
pub enum Data<'a> {
    /// single precision
    F32(&'a [f32]),
    /// double precision
    F64(&'a [f64]),
}

/// The bytes of an npz archive of these arrays, stored without compression as numpy's `savez` does.
pub fn write(arrays: &[Array<'_>]) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for array in arrays {
        // no time stamp: the same arrays give the same bytes
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default())
            .large_file(array.shape.iter().product::<usize>() * 8 > u32::MAX as usize);
        archive.start_file(npyz::npz::file_name_from_array_name(&array.name), options)?;
        match array.data {
            Data::F32(data) => write_npy(&mut archive, &array.shape, data)?,
            Data::F64(data) => write_npy(&mut archive, &array.shape, data)?,
        }
    }
    Ok(archive.finish()?.into_inner())
}

fn write_npy<T, W>(archive: &mut ZipWriter<W>, shape: &[usize], data: &[T]) -> io::Result<()>
where
    T: npyz::AutoSerialize + Copy,
    W: Write + Seek,
{
    let shape: Vec<u64> = shape.iter().map(|s| *s as u64).collect();
    let mut out = BufWriter::new(archive);
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut out).begin_nd()?;
    writer.extend(data.iter().copied())?;
    writer.finish()?;
    out.flush()
}

/// Opens `path` as an npz archive; messages name the file.
pub fn open(path: &Path) -> Result<Npz, String> {
    let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Npz::new(file).map_err(|e| format!("{}: {e}", path.display()))
}
