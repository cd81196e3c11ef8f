//! The backward pass: `D = df/dz` of every dense layer, and the gradient `c D^T A` it gives.

use crate::forward::{Activations, Params};
use crate::network::{Dense, Network};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// Derivatives `D` of every layer for n samples in one or several directions.
///
/// One direction is one linear combination of the outputs; for kernels there is one for every output.
#[derive(Clone, Copy, Debug)]
pub struct Deltas<'a, N, T> {
    network: &'a N,
    batch: usize,
    directions: usize,
    values: &'a [T],
}

impl<'a, N: Network, T: Real> Deltas<'a, N, T> {
    /// D `(n, outputs of the layer)` in direction `direction`
    pub fn of_layer(&self, layer: &Dense, direction: usize) -> MatRef<'a, T> {
        let n = self.batch;
        let at = n * (direction * self.network.sizes().deltas + layer.delta);
        MatRef::dense(&self.values[at..][..n * layer.outputs], n, layer.outputs)
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
) -> Result<Deltas<'a, N, T>, Error> {
    let (n, sizes) = (activations.batch(), params.network().sizes());
    Error::shape("seed: rows", n, seed.rows())?;
    Error::shape("seed: columns", sizes.outputs, seed.cols())?;
    let need = n * sizes.deltas;
    Error::at_least("deltas", need, buffer.len())?;
    let values = &mut buffer[..need];
    params.network().backward(backend, params.theta(), activations.values(), seed, values);
    Ok(Deltas { network: params.network(), batch: n, directions: 1, values })
}

/// Elements of scratch that [`output_derivatives`] needs.
pub const fn output_derivatives_scratch(outputs: usize, batch: usize) -> usize {
    batch * outputs
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
) -> Result<Deltas<'a, N, T>, Error> {
    let (n, sizes) = (activations.batch(), params.network().sizes());
    let directions = sizes.outputs;
    let need = directions * n * sizes.deltas;
    Error::at_least("deltas", need, buffer.len())?;
    Error::at_least("unit seeds", output_derivatives_scratch(directions, n), scratch.len())?;
    let values = &mut buffer[..need];
    for (c, deltas) in values.chunks_exact_mut(n * sizes.deltas).enumerate() {
        let seed = &mut scratch[..n * directions];
        seed.fill(T::ZERO);
        seed.iter_mut().skip(c).step_by(directions).for_each(|s| *s = T::ONE);
        let seed = MatRef::dense(seed, n, directions);
        params.network().backward(backend, params.theta(), activations.values(), seed, deltas);
    }
    Ok(Deltas { network: params.network(), batch: n, directions, values })
}

/// `gradient <- sum_i sum_c seed_ic grad f_c(x_i)`, P numbers, from the deltas of that seed.
///
/// For every trained layer `c D^T A`, and `s sum_i D_i` for its bias; 0 for the others. Error: length of `gradient`.
pub fn gradient<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    activations: &Activations<'_, N, T>,
    deltas: &Deltas<'_, N, T>,
    gradient: &mut [T],
) -> Result<(), Error> {
    let sizes = activations.network().sizes();
    Error::shape("gradient", sizes.parameters, gradient.len())?;
    for index in 0..sizes.layers {
        let layer = activations.network().layer(index);
        if !layer.trained {
            gradient[layer.weights..][..layer.outputs * layer.inputs].fill(T::ZERO);
            layer.bias.into_iter().for_each(|at| gradient[at..][..layer.outputs].fill(T::ZERO));
            continue;
        }
        let (a, d) = (activations.layer_inputs(&layer), deltas.of_layer(&layer, 0));
        let weights = &mut gradient[layer.weights..][..layer.outputs * layer.inputs];
        let weights = MatMut::dense(weights, layer.outputs, layer.inputs);
        backend.gemm(T::from_f64(layer.weight_scale), d.t(), a, T::ZERO, weights);
        if let Some(at) = layer.bias {
            let scale = T::from_f64(layer.bias_scale);
            let bias = &mut gradient[at..][..layer.outputs];
            bias.fill(T::ZERO);
            for i in 0..d.rows() {
                bias.iter_mut().zip(d.row(i)).for_each(|(g, d)| *g += *d);
            }
            bias.iter_mut().for_each(|g| *g = scale * *g);
        }
    }
    Ok(())
}
