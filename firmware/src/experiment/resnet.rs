//! The same in a residual network of two blocks with biases in all hidden layers.

use ntkscope_core::{
    Error,
    network::{Mirrored, ResNet, Sizes},
};

use super::{Board, Output, fits, training};

const BLOCKS: usize = 2;
/// Scale of a block's branch.
const ALPHA: f64 = 0.5;
/// Narrower than `divergence`'s: it has four times the weights at equal width, and is to take about as long.
const WIDEST: usize = 32;
const WIDEST_WITHOUT_FPU: usize = 8;
const NARROWEST: usize = 4;

/// The widest network whose buffers fit the RAM, in steps of 4; the narrowest may have to do without some of them.
const fn width(board: Board) -> usize {
    let mut width = if board.fpu { WIDEST } else { WIDEST_WITHOUT_FPU };
    while width > NARROWEST && !fits(training::len(sizes(width), usize::MAX), board.ram) {
        width -= 4;
    }
    width
}

const fn sizes(width: usize) -> Sizes {
    network(width).sizes().mirrored()
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
    training::run(&Mirrored(network(width)), board.ram, buffer, out)
}

/// With biases at the input and in the branches; the narrowest has none in its branches, with which it would not fit 16 KiB.
const fn network(width: usize) -> ResNet {
    let Ok(network) = ResNet::new(2, width, BLOCKS, 1, ALPHA) else { panic!("a width is 0") };
    let Ok(network) = network.with_input_bias(1.0) else { panic!("too many parameters") };
    if width == NARROWEST {
        return network;
    }
    match network.with_branch_bias(1.0) {
        Ok(network) => network,
        Err(_) => panic!("too many parameters"),
    }
}
