//! defmt's frames over the board's UART, 115200 baud, 8N1: for a board without a debug probe, and for emulators.

use core::cell::UnsafeCell;

use crate::UART;

/// What the port is, and where its registers begin.
pub(crate) enum Uart {
    /// Arm's CMSDK APB UART, as on the MPS2 boards, at 25 MHz.
    #[allow(dead_code, reason = "a board has one of them")]
    Cmsdk(usize),
    /// Nordic's UART, with the pin that the micro:bit sends by.
    #[allow(dead_code, reason = "a board has one of them")]
    Nrf(usize),
}

impl Uart {
    fn start(&self) {
        match *self {
            Self::Cmsdk(base) => {
                write(base + 0x10, 25_000_000 / 115_200);
                write(base + 0x08, 1); // sends
            }
            Self::Nrf(base) => {
                write(base + 0x50c, 24); // the pin TXD
                write(base + 0x524, 0x01d7_e000); // 115200 baud
                write(base + 0x500, 4); // enabled
                write(base + 0x008, 1); // begins to send
            }
        }
    }

    /// Sends one byte and waits until there is room for the next.
    fn send(&self, byte: u8) {
        match *self {
            Self::Cmsdk(base) => {
                while read(base + 0x04) & 1 != 0 {}
                write(base, byte.into());
            }
            Self::Nrf(base) => {
                write(base + 0x11c, 0);
                write(base + 0x51c, byte.into());
                while read(base + 0x11c) == 0 {}
            }
        }
    }

    fn flush(&self) {
        if let Self::Cmsdk(base) = *self {
            while read(base + 0x04) & 1 != 0 {}
        }
    }
}

fn write(register: usize, value: u32) {
    // SAFETY: `Uart` names registers of 32 bits of the board's own UART, aligned to 4, by the address in its board file; nothing
    // else uses that port, and no Rust object lies there. Volatile, because a write does something.
    unsafe { (register as *mut u32).write_volatile(value) }
}

fn read(register: usize) -> u32 {
    // SAFETY: as for `write`; reading the state of this port changes nothing.
    unsafe { (register as *const u32).read_volatile() }
}

/// What one frame at a time needs.
struct State {
    started: bool,
    /// To end the critical section with; none outside of a frame.
    restore: Option<critical_section::RestoreState>,
    encoder: defmt::Encoder,
}

struct Shared(UnsafeCell<State>);

// SAFETY: the state is used between `acquire` and `release` alone, in a critical section, on a single core.
unsafe impl Sync for Shared {}

static STATE: Shared = Shared(UnsafeCell::new(State { started: false, restore: None, encoder: defmt::Encoder::new() }));

#[defmt::global_logger]
struct Logger;

// SAFETY: `acquire` begins a critical section that `release` ends, so that no other frame comes between, and refuses to be called
// inside one; what defmt calls in between finds the state by itself.
unsafe impl defmt::Logger for Logger {
    fn acquire() {
        // SAFETY: ended by `release` with the state that this gives, once for each time.
        let restore = unsafe { critical_section::acquire() };
        // SAFETY: in the critical section nothing else runs that uses the state.
        let state = unsafe { &mut *STATE.0.get() };
        assert!(state.restore.is_none(), "a frame within a frame");
        state.restore = Some(restore);
        if !state.started {
            state.started = true;
            UART.start();
        }
        state.encoder.start_frame(send);
    }

    unsafe fn flush() {
        UART.flush();
    }

    unsafe fn release() {
        // SAFETY: defmt calls it after `acquire`, whose critical section lasts until the end of this function.
        let state = unsafe { &mut *STATE.0.get() };
        state.encoder.end_frame(send);
        if let Some(restore) = state.restore.take() {
            // SAFETY: this is the state that the matching `acquire` gave, used once.
            unsafe { critical_section::release(restore) };
        }
    }

    unsafe fn write(bytes: &[u8]) {
        // SAFETY: defmt calls it between `acquire` and `release`, in their critical section.
        let state = unsafe { &mut *STATE.0.get() };
        state.encoder.write(bytes, send);
    }
}

fn send(bytes: &[u8]) {
    bytes.iter().for_each(|byte| UART.send(*byte));
}
