//! What the root's Cargo.toml declares and nothing else would notice: the oldest compiler, and how the packages that do the
//! arithmetic are optimized.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::process::{self, minutes, root};
use crate::steps::Session;
use crate::toolchain::cargo;

/// The packages whose speed is the program's: these, and all that they depend on.
const ARITHMETIC: [&str; 2] = ["ntkscope-backend", "ntkscope-core"];
/// What of it does no arithmetic: it may be optimized as any other package is.
const PLUMBING: [&str; 30] = [
    "bitflags",
    "byteorder",
    "cfg-if",
    "crossbeam-utils",
    "crunchy",
    "either",
    "equator",
    "generativity",
    "hash32",
    "heapless",
    "hermit-abi",
    "libc",
    "num_cpus",
    "once_cell",
    "pulp-wasm-simd-flag",
    "raw-cpuid",
    "reborrow",
    "same-file",
    "serde",
    "serde_core",
    "stable_deref_trait",
    "sysctl",
    "thiserror",
    "walkdir",
    "winapi-util",
    "windows-link",
    "windows-sys",
    "zerocopy",
    // ours, which have the level of the workspace
    "ntkscope-backend",
    "ntkscope-core",
];

/// The declared oldest compiler is the one that all of this runs with, and the one that people are told of.
pub(crate) fn oldest_compiler(_: &mut Session) -> Result<()> {
    let manifest = manifest()?;
    let declared = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'));
    let declared = declared.context("Cargo.toml declares no rust-version")?;
    let said = process::output(Command::new("rustc").arg("--version").current_dir(root()), minutes(1))?;
    compare(declared, &said)?;
    for file in ["README.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(file)).with_context(|| file.to_owned())?;
        let told: Vec<&str> = text.split("Rust 1.").skip(1).map(minor).collect();
        let other = told.iter().find(|minor| declared != format!("1.{minor}"));
        ensure!(other.is_none(), "{file} says Rust 1.{}, Cargo.toml {declared}", other.unwrap_or(&""));
    }
    println!("Rust {declared} is declared, and {said} runs the checks");
    Ok(())
}

