//! A training that goes on beside other work: the images that have a task with a deadline run it in slices, this machine in whole
//! steps, and every number is the same.

use ntkscope_core::{
    Error, MatRef, Portable,
    loss::Loss,
    network::Fcn,
    train::{Problem, Trainer, trainer_len},
};

use super::{Board, Digest, Experiment, FLOW, Number, Output, network};

const N: usize = 6;
const POINTS: [f32; 2 * N] = [1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0, 0.7, 0.7, -0.7, -0.7];
const LABELS: [f32; N] = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
/// Gradient-flow times of the records.
pub const TIMES: [f32; 4] = [1.0, 3.0, 10.0, 30.0];
const NETWORK: Fcn<'static> = network(&[8, 8]);

/// Numbers in the buffer, on any board.
pub const LEN: usize = trainer_len(NETWORK.sizes(), N, &FLOW);

/// What is trained.
pub type Training<'a> = Trainer<'a, Fcn<'static>, f32, Portable>;

/// In whole steps.
pub const EXPERIMENT: Experiment =
    Experiment { shows: "trained beside other work to a loss of {training loss}", len: |_| LEN, run: whole };

fn whole(_: Board, buffer: &mut [f32], out: &mut dyn Output) -> Result<(), Error> {
    train(buffer, out, &mut |trainer, until| trainer.advance(Some(until)))
}

/// Trains by calls of `advance`, each of which takes the training nearer to a time; `buffer` holds at least [`LEN`] numbers.
pub fn train(
    buffer: &mut [f32],
    out: &mut dyn Output,
    advance: &mut dyn FnMut(&mut Training<'_>, f32) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut trainer = begin(buffer)?;
    for (record, time) in (0..).zip(TIMES) {
        while !trainer.reached(time) {
            advance(&mut trainer, time)?;
        }
        send(&trainer, record, out);
    }
    Ok(())
}

/// The training at its start, in a buffer of [`LEN`] numbers.
pub fn begin(buffer: &mut [f32]) -> Result<Training<'_>, Error> {
    let (x, labels) = (MatRef::new(&POINTS, N, 2)?, MatRef::new(&LABELS, N, 1)?);
    let problem = Problem::new(&NETWORK, x, labels, Loss::CrossEntropy, 0.0)?;
    Trainer::new(&Portable, problem, FLOW, 1, buffer)
}

/// The record of one of [`TIMES`], which the training has reached.
pub fn send(trainer: &Training<'_>, record: u32, out: &mut dyn Output) {
    let mut send = |field, value| out.number(Number { run: "training", record, field, value });
    send("step", trainer.step() as f32);
    send("loss", trainer.objective().loss);
    let mut digest = Digest::new();
    trainer.theta().iter().for_each(|value| digest.add(*value));
    digest.parts().into_iter().for_each(|(field, value)| send(field, value));
    out.record_done();
}
