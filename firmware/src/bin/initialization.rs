//! Learns noisy values of a function on the circle from standard and from mirrored initialization.
//!
//! Sends, at the initialization and at eight times of gradient flow, the training loss and the error on points held out,
//! means over 32 networks, and the least error of either initialization.
#![no_std]
#![no_main]

use ntkscope_firmware::{FPU, RAM, experiment::initialization, finish, fitting, send, start};

const WIDTH: usize = initialization::width(RAM, FPU);
const LEN: usize = fitting(initialization::len(WIDTH));

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut BUFFER: [f32; LEN] = [0.0; LEN];
    start("initialization");
    defmt::info!("width {=usize}, {=usize} numbers in the buffer", WIDTH, LEN);
    finish(initialization::run(WIDTH, BUFFER, &mut send))
}
