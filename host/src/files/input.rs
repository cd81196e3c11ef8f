//! The one way in: every file that somebody names is opened here, before anything is believed of it.

use std::fs::{File, FileType};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::Error;
use crate::machine::Cause;
use crate::words::without_numbers;

/// A regular file, open for reading.
#[derive(Debug)]
pub struct Input {
    /// the file, at its beginning
    pub file: File,
    /// its length in bytes
    pub bytes: u64,
}

/// Why a file cannot be used, without its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputFault {
    /// there is nothing of this name
    #[error("no such file")]
    Missing,
    /// a directory, or what has no end
    #[error("is {0}, but a file is needed")]
    NotAFile(&'static str),
    /// the operating system refuses
    #[error("cannot be read: {}", reason(.0))]
    System(io::Error),
    /// more than is read of such files
    #[error("is longer than {most} bytes, the limit for such a file")]
    TooLong {
        /// in bytes
        most: u64,
    },
    /// bytes that are no text
    #[error("is not UTF-8 text (first at byte {at})")]
    NotText {
        /// the first byte that is none, from 0
        at: usize,
    },
}

impl InputFault {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::System(_) => Cause::System,
            Self::Missing | Self::NotAFile(_) | Self::TooLong { .. } | Self::NotText { .. } => Cause::Data,
        }
    }
}

/// Opens `path` for reading, through links. What is no regular file is not opened: a pipe would be waited for, and a
/// device may have no end.
///
/// # Errors
/// [`InputFault::Missing`], [`InputFault::NotAFile`], [`InputFault::System`].
pub fn open_input(path: &Path) -> Result<Input, InputFault> {
    let system = |error: io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => InputFault::Missing,
        _ => InputFault::System(error),
    };
    regular(std::fs::metadata(path).map_err(system)?.file_type())?;
    let file = File::open(path).map_err(system)?;
    let metadata = file.metadata().map_err(system)?;
    regular(metadata.file_type())?; // another one may have taken its name meanwhile
    Ok(Input { file, bytes: metadata.len() })
}

/// What stands at `path`, through links; `None` where nothing does. What may not be looked at is no absence, nor is a link
/// that leads nowhere: whoever takes it for one leaves out what somebody has put there.
///
/// # Errors
/// [`Error::Io`]: a directory on the way that may not be entered.
pub fn look(path: &Path) -> Result<Option<FileType>, Error> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Some(found.file_type())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(std::fs::symlink_metadata(path).ok().map(|link| link.file_type()))
        }
        Err(error) => Err(Error::io("look at", path)(error)),
    }
}

/// All of `path`, of which at most `most` bytes are read.
///
/// # Errors
/// Those of [`open_input`], and [`InputFault::TooLong`].
pub fn read_input(path: &Path, most: u64) -> Result<Vec<u8>, InputFault> {
    let Input { file, bytes } = open_input(path)?;
    if bytes > most {
        return Err(InputFault::TooLong { most });
    }
    let mut content = Vec::new();
    // a file that grows meanwhile is cut off
    file.take(most.saturating_add(1)).read_to_end(&mut content).map_err(InputFault::System)?;
    if content.len() as u64 > most { Err(InputFault::TooLong { most }) } else { Ok(content) }
}

/// All of `path` as text, of which at most `most` bytes are read.
///
/// # Errors
/// Those of [`read_input`], and [`InputFault::NotText`].
pub fn read_text(path: &Path, most: u64) -> Result<String, InputFault> {
    let text = String::from_utf8(read_input(path, most)?);
    text.map_err(|e| InputFault::NotText { at: e.utf8_error().valid_up_to() })
}

fn regular(kind: FileType) -> Result<(), InputFault> {
    if kind.is_file() { Ok(()) } else { Err(InputFault::NotAFile(name_of(kind))) }
}

/// What something that is no regular file is called.
pub fn name_of(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
    }
    if kind.is_dir() {
        "a directory"
    } else if kind.is_symlink() {
        "a link"
    } else {
        "not a regular file"
    }
}

/// The system's reason, without its number.
pub fn reason(error: &io::Error) -> String {
    without_numbers(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened_and_none_without_a_limit() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        std::fs::write(path("file"), "12345").unwrap();
        assert_eq!(open_input(&path("file")).unwrap().bytes, 5);
        assert_eq!(read_text(&path("file"), 5).unwrap(), "12345");
        assert!(matches!(read_input(&path("file"), 4), Err(InputFault::TooLong { most: 4 })));
        std::fs::write(path("binary"), b"ab\xff").unwrap();
        assert!(matches!(read_text(&path("binary"), 9), Err(InputFault::NotText { at: 2 })));
        assert!(matches!(open_input(&path("none")), Err(InputFault::Missing)));
        assert!(matches!(open_input(place.path()), Err(InputFault::NotAFile("a directory"))));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("file", path("link")).unwrap();
            assert_eq!(open_input(&path("link")).unwrap().bytes, 5);
            std::os::unix::fs::symlink("/dev/zero", path("endless")).unwrap();
            assert!(matches!(open_input(&path("endless")), Err(InputFault::NotAFile("a device"))));
            let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
            assert!(matches!(open_input(&path("socket")), Err(InputFault::NotAFile("a socket"))));
        }
    }
}
