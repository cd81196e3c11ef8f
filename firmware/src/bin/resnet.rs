//! Trains one residual network on six points twice: `divergence` on another network.
//!
//! Sends, at the initialization and at eleven times of gradient flow, everything that core records.
#![cfg_attr(target_os = "none", no_std, no_main)]

use ntkscope_firmware::experiment::{Experiment, resnet};

pub(crate) const EXPERIMENT: Experiment = Experiment {
    shows: "cross-entropy moved the kernel by {cross-entropy drift_max}, squared error by {squared-error drift_max}",
    len: resnet::len,
    run: resnet::run,
};

#[cfg(target_os = "none")]
const LEN: usize = ntkscope_firmware::held(resnet::len(ntkscope_firmware::HERE));

#[cfg(target_os = "none")]
static BUFFER: ntkscope_firmware::Buffer<LEN> = ntkscope_firmware::Buffer::new();

#[cfg(target_os = "none")]
#[ntkscope_firmware::entry]
fn main() -> ! {
    ntkscope_firmware::run(&EXPERIMENT, "resnet", BUFFER.take())
}
