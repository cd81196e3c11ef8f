//! When a frame was sent: microseconds since the start of the image, before it. Where nobody knows the rate of the core it is 0 in
//! every frame.
//!
//! Not with the transport for emulators, whose time is none of the board's.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::ticks;

/// Ticks in a microsecond; 0 where the rate is not known.
static RATE: AtomicU32 = AtomicU32::new(0);

/// From now on, at this rate.
pub(crate) fn begin(mhz: Option<u32>) {
    RATE.store(mhz.unwrap_or(0), Relaxed);
    ticks::start();
}

fn micros() -> u64 {
    match RATE.load(Relaxed) {
        0 => 0,
        // 0 is no time
        rate => (ticks::now() / u64::from(rate)).max(1),
    }
}

defmt::timestamp!("{=u64:us}", micros());
