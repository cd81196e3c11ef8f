//! Boards by themselves, without a debugger: frames over the serial port, with the board's time, sleep at the end, results that stay in RAM; and one
//! flipped bit in any of them, which [`one_bit`] checks.

use std::{cell::Cell, fs};

use anyhow::{Context, Result, bail, ensure};
use ntkscope_frames::{Event, Kept, Received, Until, receive};

use crate::{
    board::Board,
    ends,
    image::{self, ENDS, Transport},
    one_bit,
    qemu::{self, Alone, Job},
    reference,
    steps::Session,
};

/// A core that tells whether a debugger is there, and the smallest, which does not.
const BOARDS: [&str; 2] = ["an386", "microbit-v1"];
/// The quickest experiment.
const BINARY: &str = "kernel";
/// One that computes for seconds after its first records.
const LONG: &str = "initialization";

pub(crate) fn step(session: &mut Session) -> Result<()> {
    qemu::ARM.ensure_installed()?;
    for name in BOARDS {
        let board = Board::load(name)?;
        let elf = image::build(&mut session.toolchains, &board, Transport::Serial, &[BINARY, ENDS]).context(name)?;
        ends::check(&board, &elf.elf(ENDS), Transport::Serial)?;
        let elf = elf.elf(BINARY);
        let (machine, limit) = (board.machine()?, qemu::LIMIT);
        let job = Job { elf: &elf, machine, transport: Transport::Serial, more: &[], limit };
        let mut alone = Alone::start(&job)?;
        let source = alone.source(&fs::read(&elf)?)?;
        let received = receive(&source, Until::limit(limit), None, &mut |_| ()).context(name)?;
        println!("serial port: {}", reference::compare(&board, BINARY, &received).context(name)?);
        if name == BOARDS[0] {
            stamped(&received).context(name)?;
        } else {
            // QEMU's nRF51 has a SysTick, the real one none
            ensure!(
                received.frames.iter().all(|frame| frame.at.is_none()),
                "{name}: a time of a board that has no clock"
            );
        }

        asleep(&mut alone).context(name)?;
        let (address, len) = image::region(&elf)?;
        let bytes = alone.memory(address, len)?;
        println!("{}", reference::compare_kept(&board, BINARY, &Kept::read(&bytes)?).context(name)?);
        if let Some(address) = board.keep {
            ensure!(
                alone.memory(address, len)? == bytes,
                "{name}: the flash at {address:#x} is not as the region in RAM"
            );
            println!("{name}: the same {len} bytes in flash, at {address:#x}");
        }
        for bit in [0, 8 * bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            ensure!(Kept::read(&damaged).is_err(), "{name}: bit {bit} of the region may be flipped");
        }
        if name == BOARDS[0] {
            one_bit::check(&board, BINARY, &job).context(name)?;
            let elf = image::build(&mut session.toolchains, &board, Transport::Serial, &[LONG]).context(name)?;
            on_the_way(&Job { elf: &elf.elf(LONG), ..job }).context(name)?;
        }
    }
    Ok(())
}

/// Between two records the region holds all that was sent: a board that is reset there, or looked at, has lost nothing.
fn on_the_way(job: &Job<'_>) -> Result<()> {
    let (address, len) = image::region(job.elf)?;
    let mut alone = Alone::start(job)?;
    let source = alone.source(&fs::read(job.elf)?)?;
    let (mut has_sent, mut bytes, is_read) = (false, None, Cell::new(false));
    let until = Until { limit: job.limit, stopped: &|| is_read.get() };
    let received = receive(&source, until, None, &mut |event| match event {
        Event::Record(_) => has_sent = true,
        Event::Alive(_) if has_sent && !is_read.get() => {
            bytes = Some(alone.memory(address, len));
            is_read.set(true);
        }
        _ => (),
    })?;
    let kept = Kept::read(&bytes.context("no sign of life comes after a record")??)?;
    let sent: Vec<_> = received.numbers.iter().map(|number| number.bits).collect();
    ensure!(kept.code.is_none() && kept.last == sent, "{} numbers were sent, the region has {kept:?}", sent.len());
    println!("the region holds all {} numbers while the experiment runs", sent.len());
    Ok(())
}

/// Every frame says when it was sent, none before the one that came before it.
fn stamped(received: &Received) -> Result<()> {
    let times: Vec<_> = received.frames.iter().filter_map(|frame| frame.at).collect();
    ensure!(times.len() == received.frames.len(), "{} of {} frames have a time", times.len(), received.frames.len());
    ensure!(times.is_sorted(), "a frame was sent before the one before it: {times:?}");
    let (first, last) = (times[0], times[times.len() - 1]);
    ensure!(first < last, "no time passes");
    println!("{} frames in {:.3} s of the board's time", times.len(), (last - first).as_secs_f64());
    Ok(())
}

/// The core sleeps soon after its last frame, and goes on sleeping.
pub(crate) fn asleep(alone: &mut Alone) -> Result<()> {
    for _ in 0..20 {
        if alone.sleeps()? {
            ensure!(alone.sleeps()?, "the core woke up after the end");
            return Ok(());
        }
    }
    bail!("the core does not sleep after the end")
}
