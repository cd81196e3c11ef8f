//! The idx format of MNIST and Fashion-MNIST: a big-endian header, then unsigned bytes; packed with gzip or not.
//!
//! images: magic 0x00000803, n, rows, columns, then n * rows * columns pixels. labels: magic 0x00000801, n, then n labels.

use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::error::Error;
use super::format::{Content, Opened, Reading};
use super::raw::{Raw, Stored, Values, Y, room};
use super::spec::Split;
use crate::files::look;
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

/// The files of `split` in `dir`; without one the training set, else the test set (t10k). `name` is the data set's, for
/// messages.
///
/// A set of which only one file is there is an error rather than a reason to take the other set.
pub(super) fn locate(dir: &Path, split: Option<Split>, name: &str) -> Result<IdxFiles, Error> {
    let here = dir.display();
    let advice = format!(
        "fetch the files with `ntkscope data fetch {name} --data-dir {here}`, or give another directory with `data-dir = DIR`"
    );
    match fs::metadata(dir) {
        Ok(found) if found.is_dir() => {}
        Err(reason) if reason.kind() == io::ErrorKind::PermissionDenied => return Err(refused(dir)(reason)),
        _ => return Err(Error::NotFound { path: dir.into(), what: "directory".into(), advice }),
    }
    // a directory that may not be looked into is not one without files
    fs::read_dir(dir).map_err(refused(dir))?;
    let splits = split.map_or(vec![Split::Train, Split::T10k], |split| vec![split]);
    for set in &splits {
        let (images, labels) = (find(dir, *set, "images", 3)?, find(dir, *set, "labels", 1)?);
        match (images, labels) {
            (Some(images), Some(labels)) => return Ok(IdxFiles { images, labels }),
            (None, None) => {}
            (there, _) => {
                let absent = if there.is_none() { "images-idx3-ubyte" } else { "labels-idx1-ubyte" };
                let path = dir.join(format!("{set}-{absent}[.gz]"));
                return Err(Error::NotFound {
                    path,
                    what: "file, although the set's other file is there".into(),
                    advice,
                });
            }
        }
    }
    let [first, others @ ..] = &splits[..] else { unreachable!("a split was given or both are tried") };
    let or = others.iter().map(|split| format!(", or {split}-…")).collect::<String>();
    let what =
        format!("idx files in this directory ({first}-images-idx3-ubyte[.gz] and {first}-labels-idx1-ubyte[.gz]{or})");
    Err(Error::NotFound { path: dir.into(), what, advice })
}

