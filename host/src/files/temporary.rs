//! Files under a temporary name until they are whole, or under none where the system can.
//!
//! A temporary name is random and is created new, so that nothing that is there is ever opened. Its file is locked as long
//! as the process lives: a lock, unlike a number of a process, cannot be another's on another machine or in another
//! container, and ends with the process however that ends.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::identity::is_at;
use super::sweep::sweep;

const PREFIX: &str = ".ntkscope-";
const ENDING: &str = ".tmp";
/// Names that are tried; a second one is needed once in 2^64 times, or where somebody plays with us.
const TRIES: usize = 100;

/// Temporary names of this process that are on a disk now. Whoever makes, renames or removes one holds the lock
/// meanwhile, so that the list has them all.
static NAMES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

pub(super) fn names() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For a process that is about to exit while its threads still work: removes all that is under a temporary name. From then
/// on no file gets a name any more, temporary or final.
pub fn abandon() {
    let names = names();
    for path in names.iter() {
        // a thread may still be making a directory in one that is being removed
        let gone = |_: &i32| fs::remove_file(path).or_else(|_| fs::remove_dir_all(path)).is_ok();
        (0..10).any(|time| gone(&time));
    }
    std::mem::forget(names);
}

/// `.ntkscope-0123456789abcdef.tmp` of random digits: short, whatever the final name.
fn random_name() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("{PREFIX}{random:016x}{ENDING}")
}

/// Whether this is a temporary name of this program.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    let digits = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(ENDING));
    digits.is_some_and(|d| d.len() == 16 && d.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// A free temporary name in `directory`, at which `make` has made something.
pub(super) fn at_random_name<T>(
    directory: &Path,
    mut make: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    for _ in 0..TRIES {
        let path = directory.join(random_name());
        match make(&path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|made| (path, made)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Locks what was just made at `path`. A process that sweeps may have taken it for a leftover before that, which is told
/// as if the name had been there already.
pub(super) fn hold(handle: &File, path: &Path) -> io::Result<()> {
    let swept = matches!(handle.try_lock(), Err(TryLockError::WouldBlock)) || !is_at(handle, path);
    if swept { Err(ErrorKind::AlreadyExists.into()) } else { Ok(()) }
}

/// The temporary name of a file, if it has one. Dropped, it takes the file with it.
#[derive(Debug)]
pub(super) struct Temporary {
    directory: PathBuf,
    name: Option<PathBuf>,
}

impl Temporary {
    /// A new file on the disk of `directory`, to write and to read.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(super) fn create(directory: &Path) -> io::Result<(Self, File)> {
        sweep(directory);
        match nameless(directory) {
            Some(file) => Ok((Self { directory: directory.into(), name: None }, file)),
            None => Self::named(directory),
        }
    }

    /// The same under a name.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(super) fn named(directory: &Path) -> io::Result<(Self, File)> {
        let mut names = names();
        let (path, file) = at_random_name(directory, |path| {
            let file = File::options().read(true).write(true).create_new(true).open(path)?;
            hold(&file, path).map(|()| file)
        })?;
        names.insert(path.clone());
        Ok((Self { directory: directory.into(), name: Some(path) }, file))
    }

    /// The name, if it has one.
    pub(super) fn name(&self) -> Option<&Path> {
        self.name.as_deref()
    }

    /// Gives the file the name `path` on the same disk, in place of what has it.
    ///
    /// # Errors
    /// Those of the operating system; the file is gone then.
    pub(super) fn publish(mut self, file: &File, path: &Path) -> io::Result<()> {
        let mut names = names();
        let temporary = match self.name.take() {
            Some(name) => name,
            None => at_random_name(&self.directory, |name| link(file, name))?.0,
        };
        let renamed = fs::rename(&temporary, path);
        if renamed.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        names.remove(&temporary);
        renamed
    }

    /// Whether the file could be published: gives it a temporary name, and takes both away.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(super) fn try_name(self, file: &File) -> io::Result<()> {
        let _names = match self.name {
            Some(_) => return Ok(()),
            None => names(),
        };
        let (name, ()) = at_random_name(&self.directory, |name| link(file, name))?;
        fs::remove_file(name)
    }

    /// Takes the name away and leaves the file, which is gone when it is closed.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(super) fn forget(mut self) -> io::Result<()> {
        let Some(name) = self.name.take() else { return Ok(()) };
        names().remove(&name);
        fs::remove_file(name)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            let mut names = names();
            // The error to report is the one that led here, whether or not this succeeds.
            let _ = fs::remove_file(&name);
            names.remove(&name);
        }
    }
}

/// A file that has no name yet, where the system can make one and name it later.
#[cfg(target_os = "linux")]
fn nameless(directory: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = File::from(open(directory, flags, Mode::from_raw_mode(0o666)).ok()?);
    fs::symlink_metadata(handle(&file)).ok()?;
    // locked before it has a name, so that nobody sweeps it
    let _ = file.try_lock();
    Some(file)
}

/// Gives a nameless file the name `path`, which must be free.
#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    Ok(linkat(CWD, handle(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// Where the system shows an open file.
#[cfg(target_os = "linux")]
fn handle(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

#[cfg(not(target_os = "linux"))]
fn nameless(_: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_is_listed_locked_and_gone_in_the_end() {
        let place = tempfile::tempdir().unwrap();
        let count = || fs::read_dir(place.path()).unwrap().count();
        let (temporary, file) = Temporary::named(place.path()).unwrap();
        let name = temporary.name.clone().unwrap();
        assert!(is_temporary(name.file_name().unwrap()) && names().contains(&name));
        let other = File::open(&name).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)), "nobody else takes it for a leftover");
        drop(temporary);
        assert!(count() == 0 && !names().contains(&name));
        drop(file);
        let (temporary, file) = Temporary::named(place.path()).unwrap();
        temporary.publish(&file, &place.path().join("whole")).unwrap();
        assert!(count() == 1 && place.path().join("whole").is_file());
        let (temporary, file) = Temporary::create(place.path()).unwrap();
        temporary.try_name(&file).unwrap();
        assert_eq!(count(), 1);
    }

    #[test]
    fn only_our_own_names_are_temporary() {
        assert!(is_temporary(OsStr::new(&random_name())));
        for name in ["", ".tmp", ".ntkscope-.tmp", ".ntkscope-0123456789abcde.tmp", ".ntkscope-0123456789ABCDEF.tmp"] {
            assert!(!is_temporary(OsStr::new(name)), "{name}");
        }
    }
}
