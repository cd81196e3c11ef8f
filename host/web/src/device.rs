//! What the firmware's experiment `divergence` sends.

use ntkscope_core::Error;
use ntkscope_core::loss::Loss;

use crate::experiment::{Board, Digest, Number, training};
use crate::settings::Settings;

/// A board with room for all of the experiment.
pub(crate) const BOARD: Board = Board { ram: 4 << 20, fpu: true };

/// The digest of its numbers at this width; `buffer` is as long as that of a run.
///
/// The experiment's own code on its own network, but as a [`crate::net::Net`], which the page's runs are compiled for: the code would
/// be there twice. A test holds that both have the same bits.
///
/// # Errors
/// A width that is not offered.
pub fn digest(width: usize, buffer: &mut [f32]) -> Result<Digest, Error> {
    let net = Settings { width, depth: 2, mirrored: true, loss: Loss::CrossEntropy, seed: 1 }.net()?;
    let mut digest = Digest::new();
    training::run(&net, BOARD.ram, buffer, &mut |number: Number| digest.add(number.value))?;
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::network;
    use crate::run::LEN;
    use ntkscope_core::network::Mirrored;

    #[test]
    fn it_is_that_of_the_experiment() {
        for width in [8, 64] {
            let mut buffer = vec![0.0; LEN];
            let mut expected = Digest::new();
            let mut count = 0;
            let mut send = |number: Number| {
                expected.add(number.value);
                count += 1;
            };
            training::run(&Mirrored(network(&[width, width])), BOARD.ram, &mut buffer, &mut send).unwrap();
            assert!(count > 400);
            assert_eq!(digest(width, &mut buffer).unwrap(), expected, "width {width}");
        }
    }
}