/// The file under any of its spellings; unpacked before packed.
fn find(dir: &Path, set: Split, kind: &str, dims: u32) -> Result<Option<PathBuf>, Error> {
    let spelt = |packed, dash| dir.join(format!("{set}-{kind}{dash}idx{dims}-ubyte{packed}"));
    for path in ["", ".gz"].into_iter().flat_map(|packed| ["-", "."].map(|dash| spelt(packed, dash))) {
        if look(&path)?.is_some() {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Opens both files.
pub(super) fn open_both(files: &IdxFiles) -> Result<[Opened; 2], Error> {
    Ok([Opened::file(&files.images)?, Opened::file(&files.labels)?])
}

/// Reads the labels, and the header of the images; pixels stay in their file.
pub(super) fn read([mut images, mut labels]: [Opened; 2], reading: &Reading<'_>) -> Result<Raw, Error> {
    let [n, rows, columns] = Idx::<3>::begin(&mut images, IMAGES_MAGIC, "images")?.dims;
    let labels_path = labels.path.clone();
    let labels = Idx::<1>::begin(&mut labels, LABELS_MAGIC, "labels")?;
    let [labels_n] = labels.dims;
    if n != labels_n {
        let what = format!("{n} images, but {labels_n} labels in {}", labels_path.display());
        return Err(Error::Images { path: images.path, what });
    }
    // with what the selection of classes takes
    reading.budget.draw("labels", 40 * n as u64)?;
    let mut y = Vec::new();
    labels.visit(|bytes| y.extend(bytes.iter().map(|&label| f64::from(label))))?;
    let place = super::file_name(&images.path);
    Ok(Raw::new(Values::Stored(Box::new(Images(images))), [n, rows * columns], Some(Y::labels(y)), place))
}

/// The pixels 0..=255 of a file, used as value / 255.
struct Images(Opened);

impl Stored for Images {
    fn rows(&mut self, rows: &[usize], budget: &Budget) -> Result<Vec<f64>, Error> {
        let images = Idx::<3>::begin(&mut self.0, IMAGES_MAGIC, "images")?;
        let d = images.dims[1] * images.dims[2];
        let mut x = room("images", rows.len(), d, budget)?;
        let (mut wanted, mut at) = (rows.iter().map(|row| row * d..(row + 1) * d).peekable(), 0);
        images.visit(|bytes| {
            let seen = at..at + bytes.len();
            while let Some(row) = wanted.peek() {
                let part = row.start.max(seen.start)..row.end.min(seen.end);
                if !part.is_empty() {
                    x.extend(bytes[part.start - at..part.end - at].iter().map(|&b| f64::from(b) / 255.0));
                }
                if row.end > seen.end {
                    break;
                }
                wanted.next();
            }
            at = seen.end;
        })?;
        Ok(x)
    }
}

/// One idx file with D dimensions, of which the header was read.
struct Idx<'a, const D: usize> {
    path: &'a Path,
    meaning: &'static str,
    dims: [usize; D],
    reader: Box<dyn Read + 'a>,
}

impl<'a, const D: usize> Idx<'a, D> {
    /// Reads the header, from the beginning.
    fn begin(opened: &'a mut Opened, magic: u32, meaning: &'static str) -> Result<Self, Error> {
        let Opened { content, bytes, path } = opened;
        let path: &'a Path = path;
        let damaged = |what: String| Error::Images { path: path.into(), what };
        let (mut reader, most) = unpacked(content, *bytes).map_err(refused(path))?;
        let mut word = |what: &str| -> Result<u32, Error> {
            let mut bytes = [0; 4];
            reader
                .read_exact(&mut bytes)
                .map_err(|e| unreadable(path, e, |reason| format!("cannot read the header ({what}): {reason}")))?;
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
            return Err(damaged(format!("the header declares no data: dimensions {dims:?}")));
        }
        let len = dims.iter().try_fold(1usize, |len, &dim| len.checked_mul(dim));
        if len.is_none_or(|len| len as u64 > most) {
            let what = format!("is truncated: its header declares more than it can hold, dimensions {dims:?}");
            return Err(damaged(what));
        }
        Ok(Self { path, meaning, dims, reader })
    }

    /// Shows all bytes after the header, in parts. One byte more than promised shows a file that is too long; reading on
    /// to the end also checks gzip's own checksum.
    fn visit(mut self, mut visit: impl FnMut(&[u8])) -> Result<(), Error> {
        let damaged = |what: String| Error::Images { path: self.path.into(), what };
        let (len, meaning) = (self.dims.iter().product::<usize>(), self.meaning);
        let (mut done, mut buffer) = (0, vec![0; 1 << 16]);
        loop {
            let count = buffer.len().min(len - done + 1);
            let read = match self.reader.read(&mut buffer[..count]) {
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => {
                    let what = |reason| format!("{reason} after {done} of {len} bytes of {meaning}");
                    return Err(unreadable(self.path, e, what));
                }
            };
            match (read, done + read) {
                (0, _) if done == len => return Ok(()),
                (0, _) => {
                    return Err(damaged(format!(
                        "the file ends after {done} of the {len} declared bytes of {meaning}"
                    )));
                }
                (_, more) if more > len => {
                    return Err(damaged(format!("the file continues after the {len} declared bytes of {meaning}")));
                }
                (_, more) => done = more,
            }
            visit(&buffer[..read]);
        }
    }
}

/// Most bytes that one packed byte can stand for (deflate).
const RATIO: u64 = 1032;

/// The unpacked content from its beginning, and how long it can be. Whether it is packed is told by its first bytes, not
/// by its name.
pub(super) fn unpacked<'a>(content: &'a mut dyn Content, bytes: u64) -> io::Result<(Box<dyn Read + 'a>, u64)> {
    content.rewind()?;
    let mut first = [0; 2];
    let packed = match content.read_exact(&mut first) {
        Ok(()) => first == [0x1f, 0x8b],
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => false,
        Err(e) => return Err(e),
    };
    content.rewind()?;
    let content = BufReader::with_capacity(1 << 16, content);
    Ok(if packed {
        (Box::new(MultiGzDecoder::new(content)), bytes.saturating_mul(RATIO))
    } else {
        (Box::new(content), bytes)
    })
}

pub(super) fn refused(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |reason| Error::Io { path: path.into(), action: "read", advice: "check `data-dir`", reason }
}

/// A reader's error: the system's, or that of what unpacks, which has no number of the system's.
fn unreadable(path: &Path, error: io::Error, what: impl FnOnce(String) -> String) -> Error {
    match error.raw_os_error() {
        Some(_) => refused(path)(error),
        None => Error::Images { path: path.into(), what: what(reason(&error)) },
    }
}

/// What the reader's error means to the user.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file or its gzip stream is truncated".into(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => format!("the gzip stream is damaged ({error})"),
        _ => error.to_string(),
    }
}
