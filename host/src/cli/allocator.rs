//! What happens where the system gives no more memory: a message and an exit code, not an abort.
//!
//! Sizes that were asked for are forecast and refused before; this is for what others took in the meantime.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use super::terminal::USAGE;

/// The system's allocator; where it has nothing more the process ends with a message.
#[derive(Clone, Copy, Debug)]
pub struct Allocator;

// SAFETY: every call is the system allocator's own, with the caller's arguments, and its block is passed on as it is, so
// that the contract is kept as it keeps it. Where it has none the process ends: nothing unwinds out of these calls, and
// what is written on the way allocates nothing.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, that of `System`: the layout has some bytes
        given(unsafe { System.alloc(layout) }, layout.size())
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for `alloc`
        given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise: the block is one of ours, so one of `System`'s, with this layout; the new size is not 0 and
        // fits the alignment
        given(unsafe { System.realloc(block, layout, size) }, size)
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise: the block is one of ours, so one of `System`'s, with this layout
        unsafe { System.dealloc(block, layout) }
    }
}

#[inline]
fn given(block: *mut u8, bytes: usize) -> *mut u8 {
    if block.is_null() {
        end(bytes);
    }
    block
}

#[cold]
fn end(bytes: usize) -> ! {
    static ENDING: AtomicBool = AtomicBool::new(false);
    if !ENDING.swap(true, Ordering::Relaxed) {
        // nothing here may allocate
        let mut text = [0; 160];
        let mut rest = &mut text[..];
        let _ = writeln!(
            rest,
            "error: the system cannot provide {bytes} more bytes of memory; reduce the problem, or set a limit with --memory"
        );
        let left = rest.len();
        let _ = std::io::stderr().write_all(&text[..text.len() - left]);
        std::process::exit(i32::from(USAGE));
    }
    std::process::abort()
}
