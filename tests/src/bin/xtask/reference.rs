//! The same experiment on this machine, and the comparison bit for bit.

use anyhow::{Result, anyhow, bail, ensure};

use crate::{
    board::Board,
    experiment::{Number, divergence, initialization, kernel, resnet},
    qemu::Frame,
};

/// Every number that `binary` on `board` must send, computed on this machine.
fn expected(board: &Board, binary: &str) -> Result<Vec<Number>> {
    let mut numbers = Vec::new();
    let mut send = |number| numbers.push(number);
    let result = match binary {
        "divergence" => {
            let width = divergence::width(board.ram, board.fpu());
            divergence::run(width, board.ram, &mut vec![0.0; divergence::len(width, board.ram)], &mut send)
        }
        "initialization" => {
            let width = initialization::width(board.ram, board.fpu());
            initialization::run(width, &mut vec![0.0; initialization::len(width)], &mut send)
        }
        "kernel" => {
            let widths = kernel::widths(board.ram);
            kernel::run(widths, &mut vec![0.0; kernel::len(widths)], &mut send)
        }
        "resnet" => {
            let width = resnet::width(board.ram, board.fpu());
            resnet::run(width, board.ram, &mut vec![0.0; resnet::len(width, board.ram)], &mut send)
        }
        _ => bail!("{binary} has no experiment on the host"),
    };
    result.map_err(|error| anyhow!("{binary} for {}, on the host: {error}", board.name))?;
    Ok(numbers)
}

/// Compares the numbers that `binary` sent from `board` with this machine's: a sentence about them if they are equal.
pub(crate) fn compare(board: &Board, binary: &str, frames: &[Frame]) -> Result<String> {
    let expected = expected(board, binary)?;
    let actual: Vec<_> = frames.iter().filter(|frame| frame.level.is_none()).map(|frame| frame.text.as_str()).collect();
    compare_numbers(&expected, &actual)?;
    let (name, count, how) = (&board.name, expected.len(), how(board, binary));
    Ok(format!("{binary} on {name}{how}: {count} numbers, all equal to the host's in every bit"))
}

/// How a binary that trains reads its kernel on this board, and whether it leaves its trainer as bytes.
fn how(board: &Board, binary: &str) -> String {
    let Some([bursts, state]) = fitting(board, binary) else { return String::new() };
    let read = if bursts { "bursts" } else { "points" };
    format!(" ({read}{})", if state { ", gone on from bytes" } else { "" })
}

/// Whether bursts and the state fit, of a binary that trains.
fn fitting(board: &Board, binary: &str) -> Option<[bool; 2]> {
    let (ram, fpu) = (board.ram, board.fpu());
    match binary {
        "divergence" => Some(divergence::fitting(divergence::width(ram, fpu), ram)),
        "resnet" => Some(resnet::fitting(resnet::width(ram, fpu), ram)),
        _ => None,
    }
}

fn compare_numbers(expected: &[Number], actual: &[&str]) -> Result<()> {
    ensure!(!expected.is_empty(), "the host has no numbers to compare with");
    for (i, (Number { run, record, field, value }, line)) in expected.iter().zip(actual).enumerate() {
        let place = format!("number {i}, {run} record {record}, field {field}");
        let host = format!("the host has {}", shown(value.to_bits()));
        let bits = line.strip_prefix(&format!("{run} {record} {field} ")).and_then(|rest| {
            let (bits, _) = rest.split_once(' ')?;
            u32::from_str_radix(bits, 16).ok()
        });
        match bits {
            Some(bits) if bits == value.to_bits() => (),
            Some(bits) => bail!("{place}: {host}, the board {}", shown(bits)),
            None => bail!("{place}: {host}, the board sent `{line}`"),
        }
    }
    let (all, sent) = (expected.len(), actual.len());
    if let Some(missing) = expected.get(sent) {
        let Number { run, record, field, .. } = missing;
        bail!(
            "the board sent {sent} numbers of {all}; the first that is missing is {run} record {record}, field {field}"
        );
    }
    if let Some(more) = actual.get(all) {
        bail!("the board sent {sent} numbers, the host has {all}; the first too many is `{more}`");
    }
    Ok(())
}

