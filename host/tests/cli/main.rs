//! The program as it is used: arguments, exit codes, messages, files.

mod bench;
mod blocks;
mod checkpoints;
mod clusters;
mod continued;
mod data;
#[cfg(unix)]
mod device;
mod directories;
mod drift;
// the firmware's experiments themselves, compiled for this machine
#[allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "public in the firmware, whose binaries are crates of their own"
)]
#[path = "../../../firmware/src/experiment/mod.rs"]
mod experiment;
#[cfg(target_os = "linux")]
mod faults;
mod files;
mod inputs;
mod judged;
mod kernel;
mod kernel_files;
mod large;
#[cfg(target_os = "linux")]
mod limits;
mod messages;
mod options;
#[cfg(unix)]
mod outputs;
mod params;
mod predict;
mod published;
mod readme;
mod refused;
mod report;
mod reproduce;
mod run;
mod scale;
mod scripts;
mod settings;
mod shards;
mod shifted;
#[cfg(unix)]
mod signals;
mod smoothness;
#[cfg(unix)]
mod streams;
mod summed;
mod sweep;
mod targets;
mod times;
mod typing;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ntkscope::files::npz;
use ntkscope::run::Trace;
use tempfile::TempDir;

/// An empty directory in which the program runs.
struct Place(TempDir);

/// What the program did.
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }
    /// `path` as an argument.
    fn arg(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
    /// Writes a file and returns its path as an argument.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        self.arg(name)
    }
    fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ntkscope"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        // the user's own data folder is no part of a test
        command.env("HOME", self.0.path().join("home")).env_remove("XDG_DATA_HOME").env_remove("SLURM_ARRAY_TASK_ID");
        command
    }
    fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Done {
        let output = self.command(args).output().unwrap();
        Done {
            code: output.status.code().expect("ended by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
    /// Runs words separated by spaces; they must succeed.
    #[track_caller]
    fn succeed(&self, line: &str) -> Done {
        let done = self.run(line.split_whitespace());
        assert_eq!(done.code, 0, "{line}: {}", done.stderr);
        done
    }
    /// Every file with its content, and every directory.
    fn content(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        collect(self.0.path(), &mut found);
        found
    }
    fn bytes(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }
    /// An array of an npz file: shape and numbers.
    #[track_caller]
    fn array(&self, file: &str, name: &str) -> (Vec<usize>, Vec<f64>) {
        npz::open(&self.path(file)).unwrap().array(name).unwrap()
    }
    fn trace(&self, name: &str) -> Trace {
        Trace::read("", &self.path(name)).unwrap()
    }
}

fn collect(directory: &Path, found: &mut BTreeMap<PathBuf, Option<Vec<u8>>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
            found.insert(path, None);
        } else {
            // of a link that leads nowhere, where it leads
            let target = || fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes();
            let content = fs::read(&path).unwrap_or_else(|_| target());
            found.insert(path, Some(content));
        }
    }
}

#[track_caller]
fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e} in {text}"))
}
