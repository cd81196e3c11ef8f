//! Downloads files of images: each into NAME.part, checked, then renamed to NAME. No message has the mirror's password.
//!
//! A NAME.part that is there from an earlier try is continued where the server can (status 206), else begun anew. No
//! file ever has its final name before its checksum was right.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;

use super::archive;
use super::checksums::{self, RemoteFile};
use super::download::{Download, checksum};
use super::error::Error;
use super::part::refused;
use super::spec::Source;
use crate::files::name_of;
use crate::words::excerpt;

/// How long a download may stand still, and how slow it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the name look-up and the connection, each.
    pub connect: Duration,
    /// For the answer to begin, and between any two pieces of it.
    pub stall: Duration,
    /// What has to come in every `window`, in bytes.
    pub least: u64,
    /// See `least`.
    pub window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (connect, stall, window) = (Duration::from_secs(15), Duration::from_secs(30), Duration::from_secs(60));
        Self { connect, stall, least: 60 << 10, window } // a kilobyte a second
    }
}

/// What a download reports while it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchProgress {
    /// The file was there already and is right.
    Kept {
        /// The file.
        path: PathBuf,
    },
    /// An answer begins.
    Started {
        /// The address.
        url: String,
        /// Bytes kept from an earlier try; 0 for a fresh start.
        resumed_at: u64,
        /// Bytes of the whole file, where the server says.
        total: Option<u64>,
    },
    /// More has come.
    Received {
        /// Bytes of the file so far, those of an earlier try included.
        bytes: u64,
        /// Bytes of the whole file, where the server says.
        total: Option<u64>,
    },
    /// Of an archive these files are there.
    Unpacked {
        /// The archive.
        archive: PathBuf,
        /// How many.
        files: usize,
    },
    /// The file has its checksum and its name.
    Finished {
        /// The file.
        path: PathBuf,
        /// Which checksum was compared.
        check: &'static str,
    },
}

/// The mirror used for a data set unless another is named.
///
/// # Errors
/// [`Error::NothingToFetch`] for data that is not downloaded.
pub fn default_mirror(source: &Source) -> Result<&'static str, Error> {
    published(source).map(|(_, mirror)| mirror)
}

/// Downloads the four files of `mnist` or `fashion-mnist`, or the archive of `cifar-10`, which is unpacked, into `dir`; returns the
/// paths of the files that are read.
///
/// `mirror` is the address of a directory, over http or https; `None` is [`default_mirror`].
///
/// # Errors
/// [`Error::NothingToFetch`], those of [`fetch_files`]; an archive that cannot be unpacked.
pub fn fetch(
    source: &Source,
    dir: &Path,
    mirror: Option<&str>,
    progress: &mut dyn FnMut(FetchProgress),
) -> Result<Vec<PathBuf>, Error> {
    let (files, default) = published(source)?;
    let paths = fetch_files(files, mirror.unwrap_or(default), dir, Limits::default(), progress)?;
    match (source, &paths[..]) {
        (Source::Cifar10, [packed]) => {
            let unpacked = archive::unpack(packed, dir)?;
            progress(FetchProgress::Unpacked { archive: packed.clone(), files: unpacked.len() });
            Ok(unpacked)
        }
        _ => Ok(paths),
    }
}

fn published(source: &Source) -> Result<(&'static [RemoteFile<'static>], &'static str), Error> {
    checksums::published(source).ok_or_else(|| Error::NothingToFetch { source_name: source.to_string() })
}

/// Downloads `files` from the directory `mirror` into `dir`, which is made where it is missing; returns their paths.
///
/// Files that are there and right are kept; the others are fetched one after the other, stopping at the first failure.
///
/// # Errors
/// [`Error::BadMirror`]; [`Error::Download`] (what has come stays for the next try);
/// [`Error::Checksum`] (what has come is removed); [`Error::Io`].
pub fn fetch_files(
    files: &[RemoteFile<'_>],
    mirror: &str,
    dir: &Path,
    limits: Limits,
    progress: &mut dyn FnMut(FetchProgress),
) -> Result<Vec<PathBuf>, Error> {
    let agent = agent(mirror, limits)?;
    fs::create_dir_all(dir).map_err(refused(dir, "create the directory"))?;
    let mut paths = Vec::new();
    for file in files {
        let path = place_of(dir, file.name)?;
        if path.is_file() && checksum(&path, file.check).is_ok_and(|sum| sum == file.check.expected()) {
            progress(FetchProgress::Kept { path: path.clone() });
        } else {
            let url = format!("{}/{}", mirror.trim_end_matches('/'), file.name);
            Download { agent: &agent, url, path: &path, check: file.check, limits }.run(progress)?;
            progress(FetchProgress::Finished { path: path.clone(), check: file.check.what() });
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Where a file goes: behind a link to a file. What is there and is no file is not replaced.
fn place_of(dir: &Path, name: &str) -> Result<PathBuf, Error> {
    let path = dir.join(name);
    let Ok(there) = fs::symlink_metadata(&path) else { return Ok(path) };
    let target =
        if there.is_symlink() { fs::canonicalize(&path).map_err(refused(&path, "follow the link"))? } else { path };
    let kind = fs::metadata(&target).map_err(refused(&target, "read"))?.file_type();
    if kind.is_file() { Ok(target) } else { Err(Error::NotAFile { path: target, kind: name_of(kind) }) }
}

/// An address without user, password and query.
pub(super) fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, _)| (rest, "?…"));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let separator = if url.contains("://") { "://" } else { "" };
    format!("{scheme}{separator}{host}{path}{query}")
}

fn agent(mirror: &str, limits: Limits) -> Result<Agent, Error> {
    let bad = || Error::BadMirror { given: excerpt(&without_secrets(mirror)) };
    let uri: ureq::http::Uri = mirror.parse().map_err(|_| bad())?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.query().is_some() {
        return Err(bad());
    }
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(bad)?;
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("ntkscope/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(limits.connect))
        .timeout_connect(Some(limits.connect))
        .timeout_recv_response(Some(limits.stall))
        .timeout_per_read(Some(limits.stall));
    if ["localhost", "127.0.0.1", "[::1]"].contains(&host) {
        config = config.proxy(None); // a mirror on this machine is not reached through a proxy
    }
    Ok(config.build().into())
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn no_secret_stays_in_an_address() {
        for (url, shown) in [
            ("http://user:secret@host:80/a", "http://host:80/a"),
            ("https://a:s@b:secret@host/p@q", "https://host/p@q"),
            ("https://host/a?token=secret", "https://host/a?…"),
            ("user:secret@host/mnist", "host/mnist"),
            ("http://host", "http://host"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
