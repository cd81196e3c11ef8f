//! What every experiment on a Cortex-M needs and none should see: the way out for defmt's frames, the handlers that
//! end a run that went wrong, and the measure of its stack.
//!
//! A binary of this package hands a static buffer to an [`experiment`] and sends what comes back; no mathematics lives
//! here.
//!
//! A number goes out as a frame without a level, `RUN RECORD FIELD BITS VALUE`: its bits in hex, which is what is
//! compared, and what they are as a float, which is for the reader. All else that is said has a level.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | the experiment is done |
//! | 1 | it reported an error |
//! | 101 | a panic |
//! | 102 | a hard fault |
//! | 103 | the stack is full |
#![no_std]

pub mod cost;
pub mod counter;
pub mod experiment;
mod fault;
#[cfg(soft_floats)]
mod soft;
pub mod stack;

use experiment::Number;

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

/// Numbers in a buffer, as many as are asked for: too many for the board's RAM end the build with a sentence.
///
/// # Panics
/// Where the buffer and the stack do not fit, in the compiler.
pub const fn fitting(len: usize) -> usize {
    assert!(
        len <= (RAM - STACK - OTHERS) / size_of::<f32>(),
        "the buffer and the stack do not fit the RAM of this board: choose a smaller network"
    );
    len
}

/// Bytes of the variables that are no buffers, the transport's, at most; on a board with little RAM the task runner makes it
/// smaller.
const OTHERS: usize = match (cfg!(feature = "rtt"), RAM < experiment::room::LITTLE) {
    (false, _) => 0,
    (true, false) => 1280,
    (true, true) => 448,
};

/// Says what runs, and where.
pub fn start(experiment: &'static str) {
    defmt::info!("{=str} on {=str}, {=usize} bytes of RAM", experiment, BOARD, RAM);
}

/// Sends one number.
pub fn send(Number { run, record, field, value }: Number) {
    defmt::println!("{=str} {=u32} {=str} {=u32:08x} {=f32}", run, record, field, value.to_bits(), value);
}

/// Ends an experiment: says how deep the stack went, or what went wrong.
pub fn finish(result: Result<(), ntkscope_core::Error>) -> ! {
    defmt::info!("stack {=usize} of {=usize} bytes", stack::used(), stack::available());
    match result {
        Ok(()) => exit(0),
        Err(error) => {
            defmt::error!("{}", error);
            exit(1)
        }
    }
}

/// Ends the run once every frame has left, with an exit code from 0 to 255.
///
/// QEMU ends with it as its own; `probe-rs run` does too.
pub fn exit(code: u8) -> ! {
    defmt::flush();
    semihosting::process::exit(code.into())
}
