//! An image started in QEMU or on a board, or a board that runs already: one way for the frames of each.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use ntkscope_frames::{Kept, Received, Recording, Source, Until, receive};

use crate::{
    Frames, Target,
    board::Board,
    image::{self, Transport},
    qemu::{self, Job},
    reference,
    steps::Session,
    terminal::Show,
};

/// Runs an image in QEMU; the exit code is the image's.
pub(crate) fn qemu(
    session: &mut Session,
    Target { binary, board }: &Target,
    frames: &Frames,
    serial: bool,
    more: &[String],
) -> Result<u8> {
    let board = Board::load(board)?;
    let machine = board.machine()?;
    check(frames, binary)?;
    machine.emulator.ensure_installed()?;
    let transport = if serial { Transport::Serial } else { Transport::Semihosting };
    let elf = image::build(&mut session.toolchains, &board, transport, &[binary])?.elf(binary);
    let (mut recording, mut show) = (recording(frames.save.as_deref())?, Show::new());
    let job = Job { elf: &elf, machine, transport, more, limit: Duration::from_secs(frames.limit) };
    let run = qemu::run(&job, recording.as_mut(), &mut |event| show.event(event))?;
    finish(&mut show, &board, binary, frames, &run.received)?;
    Ok(run.code)
}

/// Runs an image on a real board; the exit code is the image's.
pub(crate) fn flash(session: &mut Session, Target { binary, board }: &Target, frames: &Frames) -> Result<u8> {
    let board = Board::load(board)?;
    let chip = board.chip()?;
    check(frames, binary)?;
    let probe = image::probe()?;
    let elf = image::build(&mut session.toolchains, &board, Transport::Rtt, &[binary])?.elf(binary);
    let (mut recording, mut show) = (recording(frames.save.as_deref())?, Show::new());
    let limit = Duration::from_secs(frames.limit);
    let received = image::flash(&probe, &elf, chip, limit, recording.as_mut(), &mut |event| show.event(event))?;
    finish(&mut show, &board, binary, frames, &received)?;
    Ok(received.ended()?)
}

/// Compares what a board has sent, sends or has kept.
pub(crate) fn compare(
    session: &mut Session,
    Target { binary, board }: &Target,
    source: (Option<PathBuf>, Option<PathBuf>, Option<PathBuf>),
    save: Option<PathBuf>,
) -> Result<()> {
    let board = Board::load(board)?;
    reference::experiment(binary)?;
    let mut show = Show::new();
    let source = match source {
        (Some(file), None, None) => {
            let file = if file.is_dir() { file.join(Recording::FILE) } else { file };
            Source::file(&file)?
        }
        (None, Some(port), None) => {
            let elf = image::build(&mut session.toolchains, &board, Transport::Serial, &[binary])?.elf(binary);
            let source = qemu::open(&port, &fs::read(&elf)?)?;
            println!("listening at {}: start the board with {}", port.display(), elf.display());
            source
        }
        (None, None, Some(dump)) => {
            let bytes = fs::read(&dump).with_context(|| dump.display().to_string())?;
            println!("{}", reference::compare_kept(&board, binary, &Kept::read(&bytes)?)?);
            return Ok(());
        }
        _ => bail!("say where the numbers are: one of --file PATH, --serial PORT, --region DUMP"),
    };
    let mut recording = recording(save.as_deref())?;
    // whoever listens ends it
    let received = receive(&source, Until::limit(FOR_EVER), recording.as_mut(), &mut |event| show.event(event))?;
    show.close(binary, &received);
    println!("{}", reference::compare(&board, binary, &received)?);
    Ok(())
}

const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// That what is to be compared can be.
fn check(frames: &Frames, binary: &str) -> Result<()> {
    if frames.compare { reference::experiment(binary).map(drop) } else { Ok(()) }
}

fn recording(save: Option<&Path>) -> Result<Option<Recording>> {
    Ok(save.map(Recording::create).transpose()?)
}

fn finish(show: &mut Show, board: &Board, binary: &str, frames: &Frames, received: &Received) -> Result<()> {
    show.close(binary, received);
    if let Some(save) = &frames.save {
        println!("recorded: {0}/{1}; figures and a report: ntkscope device {0}", save.display(), Recording::FILE);
    }
    if frames.compare {
        let what = || format!("{binary} on {}", board.name);
        println!("{}", reference::compare(board, binary, received).with_context(what)?);
    }
    Ok(())
}
