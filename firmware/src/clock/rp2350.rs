//! RP2350: its data sheet, chapter 8, with the board's crystal of 12 MHz.

use super::{BEFORE, Rate};
use crate::registers::{Registers, comes};

// CLOCKS: CLK_REF_CTRL, CLK_REF_DIV, CLK_REF_SELECTED, CLK_SYS_CTRL, CLK_SYS_SELECTED; what is selected has a bit each
const REFERENCE: usize = 0x4001_0030;
const REFERENCE_DIVIDER: usize = 0x4001_0034;
const REFERENCE_SELECTED: usize = 0x4001_0038;
const SYSTEM: usize = 0x4001_003c;
const SYSTEM_SELECTED: usize = 0x4001_0044;
// RESETS: RESET, RESET_DONE
const RESET: usize = 0x4002_0000;
const RESET_DONE: usize = 0x4002_0008;
const PLL_SYS: u32 = 1 << 14;
// XOSC: CTRL, STATUS
const CRYSTAL: usize = 0x4004_8000;
const CRYSTAL_STATUS: usize = 0x4004_8004;
const STABLE: u32 = 1 << 31;
// PLL_SYS: CS, PWR, FBDIV_INT, PRIM
const PLL: usize = 0x4005_0000;
const LOCKED: u32 = 1 << 31;
const POWER: usize = 0x4005_0004;
/// Bits of what is without power: the PLL, its dividers, its oscillator; and DSMPD, which stays.
const DIVIDERS_DOWN: u32 = 1 << 3;
const DOWN: u32 = 1 | 1 << 5;
const DSMPD: u32 = 1 << 2;
const FEEDBACK: usize = 0x4005_0008;
const DIVIDERS: usize = 0x4005_000c;

/// 150 MHz is the rate of the voltage that the chip begins with, 1.10 V. The flash goes at the divider that the boot ROM has chosen.
pub(super) fn set_up(chip: &mut impl Registers) -> Rate {
    let as_before = |why| Rate::as_before(None, why);
    if chip.read(RESET) & PLL_SYS == 0 {
        return as_before(BEFORE);
    }
    // by the reference, whatever the boot ROM has left
    let system = chip.read(SYSTEM);
    chip.write(SYSTEM, system & !1);
    if !comes(chip, SYSTEM_SELECTED, 0b11, 1) {
        chip.write(SYSTEM, system);
        return as_before("the core does not change over to the reference: on as the boot ROM left it");
    }
    // ENABLE and 1 to 15 MHz, by the words that guard them; the delay for its start is that after a reset, 4 ms
    chip.write(CRYSTAL, 0xfab << 12 | 0xaa0);
    if !comes(chip, CRYSTAL_STATUS, STABLE, STABLE) {
        return as_before("the crystal does not oscillate: on by the ring oscillator");
    }
    // the boot ROM may have divided it
    chip.write(REFERENCE_DIVIDER, 1 << 16);
    let reference = chip.read(REFERENCE);
    chip.write(REFERENCE, reference & !0b11 | 2);
    if !comes(chip, REFERENCE_SELECTED, 0b1111, 1 << 2) {
        chip.write(REFERENCE, reference);
        return as_before("the reference does not change over to the crystal: on by the ring oscillator");
    }
    let by_crystal = |why| Rate::as_before(Some(12), why);
    let reset = chip.read(RESET);
    chip.write(RESET, reset & !PLL_SYS);
    if !comes(chip, RESET_DONE, PLL_SYS, PLL_SYS) {
        return by_crystal("the PLL stays in its reset: 12 MHz");
    }
    // 12 MHz / 1 x 125 = 1500 MHz, / 5 / 2; dividers before power, the last ones once it is locked
    chip.write(PLL, 1);
    chip.write(FEEDBACK, 125);
    chip.write(POWER, DSMPD | DIVIDERS_DOWN);
    if !comes(chip, PLL, LOCKED, LOCKED) {
        chip.write(POWER, DSMPD | DIVIDERS_DOWN | DOWN);
        return by_crystal("the PLL does not lock: 12 MHz");
    }
    chip.write(DIVIDERS, 5 << 16 | 2 << 12);
    chip.write(POWER, DSMPD);
    // AUXSRC 0, PLL_SYS, while the core goes by the reference; then SRC
    chip.write(SYSTEM, 0);
    chip.write(SYSTEM, 1);
    if !comes(chip, SYSTEM_SELECTED, 0b11, 1 << 1) {
        chip.write(SYSTEM, 0);
        return by_crystal("the core does not change over to the PLL: 12 MHz");
    }
    Rate::up(150, "150 MHz from the crystal")
}
