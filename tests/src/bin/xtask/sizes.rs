//! The table of what every image takes of its board, and the table of the numbers that were compared.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use ntkscope_frames::{Frame, Number};

use crate::{
    budgets,
    steps::{Session, measure},
};

/// Builds and runs what has not been yet, prints the table, and holds each image to its budget.
pub(crate) fn step(session: &mut Session) -> Result<()> {
    measure(session)?;
    let head = ["board", "transport", "binary", "flash", "panics", "static RAM", "stack"];
    let [board, transport, binary, flash, panics, ram, stack] = head;
    println!("{board:<18} {transport:<12} {binary:<14} {flash:>8} {panics:>6} {ram:>10} {stack:>7}");
    for ((board, transport, binary), taken) in &session.taken {
        // A real board's stack shows when it runs there.
        let stack = taken.stack.map_or("-".into(), |(used, _)| used.to_string());
        let panics = taken.panics.map_or("-".into(), |panics| panics.to_string());
        let (flash, ram) = (taken.size.flash, taken.size.ram);
        println!("{board:<18} {transport:<12} {binary:<14} {flash:>8} {panics:>6} {ram:>10} {stack:>7}");
    }
    println!("bytes, and calls that panic; the stack is the deepest of the run in QEMU; `-` was not measured");
    if !session.toolchains.are_native() {
        println!("built by another compiler than the budgets are for: not compared with them");
        return Ok(());
    }
    budgets::check(&session.taken)
}

/// Prints, for every board that was run, how many numbers of each experiment and scalar were equal to this machine's in every bit.
pub(crate) fn print_parity(session: &Session) {
    let mut equal = BTreeMap::new();
    for ((board, _, binary), taken) in &session.taken {
        if let Some(counts) = taken.equal {
            equal.insert((board.as_str(), *binary), counts);
        }
    }
    println!("\n{}", parity(&equal));
    println!("numbers, all that a board sent, each equal to this machine's in every bit");
}

/// The scalars that the numbers of an experiment are computed in.
const SCALARS: [&str; 3] = ["f32", "Approx32", "f64"];

/// How many numbers there are of each of [`SCALARS`], which the name of a run begins with where it is not `f32`.
pub(crate) fn by_scalar(numbers: &[Number]) -> [usize; SCALARS.len()] {
    let mut counts = [0; SCALARS.len()];
    for number in numbers {
        let scalar = ["approx-", "f64-"].iter().position(|name| number.run.starts_with(name));
        counts[scalar.map_or(0, |other| other + 1)] += 1;
    }
    counts
}

/// The table of boards by experiments and the scalars that each computes in, `-` where there is none.
fn parity(equal: &BTreeMap<(&str, &str), [usize; SCALARS.len()]>) -> String {
    let columns: BTreeSet<_> = equal
        .iter()
        .flat_map(|((_, binary), counts)| {
            (0..counts.len()).filter(|scalar| counts[*scalar] > 0).map(|scalar| (*binary, scalar))
        })
        .collect();
    let mut table = "| board |".to_owned();
    columns.iter().for_each(|(binary, scalar)| table += &format!(" `{binary}` {} |", SCALARS[*scalar]));
    table += &format!("\n| --- |{}\n", " --- |".repeat(columns.len()));
    let boards: BTreeSet<_> = equal.keys().map(|(board, _)| board).collect();
    for board in boards {
        table += &format!("| `{board}` |");
        for (binary, scalar) in &columns {
            let count = equal.get(&(*board, *binary)).map(|counts| counts[*scalar]);
            table += &format!(" {} |", count.map_or("-".into(), |count| count.to_string()));
        }
        table.push('\n');
    }
    table
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
        texts.iter().map(|text| Frame::new(Some("info"), text)).collect()
    }

    #[test]
    fn numbers_are_counted_by_the_scalar_of_their_run() {
        let number = |run: &str| Number { run: run.into(), record: 0, field: "loss".into(), bits: 0, sequence: 0 };
        let sent = ["f32-erf", "approx-erf", "f64-erf", "f64-smooth", "cross-entropy"].map(number);
        assert_eq!(by_scalar(&sent), [2, 1, 2]);
        let equal = BTreeMap::from([(("a", "awkward"), [2, 1, 2]), (("b", "kernel"), [7, 0, 0])]);
        let rows = [
            "| board | `awkward` f32 | `awkward` Approx32 | `awkward` f64 | `kernel` f32 |",
            "| --- | --- | --- | --- | --- |",
            "| `a` | 2 | 1 | 2 | - |",
            "| `b` | - | - | - | 7 |",
        ];
        assert_eq!(parity(&equal).lines().collect::<Vec<_>>(), rows);
    }

    #[test]
    fn the_stack_is_read_and_checked() {
        assert_eq!(stack(&frames(&["x", "stack 812 of 4096 bytes"])).unwrap(), (812, 4096));
        assert!(stack(&frames(&["stack 4096 of 4096 bytes"])).is_err());
        assert!(stack(&frames(&["stack"])).is_err());
    }
}
