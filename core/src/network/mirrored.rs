//! Mirrored initialization (Chen, Li, Lin 2024, remark 3.1): two copies of a network,
//!
//! ```text
//! f(x; theta_1, theta_2) = (f(x; theta_1) - f(x; theta_2)) / sqrt(2),     theta_1(0) = theta_2(0)
//! ```
//!
//! both trained. The output at initialization is exactly 0 and the empirical NTK there is exactly the one
//! of a single copy, at every width.

use super::{Dense, Fcn, Network, Pairs, ResNet, Sizes, Source};
use crate::{Backend, MatRef, Real};

/// Two copies of a network, subtracted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mirrored<N>(pub N);

/// Lengths of the pair from those of one copy.
const fn doubled(half: Sizes) -> Sizes {
    Sizes {
        layers: 2 * half.layers,
        parameters: 2 * half.parameters,
        // both copies' blocks, then the pair's own outputs
        activations: 2 * half.activations + half.outputs,
        deltas: 2 * half.deltas,
        ..half
    }
}

impl Mirrored<Fcn<'_>> {
    /// All buffer lengths.
    pub const fn sizes(&self) -> Sizes {
        doubled(self.0.sizes())
    }
}

impl Mirrored<ResNet> {
    /// All buffer lengths.
    pub const fn sizes(&self) -> Sizes {
        doubled(self.0.sizes())
    }
}

impl<N: Network> Network for Mirrored<N> {
    fn sizes(&self) -> Sizes {
        doubled(self.0.sizes())
    }

    fn layer(&self, index: usize) -> Dense {
        let half = self.0.sizes();
        let mut layer = self.0.layer(index % half.layers);
        if index < half.layers {
            layer.name.prefix = "first.";
            return layer;
        }
        layer.name.prefix = "second.";
        layer.weights += half.parameters;
        layer.bias = layer.bias.map(|at| at + half.parameters);
        layer.delta += half.deltas;
        layer.source = match layer.source {
            Source::Samples => Source::Samples,
            Source::Activations(at) => Source::Activations(at + half.activations),
        };
        layer
    }

    fn forward<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        x: MatRef<'_, T>,
        activations: &mut [T],
    ) {
        let (n, half) = (x.rows(), self.0.sizes());
        let (first, rest) = activations.split_at_mut(n * half.activations);
        let (second, output) = rest.split_at_mut(n * half.activations);
        let (theta_1, theta_2) = theta.split_at(half.parameters);
        self.0.forward(backend, theta_1, x, first);
        self.0.forward(backend, theta_2, x, second);
        let tail = n * (half.activations - half.outputs);
        let scale = T::from_f64(core::f64::consts::FRAC_1_SQRT_2);
        for (f, (f1, f2)) in output.iter_mut().zip(first[tail..].iter().zip(&second[tail..])) {
            *f = scale * (*f1 - *f2);
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
        let half = self.0.sizes();
        let n = activations.len() / doubled(half).activations;
        let (first, second) = deltas.split_at_mut(cotangent.rows() * half.deltas);
        let scale = T::from_f64(core::f64::consts::FRAC_1_SQRT_2);
        let halves = [(first, scale), (second, -scale)];
        for (copy, (deltas, scale)) in halves.into_iter().enumerate() {
            // Every layer's D is linear in the cotangent, so the factor +-1/sqrt(2) can be applied at the end.
            let theta = &theta[copy * half.parameters..][..half.parameters];
            let activations = &activations[n * copy * half.activations..][..n * half.activations];
            self.0.backward(backend, theta, activations, cotangent, deltas);
            deltas.iter_mut().for_each(|d| *d *= scale);
        }
    }

    fn initialize<T: Real>(&self, theta: &mut [T], normal: &mut dyn FnMut() -> f64) {
        let (first, second) = theta.split_at_mut(self.0.sizes().parameters);
        self.0.initialize(first, normal);
        second.copy_from_slice(first);
    }

    fn input_variances(&self) -> (f64, f64) {
        self.0.input_variances()
    }

    /// The NTK of the pair, which is that of one copy, and the NNGP kernel of one copy (the pair's output
    /// itself is 0 at initialization).
    fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        self.0.analytic(backend, pairs, ntk);
    }
}
