//! A Rust that builds for a Cortex-M.
//!
//! The first of these that can be had is taken, and installed if it is not there:
//! 1. the Rust that runs this program, with the target's `core` from rustup;
//! 2. Debian's `rustc-web`, which comes with the source of `core` and builds it along (`-Zbuild-std`, switched on by
//!    RUSTC_BOOTSTRAP because that compiler is a stable one).
//!
//! Where neither is possible the error says what to type.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::process::{self, minutes, root};

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// rustup's where it can be had, else Debian's
    Auto,
    /// The Rust in PATH, its targets from rustup
    Rustup,
    /// Debian's rustc-web, core built from source
    Debian,
}

/// What turns the word `cargo` into a cargo that builds for one target.
#[derive(Clone)]
enum Toolchain {
    Native,
    Debian { linker: PathBuf },
}

/// The toolchains found so far, so that a target is looked for, or installed, once in a run.
pub(crate) struct Toolchains {
    kind: Kind,
    found: HashMap<String, Toolchain>,
}

impl Toolchains {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, found: HashMap::new() }
    }

    /// `cargo SUBCOMMAND --target TARGET` in `folder` of the repository, by a toolchain that has the target.
    pub(crate) fn cargo(&mut self, folder: &str, subcommand: &str, target: &str) -> Result<Command> {
        let toolchain = match self.found.get(target) {
            Some(toolchain) => toolchain.clone(),
            None => {
                let toolchain = obtain(self.kind, target)?;
                self.found.insert(target.to_owned(), toolchain.clone());
                toolchain
            }
        };
        let mut command = match toolchain {
            Toolchain::Native => {
                let mut command = cargo();
                command.arg(subcommand);
                command
            }
            Toolchain::Debian { linker } => debian_cargo(subcommand, target, &linker),
        };
        command.current_dir(root().join(folder)).args(["--target", target]);
        Ok(command)
    }

    /// Whether all that was built here was built by the Rust in PATH.
    pub(crate) fn are_native(&self) -> bool {
        self.found.values().all(|toolchain| matches!(toolchain, Toolchain::Native))
    }

    /// Finds, or installs, what builds for `targets`, and says which it is.
    pub(crate) fn ensure(&mut self, targets: &[&str]) -> Result<()> {
        for target in targets {
            self.cargo("", "build", target)?;
            let by = match self.found[*target] {
                Toolchain::Native => "the Rust in PATH",
                Toolchain::Debian { .. } => "Debian's Rust, core from source",
            };
            println!("{target}: {by}");
        }
        Ok(())
    }
}

/// The cargo that runs this program, for the host.
///
/// What cargo and rustup set for their children is theirs, not the next cargo's; only the choice of a toolchain
/// (`cargo +nightly xtask …`) goes on.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root());
    for key in ["CARGO", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"] {
        command.env_remove(key);
    }
    command
}

fn obtain(kind: Kind, target: &str) -> Result<Toolchain> {
    let mut tried = String::new();
    if kind != Kind::Debian {
        match native(target) {
            Ok(()) => return Ok(Toolchain::Native),
            Err(error) => tried += &format!("\n  {error:#}"),
        }
    }
    if kind != Kind::Rustup {
        match debian() {
            Ok(linker) => return Ok(Toolchain::Debian { linker }),
            Err(error) => tried += &format!("\n  {error:#}"),
        }
    }
    bail!("no Rust here builds for {target}: run `rustup target add {target}`; what was tried:{tried}")
}

/// Is `target` installed for the Rust in PATH? If not, rustup is asked for it.
pub(crate) fn native(target: &str) -> Result<()> {
    // rustc names the folder of a target's libraries whether it is there or not.
    let installed = || {
        let args = ["--print", "target-libdir", "--target", target];
        process::output(Command::new("rustc").args(args), minutes(1)).is_ok_and(|dir| Path::new(&dir).is_dir())
    };
    if installed() {
        return Ok(());
    }
    // It answers within seconds, or hangs for ever where a network drops what it does not let through.
    process::run(Command::new("rustup").args(["target", "add", target]), Duration::from_secs(120))?;
    if installed() { Ok(()) } else { bail!("rustup added {target}, but the rustc in PATH does not have it") }
}

/// Debian's packages: the compiler, its cargo, the source of core, and clippy.
const DEBIAN: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];

/// The files of those packages that are used.
const DEBIAN_FILES: [&str; 5] = [
    "/usr/bin/rustc",
    "/usr/bin/cargo",
    "/usr/bin/cargo-clippy",
    "/usr/bin/rustdoc",
    "/usr/lib/rustlib/src/rust/library/Cargo.lock",
];

/// Installs what is missing of Debian's Rust; the linker to use with it.
fn debian() -> Result<PathBuf> {
    if !DEBIAN_FILES.iter().all(|file| Path::new(file).exists()) {
        apt_install(&DEBIAN)?;
    }
    if let Some(file) = DEBIAN_FILES.iter().find(|file| !Path::new(file).exists()) {
        bail!("{} are installed, but there is no {file}", DEBIAN.join(" "));
    }
    // Debian's own lld 19 stops at defmt's linker script; rustup's and GNU ld do not.
    if let Ok(sysroot) = process::output(Command::new("rustc").args(["--print", "sysroot"]), minutes(1)) {
        let lld = Path::new(&sysroot).join("lib/rustlib").join(HOST).join("bin/rust-lld");
        if lld.is_file() {
            return Ok(lld);
        }
    }
    if process::find("arm-none-eabi-ld").is_none() {
        apt_install(&["binutils-arm-none-eabi"])?;
    }
    process::find("arm-none-eabi-ld").context("binutils-arm-none-eabi is installed, but there is no arm-none-eabi-ld")
}

/// rustup's name of this machine, of the two that Debian's packages are used on.
const HOST: &str = if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };

fn debian_cargo(subcommand: &str, target: &str, linker: &Path) -> Command {
    let mut command = if subcommand == "clippy" {
        // Through cargo it would be the first cargo-clippy in PATH, which is rustup's.
        let mut command = Command::new("/usr/bin/cargo-clippy");
        command.arg("clippy").env("CARGO", "/usr/bin/cargo");
        command
    } else {
        let mut command = Command::new("/usr/bin/cargo");
        command.arg(subcommand).env_remove("CARGO");
        command
    };
    let linker_key = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace(['-', '.'], "_"));
    command
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("LD_LIBRARY_PATH")
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTDOC", "/usr/bin/rustdoc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env(linker_key, linker)
        .arg("-Zbuild-std=core");
    command
}

/// Installs Debian packages, or says what to type where that is not possible.
pub(crate) fn apt_install(packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get update && apt-get install {}", packages.join(" "));
    if process::find("apt-get").is_none() {
        bail!("there is no apt-get here to install {} with", packages.join(" "));
    }
    let id = process::output(Command::new("id").arg("-u"), minutes(1))?;
    if id != "0" {
        bail!("{} must be installed, which only root may: sudo sh -c '{by_hand}'", packages.join(" "));
    }
    process::run(apt().arg("update"), minutes(5))?;
    process::run(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages), minutes(15))
        .with_context(|| format!("try it by hand: {by_hand}"))
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(["-q", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// The parts of a toolchain that the host's steps call.
pub(crate) fn ensure_components() -> Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        process::output(cargo().args([subcommand, "--version"]), minutes(1)).with_context(|| {
            format!("cargo has no `{subcommand}`: run `rustup component add {component}`, or install your system's package {component}")
        })?;
    }
    Ok(())
}
