//! One kernel on several ranks, started by `mpirun`: results, files and exit codes are those of a single process.

#![cfg(feature = "mpi")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The command line under `mpirun`, in a directory of its own.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn mpirun(&self, ranks: usize, line: &str) -> Command {
        let mut command = Command::new("mpirun");
        let ranks = ranks.to_string();
        command.args(["--allow-run-as-root", "--oversubscribe", "-n", &ranks, env!("CARGO_BIN_EXE_ntkscope")]);
        command.args(line.split_whitespace()).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }
    fn run(&self, ranks: usize, line: &str) -> Output {
        self.mpirun(ranks, line).output().expect("mpirun is there")
    }
    /// Standard output, of a call that must succeed.
    #[track_caller]
    fn succeed(&self, ranks: usize, line: &str) -> String {
        let done = self.run(ranks, line);
        assert!(done.status.success(), "{ranks} ranks, {line}: {}", text(&done.stderr));
        text(&done.stdout)
    }
    /// The same without `mpirun`.
    #[track_caller]
    fn alone(&self, line: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ntkscope"));
        let done = command.args(line.split_whitespace()).current_dir(self.0.path()).output().unwrap();
        assert!(done.status.success(), "{line}: {}", text(&done.stderr));
        text(&done.stdout)
    }
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What is printed apart from the forecast of the memory, which is that of one rank, and what is written.
#[track_caller]
fn same_on_any_number(line: &str, out: &str) {
    let place = Place::new();
    let without_memory = |text: &str| -> serde_json::Value {
        let mut found: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{line}: {e}: {text}"));
        found.as_object_mut().unwrap().remove("memory").expect("a forecast");
        found
    };
    let line = format!("{line} --json --quiet --threads 1 --out {out}");
    let expected = (without_memory(&place.alone(&line)), bytes(&place.path(out)));
    for ranks in [1, 2, 3] {
        std::fs::remove_file(place.path(out)).unwrap();
        let found = (without_memory(&place.succeed(ranks, &line)), bytes(&place.path(out)));
        assert!(found == expected, "{line}: {ranks} ranks differ from one process\n{}\n{}", found.0, expected.0);
        assert_eq!(place.names(), [out], "{line}: {ranks} ranks");
    }
}

/// Groups of one panel, some of them smaller, whose number 2 and 3 do not divide.
#[test]
fn spectra_by_panels() {
    same_on_any_number("spectrum --data sphere --n 3500 --depth 1 --products 3 --steps 2 --probes 2 --ends 2", "S.npz");
}

/// Groups of one leaf; full kernels have several rows a sample.
#[test]
fn spectra_by_gradients() {
    let rest = "--kernel empirical --data sphere --n 9000 --width 16 --products 3 --steps 2 --probes 2 --ends 2";
    same_on_any_number(&format!("spectrum {rest}"), "S.npz");
    same_on_any_number(&format!("spectrum {rest} --dtype f32 --outputs 2 --multi-output full"), "S.npz");
}

#[test]
fn regressions() {
    let rest = "--n 1100 --held-out 1030 --depth 1 --ridge 1e-1 --rank 10 --tolerance 1e-2";
    same_on_any_number(&format!("regress {rest} --data sphere"), "R.npz");
    same_on_any_number(&format!("regress {rest} --data mixture --loss cross-entropy"), "R.csv");
    let rest = "--kernel empirical --width 16 --n 5000 --held-out 30 --ridge 1e-1 --rank 10 --tolerance 1e-2";
    same_on_any_number(&format!("regress {rest} --data sphere"), "R.npz");
}

/// Rows of blocks, of several rows a sample too, written into one file; entries, their summary and the eigenvalues.
#[test]
fn kernels_in_blocks() {
    same_on_any_number("kernel analytic --data sphere --n 1500 --depth 1 --memory 24MB", "K.npy");
    let rest = "--data sphere --n 600 --width 16 --outputs 2 --multi-output full --memory 18MB";
    same_on_any_number(&format!("kernel empirical {rest}"), "K.npy");
}

/// One that is held whole is the same too, and written once.
#[test]
fn kernels_held_whole() {
    same_on_any_number("kernel analytic --data circle --n 40", "K.npz");
}

/// Children of a process.
fn children(of: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |id: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let mut found: Vec<u32> = ids.filter(|id| parent(id) == Some(of)).collect();
    found.sort_unstable();
    found
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

/// A rank that is killed ends the others, with a message and without half a file; so does a signal to `mpirun`.
#[test]
fn a_rank_that_is_killed_ends_all() {
    for (signal, to_all) in [("-KILL", false), ("-TERM", true)] {
        let place = Place::new();
        let line = "kernel analytic --data sphere --n 20000 --depth 2 --memory 200MB --out K.npy --threads 1";
        let mut mpirun = place.mpirun(3, line);
        let mut mpirun = mpirun.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (began, id) = (Instant::now(), mpirun.id());
        // nothing is left running where this test fails
        let _end =
            OnDrop(|| drop(Command::new("kill").args(["-KILL", &id.to_string()]).stderr(Stdio::null()).status()));
        let is_writing = || place.names().iter().any(|name| name.ends_with(".tmp"));
        while !is_writing() {
            assert!(began.elapsed() < Duration::from_secs(60), "no file is begun");
            assert!(mpirun.try_wait().unwrap().is_none(), "it ended too early");
            std::thread::sleep(Duration::from_millis(20));
        }
        let ranks = children(mpirun.id());
        assert_eq!(ranks.len(), 3);
        let target = if to_all { mpirun.id() } else { ranks[1] };
        assert!(Command::new("kill").args([signal, &target.to_string()]).status().unwrap().success());
        let done = mpirun.wait_with_output().unwrap();
        assert!(began.elapsed() < Duration::from_secs(120));
        assert!(!done.status.success());
        if !to_all {
            assert!(text(&done.stderr).contains("signal 9"), "{}", text(&done.stderr));
        }
        assert!(!place.path("K.npy").exists(), "{signal}");
        // a rank that had no time to clean up leaves a temporary name, which goes with the next call
        place.alone("kernel analytic --data circle --n 6 --out C.npy --quiet");
        assert_eq!(place.names(), ["C.npy"], "{signal}");
    }
}

/// What all ranks refuse is said once, with its exit code.
#[test]
fn an_error_is_told_once() {
    let place = Place::new();
    for (line, code, told) in [
        ("spectrum --data none.npz", 3, "none.npz"),
        ("spectrum --data sphere --n 4000 --memory 10MB", 2, "--memory"),
        ("spectrum --data sphere --n 0", 2, "--n"),
        ("run --data circle", 2, "`ntkscope run` does not work on 2 ranks"),
        ("kernel analytic --data circle --out no/such/place/K.npy", 2, "no/such/place"),
    ] {
        let done = place.run(2, line);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{line}: {said}");
        assert_eq!(said.matches("error: ").count(), 1, "{line}: {said}");
        assert!(said.contains(told), "{line}: {said}");
        assert_eq!(place.names(), [""; 0], "{line}");
    }
}
