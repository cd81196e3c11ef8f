//! The firmware's binaries, built for one board.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, SectionFlags, SectionKind, elf};

use crate::{
    board::Board,
    experiment::room,
    process::{self, minutes, root},
    toolchain::Toolchains,
};

/// Every experiment of the firmware, a binary each.
pub(crate) const BINARIES: [&str; 4] = ["divergence", "initialization", "kernel", "resnet"];

/// The firmware's binary that measures; its frames differ from core to core.
pub(crate) const BENCH: &str = "bench";

/// The firmware's binary whose stack is too short, and how it ends.
pub(crate) const OVERFLOW: (&str, u8) = ("overflow", 103);

/// The firmware's binary that trains in slices beside a task with a deadline.
pub(crate) const DEADLINE: &str = "deadline";

/// Every binary of the firmware.
pub(crate) const ALL: [&str; 7] = ["divergence", "initialization", "kernel", "resnet", BENCH, OVERFLOW.0, DEADLINE];

/// How the frames leave the chip.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// To QEMU.
    Semihosting,
    /// To a debug probe.
    Rtt,
}

impl Transport {
    pub(crate) fn feature(self) -> &'static str {
        match self {
            Self::Semihosting => "semihosting",
            Self::Rtt => "rtt",
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
    cargo.args(["--quiet", "--release", "--locked"]).args(features(board, transport));
    cargo.args(binaries.iter().flat_map(|binary| ["--bin", binary]));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", without_paths().join("\x1f"));
    if board.ram < room::LITTLE {
        cargo.env("DEFMT_RTT_BUFFER_SIZE", "256");
    }
    process::run(&mut cargo, minutes(20))
        .context("if the lock file is behind the core's manifest, run `cargo update --workspace` in firmware/")?;
    let target = root().join("firmware/target");
    let folder = target.join("boards").join(format!("{}-{}", board.name, transport.feature()));
    fs::create_dir_all(&folder)?;
    for binary in binaries {
        let built = target.join(&board.target).join("release").join(binary);
        fs::copy(&built, folder.join(binary)).with_context(|| built.display().to_string())?;
    }
    Ok(Images { folder })
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

/// Builds one binary, writes it to a real board through probe-rs and shows its frames until it ends.
pub(crate) fn flash(toolchains: &mut Toolchains, board: &Board, binary: &str) -> Result<()> {
    let chip = board.chip()?;
    process::find("probe-rs").context(
        "there is no probe-rs: run `cargo install probe-rs-tools --locked` \
         (on Debian or Ubuntu first `apt-get install pkg-config libudev-dev`)",
    )?;
    let elf = build(toolchains, board, Transport::Rtt, &[binary])?.elf(binary);
    process::run(Command::new("probe-rs").args(["run", "--chip", chip]).arg(elf), minutes(60))
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
