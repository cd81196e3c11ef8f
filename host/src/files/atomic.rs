//! Files that are either the old one or the new one, never half of each: the one place through which every output passes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Error;
use super::identity::parent;
use super::target::Target;
use super::temporary::Temporary;

/// Writes `bytes` to `path`: first to a temporary file beside it, flushed to the disk, then renamed.
///
/// # Errors
/// [`Error::NotAFile`], [`Error::Io`].
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let (unfinished, mut file) = Unfinished::create(path)?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    unfinished.commit(&file)
}

/// The same of what `write` writes, piece by piece.
///
/// # Errors
/// [`Error::NotAFile`], [`Error::Io`], those of `write` included.
pub fn write_pieces(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), Error> {
    let (unfinished, file) = Unfinished::create(path)?;
    let mut out = BufWriter::new(file);
    let file = write(&mut out).and_then(|()| Ok(out.into_inner()?));
    unfinished.commit(&file.map_err(Error::io("write", path))?)
}

/// A file that is still being written, under a temporary name or none. Dropped, it takes the file with it.
///
/// Links are followed. What is there and is no regular file is never replaced, nor a file without permission to write; the
/// mode and the owner of one that is replaced are handed on.
#[derive(Debug)]
pub struct Unfinished {
    /// as it was asked for
    path: PathBuf,
    /// behind links
    target: PathBuf,
    temporary: Temporary,
}

impl Unfinished {
    /// A new file that will be at `path`, to write and to read.
    ///
    /// # Errors
    /// [`Error::NotAFile`], [`Error::Io`].
    pub fn create(path: &Path) -> Result<(Self, File), Error> {
        Self::create_by(Temporary::create, path)
    }

    /// The same under a temporary name from the beginning, so that other processes can write into it.
    ///
    /// # Errors
    /// Those of [`Unfinished::create`].
    pub fn create_named(path: &Path) -> Result<(Self, File), Error> {
        Self::create_by(Temporary::named, path)
    }

    fn create_by(
        create: impl FnOnce(&Path) -> io::Result<(Temporary, File)>,
        path: &Path,
    ) -> Result<(Self, File), Error> {
        let target = Target::of(path)?;
        let created = create(parent(&target.path)).and_then(|(temporary, file)| {
            target.hand_on(&file)?;
            Ok((temporary, file))
        });
        let (temporary, file) = created.map_err(Error::io("write", path))?;
        Ok((Self { path: path.into(), target: target.path, temporary }, file))
    }

    /// The temporary name, where there is one.
    pub fn temporary_name(&self) -> Option<&Path> {
        self.temporary.name()
    }

    /// Whether a file at `path` could be committed now; leaves nothing behind.
    ///
    /// # Errors
    /// Those of [`Unfinished::create`].
    pub fn try_create(path: &Path) -> Result<(), Error> {
        let (unfinished, file) = Self::create(path)?;
        unfinished.temporary.try_name(&file).map_err(Error::io("write", path))
    }

    /// The path that the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Flushes the file to the disk, gives it its name, and flushes that.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn commit(self, file: &File) -> Result<(), Error> {
        let Self { path, target, temporary } = self;
        let committed = file.sync_all().and_then(|()| {
            temporary.publish(file, &target)?;
            sync_directory(parent(&target))
        });
        committed.map_err(Error::io("write", path))
    }
}

/// A new file on the disk of `directory` that has no name, so that nothing of it stays however the process ends.
///
/// # Errors
/// Those of the operating system.
pub fn nameless_file(directory: &Path) -> io::Result<File> {
    let (temporary, file) = Temporary::create(directory)?;
    temporary.forget()?;
    Ok(file)
}

/// Flushes the names in `directory` to the disk, where the system can.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(directory)?.sync_all() {
        // some network file systems flush names by themselves and refuse to be asked
        Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}
