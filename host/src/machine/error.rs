//! What the machine refuses.

use bytesize::ByteSize;

use super::Cause;
use super::memory::MemoryLimit;

/// Not enough memory, or no threads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The work would need more memory than is allowed.
    #[error("{what} needs about {need} of memory, more than {} ({}); {advice}{raise}", ByteSize::b(limit.bytes), limit.source)]
    Memory {
        /// which work
        what: String,
        /// forecast
        need: ByteSize,
        /// what is allowed
        limit: MemoryLimit,
        /// what can be done beside, up to the next words
        advice: String,
        /// what gives more memory
        raise: &'static str,
    },
    /// More threads than a few for each core.
    #[error("`threads = {threads}`: too many for {}; give `threads = {most}` or less", count(*cores, "core"))]
    TooManyThreads {
        /// asked for
        threads: usize,
        /// that there are
        cores: usize,
        /// that may be asked for
        most: usize,
    },
    /// The operating system starts no thread.
    #[error(
        "the system cannot start worker threads ({0}); raise the limit (`ulimit -u`, or that of the control group)"
    )]
    Threads(rayon::ThreadPoolBuildError),
}

/// "1 core", "2 cores".
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

impl Error {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Memory { .. } | Self::TooManyThreads { .. } | Self::Threads(_) => Cause::Settings,
        }
    }
}
