//! Mirrored initialization (Chen, Li, Lin 2024, remark 3.1): two copies of a network,
//!
//! ```text
//! f(x; theta_1, theta_2) = (f(x; theta_1) - f(x; theta_2)) / sqrt(2),     theta_1(0) = theta_2(0)
//! ```
//!
//! both trained. The output at initialization is exactly 0 and the empirical NTK there is exactly the one
//! of a single copy, at every width.

use super::{Dense, Network, Pairs, Sizes, Source};
use crate::{Backend, MatRef, Real};

/// Two copies of a network, subtracted. Their lengths are [`Sizes::mirrored`], also in a `const`; where one overflows, no
/// buffer is long enough, and every pass is refused.
///
/// ```
/// use ntkscope_core::network::{Fcn, Mirrored, Network};
/// let network = Fcn::new(3, &[8], 1)?;
/// let pair = Mirrored(network);
/// assert_eq!(pair.sizes(), network.sizes().mirrored());
/// assert_eq!(pair.layer(3).name.of_weights().to_string(), "second.W1");
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mirrored<N>(pub N);

impl<N: Network> Network for Mirrored<N> {
    fn sizes(&self) -> Sizes {
        self.0.sizes().mirrored()
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
        layer.kinks = layer.kinks.map(|at| at + half.activations);
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
        let n = activations.len() / half.mirrored().activations;
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
