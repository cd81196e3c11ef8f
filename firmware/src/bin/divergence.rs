//! Trains one network on six points twice: with cross-entropy it leaves the kernel regime, with squared error it stays.
//!
//! Sends, at the initialization and at eleven times of gradient flow, everything that core records.
#![no_std]
#![no_main]

use ntkscope_firmware::{FPU, RAM, experiment::divergence, finish, fitting, send, start};

const WIDTH: usize = divergence::width(RAM, FPU);
const LEN: usize = fitting(divergence::len(WIDTH, RAM));

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut BUFFER: [f32; LEN] = [0.0; LEN];
    start("divergence");
    defmt::info!("width {=usize}, {=usize} numbers in the buffer", WIDTH, LEN);
    finish(divergence::run(WIDTH, RAM, BUFFER, &mut send))
}
