//! Compares the empirical NTK of networks at initialization with the analytic one, at every width that fits the board.
//!
//! Sends the analytic kernel, for every width the distances between the two, and the last empirical kernel.
#![cfg_attr(target_os = "none", no_std, no_main)]

use ntkscope_firmware::experiment::{Experiment, kernel};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    shows: "at the largest width the empirical kernel is off the analytic one by {width error_fro}, relative",
    len: kernel::len,
    run: kernel::run,
};

#[cfg(target_os = "none")]
const LEN: usize = ntkscope_firmware::held(kernel::len(ntkscope_firmware::HERE));

#[cfg(target_os = "none")]
static BUFFER: ntkscope_firmware::Buffer<LEN> = ntkscope_firmware::Buffer::new();

#[cfg(target_os = "none")]
#[ntkscope_firmware::entry]
fn main() -> ! {
    ntkscope_firmware::run(&EXPERIMENT, "kernel", BUFFER.take())
}
