//! What a RISC-V core has of its own: the guard below its stack, the handler of its traps, and its sleep.

use core::arch::asm;

use crate::{
    exit,
    fault::{again, overflow},
    sleep, stack,
};

// SAFETY: build.rs defines both; only their addresses are taken.
unsafe extern "C" {
    static _stack_end: u32;
    static _stack_start: u32;
}

/// Bytes below the stack that nothing may touch; `_stack_end` is a multiple of it.
const GUARD: usize = 4096;

/// Until an interrupt.
pub(crate) fn wait() {
    riscv::asm::wfi();
}

/// Where the stack ends, and the guard below it begins.
fn end() -> usize {
    (&raw const _stack_end).addr()
}

/// Guards the stack, leads traps to the handler below, and lays the paint that tells how deep the stack goes.
pub(crate) fn begin() {
    assert!(end().is_multiple_of(GUARD), "the RAM of a RISC-V board begins at a multiple of 4096");
    // an entry of the physical memory protection: a region of a power of two bytes, locked, so that it binds machine mode as
    // well, neither read nor written nor executed
    let region = (end() - GUARD) >> 2 | (GUARD / 8 - 1);
    let locked: usize = 0b1001_1000;
    // SAFETY: no variable lies in the guard, which is below the RAM that the linker hands out; the handler never returns.
    unsafe {
        asm!(
            "csrw pmpaddr0, {region}",
            "csrw pmpcfg0, {locked}",
            "la {handler}, ntkscope_trapped",
            "csrw mtvec, {handler}",
            region = in(reg) region,
            locked = in(reg) locked,
            handler = out(reg) _,
        );
    }
    stack::paint();
}

// A trap of any kind: the stack may be full, so a new one is begun at its top, where what lies is of no more use. Aligned as
// `mtvec` wants it.
core::arch::global_asm!(
    ".section .text.ntkscope_trapped, \"ax\"",
    ".balign 4",
    "ntkscope_trapped:",
    "csrr a0, mcause",
    "csrr a1, mepc",
    "csrr a2, mtval",
    "la sp, {start}",
    "j {trap}",
    ".previous",
    start = sym _stack_start,
    trap = sym trap,
);

/// Of a breakpoint, the call of a debugger that is not there.
const BREAKPOINT: usize = 3;

extern "C" fn trap(cause: usize, pc: usize, address: usize) -> ! {
    if cause == BREAKPOINT {
        sleep();
    }
    if (end() - GUARD..end()).contains(&address) {
        overflow();
    }
    again(102);
    defmt::error!("trap {=usize} at pc {=usize:#010x}, of address {=usize:#010x}", cause, pc, address);
    exit(102)
}
