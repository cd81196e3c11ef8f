//! Every reader of files on hostile input. `cargo xtask fuzz` builds this with libFuzzer (feature `fuzzing`) and runs it once
//! for each target, which the environment names (`FUZZ_TARGET`), with a folder for what it writes (`FUZZ_FOLDER`).
//!
//! What a reader accepts is looked at: shapes, finite numbers, labels in range; what can be written is written and read back.
//! An error has the exit code of wrong settings or damaged data and a message that fits a terminal. Whatever else happens, a
//! panic, too much memory, too much time, ends the process, and libFuzzer keeps the input.
//!
//! - `limits`: memory and time of one input
//! - `refused`: what is looked at in an error
//! - `samples`: idx, gzip, npz, npy, csv
//! - `archive`: npz archives made of an input, so that a wrong checksum does not end everything
//! - `arrays`: kernels, parameters, and what a file says of its layers
//! - `board`: what boards send, and what they keep
//! - `settings`: settings files, `--set`, what finished runs say of themselves
//! - `state`: what a run is gone on from
//! - `tables`: the csv files of runs and studies

#![no_main]

mod archive;
mod arrays;
mod board;
mod limits;
mod refused;
mod samples;
mod settings;
mod state;
mod tables;

use std::{
    env, fs,
    path::PathBuf,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    limits::{READING, TRAINING},
    refused::Verdict,
};

/// A reader, the most seconds of an input, and what decides whether it is accepted.
type Target = (&'static str, f64, fn(&[u8]) -> Verdict);

const TARGETS: [Target; 25] = [
    ("idx", READING, samples::idx),
    ("cifar", READING, samples::cifar),
    ("gzip", READING, samples::gzip),
    ("npz", READING, samples::npz),
    ("npy", READING, samples::npy),
    ("csv", READING, samples::csv),
    ("kernel", READING, arrays::kernel),
    ("params", READING, arrays::params),
    ("safetensors", READING, arrays::safetensors),
    ("torch", READING, arrays::torch),
    ("pickle", READING, arrays::pickle),
    ("checkpoint", READING, arrays::checkpoint),
    ("layers", READING, arrays::layers),
    ("toml", READING, settings::file),
    ("set", READING, settings::pairs),
    ("run_toml", READING, settings::saved_run),
    ("state", TRAINING, state::state),
    ("manifest", READING, settings::manifest),
    ("trace", READING, tables::trace),
    ("numbers", READING, tables::numbers),
    ("predictions", READING, tables::predictions),
    ("profile", READING, tables::profile),
    ("limit", READING, tables::limit),
    ("frames", READING, board::frames),
    ("region", READING, board::region),
];

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = env::var("FUZZ_TARGET").unwrap_or_default();
    let target = TARGETS.into_iter().find(|(known, ..)| *known == name);
    target.unwrap_or_else(|| panic!("FUZZ_TARGET={name}: one of {:?}", TARGETS.map(|(known, ..)| known)))
});

/// For what is written: the numbers of inputs, those that were accepted among them, and files that readers need.
pub(crate) static FOLDER: LazyLock<PathBuf> =
    LazyLock::new(|| env::var_os("FUZZ_FOLDER").map_or_else(env::temp_dir, PathBuf::from));
static INPUTS: AtomicU64 = AtomicU64::new(0);
static ACCEPTED: AtomicU64 = AtomicU64::new(0);

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (_, most_seconds, read) = *TARGET;
    let accepted = limits::within(most_seconds, || read(input)).is_ok();
    let accepted = ACCEPTED.fetch_add(u64::from(accepted), Ordering::Relaxed) + u64::from(accepted);
    let inputs = INPUTS.fetch_add(1, Ordering::Relaxed) + 1;
    // libFuzzer ends the process, so that there is no last time
    if inputs.is_power_of_two() || inputs.is_multiple_of(1024) {
        fs::write(FOLDER.join("counts"), format!("{inputs} {accepted}")).expect("the counts can be written");
    }
});
