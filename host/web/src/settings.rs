//! What the controls of the page set.

use core::fmt::Write;

use heapless::String;
use ntkscope_core::Error;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Mirrored, Sizes};

use crate::device;
use crate::experiment::{N, divergence, network};
use crate::net::Net;
use crate::run::{MAX_STEPS, UNTIL_TEXT, snapshots};

/// The widths that are offered.
pub const WIDTHS: [usize; 6] = [8, 16, 32, 64, 128, 256];
/// The largest number of hidden layers.
pub const DEEPEST: usize = 4;

/// The width of the microcontroller's experiment on a board with an FPU and room for it.
pub const DEVICE_WIDTH: usize = divergence::width(device::BOARD);

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
    /// what is minimized: its mean over the samples
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
        let network = network(&widths[..self.depth]);
        Ok(if self.mirrored { Net::Mirrored(Mirrored(network)) } else { Net::Standard(network) })
    }
}

impl Settings {
    /// What gives the same run on the command line.
    pub fn command(&self) -> String<320> {
        let Self { width, depth, mirrored, loss, seed } = self;
        let init = if *mirrored { "mirrored" } else { "standard" };
        let mut text = String::new();
        // there is room: a test reads it all
        let _ = write!(
            text,
            "ntkscope run --data circle --n {N} --width {width} --depth {depth} --init {init} --seed {seed} --loss {loss} \
             --dtype f32 --backend portable --until-time {UNTIL_TEXT} --snapshots {} --max-steps {MAX_STEPS}",
            snapshots(*loss)
        );
        text
    }
}

/// What the controls offer: the widths, the largest depth, the width of the microcontroller's experiment; a line each.
pub fn offers() -> String<128> {
    let mut text = String::new();
    // there is room: a test reads it all
    for width in WIDTHS {
        let _ = write!(text, "{width} ");
    }
    let _ = write!(text, "\n{DEEPEST}\n{DEVICE_WIDTH}");
    text
}

/// The sizes of the largest network.
pub(crate) const LARGEST: Sizes = {
    let widths = [WIDTHS[WIDTHS.len() - 1]; DEEPEST];
    network(&widths).sizes().mirrored()
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::UNTIL;

    #[test]
    fn the_command_is_whole() {
        let settings = Settings { width: 256, depth: 4, mirrored: true, loss: Loss::CrossEntropy, seed: u64::MAX };
        let command = settings.command();
        assert!(command.ends_with("--max-steps 5000"), "{command}");
        assert!(command.contains("--loss cross-entropy --dtype f32"), "{command}");
        assert_eq!(UNTIL_TEXT.parse::<f64>().unwrap() as f32, UNTIL);
    }

    #[test]
    fn the_offers_are_whole() {
        assert_eq!(offers(), "8 16 32 64 128 256 \n4\n64");
    }

    #[test]
    fn what_is_not_offered_is_refused() {
        let offered = Settings { width: 8, depth: 1, mirrored: false, loss: Loss::SquaredError, seed: 1 };
        assert!(offered.net().is_ok());
        for refused in [
            Settings { width: 9, ..offered },
            Settings { width: 0, ..offered },
            Settings { depth: 0, ..offered },
            Settings { depth: DEEPEST + 1, ..offered },
        ] {
            assert!(matches!(refused.net(), Err(Error::OutOfRange { .. })), "{refused:?}");
        }
    }
}
