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
    defmt::println!("board {=str} ram {=usize}", BOARD, RAM);
    for x in &SLAB[..4] {
        defmt::println!("x {=u32:08x}", x.to_bits());
    }
    defmt::println!("stack {=usize} of {=usize}", stack::used(), stack::available());
    exit(0)
}
