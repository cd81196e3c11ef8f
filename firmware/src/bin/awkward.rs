//! Trains small networks in every scalar in settings that could tell one machine's arithmetic from another's.
//!
//! Sends what core records, and a digest of the bits of every parameter and of every entry of the kernel. Too large for a board
//! with little RAM.
#![cfg_attr(target_os = "none", no_std, no_main)]

use ntkscope_firmware::experiment::{Experiment, awkward};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    shows: "of cross-entropy with soft targets {f32-softmax loss} is left in f32, {f64-softmax loss} in f64, {approx-softmax loss} in Approx32",
    len: awkward::len,
    run: awkward::run,
};

#[cfg(target_os = "none")]
const LEN: usize = ntkscope_firmware::held(awkward::len(ntkscope_firmware::HERE));

#[cfg(target_os = "none")]
static BUFFER: ntkscope_firmware::Buffer<LEN> = ntkscope_firmware::Buffer::new();

#[cfg(target_os = "none")]
#[ntkscope_firmware::entry]
fn main() -> ! {
    ntkscope_firmware::run(&EXPERIMENT, "awkward", BUFFER.take())
}
