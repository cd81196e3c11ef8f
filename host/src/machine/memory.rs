//! Memory: how much work will take, forecast before it starts, and how much it may take.
//!
//! All sizes are of the whole process, so that they can be compared with its peak: a forecast begins with
//! [`process_bytes`].

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use bytesize::ByteSize;

use super::{Error, limits};

pub use limits::linux;

/// Bytes of the program before it has data.
pub const PROGRAM: u64 = 8 << 20;
/// Bytes of a thread.
const THREAD: u64 = 1 << 20;
/// Data up to this are read under any limit: they are small beside the program, and only who has them can forecast the work.
const SMALL: u64 = 8 << 20;

/// What makes data fit.
const FEWER: &str = "use fewer samples (`n`, or a smaller file)";

/// Bytes of the program with so many threads, before it has data.
pub fn process_bytes(threads: usize) -> u64 {
    PROGRAM + threads as u64 * THREAD
}

/// Bytes of so many numbers of `each` bytes; `u64::MAX` where they are more.
pub fn bytes_of(numbers: u128, each: usize) -> u64 {
    u64::try_from(numbers.saturating_mul(each as u128)).unwrap_or(u64::MAX)
}

/// Who says how much memory may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitSource {
    /// the setting `memory`
    Setting,
    /// the machine, which has no more
    Free,
    /// a control group of this process, or one around it
    ControlGroup,
    /// RLIMIT_AS
    AddressSpace,
    /// RLIMIT_DATA
    DataSegment,
}

impl LimitSource {
    /// What gives more.
    fn raise(self) -> &'static str {
        match self {
            Self::Setting => "raise `memory`",
            Self::Free => "free some memory",
            Self::ControlGroup => "raise that limit",
            Self::AddressSpace => "raise `ulimit -v`",
            Self::DataSegment => "raise `ulimit -d`",
        }
    }
}

impl fmt::Display for LimitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setting => "`memory`",
            Self::Free => "free memory of this machine",
            Self::ControlGroup => "limit of the control group",
            Self::AddressSpace => "`ulimit -v`",
            Self::DataSegment => "`ulimit -d`",
        })
    }
}

/// How many bytes the process may take, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimit {
    /// bytes
    pub bytes: u64,
    /// who says so
    pub source: LimitSource,
    /// what of the command makes its work smaller
    pub smaller: Option<&'static str>,
}

impl MemoryLimit {
    /// The least of the setting `memory` and what the system leaves now; `None` where nobody says.
    fn least(given: Option<ByteSize>) -> Option<Self> {
        use LimitSource::*;
        let system = [
            (Free, limits::free()),
            (ControlGroup, limits::control_group()),
            (AddressSpace, limits::address_space()),
            (DataSegment, limits::data_segment()),
        ];
        // what the system leaves comes on top of what is held
        let held = limits::resident();
        let system = system.map(|(source, left)| (source, left.map(|left| left.saturating_add(held))));
        let all = [(Setting, given.map(|given| given.as_u64()))].into_iter().chain(system);
        all.filter_map(|(source, bytes)| Some(Self { bytes: bytes?, source, smaller: None }))
            .min_by_key(|limit| limit.bytes)
    }

    /// The error that says that `what` needs more; `advice` is what can be done beside raising the limit, by default
    /// [`Self::smaller`].
    pub fn refuse(&self, what: &str, need: u64, advice: Option<&'static str>) -> Error {
        let advice = advice.or(self.smaller).map_or(String::new(), |advice| format!("{advice}, or "));
        let need = ByteSize::b(need);
        Error::Memory { what: what.into(), need, limit: *self, advice, raise: self.source.raise() }
    }
}

/// One budget of memory for a whole call, from its first byte on.
///
/// Whatever makes data (a reader, a generator) draws their bytes before it allocates them; work is checked as a whole
/// before it begins. Both are refused by the same limit, which is looked up once.
#[derive(Debug)]
pub struct Budget {
    limit: Option<MemoryLimit>,
    drawn: AtomicU64,
}

impl Budget {
    /// The least of the setting `memory`, what is free on the machine, and the limits of the process: its control groups,
    /// address space (`ulimit -v`) and data segment (`ulimit -d`).
    pub fn new(memory: Option<ByteSize>) -> Self {
        Self::within(MemoryLimit::least(memory))
    }

