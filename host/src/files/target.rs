//! Where a file is written that was asked for by some path, and what it takes over from the one that it replaces.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::Error;
use super::identity::{Identity, follow, same};

/// Files that were removed to make room for new ones, by what the new ones will be.
static REMOVED: Mutex<BTreeMap<Identity, Metadata>> = Mutex::new(BTreeMap::new());

/// Where to write, and what was there.
pub(super) struct Target {
    pub(super) path: PathBuf,
    replaced: Option<Metadata>,
}

impl Target {
    /// The file that is written when `path` is named: behind links, if it is one.
    ///
    /// # Errors
    /// [`Error::NotAFile`] for what is there and is no regular file; [`Error::Io`] for one that may not be written.
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        let refused = |e| Error::io("write", path)(e);
        let named = path.file_name().is_some() && !path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if !named {
            return Err(Error::NotAFile { path: path.into(), kind: "directory" });
        }
        let real = follow(path).map_err(refused)?;
        match fs::metadata(path) {
            Ok(found) => {
                // a link such as /proc/self/fd/1 opens more than its text says
                let there = fs::symlink_metadata(&real).is_ok_and(|named| same(&named, &found));
                let kind = kind(&found).or((!there).then_some("file without a name"));
                if let Some(kind) = kind {
                    return Err(Error::NotAFile { path: path.into(), kind });
                }
                may_write(&real, &found).map_err(refused)?;
                Ok(Self { path: real, replaced: Some(found) })
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let removed = REMOVED.lock().unwrap_or_else(PoisonError::into_inner);
                let replaced = Identity::of(&real).and_then(|file| removed.get(&file).cloned());
                Ok(Self { path: real, replaced })
            }
            Err(e) => Err(refused(e)),
        }
    }

    /// Gives `file` mode and owner of the one that it will replace.
    ///
    /// # Errors
    /// Those of the operating system: another user's file cannot be replaced by one of that user.
    pub(super) fn hand_on(&self, file: &File) -> io::Result<()> {
        let Some(old) = &self.replaced else { return Ok(()) };
        hand_on_owner(old, file)?;
        file.set_permissions(old.permissions())
    }
}

/// Removes those of these files that are there, to make room for new ones, which will have their modes and owners. All are
/// looked at before the first goes.
///
/// # Errors
/// As for writing them.
pub fn make_room(paths: &[PathBuf]) -> Result<(), Error> {
    let there = paths.iter().filter(|path| fs::symlink_metadata(path).is_ok());
    let targets: Vec<Target> = there.map(|path| Target::of(path)).collect::<Result<_, _>>()?;
    for Target { path, replaced } in targets {
        let Some(replaced) = replaced else { continue };
        fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        if let Some(file) = Identity::of(&path) {
            REMOVED.lock().unwrap_or_else(PoisonError::into_inner).insert(file, replaced);
        }
    }
    Ok(())
}

/// The words for what is no regular file.
fn kind(found: &Metadata) -> Option<&'static str> {
    if found.is_file() {
        return None;
    }
    if found.is_dir() {
        return Some("directory");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = found.file_type();
        if kind.is_fifo() {
            return Some("named pipe");
        }
        if kind.is_socket() {
            return Some("socket");
        }
    }
    Some("device")
}

/// A file is replaced only where it could be written. A file without any permission to write is protected from the
/// superuser too.
fn may_write(path: &Path, found: &Metadata) -> io::Result<()> {
    if found.permissions().readonly() {
        return Err(io::Error::new(ErrorKind::PermissionDenied, "it is write-protected"));
    }
    File::options().write(true).open(path).map(drop)
}

#[cfg(unix)]
fn hand_on_owner(old: &Metadata, file: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let new = file.metadata()?;
    let changed = |old: u32, new: u32| (old != new).then_some(old);
    let (user, group) = (changed(old.uid(), new.uid()), changed(old.gid(), new.gid()));
    if user.is_none() && group.is_none() {
        return Ok(());
    }
    fchown(file, user, group).map_err(|e| io::Error::new(e.kind(), "its owner cannot be kept"))
}

#[cfg(not(unix))]
fn hand_on_owner(_: &Metadata, _: &File) -> io::Result<()> {
    Ok(())
}
