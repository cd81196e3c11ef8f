//! Trains in slices beside a task that is due ever again: between two slices it is looked whether it is due.
//!
//! Says how long the longest slice took, how long the longest step, and by how much the task was ever late, which is an
//! error where it is more than a slice. In QEMU it needs `-icount shift=6`. `deadline_rtic` has the same training under a task that
//! interrupts it.
#![no_std]
#![no_main]

use ntkscope_core::Error;
use ntkscope_firmware::{
    Frames,
    counter::{Counter, UNIT},
    exit,
    experiment::slices,
    finish, held, shows, start,
};

const LEN: usize = held(slices::LEN);

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut BUFFER: [f32; LEN] = [0.0; LEN];
    start("deadline");
    shows(slices::EXPERIMENT.shows);
    let Some(counter) = Counter::start() else {
        defmt::error!("SysTick does not count instructions here: QEMU needs `-icount shift=6`");
        exit(1)
    };
    match run(&counter, BUFFER) {
        Ok(true) => finish(Ok(())),
        Ok(false) => exit(1),
        Err(error) => finish(Err(error)),
    }
}

/// Whether the task was never later than a slice is long.
fn run(counter: &Counter, buffer: &mut [f32]) -> Result<bool, Error> {
    let (mut now, mut step, mut steps, mut slices) = (0, 0, 0, 0_u32);
    let (mut longest_slice, mut longest_step, mut latest, mut done) = (0, 0, 0, 0_u32);
    // the task, as often as ten slices of the first's length
    let (mut period, mut due) = (0, u64::MAX);
    slices::train(buffer, &mut Frames, &mut |trainer, until| {
        let mut whole = Ok(false);
        let cost = counter.count(&mut || whole = trainer.poll(Some(until)));
        (now, step, slices) = (now + cost, step + cost, slices + 1);
        longest_slice = longest_slice.max(cost);
        longest_step = longest_step.max(step);
        if whole? {
            (step, steps) = (0, trainer.step());
        }
        if period == 0 {
            period = 10 * cost;
            due = now + period;
        }
        while now >= due {
            latest = latest.max(now - due);
            due += period;
            done += 1;
        }
        Ok(())
    })?;
    defmt::info!(
        "{=u32} slices, {=u64} steps: the longest slice {=u64} {=str}, the longest step {=u64}",
        slices,
        steps,
        longest_slice,
        UNIT,
        longest_step
    );
    defmt::info!("a task due every {=u64}, {=u32} times, was {=u64} late at most", period, done, latest);
    if latest > longest_slice || done == 0 {
        defmt::error!("the task was late by more than a slice");
        return Ok(false);
    }
    Ok(true)
}
