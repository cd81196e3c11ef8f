//! Ticks of SysTick since its start: cycles of the core, in QEMU a part of the time that it emulates.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use cortex_m::peripheral::{Peripherals, SCB, SYST, syst::SystClkSource};
use cortex_m_rt::exception;

/// SysTick counts down from here.
const RELOAD: u32 = 0x00ff_ffff;
/// How often it has done so.
static WRAPS: AtomicU32 = AtomicU32::new(0);
/// Whether its first round has begun: until the first tick it rests at 0, the end of a round as well.
static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

#[exception]
fn SysTick() {
    WRAPS.store(WRAPS.load(Relaxed).wrapping_add(1), Relaxed);
}

/// Starts it; where it runs already it goes on.
pub(crate) fn start() {
    // nothing else in this program uses the peripherals of the core, so that they are still to be had, once
    let Some(mut core) = Peripherals::take() else { return };
    core.SYST.set_clock_source(SystClkSource::Core);
    core.SYST.set_reload(RELOAD);
    core.SYST.clear_current();
    core.SYST.enable_interrupt();
    core.SYST.enable_counter();
}

/// Ends it, so that nothing wakes a core that is to sleep.
pub(crate) fn stop() {
    // SAFETY: a write to a register of the core that `start` alone has written before; it changes nothing but the counter.
    unsafe { (*SYST::PTR).csr.write(0) }
}

/// Ticks since the start.
pub(crate) fn now() -> u64 {
    loop {
        let (wraps, left, waits) = (WRAPS.load(Relaxed), SYST::get_current(), SCB::is_pendst_pending());
        if left != 0 {
            HAS_BEGUN.store(true, Relaxed);
        } else if !HAS_BEGUN.load(Relaxed) {
            return 0;
        }
        if wraps == WRAPS.load(Relaxed) {
            // a round that nobody has counted yet, as no interrupt comes within a frame: `left` is of the next, unless that began
            // between the two looks
            let uncounted = waits && left > RELOAD / 2;
            let rounds = u64::from(wraps) + u64::from(uncounted);
            return (rounds << 24) + u64::from(RELOAD - left);
        }
    }
}
