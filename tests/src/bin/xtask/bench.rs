//! The table of what the passes of a network cost on a core, from the frames of the image `bench`.

use anyhow::{Context, Result, ensure};
use ntkscope_frames::Frame;

use crate::{
    board::Board,
    image::{self, BENCH, Size, Transport},
    qemu::{self, Job},
    sizes,
    toolchain::Toolchains,
};

/// QEMU's clock follows the instructions, 2^6 ns each: about SysTick's rate on its boards.
pub(crate) const CLOCK: [&str; 2] = ["-icount", "shift=6"];

/// Runs the image on an emulated board and prints its table.
pub(crate) fn measure(toolchains: &mut Toolchains, board: &Board) -> Result<()> {
    let machine = board.machine()?;
    machine.emulator.ensure_installed()?;
    let elf = image::build(toolchains, board, Transport::Semihosting, &[BENCH])?.elf(BENCH);
    let (transport, more) = (Transport::Semihosting, CLOCK.map(str::to_owned));
    let job = Job { elf: &elf, machine, transport, more: &more, limit: qemu::LIMIT };
    let run = qemu::run(&job, None, &mut |_| ())?;
    run.check_exit()?;
    let frames = &run.received.frames;
    let said = frames.iter().find(|frame| frame.level.is_some() && frame.text.starts_with("width "));
    println!("{} on {}: {}", BENCH, board.name, said.context("the image did not say its width")?.text);
    println!(
        "{:<9} {:>7}  {:<9} {:>13} {:>13} {:>17}",
        "scalar", "samples", "pass", "multiply-adds", "instructions", "per multiply-add"
    );
    for Row { scalar, samples, pass, multiply_adds, cost } in rows(frames)? {
        let ratio = cost as f64 / multiply_adds as f64;
        println!("{scalar:<9} {samples:>7}  {pass:<9} {multiply_adds:>13} {cost:>13} {ratio:>17.2}");
    }
    let (Size { flash, ram }, (stack, _)) = (Size::read(&elf)?, sizes::stack(frames)?);
    println!("{flash} bytes of flash, {ram} of static RAM, {stack} of stack");
    Ok(())
}

/// One frame, as `bench` writes it.
#[derive(PartialEq, Debug)]
struct Row<'a> {
    scalar: &'a str,
    samples: usize,
    pass: &'a str,
    multiply_adds: u64,
    cost: u64,
}

fn rows(frames: &[Frame]) -> Result<Vec<Row<'_>>> {
    let costs = frames.iter().filter_map(|frame| frame.after("cost: "));
    let rows: Option<Vec<_>> = costs.map(row).collect();
    let rows = rows.context("a frame is not `cost: SCALAR SAMPLES PASS MULTIPLY_ADDS COST`")?;
    ensure!(!rows.is_empty(), "the image measured nothing");
    Ok(rows)
}

fn row(text: &str) -> Option<Row<'_>> {
    let mut words = text.split(' ');
    let row = Row {
        scalar: words.next()?,
        samples: words.next()?.parse().ok()?,
        pass: words.next()?,
        multiply_adds: words.next()?.parse().ok()?,
        cost: words.next()?.parse().ok()?,
    };
    words.next().is_none().then_some(row)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use ntkscope_core::{Backend, BandWork, Error, MatMut, MatRef, Portable, Tile};

    use super::*;
    use crate::{board, cost};

    /// Counts the multiply-adds of the products that it is asked for.
    #[derive(Default)]
    struct Counting(AtomicU64);

    impl Backend<f32> for Counting {
        fn tile(&self) -> Tile {
            Backend::<f32>::tile(&Portable)
        }
        fn gemm(&self, alpha: f32, a: MatRef<'_, f32>, b: MatRef<'_, f32>, beta: f32, c: MatMut<'_, f32>) {
            self.0.fetch_add((a.rows() * a.cols() * b.cols()) as u64, Relaxed);
            Portable.gemm(alpha, a, b, beta, c);
        }
        fn symmetric_eigenvalues(&self, a: MatMut<'_, f32>, v: &mut [f32], scratch: &mut [f32]) -> Result<(), Error> {
            Portable.symmetric_eigenvalues(a, v, scratch)
        }
        fn symmetric_eigen(
            &self,
            a: MatMut<'_, f32>,
            values: &mut [f32],
            vectors: MatMut<'_, f32>,
            scratch: &mut [f32],
        ) -> Result<(), Error> {
            Portable.symmetric_eigen(a, values, vectors, scratch)
        }
        fn cholesky(&self, a: MatMut<'_, f32>) -> Result<(), Error> {
            Portable.cholesky(a)
        }
        fn for_each_band(&self, out: MatMut<'_, f32>, rows: usize, scratch: &mut [f32], work: &BandWork<'_, f32>) {
            Portable.for_each_band(out, rows, scratch, work);
        }
    }

    #[test]
    fn the_multiply_adds_are_those_of_the_products_asked_for() {
        for size @ (batches, width) in [(1, 8), (3, 64)] {
            let (backend, mut measured) = (Counting::default(), Vec::new());
            let mut meter = |work: &mut dyn FnMut()| {
                let before = backend.0.load(Relaxed);
                work();
                backend.0.load(Relaxed) - before
            };
            cost::run(&backend, size, &mut vec![0.0; cost::len(batches, width)], &mut meter, &mut |pass| {
                assert_eq!(pass.cost, pass.multiply_adds as u64, "width {width}, {pass:?}");
                measured.push((pass.samples, pass.pass));
            })
            .unwrap();
            let passes = ["forward", "backward", "gradient", "gram", "step"];
            let all = [6, 16, 32].into_iter().take(batches).flat_map(|n| passes.map(|pass| (n, pass)));
            assert_eq!(measured, [(width, "product")].into_iter().chain(all).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_board_has_a_size_that_fits() {
        for name in board::names() {
            let ram = Board::load(&name).unwrap().ram;
            let batches = cost::batches(ram);
            let width = cost::width(batches, ram);
            assert!(4 * cost::len(batches, width) < ram, "{name}: {batches} batches, width {width}");
            assert!(ram < 128 << 10 || (batches, width) == (3, 64), "{name}: {batches} batches, width {width}");
        }
    }

    #[test]
    fn a_frame_becomes_a_row() {
        let frame = |text: &str| [Frame::new(Some("info"), &format!("cost: {text}"))];
        let expected = Row { scalar: "f32", samples: 6, pass: "forward", multiply_adds: 25728, cost: 60000 };
        assert_eq!(rows(&frame("f32 6 forward 25728 60000")).unwrap(), [expected]);
        assert!(rows(&frame("f32 6 forward 25728")).is_err());
        assert!(rows(&frame("f32 6 forward 25728 60000 1")).is_err());
        assert!(rows(&[]).is_err());
    }
}
