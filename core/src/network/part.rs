//! One layer's weights or biases, as if nothing else were trained.

use super::{Dense, Network, Pairs, Sizes};
use crate::{Backend, MatRef, Real};

/// The same function of the same parameters, of which only one array is trained: its empirical kernel is that array's share
/// in the network's, and the shares of all arrays add up to it.
///
/// ```
/// use ntkscope_core::network::{Bias, Fcn, Network, Part};
/// let network = Fcn::new(3, &[8], 1)?.with_bias(Bias::Input, 1.0)?;
/// let bias = Part { network, index: 0, weights: false };
/// assert!(bias.layer(0).has_trained_bias() && !bias.layer(0).weights_trained && !bias.layer(1).is_trained());
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part<N> {
    /// the network
    pub network: N,
    /// number of the layer
    pub index: usize,
    /// whether the array is the layer's weights, not its bias
    pub weights: bool,
}

impl<N: Network> Network for Part<N> {
    fn sizes(&self) -> Sizes {
        self.network.sizes()
    }

    /// What is not trained in the network is not trained here.
    fn layer(&self, index: usize) -> Dense {
        let layer = self.network.layer(index);
        let own = index == self.index;
        Dense {
            weights_trained: own && self.weights && layer.weights_trained,
            bias_trained: own && !self.weights && layer.bias_trained,
            ..layer
        }
    }

    fn forward<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        x: MatRef<'_, T>,
        activations: &mut [T],
    ) {
        self.network.forward(backend, theta, x, activations);
    }

    fn backward<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        activations: &[T],
        cotangent: MatRef<'_, T>,
        deltas: &mut [T],
    ) {
        self.network.backward(backend, theta, activations, cotangent, deltas);
    }

    fn initialize<T: Real>(&self, theta: &mut [T], normal: &mut dyn FnMut() -> f64) {
        self.network.initialize(theta, normal);
    }

    fn input_variances(&self) -> (f64, f64) {
        self.network.input_variances()
    }

    /// Those of the whole network: the limit has no parts.
    fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        self.network.analytic(backend, pairs, ntk);
    }
}
