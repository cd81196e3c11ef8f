//! Samples from npy files: inputs x (n, d), and y (n) or (n, C) in a file beside it whose name has a y for the x, if one
//! is there.

use std::io::{BufReader, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::format::{Content, Opened, Reading};
use super::npz_file::{Named, gather, inputs, labels};
use super::raw::{Raw, Stored, Values};
use crate::files::look;
use crate::files::npy::Npy;
use crate::machine::Budget;

/// Reads the labels, and the header of the inputs.
pub(super) fn read(Opened { mut content, bytes, path }: Opened, reading: &Reading<'_>) -> Result<Raw, Error> {
    let named = Named { path: &path, array: "" };
    let npy = Npy::new(BufReader::new(&mut content), bytes).map_err(|fault| named.fault(fault))?;
    let (n, d) = inputs(npy.shape()).map_err(|what| named.error(what))?;
    drop(npy);
    let y = match labels_of(&path) {
        Some(beside) => {
            let Opened { content, bytes, path } = Opened::file(&beside)?;
            let named = Named { path: &path, array: "" };
            let npy = Npy::new(BufReader::new(content), bytes).map_err(|fault| named.fault(fault))?;
            Some(labels(npy, n, named, reading.budget)?)
        }
        None => None,
    };
    let place = super::file_name(&path);
    let values = Values::Stored(Box::new(Rows { content, bytes, path, d }));
    Ok(Raw::new(values, [n, d], y, place))
}

/// The file of the labels that is read with this one, if one is there.
pub(super) fn labels_of(path: &Path) -> Option<PathBuf> {
    let is_npy = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"));
    // what may not be looked at is told when it is opened, rather than taken for absent
    beside(path).filter(|beside| is_npy && !matches!(look(beside), Ok(None)))
}

/// The file of the labels: `y.npy` for `x.npy`, `y_train.npy` for `x_train.npy`, `train-Y.npy` for `train-X.npy`.
fn beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let (stem, ending) = name.rsplit_once('.')?;
    let word = |c: char| c.is_ascii_alphanumeric();
    let at = stem.char_indices().find_map(|(at, c)| {
        let alone = !stem[..at].ends_with(word) && !stem[at + c.len_utf8()..].starts_with(word);
        (matches!(c, 'x' | 'X') && alone).then_some(at)
    })?;
    let y = if stem[at..].starts_with('x') { "y" } else { "Y" };
    Some(path.with_file_name(format!("{}{y}{}.{ending}", &stem[..at], &stem[at + 1..])))
}

/// The inputs of a file.
struct Rows {
    content: Box<dyn Content>,
    bytes: u64,
    path: PathBuf,
    d: usize,
}

impl Stored for Rows {
    fn rows(&mut self, rows: &[usize], budget: &Budget) -> Result<Vec<f64>, Error> {
        let named = Named { path: &self.path, array: "" };
        self.content.seek(SeekFrom::Start(0)).map_err(Error::unreadable(&self.path))?;
        let npy = Npy::new(BufReader::new(&mut self.content), self.bytes).map_err(|fault| named.fault(fault))?;
        gather(npy, rows, self.d, named, budget)
    }
}

#[cfg(test)]
mod tests {
    use super::beside;
    use std::path::Path;

    #[test]
    fn labels_have_the_name_with_a_y() {
        for (x, y) in
            [("a/x.npy", "a/y.npy"), ("X.NPY", "Y.NPY"), ("x_train.npy", "y_train.npy"), ("é-x.npy", "é-y.npy")]
        {
            assert_eq!(beside(Path::new(x)).as_deref(), Some(Path::new(y)));
        }
        for none in ["max.npy", "xs.npy", "data.npy", "x2.npy"] {
            assert_eq!(beside(Path::new(none)), None);
        }
    }
}
