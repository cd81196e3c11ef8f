//! Trains in slices in RTIC's `idle`, beside a task of higher priority that is due every five milliseconds and interrupts it: no
//! deadline may be missed, though a slice takes longer than the task has.
//!
//! For the board `lm3s6965`, in QEMU with `-icount shift=6`: `cargo xtask qemu --board lm3s6965 deadline_rtic --compare -- -icount shift=6`.
#![no_std]
#![no_main]
#![allow(unused_lifetimes, reason = "RTIC's macro writes them")]

/// What the task is told of the training: whole, whenever it looks.
#[derive(Clone, Copy, Default)]
pub struct Progress {
    slices: u32,
    step: u64,
}

/// How the task kept its deadline.
#[derive(Clone, Copy, Default)]
pub struct Kept {
    done: u32,
    missed: u32,
    /// What it was less late than, microseconds.
    late: u32,
    /// Of the training, as the task saw it last.
    seen: Progress,
}

#[rtic::app(device = lm3s6965, dispatchers = [UART0])]
mod app {
    use ntkscope_firmware::{Frames, exit, experiment::slices, finish, held, shows, start};
    use rtic_monotonics::systick::prelude::*;

    use super::{Kept, Progress};

    // ticks a second
    systick_monotonic!(Clock, 10_000);
    type Duration = fugit::Duration<u32, 1, 10_000>;

    /// Hz of the core after a reset, in QEMU.
    const CORE: u32 = 12_500_000;
    /// From one time that the task is due to the next, and how late it may be.
    const PERIOD: Duration = Duration::from_millis(5);
    const DEADLINE: Duration = Duration::from_micros(500);

    const LEN: usize = held(slices::LEN);

    #[shared]
    struct Shared {
        progress: Progress,
        kept: Kept,
    }

    #[local]
    struct Local {}

    #[init]
    fn init(context: init::Context) -> (Shared, Local) {
        start("deadline_rtic");
        shows(slices::EXPERIMENT.shows);
        Clock::start(context.core.SYST, CORE);
        sample::spawn().expect("spawned once");
        (Shared { progress: Progress::default(), kept: Kept::default() }, Local {})
    }

    /// The training: everything else comes before it.
    #[idle(local = [buffer: [f32; LEN] = [0.0; LEN]], shared = [progress, kept])]
    fn idle(mut context: idle::Context) -> ! {
        let progress = &mut context.shared.progress;
        let result = slices::train(context.local.buffer, &mut Frames, &mut |trainer, until| {
            trainer.poll(Some(until))?;
            // held as long as two numbers take, not as long as a slice
            progress.lock(|progress| *progress = Progress { slices: progress.slices + 1, step: trainer.step() });
            Ok(())
        });
        let Kept { done, missed, late, seen } = context.shared.kept.lock(|kept| *kept);
        defmt::info!(
            "a task due every {=u32} us within {=u32} us, {=u32} times beside {=u32} slices and {=u64} steps: less than {=u32} us late",
            PERIOD.as_micros(),
            DEADLINE.as_micros(),
            done,
            seen.slices,
            seen.step,
            late
        );
        defmt::info!("deadlines missed: {=u32}", missed);
        if result.is_ok() && (missed > 0 || seen.step == 0) {
            defmt::error!("the training kept the task from its work");
            exit(1)
        }
        finish(result)
    }

    /// Stands for a sensor that is read at regular times.
    #[task(priority = 1, shared = [progress, kept])]
    async fn sample(context: sample::Context) {
        let mut due = Clock::now();
        let (mut progress, mut kept) = (context.shared.progress, context.shared.kept);
        loop {
            due += PERIOD;
            Clock::delay_until(due).await;
            // to the next tick: what is less than one is not seen
            let late = Clock::now() - due + Duration::from_ticks(1);
            let seen = progress.lock(|progress| *progress);
            kept.lock(|kept| {
                *kept = Kept {
                    done: kept.done + 1,
                    missed: kept.missed + u32::from(late > DEADLINE),
                    late: kept.late.max(late.as_micros()),
                    seen,
                };
            });
        }
    }
}
