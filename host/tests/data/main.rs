//! The data layer through its public interface. Every error is checked for what it says and for its exit code.

mod arrays;
mod cifar;
mod description;
mod download;
mod generated;
mod habits;
mod idx_files;
mod meaning;
mod server;
mod settings;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use ntkscope::cli::terminal::{code, in_flags};
use ntkscope::data::{DataSpec, Error, Samples, Source, load};
use ntkscope::machine::Budget;

/// An empty directory of this test's own.
fn directory(test: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("data").join(test);
    if dir.exists() {
        fs::remove_dir_all(&dir).unwrap();
    }
    fs::create_dir_all(&dir).unwrap();
    dir
}

fn spec(source: &str) -> DataSpec {
    DataSpec::new(source.parse().unwrap())
}

fn file(path: PathBuf) -> DataSpec {
    DataSpec::new(Source::File(path))
}

fn samples(spec: &DataSpec) -> Samples {
    load(spec, &Budget::default()).unwrap_or_else(|e| panic!("{spec:?}: {e}"))
}

/// The error has this exit code, and its message, in flags, every one of these parts.
#[track_caller]
fn assert_says(error: &Error, exit_code: u8, parts: &[&str]) {
    let message = in_flags(&error.to_string());
    assert_eq!(i32::from(code(error.cause())), i32::from(exit_code), "{message}");
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

/// Loading fails, with this exit code and these parts in the message.
#[track_caller]
fn assert_refused(spec: &DataSpec, exit_code: u8, parts: &[&str]) {
    match load(spec, &Budget::default()) {
        Ok(samples) => panic!("{spec:?} was loaded: {}", samples.description),
        Err(error) => assert_says(&error, exit_code, parts),
    }
}

/// `content` as a gzip stream.
fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(content).unwrap();
    packer.finish().unwrap()
}
