//! The clock and the cache of a board that begins with less than it has, `clock=` in the first line of its file: set up before anything
//! else. What a wait does not see within its bound is said, and the board goes on as after a reset.
//!
//! No result depends on it, and none was measured on silicon: registers and limits are those of the manuals named beside them.

/// What a board begins with.
pub(crate) enum Clock {
    /// STM32F405, F407 and F446: from the internal oscillator of 16 MHz to 168 MHz by the PLL.
    #[allow(dead_code, reason = "a board has one of them")]
    Stm32f4,
    /// nRF52833 and nRF52840: 64 MHz as it is; the cache of the flash.
    #[allow(dead_code, reason = "a board has one of them")]
    Nrf52,
}

/// Registers of 32 bits, by their addresses.
pub(crate) trait Registers {
    fn read(&mut self, register: usize) -> u32;
    fn write(&mut self, register: usize, value: u32);
}

/// What a board goes by now; or what did not come about.
pub(crate) fn set_up(clock: &Clock, chip: &mut impl Registers) -> Result<&'static str, &'static str> {
    match clock {
        Clock::Stm32f4 => stm32f4(chip),
        Clock::Nrf52 => {
            // ICACHECNF.CACHEEN: nRF52840 and nRF52833 product specifications, chapter NVMC
            chip.write(0x4001_e540, 1);
            Ok("64 MHz, the cache of the flash on")
        }
    }
}

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
fn stm32f4(chip: &mut impl Registers) -> Result<&'static str, &'static str> {
    if chip.read(CR) & PLL_ON != 0 || chip.read(CFGR) & SWITCHED != 0 {
        return Err("the clock was set up before: it is left as it is");
    }
    // five wait states, from 2.7 V on (RM0090 table 10, RM0390 table 5), with the caches of instructions and of data; not the
    // prefetch, which the first revision of the F407 has to do without (its errata)
    let flash = 5 | 1 << 9 | 1 << 10;
    chip.write(ACR, flash);
    if !comes(chip, ACR, flash, flash) {
        return Err("the flash does not take its wait states: 16 MHz");
    }
    // from the internal oscillator (PLLSRC 0): / M = 8, x N = 168, / P = 2 (its code is 0), / Q = 7, and the 2 that the four highest
    // bits have after a reset
    chip.write(PLLCFGR, 2 << 28 | 7 << 24 | 168 << 6 | 8);
    let begun = chip.read(CR);
    chip.write(CR, begun | PLL_ON);
    if !comes(chip, CR, PLL_READY, PLL_READY) {
        chip.write(CR, begun);
        return Err("the PLL does not lock: 16 MHz");
    }
    // the buses, at most 42 and 84 MHz: PPRE1 / 4, PPRE2 / 2; then SW = 2, the PLL
    let buses = 0b101 << 10 | 0b100 << 13;
    chip.write(CFGR, buses);
    chip.write(CFGR, buses | 2);
    if !comes(chip, CFGR, SWITCHED, 2 << 2) {
        chip.write(CFGR, buses);
        return Err("the core does not change over to the PLL: 16 MHz");
    }
    Ok("168 MHz from the internal oscillator, the caches of the flash on")
}

/// Reads before a wait ends: milliseconds, where the longest, the PLL's, takes 300 microseconds at most by the data sheets.
const BOUND: u32 = 100_000;

/// Whether these bits of a register come to be these.
fn comes(chip: &mut impl Registers, register: usize, mask: u32, bits: u32) -> bool {
    (0..BOUND).any(|_| chip.read(register) & mask == bits)
}

/// Those of the chip itself.
#[cfg(target_os = "none")]
pub(crate) struct Chip;

#[cfg(target_os = "none")]
impl Registers for Chip {
    fn read(&mut self, register: usize) -> u32 {
        // SAFETY: as for `write`; reading these registers changes nothing.
        unsafe { (register as *const u32).read_volatile() }
    }

    fn write(&mut self, register: usize, value: u32) {
        // SAFETY: this file names registers of 32 bits of the chip that the board's file names by `clock=`, aligned to 4; nothing else in
        // this program uses them, and no Rust object lies there. Volatile, because a write does something.
        unsafe { (register as *mut u32).write_volatile(value) }
    }
}
