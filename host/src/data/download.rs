//! One file on its way from a server: asked for, received within limits, checked.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use sha2::{Digest, Sha256};
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::checksums::Checksum;
use super::error::Error;
use super::fetch::{FetchProgress, Limits, without_secrets};
use super::part::{Part, refused};
use super::{hex, idx};
use crate::files::{Input, open_input};
use crate::words::clipped;

/// No file of these data sets is near this size, in bytes: a server that goes on and on is not listened to.
const MOST_BYTES: u64 = 1 << 28;

/// One file on its way.
pub(super) struct Download<'a> {
    pub(super) agent: &'a Agent,
    pub(super) url: String,
    /// The final name.
    pub(super) path: &'a Path,
    pub(super) check: Checksum<'a>,
    pub(super) limits: Limits,
}

impl Download<'_> {
    pub(super) fn run(&self, progress: &mut dyn FnMut(FetchProgress)) -> Result<(), Error> {
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
                    return Err(self.failed(format!("only {} bytes arrived in {seconds} s", bytes - before), bytes));
                }
                (window, before) = (Instant::now(), bytes);
            }
            if bytes > MOST_BYTES {
                fs::remove_file(part).map_err(refused(part, "remove"))?;
                return Err(self.failed(format!("more than {MOST_BYTES} bytes arrived without an end"), 0));
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
            bytes => format!("; {bytes} bytes are kept: rerun the same command to resume"),
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
pub(super) fn checksum(path: &Path, check: Checksum<'_>) -> io::Result<String> {
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
