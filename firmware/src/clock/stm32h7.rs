//! STM32H743: RM0433 and the data sheet DS12110. The first revisions go to 400 MHz, the later ones to 480.

use super::{BEFORE, Rate};
use crate::registers::{Registers, comes};

// PWR, RM0433 chapter 6.8: CSR1, CR3, D3CR
const SUPPLIED: usize = 0x5802_4804;
const SUPPLY: usize = 0x5802_480c;
const VOLTAGE: usize = 0x5802_4818;
/// ACTVOSRDY and VOSRDY: the voltage is that which was asked for.
const READY: u32 = 1 << 13;
// RCC, RM0433 chapter 8.7: CR, CFGR, D1CFGR, D2CFGR, D3CFGR, PLLCKSELR, PLLCFGR, PLL1DIVR
const CR: usize = 0x5802_4400;
const PLL_ON: u32 = 1 << 24;
const PLL_READY: u32 = 1 << 25;
const CFGR: usize = 0x5802_4410;
const SWITCHED: u32 = 0b111 << 3;
const D1CFGR: usize = 0x5802_4418;
const D2CFGR: usize = 0x5802_441c;
const D3CFGR: usize = 0x5802_4420;
const PLLCKSELR: usize = 0x5802_4428;
const PLLCFGR: usize = 0x5802_442c;
const PLL1DIVR: usize = 0x5802_4430;
// FLASH_ACR, RM0433 chapter 4.9.1
const ACR: usize = 0x5200_2000;
// CCR and ICIALLU of the core, Armv7-M manual chapters B3.2.8 and B2.2.7
const CCR: usize = 0xe000_ed14;
const INSTRUCTION_CACHE: u32 = 1 << 17;
const INVALIDATE: usize = 0xe000_ef50;

// AXI_TARG7_FN_MOD, RM0433 chapter 2.6: of the AXI SRAM, where all data are
const AXI_SRAM: usize = 0x5100_8108;

pub(super) fn set_up(chip: &mut impl Registers) -> Rate {
    // one read at a time, without which the first revision may read what is not there (erratum "Reading from AXI SRAM may lead to data
    // read corruption", ES0392)
    chip.write(AXI_SRAM, 1);
    let as_before = |why| Rate::as_before(Some(64), why);
    if chip.read(CR) & PLL_ON != 0 || chip.read(CFGR) & SWITCHED != 0 {
        return Rate::as_before(None, BEFORE);
    }
    // the cache of instructions alone: what lies in that of data is lost at a reset, and results are to outlast it
    chip.write(INVALIDATE, 0);
    let control = chip.read(CCR);
    chip.write(CCR, control | INSTRUCTION_CACHE);
    // the supply, by the regulator of the chip (LDOEN, SCUEN), has to be said once before the voltage may change; then scale 1
    chip.write(SUPPLY, 0b110);
    if !comes(chip, SUPPLIED, READY, READY) {
        return as_before("the supply is not as the board has it: 64 MHz");
    }
    chip.write(VOLTAGE, 0b11 << 14);
    if !comes(chip, VOLTAGE, READY, READY) {
        return as_before("the voltage does not come up: 64 MHz");
    }
    // two wait states and WRHIGHFREQ 2 up to 210 MHz at scale 1 (RM0433 table 17); after a reset there are seven
    let flash = 2 | 2 << 4;
    chip.write(ACR, flash);
    if !comes(chip, ACR, 0b11_1111, flash) {
        return as_before("the flash does not take its wait states: 64 MHz");
    }
    // from the internal oscillator (PLLSRC 0): / M = 4 is 16 MHz, which is RGE = 3 with the wide oscillator; x N = 50, / P = 2, and
    // Q and R, which nothing uses, as after a reset; dividers are written less one
    let select = chip.read(PLLCKSELR);
    chip.write(PLLCKSELR, select & !(0b11 | 63 << 4) | 4 << 4);
    let config = chip.read(PLLCFGR);
    chip.write(PLLCFGR, config & !0b1111 | 3 << 2);
    let dividers = chip.read(PLL1DIVR);
    chip.write(PLL1DIVR, dividers & !0xffff | 1 << 9 | 49);
    let begun = chip.read(CR);
    chip.write(CR, begun | PLL_ON);
    if !comes(chip, CR, PLL_READY, PLL_READY) {
        chip.write(CR, begun);
        return as_before("the PLL does not lock: 64 MHz");
    }
    // AXI and AHB at most 200 MHz, HPRE / 2, and the four APB at most 100 MHz, / 2 (data sheet, general operating conditions)
    chip.write(D1CFGR, 0b1000 | 0b100 << 4);
    chip.write(D2CFGR, 0b100 << 4 | 0b100 << 8);
    chip.write(D3CFGR, 0b100 << 4);
    let source = chip.read(CFGR);
    chip.write(CFGR, source | 3);
    if !comes(chip, CFGR, SWITCHED, 3 << 3) {
        chip.write(CFGR, source);
        [D1CFGR, D2CFGR, D3CFGR].into_iter().for_each(|buses| chip.write(buses, 0));
        return as_before("the core does not change over to the PLL: 64 MHz");
    }
    Rate::up(400, "400 MHz from the internal oscillator, the cache of instructions on")
}
