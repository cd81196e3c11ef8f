//! What a board says of its experiment.
//!
//! A frame is one line of text. What is *said* has a level, `info: divergence on an386`. A *number* has none:
//!
//! ```text
//! RUN RECORD FIELD BITS VALUE #SEQUENCE CHECKSUM
//! cross-entropy 3 drift_max 3dcccccd 0.1 #57 8f2e01ab
//! ```
//!
//! BITS are those of an `f32` in hex, which is what is compared; VALUE is the same for a reader. SEQUENCE counts the numbers
//! of one start of the board from 0, so that a lost one is known by its place; CHECKSUM is [`checksum`], so that a damaged one is
//! known too. The last frame of all is `end`'s, so that an output that was cut off is known for that.
//!
//! The lines come out of an emulator, of a debug probe, of a serial port or of a file: `Source` reads each of them,
//! `receive` checks what comes, once for all.
#![no_std]

#[cfg(feature = "host")]
extern crate std;

#[cfg(feature = "host")]
mod closing;
#[cfg(feature = "host")]
mod error;
#[cfg(feature = "host")]
mod frame;
#[cfg(feature = "host")]
mod receive;
#[cfg(feature = "host")]
mod record;
mod region;
#[cfg(feature = "host")]
mod source;

#[cfg(feature = "host")]
pub use closing::{closing, placeholders};
#[cfg(feature = "host")]
pub use error::Error;
#[cfg(feature = "host")]
pub use frame::{Frame, Number};
#[cfg(feature = "host")]
pub use receive::{Event, Received, Recording, Until, receive};
#[cfg(feature = "host")]
pub use record::{Record, Records};
#[cfg(feature = "host")]
pub use region::Kept;
pub use region::{MAGIC, VERSION, WORDS, capacity, words_of};
#[cfg(feature = "host")]
pub use source::{Next, Source, serial};

/// Which words a board says of itself; each stands here for the writer and the reader.
pub mod words {
    /// Before the sentence that an experiment's numbers are to be told in, with `{RUN FIELD}` for the last of a number.
    pub const SHOWS: &str = "shows: ";
    /// Before the step that training is at, where no record is due for a while.
    pub const ALIVE: &str = "alive: ";
    /// Before the exit code and the count of numbers, in the last frame.
    pub const END: &str = "end: ";
}

/// CRC-32 (ISO-HDLC, the polynomial of Ethernet and zip, reflected): of more bytes after those that gave `crc`, at first 0.
///
/// ```
/// assert_eq!(ntkscope_frames::crc32(0, b"123456789"), 0xcbf4_3926);
/// assert_eq!(ntkscope_frames::crc32(ntkscope_frames::crc32(0, b"1234"), b"56789"), 0xcbf4_3926);
/// ```
pub const fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    let (mut crc, mut i) = (!crc, 0);
    while i < bytes.len() {
        crc ^= bytes[i] as u32;
        let mut bit = 0;
        while bit < 8 {
            // a table would be faster, and take a kilobyte of a board's flash
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            bit += 1;
        }
        i += 1;
    }
    !crc
}

/// The checksum of one number: [`crc32`] of SEQUENCE, RUN, a zero, RECORD, FIELD, a zero and BITS, numbers as four bytes, the lowest first.
pub const fn checksum(sequence: u32, run: &str, record: u32, field: &str, bits: u32) -> u32 {
    let crc = crc32(crc32(crc32(0, &sequence.to_le_bytes()), run.as_bytes()), &[0]);
    let crc = crc32(crc32(crc32(crc, &record.to_le_bytes()), field.as_bytes()), &[0]);
    crc32(crc, &bits.to_le_bytes())
}
