//! Ends in each of the ways in which an image can go wrong, which has to be a sentence and an exit code and not a board that hangs.
//!
//! Not an experiment: `cargo xtask test --only qemu` writes a way into the image, runs it and reads its last words.
#![no_std]
#![no_main]

use core::hint::black_box;

use ntkscope_core::{
    Error, MatRef, Portable,
    loss::Loss,
    network::{Activation, Fcn},
    train::{Optimizer, Problem, Trainer, trainer_len},
};
use ntkscope_firmware::{Buffer, finish, held, start};

/// Which way: the digit.
static WAY: [u8; 15] = *b"NTKSCOPE-WAY-0.";

/// Far above the rate at which descent is stable.
const DESCENT: Optimizer = Optimizer::Descent { rate: 1e6 };
// linear: a ReLU would be inactive after the first step, and nothing move any more
const NETWORK: Fcn<'_> = match Fcn::new(1, &[2], 1) {
    Ok(network) => network.with_activation(Activation::Identity),
    Err(_) => panic!("a width is 0"),
};
const LEN: usize = held(trainer_len(NETWORK.sizes(), 1, &DESCENT));

static BUFFER: Buffer<LEN> = Buffer::new();

#[ntkscope_firmware::entry]
fn main() -> ! {
    start("ends");
    match black_box(&WAY)[13] {
        b'0' => defmt::info!("{=u32}", deeper(black_box(1))),
        b'1' => defmt::info!("{=u8}", WAY[black_box(99)]),
        b'2' => fault(),
        b'3' => finish(diverge(BUFFER.take())),
        _ => interrupt(),
    }
    finish(Ok(()))
}

/// The last ways, which no RISC-V has: its traps do not return.
#[cfg(target_arch = "riscv32")]
fn interrupt() {}

#[cfg(target_arch = "arm")]
fn interrupt() {
    cortex_m::peripheral::SCB::set_pendsv();
    cortex_m::asm::isb();
}

/// Goes wrong where the handler of the fault may not return to `main`.
#[cfg(target_arch = "arm")]
#[cortex_m_rt::exception]
fn PendSV() {
    match black_box(&WAY)[13] {
        b'4' => fault(),
        b'5' => defmt::info!("{=u8}", WAY[black_box(99)]),
        _ => defmt::info!("{=u32}", deeper(black_box(1))),
    }
}

/// As deep as it is told, which `main` makes deeper than any stack.
#[inline(never)]
fn deeper(level: u32) -> u32 {
    let room = black_box([level; 16]);
    if level == 0 { 0 } else { deeper(black_box(level + 1)).wrapping_add(room[(level % 16) as usize]) }
}

/// An instruction that no core has.
fn fault() {
    #[cfg(target_arch = "arm")]
    cortex_m::asm::udf();
    // SAFETY: it is a trap, whose handler ends the program.
    #[cfg(target_arch = "riscv32")]
    unsafe {
        core::arch::asm!("unimp")
    }
}

/// Trains until the loss is no number any more.
fn diverge(buffer: &mut [f32]) -> Result<(), Error> {
    let problem =
        Problem::new(&NETWORK, MatRef::new(&[1.0], 1, 1)?, MatRef::new(&[1.0], 1, 1)?, Loss::SquaredError, 0.0)?;
    let mut trainer = Trainer::new(&Portable, problem, DESCENT, 1, buffer)?;
    loop {
        trainer.advance(None)?;
    }
}
