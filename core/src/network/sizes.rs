//! How long the buffers of a network are, added up layer by layer.

use crate::Error;

/// Buffer lengths of a network, in elements.
///
/// ```
/// use ntkscope_core::network::Sizes;
/// // 2 inputs, 8 hidden units of which z and phi(z) are kept, 1 output with a bias
/// const SIZES: Sizes = match Sizes::new(2, 1).with_layer(2, 8, false, 2) {
///     Ok(hidden) => match hidden.with_layer(8, 1, true, 1) {
///         Ok(sizes) => sizes,
///         Err(_) => panic!("too large"),
///     },
///     Err(_) => panic!("too large"),
/// };
/// assert_eq!((SIZES.layers, SIZES.parameters, SIZES.activations, SIZES.deltas), (2, 25, 17, 9));
/// assert_eq!(SIZES.mirrored().parameters, 50);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Sizes {
    /// d, numbers per sample
    pub inputs: usize,
    /// C, outputs per sample
    pub outputs: usize,
    /// dense layers
    pub layers: usize,
    /// P, parameters
    pub parameters: usize,
    /// activations per sample; the last C of them are the outputs
    pub activations: usize,
    /// derivatives per sample and direction
    pub deltas: usize,
    /// pre-activations per sample at whose 0 the derivative of the activation jumps
    pub kinks: usize,
    /// layers whose expectations in the limit are a series ([`Series`](super::Series))
    pub series: usize,
}

impl Sizes {
    /// Those of a network of d inputs and C outputs before its first layer.
    pub const fn new(inputs: usize, outputs: usize) -> Self {
        Self { inputs, outputs, layers: 0, parameters: 0, activations: 0, deltas: 0, kinks: 0, series: 0 }
    }
    /// With one more dense layer: a weight for each of its inputs and outputs, a bias for each output where it has one,
    /// a derivative for each output, and `kept` activations for each output (z alone, or z and phi(z)).
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where a length overflows.
    pub const fn with_layer(self, inputs: usize, outputs: usize, bias: bool, kept: usize) -> Result<Self, Error> {
        self.with_layers(1, inputs, outputs, bias, kept)
    }
    /// [`Sizes::with_layer`], `count` times.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where a length overflows.
    pub const fn with_layers(
        self,
        count: usize,
        inputs: usize,
        outputs: usize,
        bias: bool,
        kept: usize,
    ) -> Result<Self, Error> {
        let biases = if bias { outputs } else { 0 };
        let (Some(own), Some(kept)) = (add_product(biases, outputs, inputs), outputs.checked_mul(kept)) else {
            return Err(TOO_LARGE);
        };
        let lengths = (
            self.layers.checked_add(count),
            add_product(self.parameters, count, own),
            add_product(self.activations, count, kept),
            add_product(self.deltas, count, outputs),
        );
        match lengths {
            (Some(layers), Some(parameters), Some(activations), Some(deltas)) => {
                Ok(Self { layers, parameters, activations, deltas, ..self })
            }
            _ => Err(TOO_LARGE),
        }
    }
    /// With `count` more pre-activations that have a kink. A length that overflows is `usize::MAX`.
    pub const fn with_kinks(self, count: usize) -> Self {
        Self { kinks: self.kinks.saturating_add(count), ..self }
    }
    /// With `count` more layers whose expectations are a series. A length that overflows is `usize::MAX`.
    pub const fn with_series(self, count: usize) -> Self {
        Self { series: self.series.saturating_add(count), ..self }
    }
    /// Those of two copies of the network, subtracted ([`Mirrored`](super::Mirrored)). A length that overflows is `usize::MAX`, which no
    /// buffer has.
    pub const fn mirrored(self) -> Self {
        Self {
            layers: self.layers.saturating_mul(2),
            parameters: self.parameters.saturating_mul(2),
            // both copies' blocks, then the pair's own outputs
            activations: self.activations.saturating_mul(2).saturating_add(self.outputs),
            deltas: self.deltas.saturating_mul(2),
            kinks: self.kinks.saturating_mul(2),
            ..self
        }
    }
}

const TOO_LARGE: Error = Error::OutOfRange {
    what: "numbers of a network",
    needs: "at most usize::MAX",
    // the first that is not
    got: usize::MAX as f64 + 1.0,
};

/// start + x y, unless that overflows.
const fn add_product(start: usize, x: usize, y: usize) -> Option<usize> {
    match x.checked_mul(y) {
        Some(product) => start.checked_add(product),
        None => None,
    }
}
