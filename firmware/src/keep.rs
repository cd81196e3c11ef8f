//! Results that outlast the power: at the end of a run the region of the RAM is copied to the board's flash, where its file says so
//! by `keep=nvmc@ADDRESS`, a page after all that the linker may fill. Once a run: a page bears some ten thousand erasures.
//!
//! By the non-volatile memory controller of the nRF51 and nRF52: nRF51 reference manual, and nRF52833 and nRF52840 product
//! specifications, chapter NVMC. Tried in QEMU, whose nRF51 has one.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::registers::{Registers, comes};

const READY: usize = 0x4001_e400;
const CONFIG: usize = 0x4001_e504;
const READS: u32 = 0;
const WRITES: u32 = 1;
const ERASES: u32 = 2;
const ERASE_PAGE: usize = 0x4001_e508;
/// FICR.CODEPAGESIZE, bytes
const PAGE_SIZE: usize = 0x1000_0010;

/// Waits of [`comes`] before one gives up: an erasure takes some 90 ms, during which a core whose instructions are in a cache goes on.
const PATIENCE: usize = 50;

/// Writes these words from the address `to` on, unless they stand there; pages that they do not fill are erased too.
///
/// # Errors
/// What did not come about; the flash can be read then as always, and what it holds fails its checksum.
pub(crate) fn copy(chip: &mut impl Registers, to: usize, words: &[AtomicU32]) -> Result<(), &'static str> {
    if holds(chip, to, words) {
        return Ok(());
    }
    let copied = write(chip, to, words);
    chip.write(CONFIG, READS);
    copied?;
    if holds(chip, to, words) { Ok(()) } else { Err("the flash does not hold what was written") }
}

fn holds(chip: &mut impl Registers, from: usize, words: &[AtomicU32]) -> bool {
    (from..).step_by(4).zip(words).all(|(at, word)| chip.read(at) == word.load(Relaxed))
}

fn ready(chip: &mut impl Registers) -> bool {
    (0..PATIENCE).any(|_| comes(chip, READY, 1, 1))
}

fn write(chip: &mut impl Registers, to: usize, words: &[AtomicU32]) -> Result<(), &'static str> {
    let size = chip.read(PAGE_SIZE) as usize;
    if !size.is_power_of_two() || !to.is_multiple_of(size) {
        return Err("`keep=` names no beginning of a page");
    }
    chip.write(CONFIG, ERASES);
    for page in (to..to + size_of_val(words)).step_by(size) {
        chip.write(ERASE_PAGE, page as u32);
        if !ready(chip) {
            return Err("a page is not erased");
        }
    }
    chip.write(CONFIG, WRITES);
    for (at, word) in (to..).step_by(4).zip(words) {
        chip.write(at, word.load(Relaxed));
        if !ready(chip) {
            return Err("a word is not written");
        }
    }
    Ok(())
}
