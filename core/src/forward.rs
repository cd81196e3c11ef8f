//! The forward pass: `f(x; theta)` and every layer's inputs, for a batch of samples.

use crate::buffer::buffer_len;
use crate::network::{Dense, Network, Sizes, Source};
use crate::{Backend, Error, MatRef, Real};

/// Parameters of a network: a slice of exactly P numbers.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a, N, T> {
    network: &'a N,
    theta: &'a [T],
}

impl<'a, N: Network, T: Real> Params<'a, N, T> {
    /// All parameters of `network`.
    ///
    /// # Errors
    /// [`Error::BufferLength`] where `theta` has another length than the network has parameters.
    pub fn new(network: &'a N, theta: &'a [T]) -> Result<Self, Error> {
        let need = network.sizes().parameters;
        if theta.len() != need {
            return Err(Error::BufferLength { what: "parameters", need, got: theta.len() });
        }
        Ok(Self { network, theta })
    }
    /// the network
    pub fn network(&self) -> &'a N {
        self.network
    }
    /// all P numbers, in the order of the layers
    pub fn theta(&self) -> &'a [T] {
        self.theta
    }
}

/// The state of a forward pass: outputs and every layer's inputs `A` for n samples.
#[derive(Clone, Copy, Debug)]
pub struct Activations<'a, N, T> {
    network: &'a N,
    x: MatRef<'a, T>,
    values: &'a [T],
}

/// `f(x_i; theta)` for the n rows of `x` `(n, d)`.
///
/// `buffer` holds at least `n * sizes().activations` numbers; the rest of it is not touched.
///
/// ```
/// use ntkscope_core::forward::{Params, forward};
/// use ntkscope_core::{MatRef, Portable, network::Fcn};
/// // f(x) = sqrt(2) w max(v x, 0)
/// let (network, theta) = (Fcn::new(1, &[1], 1)?, [3.0, 2.0]);
/// let (x, mut buffer) = (MatRef::new(&[1.0, -1.0], 2, 1)?, [0.0_f64; 2 * 3]);
/// let passed = forward(&Portable, Params::new(&network, &theta)?, x, &mut buffer)?;
/// assert!((passed.outputs().at(0, 0) - 72_f64.sqrt()).abs() < 1e-14);
/// assert_eq!(passed.outputs().at(1, 0), 0.0);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where `x` has another number of columns than the network has inputs, [`Error::OutOfRange`] where it
/// has no row, [`Error::BufferLength`] for a short buffer.
pub fn forward<'a, N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    params: Params<'a, N, T>,
    x: MatRef<'a, T>,
    buffer: &'a mut [T],
) -> Result<Activations<'a, N, T>, Error> {
    forward_less(backend, params, x, None, buffer)
}

/// [`forward`], and then the outputs less `offset` `(n, C)`. Derivatives stay what they are: no network's backward
/// pass reads its outputs.
pub(crate) fn forward_less<'a, N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    params: Params<'a, N, T>,
    x: MatRef<'a, T>,
    offset: Option<MatRef<'_, T>>,
    buffer: &'a mut [T],
) -> Result<Activations<'a, N, T>, Error> {
    let sizes = params.network.sizes();
    Error::shape("samples: numbers per sample", sizes.inputs, x.cols())?;
    if x.rows() == 0 {
        return Err(Error::OutOfRange { what: "number of samples", needs: "at least 1", got: 0.0 });
    }
    let need = buffer_len(&[&[x.rows(), sizes.activations]]);
    Error::at_least("activations", need, buffer.len())?;
    let values = &mut buffer[..need];
    params.network.forward(backend, params.theta, x, values);
    if let Some(offset) = offset {
        Error::shape("offset: rows", x.rows(), offset.rows())?;
        Error::shape("offset: columns", sizes.outputs, offset.cols())?;
        let outputs = values[need - x.rows() * sizes.outputs..].chunks_exact_mut(sizes.outputs);
        for (i, outputs) in outputs.enumerate() {
            outputs.iter_mut().zip(offset.row(i)).for_each(|(f, o)| *f -= *o);
        }
    }
    Ok(Activations { network: params.network, x, values })
}

impl<'a, N: Network, T: Real> Activations<'a, N, T> {
    /// The pass that [`forward`] has left in `values`.
    pub(crate) fn of_values(network: &'a N, x: MatRef<'a, T>, values: &'a [T]) -> Self {
        Self { network, x, values }
    }
    /// the network
    pub fn network(&self) -> &'a N {
        self.network
    }
    /// n
    pub fn batch(&self) -> usize {
        self.x.rows()
    }
    /// f `(n, C)`
    pub fn outputs(&self) -> MatRef<'a, T> {
        let (n, c) = (self.batch(), self.network.sizes().outputs);
        MatRef::dense(&self.values[self.values.len() - n * c..], n, c)
    }
    /// A `(n, inputs)` of a layer of the network.
    pub fn layer_inputs(&self, layer: &Dense) -> MatRef<'a, T> {
        let n = self.batch();
        match layer.source {
            Source::Samples => self.x,
            Source::Activations(at) => MatRef::dense(&self.values[n * at..][..n * layer.inputs], n, layer.inputs),
        }
    }
    /// `Ok` where this is a pass of a network of these sizes.
    pub(crate) fn check(&self, sizes: Sizes) -> Result<(), Error> {
        let own = self.network.sizes();
        Error::shape("network of the forward pass: parameters", sizes.parameters, own.parameters)?;
        Error::shape("network of the forward pass: activations", sizes.activations, own.activations)?;
        Error::shape("network of the forward pass: derivatives", sizes.deltas, own.deltas)?;
        Error::shape("network of the forward pass: outputs", sizes.outputs, own.outputs)
    }
    pub(crate) fn values(&self) -> &'a [T] {
        self.values
    }
}
