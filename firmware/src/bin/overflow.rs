//! Calls itself until the stack is full, which has to end with a sentence and not with a board that hangs.
//!
//! Not an experiment: `cargo xtask test --only qemu` runs it and reads its last words.
#![no_std]
#![no_main]

use ntkscope_firmware::{finish, start};

#[ntkscope_firmware::entry]
fn main() -> ! {
    start("overflow");
    defmt::info!("{=u32}", deeper(core::hint::black_box(1)));
    finish(Ok(()))
}

/// As deep as it is told, which `main` makes deeper than any stack.
#[inline(never)]
fn deeper(level: u32) -> u32 {
    let room = core::hint::black_box([level; 16]);
    if level == 0 { 0 } else { deeper(core::hint::black_box(level + 1)).wrapping_add(room[(level % 16) as usize]) }
}
