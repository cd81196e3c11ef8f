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
//
// It returns to the mode that the fault was in. A return from a fault in an interrupt to thread mode leaves that interrupt
// active: an Armv7-M refuses it by another fault, without end, and an Armv6-M leaves open what it does.
core::arch::global_asm!(
    ".section .HardFaultTrampoline, \"ax\"",
    ".global HardFault",
    ".type HardFault, %function",
    ".thumb_func",
    ".balign 4",
    "HardFault:",
    // EXC_RETURN: the mode of the fault, the main stack, no registers of an FPU
    "mov r4, lr",
    "movs r3, #8",
    "ands r4, r3",
    "ldr r3, =0xfffffff1",
    "orrs r4, r3",
    "mrs r0, MSP",
    "ldr r1, ={end}",
    "adds r1, {room}",
    "cmp r0, r1",
    "bls 2f",
    "ldr r1, ={fault}",
    // the number of the interrupt, 0 in thread mode
    "ldr r2, [r0, #28]",
    "lsls r2, r2, #23",
    "lsrs r2, r2, #23",
    "b 3f",
    "2:",
    "ldr r1, ={start}",
    "mov sp, r1",
    "ldr r1, ={overflow}",
    // without a frame PendSV's stands for that of any interrupt: the core holds it against the mode alone
    "movs r2, #14",
    "lsrs r3, r4, #4",
    "bcc 3f",
    "movs r2, #0",
    "3:",
    // r0, the frame of the fault; pc, an even address; xPSR, the state of Thumb
    "sub sp, #32",
    "mov r5, sp",
    "str r0, [r5, #0]",
    "movs r3, #1",
    "bics r1, r3",
    "str r1, [r5, #24]",
    "ldr r3, =0x01000000",
    "orrs r2, r3",
    "str r2, [r5, #28]",
    "bx r4",
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
