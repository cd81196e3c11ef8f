//! Input and output that fail: the exit code of each fault, one sentence of ours, and nothing left behind.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::{Done, Place};

impl Place {
    /// Runs with files limited to `blocks` of 512 bytes: a write beyond it is an error, as on a full disk.
    fn limited(&self, line: &str, blocks: u32) -> Done {
        let script = "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"";
        let program = self.command(line.split_whitespace());
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh", &blocks.to_string()]).arg(program.get_program()).args(program.get_args());
        shell.current_dir(self.path("")).env("HOME", self.path("home")).env_remove("XDG_DATA_HOME");
        done(&mut shell)
    }
    /// Runs as somebody who owns nothing here, if the tests are the superuser's; else as who they are.
    fn as_nobody(&self, line: &str) -> Done {
        let mut command = self.command(line.split_whitespace());
        if is_superuser() {
            command.uid(65534).gid(65534);
        }
        done(&mut command)
    }
}

fn is_superuser() -> bool {
    fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0)
}

fn done(command: &mut Command) -> Done {
    let output = command.output().unwrap();
    Done {
        code: output.status.code().expect("ended by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn one_sentence(done: &Done, line: &str) {
    // what the command works on may be told before
    let errors = done.stderr.lines().filter(|said| said.starts_with("error: ")).count();
    let last = done.stderr.trim_end().lines().last().unwrap_or_default();
    assert!(errors == 1 && last.starts_with("error: "), "{line}: {}", done.stderr);
    for noise in ["ZipWriter", "panicked", "os error"] {
        assert!(!done.stderr.contains(noise), "{line}: {}", done.stderr);
    }
}

/// Every command that writes, with files limited to more and more: each time code 4, until all fits.
#[test]
fn a_full_disk_has_a_code_and_leaves_nothing() {
    let blocks = "kernel empirical --data sphere --n 1200 --width 8 --dtype f32 --memory 18MiB --quiet --threads 1";
    for (line, directory) in [
        ("kernel analytic --quiet --out K.npz", false),
        ("kernel analytic --quiet --out K.npy", false),
        ("kernel empirical --width 16 --quiet --params-out P.npz", false),
        (&format!("{blocks} --out K.npy"), false),
        (blocks, false),
        ("predict --loss mse --held-out 40 --data sphere --n 10 --quiet --out P.npz", false),
        ("predict --loss mse --held-out 40 --data sphere --n 10 --quiet --out P.csv", false),
        ("run --width 16 --until-time 1 --snapshots 3 --loss mse --quiet --out o", true),
        ("smoothness --data sphere --n 20 --depth 1 --draws 2 --window 2..8 --quiet --out o", true),
    ] {
        let mut failures = 0;
        for size in (0..14).map(|power| (1 << power) / 2) {
            let place = Place::new();
            let done = place.limited(line, size);
            if done.code == 0 {
                break;
            }
            failures += 1;
            assert_eq!(done.code, 4, "{line}, {size} blocks: {}", done.stderr);
            one_sentence(&done, line);
            let left = place.content();
            let hidden = left.keys().any(|path| path.file_name().unwrap().to_string_lossy().starts_with('.'));
            assert!(!hidden && (directory || left.is_empty()), "{line}, {size} blocks: left {:?}", left.keys());
            assert!(size > 0 || left.is_empty(), "{line}: left {:?}", left.keys());
        }
        assert!(failures > 0, "{line}: no limit was too small");
    }
}

#[test]
fn a_study_on_a_full_disk() {
    let place = Place::new();
    let line = "reproduce divergence --only six-points --network fcn --widths 4 --seeds 1 --quiet --out o";
    let done = place.limited(line, 1);
    assert_eq!(done.code, 4, "{}", done.stderr);
    one_sentence(&done, line);
    let hidden = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
    assert!(!place.content().keys().any(hidden), "{:?}", place.content().keys());
}

#[test]
fn permission_is_the_systems_to_give() {
    let place = Place::new();
    place.file("x.csv", "0,1,0\n1,0,1\n1,1,0\n-1,0,1\n");
    place.file("s.toml", "width = 4\n");
    place.succeed("kernel empirical --width 4 --params-out P.npz --out K.npz --quiet");
    place.succeed("kernel analytic --out K.npy --quiet");
    place.file("P.safetensors", "secret");
    fs::create_dir(place.path("closed")).unwrap();
    place.succeed("run --width 4 --until-time 0.1 --out both --quiet");
    place.succeed("run --width 4 --loss mse --until-time 0.1 --out run --quiet");
    place.succeed("sweep --set width=4,8 --loss mse --until-time 0.1 --out sweep --quiet");
    fs::create_dir_all(place.path("cifar/cifar-10-batches-bin")).unwrap();
    fs::create_dir_all(place.path("listed")).unwrap();
    const CLOSED: [&str; 10] =
        ["x.csv", "s.toml", "P.npz", "K.npz", "K.npy", "P.safetensors", "closed", "both/mse", "run", "sweep/runs"];
    let set = |name: &str, mode| fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
    CLOSED.iter().for_each(|name| set(name, 0o000));
    // its names can be read, and nothing else
    ["listed", "cifar/cifar-10-batches-bin"].iter().for_each(|name| set(name, 0o644));
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    for line in [
        "data show --data x.csv",
        "data show --data K.npz",
        "data show --data mnist --data-dir closed",
        "data show --data mnist --data-dir listed",
        "data show --data cifar-10 --data-dir cifar",
        "data show --data closed/x.npy",
        // what may not be looked at is not taken for absent
        "report run",
        "report both",
        "report sweep",
        "run --continue run",
        "drift closed/a.npz closed/b.npz --data sphere",
        "run s.toml --out o",
        "kernel analytic --data x.csv",
        "kernel empirical --params P.npz",
        "kernel empirical --params P.safetensors",
        "predict --loss mse --test x.csv",
        "compare K.npz K.npz",
        "compare K.npy K.npy",
        // and to write
        "kernel analytic --out closed/K.npz",
        "kernel analytic --out K.npz",
        "kernel analytic --out new.npz",
        "kernel empirical --width 4 --params-out P.npz",
        "predict --loss mse --held-out 2 --out K.npz",
        "run --width 4 --out closed",
        "run --width 4 --out closed/o",
        "run --width 4 --out o",
        "run --width 4",
        "smoothness --data sphere --n 20 --window 2..8 --out o",
        "reproduce divergence --only six-points --network fcn --widths 4 --seeds 1 --out o",
    ] {
        // somebody who runs the tests as himself may write new files here
        let may_write =
            !is_superuser() && !line.contains("closed") && !line.contains("K.npz") && !line.contains("P.npz");
        let writes_only = line.contains("out") && !line.contains(".toml");
        if may_write && writes_only || !is_superuser() && line == "run --width 4" {
            continue;
        }
        let done = place.as_nobody(line);
        assert_eq!(done.code, 4, "{line}: {}", done.stderr);
        one_sentence(&done, line);
        assert!(
            done.stderr.contains("ermission denied") || done.stderr.contains("protected"),
            "{line}: {}",
            done.stderr
        );
    }
    // so that they can be removed
    CLOSED.iter().rev().for_each(|name| set(name, 0o755));
    ["listed", "cifar/cifar-10-batches-bin"].iter().for_each(|name| set(name, 0o755));
}

/// What was typed wrongly, is not there, or is damaged, beside what the system refuses.
#[test]
fn each_fault_has_its_code() {
    let place = Place::new();
    place.file("file", "kept");
    place.file("bad.npz", "no archive");
    place.file("bad.csv", "1,2\n3\n");
    fs::create_dir_all(place.path("d.npz")).unwrap();
    // a file that can be opened and not read
    for name in ["io.csv", "io.npz", "io.npy", "io.safetensors", "io.toml"] {
        symlink("/proc/self/mem", place.path(name)).unwrap();
    }
    // a link that leads nowhere is no file of labels that is missing
    place.succeed("kernel analytic --data sphere --n 5 --out linked-x.npy --quiet");
    symlink("nowhere.npy", place.path("linked-y.npy")).unwrap();
    for (line, code) in [
        // wrong usage or settings
        ("kernel analytic --out nowhere/K.npz", 2),
        ("kernel analytic --out file/K.npz", 2),
        ("kernel analytic --out d.npz", 2),
        ("run --width 4 --out file", 2),
        ("run --width 4 --out file/o", 2),
        ("run d.npz --out o", 2),
        ("run absent.toml --out o", 2),
        ("drift d.npz d.npz --data sphere", 2),
        ("smoothness --data sphere --n 20 --window 2..8 --out file/o", 2),
        ("reproduce divergence --only six-points --network fcn --widths 4 --seeds 1 --out file/o", 2),
        // data missing or damaged
        ("data show --data absent.csv", 3),
        ("data show --data bad.csv", 3),
        ("data show --data bad.npz", 3),
        ("kernel empirical --params absent.npz", 3),
        ("kernel empirical --params bad.npz", 3),
        ("compare absent.npz absent.npz", 3),
        ("compare bad.npz bad.npz", 3),
        ("data show --data linked-x.npy", 3),
        // the system's
        ("data show --data io.csv", 4),
        ("data show --data io.npz", 4),
        ("data show --data io.npy", 4),
        ("run --width 4 --data io.npz --out o", 4),
        ("run io.toml --out o", 4),
        ("kernel empirical --params io.npz", 4),
        ("kernel empirical --params io.safetensors", 4),
        ("predict --loss mse --test io.npz", 4),
        ("compare io.npz io.npz", 4),
        ("compare io.npy io.npy", 4),
    ] {
        let done = place.run(line.split_whitespace());
        assert_eq!(done.code, code, "{line}: {}", done.stderr);
        one_sentence(&done, line);
    }
}
