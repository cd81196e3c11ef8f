use std::{format, string::String, time::Duration};

/// Why what a board sent cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A frame without a level is no number.
    #[error("the board sent `{}`, which is no frame: RUN RECORD FIELD BITS VALUE #SEQUENCE CHECKSUM", clipped(text))]
    Malformed {
        /// the frame
        text: String,
    },
    /// A number is not the one that was sent.
    #[error(
        "number {sequence} was damaged on its way: `{}` has the checksum {found:08x}, not {sent:08x}; send it again",
        clipped(text)
    )]
    Damaged {
        /// which number
        sequence: u32,
        /// the frame
        text: String,
        /// checksum of what came
        found: u32,
        /// checksum that came
        sent: u32,
    },
    /// Numbers did not arrive.
    #[error("numbers {first} to {last} did not arrive: start the board after the host listens, and read fast enough")]
    Missing {
        /// the first of them
        first: u32,
        /// the last of them
        last: u32,
    },
    /// The count began anew.
    #[error(
        "the board started again after {count} numbers: numbers of two starts cannot be told apart; record one start"
    )]
    Restarted {
        /// numbers before
        count: u32,
    },
    /// The board counts other numbers than came.
    #[error("the board says that it sent {said} numbers, {came} came")]
    Count {
        /// what the last frame says
        said: u32,
        /// what came
        came: u32,
    },
    /// No last frame.
    #[error("the output ends after {count} numbers without the board's last frame `end: …`: it was cut off")]
    CutOff {
        /// numbers until then
        count: u32,
    },
    /// Too long.
    #[error("stopped after its time limit of {} s, {count} frames in; the last: {}", limit.as_secs(), clipped(last))]
    Limit {
        /// the limit
        limit: Duration,
        /// frames until then
        count: usize,
        /// the last of them
        last: String,
    },
    /// The bytes are no frames.
    #[error("{malformed} malformed frames beside {whole} whole ones: is the image that runs the one that decodes?")]
    Bytes {
        /// that could not be decoded
        malformed: usize,
        /// that could
        whole: usize,
    },
    /// No end of a line.
    #[error(
        "a line of more than {most} bytes is no frame; give `elf` where the board sends defmt's bytes, or another `baud`"
    )]
    Line {
        /// most bytes
        most: u64,
    },
    /// The last frame is not closed.
    #[error("the output ends in the middle of a frame")]
    Open,
    /// The image says nothing of frames.
    #[error("{what}")]
    Image {
        /// what is wrong
        what: String,
    },
    /// A region of RAM that holds no results.
    #[error("the region cannot be used: {what}")]
    Region {
        /// what is wrong
        what: &'static str,
    },
    /// The system.
    #[error("{place}: {source}")]
    Io {
        /// what was read
        place: String,
        /// the system's words
        source: std::io::Error,
    },
}

/// A board's text inside a sentence.
fn clipped(text: &str) -> String {
    /// Most characters.
    const ROOM: usize = 120;
    match text.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.into(),
    }
}

impl Error {
    /// Whether it lies with the system, which could not read or write, and not with what was read, or was to be.
    pub fn is_of_the_system(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() != std::io::ErrorKind::NotFound,
            Self::Limit { .. } => true,
            _ => false,
        }
    }
}
