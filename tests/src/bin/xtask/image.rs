//! The firmware's binaries, built for one board.

use std::{
    env, fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use ntkscope_frames::{Event, Received, Recording, Source, Until, receive};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SectionKind, elf};

use crate::{
    board::Board,
    experiment::room,
    experiments::EXPERIMENTS,
    process::{self, minutes, root},
    toolchain::{Toolchains, cargo},
};

/// The firmware's binary that measures; its frames differ from core to core.
pub(crate) const BENCH: &str = "bench";

/// The firmware's binary that goes wrong, in every way.
pub(crate) const ENDS: &str = "ends";

/// The firmware's binary that trains in slices beside a task with a deadline.
pub(crate) const DEADLINE: &str = "deadline";

/// The same under an executor: the binary, the feature that it needs, whose packages nothing else builds, and the board of the checks.
pub(crate) const EXECUTORS: [(&str, &str, &str); 2] =
    [("deadline_rtic", "rtic", "lm3s6965"), ("deadline_embassy", "embassy", "an386")];

/// Every experiment of the firmware, a binary each.
pub(crate) fn experiments() -> impl Iterator<Item = &'static str> + Clone {
    EXPERIMENTS.iter().map(|(name, _)| *name)
}

/// The experiment in every scalar, which a board of little RAM has no room for.
const AWKWARD: &str = "awkward";

/// Every experiment that a board has room for.
pub(crate) fn experiments_of(board: &Board) -> impl Iterator<Item = &'static str> {
    let has_little = board.ram < room::LITTLE;
    experiments().filter(move |name| !has_little || *name != AWKWARD)
}

/// Every binary of the firmware.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    experiments().chain(others()).chain(EXECUTORS.map(|(binary, ..)| binary))
}

/// Those that are no experiments, on every Cortex-M.
pub(crate) fn others() -> [&'static str; 3] {
    [BENCH, ENDS, DEADLINE]
}

/// How the frames leave the chip.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// To QEMU.
    Semihosting,
    /// To a debug probe.
    Rtt,
    /// Over the board's UART.
    Serial,
}

impl Transport {
    pub(crate) fn feature(self) -> &'static str {
        match self {
            Self::Semihosting => "semihosting",
            Self::Rtt => "rtt",
            Self::Serial => "serial",
        }
    }
}

/// The binaries of one board and transport, as they were built.
pub(crate) struct Images {
    folder: PathBuf,
}

impl Images {
    pub(crate) fn elf(&self, binary: &str) -> PathBuf {
        self.folder.join(binary)
    }
}

/// The arguments that choose a board and a transport.
pub(crate) fn features(board: &Board, transport: Transport) -> [String; 3] {
    ["--no-default-features".into(), "--features".into(), format!("{},{}", board.name, transport.feature())]
}

/// Builds these binaries for one board, and keeps the images apart from other boards' of the same target.
pub(crate) fn build(
    toolchains: &mut Toolchains,
    board: &Board,
    transport: Transport,
    binaries: &[&str],
) -> Result<Images> {
    let mut cargo = toolchains.cargo("firmware", "build", &board.target)?;
    cargo.args(["--release", "--locked"]).args(features(board, transport));
    for (_, feature, _) in EXECUTORS.iter().filter(|(binary, ..)| binaries.contains(binary)) {
        cargo.args(["--features", feature]);
    }
    cargo.args(binaries.iter().flat_map(|binary| ["--bin", binary]));
    // somebody who waits sees what is compiled
    if !io::stderr().is_terminal() {
        cargo.arg("--quiet");
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags(board).join("\x1f"));
    if board.ram < room::LITTLE {
        cargo.env("DEFMT_RTT_BUFFER_SIZE", "256");
    }
    let kept = root().join("firmware/target");
    // wherever the caller's own builds go; a core's apart, because cargo keeps what it builds for one set of flags alone
    let target = board.cpu.as_ref().map_or_else(|| kept.clone(), |cpu| kept.join(cpu));
    cargo.env("CARGO_TARGET_DIR", &target);
    process::run(&mut cargo, minutes(20)).map_err(|error| if is_locked_out() { error.context(LOCK) } else { error })?;
    let folder = kept.join("boards").join(format!("{}-{}", board.name, transport.feature()));
    fs::create_dir_all(&folder)?;
    for binary in binaries {
        let built = target.join(&board.target).join("release").join(binary);
        fs::copy(&built, folder.join(binary)).with_context(|| built.display().to_string())?;
    }
    Ok(Images { folder })
}

const LOCK: &str = "the lock file is behind the manifests: run `cargo update --workspace` in firmware/";

/// Whether the firmware's lock file is not that of its manifests.
fn is_locked_out() -> bool {
    let mut metadata = cargo();
    metadata.args(["metadata", "--locked", "--offline", "--format-version", "1"]).current_dir(root().join("firmware"));
    process::output(&mut metadata, minutes(1)).is_err()
}

