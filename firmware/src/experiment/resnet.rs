//! The same in a residual network of two blocks with biases in all hidden layers.

use ntkscope_core::{
    Error,
    network::{Mirrored, ResNet},
};

use super::{Send, fits, training};

const BLOCKS: usize = 2;
/// Scale of a block's branch.
const ALPHA: f64 = 0.5;
/// Narrower than `divergence`'s: it has four times the weights at equal width, and is to take about as long.
const WIDEST: usize = 32;
const WIDEST_WITHOUT_FPU: usize = 8;
const NARROWEST: usize = 4;

/// The widest network whose buffers fit the RAM, in steps of 4; the narrowest may have to do without some of them.
pub const fn width(ram: usize, fpu: bool) -> usize {
    let mut width = if fpu { WIDEST } else { WIDEST_WITHOUT_FPU };
    while width > NARROWEST && !fits(len(width, usize::MAX), ram) {
        width -= 4;
    }
    width
}

/// Numbers in the buffer for one width on a board with so much RAM.
pub const fn len(width: usize, ram: usize) -> usize {
    training::len(network(width).sizes().mirrored(), ram)
}

/// As of `divergence`.
pub const fn fitting(width: usize, ram: usize) -> [bool; 2] {
    training::fitting(network(width).sizes().mirrored(), ram)
}

/// Trains the mirrored network of this width with either loss; `buffer` holds at least [`len`] numbers.
pub fn run(width: usize, ram: usize, buffer: &mut [f32], send: Send<'_>) -> Result<(), Error> {
    training::run(&Mirrored(network(width)), ram, buffer, send)
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
