//! Learns 20 samples of 3 numbers, classes 0, 1, and records how the kernel moves.
#![cfg_attr(target_os = "none", no_std, no_main)]

use ntkscope_core::Error;
use ntkscope_firmware::experiment::{
    Board, Experiment, Output,
    own::{Labels, Task},
};

const TASK: Task<'_> = Task {
    x: &X,
    features: 3,
    labels: Labels::Classes(&LABELS, 2),
    widths: &[16, 16],
    seed: 1,
    times: &[0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0],
};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    shows: "the kernel moved by {train drift_fro}, relative; accuracy {train accuracy}, smallest margin {train margin_min}",
    len,
    run,
};

const fn len(board: Board) -> usize {
    TASK.len(board)
}

fn run(board: Board, buffer: &mut [f32], out: &mut dyn Output) -> Result<(), Error> {
    TASK.run(board, buffer, out)
}

#[cfg(target_os = "none")]
const LEN: usize = ntkscope_firmware::held(len(ntkscope_firmware::HERE));

#[cfg(target_os = "none")]
static BUFFER: ntkscope_firmware::Buffer<LEN> = ntkscope_firmware::Buffer::new();

#[cfg(target_os = "none")]
#[ntkscope_firmware::entry]
fn main() -> ! {
    ntkscope_firmware::run(&EXPERIMENT, "sensor", BUFFER.take())
}

#[rustfmt::skip]
static X: [f32; 60] = [
    -0.415, -0.27, 0.398,
    0.458, -0.219, -0.496,
    0.2, -0.309, 0.967,
    0.712, 0.378, -0.317,
    -1.05, -0.115, 0.728,
    0.824, -0.561, -1.185,
    -0.7, -0.711, 0.637,
    0.579, 0.434, -0.689,
    -0.161, -0.323, 0.202,
    1.373, 0.45, 0.139,
    -0.579, -0.833, 0.345,
    0.552, 0.484, -0.288,
    -0.501, -0.931, 0.266,
    1.149, -0.164, -0.29,
    -0.108, -1.17, 0.522,
    1.188, -0.706, -0.545,
    -0.348, -0.868, 0.724,
    0.572, -0.459, -0.027,
    0.001, -0.074, 1.148,
    0.763, 0.254, -0.985,
];
#[rustfmt::skip]
static LABELS: [u8; 20] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
