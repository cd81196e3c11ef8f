//! STM32F405, F407 and F446: RM0090 and RM0390.

use super::{BEFORE, Rate};
use crate::registers::{Registers, comes};

// RCC, RM0090 chapter 7.3 and RM0390 chapter 6.3: RCC_CR, RCC_PLLCFGR, RCC_CFGR
const CR: usize = 0x4002_3800;
const PLL_ON: u32 = 1 << 24;
const PLL_READY: u32 = 1 << 25;
const PLLCFGR: usize = 0x4002_3804;
const CFGR: usize = 0x4002_3808;
const SWITCHED: u32 = 0b11 << 2;
// FLASH_ACR, RM0090 chapter 3.9.1 and RM0390 chapter 3.8.1
const ACR: usize = 0x4002_3c00;

/// The voltage scale that 168 MHz need, 1, is the reset value of PWR_CR (RM0090 chapter 5.4.1, RM0390 chapter 5.4.1).
pub(super) fn set_up(chip: &mut impl Registers) -> Rate {
    let as_before = |why| Rate::as_before(Some(16), why);
    if chip.read(CR) & PLL_ON != 0 || chip.read(CFGR) & SWITCHED != 0 {
        return Rate::as_before(None, BEFORE);
    }
    // five wait states, from 2.7 V on (RM0090 table 10, RM0390 table 5), with the caches of instructions and of data; not the
    // prefetch, which the first revision of the F407 has to do without (its errata)
    let flash = 5 | 1 << 9 | 1 << 10;
    chip.write(ACR, flash);
    if !comes(chip, ACR, flash, flash) {
        return as_before("the flash does not take its wait states: 16 MHz");
    }
    // from the internal oscillator (PLLSRC 0): / M = 8, x N = 168, / P = 2 (its code is 0), / Q = 7, and the 2 that the four highest
    // bits have after a reset
    chip.write(PLLCFGR, 2 << 28 | 7 << 24 | 168 << 6 | 8);
    let begun = chip.read(CR);
    chip.write(CR, begun | PLL_ON);
    if !comes(chip, CR, PLL_READY, PLL_READY) {
        chip.write(CR, begun);
        return as_before("the PLL does not lock: 16 MHz");
    }
    // the buses, at most 42 and 84 MHz: PPRE1 / 4, PPRE2 / 2; then SW = 2, the PLL
    let buses = 0b101 << 10 | 0b100 << 13;
    chip.write(CFGR, buses);
    chip.write(CFGR, buses | 2);
    if !comes(chip, CFGR, SWITCHED, 2 << 2) {
        chip.write(CFGR, buses);
        return as_before("the core does not change over to the PLL: 16 MHz");
    }
    Rate::up(168, "168 MHz from the internal oscillator, the caches of the flash on")
}
