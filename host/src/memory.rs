//! How much memory a run will take, told before it starts, and how much it may take.

use bytesize::ByteSize;

use crate::error::UsageError;

/// Refuses `what` when it needs more than `limit`, or, without one, more than the machine has free now.
pub fn check(what: &str, need: u64, limit: Option<ByteSize>) -> Result<(), UsageError> {
    let (allowed, source_of_limit) = match limit {
        Some(limit) => (limit.as_u64(), "--memory"),
        None => match available() {
            Some(bytes) => (bytes, "what is free on this machine"),
            None => return Ok(()),
        },
    };
    if need <= allowed {
        return Ok(());
    }
    Err(UsageError::Memory {
        what: what.into(),
        need: ByteSize::b(need),
        allowed: ByteSize::b(allowed),
        source_of_limit,
    })
}

/// Bytes that can be had without swapping, where the system says so.
pub fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}
