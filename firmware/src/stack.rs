//! How deep the stack went: its free part is painted at the start, by cortex-m-rt before `main`, and the paint that is gone was used.

#[cfg(target_arch = "arm")]
use cortex_m_rt::STACK_PAINT_VALUE as PAINT;

/// What no frame is likely to hold.
#[cfg(target_arch = "riscv32")]
const PAINT: u32 = 0xcccc_cccc;

// SAFETY: build.rs defines both, aligned to words; only their addresses are taken here.
unsafe extern "C" {
    // The linker's: the lowest address that the stack may reach, and where it starts.
    static _stack_end: u32;
    static _stack_start: u32;
}

/// Bytes between the static buffers and the end of the RAM: all that the stack may take.
pub fn available() -> usize {
    (&raw const _stack_start).addr() - (&raw const _stack_end).addr()
}

/// Bytes of it used so far, at the deepest; never too many, and too few only where a frame was left unwritten.
pub fn used() -> usize {
    let (end, start) = (&raw const _stack_end, &raw const _stack_start);
    let mut word = end;
    // SAFETY: below `start` it is a word of the aligned RAM between the two symbols, in order by an assertion of the linker
    // script. Nothing there is a variable but in the live stack; a word of that is only compared, and any bits are a u32. The
    // read is volatile because the paint was laid outside the language's sight.
    while word < start && unsafe { word.read_volatile() } == PAINT {
        // SAFETY: `word` was below `start`, so that the next is at most that: one past the last word of the same RAM.
        word = unsafe { word.add(1) };
    }
    start.addr() - word.addr()
}

/// Bytes below the frame of whoever paints that may be in use.
#[cfg(target_arch = "riscv32")]
const RED_ZONE: usize = 256;

/// Paints the stack below the frame of the caller.
#[cfg(target_arch = "riscv32")]
#[inline(never)]
pub(crate) fn paint() {
    let here = 0_u32;
    let (mut word, start) = ((&raw const _stack_end).cast_mut(), (&raw const here).addr() - RED_ZONE);
    while word.addr() < start {
        // SAFETY: a word of the RAM between the end of the stack and a place below every frame that is live: nothing lies there.
        unsafe {
            word.write_volatile(PAINT);
            word = word.add(1);
        }
    }
}
