//! A board is one file, `firmware/boards/NAME.x`: the linker's memory map under a first line
//! `/* target=TRIPLE qemu=MACHINE chip=CHIP */`, `-` where there is none, and what a board may have besides: `cpu=CPU`, for which the
//! compiler chooses instructions.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};

use crate::{
    experiment::room,
    process::root,
    qemu::{ARM, Machine, RISCV},
};

pub(crate) struct Board {
    pub(crate) name: String,
    /// Rust's target triple.
    pub(crate) target: String,
    /// The core as the compiler names it, where the target's own choice of instructions is not to be taken.
    pub(crate) cpu: Option<String>,
    /// QEMU's machine; the nearest one where QEMU lacks the board itself.
    qemu: Option<String>,
    /// probe-rs's name of the chip.
    chip: Option<String>,
    /// Bytes of RAM.
    pub(crate) ram: usize,
    /// Where in its flash results are copied to, where they are.
    pub(crate) keep: Option<u64>,
}

impl Board {
    pub(crate) fn load(name: &str) -> Result<Self> {
        let file = folder().join(name).with_extension("x");
        ensure!(names().iter().any(|board| board == name), "no board `{name}`: the boards are {}", names().join(", "));
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        Self::parse(name, &text).with_context(|| file.display().to_string())
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        let first = text.lines().next().unwrap_or_default();
        let field = |key: &str| {
            let value = first.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            value.filter(|value| *value != "-").map(str::to_owned)
        };
        Ok(Self {
            name: name.to_owned(),
            target: field("target").context("the first line has no target=")?,
            cpu: field("cpu"),
            qemu: field("qemu"),
            chip: field("chip"),
            keep: field("keep").and_then(|word| u64::from_str_radix(word.strip_prefix("nvmc@0x")?, 16).ok()),
            ram: ram(text).context("no line `RAM : ORIGIN = …, LENGTH = …`")?,
        })
    }

    /// Whether its core computes floats by itself.
    pub(crate) fn fpu(&self) -> bool {
        room::has_fpu(&self.target)
    }

    /// QEMU's machine for this board.
    pub(crate) fn machine(&self) -> Result<Machine<'_>> {
        let emulator = if self.target.starts_with("riscv32") { &RISCV } else { &ARM };
        let name = self.qemu.as_deref();
        name.map(|name| Machine { emulator, name }).with_context(|| {
            let boards = names().into_iter().filter(|name| Self::load(name).is_ok_and(|board| board.qemu.is_some()));
            format!("QEMU has no machine for {}: it has one for {}", self.name, boards.collect::<Vec<_>>().join(", "))
        })
    }

    /// probe-rs's chip for this board.
    pub(crate) fn chip(&self) -> Result<&str> {
        self.chip.as_deref().with_context(|| {
            let boards = names().into_iter().filter(|name| Self::load(name).is_ok_and(|board| board.chip.is_some()));
            format!("{} is an emulated board: real ones are {}", self.name, boards.collect::<Vec<_>>().join(", "))
        })
    }
}

fn folder() -> PathBuf {
    root().join("firmware/boards")
}

/// Every board's name, in order.
pub(crate) fn names() -> Vec<String> {
    let entries = fs::read_dir(folder()).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

/// The LENGTH of the region RAM, bytes.
fn ram(text: &str) -> Option<usize> {
    let line = text.lines().find(|line| line.trim_start().starts_with("RAM"))?;
    let length = line.split("LENGTH").nth(1)?.trim_start_matches([' ', '=']).trim();
    let unit = match length.chars().last()? {
        'K' => 1 << 10,
        'M' => 1 << 20,
        _ => 1,
    };
    Some(length.trim_end_matches(['K', 'M']).parse::<usize>().ok()? * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::MORE_QEMU_BOARDS;

    #[test]
    fn every_board_can_be_read_and_has_a_feature_of_its_name() {
        let manifest = fs::read_to_string(root().join("firmware/Cargo.toml")).unwrap();
        assert!(names().len() >= 11);
        for name in names() {
            let board = Board::load(&name).unwrap();
            assert!(board.qemu.is_some() || board.chip.is_some(), "{name} runs nowhere");
            assert!(board.ram >= 16 << 10, "{name}");
            // a real board's images are for its core, which some board in QEMU has too
            let emulated = MORE_QEMU_BOARDS.iter().map(|name| Board::load(name).unwrap().cpu);
            assert!(board.chip.is_none() || board.target.starts_with("thumbv6m") || board.cpu.is_some(), "{name}");
            assert!(board.cpu.is_none() || emulated.into_iter().any(|cpu| cpu == board.cpu), "{name}: {:?}", board.cpu);
            assert!(manifest.contains(&format!("\n{name} = []\n")), "{name} is no feature of the firmware");
        }
    }

    #[test]
    fn the_first_line_and_the_ram_are_read() {
        let text = "/* target=thumbv6m-none-eabi qemu=- chip=nRF51822_xxAA */\nMEMORY {\n  RAM   : ORIGIN = 0x20000000, LENGTH = 16K\n}\n";
        let board = Board::parse("b", text).unwrap();
        assert_eq!(
            (board.target.as_str(), board.chip().unwrap(), board.ram),
            ("thumbv6m-none-eabi", "nRF51822_xxAA", 16384)
        );
        assert!(board.machine().unwrap_err().to_string().starts_with("QEMU has no machine for b"));
        assert!(Board::parse("b", "MEMORY {}").is_err());
        let error = Board::load("nonesuch").err().unwrap().to_string();
        assert!(error.contains("the boards are an385, an386"), "{error}");
    }
}
