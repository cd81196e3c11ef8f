//! What the machine refuses.

use bytesize::ByteSize;

use super::memory::MemoryLimit;

/// Not enough memory, or no threads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The work would need more memory than is allowed.
    #[error("{what} needs about {need} of memory, more than {} ({}); {advice}, or {raise}", ByteSize::b(limit.bytes), limit.source)]
    Memory {
        /// which work
        what: String,
        /// forecast
        need: ByteSize,
        /// what is allowed
        limit: MemoryLimit,
        /// what can be done beside
        advice: &'static str,
        /// what gives more memory
        raise: &'static str,
    },
    /// The operating system starts no more threads.
    #[error("cannot start the threads")]
    Threads(#[source] rayon::ThreadPoolBuildError),
}
