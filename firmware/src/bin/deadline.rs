//! Trains in slices beside a task that is due ever again: between two slices it is looked whether it is due.
//!
//! Says how long the longest slice took, how long the longest step, and by how much the task was ever late, which is an
//! error where it is more than a slice. In QEMU it needs `-icount shift=6`. An executor, such as Embassy's, has the same loop:
//! `trainer.poll(…)?; yield_now().await`; under RTIC it is the body of `idle`, which every other task interrupts.
#![no_std]
#![no_main]

use ntkscope_core::{
    Error, MatRef, Portable,
    loss::Loss,
    network::{Bias, Fcn},
    train::{Optimizer, Problem, Trainer, trainer_len},
};
use ntkscope_firmware::{
    counter::{Counter, UNIT},
    exit, finish, held, start,
};

const N: usize = 6;
const POINTS: [f32; 2 * N] = [1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0, 0.7, 0.7, -0.7, -0.7];
const LABELS: [f32; N] = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };
/// Gradient-flow time of the end.
const END: f32 = 30.0;
const NETWORK: Fcn<'static> = match Fcn::new(2, &[8, 8], 1) {
    Ok(network) => match network.with_bias(Bias::Input, 1.0) {
        Ok(network) => network,
        Err(_) => panic!("too many parameters"),
    },
    Err(_) => panic!("a width is 0"),
};
const LEN: usize = held(trainer_len(NETWORK.sizes(), N, &FLOW));

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut BUFFER: [f32; LEN] = [0.0; LEN];
    start("deadline");
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
    let (x, labels) = (MatRef::new(&POINTS, N, 2)?, MatRef::new(&LABELS, N, 1)?);
    let problem = Problem::new(&NETWORK, x, labels, Loss::CrossEntropy, 0.0)?;
    let mut trainer = Trainer::new(&Portable, problem, FLOW, 1, buffer)?;
    let (mut now, mut step, mut slices) = (0, 0, 0_u32);
    let (mut longest_slice, mut longest_step, mut latest, mut done) = (0, 0, 0, 0_u32);
    // the task, as often as ten slices of the first's length
    let (mut period, mut due) = (0, u64::MAX);
    while !trainer.reached(END) {
        let mut whole = Ok(false);
        let cost = counter.count(&mut || whole = trainer.poll(Some(END)));
        (now, step, slices) = (now + cost, step + cost, slices + 1);
        longest_slice = longest_slice.max(cost);
        longest_step = longest_step.max(step);
        if whole? {
            step = 0;
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
    }
    defmt::info!(
        "{=u32} slices, {=u64} steps: the longest slice {=u64} {=str}, the longest step {=u64}",
        slices,
        trainer.step(),
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
