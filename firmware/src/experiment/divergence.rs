//! Trained with cross-entropy a network leaves the kernel regime, with squared error it stays.

use ntkscope_core::{Error, network::Mirrored};

use super::{Send, fits, network, training};

/// A wider network would fit some boards and keep them busy for hours; without an FPU, ten times as long.
const WIDEST: usize = 64;
const WIDEST_WITHOUT_FPU: usize = 32;

/// The widest network whose buffers fit the RAM, in steps of 4; the narrowest may have to do without some of them.
pub const fn width(ram: usize, fpu: bool) -> usize {
    let mut width = if fpu { WIDEST } else { WIDEST_WITHOUT_FPU };
    while width > 4 && !fits(len(width, usize::MAX), ram) {
        width -= 4;
    }
    width
}

/// Numbers in the buffer for one width on a board with so much RAM.
pub const fn len(width: usize, ram: usize) -> usize {
    training::len(network(&[width, width]).sizes().mirrored(), ram)
}

/// Whether the kernel is read by bursts on a board with so much RAM, and whether the trainer is left as bytes half-way.
pub const fn fitting(width: usize, ram: usize) -> [bool; 2] {
    training::fitting(network(&[width, width]).sizes().mirrored(), ram)
}

/// Trains the mirrored network of this width with either loss; `buffer` holds at least [`len`] numbers.
pub fn run(width: usize, ram: usize, buffer: &mut [f32], send: Send<'_>) -> Result<(), Error> {
    training::run(&Mirrored(network(&[width, width])), ram, buffer, send)
}