/// The bits in hex, and what they are as a float.
fn shown(bits: u32) -> String {
    format!("{bits:08x} ({:e})", f32::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        image::{BENCH, BINARIES, DEADLINE, OVERFLOW},
        process::root,
        steps::QEMU_BOARDS,
    };

    const NUMBERS: [Number; 3] = [
        Number { run: "mse", record: 0, field: "loss", value: 1.0 },
        Number { run: "mse", record: 0, field: "drift", value: 0.0 },
        Number { run: "mse", record: 1, field: "loss", value: 0.5 },
    ];

    /// The lines as the firmware's `send` writes them.
    fn lines(numbers: &[Number]) -> Vec<String> {
        let line = |Number { run, record, field, value }: &Number| {
            format!("{run} {record} {field} {:08x} {value}", value.to_bits())
        };
        numbers.iter().map(line).collect()
    }

    fn verdict(expected: &[Number], lines: &[String]) -> String {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        compare_numbers(expected, &lines).map_or_else(|error| error.to_string(), |()| "equal".into())
    }

    /// What README.md says of the boards.
    #[test]
    fn bursts_and_the_state_fit_every_board_but_the_smallest() {
        for name in crate::board::names() {
            let board = Board::load(&name).expect("a board");
            let fitting = BINARIES.map(|binary| fitting(&board, binary));
            let residual = name != "microbit-v1";
            assert_eq!(fitting, [Some([true; 2]), None, None, Some([residual; 2])], "{name}");
        }
    }

    #[test]
    fn equal_numbers_are_equal() {
        assert_eq!(verdict(&NUMBERS, &lines(&NUMBERS)), "equal");
    }

    #[test]
    fn any_single_bit_of_any_number_is_noticed() {
        for i in 0..NUMBERS.len() {
            for bit in 0..32 {
                let mut other = NUMBERS;
                other[i].value = f32::from_bits(other[i].value.to_bits() ^ 1 << bit);
                let said = verdict(&other, &lines(&NUMBERS));
                assert!(said.starts_with(&format!("number {i}, ")), "{said}");
            }
        }
        // Equal as floats, not as bits.
        let mut other = NUMBERS;
        other[1].value = -0.0;
        let said = verdict(&other, &lines(&NUMBERS));
        assert_eq!(said, "number 1, mse record 0, field drift: the host has 80000000 (-0e0), the board 00000000 (0e0)");
    }

    #[test]
    fn every_binary_of_the_firmware_is_compared_in_every_number() {
        let sources = fs::read_dir(root().join("firmware/src/bin")).unwrap();
        let mut names: Vec<_> =
            sources.map(|source| source.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        names.retain(|name| ![BENCH, OVERFLOW.0, DEADLINE].contains(&name.as_str()));
        names.sort();
        assert_eq!(names, BINARIES);
        // The board whose networks are the smallest.
        let board = Board::load("microbit-v1").unwrap();
        for binary in BINARIES {
            let numbers = expected(&board, binary).unwrap();
            let sent = lines(&numbers);
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
        let sent = lines(&NUMBERS);
        assert!(verdict(&NUMBERS, &sent[..2]).contains("2 numbers of 3; the first that is missing is mse record 1"));
        assert!(verdict(&NUMBERS[..2], &sent).contains("the first too many is `mse 1 loss 3f000000 0.5`"));
        let swapped = [sent[1].clone(), sent[0].clone(), sent[2].clone()];
        assert!(verdict(&NUMBERS, &swapped).contains("the board sent `mse 0 drift 00000000 0`"));
        assert!(verdict(&[], &[]).contains("no numbers"));
    }
}
