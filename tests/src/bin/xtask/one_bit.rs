//! One flipped bit is named, wherever the numbers come from: a serial port, a recording, the region in RAM.

use std::{
    env, fs,
    fs::File,
    io::{self, Cursor, Read},
    path::Path,
    process,
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result, ensure};
use ntkscope_frames::{Error, Kept, Received, Recording, Source, Until, receive, serial};

use crate::{
    board::Board,
    experiment::points,
    image,
    qemu::{self, Alone, Job},
    reference,
};

/// What comes from a port, and a copy of it.
struct Copied {
    port: File,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Read for Copied {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.port.read(buffer)?;
        self.bytes.lock().expect("no reader panics").extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

/// Both of an image that has just run: the board has other bits, and bits change on their way.
pub(crate) fn check(board: &Board, binary: &str, job: &Job<'_>) -> Result<()> {
    let image = fs::read(job.elf)?;
    let folder = env::temp_dir().join(format!("ntkscope-one-bit-{}", process::id()));
    fs::create_dir_all(&folder)?;
    let checked =
        on_the_board(board, binary, job, &image, &folder).and_then(|()| on_the_way(board, binary, job, &image));
    fs::remove_dir_all(&folder)?;
    checked
}

/// One bit of a sample in the image's flash, so that some numbers are others while every frame is whole: each way to this machine
/// names the same number, and both its values.
fn on_the_board(board: &Board, binary: &str, job: &Job<'_>, image: &[u8], folder: &Path) -> Result<()> {
    let samples: Vec<u8> = points()?.data().iter().flat_map(|x| x.to_le_bytes()).collect();
    let place = image.windows(samples.len()).position(|bytes| bytes == samples);
    let mut image = image.to_vec();
    // the lowest bit of the last sample's first coordinate
    image[place.context("the image does not hold the samples")? + samples.len() - 8] ^= 1;
    let elf = folder.join(binary);
    fs::write(&elf, &image)?;

    let mut alone = Alone::start(&Job { elf: &elf, ..*job })?;
    let (source, mut recording) = (alone.source(&image)?, Recording::create(folder)?);
    let received = receive(&source, Until::limit(job.limit), Some(&mut recording), &mut |_| ())?;
    let (address, len) = image::region(&elf)?;
    let kept = Kept::read(&alone.memory(address, len)?)?;
    let recorded = receive(&Source::file(&folder.join(Recording::FILE))?, Until::limit(job.limit), None, &mut |_| ())?;

    let said = [
        ("its serial port", reference::compare(board, binary, &received)),
        ("a recording", reference::compare(board, binary, &recorded)),
        ("the region", reference::compare_kept(board, binary, &kept)),
    ]
    .map(|(what, verdict)| (what, verdict.err().map_or_else(|| "all equal".into(), |error| error.to_string())));
    let (_, first) = &said[0];
    let parts = ["number ", " record ", ", field ", ": the host has ", ", the board "];
    for (what, said) in &said {
        let is_named = parts.iter().all(|part| said.contains(part));
        ensure!(is_named && said == first, "one bit flipped in the flash of {}: {what} says `{said}`", board.name);
    }
    println!("one bit flipped in the flash of {}, by serial port, recording and region: {first}", board.name);
    Ok(())
}

/// One bit of every fifth number on its way from the serial port: it is named, or it is one of VALUE's, which is for a reader, and
/// the number as it was.
fn on_the_way(board: &Board, binary: &str, job: &Job<'_>, image: &[u8]) -> Result<()> {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let mut alone = Alone::start(job)?;
    let copied = Copied { port: serial(alone.port(), qemu::BAUD)?, bytes: Arc::clone(&bytes) };
    let source = Source::defmt("serial", image, true, copied)?;
    alone.run()?;
    let whole = receive(&source, Until::limit(job.limit), None, &mut |_| ())?;
    let bytes = bytes.lock().expect("no reader panics").clone();
    let again = |bytes: Vec<u8>| -> Result<Received, Error> {
        receive(&Source::defmt("bytes", image, true, Cursor::new(bytes))?, Until::limit(job.limit), None, &mut |_| ())
    };
    // frames have no zero in them, and one after each
    let (mut places, mut from) = (Vec::new(), 0);
    for piece in bytes.split(|byte| *byte == 0) {
        places.extend((!piece.is_empty()).then_some((from, piece.len())));
        from += piece.len() + 1;
    }
    let (came, frames) = (places.len(), whole.frames.len());
    ensure!(came == frames, "{came} frames between zeros, {frames} decoded");
    let (mut number, mut tried, mut named) = (0, 0, 0);
    for (_, (first, len)) in whole.frames.iter().zip(places).filter(|(frame, _)| frame.level.is_none()) {
        if number % 5 == 0 {
            // another place in each
            let (at, bit) = (first + number % len, number % 8);
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            tried += 1;
            match again(damaged) {
                Err(_) => named += 1,
                Ok(received) => {
                    reference::compare(board, binary, &received)
                        .with_context(|| format!("bit {bit} of byte {at}, in number {number}, was let through"))?;
                }
            }
        }
        number += 1;
    }
    ensure!(2 * named > tried, "{named} of {tried} bits flipped on their way were named");
    println!("{tried} bits flipped on their way from {}: {named} named, the others not of the number", board.name);
    Ok(())
}