/// Writes one binary to a real board through probe-rs and receives its frames until it ends.
pub(crate) fn flash(
    probe: &Path,
    elf: &Path,
    chip: &str,
    limit: Duration,
    recording: Option<&mut Recording>,
    show: &mut dyn FnMut(Event<'_>),
) -> Result<Received> {
    // of each frame its time, its level and its text alone
    let mut child = Command::new(probe)
        // its own handlers say what a fault was: the probe is not to halt the core before them
        .args(["run", "--chip", chip, "--no-catch-hardfault", "--log-format", "{t} {L} {s}"])
        .arg(elf)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {PROBE_RS}"))?;
    let pipe = child.stdout.take().expect("stdout is piped");
    let received = receive(&Source::lines(PROBE_RS, pipe), Until::limit(limit), recording, show);
    if received.as_ref().is_ok_and(|received| received.code.is_some()) {
        // it ends with the board, which is asleep where it does not
        let _ = process::wait(child, Duration::from_secs(10));
    } else {
        child.kill()?;
        child.wait()?;
    }
    Ok(received?)
}

const PROBE_RS: &str = "probe-rs";

/// The program that talks to debug probes, or how it is installed.
pub(crate) fn probe() -> Result<PathBuf> {
    let missing = "there is no probe-rs: run `cargo install probe-rs-tools --locked` \
         (on Debian or Ubuntu first `apt-get install pkg-config libudev-dev`)";
    process::find(PROBE_RS).context(missing)
}

/// Where the results of an image stay in the board's RAM: address and bytes.
pub(crate) fn region(elf: &Path) -> Result<(u64, u64)> {
    let bytes = fs::read(elf).with_context(|| elf.display().to_string())?;
    let file = object::File::parse(&*bytes).with_context(|| elf.display().to_string())?;
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok("NTKSCOPE_RESULTS"));
    let symbol = symbol.with_context(|| format!("{} keeps no results", elf.display()))?;
    Ok((symbol.address(), symbol.size()))
}

/// The folders of whoever builds, which would otherwise stand in the messages of panics, and what stands there instead.
fn folders() -> Vec<(PathBuf, &'static str)> {
    let mut folders = vec![(root().to_owned(), "")];
    let home = env::var_os("HOME").map(PathBuf::from);
    for (variable, name, short) in [("CARGO_HOME", ".cargo", "cargo"), ("RUSTUP_HOME", ".rustup", "rustup")] {
        let folder = env::var_os(variable).map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(name)));
        folders.extend(folder.map(|folder| (folder, short)));
    }
    folders
}

/// The compiler's flags for a board.
fn flags(board: &Board) -> Vec<String> {
    let cpu = board.cpu.iter().map(|cpu| format!("-Ctarget-cpu={cpu}"));
    without_paths().into_iter().chain(cpu).collect()
}

/// What makes an image the same whoever builds it, and wherever.
fn without_paths() -> Vec<String> {
    let folders = folders().into_iter();
    folders.map(|(folder, short)| format!("--remap-path-prefix={}={short}", folder.display())).collect()
}

/// An error where a folder of whoever built it stands in what goes to the board.
pub(crate) fn check_paths(elf: &Path) -> Result<()> {
    let bytes = fs::read(elf).with_context(|| elf.display().to_string())?;
    let file = object::File::parse(&*bytes).with_context(|| elf.display().to_string())?;
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
        if sh_flags & u64::from(elf::SHF_ALLOC) == 0 || section.kind() == SectionKind::UninitializedData {
            continue;
        }
        let data = section.data()?;
        for (folder, _) in folders() {
            let folder = folder.display().to_string();
            let is_there = data.windows(folder.len()).any(|window| window == folder.as_bytes());
            ensure!(!is_there, "{} holds the path {folder}, in {}", elf.display(), section.name()?);
        }
    }
    Ok(())
}

/// What an image takes of a board.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Size {
    /// Bytes of flash: code, constants, and the first values of variables.
    pub(crate) flash: u64,
    /// Bytes of static RAM: variables and buffers, without the stack.
    pub(crate) ram: u64,
}

impl Size {
    pub(crate) fn read(elf: &Path) -> Result<Self> {
        let bytes = fs::read(elf).with_context(|| elf.display().to_string())?;
        let file = object::File::parse(&*bytes).with_context(|| elf.display().to_string())?;
        let mut size = Self { flash: 0, ram: 0 };
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
            if sh_flags & u64::from(elf::SHF_ALLOC) == 0 {
                continue;
            }
            let bare = section.kind() == SectionKind::UninitializedData;
            if !bare {
                size.flash += section.size();
            }
            if bare || section.kind() == SectionKind::Data {
                size.ram += section.size();
            }
        }
        Ok(size)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{os::unix::fs::PermissionsExt, process};

    use ntkscope_frames::checksum;

    use super::*;

    /// A program in place of probe-rs that prints what it prints: its own words, levels, and `<lvl>` before what has none.
    fn flashed(bits: u32) -> Result<Received> {
        let folder = std::env::temp_dir().join(format!("ntkscope-probe-{}-{bits}", process::id()));
        fs::create_dir_all(&folder)?;
        let program = folder.join("probe-rs");
        let sum = checksum(0, "a", 0, "loss", 1.0_f32.to_bits());
        let lines = format!(
            "      Erasing ✔ 100% [####]\nINFO  kernel on nrf52840dk\n<lvl> a 0 loss {bits:08x} 1 #0 {sum:08x}\nINFO  end: 0, 1 numbers"
        );
        fs::write(&program, format!("#!/bin/sh\ncat <<'END'\n{lines}\nEND\n"))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        let received = flash(&program, Path::new("image"), "chip", minutes(1), None, &mut |_| ());
        fs::remove_dir_all(&folder)?;
        received
    }

    #[test]
    fn frames_of_a_probe_are_received_and_a_flipped_bit_is_named() {
        let right = 1.0_f32.to_bits();
        let received = flashed(right).unwrap();
        assert_eq!((received.numbers.len(), received.ended().unwrap()), (1, 0));
        assert_eq!(received.frames[0].to_string(), "info: kernel on nrf52840dk");
        let error = flashed(right ^ 1).unwrap_err().to_string();
        assert!(error.starts_with("number 0 was damaged on its way: `a 0 loss 3f800001"), "{error}");
    }
}
