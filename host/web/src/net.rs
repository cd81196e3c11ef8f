//! A network, mirrored or not, as one type: everything that is generic in a network is compiled once.

use ntkscope_core::network::{Dense, Fcn, Mirrored, Network, Pairs, Sizes};
use ntkscope_core::{Backend, MatRef, Real};

/// Fully connected, with either initialization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Net {
    /// independent N(0, 1) weights
    Standard(Fcn<'static>),
    /// the difference of two equal copies
    Mirrored(Mirrored<Fcn<'static>>),
}

impl Network for Net {
    fn sizes(&self) -> Sizes {
        match self {
            Self::Standard(network) => network.sizes(),
            Self::Mirrored(network) => network.sizes(),
        }
    }
    fn layer(&self, index: usize) -> Dense {
        match self {
            Self::Standard(network) => network.layer(index),
            Self::Mirrored(network) => network.layer(index),
        }
    }
    fn forward<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        x: MatRef<'_, T>,
        activations: &mut [T],
    ) {
        match self {
            Self::Standard(network) => network.forward(backend, theta, x, activations),
            Self::Mirrored(network) => network.forward(backend, theta, x, activations),
        }
    }
    fn backward<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        activations: &[T],
        cotangent: MatRef<'_, T>,
        deltas: &mut [T],
    ) {
        match self {
            Self::Standard(network) => network.backward(backend, theta, activations, cotangent, deltas),
            Self::Mirrored(network) => network.backward(backend, theta, activations, cotangent, deltas),
        }
    }
    fn initialize<T: Real>(&self, theta: &mut [T], normal: &mut dyn FnMut() -> f64) {
        match self {
            Self::Standard(network) => network.initialize(theta, normal),
            Self::Mirrored(network) => network.initialize(theta, normal),
        }
    }
    fn input_variances(&self) -> (f64, f64) {
        match self {
            Self::Standard(network) => network.input_variances(),
            Self::Mirrored(network) => network.input_variances(),
        }
    }
    fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        match self {
            Self::Standard(network) => network.analytic(backend, pairs, ntk),
            Self::Mirrored(network) => network.analytic(backend, pairs, ntk),
        }
    }
}
