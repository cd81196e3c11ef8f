//! The end of a run that went wrong: said in a frame, then an exit code. Without these a fault loops for ever.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::{end, exit};

/// The exit code of what went wrong first; 0 where nothing has.
static FIRST: AtomicU8 = AtomicU8::new(0);

/// Notes what goes wrong with this exit code. Where that happens on the way of saying what went wrong before, as in a frame that was begun
/// already, the image ends at once, without another frame.
pub(crate) fn again(code: u8) {
    match FIRST.load(Relaxed) {
        0 => FIRST.store(code, Relaxed),
        first => end(first),
    }
}

/// Says where, and why. The text is formatted, which takes flash; without it, as file and line alone, an image is 448 bytes of 264 KB
/// smaller, as what a panic would have formatted stays in it.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    again(101);
    defmt::error!("{}", defmt::Display2Format(info));
    exit(101)
}

#[defmt::panic_handler]
fn defmt_panic() -> ! {
    exit(101) // the frame has gone out already
}

/// The end of the run of an image whose stack was too short.
pub(crate) extern "C" fn overflow() -> ! {
    again(103);
    defmt::error!(
        "the stack is full, all {=usize} bytes of it: a smaller network, or more of `stack` in room.rs",
        crate::STACK
    );
    exit(103)
}
