//! Measures what a matrix product and the passes of a network cost on this core: forward, backward, gradient, Gram
//! products and a whole step of gradient descent, in `f32` and, where the flash has room for it twice, in `Approx32`.
//!
//! Sends a frame for each, `cost: SCALAR SAMPLES PASS MULTIPLY_ADDS COST`; a measurement, not an experiment to be compared.
#![no_std]
#![no_main]

use ntkscope_core::{Approx32, Error, Portable, Real};
use ntkscope_firmware::{
    RAM,
    cost::{self, Cost},
    counter::{Counter, UNIT},
    exit,
    experiment::room::LITTLE,
    finish, held, start,
};

const BATCHES: usize = cost::batches(RAM);
const WIDTH: usize = cost::width(BATCHES, RAM);
const LEN: usize = held(cost::len(BATCHES, WIDTH));

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut BUFFER: [f32; LEN] = [0.0; LEN];
    start("bench");
    let Some(counter) = Counter::start() else {
        defmt::error!("SysTick does not count instructions here: QEMU needs `-icount shift=6`");
        exit(1)
    };
    defmt::info!("width {=usize}, {=usize} numbers in the buffer, {=str}", WIDTH, LEN, UNIT);
    let mut result = run(&counter, "f32", BUFFER);
    // a constant: a board with little RAM has little flash, which does not hold the second
    if RAM >= LITTLE && result.is_ok() {
        result = run(&counter, "Approx32", approximate(BUFFER));
    }
    finish(result)
}

fn run<T: Real>(counter: &Counter, scalar: &'static str, buffer: &mut [T]) -> Result<(), Error> {
    cost::run(&Portable, (BATCHES, WIDTH), buffer, &mut |work| counter.count(work), &mut |measured| {
        let Cost { samples, pass, multiply_adds, cost } = measured;
        defmt::info!("cost: {=str} {=usize} {=str} {=usize} {=u64}", scalar, samples, pass, multiply_adds, cost);
    })
}

/// The same memory for the other scalar.
fn approximate(buffer: &mut [f32]) -> &mut [Approx32] {
    // SAFETY: `Approx32` is `repr(transparent)` over `f32`: the same size, alignment and valid bits, so that as many fill the
    // slice and whatever is written is good for both. The result has the borrow's lifetime, so that it is the only one.
    unsafe { core::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast(), buffer.len()) }
}
