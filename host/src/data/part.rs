//! What has come of a download: NAME.part, which nobody else's file is taken for.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::files::name_of;

/// NAME.part beside NAME, open for writing and locked, so that two downloads do not write into one file.
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

impl Part {
    /// Opens it, or makes it. What has its name and is no regular file, such as a link, is not touched.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let part = PathBuf::from(format!("{}.part", path.display()));
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let file = match fs::symlink_metadata(&part) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => options.create_new(true).open(&part),
            Err(e) => Err(e),
            Ok(there) if !there.is_file() => return Err(Self::refuse(&part, name_of(there.file_type()))),
            Ok(there) => match options.open(&part) {
                Ok(file) if same(&there, &file) => Ok(file),
                Ok(_) => return Err(Self::refuse(&part, "no longer the file it was a moment ago")),
                Err(e) => Err(e),
            },
        };
        let file = file.map_err(refused(&part, "write"))?;
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => Err(Self::refuse(&part, "being written by another download")),
            // where there are no locks the work goes on without
            Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(Self { path: part, file }),
        }
    }

    /// Bytes that came before.
    pub(super) fn kept(&self) -> Result<u64, Error> {
        Ok(self.file.metadata().map_err(refused(&self.path, "read"))?.len())
    }

    /// Removes it, where nothing has come, so that a failure leaves nothing new.
    pub(super) fn remove_if_empty(&self) {
        if self.file.metadata().is_ok_and(|there| there.len() == 0) {
            let _ = fs::remove_file(&self.path);
        }
    }

    fn refuse(path: &Path, what: &'static str) -> Error {
        Error::Part { path: path.into(), what }
    }
}

/// Whether an open file is the one that was looked at.
fn same(there: &fs::Metadata, file: &File) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        file.metadata().is_ok_and(|opened| (opened.dev(), opened.ino()) == (there.dev(), there.ino()))
    }
    #[cfg(not(unix))]
    {
        file.metadata().is_ok_and(|opened| opened.len() == there.len())
    }
}

/// For `map_err`: the system refused to do `action` to `path`.
pub(super) fn refused<'a>(path: &'a Path, action: &'static str) -> impl Fn(io::Error) -> Error + 'a {
    move |reason| Error::Io { path: path.into(), action, advice: "give another directory with `data-dir`", reason }
}
