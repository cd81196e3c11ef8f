//! Commands on several ranks: which can be divided, and how all end where one fails.

use std::time::Duration;

use anyhow::Result;

use super::streams::say_of_any_rank;
use super::terminal::{code_of, fail, told};
use super::{Command, UsageError, refusal};
use crate::cli::Call;
use crate::data::Samples;
use crate::machine::memory::LimitSource;
use crate::machine::{MemoryLimit, ranks};

/// How long a rank waits for the first one to say the same, where all have met it.
const FIRST: Duration = Duration::from_secs(1);

/// Refuses what every rank would do by itself, into the same files.
pub(super) fn check(command: &Command) -> Result<(), UsageError> {
    let divided = matches!(command, Command::Kernel { .. } | Command::Regress(_) | Command::Spectrum(_));
    if divided || ranks().size() == 1 {
        return Ok(());
    }
    let (_, path) = refusal::innermost(&super::command(), &Call::present().typed());
    Err(UsageError::Ranks { command: path.trim_start_matches("ntkscope").trim().into(), ranks: ranks().size() })
}

/// Where this rank has failed, says so and ends all: the others wait for it, or will. The message is heard once.
pub(super) fn end_if_failed(result: &Result<u8>) {
    let (ranks, Err(error)) = (ranks(), result) else { return };
    if ranks.size() == 1 {
        return;
    }
    let code = code_of(error);
    if ranks.is_first() {
        fail(code, &told(error), true);
    } else {
        std::thread::sleep(FIRST);
        say_of_any_rank(&format!("error on rank {} of {}: {}", ranks.rank(), ranks.size(), told(error)));
    }
    crate::files::abandon();
    ranks.abort(code)
}

/// Checks that all ranks have read the same samples.
pub(super) fn check_alike(samples: &Samples) -> Result<(), UsageError> {
    // 48 bits of it, exactly
    let digits = samples.sha256.get(..12).and_then(|digits| usize::from_str_radix(digits, 16).ok());
    check_same(digits.unwrap_or(0), "the data")
}

/// Checks that this number, which says what a file holds, is the same on all ranks.
pub(super) fn check_same(number: usize, what: &'static str) -> Result<(), UsageError> {
    let all = ranks().share(&[number as f64]);
    let same = all.windows(2).all(|two| two[0] == two[1]);
    if same { Ok(()) } else { Err(UsageError::Unlike { what }) }
}

/// The least limit of all ranks, so that they plan alike. What a system leaves is shared by the ranks of one machine; the setting
/// `memory` is of each.
pub(super) fn least(limit: Option<MemoryLimit>) -> Option<MemoryLimit> {
    let ranks = ranks();
    if ranks.size() == 1 {
        return limit;
    }
    let own = limit.map(|limit| match limit.source {
        LimitSource::Setting => limit,
        _ => MemoryLimit { bytes: limit.bytes / ranks.here() as u64, ..limit },
    });
    let bytes = ranks.share(&own.map(|limit| limit.bytes as f64).into_iter().collect::<Vec<_>>());
    let least = bytes.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    // a rank without a limit of its own has the others'
    let source = own.map_or(LimitSource::Free, |limit| limit.source);
    least.is_finite().then_some(MemoryLimit { bytes: least as u64, source, smaller: own.and_then(|own| own.smaller) })
}
