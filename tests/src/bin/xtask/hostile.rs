//! Inputs that nobody means well with: every reader fuzzed, the unsafe code under AddressSanitizer.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{
    process::{minutes, output, root, run},
    steps::{LONG, Session},
    toolchain::cargo,
};

/// Coverage that libFuzzer reads, asked of LLVM by its own options: the stable compiler has no flag for it.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";
/// Most bytes of an input: more than any limit of a header.
const LONGEST: usize = 16 * 1024;
/// Most MiB of the fuzzer's process, its own corpus included. What a reader may take is watched inside, more narrowly.
const MEMORY: usize = 2048;

/// The readers that are fuzzed: the folders of `tests/fuzz/corpus`, each with inputs to start from.
pub(crate) fn targets() -> Vec<String> {
    let entries = fs::read_dir(corpus()).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// One of [`targets`].
pub(crate) fn target(name: &str) -> Result<String, String> {
    let all = targets();
    if all.iter().any(|known| known == name) { Ok(name.into()) } else { Err(format!("one of {}", all.join(", "))) }
}

fn corpus() -> PathBuf {
    root().join("tests/fuzz/corpus")
}

/// Fuzzes these targets, all where none is named, each for `seconds`; fails on the first input of each that makes a reader
/// panic, take more than its budget of memory or more than a second, or accept what is wrong. What is found goes to
/// target/fuzz/found, and what was learnt to target/fuzz/corpus.
pub(crate) fn fuzz(names: &[String], seconds: u64) -> Result<()> {
    let host = host_triple()?;
    let folder = root().join("target/fuzz");
    let mut build = cargo();
    build.args(["build", "--quiet", "--profile", "fuzz", "--package", "ntkscope-tests", "--bin", "fuzz"]);
    build.args(["--target", &host, "--target-dir"]).arg(&folder).env("RUSTFLAGS", COVERAGE);
    run(&mut build, LONG)?;
    let program = folder.join(&host).join("fuzz/fuzz");
    let names = if names.is_empty() { targets() } else { names.to_vec() };
    ensure!(!names.is_empty(), "tests/fuzz/corpus has no folder");
    let queue = Mutex::new(names.iter());
    let failed = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers.min(names.len()) {
            scope.spawn(|| {
                while let Some(name) = { queue.lock().expect("no worker panics").next() } {
                    if let Err(error) = one(&program, &folder, name, seconds) {
                        failed.lock().expect("no worker panics").push(format!("{name}: {error:#}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no worker panics");
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// One target, from the committed inputs and those that were found to lead further before.
fn one(program: &Path, folder: &Path, name: &str, seconds: u64) -> Result<()> {
    let (learnt, found) = (folder.join("corpus").join(name), folder.join("found"));
    for place in [&learnt, &found] {
        fs::create_dir_all(place).with_context(|| place.display().to_string())?;
    }
    let log = folder.join(format!("{name}.log"));
    let file = fs::File::create(&log).with_context(|| log.display().to_string())?;
    let mut fuzzer = std::process::Command::new(program);
    fuzzer.arg(&learnt).arg(corpus().join(name)).env("FUZZ_TARGET", name);
    fuzzer.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={LONGEST}"));
    // a second of the processor is the limit, watched inside; this one is for what waits and never comes back
    fuzzer.arg("-timeout=30").arg(format!("-rss_limit_mb={MEMORY}")).arg("-print_final_stats=1");
    fuzzer.arg(format!("-artifact_prefix={}/{name}-", found.display()));
    fuzzer.stdout(file.try_clone()?).stderr(file);
    let ended = run(&mut fuzzer, Duration::from_secs(seconds) + minutes(2));
    let text = fs::read_to_string(&log).unwrap_or_default();
    let inputs = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    println!("{name}: {} inputs", inputs.map_or("?", str::trim));
    ended.with_context(|| format!("see {} and {}", log.display(), found.display()))
}

/// Runs the tests of core and of the backend, which has all `unsafe` code of the products, under AddressSanitizer. The flag is
/// an unstable one, its runtime comes with every compiler.
pub(crate) fn sanitize(_: &mut Session) -> Result<()> {
    let host = host_triple()?;
    let mut test = cargo();
    test.args(["test", "--quiet", "--package", "ntkscope-backend", "--target", &host, "--target-dir"]);
    test.arg(root().join("target/sanitize"));
    run(test.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address"), LONG)
}

/// Licences and banned packages, by deny.toml, where cargo-deny is installed: building it takes longer than the whole tests.
pub(crate) fn deny(_: &mut Session) -> Result<()> {
    if crate::process::find("cargo-deny").is_none() {
        println!("cargo-deny is not installed (cargo install cargo-deny): nothing was checked");
        return Ok(());
    }
    run(cargo().args(["deny", "check", "licenses", "bans"]), minutes(5))
}

/// The triple of this machine's compiler.
fn host_triple() -> Result<String> {
    let text = output(std::process::Command::new("rustc").arg("-vV"), minutes(1))?;
    let triple = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(triple.context("rustc -vV names no host")?.to_owned())
}
