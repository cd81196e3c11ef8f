//! Proves the chain of tools: a few frames and the stack.
#![no_std]
#![no_main]

use ntkscope_firmware::{BOARD, RAM, exit, stack};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut SLAB: [f32; 256] = [0.0; 256];
    for (i, x) in SLAB.iter_mut().enumerate() {
        *x += i as f32 * 0.5;
    }
    defmt::info!("board {=str}, {=usize} bytes of RAM", BOARD, RAM);
    for (i, x) in (0u32..4).zip(SLAB) {
        defmt::println!("{=str} {=u32} {=str} {=u32:08x}", "hello", i, "x", x.to_bits());
    }
    defmt::info!("stack {=usize} of {=usize} bytes", stack::used(), stack::available());
    exit(0)
}
