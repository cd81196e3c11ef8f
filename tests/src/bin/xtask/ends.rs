//! Whatever goes wrong on a board ends with a sentence and an exit code of its own, and without a debugger the core sleeps then.

use std::{env, fs, path::Path, process};

use anyhow::{Context, Result, ensure};
use ntkscope_frames::{Until, receive};

use crate::{
    board::Board,
    image::Transport,
    process::minutes,
    qemu::{self, Alone, Job},
    standalone,
};

/// What stands in the image before the way and after it.
const MARK: &[u8] = b"NTKSCOPE-WAY-";
/// What goes wrong, the exit code, and how the sentence begins; the ways are written as digits, in this order.
const WAYS: [(&str, u8, &[&str]); 7] = [
    ("a stack that is full", 103, &["the stack is full"]),
    ("a panic", 101, &["panicked at src/bin/ends.rs:"]),
    ("a fault", 102, &["hard fault at pc 0x", "trap 2 at pc 0x"]),
    ("a loss that is no number", 1, &["loss is not finite at step "]),
    ("a fault in an interrupt", 102, &["hard fault at pc 0x"]),
    ("a panic in an interrupt", 101, &["panicked at src/bin/ends.rs:"]),
    ("a stack that is full in an interrupt", 103, &["the stack is full"]),
];
/// Of them, those in an interrupt, which are a Cortex-M's.
const IN_AN_INTERRUPT: usize = 3;

/// Runs the image `ends` once for each.
pub(crate) fn check(board: &Board, elf: &Path, transport: Transport) -> Result<()> {
    let image = fs::read(elf).with_context(|| elf.display().to_string())?;
    let at = image.windows(MARK.len()).position(|bytes| bytes == MARK).context("the image names no way")? + MARK.len();
    let changed = env::temp_dir().join(format!("ntkscope-ends-{}-{}", board.name, process::id()));
    let ways = if board.target.starts_with("thumb") { WAYS.len() } else { WAYS.len() - IN_AN_INTERRUPT };
    let result = (b'0'..).zip(WAYS).take(ways).try_for_each(|(way, (what, code, begins))| {
        let mut image = image.clone();
        image[at] = way;
        fs::write(&changed, &image)?;
        let job = Job { elf: &changed, machine: board.machine()?, transport, more: &[], limit: minutes(1) };
        let place = || format!("{what} on {}", board.name);
        let run = match transport {
            Transport::Serial => {
                let mut alone = Alone::start(&job)?;
                let source = alone.source(&image)?;
                let received = receive(&source, Until::limit(job.limit), None, &mut |_| ()).with_context(place)?;
                standalone::asleep(&mut alone).with_context(place)?;
                let code = received.ended().with_context(place)?;
                qemu::Run { received, code }
            }
            _ => qemu::run(&job, None, &mut |_| ()).with_context(place)?,
        };
        let said = run.received.error().unwrap_or_default();
        ensure!(run.code == code, "{what} on {}: exit code {}, not {code}; it says `{said}`", board.name, run.code);
        ensure!(begins.iter().any(|begins| said.starts_with(begins)), "{what} on {}: it says `{said}`", board.name);
        println!("{what} on {}: {said}", board.name);
        Ok(())
    });
    let _ = fs::remove_file(&changed);
    result
}
