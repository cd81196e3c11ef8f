//! What every experiment on a Cortex-M needs and none should see: the way out for defmt's frames, the handlers that
//! end a run that went wrong, and the measure of its stack.
//!
//! A binary of this package describes a network and its buffers, hands both to `ntkscope-core`, and logs what comes
//! back; no mathematics lives here.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | the experiment is done |
//! | 1 | it reported an error |
//! | 101 | a panic |
//! | 102 | a hard fault |
#![no_std]

mod fault;
pub mod stack;

#[cfg(all(feature = "semihosting", feature = "rtt"))]
compile_error!("one transport at a time: add --no-default-features");
#[cfg(not(any(feature = "semihosting", feature = "rtt")))]
compile_error!("no transport: --features semihosting for QEMU, --features rtt for a debug probe");

// Linked for its critical sections alone, which defmt's transports call.
use cortex_m as _;
#[cfg(feature = "rtt")]
use defmt_rtt as _;
#[cfg(feature = "semihosting")]
use defmt_semihosting as _;

include!(concat!(env!("OUT_DIR"), "/board.rs"));

/// Ends the run once every frame has left, with an exit code from 0 to 255.
///
/// QEMU ends with it as its own; `probe-rs run` does too.
pub fn exit(code: u8) -> ! {
    defmt::flush();
    semihosting::process::exit(code.into())
}
