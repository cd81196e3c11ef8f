//! What a Cortex-M has of its own: the handler of its faults, and its sleep.

use cortex_m_rt::ExceptionFrame;

use crate::{
    exit,
    fault::{again, overflow},
    sleep,
};

// SAFETY: build.rs defines both; only their addresses are taken, by the handler below.
unsafe extern "C" {
    static _stack_end: u32;
    static _stack_start: u32;
}

/// Until an interrupt.
pub(crate) fn wait() {
    cortex_m::asm::wfi();
}

// SAFETY: cortex-m-rt's linker script defines both; only their addresses are taken here.
unsafe extern "C" {
    // The linker's: where the code begins and ends.
    static __stext: u8;
    static __etext: u8;
}

/// The instruction by which a program calls its debugger, `bkpt 0xab`.
const CALL_OF_THE_DEBUGGER: u16 = 0xbeab;

/// Whether this is the address of a call of the debugger: one that nobody answers is a fault on every core, also on those that cannot
/// ask whether a debugger is there (Armv6-M).
fn is_call(pc: u32) -> bool {
    let code = (&raw const __stext).addr()..(&raw const __etext).addr();
    let pc = pc as usize;
    // SAFETY: an even address inside the code, which is there to be read and is never written.
    code.contains(&pc) && pc.is_multiple_of(2) && unsafe { (pc as *const u16).read() } == CALL_OF_THE_DEBUGGER
}

// The stack lies at the lower end of the RAM: what is deeper than all of it is a fault, in which the core has no room to stack a
// frame. So the handler begins without a stack, and where the pointer is at the end, or below, starts a new one at the top: what
// lies there is of no more use. What follows is no handler's work any more: there the call of a debugger that is not there would lock the core
// up. So the handler returns, by a frame of its own making, to a function that never does.
core::arch::global_asm!(
    ".section .HardFaultTrampoline, \"ax\"",
    ".global HardFault",
    ".type HardFault, %function",
    ".thumb_func",
    ".balign 4",
    "HardFault:",
    "mrs r0, MSP",
    "ldr r1, ={end}",
    "adds r1, {room}",
    "cmp r0, r1",
    "ldr r1, ={fault}",
    "bhi 2f",
    "ldr r1, ={start}",
    "mov sp, r1",
    "ldr r1, ={overflow}",
    "2:",
    // r0, the frame of the fault; pc, an even address; xPSR, the state of Thumb
    "sub sp, #32",
    "mov r2, sp",
    "str r0, [r2, #0]",
    "movs r3, #1",
    "bics r1, r3",
    "str r1, [r2, #24]",
    "ldr r3, =0x01000000",
    "str r3, [r2, #28]",
    // EXC_RETURN: thread mode, the main stack, no registers of an FPU
    "ldr r3, =0xfffffff9",
    "bx r3",
    ".pool",
    end = sym _stack_end,
    start = sym _stack_start,
    room = const ROOM,
    overflow = sym overflow,
    fault = sym fault,
);

/// Bytes above the end of the stack in which a fault is taken for its overflow: the frame that the core has stacked, with the
/// registers of an FPU.
const ROOM: u32 = 112;

extern "C" fn fault(frame: &ExceptionFrame) -> ! {
    if is_call(frame.pc()) {
        sleep();
    }
    again(102);
    defmt::error!("hard fault at pc {=u32:#010x}, called from {=u32:#010x}", frame.pc(), frame.lr());
    exit(102)
}
