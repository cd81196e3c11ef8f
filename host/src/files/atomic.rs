//! Files that are either the old one or the new one, never half of each.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::Error;

/// Writes `bytes` to `path`: first to a temporary file beside it, flushed to the disk, then renamed.
///
/// # Errors
/// [`Error::Io`].
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let written = Unfinished::create(path).and_then(|(unfinished, mut file)| {
        file.write_all(bytes)?;
        unfinished.commit(&file)
    });
    written.map_err(Error::io("write", path))
}

/// The name of a file that is still being written under a temporary one. Dropped, it takes the file with it.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
    temporary: PathBuf,
    committed: bool,
}

impl Unfinished {
    /// A new file beside `path`, to write and to read.
    ///
    /// # Errors
    /// `path` names no file; the operating system refuses.
    pub fn create(path: &Path) -> io::Result<(Self, File)> {
        let name = path.file_name().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "not the name of a file"))?;
        let temporary = path.with_file_name(temporary_name(name.to_owned()));
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&temporary)?;
        Ok((Self { path: path.into(), temporary, committed: false }, file))
    }
    /// The path that the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Flushes the file to the disk and gives it its name.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn commit(mut self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.committed {
            // The error to report is the one that led here, whether or not this succeeds.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// A new file on the disk of `directory` that has no name, so that nothing of it stays however the process ends.
///
/// # Errors
/// Those of the operating system.
pub fn nameless_file(directory: &Path) -> io::Result<File> {
    let path = directory.join(temporary_name("ntkscope".into()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// `.NAME.PID.tmp`
fn temporary_name(name: OsString) -> OsString {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    temporary
}
