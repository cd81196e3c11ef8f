//! Whose a directory or a file is, for as long as somebody works in it.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use super::identity::is_at;
use super::sweep::spare;

/// Name of the file that is locked where the system locks no directories, or those of one machine only. It goes with
/// the last who has the directory alone.
const LOCK_FILE: &str = ".ntkscope-lock";

/// Who else may work in a directory meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// nobody
    Alone,
    /// others that share it too: each writes files of its own, and none has it alone
    Shared,
}

/// A directory that others work in only as the [`Access`] has it, until this is dropped or the process ends.
#[derive(Debug)]
pub struct DirectoryLock {
    /// the directory, where the system locks one; it frees what is locked when this is closed
    _directory: Option<File>,
    _file: Option<LockFile>,
}

/// A file that one process alone writes, until this is dropped or the process ends.
#[derive(Debug)]
pub struct FileLock {
    /// none where the file system has no locks
    _file: Option<LockFile>,
}

impl FileLock {
    /// Locks `NAME.lock` in its place, since the file itself is replaced whenever it is written.
    ///
    /// # Errors
    /// [`Error::InUse`] where another process, or another part of this one, has it; [`Error::Io`].
    pub fn of(path: &Path) -> Result<Self, Error> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        loop {
            match LockFile::take(PathBuf::from(&name), Access::Alone) {
                Ok(file) if file.is_there() => return Ok(Self { _file: Some(file) }),
                // whoever had it has removed it
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Unsupported => return Ok(Self { _file: None }),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(Error::InUse { path: path.into() }),
                Err(e) => return Err(Error::io("lock", path)(e)),
            }
        }
    }
}

/// A file that is locked in place of its directory, or of another file.
#[derive(Debug)]
struct LockFile {
    handle: File,
    path: PathBuf,
    access: Access,
}

impl DirectoryLock {
    /// Makes the directory where it is missing, and locks it against everybody else on this machine.
    ///
    /// # Errors
    /// [`Error::InUse`] where another process, or another part of this one, has it; [`Error::Io`].
    pub fn create(path: &Path) -> Result<Self, Error> {
        Self::lock(path, |real| {
            let Some(directory) = lock_directory(real, Access::Alone)? else { return Ok(None) };
            // a network file system may lock files only
            let file =
                if directory.is_none() { Some(LockFile::take(real.join(LOCK_FILE), Access::Alone)?) } else { None };
            Ok(file.as_ref().is_none_or(LockFile::is_there).then_some(Self { _directory: directory, _file: file }))
        })
    }

    /// The same for a directory that several machines may work in: a file in it is locked too, since network file systems
    /// lock directories for one machine only, if at all. Where a file system has no locks whatever, the directory is anybody's:
    /// what is written there must be whole at every moment in any case.
    ///
    /// One that is shared is never swept: only its own machine can tell whether a process lives.
    ///
    /// # Errors
    /// [`Error::InUse`] where another process has it in a way that leaves no room for this one; [`Error::Io`].
    pub fn of_grid(path: &Path, access: Access) -> Result<Self, Error> {
        let lock = Self::lock(path, |real| {
            let Some(directory) = lock_directory(real, access)? else { return Ok(None) };
            let file = match LockFile::take(real.join(LOCK_FILE), access) {
                Ok(file) => Some(file),
                Err(e) if e.kind() == io::ErrorKind::Unsupported => None,
                Err(e) => return Err(e),
            };
            Ok(file.as_ref().is_none_or(LockFile::is_there).then_some(Self { _directory: directory, _file: file }))
        })?;
        if access == Access::Shared {
            spare(path);
        }
        Ok(lock)
    }

