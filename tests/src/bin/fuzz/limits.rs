//! What one input may take: memory of the heap, and time of the processor.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use ntkscope::machine::{
    Budget, MemoryLimit,
    memory::{LimitSource, PROGRAM},
};
use rustix::time::{ClockId, clock_gettime};

/// Most bytes of data that a reader is allowed by its budget: the fewest that there are.
const DATA: u64 = 8 << 20;

/// Bytes that it may take beside them: buffers, the inputs themselves, copies that its checks make.
const BESIDE: usize = 6 << 20;

/// Most seconds of a reader.
pub(crate) const READING: f64 = 1.0;

/// Most seconds where a run goes on from what was read: two steps, and two kernels' flows to their time. On hostile outputs a
/// flow takes its thousands of steps before it gives up, in code that is neither optimized nor free of counters.
pub(crate) const TRAINING: f64 = 10.0;

/// The budget that is handed to the readers.
pub(crate) fn budget() -> Budget {
    Budget::within(Some(MemoryLimit { bytes: PROGRAM + DATA, source: LimitSource::Setting, smaller: None }))
}

/// Calls `read`, and panics where it takes more memory than is allowed, or more than these seconds.
pub(crate) fn within<R>(most_seconds: f64, read: impl FnOnce() -> R) -> R {
    let (held, begin) = (HELD.load(Relaxed), seconds());
    PEAK.store(held, Relaxed);
    let result = read();
    let (taken, took) = (PEAK.load(Relaxed) - held, seconds() - begin);
    let most = DATA as usize + BESIDE;
    assert!(taken <= most, "{taken} bytes of the heap, more than {most}");
    assert!(took <= most_seconds, "{took:.1} s of the processor, more than {most_seconds}");
    result
}

/// Seconds of the processor that this thread has had.
fn seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

/// Bytes of the heap now, and at most since [`within`] began.
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The system's allocator, counted.
struct Counting;

fn took(block: *mut u8, bytes: usize) -> *mut u8 {
    if !block.is_null() {
        let held = HELD.fetch_add(bytes, Relaxed) + bytes;
        PEAK.fetch_max(held, Relaxed);
    }
    block
}

// SAFETY: every call is the system allocator's own, with the caller's arguments; what it returns is passed on.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see above
        took(unsafe { System.alloc(layout) }, layout.size())
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see above
        took(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: see above
        let block = took(unsafe { System.realloc(block, layout, size) }, size);
        if !block.is_null() {
            HELD.fetch_sub(layout.size(), Relaxed);
        }
        block
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: see above
        unsafe { System.dealloc(block, layout) }
    }
}
