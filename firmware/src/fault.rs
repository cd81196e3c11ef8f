//! The end of a run that went wrong: said in a frame, then an exit code. Without these a fault loops for ever.

use cortex_m_rt::{ExceptionFrame, exception};

use crate::{exit, sleep};

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    exit(101)
}

#[defmt::panic_handler]
fn defmt_panic() -> ! {
    exit(101) // the frame has gone out already
}

// SAFETY: cortex-m-rt's linker script defines both; only their addresses are taken here.
unsafe extern "C" {
    // The linker's: where the code begins and ends.
    static __stext: u8;
    static __etext: u8;
}

/// The instruction by which a program calls its debugger, `bkpt 0xab`.
const CALL_OF_THE_DEBUGGER: u16 = 0xbeab;

/// Whether this is the address of a call of the debugger: one that nobody answers is a fault on every core, also on those that cannot
/// ask whether a debugger is there (Armv6-M).
fn is_call(pc: u32) -> bool {
    let code = (&raw const __stext).addr()..(&raw const __etext).addr();
    let pc = pc as usize;
    // SAFETY: an even address inside the code, which is there to be read and is never written.
    code.contains(&pc) && pc.is_multiple_of(2) && unsafe { (pc as *const u16).read() } == CALL_OF_THE_DEBUGGER
}

/// # Safety
/// Only the core calls it, in place of what went wrong, when any invariant may be broken: it reads the frame that the core has
/// stacked, sends one message and never returns.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    if is_call(frame.pc()) {
        // no debugger: another call would lock the core up
        sleep();
    }
    defmt::error!("hard fault at pc {=u32:#010x}, called from {=u32:#010x}", frame.pc(), frame.lr());
    exit(102)
}
