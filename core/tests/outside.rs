//! A network and a backend written outside the crate, from its public parts alone, pass the contracts and have a kernel.

use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{MultiOutput, structured, structured_scratch, tangent, tangent_len};
use ntkscope_core::network::{Activation, Dense, Name, Network, Pairs, Sizes, Source, add_bias, times_derivative};
use ntkscope_core::{Backend, BandWork, Error, MatMut, MatRef, Portable, Real, Tile, contract};

/// `f = sqrt(2/m) v . phi(W x + b)`, phi the ReLU.
#[derive(Clone, Copy)]
struct Shallow {
    sizes: Sizes,
}

impl Shallow {
    fn new(inputs: usize, width: usize) -> Result<Self, Error> {
        let sizes = Sizes::new(inputs, 1).with_layer(inputs, width, true, 2)?.with_layer(width, 1, false, 1)?;
        Ok(Self { sizes })
    }
    fn width(&self) -> usize {
        self.sizes.deltas - 1
    }
}

impl Network for Shallow {
    fn sizes(&self) -> Sizes {
        self.sizes
    }
    fn layer(&self, index: usize) -> Dense {
        let (d, m) = (self.sizes.inputs, self.width());
        let mut layer = if index == 0 { Dense::new(d, m) } else { Dense::new(m, 1) };
        layer.name = Name::new("W", "b", Some(index));
        if index == 0 {
            (layer.bias, layer.bias_scale) = (Some(m * d), 1.0);
        } else {
            (layer.weights, layer.delta, layer.source) = (m * d + m, m, Source::Activations(m));
            layer.weight_scale = (2.0 / m as f64).sqrt();
        }
        layer
    }
    fn forward<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, theta: &[T], x: MatRef<'_, T>, values: &mut [T]) {
        let (n, m, inner, outer) = (x.rows(), self.width(), self.layer(0), self.layer(1));
        let (z, rest) = values.split_at_mut(n * m);
        let (phi, f) = rest.split_at_mut(n * m);
        let mut z = MatMut::dense(z, n, m);
        backend.gemm(T::ONE, x, inner.weights_in(theta).t(), T::ZERO, z.reborrow());
        add_bias(&mut z, T::ONE, &theta[m * self.sizes.inputs..][..m]);
        phi.iter_mut().zip(z.into_data().iter()).for_each(|(phi, z)| *phi = Activation::Relu.phi(*z));
        let scale = T::from_f64(outer.weight_scale);
        backend.gemm(scale, MatRef::dense(phi, n, m), outer.weights_in(theta).t(), T::ZERO, MatMut::dense(f, n, 1));
    }
    fn backward<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        activations: &[T],
        cotangent: MatRef<'_, T>,
        deltas: &mut [T],
    ) {
        let (rows, m, outer) = (cotangent.rows(), self.width(), self.layer(1));
        let n = activations.len() / self.sizes.activations;
        let (inner, last) = deltas.split_at_mut(rows * m);
        last.iter_mut().enumerate().for_each(|(i, d)| *d = cotangent.at(i, 0));
        let (scale, last) = (T::from_f64(outer.weight_scale), MatRef::dense(last, rows, 1));
        backend.gemm(scale, last, outer.weights_in(theta), T::ZERO, MatMut::dense(inner, rows, m));
        times_derivative(Activation::Relu, MatRef::dense(&activations[..n * m], n, m), inner);
    }
    fn input_variances(&self) -> (f64, f64) {
        (1.0, 1.0)
    }
    fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        pairs.covariance(ntk);
        Activation::Relu.propagate(backend, pairs, T::from_f64(2.0), T::ZERO);
        pairs.tangent(ntk);
    }
}

#[test]
fn a_network_of_ones_own() -> Result<(), Error> {
    let network = Shallow::new(2, 3)?;
    let mut buffer = vec![0.0; contract::network_len(network.sizes())];
    contract::network(&network, &mut buffer);

    // W = 1, b = 0, v = 1 at x = 1: z = 1, f = sqrt(2/m) m; of every unit df/dW = df/db = df/dv = sqrt(2/m)
    let (theta, x) = ([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0], [1.0]);
    let network = Shallow::new(1, 3)?;
    let mut buffer = vec![0.0; tangent_len(network.sizes(), 1)];
    let tangent = tangent(&Portable, Params::new(&network, &theta)?, MatRef::new(&x, 1, 1)?, &mut buffer)?;
    let (mut kernel, mut scratch) = ([0.0_f64], vec![0.0; structured_scratch(Portable::TILE, 1, 1)]);
    structured(&Portable, &tangent, None, MultiOutput::Trace, MatMut::new(&mut kernel, 1, 1)?, &mut scratch)?;
    assert!((kernel[0] - 6.0).abs() < 1e-14, "{kernel:?}");
    Ok(())
}

/// Products term by term, the last term first; all else by `Portable`.
struct Backwards;

impl<T: Real> Backend<T> for Backwards {
    fn tile(&self) -> Tile {
        Tile::new(3, 2, 1)
    }
    fn gemm(&self, alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, mut c: MatMut<'_, T>) {
        ntkscope_core::backend::assert_product(a, b, &c);
        for i in 0..c.rows() {
            for j in 0..c.cols() {
                let sum = (0..a.cols()).rev().fold(T::ZERO, |sum, k| sum + a.at(i, k) * b.at(k, j));
                *c.at_mut(i, j) = alpha * sum + if beta == T::ZERO { T::ZERO } else { beta * c.at(i, j) };
            }
        }
    }
    fn symmetric_eigenvalues(&self, a: MatMut<'_, T>, values: &mut [T], scratch: &mut [T]) -> Result<(), Error> {
        Portable.symmetric_eigenvalues(a, values, scratch)
    }
    fn symmetric_eigen(
        &self,
        a: MatMut<'_, T>,
        values: &mut [T],
        vectors: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), Error> {
        Portable.symmetric_eigen(a, values, vectors, scratch)
    }
    fn cholesky(&self, a: MatMut<'_, T>) -> Result<(), Error> {
        Portable.cholesky(a)
    }
    fn for_each_band(&self, out: MatMut<'_, T>, rows: usize, scratch: &mut [T], work: &BandWork<'_, T>) {
        Portable.for_each_band(out, rows, scratch, work);
    }
}

#[test]
fn a_backend_of_ones_own() {
    contract::backend::<f64>(&Backwards);
    contract::backend::<f32>(&Backwards);
}
