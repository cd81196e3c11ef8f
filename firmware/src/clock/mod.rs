//! The clock and the caches of a board that begins with less than it has, `clock=` in the first line of its file: set up before
//! anything else. What a wait does not see within its bound is said, and the board goes on as after a reset.
//!
//! No result depends on it, and none was measured on silicon: registers and limits are those of the manuals named beside them.

mod rp2350;
mod stm32f4;
mod stm32h7;

use crate::registers::Registers;

/// What a board begins with.
pub(crate) enum Clock {
    /// STM32F405, F407 and F446: from the internal oscillator of 16 MHz to 168 MHz by the PLL.
    #[allow(dead_code, reason = "a board has one of them")]
    Stm32f4,
    /// STM32H743: from the internal oscillator of 64 MHz to 400 MHz by the first PLL, at the voltage that it takes.
    #[allow(dead_code, reason = "a board has one of them")]
    Stm32h7,
    /// nRF52833 and nRF52840: 64 MHz as it is; the cache of the flash.
    #[allow(dead_code, reason = "a board has one of them")]
    Nrf52,
    /// RP2350: from the ring oscillator, whose rate nobody knows, to 150 MHz by a crystal of 12 MHz and the PLL.
    #[allow(dead_code, reason = "a board has one of them")]
    Rp2350,
}

/// How fast a core goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    /// MHz, where they are known
    pub(crate) mhz: Option<u32>,
    /// what was set up; or what did not come about
    pub(crate) said: Result<&'static str, &'static str>,
}

impl Rate {
    const fn up(mhz: u32, said: &'static str) -> Self {
        Self { mhz: Some(mhz), said: Ok(said) }
    }
    const fn as_before(mhz: Option<u32>, why: &'static str) -> Self {
        Self { mhz, said: Err(why) }
    }
}

/// Why a board is left alone.
const BEFORE: &str = "the clock was set up before: it is left as it is";

/// Sets it up, and says what a board goes by now.
pub(crate) fn set_up(clock: &Clock, chip: &mut impl Registers) -> Rate {
    match clock {
        Clock::Stm32f4 => stm32f4::set_up(chip),
        Clock::Stm32h7 => stm32h7::set_up(chip),
        Clock::Nrf52 => {
            // ICACHECNF.CACHEEN: nRF52840 and nRF52833 product specifications, chapter NVMC
            chip.write(0x4001_e540, 1);
            Rate::up(64, "64 MHz, the cache of the flash on")
        }
        Clock::Rp2350 => rp2350::set_up(chip),
    }
}
