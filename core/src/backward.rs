//! The backward pass: `D = df/dz` of every dense layer, and the gradient `c D^T A` it gives.

use crate::buffer::buffer_len;
use crate::forward::{Activations, Params};
use crate::network::{Dense, Network, Sizes};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// Derivatives `D` of every layer for n samples in one or several directions R.
///
/// One direction is one linear combination of the outputs; for kernels there is one for every output. Directions of
/// one sample follow one another: row `i R + r` is sample i in direction r.
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
    /// R directions of `batch` samples, as [`output_derivatives`] leaves them in a buffer.
    pub(crate) fn of_directions(batch: usize, directions: usize, values: &'a [T]) -> Self {
        Self { batch, directions, values }
    }
    /// all numbers
    pub(crate) fn values(&self) -> &'a [T] {
        self.values
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
    /// `Ok` where these are of so many samples and directions in a network of these sizes.
    pub(crate) fn check(&self, sizes: Sizes, batch: usize, directions: usize) -> Result<(), Error> {
        Error::shape("derivatives: samples", batch, self.batch)?;
        Error::shape("derivatives: directions", directions, self.directions)?;
        Error::shape("derivatives: numbers", batch * directions * sizes.deltas, self.values.len())
    }
    /// number of directions
    pub fn directions(&self) -> usize {
        self.directions
    }
}

/// D of `sum_c v_ic f_c(x_i)` for every sample i: one direction, with v the `cotangent` `(n, C)`.
///
/// `buffer` holds at least `n * sizes().deltas` numbers.
///
/// ```
/// use ntkscope_core::backward::{backward, gradient};
/// use ntkscope_core::forward::{Params, forward};
/// use ntkscope_core::{MatRef, Portable, network::Fcn};
/// // f(x) = sqrt(2) w max(v x, 0) at x = 1: df/dv = sqrt(2) w, df/dw = sqrt(2) v
/// let (network, theta) = (Fcn::new(1, &[1], 1)?, [3.0, 2.0]);
/// let (mut values, mut deltas, mut slope) = ([0.0_f64; 3], [0.0; 2], [0.0; 2]);
/// let params = Params::new(&network, &theta)?;
/// let passed = forward(&Portable, params, MatRef::new(&[1.0], 1, 1)?, &mut values)?;
/// let d = backward(&Portable, params, &passed, MatRef::new(&[1.0], 1, 1)?, &mut deltas)?;
/// gradient(&Portable, &passed, &d, &mut slope)?;
/// assert!((slope[0] - 8_f64.sqrt()).abs() < 1e-14 && (slope[1] - 18_f64.sqrt()).abs() < 1e-14);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] of the cotangent, or where the pass was of another network; [`Error::BufferLength`].
pub fn backward<'a, N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    params: Params<'a, N, T>,
    activations: &Activations<'a, N, T>,
    cotangent: MatRef<'_, T>,
    buffer: &'a mut [T],
) -> Result<Deltas<'a, T>, Error> {
    let (n, sizes) = (activations.batch(), params.network().sizes());
    Error::shape("cotangent: rows", n, cotangent.rows())?;
    Error::shape("cotangent: columns", sizes.outputs, cotangent.cols())?;
    activations.check(sizes)?;
    let need = buffer_len(&[&[n, sizes.deltas]]);
    Error::at_least("deltas", need, buffer.len())?;
    let values = &mut buffer[..need];
    params.network().backward(backend, params.theta(), activations.values(), cotangent, values);
    Ok(Deltas { batch: n, directions: 1, values })
}

/// Elements of scratch that [`output_derivatives`] needs; `usize::MAX` where that overflows.
pub const fn output_derivatives_scratch(outputs: usize, batch: usize) -> usize {
    buffer_len(&[&[batch, outputs, outputs]])
}

/// D of every single output: direction c is `f_c`, all C of them.
///
/// `buffer` holds at least `C n sizes().deltas` numbers, `scratch` [`output_derivatives_scratch`].
///
/// # Errors
/// [`Error::BufferLength`]; [`Error::Shape`] where the pass was of another network.
pub fn output_derivatives<'a, N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    params: Params<'a, N, T>,
    activations: &Activations<'a, N, T>,
    buffer: &'a mut [T],
    scratch: &mut [T],
) -> Result<Deltas<'a, T>, Error> {
    let (n, sizes) = (activations.batch(), params.network().sizes());
    let directions = sizes.outputs;
    activations.check(sizes)?;
    let need = buffer_len(&[&[directions, n, sizes.deltas]]);
    Error::at_least("deltas", need, buffer.len())?;
    Error::at_least("unit cotangents", output_derivatives_scratch(directions, n), scratch.len())?;
    let (values, cotangent) = (&mut buffer[..need], &mut scratch[..n * directions * directions]);
    // the identity for every sample
    cotangent.fill(T::ZERO);
    for unit in cotangent.chunks_exact_mut(directions * directions) {
        unit.iter_mut().step_by(directions + 1).for_each(|s| *s = T::ONE);
    }
    let cotangent = MatRef::dense(cotangent, n * directions, directions);
    params.network().backward(backend, params.theta(), activations.values(), cotangent, values);
    Ok(Deltas { batch: n, directions, values })
}

/// `gradient <- sum_i sum_c v_ic grad f_c(x_i)`, P numbers, from the derivatives in the one direction v.
///
/// For every trained layer `c D^T A`, and `s sum_i D_i` for its bias; 0 for the others.
///
/// # Errors
/// [`Error::Shape`] of `gradient`, and where the derivatives are not those of the pass in one direction.
pub fn gradient<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    activations: &Activations<'_, N, T>,
    deltas: &Deltas<'_, T>,
    gradient: &mut [T],
) -> Result<(), Error> {
    add_gradient(backend, T::ONE, activations, deltas, T::ZERO, gradient)
}

/// `out <- beta out + scale gradient`, with the gradient as in [`gradient`]; `out` is not read where beta is 0.
///
/// # Errors
/// Those of [`gradient`].
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
    deltas.check(sizes, activations.batch(), 1)?;
    let scaled = |x: T| if beta == T::ZERO { T::ZERO } else { beta * x };
    for index in 0..sizes.layers {
        let layer = activations.network().layer(index);
        let (a, d) = (activations.layer_inputs(&layer), deltas.of_layer(&layer));
        let weights = &mut out[layer.weights..][..layer.outputs * layer.inputs];
        if layer.weights_trained {
            let weights = MatMut::dense(weights, layer.outputs, layer.inputs);
            backend.gemm(scale * T::from_f64(layer.weight_scale), d.t(), a, beta, weights);
        } else {
            weights.iter_mut().for_each(|x| *x = scaled(*x));
        }
        if let Some(at) = layer.bias {
            let bias = &mut out[at..][..layer.outputs];
            bias.iter_mut().for_each(|x| *x = scaled(*x));
            if layer.bias_trained {
                let scale = scale * T::from_f64(layer.bias_scale);
                for i in 0..d.rows() {
                    bias.iter_mut().zip(d.row(i)).for_each(|(x, d)| *x += scale * *d);
                }
            }
        }
    }
    Ok(())
}
