//! What the binaries run, in terms of `ntkscope-core` alone. The task runner compiles these same files for the host and
//! compares: every [`Number`] is equal in every bit on every machine.
//!
//! Where an experiment does not draw its own, the samples are six points on the circle, `x_i = (cos(i pi/3), sin(i pi/3))`, i = 1..6, with labels 0, 1, 0, 1, 0, 1.

pub mod awkward;
mod digest;
pub mod divergence;
pub mod initialization;
pub mod kernel;
pub mod own;
pub mod resnet;
pub mod room;
pub mod slices;
mod store;
pub(crate) mod training;

pub use digest::Digest;

use ntkscope_core::{
    Error, MatRef,
    network::{Bias, Fcn},
    train::Optimizer,
};
use ntkscope_frames::{capacity, words_of};

/// One number of an experiment.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// Which part of the experiment.
    pub run: &'static str,
    /// Which record of it.
    pub record: u32,
    /// Which number of the record.
    pub field: &'static str,
    /// The number.
    pub value: f32,
}

/// Where an experiment's numbers go.
pub trait Output {
    /// Takes a number as it is computed.
    fn number(&mut self, number: Number);
    /// Is told that no number comes for a while: what was sent so far is to be read, whatever happens to the board.
    fn record_done(&mut self) {}
    /// Is told where the work is while no number comes, `step 340`.
    fn alive(&mut self, _what: &'static str, _at: u64) {}
}

/// Numbers alone.
impl<F: FnMut(Number)> Output for F {
    fn number(&mut self, number: Number) {
        self(number);
    }
}

/// What an experiment asks of a board.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    /// Bytes of RAM.
    pub ram: usize,
    /// Whether its core computes floats by itself.
    pub fpu: bool,
}

/// One experiment: a board runs it, the host runs it too and compares every number.
#[derive(Clone, Copy)]
pub struct Experiment {
    /// The sentence that its numbers are told in; `{RUN FIELD}` stands for the last value of FIELD in RUN.
    pub shows: &'static str,
    /// Numbers in its buffer on a board.
    pub len: fn(Board) -> usize,
    /// Computes; the buffer holds at least `len` numbers.
    pub run: fn(Board, &mut [f32], &mut dyn Output) -> Result<(), Error>,
}

pub(crate) const N: usize = 6;
const SIN: f32 = 0.866_025_4;
const POINTS: [f32; 2 * N] = [0.5, SIN, -0.5, SIN, -1.0, 0.0, -0.5, -SIN, 0.5, -SIN, 1.0, 0.0];
const SEED: u64 = 1;

/// Bytes of RAM that the buffers leave to the transport and to counters; with little RAM to the counters, and the transport has
/// what is left over.
const TRANSPORT: usize = 1_280;
const COUNTERS: usize = 32;

/// Gradient flow as `ntkscope run` has it.
pub(crate) const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };

/// Of points on the circle, with one output.
pub(crate) const fn network(widths: &[usize]) -> Fcn<'_> {
    network_of(2, widths, 1)
}

/// ReLU with a bias at the input.
pub(crate) const fn network_of(inputs: usize, widths: &[usize], outputs: usize) -> Fcn<'_> {
    let Ok(network) = Fcn::new(inputs, widths, outputs) else { panic!("a width is 0") };
    match network.with_bias(Bias::Input, 1.0) {
        Ok(network) => network,
        Err(_) => panic!("too many parameters"),
    }
}

/// The six points, as the networks read them.
pub(crate) fn points() -> Result<MatRef<'static, f32>, Error> {
    MatRef::new(&POINTS, N, 2)
}

/// Whether a buffer of `len` numbers fits the RAM.
pub(crate) const fn fits(len: usize, ram: usize) -> bool {
    let transport = if ram < room::LITTLE { COUNTERS } else { TRANSPORT };
    let kept = words_of(capacity(ram));
    size_of::<f32>() * (len + kept) + room::stack(ram) + transport <= ram
}
