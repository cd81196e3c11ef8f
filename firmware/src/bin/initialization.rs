//! Learns noisy values of a function on the circle from standard and from mirrored initialization.
//!
//! Sends, at the initialization and at eight times of gradient flow, the training loss and the error on points held out,
//! means over 32 networks, and the least error of either initialization.
#![cfg_attr(target_os = "none", no_std, no_main)]

use ntkscope_firmware::experiment::{Experiment, initialization};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    shows: "the least error of standard networks is {standard least_test_error}, of mirrored ones {mirrored least_test_error}",
    len: initialization::len,
    run: initialization::run,
};

#[cfg(target_os = "none")]
const LEN: usize = ntkscope_firmware::held(initialization::len(ntkscope_firmware::HERE));

#[cfg(target_os = "none")]
static BUFFER: ntkscope_firmware::Buffer<LEN> = ntkscope_firmware::Buffer::new();

#[cfg(target_os = "none")]
#[ntkscope_firmware::entry]
fn main() -> ! {
    ntkscope_firmware::run(&EXPERIMENT, "initialization", BUFFER.take())
}
