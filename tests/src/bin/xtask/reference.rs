//! The same experiment on this machine, and the comparison bit for bit.

use anyhow::{Context, Result, anyhow, bail, ensure};
use ntkscope_frames::{Kept, Number as Frame, Received, crc32};

use crate::{
    board::Board,
    experiment::{self, Digest, Experiment, Number, divergence, resnet, slices},
    experiments::EXPERIMENTS,
    image::{self, DEADLINE, EXECUTORS},
};

/// The experiment of this name.
pub(crate) fn experiment(binary: &str) -> Result<Experiment> {
    // in slices there, in whole steps here
    if binary == DEADLINE || EXECUTORS.iter().any(|(name, ..)| *name == binary) {
        return Ok(slices::EXPERIMENT);
    }
    let found = EXPERIMENTS.iter().find(|(name, _)| *name == binary).map(|(_, experiment)| *experiment);
    let all = || image::experiments().collect::<Vec<_>>().join(", ");
    found.with_context(|| format!("{binary} has no experiment on the host; those that have are {}", all()))
}

/// Every number that `binary` on `board` must send, computed on this machine.
fn expected(board: &Board, binary: &str) -> Result<Vec<Number>> {
    let (experiment, here) = (experiment(binary)?, on(board));
    let mut numbers = Vec::new();
    let result = (experiment.run)(here, &mut vec![0.0; (experiment.len)(here)], &mut |number| numbers.push(number));
    result.map_err(|error| anyhow!("{binary} for {}, on the host: {error}", board.name))?;
    ensure!(!numbers.is_empty(), "the host has no numbers to compare with");
    Ok(numbers)
}

/// The board, as experiments ask for it.
fn on(board: &Board) -> experiment::Board {
    experiment::Board { ram: board.ram, fpu: board.fpu() }
}

/// Compares the numbers that `binary` sent from `board` with this machine's: a sentence about them if they are equal.
pub(crate) fn compare(board: &Board, binary: &str, received: &Received) -> Result<String> {
    let expected = expected(board, binary)?;
    compare_numbers(&expected, &received.numbers)?;
    received.ended()?;
    let (name, count, how) = (&board.name, expected.len(), how(board, binary));
    let mut digest = Digest::new();
    expected.iter().for_each(|number| digest.add(number.value));
    let digest = digest.value();
    Ok(format!("{binary} on {name}{how}: {count} numbers, all equal to the host's in every bit; digest {digest:016x}"))
}

/// Compares what `binary` has left in the RAM of `board` with this machine's numbers: a sentence about it if it is equal.
pub(crate) fn compare_kept(board: &Board, binary: &str, kept: &Kept) -> Result<String> {
    let expected = expected(board, binary)?;
    let code = kept.code.map_or("still runs".into(), |code| format!("ended with {code}"));
    ensure!(kept.code == Some(0), "{binary} on {} {code}, {} numbers in", board.name, kept.count);
    let first = expected.len().saturating_sub(kept.last.len());
    let count = kept.count as usize;
    ensure!(count == expected.len(), "the board computed {count} numbers, the host has {}", expected.len());
    for (i, (Number { run, record, field, value }, bits)) in expected[first..].iter().zip(&kept.last).enumerate() {
        let place = format!("number {}, {run} record {record}, field {field}", first + i);
        ensure!(
            *bits == value.to_bits(),
            "{place}: the host has {}, the board {}",
            shown(value.to_bits()),
            shown(*bits)
        );
    }
    // of those that the ring has no room for
    let sum = expected.iter().fold(0, |sum, number| crc32(sum, &number.value.to_bits().to_le_bytes()));
    ensure!(
        sum == kept.checksum,
        "one of numbers 0 to {} differs: the checksum over all is {:08x} on the board, {sum:08x} on the host",
        first.saturating_sub(1),
        kept.checksum
    );
    let (name, last) = (&board.name, kept.last.len());
    Ok(format!("{binary} on {name}: the last {last} of {count} numbers in RAM and the checksum of all are the host's"))
}

/// How a binary that trains reads its kernel on this board, and whether it leaves its trainer as bytes.
fn how(board: &Board, binary: &str) -> String {
    let Some([bursts, state]) = fitting(board, binary) else { return String::new() };
    let read = if bursts { "bursts" } else { "points" };
    format!(" ({read}{})", if state { ", resumed from bytes" } else { "" })
}

/// Whether bursts and the state fit, of a binary that trains.
fn fitting(board: &Board, binary: &str) -> Option<[bool; 2]> {
    match binary {
        "divergence" => Some(divergence::fitting(on(board))),
        "resnet" => Some(resnet::fitting(on(board))),
        _ => None,
    }
}

