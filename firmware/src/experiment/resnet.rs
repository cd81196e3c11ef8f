//! The same in a residual network of two blocks.

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

/// The widest network whose buffers fit the RAM, in steps of 4.
pub const fn width(ram: usize, fpu: bool) -> usize {
    let mut width = if fpu { WIDEST } else { WIDEST_WITHOUT_FPU };
    while width > 4 && !fits(len(width), ram) {
        width -= 4;
    }
    width
}

/// Numbers in the buffer for one width.
pub const fn len(width: usize) -> usize {
    training::len(network(width).sizes().mirrored())
}

/// Trains the mirrored network of this width with either loss; `buffer` holds at least [`len`] numbers.
pub fn run(width: usize, buffer: &mut [f32], send: Send<'_>) -> Result<(), Error> {
    training::run(&Mirrored(network(width)), buffer, send)
}

/// With a bias at the input.
const fn network(width: usize) -> ResNet {
    let Ok(network) = ResNet::new(2, width, BLOCKS, 1, ALPHA) else { panic!("a width is 0") };
    match network.with_input_bias(1.0) {
        Ok(network) => network,
        Err(_) => panic!("too many parameters"),
    }
}
