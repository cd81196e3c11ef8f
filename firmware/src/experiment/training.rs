//! One network trained with either loss, the kernel recorded along the way; half-way the trainer is saved as bytes and
//! resumed, as over a night without power.

use core::ops::Range;

use ntkscope_core::{
    Error, MatRef, Portable,
    loss::Loss,
    network::{Network, Sizes},
    record::{Burst, Recorder, recorder_len},
    state::Bytes,
    train::{Problem, Trainer, state_len, trainer_len},
};

use super::{FLOW, N, Number, Output, SEED, fits, points, store::Store};

/// Gradient-flow times of the records, the first of which is the initialization.
const TIMES: [f32; 12] = [0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4];
/// Records before the trainer is left.
const FIRST_HALF: usize = 6;

/// What fits the RAM for a network.
#[derive(Clone, Copy)]
struct Plan {
    /// How the kernel is read: by bursts where their means fit, else at points, whose derivatives at kinks are 0 or 1.
    burst: Option<Burst>,
    /// Numbers whose bits hold the state, none where it does not fit.
    state: usize,
}

impl Plan {
    /// First the bursts, then the state.
    const fn new(sizes: Sizes, ram: usize) -> Self {
        let bare = Self { burst: None, state: 0 };
        let burst = Self { burst: Some(Burst::STANDARD), state: 0 };
        let chosen = if fits(burst.len(sizes), ram) { burst } else { bare };
        let whole = Self { state: state_len::<f32>(sizes, N, &FLOW).div_ceil(size_of::<f32>()), ..chosen };
        if fits(whole.len(sizes), ram) { whole } else { chosen }
    }

    /// Numbers of all buffers.
    const fn len(&self, sizes: Sizes) -> usize {
        trainer_len(sizes, N, &FLOW) + recorder_len(sizes, N, Portable::TILE, &FLOW, self.burst) + self.state
    }
}

/// Whether bursts, and whether the state, fit a board with so much RAM.
pub(super) const fn fitting(sizes: Sizes, ram: usize) -> [bool; 2] {
    let plan = Plan::new(sizes, ram);
    [plan.burst.is_some(), plan.state > 0]
}

/// Numbers in the buffer for a network of these sizes on a board with so much RAM.
pub(super) const fn len(sizes: Sizes, ram: usize) -> usize {
    Plan::new(sizes, ram).len(sizes)
}

/// Trains the network with either loss from the same initialization; `buffer` holds at least [`len`] numbers.
pub(crate) fn run(network: &impl Network, ram: usize, buffer: &mut [f32], out: &mut dyn Output) -> Result<(), Error> {
    let sizes = network.sizes();
    let plan = Plan::new(sizes, ram);
    for (run, loss) in [("cross-entropy", Loss::CrossEntropy), ("squared-error", Loss::SquaredError)] {
        let mut targets = [0.0; N];
        for (i, target) in targets.iter_mut().enumerate() {
            loss.target(i % 2, 0.0, core::slice::from_mut(target))?;
        }
        let problem = Problem::new(network, points()?, MatRef::new(&targets, N, 1)?, loss, 0.0)?;
        let (kernels, rest) = buffer.split_at_mut(recorder_len(sizes, N, Portable::TILE, &FLOW, plan.burst));
        let (training, state) = rest.split_at_mut(trainer_len(sizes, N, &FLOW));
        let mut store = Store::new(state);
        let mut recorder = begin(problem, plan, (kernels, &mut *training), &mut store, run, out)?;
        if plan.state > 0 {
            resume(problem, &mut recorder, training, &mut store, run, out)?;
        }
    }
    Ok(())
}

// Each of the following has a frame of its own on the stack, which a small board has only one of at a time.

/// From the initialization to the half, where the state is left in `store`, or, where it does not fit, to the end.
#[inline(never)]
fn begin<'a>(
    problem: Problem<'_, impl Network, f32>,
    plan: Plan,
    (kernels, training): (&'a mut [f32], &mut [f32]),
    store: &mut Store<'_>,
    run: &'static str,
    out: &mut dyn Output,
) -> Result<Recorder<'a, f32>, Error> {
    let mut trainer = Trainer::new(&Portable, problem, FLOW, SEED, training)?;
    let mut recorder = Recorder::new(&mut trainer, plan.burst, kernels)?;
    let half = if plan.state > 0 { FIRST_HALF } else { TIMES.len() };
    follow(&mut trainer, &mut recorder, (&TIMES, 0..half), run, out)?;
    if plan.state > 0 {
        let mut sink = |bytes: &[u8]| store.write(bytes);
        let mut bytes = Bytes::writing(&mut sink);
        trainer.save(&mut bytes)?;
        bytes.finish()?;
        store.rewind();
    }
    Ok(recorder)
}

/// From the state in `store` to the end.
#[inline(never)]
fn resume(
    problem: Problem<'_, impl Network, f32>,
    recorder: &mut Recorder<'_, f32>,
    training: &mut [f32],
    store: &mut Store<'_>,
    run: &'static str,
    out: &mut dyn Output,
) -> Result<(), Error> {
    let mut source = |bytes: &mut [u8]| store.read(bytes);
    let mut bytes = Bytes::reading(&mut source);
    let mut trainer = Trainer::restore(&Portable, problem, FLOW, training, &mut bytes)?;
    bytes.finish()?;
    follow(&mut trainer, recorder, (&TIMES, FIRST_HALF..TIMES.len()), run, out)
}

/// Evaluations of the gradient between two signs of life: a second or two on a small core.
const BREATH: u64 = 16;

/// Sends these records, training from one to the next.
#[inline(never)]
pub(super) fn follow(
    trainer: &mut Trainer<'_, impl Network, f32, Portable>,
    recorder: &mut Recorder<'_, f32>,
    (times, records): (&[f32], Range<usize>),
    run: &'static str,
    out: &mut dyn Output,
) -> Result<(), Error> {
    for record in records {
        let time = times[record];
        let mut heard = trainer.evaluations();
        while !trainer.reached(time) {
            trainer.advance(Some(time))?;
            if trainer.evaluations() >= heard + BREATH {
                heard = trainer.evaluations();
                out.alive("step", trainer.step());
            }
        }
        send(trainer, recorder, (run, record as u32, time), out)?;
    }
    Ok(())
}

/// Sends one record; the snapshot lies on the stack only while nothing trains.
#[inline(never)]
fn send(
    trainer: &mut Trainer<'_, impl Network, f32, Portable>,
    recorder: &mut Recorder<'_, f32>,
    (run, record, due): (&'static str, u32, f32),
    out: &mut dyn Output,
) -> Result<(), Error> {
    let snapshot = recorder.observe(trainer)?;
    // what `ntkscope run --times` needs to record the same
    out.number(Number { run, record, field: "due", value: due });
    out.number(Number { run, record, field: "step", value: snapshot.step as f32 });
    for (field, value) in snapshot.fields() {
        out.number(Number { run, record, field, value });
    }
    out.record_done();
    Ok(())
}
