//! The memory that an experiment computes in.

use core::cell::{Cell, UnsafeCell};

use critical_section::Mutex;

/// Numbers in the RAM of a board, 0 at its start, for whoever takes them first.
pub struct Buffer<const LEN: usize> {
    numbers: UnsafeCell<[f32; LEN]>,
    is_taken: Mutex<Cell<bool>>,
}

// SAFETY: the numbers are reached by `take` alone, which hands them out once, whoever calls it.
unsafe impl<const LEN: usize> Sync for Buffer<LEN> {}

impl<const LEN: usize> Buffer<LEN> {
    /// Of zeros.
    #[allow(clippy::new_without_default, reason = "a static has no use for a default that is not const")]
    pub const fn new() -> Self {
        Self { numbers: UnsafeCell::new([0.0; LEN]), is_taken: Mutex::new(Cell::new(false)) }
    }

    /// The numbers, once.
    ///
    /// # Panics
    /// The second time.
    #[allow(clippy::mut_from_ref, reason = "once, which is looked after")]
    pub fn take(&'static self) -> &'static mut [f32; LEN] {
        let was_taken = critical_section::with(|token| self.is_taken.borrow(token).replace(true));
        assert!(!was_taken, "the buffer is taken");
        // SAFETY: this line is passed once, so that no other reference to the numbers is ever made; they live as long as the program.
        unsafe { &mut *self.numbers.get() }
    }
}