fn compare_numbers(expected: &[Number], actual: &[Frame]) -> Result<()> {
    for (i, (Number { run, record, field, value }, sent)) in expected.iter().zip(actual).enumerate() {
        let place = format!("number {i}, {run} record {record}, field {field}");
        let host = format!("the host has {}", shown(value.to_bits()));
        if (sent.run.as_str(), sent.record, sent.field.as_str()) != (run, *record, field) {
            bail!("{place}: {host}, the board sent {}", named(sent));
        }
        ensure!(sent.bits == value.to_bits(), "{place}: {host}, the board {}", shown(sent.bits));
    }
    let (all, sent) = (expected.len(), actual.len());
    if let Some(missing) = expected.get(sent) {
        let Number { run, record, field, .. } = missing;
        bail!(
            "the board sent {sent} numbers of {all}; the first that is missing is {run} record {record}, field {field}"
        );
    }
    if let Some(more) = actual.get(all) {
        bail!("the board sent {sent} numbers, the host has {all}; the first too many is {}", named(more));
    }
    Ok(())
}

/// Which number, and what it is.
fn named(Frame { run, record, field, bits, .. }: &Frame) -> String {
    format!("{run} record {record}, field {field}: {}", shown(*bits))
}

/// The bits in hex, and what they are as a float.
fn shown(bits: u32) -> String {
    format!("{bits:08x} ({:e})", f32::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Cursor, time::Duration};

    use ntkscope_frames::{Source, Until, checksum, placeholders, receive};

    use crate::{
        experiment::Output,
        image::{BENCH, ENDS},
        process::root,
        steps::QEMU_BOARDS,
    };

    const NUMBERS: [Number; 3] = [
        Number { run: "mse", record: 0, field: "loss", value: 1.0 },
        Number { run: "mse", record: 0, field: "drift", value: 0.0 },
        Number { run: "mse", record: 1, field: "loss", value: 0.5 },
    ];

    /// The numbers as they arrive.
    fn arrived(numbers: &[Number]) -> Vec<Frame> {
        let frame = |(sequence, number): (u32, &Number)| {
            let Number { run, record, field, value } = *number;
            Frame { run: run.into(), record, field: field.into(), bits: value.to_bits(), sequence }
        };
        (0..).zip(numbers).map(frame).collect()
    }

    fn verdict(expected: &[Number], arrived: &[Frame]) -> String {
        compare_numbers(expected, arrived).map_or_else(|error| error.to_string(), |()| "equal".into())
    }

    /// What README.md says of the boards.
    #[test]
    fn bursts_and_the_state_fit_every_board_but_the_smallest() {
        for name in crate::board::names() {
            let board = Board::load(&name).expect("a board");
            let fitting = ["divergence", "initialization", "kernel", "resnet"].map(|binary| fitting(&board, binary));
            let residual = name != "microbit-v1";
            assert_eq!(fitting, [Some([true; 2]), None, None, Some([residual; 2])], "{name}");
        }
    }

    #[test]
    fn equal_numbers_are_equal() {
        assert_eq!(verdict(&NUMBERS, &arrived(&NUMBERS)), "equal");
    }

    #[test]
    fn any_single_bit_of_any_number_is_noticed() {
        for i in 0..NUMBERS.len() {
            for bit in 0..32 {
                let mut other = NUMBERS;
                other[i].value = f32::from_bits(other[i].value.to_bits() ^ 1 << bit);
                let said = verdict(&other, &arrived(&NUMBERS));
                assert!(said.starts_with(&format!("number {i}, ")), "{said}");
            }
        }
        // Equal as floats, not as bits.
        let mut other = NUMBERS;
        other[1].value = -0.0;
        let said = verdict(&other, &arrived(&NUMBERS));
        assert_eq!(said, "number 1, mse record 0, field drift: the host has 80000000 (-0e0), the board 00000000 (0e0)");
    }

    #[test]
    fn every_binary_of_the_firmware_is_compared_in_every_number() {
        let sources = fs::read_dir(root().join("firmware/src/bin")).unwrap();
        let mut names: Vec<_> =
            sources.map(|source| source.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        let others = [BENCH, ENDS, DEADLINE].into_iter().chain(EXECUTORS.map(|(binary, ..)| binary));
        names.retain(|name| !others.clone().any(|other| other == name));
        names.sort();
        assert_eq!(names, image::experiments().collect::<Vec<_>>());
        // The board whose networks are the smallest.
        let board = Board::load("microbit-v1").unwrap();
        for binary in image::experiments() {
            let numbers = expected(&board, binary).unwrap();
            let sent = arrived(&numbers);
            assert_eq!(verdict(&numbers, &sent), "equal", "{binary}");
            for i in 0..numbers.len() {
                let mut other = numbers.clone();
                other[i].value = f32::from_bits(other[i].value.to_bits() ^ 1);
                let said = verdict(&other, &sent);
                assert!(said.starts_with(&format!("number {i}, ")), "{binary}: {said}");
            }
        }
    }

    /// What the experiment is to show, on the boards that QEMU runs: widths 64, 32 and 24.
    #[test]
    fn mirrored_networks_learn_with_smaller_errors() {
        for name in QEMU_BOARDS {
            let numbers = expected(&Board::load(name).unwrap(), "initialization").unwrap();
            let of = |run: &str, field: &str| -> Vec<f32> {
                let chosen = numbers.iter().filter(|number| number.run == run && number.field == field);
                chosen.map(|number| number.value).collect()
            };
            let pairs =
                |field: &str| -> Vec<_> { of("standard", field).into_iter().zip(of("mirrored", field)).collect() };
            let (errors, least) = (pairs("test_error"), pairs("least_test_error"));
            // up to t = 10, while what the networks were at the start is unlearnt: later it is the noise that is learnt,
            // and 32 networks as narrow as the smallest board's do not tell the initializations apart any more
            let is_narrow = name == "microbit-v1";
            let told = if is_narrow { 6 } else { errors.len() };
            let smaller = |pairs: &[(f32, f32)]| pairs.iter().all(|(standard, mirrored)| mirrored < standard);
            assert!(told >= 6 && smaller(&errors[..told]), "{name}: {errors:?}");
            assert!(least.len() == 1 && (is_narrow || smaller(&least)), "{name}: {least:?}");
            // f* is learnt: its own mean square on these points is 1.9
            assert!(of("mirrored", "least_test_error")[0] < 0.1, "{name}");
        }
    }

    #[test]
    fn numbers_too_few_too_many_or_under_another_name_are_noticed() {
        let sent = arrived(&NUMBERS);
        assert!(verdict(&NUMBERS, &sent[..2]).contains("2 numbers of 3; the first that is missing is mse record 1"));
        assert!(verdict(&NUMBERS[..2], &sent).contains("the first too many is mse record 1, field loss: 3f000000"));
        let swapped = [sent[1].clone(), sent[0].clone(), sent[2].clone()];
        assert!(verdict(&NUMBERS, &swapped).contains("the board sent mse record 0, field drift: 00000000"));
    }

    /// A recorded file, one bit of one number flipped on its way or on the board.
    #[test]
    fn a_flipped_bit_in_a_file_is_named() {
        let text = |flipped: bool, counted: bool| {
            let mut lines = Vec::new();
            for (i, Number { run, record, field, value }) in (0..).zip(NUMBERS) {
                let (right, bits) = (value.to_bits(), value.to_bits() ^ u32::from(flipped && i == 2));
                let sum = checksum(i, run, record, field, if counted { bits } else { right });
                lines.push(format!("{run} {record} {field} {bits:08x} {} #{i} {sum:08x}", f32::from_bits(bits)));
            }
            lines.push("info: end: 0, 3 numbers".into());
            lines.join("\n")
        };
        let verdict = |text: String| -> Result<()> {
            let source = Source::lines("file", Cursor::new(text.into_bytes()));
            let received = receive(&source, Until::limit(Duration::from_secs(5)), None, &mut |_| ())?;
            compare_numbers(&NUMBERS, &received.numbers)
        };
        verdict(text(false, true)).unwrap();
        let on_the_board = verdict(text(true, true)).unwrap_err().to_string();
        assert_eq!(
            on_the_board,
            "number 2, mse record 1, field loss: the host has 3f000000 (5e-1), the board 3f000001 (5.0000006e-1)"
        );
        let on_the_way = verdict(text(true, false)).unwrap_err().to_string();
        assert!(on_the_way.starts_with("number 2 was damaged on its way"), "{on_the_way}");
    }

    /// An output that is told of every whole record.
    #[derive(Default)]
    struct Closing {
        is_open: bool,
        closed: usize,
    }

    impl Output for Closing {
        fn number(&mut self, _: Number) {
            self.is_open = true;
        }
        fn record_done(&mut self) {
            assert!(self.is_open, "a record without a number");
            *self = Self { is_open: false, closed: self.closed + 1 };
        }
        fn alive(&mut self, what: &'static str, at: u64) {
            assert!(!self.is_open, "{what} {at} in a record");
        }
    }

    /// While an experiment computes, and at its end, all that it has sent is kept under a checksum that is right.
    #[test]
    fn every_experiment_ends_its_records() {
        let here = on(&Board::load("microbit-v1").unwrap());
        for (binary, Experiment { len, run, .. }) in EXPERIMENTS {
            let mut out = Closing::default();
            run(here, &mut vec![0.0; len(here)], &mut out).unwrap();
            assert!(!out.is_open && out.closed > 1, "{binary}: {} records", out.closed);
        }
    }

    /// Every place in the sentences stands for a number that is sent.
    #[test]
    fn every_experiment_has_a_sentence_with_its_own_numbers() {
        let board = Board::load("microbit-v1").unwrap();
        for (binary, Experiment { shows, .. }) in EXPERIMENTS {
            let (numbers, places) = (expected(&board, binary).unwrap(), placeholders(shows));
            assert!(!places.is_empty(), "{binary}");
            for (run, field) in places {
                assert!(numbers.iter().any(|n| n.run == run && n.field == field), "{binary}: {{{run} {field}}}");
            }
        }
    }
}