/// The digits at the beginning.
fn minor(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

/// `1.95` against `rustc 1.95.0 (…)`.
fn compare(declared: &str, said: &str) -> Result<()> {
    let version = said.split_whitespace().nth(1).with_context(|| format!("rustc says {said:?}"))?;
    if version.starts_with(&format!("{declared}.")) {
        return Ok(());
    }
    bail!(
        "Cargo.toml declares Rust {declared} as the oldest, but the checks run with {version}, so nothing shows that \
         {declared} can build it: run them with {declared}, or declare what they run with"
    )
}

/// Every package of the arithmetic has a level of its own in the profile of releases, and every level a package.
pub(crate) fn optimized(_: &mut Session) -> Result<()> {
    let args = ["metadata", "--format-version", "1", "--locked"];
    let metadata: Value = serde_json::from_str(&process::output(cargo().args(args), minutes(5))?)?;
    let graph = Graph::read(&metadata)?;
    let levels = levels(&manifest()?);
    let undecided: Vec<_> = graph
        .below(&ARITHMETIC)?
        .into_iter()
        .filter(|name| !levels.contains(name) && !PLUMBING.contains(&name.as_str()))
        .collect();
    ensure!(
        undecided.is_empty(),
        "the arithmetic depends on {}, which have no opt-level of their own: give them [profile.release.package.NAME] in \
         Cargo.toml, or name them in xtask's declared.rs as no arithmetic",
        undecided.join(", ")
    );
    let gone: Vec<_> = levels.iter().filter(|name| !graph.names.contains(*name)).cloned().collect();
    ensure!(gone.is_empty(), "Cargo.toml has an opt-level for {}, which nothing depends on", gone.join(", "));
    println!("{} packages have an opt-level of their own", levels.len());
    Ok(())
}

fn manifest() -> Result<String> {
    fs::read_to_string(root().join("Cargo.toml")).context("Cargo.toml")
}

/// Names of the packages that have a table `[profile.release.package.NAME]`.
fn levels(manifest: &str) -> BTreeSet<String> {
    let name = |line: &str| line.strip_prefix("[profile.release.package.")?.strip_suffix(']').map(str::to_owned);
    manifest.lines().filter_map(name).filter(|name| !name.starts_with('"')).collect()
}

/// Which package depends on which, by id, at run time: neither for the build nor for tests.
struct Graph {
    names: BTreeSet<String>,
    /// name, and ids of what it depends on; packages that only run in the compiler are left out
    packages: BTreeMap<String, (String, Vec<String>)>,
}

impl Graph {
    fn read(metadata: &Value) -> Result<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let (mut names, mut packages) = (BTreeSet::new(), BTreeMap::new());
        for package in list(&metadata["packages"]) {
            names.insert(text(&package["name"]));
            let macros = |target: &Value| list(&target["kind"]).iter().any(|kind| kind == "proc-macro");
            if !list(&package["targets"]).iter().any(macros) {
                packages.insert(text(&package["id"]), (text(&package["name"]), Vec::new()));
            }
        }
        for node in list(&metadata["resolve"]["nodes"]) {
            let Some((_, below)) = packages.get_mut(&text(&node["id"])) else { continue };
            for dependency in list(&node["deps"]) {
                if list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()) {
                    below.push(text(&dependency["pkg"]));
                }
            }
        }
        ensure!(!packages.is_empty(), "cargo metadata has no packages");
        Ok(Self { names, packages })
    }

    /// Names of these packages and of all that they depend on.
    fn below(&self, roots: &[&str]) -> Result<BTreeSet<String>> {
        let root = |name: &&str| {
            let found = self.packages.iter().find(|(_, (known, _))| known == name);
            found.map(|(id, _)| id).with_context(|| format!("there is no package {name}"))
        };
        let mut left: Vec<&String> = roots.iter().map(root).collect::<Result<_>>()?;
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        while let Some(id) = left.pop() {
            if let Some((_, below)) = self.packages.get(id).filter(|_| seen.insert(id)) {
                left.extend(below);
            }
        }
        Ok(seen.into_iter().filter_map(|id| Some(self.packages.get(id)?.0.clone())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_declared_compiler_will_do() {
        assert!(compare("1.95", "rustc 1.95.0 (59807616e 2026-04-14)").is_ok());
        for other in ["rustc 1.96.0", "rustc 1.9.5", "rustc"] {
            assert!(compare("1.95", other).is_err(), "{other}");
        }
        assert_eq!([minor("95 or later"), minor("9"), minor("x")], ["95", "9", ""]);
    }

    #[test]
    fn what_the_arithmetic_depends_on_is_found() {
        let package = |name: &str, kind: &str| json!({"id": name, "name": name, "targets": [{"kind": [kind]}]});
        let needs = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let libraries = ["a", "b", "c", "d"].map(|name| package(name, "lib"));
        let packages: Vec<Value> = libraries.into_iter().chain([package("m", "proc-macro")]).collect();
        let metadata = json!({
            "packages": packages,
            "resolve": {"nodes": [
                {"id": "a", "deps": [needs("b", Value::Null), needs("c", json!("build")), needs("m", Value::Null)]},
                {"id": "b", "deps": [needs("d", Value::Null), needs("a", json!("dev"))]},
            ]},
        });
        let graph = Graph::read(&metadata).unwrap();
        assert_eq!(graph.below(&["a"]).unwrap().into_iter().collect::<Vec<_>>(), ["a", "b", "d"]);
        assert!(graph.below(&["nobody"]).is_err());
        let text = "[profile.release.package.\"*\"]\n[profile.release.package.gemm]\nopt-level = 3\n[profile.dev]\n";
        assert_eq!(levels(text).into_iter().collect::<Vec<_>>(), ["gemm"]);
    }
}
