//! Every reader of files on hostile input: the program in `tests/src/bin/fuzz` runs once for each target, from the inputs in
//! `tests/fuzz/corpus`. It is built with libFuzzer on the stable compiler, which instruments this workspace's packages
//! (`tests/fuzz/rustc`).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    process::{minutes, root, run, wait},
    steps::{LONG, Session},
    toolchain::cargo,
    workspace::PROGRAMS,
};

/// Most bytes of an input: more than any limit of a header.
const LONGEST: usize = 16 * 1024;
/// Most MiB of the fuzzer's process, its own corpus included. What a reader may take is watched inside, more narrowly.
const MEMORY: usize = 2048;
/// Seconds for each target in the step of `cargo xtask test`.
const SHORT: u64 = 4;
/// The step tries the same inputs on every run, as many as these seconds allow.
const SEED: u32 = 1;

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

/// The step of `cargo xtask test`: every target for a short time.
pub(crate) fn step(_: &mut Session) -> Result<()> {
    fuzz(&[], SHORT, Some(SEED))
}

/// Fuzzes these targets, all where none is named, each for `seconds`, on every core one; fails on the first input of each
/// that makes a reader panic, take too much memory or time, or accept what is wrong. What is found goes to
/// target/fuzz/found, and what was learnt to target/fuzz/corpus.
pub(crate) fn fuzz(names: &[String], seconds: u64, seed: Option<u32>) -> Result<()> {
    let fuzzer = Fuzzer { seed, ..Fuzzer::build()? };
    let names = if names.is_empty() { targets() } else { names.to_vec() };
    ensure!(!names.is_empty(), "tests/fuzz/corpus has no folder");
    let (queue, failed) = (Mutex::new(names.iter()), Mutex::new(Vec::new()));
    let (totals, all) = (Mutex::new(Totals::read(&fuzzer.folder)?), Mutex::new(0));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers.min(names.len()) {
            scope.spawn(|| {
                while let Some(name) = { queue.lock().expect("no worker panics").next() } {
                    let ended = fuzzer.run(name, seconds);
                    let mut totals = totals.lock().expect("no worker panics");
                    match &ended {
                        Ok(inputs) => *all.lock().expect("no worker panics") += totals.add(name, *inputs),
                        Err(_) => totals.restart(name),
                    }
                    // at once: a long call may be interrupted
                    if let Err(error) = ended.and_then(|_| totals.write(&fuzzer.folder)) {
                        failed.lock().expect("no worker panics").push(format!("{name}: {error:#}"));
                    }
                }
            });
        }
    });
    let totals = totals.into_inner().expect("no worker panicked");
    totals.write(&fuzzer.folder)?;
    let all = all.into_inner().expect("no worker panicked");
    println!("{all} inputs in this call; {} without a finding in all calls so far", totals.sum());
    let failed = failed.into_inner().expect("no worker panicked");
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// The program.
struct Fuzzer {
    program: PathBuf,
    /// for everything that it writes
    folder: PathBuf,
    /// of libFuzzer's choices; where none is given, it takes a new one on every run
    seed: Option<u32>,
}

impl Fuzzer {
    fn build() -> Result<Self> {
        let target = root().join("target");
        let mut build = cargo();
        // of the whole workspace: see [`crate::workspace::program`]
        build.args(["build", "--quiet", "--workspace", "--bin", "fuzz", "--features", PROGRAMS]);
        build.arg("--target-dir").arg(&target).env("RUSTC_WORKSPACE_WRAPPER", root().join("tests/fuzz/rustc"));
        run(&mut build, LONG)?;
        Ok(Self { program: target.join("debug/fuzz"), folder: target.join("fuzz"), seed: None })
    }

    /// Runs one target, from the committed inputs and those that were found to lead further before. Returns the number of
    /// its inputs.
    fn run(&self, name: &str, seconds: u64) -> Result<u64> {
        let Self { program, folder, seed } = self;
        let (learnt, found, work) =
            (folder.join("corpus").join(name), folder.join("found"), folder.join("work").join(name));
        for place in [&learnt, &found, &work] {
            fs::create_dir_all(place).with_context(|| place.display().to_string())?;
        }
        let log = work.join("log");
        let file = fs::File::create(&log).with_context(|| log.display().to_string())?;
        let mut fuzzer = Command::new(program);
        fuzzer.arg(&learnt).arg(corpus().join(name)).env("FUZZ_TARGET", name).env("FUZZ_FOLDER", &work);
        fuzzer.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={LONGEST}"));
        fuzzer.args(seed.map(|seed| format!("-seed={seed}")));
        // seconds of the processor are watched inside; this one is for what waits and never comes back
        fuzzer.arg("-timeout=30").arg(format!("-rss_limit_mb={MEMORY}")).arg("-print_final_stats=1");
        fuzzer.arg(format!("-artifact_prefix={}/{name}-", found.display()));
        // one process a core is enough
        fuzzer.env("RAYON_NUM_THREADS", "1").stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let start = Instant::now();
        let ended = wait(fuzzer.spawn()?, Duration::from_secs(seconds) + minutes(3))?;
        let took = start.elapsed().as_secs_f64();
        let text = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
        if !ended.success() {
            let artifact = text.lines().find_map(|line| line.split_once("Test unit written to "));
            let artifact = artifact.map_or("no input was kept", |(_, path)| path);
            let said = text.lines().position(|line| line.contains("panicked at")).map(|at| at + 1);
            let said = said.and_then(|at| text.lines().nth(at)).unwrap_or("see the log");
            bail!("{artifact}: {said} ({ended}; log: {})", log.display());
        }
        let inputs = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        let inputs =
            inputs.and_then(|count| count.trim().parse().ok()).context("libFuzzer tells no number of inputs")?;
        let accepted = accepted(&work).map_or(String::new(), |share| format!(", {:.1} % accepted", 100.0 * share));
        println!("{name:<12} {inputs:>9} inputs{accepted}, {:.0} a second", inputs as f64 / took);
        Ok(inputs)
    }
}

/// The share of inputs that were accepted, as the program counts it.
fn accepted(work: &Path) -> Option<f64> {
    let text = fs::read_to_string(work.join("counts")).ok()?;
    let (inputs, accepted) = text.split_once(' ')?;
    Some(accepted.parse::<f64>().ok()? / inputs.parse::<f64>().ok()?)
}

/// Inputs of each target since its last finding, over all calls: `NAME INPUTS`, one a line.
struct Totals(BTreeMap<String, u64>);

impl Totals {
    const FILE: &str = "totals";

    fn read(folder: &Path) -> Result<Self> {
        let text = fs::read_to_string(folder.join(Self::FILE)).unwrap_or_default();
        let line =
            |line: &str| line.split_once(' ').and_then(|(name, inputs)| Some((name.into(), inputs.parse().ok()?)));
        let totals = text.lines().map(|text| line(text).with_context(|| format!("a total is no number: {text}")));
        Ok(Self(totals.collect::<Result<_>>()?))
    }
    fn write(&self, folder: &Path) -> Result<()> {
        let text: String = self.0.iter().map(|(name, inputs)| format!("{name} {inputs}\n")).collect();
        fs::write(folder.join(Self::FILE), text).context("the totals cannot be written")
    }
    fn add(&mut self, name: &str, inputs: u64) -> u64 {
        *self.0.entry(name.into()).or_default() += inputs;
        inputs
    }
    fn restart(&mut self, name: &str) {
        self.0.remove(name);
    }
    fn sum(&self) -> u64 {
        self.0.values().sum()
    }
}
