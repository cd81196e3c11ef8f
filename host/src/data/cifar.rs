//! The binary format of CIFAR-10: records of 3073 bytes, a label 0..=9 and then 32 x 32 pixels of red, of green, of blue, row by
//! row; `data_batch_1.bin` to `data_batch_5.bin` are the training set, `test_batch.bin` is the test set.

use std::fs;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::format::{Opened, Reading};
use super::idx;
use super::raw::{Raw, Stored, Values, Y, room};
use super::spec::Split;
use crate::files::look;
use crate::machine::Budget;

/// Pixels of an image.
const PIXELS: usize = 3 * 32 * 32;
/// Bytes of a record.
const RECORD: usize = 1 + PIXELS;
/// The folder that the published archive unpacks to.
pub(super) const FOLDER: &str = "cifar-10-batches-bin";

/// Names of the files of a set.
pub(super) fn names(split: Split) -> Vec<String> {
    match split {
        Split::Train => (1..=5).map(|batch| format!("data_batch_{batch}.bin")).collect(),
        Split::T10k => vec!["test_batch.bin".into()],
    }
}

/// The files of `split` in `dir`, or in the archive's folder there; without one the training set, else the test set.
///
/// A set of which some files are missing is an error rather than a reason to take the other set.
pub(super) fn locate(dir: &Path, split: Option<Split>) -> Result<Vec<PathBuf>, Error> {
    let advice = format!(
        "fetch the files with `ntkscope data fetch cifar-10 --data-dir {}`, or give another directory with `data-dir = DIR`",
        dir.display()
    );
    match fs::read_dir(dir) {
        Ok(_) => {}
        Err(reason) if reason.kind() == io::ErrorKind::PermissionDenied => return Err(idx::refused(dir)(reason)),
        Err(_) => return Err(Error::NotFound { path: dir.into(), what: "directory".into(), advice }),
    }
    let splits = split.map_or(vec![Split::Train, Split::T10k], |split| vec![split]);
    for folder in [dir.join(FOLDER), dir.into()] {
        for set in &splits {
            let paths: Vec<PathBuf> = names(*set).iter().map(|name| folder.join(name)).collect();
            let mut absent = Vec::new();
            for path in &paths {
                if look(path)?.is_none() {
                    absent.push(path.clone());
                }
            }
            if absent.is_empty() {
                return Ok(paths);
            }
            if let (true, Some(path)) = (absent.len() < paths.len(), absent.into_iter().next()) {
                return Err(Error::NotFound {
                    path,
                    what: "file, although others of the set are there".into(),
                    advice,
                });
            }
        }
    }
    let names: Vec<String> = splits.into_iter().flat_map(names).collect();
    let what = format!("files of CIFAR-10 in this directory ({})", names.join(", "));
    Err(Error::NotFound { path: dir.into(), what, advice })
}

/// Opens the files.
pub(super) fn open(paths: &[PathBuf]) -> Result<Vec<Opened>, Error> {
    paths.iter().map(|path| Opened::file(path)).collect()
}

/// Reads the labels; pixels stay in their files.
pub(super) fn read(mut files: Vec<Opened>, reading: &Reading<'_>) -> Result<Raw, Error> {
    let mut y = Vec::new();
    let mut records = Vec::new();
    for file in &mut files {
        let count = file.bytes / RECORD as u64;
        if count == 0 || file.bytes % RECORD as u64 != 0 {
            let what = format!(
                "is truncated or no file of CIFAR-10: {} bytes are no whole number of records of {RECORD}, a label and {PIXELS} pixels each",
                file.bytes
            );
            return Err(Error::Images { path: file.path.clone(), what });
        }
        // with what the selection of classes takes
        reading.budget.draw("labels", count.saturating_mul(40))?;
        records.push(count as usize);
        labels(file, count as usize, &mut y)?;
    }
    let place = files.first().map_or_else(String::new, |file| super::file_name(&file.path));
    let place = if files.len() > 1 { format!("{place} and {} more", files.len() - 1) } else { place };
    let n = y.len();
    Ok(Raw::new(Values::Stored(Box::new(Images { files, records })), [n, PIXELS], Some(Y::labels(y)), place))
}

/// Appends the labels of a file.
fn labels(file: &mut Opened, count: usize, y: &mut Vec<f64>) -> Result<(), Error> {
    let path = file.path.clone();
    file.content.rewind().map_err(idx::refused(&path))?;
    let mut reader = BufReader::with_capacity(1 << 16, &mut file.content);
    for index in 0..count {
        let mut label = [0];
        reader.read_exact(&mut label).map_err(|error| ended(&path, error))?;
        if label[0] > 9 {
            let what = format!("record {} has the label {}, but those of CIFAR-10 are 0 to 9", index + 1, label[0]);
            return Err(Error::Images { path, what });
        }
        y.push(f64::from(label[0]));
        reader.seek_relative(PIXELS as i64).map_err(idx::refused(&path))?;
    }
    Ok(())
}

/// The file is shorter than a moment ago, or cannot be read.
fn ended(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Images { path: path.into(), what: "ends within a record".into() },
        _ => idx::refused(path)(error),
    }
}

/// The pixels 0..=255 of several files one after another, used as value / 255.
struct Images {
    files: Vec<Opened>,
    records: Vec<usize>,
}

impl Stored for Images {
    fn rows(&mut self, rows: &[usize], budget: &Budget) -> Result<Vec<f64>, Error> {
        let mut x = room("images", rows.len(), PIXELS, budget)?;
        let (mut first, mut buffer) = (0, [0; PIXELS]);
        for (file, count) in self.files.iter_mut().zip(&self.records) {
            let path = file.path.clone();
            for row in rows.iter().filter(|row| (first..first + count).contains(*row)) {
                let at = ((row - first) * RECORD + 1) as u64;
                file.content.seek(SeekFrom::Start(at)).map_err(idx::refused(&path))?;
                file.content.read_exact(&mut buffer).map_err(|error| ended(&path, error))?;
                x.extend(buffer.iter().map(|byte| f64::from(*byte) / 255.0));
            }
            first += count;
        }
        Ok(x)
    }
}
