//! The end of a run that went wrong: said in a frame, then an exit code. Without these a fault loops for ever.

use cortex_m_rt::{ExceptionFrame, exception};

use crate::exit;

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    exit(101)
}

#[defmt::panic_handler]
fn defmt_panic() -> ! {
    exit(101) // the frame has gone out already
}

/// # Safety
/// Only the core calls it, in place of what went wrong, when any invariant may be broken: it reads the frame that the core has
/// stacked, sends one message and never returns.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at pc {=u32:#010x}, called from {=u32:#010x}", frame.pc(), frame.lr());
    exit(102)
}
