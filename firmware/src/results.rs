//! Results that outlive the run: the region `NTKSCOPE_RESULTS` of the RAM, which a debugger finds by its name. A reset does not
//! clear it, but the image that starts then does: halt before `main`. Its layout is `ntkscope_frames`'; its checksum is right but
//! while a record is sent.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use ntkscope_frames::{MAGIC, VERSION, WORDS, capacity, crc32, words_of};

use crate::RAM;

/// Numbers that the ring holds.
const CAPACITY: usize = capacity(RAM);

// SAFETY: the section lies in RAM and is not initialized: any bits are good for an atomic word, and those before the first
// write are never read as results, as their checksum is wrong or they are an earlier run's. The name is this program's own.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".uninit.NTKSCOPE_RESULTS")]
static NTKSCOPE_RESULTS: [AtomicU32; words_of(CAPACITY)] = [const { AtomicU32::new(0) }; words_of(CAPACITY)];

/// While the experiment runs.
const RUNNING: u32 = u32::MAX;

/// The words of the region.
#[cfg(kept)]
pub(crate) fn words() -> &'static [AtomicU32] {
    &NTKSCOPE_RESULTS
}

/// Numbers sent so far.
pub(crate) fn count() -> u32 {
    NTKSCOPE_RESULTS[3].load(Relaxed)
}

/// A region without numbers.
pub(crate) fn begin() {
    for (word, value) in NTKSCOPE_RESULTS.iter().zip([MAGIC, VERSION, RUNNING, 0, 0, CAPACITY as u32]) {
        word.store(value, Relaxed);
    }
    NTKSCOPE_RESULTS[WORDS..].iter().for_each(|word| word.store(0, Relaxed));
    seal(RUNNING);
}

/// Adds a number.
pub(crate) fn keep(bits: u32) {
    let count = count();
    NTKSCOPE_RESULTS[WORDS + count as usize % CAPACITY].store(bits, Relaxed);
    NTKSCOPE_RESULTS[3].store(count + 1, Relaxed);
    let sum = &NTKSCOPE_RESULTS[4];
    sum.store(crc32(sum.load(Relaxed), &bits.to_le_bytes()), Relaxed);
}

/// Notes that it still runs, and makes the checksum right again.
pub(crate) fn seal_running() {
    seal(RUNNING);
}

/// Notes how it ended, and makes the checksum right again.
pub(crate) fn seal(code: u32) {
    NTKSCOPE_RESULTS[2].store(code, Relaxed);
    let sum = |crc, words: &[AtomicU32]| words.iter().fold(crc, |crc, w| crc32(crc, &w.load(Relaxed).to_le_bytes()));
    let sum = sum(sum(0, &NTKSCOPE_RESULTS[..WORDS - 1]), &NTKSCOPE_RESULTS[WORDS..]);
    NTKSCOPE_RESULTS[WORDS - 1].store(sum, Relaxed);
}
