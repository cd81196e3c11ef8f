//! What every experiment on a microcontroller needs and none should see: the way out for defmt's frames, the handlers that
//! end a run that went wrong, the results that stay in RAM, and the measure of the stack.
//!
//! A binary of this package hands a static buffer to an [`experiment`] and sends what comes back; no mathematics lives
//! here.
//!
//! What a frame is, `ntkscope_frames` says: a number has its place in the sequence and a checksum; all else that is said has a level.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | the experiment is done |
//! | 1 | it reported an error |
//! | 101 | a panic |
//! | 102 | a hard fault, or a trap of RISC-V |
//! | 103 | the stack is full |
//!
//! Where no debugger takes the exit code the core sleeps; the results stay in the region `NTKSCOPE_RESULTS`.
#![no_std]

// binaries are compiled for the host too, where this name is another crate's
extern crate self as ntkscope_firmware;

#[cfg(target_arch = "arm")]
mod arm;
mod buffer;
#[cfg(clock)]
mod clock;
pub mod cost;
#[cfg(ticks)]
pub mod counter;
pub mod experiment;
mod fault;
#[cfg(target_arch = "riscv32")]
mod hart;
#[cfg(kept)]
mod keep;
#[cfg(any(clock, kept))]
mod registers;
mod results;
#[cfg(feature = "serial")]
mod serial;
#[cfg(soft_floats)]
mod soft;
pub mod stack;
#[cfg(stamped)]
mod stamp;
#[cfg(ticks)]
mod ticks;

use experiment::{Board, Experiment, Number, Output};
use ntkscope_frames::{capacity, checksum, words, words_of};

#[cfg(any(
    all(feature = "semihosting", feature = "rtt"),
    all(feature = "semihosting", feature = "serial"),
    all(feature = "rtt", feature = "serial")
))]
compile_error!("one transport at a time: add --no-default-features");
#[cfg(not(any(feature = "semihosting", feature = "rtt", feature = "serial")))]
compile_error!("no transport: --features semihosting for QEMU, rtt for a debug probe, serial for the board's UART");

#[cfg(target_arch = "arm")]
use arm::wait;
pub use buffer::Buffer;
#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(feature = "rtt")]
use defmt_rtt as _;
#[cfg(feature = "semihosting")]
use defmt_semihosting as _;
#[cfg(target_arch = "riscv32")]
use hart::wait;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

include!(concat!(env!("OUT_DIR"), "/board.rs"));

/// The board that this image is for, as experiments ask for it.
pub const HERE: Board = Board { ram: RAM, fpu: FPU };

/// Numbers in a buffer, as many as are asked for: too many for the board's RAM end the build with a sentence.
///
/// # Panics
/// Where the buffer and the stack do not fit, in the compiler.
pub const fn held(len: usize) -> usize {
    assert!(
        len + words_of(capacity(RAM)) <= (RAM - STACK - OTHERS) / size_of::<f32>(),
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

/// Runs an experiment to its end and sends what it computes; `buffer` holds at least as many numbers as it asks for.
// where it is called the experiment is a constant, so that sizes are known and no call is indirect
#[inline(always)]
pub fn run(experiment: &Experiment, name: &'static str, buffer: &mut [f32]) -> ! {
    start(name);
    shows(experiment.shows);
    defmt::info!("{=usize} numbers in the buffer", buffer.len());
    finish((experiment.run)(HERE, buffer, &mut Frames))
}

/// Says what runs, and where.
pub fn start(name: &'static str) {
    #[cfg(target_arch = "riscv32")]
    hart::begin();
    #[cfg(clock)]
    let clock = clock::set_up(&CLOCK, &mut registers::Chip);
    #[cfg(all(stamped, clock))]
    stamp::begin(clock.mhz);
    #[cfg(all(stamped, not(clock)))]
    stamp::begin(MHZ);
    results::begin();
    defmt::info!("{=str} on {=str}, {=usize} bytes of RAM", name, BOARD, RAM);
    #[cfg(clock)]
    match clock.said {
        Ok(clock) => defmt::info!("clock: {=str}", clock),
        Err(why) => defmt::warn!("clock: {=str}", why),
    }
}

/// Says what the numbers of an experiment are to be told in.
// apart: what it takes of the stack is not to lie below all that follows
#[inline(never)]
pub fn shows(sentence: &str) {
    defmt::info!("shows: {=str}", sentence);
}

/// The frames of an experiment.
#[derive(Clone, Copy, Debug)]
pub struct Frames;

impl Output for Frames {
    fn number(&mut self, Number { run, record, field, value }: Number) {
        let (sequence, bits) = (results::count(), value.to_bits());
        results::keep(bits);
        let sum = checksum(sequence, run, record, field, bits);
        defmt::println!(
            "{=str} {=u32} {=str} {=u32:08x} {=f32} #{=u32} {=u32:08x}",
            run,
            record,
            field,
            bits,
            value,
            sequence,
            sum
        );
    }

    fn record_done(&mut self) {
        results::seal_running();
    }

    fn alive(&mut self, what: &'static str, at: u64) {
        defmt::info!("alive: {=str} {=u64}", what, at);
    }
}

/// Ends an experiment: says how deep the stack went, or what went wrong.
pub fn finish(result: Result<(), ntkscope_core::Error>) -> ! {
    defmt::info!("stack {=usize} of {=usize} bytes", stack::used(), stack::available());
    match result {
        Ok(()) => exit(0),
        Err(error) => {
            say(error);
            exit(1)
        }
    }
}

/// What training ends by, in the words of its `Display`, which itself would take 24 KB of flash: it formats floats. Of what the first run of an
/// image shows, a buffer or a shape, the numbers.
fn say(error: ntkscope_core::Error) {
    use ntkscope_core::Error;
    match error {
        Error::NonFinite { what } => defmt::error!("{=str} is not finite", what),
        Error::Diverged { what, step } => defmt::error!("{=str} is not finite at step {=u64}", what, step),
        Error::StepUnderflow { step } => {
            defmt::error!("gradient flow cannot meet its tolerance with any step size at step {=u64}", step);
        }
        Error::State { what } => defmt::error!("the saved state is {=str}", what),
        _ => defmt::error!("{}", error),
    }
}

/// Ends the run once every frame has left, with an exit code from 0 to 255.
///
/// QEMU ends with it as its own; `probe-rs run` does too; without either the core sleeps.
pub fn exit(code: u8) -> ! {
    results::seal(code.into());
    #[cfg(kept)]
    match keep::copy(&mut registers::Chip, KEPT, results::words()) {
        Ok(()) => defmt::info!("the results are in flash, at {=usize:#010x}", KEPT),
        Err(why) => defmt::warn!("the results are in RAM alone: {=str}", why),
    }
    defmt::info!("end: {=u8}, {=u32} numbers", code, results::count());
    defmt::flush();
    semihosting::process::exit(code.into())
}

/// The same without a word.
fn end(code: u8) -> ! {
    results::seal(code.into());
    semihosting::process::exit(code.into())
}

/// Until the power goes.
fn sleep() -> ! {
    #[cfg(ticks)]
    ticks::stop();
    loop {
        wait();
    }
}

// what the frames above begin with, which defmt wants to have in the text of its format
const _: () = assert!(matches!(words::SHOWS.as_bytes(), b"shows: "));
const _: () = assert!(matches!(words::ALIVE.as_bytes(), b"alive: "));
const _: () = assert!(matches!(words::END.as_bytes(), b"end: "));
