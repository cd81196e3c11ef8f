//! Compares the empirical NTK of networks at initialization with the analytic one, at every width that fits the board.
//!
//! Sends the analytic kernel, for every width the distances between the two, and the last empirical kernel.
#![no_std]
#![no_main]

use ntkscope_firmware::{RAM, experiment::kernel, finish, fitting, send, start};

const WIDTHS: usize = kernel::widths(RAM);
const LEN: usize = fitting(kernel::len(WIDTHS));

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut BUFFER: [f32; LEN] = [0.0; LEN];
    start("kernel");
    defmt::info!("{=usize} widths, {=usize} numbers in the buffer", WIDTHS, LEN);
    finish(kernel::run(WIDTHS, BUFFER, &mut send))
}
