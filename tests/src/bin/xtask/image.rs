//! The firmware's binaries, built for one board.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use object::{Object, ObjectSection, SectionFlags, SectionKind, elf};

use crate::{
    board::Board,
    process::{self, minutes, root},
    toolchain::Toolchains,
};

/// Every experiment of the firmware, a binary each.
pub(crate) const BINARIES: [&str; 4] = ["divergence", "initialization", "kernel", "resnet"];

/// The firmware's binary that measures; its frames differ from core to core.
pub(crate) const BENCH: &str = "bench";

/// Every binary of the firmware.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    BINARIES.into_iter().chain([BENCH])
}

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

/// Builds every binary for one board, and keeps the images apart from other boards' of the same target.
pub(crate) fn build(toolchains: &mut Toolchains, board: &Board, transport: Transport) -> Result<Images> {
    let mut cargo = toolchains.cargo("firmware", "build", &board.target)?;
    process::run(
        cargo.args(["--quiet", "--release", "--locked", "--bins"]).args(features(board, transport)),
        minutes(20),
    )
    .context("if the lock file is behind the core's manifest, run `cargo update --workspace` in firmware/")?;
    let target = root().join("firmware/target");
    let folder = target.join("boards").join(format!("{}-{}", board.name, transport.feature()));
    fs::create_dir_all(&folder)?;
    for binary in all() {
        let built = target.join(&board.target).join("release").join(binary);
        fs::copy(&built, folder.join(binary)).with_context(|| built.display().to_string())?;
    }
    Ok(Images { folder })
}

/// Builds one binary, writes it to a real board through probe-rs and shows its frames until it ends.
pub(crate) fn flash(toolchains: &mut Toolchains, board: &Board, binary: &str) -> Result<()> {
    let chip = board.chip()?;
    process::find("probe-rs").context(
        "there is no probe-rs: run `cargo install probe-rs-tools --locked` \
         (on Debian or Ubuntu first `apt-get install pkg-config libudev-dev`)",
    )?;
    let elf = build(toolchains, board, Transport::Rtt)?.elf(binary);
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
