//! Results that stay in a board's RAM for the next debugger: a region with a header and a ring of the last numbers.
//!
//! | word | what it holds |
//! | --- | --- |
//! | 0 | [`MAGIC`] |
//! | 1 | [`VERSION`] |
//! | 2 | the exit code, or [`RUNNING`](crate::Kept) = `ffff_ffff` while the experiment runs |
//! | 3 | how many numbers were computed |
//! | 4 | [`crate::crc32`] of the bits of all of them in order, also of those that have been written over |
//! | 5 | how many the ring holds at most |
//! | 6 | [`crate::crc32`] of words 0 to 5 and of the ring |
//! | 7 … | the ring: the bits of number i at i modulo its length |
//!
//! Words are written the lowest byte first.

/// "NTKR", read as bytes.
pub const MAGIC: u32 = u32::from_le_bytes(*b"NTKR");
/// Of this layout.
pub const VERSION: u32 = 1;
/// Words before the ring.
pub const WORDS: usize = 7;

/// Numbers that a board with so many bytes of RAM keeps, at most 4096: a 64th of the RAM, of a small one, where every word is a word
/// of the stack less, a 256th.
///
/// ```
/// // a micro:bit keeps the last nine, an nRF52840 all 672 of `divergence`
/// assert_eq!([16 << 10, 256 << 10, 4 << 20].map(ntkscope_frames::capacity), [9, 1017, 4096]);
/// ```
pub const fn capacity(ram: usize) -> usize {
    let share = if ram < 32 << 10 { 256 } else { 64 };
    let words = ram / share / 4 - WORDS;
    if words < 4096 { words } else { 4096 }
}

/// Words of the whole region.
pub const fn words_of(capacity: usize) -> usize {
    WORDS + capacity
}

#[cfg(feature = "host")]
pub use kept::Kept;

#[cfg(feature = "host")]
mod kept {
    use std::vec::Vec;

    use super::{MAGIC, VERSION, WORDS};
    use crate::{Error, crc32};

    /// Word 2 while the experiment runs.
    const RUNNING: u32 = u32::MAX;

    /// What a region holds, checked.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Kept {
        /// How the experiment ended; none while it runs.
        pub code: Option<u32>,
        /// Numbers computed.
        pub count: u32,
        /// Checksum of the bits of all of them.
        pub checksum: u32,
        /// The bits of the last of them, in order.
        pub last: Vec<u32>,
    }

    impl Kept {
        /// Reads a region from the bytes of a memory dump that begins with it.
        ///
        /// # Errors
        /// [`Error::Region`]: no region, of another version, cut off or damaged.
        pub fn read(bytes: &[u8]) -> Result<Self, Error> {
            let words: Vec<u32> =
                bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
            let refused = |what| Err(Error::Region { what });
            let [magic, version, code, count, checksum, capacity, crc, ring @ ..] = words.as_slice() else {
                return refused("it is shorter than its header");
            };
            if *magic != MAGIC {
                return refused("it does not begin with NTKR: the board has lost its power, or was never run");
            }
            if *version != VERSION {
                return refused("it is of another version of the firmware");
            }
            let Some(ring) = ring.get(..*capacity as usize) else {
                return refused("it is shorter than its header says");
            };
            let header = &bytes[..4 * (WORDS - 1)];
            if crc32(crc32(0, header), &bytes[4 * WORDS..4 * (WORDS + ring.len())]) != *crc {
                return refused("its checksum is wrong: it was damaged, or read while it was written");
            }
            let first = count.saturating_sub(*capacity);
            let last = (first..*count).map(|i| ring[i as usize % ring.len()]).collect();
            Ok(Self { code: (*code != RUNNING).then_some(*code), count: *count, checksum: *checksum, last })
        }
    }
}
