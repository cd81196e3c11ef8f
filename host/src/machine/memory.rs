//! Memory: how much work will take, forecast before it starts, and how much it may take.

use bytesize::ByteSize;

use super::Error;

/// What helps where the work does not fit.
const SMALLER: &str = "reduce `n` or `width`, use `dtype = f32`, or raise `memory`";

/// How many bytes may be taken, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimit {
    /// bytes
    pub bytes: u64,
    /// the setting `memory`, or the machine
    pub source: &'static str,
}

impl MemoryLimit {
    /// The setting `memory` where it is given, else what the machine has free now; `None` where it does not say.
    pub fn given_or_free(given: Option<ByteSize>) -> Option<Self> {
        match given {
            Some(given) => Some(Self { bytes: given.as_u64(), source: "`memory`" }),
            None => available().map(|bytes| Self { bytes, source: "what is free on this machine" }),
        }
    }

    /// The error that says that `what` needs more; `advice` is what can be done, by default to ask for less.
    pub fn refuse(&self, what: &str, need: u64, advice: Option<&'static str>) -> Error {
        Error::Memory { what: what.into(), need: ByteSize::b(need), limit: *self, advice: advice.unwrap_or(SMALLER) }
    }
}

/// Checks that `what` needs no more than `limit`, or, without one, than the machine has free now.
///
/// # Errors
/// [`Error::Memory`].
pub fn check(what: &str, need: u64, limit: Option<ByteSize>) -> Result<(), Error> {
    match MemoryLimit::given_or_free(limit) {
        Some(limit) if need > limit.bytes => Err(limit.refuse(what, need, None)),
        _ => Ok(()),
    }
}

/// Bytes that can be had without swapping, where the system says so.
pub fn available() -> Option<u64> {
    linux("/proc/meminfo", "MemAvailable:")
}

/// A size in bytes from one of Linux's accounts, by its line.
pub fn linux(account: &str, line: &str) -> Option<u64> {
    let text = std::fs::read_to_string(account).ok()?;
    let kib: u64 = text.lines().find_map(|l| l.strip_prefix(line))?.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}
