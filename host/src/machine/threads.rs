//! Pools of threads.

use anyhow::{Context, Result};

/// Runs `work` on a pool of `threads` threads.
pub fn with_threads<R: Send>(threads: Option<u16>, work: impl FnOnce() -> R + Send) -> Result<R> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.map_or(0, usize::from))
        .build()
        .context("cannot start the threads")?;
    Ok(pool.install(work))
}
