//! How a page was made: by which program, where, when, with which command.

use time::OffsetDateTime;

use super::Block;
use crate::backend::InstructionSet;
use crate::machine::processor;

/// The program's version and the commit of its sources: `0.1.0 (commit 0123456789ab)`.
pub const VERSION: &str = env!("NTKSCOPE_VERSION");

/// Program, machine and day, then the command as one types it.
pub fn provenance(command: &str) -> Vec<Block> {
    let (day, set) = (OffsetDateTime::now_utc().date(), InstructionSet::here().name());
    let made = format!("Written on {day} (UTC) by ntkscope {VERSION} on {}, instruction set {set}, with", processor());
    vec![Block::Paragraph(made), Block::Code(command.to_owned())]
}
