//! The backward pass: `D = df/dz` of every dense layer, and the gradient `c D^T A` it gives.

use crate::forward::{Activations, Params};
use crate::network::{Dense, Network};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// Derivatives `D` of every layer for n samples in one or several directions R.
///
/// One direction is one linear combination of the outputs; for kernels there is one for every output. Directions of
/// one sample lie behind one another: row `i R + r` is sample i in direction r.
#[derive(Clone, Copy, Debug)]
pub struct Deltas<'a, T> {
    batch: usize,
    directions: usize,
    values: &'a [T],
}

impl<'a, T: Real> Deltas<'a, T> {
    /// One direction of `batch` samples, as [`backward`] has left it in `values`.
    pub(crate) fn of_values(batch: usize, values: &'a [T]) -> Self {
        Self { batch, directions: 1, values }
    }
    /// D `(n R, outputs of the layer)`
    pub fn of_layer(&self, layer: &Dense) -> MatRef<'a, T> {
        let rows = self.batch * self.directions;
        MatRef::dense(&self.values[rows * layer.delta..][..rows * layer.outputs], rows, layer.outputs)
    }
    /// The same with one row for every sample, `(n, R outputs of the layer)`.
    pub fn by_sample(&self, layer: &Dense) -> MatRef<'a, T> {
        MatRef::dense(self.of_layer(layer).data(), self.batch, self.directions * layer.outputs)
    }
    /// number of directions
    pub fn directions(&self) -> usize {
        self.directions
    }
}

/// D of `sum_c seed_ic f_c(x_i)` for every sample i: one direction, `seed` `(n, C)`.
///
/// `buffer` holds at least `n * sizes().deltas` numbers. Errors: shape of the seed, a short buffer.
pub fn backward<'a, N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    params: Params<'a, N, T>,
    activations: &Activations<'a, N, T>,
    seed: MatRef<'_, T>,
    buffer: &'a mut [T],
) -> Result<Deltas<'a, T>, Error> {
    let (n, sizes) = (activations.batch(), params.network().sizes());
    Error::shape("seed: rows", n, seed.rows())?;
    Error::shape("seed: columns", sizes.outputs, seed.cols())?;
    let need = n * sizes.deltas;
    Error::at_least("deltas", need, buffer.len())?;
    let values = &mut buffer[..need];
    params.network().backward(backend, params.theta(), activations.values(), seed, values);
    Ok(Deltas { batch: n, directions: 1, values })
}

/// Elements of scratch that [`output_derivatives`] needs.
pub const fn output_derivatives_scratch(outputs: usize, batch: usize) -> usize {
    batch * outputs * outputs
}

/// D of every single output: direction c is `f_c`, all C of them.
///
/// `buffer` holds at least `C n sizes().deltas` numbers, `scratch`
/// [`output_derivatives_scratch`]. Errors: a short buffer.
pub fn output_derivatives<'a, N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    params: Params<'a, N, T>,
    activations: &Activations<'a, N, T>,
    buffer: &'a mut [T],
    scratch: &mut [T],
) -> Result<Deltas<'a, T>, Error> {
    let (n, sizes) = (activations.batch(), params.network().sizes());
    let directions = sizes.outputs;
    let need = directions * n * sizes.deltas;
    Error::at_least("deltas", need, buffer.len())?;
    Error::at_least("unit seeds", output_derivatives_scratch(directions, n), scratch.len())?;
    let (values, seed) = (&mut buffer[..need], &mut scratch[..n * directions * directions]);
    // the identity for every sample
    seed.fill(T::ZERO);
    for unit in seed.chunks_exact_mut(directions * directions) {
        unit.iter_mut().step_by(directions + 1).for_each(|s| *s = T::ONE);
    }
    let seed = MatRef::dense(seed, n * directions, directions);
    params.network().backward(backend, params.theta(), activations.values(), seed, values);
    Ok(Deltas { batch: n, directions, values })
}

/// `gradient <- sum_i sum_c seed_ic grad f_c(x_i)`, P numbers, from the deltas of that seed.
///
/// For every trained layer `c D^T A`, and `s sum_i D_i` for its bias; 0 for the others. Error: length of `gradient`.
pub fn gradient<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    activations: &Activations<'_, N, T>,
    deltas: &Deltas<'_, T>,
    gradient: &mut [T],
) -> Result<(), Error> {
    add_gradient(backend, T::ONE, activations, deltas, T::ZERO, gradient)
}

/// `out <- beta out + scale gradient`, with the gradient as in [`gradient`]; `out` is not read where beta is 0.
/// Error: length of `out`.
pub fn add_gradient<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    scale: T,
    activations: &Activations<'_, N, T>,
    deltas: &Deltas<'_, T>,
    beta: T,
    out: &mut [T],
) -> Result<(), Error> {
    let sizes = activations.network().sizes();
    Error::shape("gradient", sizes.parameters, out.len())?;
    let scaled = |x: T| if beta == T::ZERO { T::ZERO } else { beta * x };
    for index in 0..sizes.layers {
        let layer = activations.network().layer(index);
        if !layer.trained {
            out[layer.weights..][..layer.outputs * layer.inputs].iter_mut().for_each(|x| *x = scaled(*x));
            layer.bias.into_iter().flat_map(|at| at..at + layer.outputs).for_each(|at| out[at] = scaled(out[at]));
            continue;
        }
        let (a, d) = (activations.layer_inputs(&layer), deltas.of_layer(&layer));
        let weights = &mut out[layer.weights..][..layer.outputs * layer.inputs];
        let weights = MatMut::dense(weights, layer.outputs, layer.inputs);
        backend.gemm(scale * T::from_f64(layer.weight_scale), d.t(), a, beta, weights);
        if let Some(at) = layer.bias {
            let scale = scale * T::from_f64(layer.bias_scale);
            let bias = &mut out[at..][..layer.outputs];
            bias.iter_mut().for_each(|x| *x = scaled(*x));
            for i in 0..d.rows() {
                bias.iter_mut().zip(d.row(i)).for_each(|(x, d)| *x += scale * *d);
            }
        }
    }
    Ok(())
}
