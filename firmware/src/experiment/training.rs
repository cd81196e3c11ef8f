//! One network trained with either loss, the kernel recorded along the way.

use ntkscope_core::{
    Error, MatRef, Portable,
    loss::Loss,
    network::{Network, Sizes},
    record::{Recorder, recorder_len},
    train::{Optimizer, Problem, Trainer, trainer_len},
};

use super::{N, Number, SEED, Send, points};

const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };
/// Gradient-flow times of the records after the first, which is the initialization.
const TIMES: [f32; 11] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4];

/// Numbers in the buffer for a network of these sizes.
pub(super) const fn len(sizes: Sizes) -> usize {
    trainer_len(sizes, N, &FLOW) + recorder_len(N, Portable::TILE)
}

/// Trains the network with either loss from the same initialization; `buffer` holds at least [`len`] numbers.
pub(super) fn run(network: &impl Network, buffer: &mut [f32], send: Send<'_>) -> Result<(), Error> {
    for (run, loss) in [("cross-entropy", Loss::CrossEntropy), ("squared-error", Loss::SquaredError)] {
        let mut targets = [0.0; N];
        for (i, target) in targets.iter_mut().enumerate() {
            loss.target(i % 2, 0.0, core::slice::from_mut(target))?;
        }
        let problem = Problem::new(network, points()?, MatRef::new(&targets, N, 1)?, loss, 0.0)?;
        let (kernels, training) = buffer.split_at_mut(recorder_len(N, Portable::TILE));
        let mut trainer = Trainer::new(&Portable, problem, FLOW, SEED, training)?;
        let mut recorder = Recorder::new(&mut trainer, kernels)?;
        for (record, time) in (0..).zip([0.0].into_iter().chain(TIMES)) {
            while !trainer.reached(time) {
                trainer.advance(Some(time))?;
            }
            let snapshot = recorder.observe(&mut trainer)?;
            send(Number { run, record, field: "step", value: snapshot.step as f32 });
            for (field, value) in snapshot.fields() {
                send(Number { run, record, field, value });
            }
        }
    }
    Ok(())
}
