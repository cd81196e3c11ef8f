//! Pools of threads.

use super::Error;

/// Runs `work` on a pool of `threads` threads; `None`: as many as there are cores.
///
/// # Errors
/// [`Error::Threads`].
pub fn with_threads<R: Send>(threads: Option<u16>, work: impl FnOnce() -> R + Send) -> Result<R, Error> {
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from)).build().map_err(Error::Threads)?;
    Ok(pool.install(work))
}
