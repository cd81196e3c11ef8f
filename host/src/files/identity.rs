//! Whether two paths are one file, compared as files and not as text.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// A file, whether or not it is there yet; equal for every path to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identity {
    /// device and number of one that is there
    There(Place),
    /// the directory in which it will be, and its name
    New(Place, OsString),
}

/// Device and number where the system has those, else the path in full.
#[cfg(unix)]
pub(super) type Place = (u64, u64);
#[cfg(not(unix))]
pub(super) type Place = PathBuf;

#[cfg(unix)]
fn place(_: &Path, found: &Metadata) -> Option<Place> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn place(path: &Path, _: &Metadata) -> Option<Place> {
    fs::canonicalize(path).ok()
}

impl Identity {
    /// That of the file which is read or written at `path`; `None` where there can be none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        if let Ok(found) = fs::metadata(path) {
            return place(path, &found).map(Self::There);
        }
        let path = follow(path).ok()?;
        let directory = parent(&path);
        Some(Self::New(place(directory, &fs::metadata(directory).ok()?)?, path.file_name()?.into()))
    }
}

/// The directory in which `path` is.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What `path` links to in the end, which need not be there.
///
/// # Errors
/// Those of the operating system; links that go round in a circle.
pub(super) fn follow(path: &Path) -> io::Result<PathBuf> {
    const LINKS: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => path = parent(&path).join(fs::read_link(&path)?),
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => return Ok(path),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "its symbolic links form a loop"))
}

/// Whether both are of one file.
#[cfg(unix)]
pub(super) fn same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
pub(super) fn same(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Whether the name `path` is that of this open file or directory, and no link to it.
pub(super) fn is_at(handle: &File, path: &Path) -> bool {
    let (open, named) = (handle.metadata(), fs::symlink_metadata(path));
    matches!((open, named), (Ok(open), Ok(named)) if same(&open, &named))
}
