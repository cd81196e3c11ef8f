//! What the controls of the page set.

use ntkscope_core::Error;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Bias, Fcn, Mirrored, Sizes};

use crate::net::Net;

/// The widths that are offered.
pub const WIDTHS: [usize; 6] = [8, 16, 32, 64, 128, 256];
/// The largest number of hidden layers.
pub const DEEPEST: usize = 4;

/// Every width for every hidden layer.
static LAYERS: [[usize; DEEPEST]; WIDTHS.len()] = {
    let mut layers = [[0; DEEPEST]; WIDTHS.len()];
    let mut k = 0;
    while k < WIDTHS.len() {
        layers[k] = [WIDTHS[k]; DEEPEST];
        k += 1;
    }
    layers
};

/// One run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// one of [`WIDTHS`]
    pub width: usize,
    /// hidden layers, from 1 to [`DEEPEST`]
    pub depth: usize,
    /// whether the output starts at 0
    pub mirrored: bool,
    /// what is minimised: its mean over the samples
    pub loss: Loss,
    /// of the random initialization
    pub seed: u64,
}

impl Settings {
    /// The network.
    ///
    /// # Errors
    /// A width or a depth that is not offered.
    pub fn net(&self) -> Result<Net, Error> {
        let widths = LAYERS.iter().find(|layers| layers[0] == self.width);
        let widths = widths.ok_or(Error::OutOfRange {
            what: "width",
            needs: "one of 8, 16, 32, 64, 128, 256",
            got: self.width as f64,
        })?;
        if !(1..=DEEPEST).contains(&self.depth) {
            return Err(Error::OutOfRange { what: "depth", needs: "from 1 to 4", got: self.depth as f64 });
        }
        let network = network(&widths[..self.depth])?;
        Ok(if self.mirrored { Net::Mirrored(Mirrored(network)) } else { Net::Standard(network) })
    }
}

/// The sizes of the largest network.
pub(crate) const LARGEST: Sizes = {
    let widths = [WIDTHS[WIDTHS.len() - 1]; DEEPEST];
    match network(&widths) {
        Ok(network) => network.sizes().mirrored(),
        Err(_) => panic!("a width is 0, or there are too many parameters"),
    }
};

/// ReLU, one output, a bias at the input.
const fn network(widths: &[usize]) -> Result<Fcn<'_>, Error> {
    match Fcn::new(2, widths, 1) {
        Ok(network) => network.with_bias(Bias::Input, 1.0),
        Err(error) => Err(error),
    }
}
