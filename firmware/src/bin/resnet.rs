//! Trains one residual network on six points twice: `divergence` on another network.
//!
//! Sends, at the initialization and at eleven times of gradient flow, everything that core records.
#![no_std]
#![no_main]

use ntkscope_firmware::{FPU, RAM, experiment::resnet, finish, fitting, send, start};

const WIDTH: usize = resnet::width(RAM, FPU);
const LEN: usize = fitting(resnet::len(WIDTH, RAM));

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut BUFFER: [f32; LEN] = [0.0; LEN];
    start("resnet");
    defmt::info!("width {=usize}, {=usize} numbers in the buffer", WIDTH, LEN);
    finish(resnet::run(WIDTH, RAM, BUFFER, &mut send))
}
