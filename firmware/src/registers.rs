//! Registers of a chip, and waits for what they are to become.

/// Registers of 32 bits, by their addresses.
pub(crate) trait Registers {
    fn read(&mut self, register: usize) -> u32;
    fn write(&mut self, register: usize, value: u32);
}

/// Reads before a wait ends: milliseconds, where the longest of a clock takes four, and the core stands still while its flash is written.
const BOUND: u32 = 100_000;

/// Whether these bits of a register come to be these.
pub(crate) fn comes(chip: &mut impl Registers, register: usize, mask: u32, bits: u32) -> bool {
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
        // SAFETY: `clock` and `keep` name registers and words of flash of the chip that the board's file names, of 32 bits, aligned to 4; nothing
        // else in this program uses them, and no Rust object lies there. Volatile, because a write does something.
        unsafe { (register as *mut u32).write_volatile(value) }
        // a clock, a cache, or a word is another for what follows
        cortex_m::asm::dsb();
        cortex_m::asm::isb();
    }
}
