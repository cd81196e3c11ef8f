//! Trained with cross-entropy a network leaves the kernel regime, with squared error it stays.

use ntkscope_core::{
    Error,
    network::{Mirrored, Sizes},
};

use super::{Board, Output, fits, network, training};

/// A wider network would fit some boards and keep them busy for hours; without an FPU, ten times as long.
const WIDEST: usize = 64;
const WIDEST_WITHOUT_FPU: usize = 32;

/// The widest network whose buffers fit the RAM, in steps of 4; the narrowest may have to do without some of them.
pub(crate) const fn width(board: Board) -> usize {
    let mut width = if board.fpu { WIDEST } else { WIDEST_WITHOUT_FPU };
    while width > 4 && !fits(training::len(sizes(width), usize::MAX), board.ram) {
        width -= 4;
    }
    width
}

const fn sizes(width: usize) -> Sizes {
    network(&[width, width]).sizes().mirrored()
}

/// Numbers in the buffer on a board.
pub const fn len(board: Board) -> usize {
    training::len(sizes(width(board)), board.ram)
}

/// Whether the kernel is read by bursts on a board, and whether the trainer is left as bytes half-way.
pub const fn fitting(board: Board) -> [bool; 2] {
    training::fitting(sizes(width(board)), board.ram)
}

/// Trains the mirrored network with either loss; `buffer` holds at least [`len`] numbers.
pub fn run(board: Board, buffer: &mut [f32], out: &mut dyn Output) -> Result<(), Error> {
    let width = width(board);
    training::run(&Mirrored(network(&[width, width])), board.ram, buffer, out)
}
