//! The idx format of MNIST and Fashion-MNIST: a big-endian header, then unsigned bytes; packed with gzip or not.
//!
//! images: magic 0x00000803, n, rows, columns, then n * rows * columns pixels. labels: magic 0x00000801, n, then n labels.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::error::Error;
use super::raw::{Raw, Values, Y};
use crate::machine::Budget;

const IMAGES_MAGIC: u32 = 0x0803;
const LABELS_MAGIC: u32 = 0x0801;

/// The two files of one set of samples.
pub(super) struct IdxFiles {
    images: PathBuf,
    labels: PathBuf,
}

impl IdxFiles {
    /// Images and labels.
    pub(super) fn paths(self) -> [PathBuf; 2] {
        [self.images, self.labels]
    }
}

/// The training set in `dir`, else the test set (t10k); `name` is the data set's, for messages.
///
/// A set of which only one file is there is an error rather than a reason to take the other set.
pub(super) fn locate(dir: &Path, name: &str) -> Result<IdxFiles, Error> {
    let advice = format!("fetch them with `ntkscope data fetch {name}`, or name the directory with `data-dir = DIR`");
    if !dir.is_dir() {
        return Err(Error::NotFound { path: dir.into(), what: "directory".into(), advice });
    }
    // a directory that may not be looked into is not one without files
    std::fs::read_dir(dir).map_err(refused(dir))?;
    for set in ["train", "t10k"] {
        let (images, labels) = (find(dir, set, "images", 3), find(dir, set, "labels", 1));
        match (images, labels) {
            (Some(images), Some(labels)) => return Ok(IdxFiles { images, labels }),
            (None, None) => {}
            (there, _) => {
                let absent = if there.is_none() { "images-idx3-ubyte" } else { "labels-idx1-ubyte" };
                let path = dir.join(format!("{set}-{absent}[.gz]"));
                return Err(Error::NotFound {
                    path,
                    what: "file, though the set's other file is there".into(),
                    advice,
                });
            }
        }
    }
    let what =
        "idx files in this directory (train-images-idx3-ubyte[.gz] and train-labels-idx1-ubyte[.gz], or t10k-…)".into();
    Err(Error::NotFound { path: dir.into(), what, advice })
}

/// The file under any of its spellings; unpacked before packed.
fn find(dir: &Path, set: &str, kind: &str, dims: u32) -> Option<PathBuf> {
    ["", ".gz"]
        .iter()
        .flat_map(|packed| ["-", "."].map(|dash| dir.join(format!("{set}-{kind}{dash}idx{dims}-ubyte{packed}"))))
        .find(|path| path.is_file())
}

/// Reads both files; pixels stay bytes.
pub(super) fn read(files: &IdxFiles, budget: &Budget) -> Result<Raw, Error> {
    let ([n, rows, columns], pixels) = read_one::<3>(&files.images, IMAGES_MAGIC, "images", budget)?;
    let ([labels_n], labels) = read_one::<1>(&files.labels, LABELS_MAGIC, "labels", budget)?;
    if n != labels_n {
        let what = format!("{n} images, but {labels_n} labels in {}", files.labels.display());
        return Err(Error::Idx { path: files.images.clone(), what });
    }
    let place = files.images.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let y = labels.iter().map(|&label| f64::from(label)).collect();
    Ok(Raw { values: Values::Pixels(pixels), n, d: rows * columns, y: Some(Y::labels(y)), place })
}

/// The dimensions and the bytes of one idx file with D dimensions.
fn read_one<const D: usize>(
    path: &Path,
    magic: u32,
    meaning: &str,
    budget: &Budget,
) -> Result<([usize; D], Vec<u8>), Error> {
    let damaged = |what: String| Error::Idx { path: path.into(), what };
    let mut reader = open(path)?;

    let mut word = |what: &str| -> Result<u32, Error> {
        let mut bytes = [0; 4];
        reader.read_exact(&mut bytes).map_err(|e| damaged(format!("cannot read the {what}: {}", reason(&e))))?;
        Ok(u32::from_be_bytes(bytes))
    };
    let found = word("magic number")?;
    if found != magic {
        return Err(damaged(format!("magic number {found:#010x}, but idx {meaning} begin with {magic:#010x}")));
    }
    let mut dims = [0; D];
    for (k, dim) in dims.iter_mut().enumerate() {
        *dim = word(&format!("dimension {}", k + 1))? as usize;
    }
    if dims.contains(&0) {
        return Err(damaged(format!("the header promises no data: dimensions {dims:?}")));
    }
    let len = dims
        .iter()
        .try_fold(1usize, |len, &dim| len.checked_mul(dim))
        .filter(|&len| len < isize::MAX as usize)
        .ok_or_else(|| damaged(format!("the header promises more than can be held: dimensions {dims:?}")))?;

    budget.draw(meaning, len as u64)?;
    // One byte more than promised shows a file that is too long; reading on to the end also checks gzip's own checksum.
    let mut data = Vec::new();
    let read = reader.take(len as u64 + 1).read_to_end(&mut data);
    if let Err(e) = read {
        return Err(damaged(format!("{} after {} of {len} bytes of {meaning}", reason(&e), data.len())));
    }
    if data.len() < len {
        return Err(damaged(format!("file ends after {} of the {len} bytes of {meaning} it promises", data.len())));
    }
    if data.len() > len {
        return Err(damaged(format!("file goes on after the {len} bytes of {meaning} it promises")));
    }
    Ok((dims, data))
}

/// The unpacked content. Whether it is packed is told by its first bytes, not by its name.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    let mut file = File::open(path).map_err(refused(path))?;
    let mut first = [0; 2];
    let packed = match file.read_exact(&mut first) {
        Ok(()) => first == [0x1f, 0x8b],
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => false,
        Err(e) => return Err(refused(path)(e)),
    };
    file.rewind().map_err(refused(path))?;
    let file = BufReader::with_capacity(1 << 16, file);
    Ok(if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |reason| Error::Io { path: path.into(), action: "read", advice: "check `data-dir`", reason }
}

/// What the reader's error means to the user.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file, or its gzip stream, ends too early".into(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => format!("the gzip stream is damaged ({error})"),
        _ => error.to_string(),
    }
}
