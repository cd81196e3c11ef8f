//! Directories that are there when they are whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use super::atomic::sync_directory;
use super::identity::parent;
use super::lock::is_lock;
use super::sweep::sweep;
use super::temporary::{at_random_name, hold, is_temporary, names};

/// A directory under a temporary name until everything in it is written. Dropped, it goes with all that it holds; what a
/// killed process leaves is removed by the next that makes one beside it.
#[derive(Debug)]
pub struct UnfinishedDirectory {
    /// the final name
    place: PathBuf,
    temporary: Option<PathBuf>,
    /// keeps it locked
    _handle: Option<File>,
}

impl UnfinishedDirectory {
    /// An empty directory, which [`UnfinishedDirectory::commit`] names `place`. The directories around it are made.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(place: &Path) -> Result<Self, Error> {
        let around = parent(place);
        let made = fs::create_dir_all(around).and_then(|()| {
            sweep(around);
            let mut names = names();
            let (path, handle) = at_random_name(around, |path| {
                fs::create_dir(path)?;
                match File::open(path) {
                    Ok(handle) => hold(&handle, path).map(|()| Some(handle)),
                    // one who sweeps was faster than the lock
                    Err(e) if e.kind() == io::ErrorKind::NotFound => Err(io::ErrorKind::AlreadyExists.into()),
                    // a system that does not open directories has no lock for them either
                    Err(_) => Ok(None),
                }
            })?;
            names.insert(path.clone());
            Ok((path, handle))
        });
        let (path, handle) = made.map_err(Error::io("create", place))?;
        Ok(Self { place: place.into(), temporary: Some(path), _handle: handle })
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        self.temporary.as_deref().unwrap_or(&self.place)
    }

    /// Gives the directory its name, in place of whatever has it.
    ///
    /// # Errors
    /// [`Error::Io`]; what had the name still has it then.
    pub fn commit(mut self) -> Result<(), Error> {
        let Some(temporary) = self.temporary.take() else { return Ok(()) };
        let around = parent(&self.place);
        let renamed = sync_directory(&temporary).and_then(|()| {
            let mut names = names();
            let old = match fs::symlink_metadata(&self.place) {
                Ok(_) => {
                    // a name that is free: nothing is ever renamed onto another's temporary file
                    let free = |path: &Path| match fs::symlink_metadata(path) {
                        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                        Err(_) => fs::rename(&self.place, path),
                    };
                    Some(at_random_name(around, free)?.0)
                }
                Err(_) => None,
            };
            if let Err(e) = fs::rename(&temporary, &self.place) {
                old.map(|old| fs::rename(old, &self.place));
                return Err(e);
            }
            names.remove(&temporary);
            names.extend(old.clone());
            Ok(old)
        });
        let committed = renamed.and_then(|old| {
            if let Some(old) = old {
                let removed = remove(&old);
                names().remove(&old);
                // one who sweeps may have been faster
                removed.or_else(|e| if fs::symlink_metadata(&old).is_ok() { Err(e) } else { Ok(()) })?;
            }
            sync_directory(around)
        });
        if committed.is_err() {
            self.temporary = names().contains(&temporary).then_some(temporary);
        }
        committed.map_err(Error::io("write", &self.place))
    }
}

impl Drop for UnfinishedDirectory {
    fn drop(&mut self) {
        if let Some(path) = self.temporary.take() {
            let mut names = names();
            // The error to report is the one that led here, whether or not this succeeds.
            let _ = fs::remove_dir_all(&path);
            names.remove(&path);
        }
    }
}

/// Removes a directory and all in it, or a file, or a link and not what it leads to.
fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// Whether there is anything in the directory but what this program has there for a while; leftovers are removed first.
///
/// # Errors
/// Those of the operating system.
pub fn is_empty(directory: &Path) -> io::Result<bool> {
    sweep(directory);
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if !is_temporary(&name) && !is_lock(&name) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_there_when_it_is_whole() {
        let around = tempfile::tempdir().unwrap();
        let place = around.path().join("runs/a");
        let content = || fs::read_dir(around.path().join("runs")).unwrap().count();
        let write = |text: &str| {
            let unfinished = UnfinishedDirectory::create(&place).unwrap();
            fs::write(unfinished.path().join("t"), text).unwrap();
            unfinished
        };
        drop(write("dropped"));
        assert_eq!(content(), 0);
        for text in ["first", "second"] {
            write(text).commit().unwrap();
            assert_eq!(fs::read_to_string(place.join("t")).unwrap(), text);
            assert_eq!(content(), 1);
        }
        fs::remove_dir_all(&place).unwrap();
        fs::write(&place, "a file in its place").unwrap();
        write("third").commit().unwrap();
        assert_eq!(fs::read_to_string(place.join("t")).unwrap(), "third");
        assert_eq!(content(), 1);
    }
}
