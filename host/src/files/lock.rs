//! Whose a directory is, for as long as somebody works in it.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use super::identity::is_at;

/// Name of the file that is locked where the system locks no directories. It is there only while it is locked.
const LOCK_FILE: &str = ".ntkscope-lock";

/// A directory that nobody else works in until this is dropped or the process ends.
#[derive(Debug)]
pub struct DirectoryLock {
    /// what is locked; the system frees it when this is closed
    _handle: File,
    lock_file: Option<PathBuf>,
}

impl DirectoryLock {
    /// Makes the directory where it is missing, and locks it.
    ///
    /// # Errors
    /// [`Error::InUse`] where another process, or another part of this one, has it; [`Error::Io`].
    pub fn create(path: &Path) -> Result<Self, Error> {
        loop {
            fs::create_dir_all(path).map_err(Error::io("create", path))?;
            match Self::take(path) {
                Ok(Some(lock)) => return Ok(lock),
                // whoever had it has removed it
                Ok(None) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(Error::InUse { path: path.into() }),
                Err(e) => return Err(Error::io("lock", path)(e)),
            }
        }
    }

    fn take(path: &Path) -> io::Result<Option<Self>> {
        // the directory itself, behind links
        let real = fs::canonicalize(path)?;
        if let Ok(handle) = File::open(&real) {
            match handle.try_lock() {
                Ok(()) => return Ok(is_at(&handle, &real).then_some(Self { _handle: handle, lock_file: None })),
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
                // a network file system may lock files only
                Err(TryLockError::Error(_)) => {}
            }
        }
        let lock_file = real.join(LOCK_FILE);
        let handle = open_lock_file(&lock_file)?;
        match handle.try_lock() {
            Ok(()) if is_at(&handle, &lock_file) => Ok(Some(Self { _handle: handle, lock_file: Some(lock_file) })),
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(e)) => {
                let _ = fs::remove_file(&lock_file);
                Err(e)
            }
        }
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // removed while it is locked: who has it open already finds that it is no longer the file of this name
        if let Some(path) = &self.lock_file {
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether a file of this name is a lock.
pub(super) fn is_lock(name: &OsStr) -> bool {
    name == LOCK_FILE
}

#[cfg(target_os = "linux")]
fn open_lock_file(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(open(path, flags, Mode::from_raw_mode(0o666))?.into())
}

#[cfg(not(target_os = "linux"))]
fn open_lock_file(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_no_trace() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        let first = DirectoryLock::create(&path).unwrap();
        assert!(matches!(DirectoryLock::create(&path), Err(Error::InUse { .. })));
        assert!(matches!(DirectoryLock::create(&place.path().join("a/../a/b")), Err(Error::InUse { .. })));
        drop(first);
        drop(DirectoryLock::create(&path).unwrap());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }
}
