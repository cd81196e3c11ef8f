//! What every image may take of its board, `firmware/budgets.csv`: a change that makes one larger is a decision, and a line of that
//! file.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, ensure};

use crate::{process::root, steps::Taken};

/// Below the root of the repository.
const FILE: &str = "firmware/budgets.csv";
/// Its columns; `-` stands for what cannot be measured.
const HEAD: &str = "board,transport,binary,flash,panics,stack";
/// What the last three of them are called.
const WHAT: [&str; 3] = ["bytes of flash", "calls that panic", "bytes of stack"];

/// (board, transport, binary).
type Image<'a> = (&'a str, &'a str, &'a str);
/// Flash, calls that panic, stack.
type Amounts = [Option<u64>; 3];

/// An error that names every image which takes more than its budget, or has none, or far too much of one.
pub(crate) fn check(taken: &BTreeMap<(String, &'static str, &'static str), Taken>) -> Result<()> {
    let text = fs::read_to_string(root().join(FILE)).context(FILE)?;
    let budgets = parse(&text).context(FILE)?;
    let images = taken.iter().map(|((board, transport, binary), taken)| {
        let amounts = [Some(taken.size.flash), taken.panics, taken.stack.map(|(used, _)| used)];
        ((board.as_str(), *transport, *binary), amounts)
    });
    let faults: Vec<_> = images.flat_map(|(image, amounts)| faults(image, amounts, budgets.get(&image))).collect();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    println!("every image is within its budget, {FILE}");
    Ok(())
}

fn parse(text: &str) -> Result<BTreeMap<Image<'_>, Amounts>> {
    let mut lines = text.lines();
    ensure!(lines.next() == Some(HEAD), "the first line is not `{HEAD}`");
    lines
        .map(|line| {
            let words: Vec<_> = line.split(',').collect();
            let [board, transport, binary, amounts @ ..] = &words[..] else { return None };
            let amount = |word: &&str| if *word == "-" { Some(None) } else { word.parse().ok().map(Some) };
            let amounts: Option<Vec<_>> = amounts.iter().map(amount).collect();
            Some(((*board, *transport, *binary), amounts?.try_into().ok()?))
        })
        .zip(text.lines().skip(1))
        .map(|(row, line)| row.with_context(|| format!("`{line}` is not {HEAD}")))
        .collect()
}

/// What is wrong with an image, a line each.
fn faults((board, transport, binary): Image<'_>, amounts: Amounts, budget: Option<&Amounts>) -> Vec<String> {
    let Some(budget) = budget else {
        let words = amounts.map(|amount| amount.map_or("-".into(), |amount| right(amount).to_string()));
        let line = [&[board, transport, binary].map(str::to_owned)[..], &words].concat().join(",");
        return vec![format!("{binary} on {board} ({transport}) has no budget: add `{line}` to {FILE}")];
    };
    let mut faults = Vec::new();
    for ((amount, budget), what) in amounts.into_iter().zip(budget).zip(WHAT) {
        // an emulator that is not here measures no stack
        let Some(amount) = amount else { continue };
        let is = format!("{binary} on {board} ({transport}): {amount} {what}");
        match *budget {
            None => faults.push(format!("{is}, without a budget: {} in {FILE}", right(amount))),
            Some(budget) if amount > budget => faults.push(format!("{is}, of a budget of {budget} in {FILE}")),
            Some(budget) if budget > lax(amount) => {
                faults.push(format!("{is}, for which {budget} in {FILE} is too much: {} will do", right(amount)));
            }
            Some(_) => (),
        }
    }
    faults
}

/// The budget of what takes so much: a twentieth more.
const fn right(amount: u64) -> u64 {
    amount + amount.div_ceil(20)
}

/// The largest that says something: an eighth more, and a few.
const fn lax(amount: u64) -> u64 {
    amount + amount / 8 + 4
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Image<'_> = ("an386", "semihosting", "kernel");

    fn said(amounts: Amounts, text: &str) -> String {
        let text = format!("{HEAD}\n{text}");
        faults(IMAGE, amounts, parse(&text).unwrap().get(&IMAGE)).join("; ")
    }

    #[test]
    fn more_than_the_budget_is_named_and_so_is_a_budget_that_says_nothing() {
        let line = "an386,semihosting,kernel,1050,42,2100";
        let right = [Some(1000), Some(40), Some(2000)];
        assert_eq!((said(right, line), said([Some(1050), Some(42), None], line)), (String::new(), String::new()));
        assert!(said([Some(1051), Some(40), Some(2000)], line).contains("1051 bytes of flash, of a budget of 1050"));
        assert!(said([Some(1000), Some(43), Some(2000)], line).contains("43 calls that panic, of a budget of 42"));
        assert!(said([Some(1000), Some(40), Some(2101)], line).contains("2101 bytes of stack, of a budget of 2100"));
        assert!(said([Some(900), Some(40), Some(2000)], line).contains("is too much: 945 will do"));
        assert!(said(right, "an386,semihosting,kernel,1050,-,2100").contains("without a budget: 42"));
        assert!(said(right, "").ends_with("add `an386,semihosting,kernel,1050,42,2100` to firmware/budgets.csv"));
    }

    #[test]
    fn the_file_can_be_read() {
        let text = fs::read_to_string(root().join(FILE)).unwrap();
        assert!(parse(&text).unwrap().len() > 30);
        assert!(parse("board\n").is_err() && parse(&format!("{HEAD}\na,b,c,1,2\n")).is_err());
    }
}
