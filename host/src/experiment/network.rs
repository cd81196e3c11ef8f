//! The network that a [`crate::experiment::Model`] describes, whichever it is: one type for all of them, so that
//! runs and kernels are compiled once for every scalar, not once for every network.

use ntkscope_core::network::{Dense, Fcn, Mirrored, Network, Pairs, ResNet, Sizes};
use ntkscope_core::{Backend, MatRef, Real};

/// A network of any kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnyNetwork<'a> {
    /// fully connected
    Fcn(Fcn<'a>),
    /// two fully connected copies, subtracted
    MirroredFcn(Mirrored<Fcn<'a>>),
    /// residual
    ResNet(ResNet),
    /// two residual copies, subtracted
    MirroredResNet(Mirrored<ResNet>),
}

impl Network for AnyNetwork<'_> {
    fn sizes(&self) -> Sizes {
        match self {
            Self::Fcn(network) => network.sizes(),
            Self::MirroredFcn(network) => network.sizes(),
            Self::ResNet(network) => network.sizes(),
            Self::MirroredResNet(network) => network.sizes(),
        }
    }

    fn layer(&self, index: usize) -> Dense {
        match self {
            Self::Fcn(network) => network.layer(index),
            Self::MirroredFcn(network) => network.layer(index),
            Self::ResNet(network) => network.layer(index),
            Self::MirroredResNet(network) => network.layer(index),
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
            Self::Fcn(network) => network.forward(backend, theta, x, activations),
            Self::MirroredFcn(network) => network.forward(backend, theta, x, activations),
            Self::ResNet(network) => network.forward(backend, theta, x, activations),
            Self::MirroredResNet(network) => network.forward(backend, theta, x, activations),
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
            Self::Fcn(network) => network.backward(backend, theta, activations, cotangent, deltas),
            Self::MirroredFcn(network) => network.backward(backend, theta, activations, cotangent, deltas),
            Self::ResNet(network) => network.backward(backend, theta, activations, cotangent, deltas),
            Self::MirroredResNet(network) => network.backward(backend, theta, activations, cotangent, deltas),
        }
    }

    fn initialize<T: Real>(&self, theta: &mut [T], normal: &mut dyn FnMut() -> f64) {
        match self {
            Self::Fcn(network) => network.initialize(theta, normal),
            Self::MirroredFcn(network) => network.initialize(theta, normal),
            Self::ResNet(network) => network.initialize(theta, normal),
            Self::MirroredResNet(network) => network.initialize(theta, normal),
        }
    }

    fn input_variances(&self) -> (f64, f64) {
        match self {
            Self::Fcn(network) => network.input_variances(),
            Self::MirroredFcn(network) => network.input_variances(),
            Self::ResNet(network) => network.input_variances(),
            Self::MirroredResNet(network) => network.input_variances(),
        }
    }

    fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        match self {
            Self::Fcn(network) => network.analytic(backend, pairs, ntk),
            Self::MirroredFcn(network) => network.analytic(backend, pairs, ntk),
            Self::ResNet(network) => network.analytic(backend, pairs, ntk),
            Self::MirroredResNet(network) => network.analytic(backend, pairs, ntk),
        }
    }
}