    /// The same for a call inside a process that holds other data: of what the system leaves, four fifths.
    pub fn of_call(memory: Option<ByteSize>) -> Self {
        let limit = MemoryLimit::least(memory).map(|limit| match limit.source {
            LimitSource::Setting => limit,
            _ => {
                let left = limit.bytes.saturating_sub(limits::resident());
                MemoryLimit { bytes: PROGRAM.saturating_add(left / 5 * 4), ..limit }
            }
        });
        Self::within(limit).advising("use fewer samples, or a smaller network")
    }

    /// The same, whose refusals of work say that this makes it smaller.
    #[must_use]
    pub fn advising(self, smaller: &'static str) -> Self {
        Self { limit: self.limit.map(|limit| MemoryLimit { smaller: Some(smaller), ..limit }), ..self }
    }

    /// Nothing but this limit.
    pub fn within(limit: Option<MemoryLimit>) -> Self {
        Self { limit, drawn: AtomicU64::new(0) }
    }

    /// The limit; `None` where there is none.
    pub fn limit(&self) -> Option<MemoryLimit> {
        self.limit
    }

    /// Checks that `what`, which needs `need` bytes with the program and all its data, may begin.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn check(&self, what: &str, need: u64) -> Result<(), Error> {
        match self.limit {
            Some(limit) if need > limit.bytes => Err(limit.refuse(what, need, None)),
            _ => Ok(()),
        }
    }

    /// Takes `bytes` for `what`, which is about to be allocated: samples that are made, a file that is read.
    ///
    /// Some data are allowed under any limit; what is done with them is refused as a whole then, with its forecast.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn draw(&self, what: &str, bytes: u64) -> Result<(), Error> {
        self.draw_or(what, bytes, FEWER)
    }

    /// The same with other advice where it is refused.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn draw_or(&self, what: &str, bytes: u64, advice: &'static str) -> Result<(), Error> {
        let drawn = self.drawn.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        match self.limit {
            Some(limit) if drawn > Self::for_data(limit) => {
                self.give_back(bytes);
                Err(limit.refuse(what, PROGRAM.saturating_add(drawn), Some(advice)))
            }
            _ => Ok(()),
        }
    }

    /// Gives back what was drawn for something that is freed.
    pub fn give_back(&self, bytes: u64) {
        self.drawn.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes that can still be drawn: how much may be read of what does not say how long it is.
    pub fn left(&self) -> u64 {
        self.limit.map_or(u64::MAX, |limit| Self::for_data(limit).saturating_sub(self.drawn.load(Ordering::Relaxed)))
    }

    fn for_data(limit: MemoryLimit) -> u64 {
        limit.bytes.saturating_sub(PROGRAM).max(SMALL)
    }
}

/// Without the setting `memory`.
impl Default for Budget {
    fn default() -> Self {
        Self::new(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(bytes: u64) -> Budget {
        Budget::within(Some(MemoryLimit { bytes, source: LimitSource::Setting, smaller: None }))
    }

    #[test]
    fn the_least_limit_counts() {
        let limit = Budget::new(Some(ByteSize::kib(3))).limit();
        assert_eq!(limit, Some(MemoryLimit { bytes: 3 << 10, source: LimitSource::Setting, smaller: None }));
        let machine = Budget::new(Some(ByteSize::pib(1))).limit();
        assert!(machine.is_none_or(|limit| limit.source != LimitSource::Setting) || !cfg!(target_os = "linux"));
    }

    #[test]
    fn what_is_drawn_is_counted() {
        let budget = budget(PROGRAM + (100 << 20));
        budget.draw("a", 60 << 20).unwrap();
        assert_eq!(budget.left(), 40 << 20);
        let refused = budget.draw("b", 50 << 20).unwrap_err().to_string();
        assert!(refused.starts_with("b needs about 118.0 MiB of memory, more than 108.0 MiB (`memory`)"), "{refused}");
        assert_eq!(budget.left(), 40 << 20, "nothing is taken for what is refused");
        budget.give_back(60 << 20);
        budget.draw("b", 50 << 20).unwrap();
    }

    #[test]
    fn no_size_wraps() {
        for budget in [budget(1 << 30), budget(0)] {
            for bytes in [u64::MAX, u64::MAX - 5] {
                assert!(budget.draw("all", bytes).is_err() && budget.check("all", bytes).is_err());
            }
        }
    }

    #[test]
    fn small_data_are_read_under_any_limit() {
        let budget = budget(1);
        budget.draw("a few samples", 1 << 20).unwrap();
        assert!(budget.check("work", PROGRAM).is_err());
        assert!(budget.draw("many", SMALL).is_err());
    }
}
