//! How deep the stack went: cortex-m-rt paints the free RAM before `main`, and the paint that is gone was used.

use cortex_m_rt::STACK_PAINT_VALUE;

// SAFETY: cortex-m-rt's linker script defines both, aligned to words; only their addresses are taken here.
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
    while word < start && unsafe { word.read_volatile() } == STACK_PAINT_VALUE {
        // SAFETY: `word` was below `start`, so that the next is at most that: one past the last word of the same RAM.
        word = unsafe { word.add(1) };
    }
    start.addr() - word.addr()
}
