//! Downloads idx files: each into NAME.part, checked, then renamed to NAME. No message has the mirror's password.
//!
//! A NAME.part that is there from an earlier try is continued where the server can (status 206), else begun anew. No
//! file ever has its final name before its checksum was right.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::checksums::{self, Checksum, RemoteFile};
use super::error::Error;
use super::part::{Part, refused};
use super::spec::Source;
use super::{hex, idx};
use crate::files::{Input, name_of, open_input};
use crate::words::{clipped, excerpt};

/// No file of these data sets is near this size, in bytes: a server that goes on and on is not listened to.
const MOST_BYTES: u64 = 1 << 28;

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

/// Downloads the four files of `source` (`mnist` or `fashion-mnist`) into `dir` and returns their paths.
///
/// `mirror` is the address of a directory, over http or https; `None` is [`default_mirror`].
///
/// # Errors
/// [`Error::NothingToFetch`], and those of [`fetch_files`].
pub fn fetch(
    source: &Source,
    dir: &Path,
    mirror: Option<&str>,
    progress: &mut dyn FnMut(FetchProgress),
) -> Result<Vec<PathBuf>, Error> {
    let (files, default) = published(source)?;
    fetch_files(files, mirror.unwrap_or(default), dir, Limits::default(), progress)
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
fn without_secrets(url: &str) -> String {
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

/// One file on its way.
struct Download<'a> {
    agent: &'a Agent,
    url: String,
    /// The final name.
    path: &'a Path,
    check: Checksum<'a>,
    limits: Limits,
}

impl Download<'_> {
    fn run(&self, progress: &mut dyn FnMut(FetchProgress)) -> Result<(), Error> {
        let mut part = Part::open(self.path)?;
        self.fill(&mut part, progress).inspect_err(|_| part.remove_if_empty())?;
        fs::rename(&part.path, self.path).map_err(refused(self.path, "rename the download to"))
    }

    /// Downloads into `part`, until that is whole and right.
    fn fill(&self, part: &mut Part, progress: &mut dyn FnMut(FetchProgress)) -> Result<(), Error> {
        let kept = part.kept()?;
        let mut response = self.request(kept)?;
        if kept > 0 && response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            // The part is as long as the file, or longer: whole and right, or worthless.
            if checksum(&part.path, self.check).is_ok_and(|sum| sum == self.check.expected()) {
                return Ok(());
            }
            response = self.request(0)?;
        } else if response.status() == StatusCode::PARTIAL_CONTENT && range_start(&response) != Some(kept) {
            response = self.request(0)?; // some other part of the file than was asked for
        }
        let resumed_at = match response.status() {
            StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(kept) => kept,
            StatusCode::OK => 0,
            status => return Err(self.failed(format!("the server answered {status}"), kept)),
        };
        self.receive(response, part, resumed_at, progress)?;

        let found = match checksum(&part.path, self.check) {
            Ok(found) => found,
            Err(e) if matches!(e.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput) => {
                format!("unknown ({})", idx::reason(&e))
            }
            Err(e) => return Err(refused(&part.path, "read")(e)),
        };
        if found != self.check.expected() {
            fs::remove_file(&part.path).map_err(refused(&part.path, "remove"))?;
            let (check, expected) = (self.check.what(), self.check.expected().into());
            return Err(Error::Checksum { url: without_secrets(&self.url), check, found, expected });
        }
        Ok(())
    }

    /// Asks for the file from byte `from` on.
    fn request(&self, from: u64) -> Result<Response<Body>, Error> {
        let mut request = self.agent.get(&self.url);
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        request.call().map_err(|e| self.failed(e.to_string(), from))
    }

    /// Writes the answer to `part`, after its first `start` bytes.
    fn receive(
        &self,
        response: Response<Body>,
        part: &mut Part,
        start: u64,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<(), Error> {
        let length = response.headers().get(header::CONTENT_LENGTH);
        let length: Option<u64> = length.and_then(|v| v.to_str().ok()?.trim().parse().ok());
        let total = length.and_then(|length| length.checked_add(start));
        progress(FetchProgress::Started { url: without_secrets(&self.url), resumed_at: start, total });

        let Part { path: ref part, ref mut file } = *part;
        file.set_len(start).and_then(|()| file.seek(SeekFrom::Start(start))).map_err(refused(part, "write"))?;
        let (mut window, mut before) = (Instant::now(), start);
        let mut body = response.into_body().into_reader();
        let (mut bytes, mut buffer) = (start, vec![0; 1 << 16]);
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(self.failed(format!("the connection broke after {bytes} bytes ({e})"), bytes)),
            };
            file.write_all(&buffer[..read]).map_err(refused(part, "write"))?;
            bytes += read as u64;
            if window.elapsed() > self.limits.window {
                if bytes - before < self.limits.least {
                    let seconds = self.limits.window.as_secs_f64();
                    return Err(self.failed(format!("only {} bytes came in {seconds} s", bytes - before), bytes));
                }
                (window, before) = (Instant::now(), bytes);
            }
            if bytes > MOST_BYTES {
                fs::remove_file(part).map_err(refused(part, "remove"))?;
                return Err(self.failed(format!("more than {MOST_BYTES} bytes came, and no end"), 0));
            }
            progress(FetchProgress::Received { bytes, total });
        }
        if let Some(total) = total.filter(|&total| bytes < total) {
            return Err(self.failed(format!("the connection closed after {bytes} of {total} bytes"), bytes));
        }
        file.sync_all().map_err(refused(part, "write"))
    }

    fn failed(&self, what: String, kept: u64) -> Error {
        let kept = match kept {
            0 => String::new(),
            bytes => format!("; {bytes} bytes are kept, run the same command again to go on from there"),
        };
        let mut what = what.replace(&self.url, &without_secrets(&self.url));
        if let Some((secret, _)) = self.url.split_once("://").and_then(|(_, rest)| rest.split_once('@')) {
            what = what.replace(secret, "…");
        }
        Error::Download { url: without_secrets(&self.url), what: clipped(&what, 300), kept }
    }
}

/// The first byte of a partial answer: `Content-Range: bytes START-END/TOTAL`.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.trim().strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}

/// The SHA-256 of the file, packed or unpacked as `check` has it.
fn checksum(path: &Path, check: Checksum<'_>) -> io::Result<String> {
    let Input { mut file, bytes } = open_input(path).map_err(io::Error::other)?;
    let mut reader: Box<dyn Read + '_> = match check {
        Checksum::Packed(_) => Box::new(file),
        Checksum::Unpacked(_) => idx::unpacked(&mut file, bytes)?.0,
    };
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(read) => hash.update(&buffer[..read]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
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