    fn lock(path: &Path, take: impl Fn(&Path) -> io::Result<Option<Self>>) -> Result<Self, Error> {
        loop {
            fs::create_dir_all(path).map_err(Error::io("create", path))?;
            // the directory itself, behind links
            match fs::canonicalize(path).and_then(|real| take(&real)) {
                Ok(Some(lock)) => return Ok(lock),
                // whoever had it has removed it
                Ok(None) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(Error::InUse { path: path.into() }),
                Err(e) => return Err(Error::io("lock", path)(e)),
            }
        }
    }
}

/// The directory, locked, within `Some(None)` where the system cannot lock one; `None` where it has been replaced meanwhile.
fn lock_directory(real: &Path, access: Access) -> io::Result<Option<Option<File>>> {
    let Ok(handle) = File::open(real) else { return Ok(Some(None)) };
    match try_lock(&handle, access) {
        Ok(()) => Ok(is_at(&handle, real).then_some(Some(handle))),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(_)) => Ok(Some(None)),
    }
}

fn try_lock(handle: &File, access: Access) -> Result<(), TryLockError> {
    match access {
        Access::Alone => handle.try_lock(),
        Access::Shared => handle.try_lock_shared(),
    }
}

impl LockFile {
    fn take(path: PathBuf, access: Access) -> io::Result<Self> {
        let handle = open_lock_file(&path)?;
        match try_lock(&handle, access) {
            Ok(()) => Ok(Self { handle, path, access }),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(e)) => {
                let _ = fs::remove_file(&path);
                Err(io::Error::new(io::ErrorKind::Unsupported, e))
            }
        }
    }

    /// Whether the file that is locked still has its name: whoever had it before may have removed it.
    fn is_there(&self) -> bool {
        is_at(&self.handle, &self.path)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Removed while it is locked: who has it open already finds that it is no longer the file of this name. Of several who
        // share it none knows that he is the last.
        if self.access == Access::Alone {
            let _ = fs::remove_file(&self.path);
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

    /// Those who share a directory work side by side; whoever has it alone excludes them, and they exclude him.
    #[test]
    fn a_grid_is_shared_or_one_process_s() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a");
        let lock = |access| DirectoryLock::of_grid(&path, access);
        let in_use = |access| matches!(lock(access), Err(Error::InUse { .. }));
        let (first, second) = (lock(Access::Shared).unwrap(), lock(Access::Shared).unwrap());
        assert!(in_use(Access::Alone) && matches!(DirectoryLock::create(&path), Err(Error::InUse { .. })));
        drop(first);
        assert!(in_use(Access::Alone));
        drop(second);
        let alone = lock(Access::Alone).unwrap();
        assert!(in_use(Access::Alone) && in_use(Access::Shared));
        drop(alone);
        // what a killed process has left locks nobody out
        fs::write(path.join(LOCK_FILE), "").unwrap();
        drop(lock(Access::Alone).unwrap());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[test]
    fn a_file_has_one_writer() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("state.npz");
        let first = FileLock::of(&path).unwrap();
        assert!(matches!(FileLock::of(&path), Err(Error::InUse { .. })));
        drop(FileLock::of(&place.path().join("other.npz")).unwrap());
        drop(first);
        drop(FileLock::of(&path).unwrap());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    /// On another machine, whose system shares no locks of directories, the file alone decides.
    #[test]
    fn the_file_alone_decides_too() {
        let place = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(place.path()).unwrap();
        let shared = LockFile::take(real.join(LOCK_FILE), Access::Shared).unwrap();
        assert!(matches!(DirectoryLock::of_grid(&real, Access::Alone), Err(Error::InUse { .. })));
        drop(DirectoryLock::of_grid(&real, Access::Shared).unwrap());
        assert!(shared.is_there(), "it stays while one has it");
        drop(shared);
        let alone = LockFile::take(real.join(LOCK_FILE), Access::Alone).unwrap();
        assert!(matches!(DirectoryLock::of_grid(&real, Access::Shared), Err(Error::InUse { .. })));
        drop(alone);
        assert_eq!(fs::read_dir(&real).unwrap().count(), 0);
    }
}
