//! Trains in slices as a task of Embassy's executor, beside one that is due at regular times. A turn of the training is a slice, or the
//! sending of a record. The executor wakes tasks in the reverse of the order that they fell asleep in, so that two turns may follow
//! each other, of which one at most is a record: the other task is never later than that.
//!
//! In QEMU it needs `-icount shift=6`: `cargo xtask qemu --board an386 deadline_embassy --compare -- -icount shift=6`.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use embassy_executor::Executor;
use embassy_futures::yield_now;
use ntkscope_core::Error;
use ntkscope_firmware::{
    Frames,
    counter::{Counter, UNIT},
    exit,
    experiment::slices,
    finish, held, shows, start,
};

const LEN: usize = held(slices::LEN);

/// Of the counter, from one time that the task is due to the next.
const PERIOD: u64 = 100_000;
/// How often the task was done, and by how much it was late at most.
static DONE: AtomicU32 = AtomicU32::new(0);
static LATE: AtomicU32 = AtomicU32::new(0);

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut BUFFER: [f32; LEN] = [0.0; LEN];
    static mut COUNTER: Option<Counter> = None;
    static mut EXECUTOR: Option<Executor> = None;
    start("deadline_embassy");
    shows(slices::EXPERIMENT.shows);
    let Some(counter) = Counter::start() else {
        defmt::error!("SysTick does not count instructions here: QEMU needs `-icount shift=6`");
        exit(1)
    };
    let counter: &Counter = COUNTER.insert(counter);
    EXECUTOR.insert(Executor::new()).run(|spawner| {
        spawner.spawn(training(BUFFER, counter).expect("spawned once"));
        spawner.spawn(sampling(counter).expect("spawned once"));
    })
}

/// Stands for a sensor that is read at regular times.
#[embassy_executor::task]
async fn sampling(counter: &'static Counter) {
    let mut due = counter.now() + PERIOD;
    loop {
        yield_now().await;
        let now = counter.now();
        while let Some(late) = now.checked_sub(due) {
            due += PERIOD;
            DONE.fetch_add(1, Relaxed);
            LATE.fetch_max(u32::try_from(late).unwrap_or(u32::MAX), Relaxed);
        }
    }
}

#[embassy_executor::task]
async fn training(buffer: &'static mut [f32], counter: &'static Counter) {
    match train(buffer, counter).await {
        Ok((slices, longest_slice, longest_record)) => {
            let (done, late) = (DONE.load(Relaxed), u64::from(LATE.load(Relaxed)));
            defmt::info!(
                "{=u32} slices: the longest {=u64} {=str}, the longest record {=u64}",
                slices,
                longest_slice,
                UNIT,
                longest_record
            );
            defmt::info!("a task due every {=u64}, {=u32} times, was {=u64} late at most", PERIOD, done, late);
            if late > longest_slice + longest_slice.max(longest_record) || done == 0 {
                defmt::error!("the task was late by more than two turns of the training");
                exit(1)
            }
            finish(Ok(()))
        }
        Err(error) => finish(Err(error)),
    }
}

/// How many slices there were, how long the longest was, and the longest record, each with the other task's turn after it.
async fn train(buffer: &mut [f32], counter: &Counter) -> Result<(u32, u64, u64), Error> {
    let mut trainer = slices::begin(buffer)?;
    yield_now().await;
    let (mut slices, mut longest_slice, mut longest_record) = (0, 0, 0);
    for (record, time) in (0..).zip(slices::TIMES) {
        while !trainer.reached(time) {
            let begun = counter.now();
            trainer.poll(Some(time))?;
            yield_now().await;
            (slices, longest_slice) = (slices + 1, (counter.now() - begun).max(longest_slice));
        }
        let begun = counter.now();
        slices::send(&trainer, record, &mut Frames);
        yield_now().await;
        longest_record = (counter.now() - begun).max(longest_record);
    }
    Ok((slices, longest_slice, longest_record))
}
