//! Instructions in QEMU, cycles on a real core, both by SysTick.
//!
//! QEMU counts no cycles; under `-icount` its clock is the number of instructions times a constant, which a loop of
//! known length finds.

use core::arch::asm;

use crate::ticks::{self, now};

/// What [`Counter::count`] counts.
pub const UNIT: &str = if cfg!(feature = "semihosting") { "instructions" } else { "cycles" };

/// Counts what a piece of work takes.
pub struct Counter {
    /// Ticks of an empty piece of work.
    empty: u64,
    /// Ticks of [`KNOWN`] instructions, or cycles.
    ticks: u64,
}

/// Instructions of the loop that calibrates.
const KNOWN: u32 = 200_000;

impl Counter {
    /// Starts counting; nothing where it does not tick, or not in step with the instructions.
    pub fn start() -> Option<Self> {
        ticks::start();
        let empty = ticks(&mut || spin(2));
        let known = |instructions| ticks(&mut || spin(2 + instructions)).saturating_sub(empty);
        let counter = Self { empty, ticks: known(KNOWN) };
        if counter.ticks == 0 {
            return None;
        }
        if cfg!(feature = "rtt") {
            return Some(Self { ticks: KNOWN.into(), ..counter });
        }
        // A tick more or less is the rounding of QEMU's clock; without `-icount` the two differ by far more.
        let (said, length) = (counter.units(known(KNOWN / 10)), u64::from(KNOWN / 10));
        (said.abs_diff(length) <= length / 1000).then_some(counter)
    }

    /// What `work` takes.
    pub fn count(&self, work: &mut dyn FnMut()) -> u64 {
        self.units(ticks(work).saturating_sub(self.empty))
    }

    /// All that has passed since the start.
    pub fn now(&self) -> u64 {
        self.units(now())
    }

    fn units(&self, ticks: u64) -> u64 {
        ticks * u64::from(KNOWN) / self.ticks
    }
}

fn ticks(work: &mut dyn FnMut()) -> u64 {
    let start = now();
    work();
    now() - start
}

/// Takes this many instructions, an even number, and a few more that do not depend on it.
#[inline(never)]
fn spin(instructions: u32) {
    // SAFETY: it writes the register that it was given and the flags, which `asm!` takes for changed, and touches neither memory
    // nor stack, as the options say.
    unsafe { asm!("2: subs {0}, {0}, #1", "bne 2b", inout(reg) instructions / 2 => _, options(nomem, nostack)) }
}
