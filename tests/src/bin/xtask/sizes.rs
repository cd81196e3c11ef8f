//! The table of what every image takes of its board.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use ntkscope_frames::Frame;

use crate::{
    image,
    steps::{Session, measure},
};

/// Builds and runs what has not been yet, and prints the table.
pub(crate) fn step(session: &mut Session) -> Result<()> {
    measure(session)?;
    println!("{:<18} {:<12} {:<14} {:>8} {:>10} {:>7}", "board", "transport", "binary", "flash", "static RAM", "stack");
    for ((board, transport, binary), taken) in &session.taken {
        // A real board's stack shows when it runs there.
        let stack = taken.stack.map_or("-".into(), |(used, _)| used.to_string());
        let (flash, ram) = (taken.size.flash, taken.size.ram);
        println!("{board:<18} {transport:<12} {binary:<14} {flash:>8} {ram:>10} {stack:>7}");
    }
    println!("bytes; the stack is the deepest of the run in QEMU, `-` for a board that was not run");
    Ok(())
}

/// Prints, for every board that was run, how many numbers of each experiment were equal to this machine's in every bit.
pub(crate) fn print_parity(session: &Session) {
    let equal = |board: &str, binary: &str| {
        session
            .taken
            .iter()
            .find(|((of, _, name), _)| of == board && *name == binary)
            .and_then(|(_, taken)| taken.equal)
    };
    let experiments: Vec<_> = image::experiments().collect();
    print!("\n| board |");
    experiments.iter().for_each(|name| print!(" `{name}` |"));
    println!("\n| --- |{}", " --- |".repeat(experiments.len()));
    let boards: BTreeSet<_> = session.taken.keys().map(|(board, ..)| board).collect();
    for board in boards {
        let row: Vec<_> = experiments.iter().map(|name| equal(board, name)).collect();
        if row.iter().any(Option::is_some) {
            print!("| `{board}` |");
            row.iter().for_each(|count| print!(" {} |", count.map_or("-".into(), |count| count.to_string())));
            println!();
        }
    }
    println!("\nnumbers, all that a board sent, each equal to this machine's in every bit");
}

/// What an image said of its stack, `stack USED of AVAILABLE bytes`: an error if it said nothing or ran over.
pub(crate) fn stack(frames: &[Frame]) -> Result<(u64, u64)> {
    let said = frames.iter().filter(|frame| frame.level.is_some()).rev().find_map(|frame| {
        let words = frame.text.strip_prefix("stack ")?.strip_suffix(" bytes")?;
        let (used, available) = words.split_once(" of ")?;
        Some((used.parse().ok()?, available.parse().ok()?))
    });
    let (used, available): (u64, u64) = said.context("the image did not say how much stack it used")?;
    ensure!(used < available, "the stack took all of its {available} bytes and may have run into the buffers");
    Ok((used, available))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(texts: &[&str]) -> Vec<Frame> {
        texts.iter().map(|text| Frame { level: Some("info"), text: (*text).to_owned() }).collect()
    }

    #[test]
    fn the_stack_is_read_and_checked() {
        assert_eq!(stack(&frames(&["x", "stack 812 of 4096 bytes"])).unwrap(), (812, 4096));
        assert!(stack(&frames(&["stack 4096 of 4096 bytes"])).is_err());
        assert!(stack(&frames(&["stack"])).is_err());
    }
}
