//! Tells the program its version with the commit of its sources, `NTKSCOPE_VERSION`: `0.1.0 (commit 0123456789ab)`, and
//! outside a repository `0.1.0`.

use std::path::Path;
use std::process::Command;

fn main() {
    // sources that were unpacked inside another repository are not of its commit
    let commit = git(&["ls-files", "--error-unmatch", "build.rs"])
        .and_then(|_| git(&["describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=, changed since"]));
    let commit = commit.map_or(String::new(), |commit| format!(" (commit {commit})"));
    println!("cargo::rustc-env=NTKSCOPE_VERSION={}{commit}", env!("CARGO_PKG_VERSION"));
    // what a commit and an edit change; a path that is not there would build the program anew every time
    let folders = ["HEAD", "logs/HEAD"].into_iter().filter_map(|name| git(&["rev-parse", "--git-path", name]));
    for path in folders.chain(["build.rs", "src", "backend/src", "../core/src"].map(String::from)) {
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

fn git(args: &[&str]) -> Option<String> {
    let done = Command::new("git").args(args).output().ok().filter(|done| done.status.success())?;
    Some(String::from_utf8(done.stdout).ok()?.trim().to_owned())
}
