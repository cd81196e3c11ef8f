//! What a network is to the rest of the crate: sizes, dense layers, one pass forward, one pass back.
//!
//! A network is a description; it owns no memory. Buffers hold, for a batch of n samples, blocks of shape
//! `(n, width)` one after the other; a block's place is an offset *per sample*, so it begins at
//! `n * offset`. [`Dense`] says for every trainable layer where its parameters, its inputs `A` and its
//! derivatives `D` lie, and that is all that gradients and kernels need to know.
//!
//! A network of yours implements [`Network`]: add up its [`Sizes`] layer by layer, describe each layer by a [`Dense`], and
//! prove it with [`crate::contract::network`].

mod activation;
mod fcn;
mod layer;
mod mirrored;
mod pairs;
mod part;
mod resnet;
mod sizes;
#[cfg(test)]
mod tests;

pub use activation::{Activation, SERIES, Series, Slope, UnknownActivation};
pub use fcn::{Bias, Fcn};
pub use layer::{Layer, Parametrization};
pub use mirrored::Mirrored;
pub use pairs::Pairs;
pub use part::Part;
pub use resnet::{ResNet, Trained};
pub use sizes::Sizes;

use crate::{Backend, Error, MatMut, MatRef, Real};
use core::fmt;

/// Whether a scale or a variance of the description may be this number: finite and not negative.
const fn check_scale(what: &'static str, got: f64) -> Result<(), Error> {
    if got >= 0.0 && got.is_finite() { Ok(()) } else { Err(Error::OutOfRange { what, needs: "finite and >= 0", got }) }
}

/// One dense layer `z = c W a + s b`, and where its pieces lie.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Dense {
    /// numbers in `a`
    pub inputs: usize,
    /// numbers in `z`
    pub outputs: usize,
    /// c
    pub weight_scale: f64,
    /// s
    pub bias_scale: f64,
    /// W `(outputs, inputs)` row-major, from this parameter on
    pub weights: usize,
    /// b `(outputs)`, from this parameter on, where there is one
    pub bias: Option<usize>,
    /// where the inputs A `(n, inputs)` come from
    pub source: Source,
    /// D = df/dz `(n, outputs)`: offset per sample among the deltas
    pub delta: usize,
    /// the layer's names in files
    pub name: Name,
    /// whether W moves, and counts in kernels; its gradient is 0 where not
    pub weights_trained: bool,
    /// the same of b
    pub bias_trained: bool,
    /// z `(n, outputs)`: offset per sample among the activations, where the function after this layer has a kink at z = 0
    pub kinks: Option<usize>,
}

impl Dense {
    /// Whether one of its parameters is trained.
    pub const fn is_trained(&self) -> bool {
        self.weights_trained || self.has_trained_bias()
    }
    /// Whether it has a bias that is trained.
    pub const fn has_trained_bias(&self) -> bool {
        self.bias.is_some() && self.bias_trained
    }
    /// A trained layer `z = W a` of the samples, without bias, that begins at parameter and derivative 0, by the name of
    /// `W`. Set the fields that are otherwise.
    pub const fn new(inputs: usize, outputs: usize) -> Self {
        Self {
            inputs,
            outputs,
            weight_scale: 1.0,
            bias_scale: 0.0,
            weights: 0,
            bias: None,
            source: Source::Samples,
            delta: 0,
            name: Name::new("W", "b", None),
            weights_trained: true,
            bias_trained: true,
            kinks: None,
        }
    }
    /// W `(outputs, inputs)` among the network's parameters.
    ///
    /// # Panics
    /// Where `theta` is too short.
    #[track_caller]
    pub fn weights_in<'a, T: Real>(&self, theta: &'a [T]) -> MatRef<'a, T> {
        MatRef::dense(&theta[self.weights..][..self.outputs * self.inputs], self.outputs, self.inputs)
    }
    /// `z <- beta z + c W a + s b` of n samples: `a` `(n, inputs)`, `z` `(n, outputs)`; `z` is not read where beta is 0.
    ///
    /// # Panics
    /// Where `theta` is too short, or on other shapes.
    #[inline]
    #[track_caller]
    pub fn apply<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        a: MatRef<'_, T>,
        beta: T,
        mut z: MatMut<'_, T>,
    ) {
        backend.gemm(T::from_f64(self.weight_scale), a, self.weights_in(theta).t(), beta, z.reborrow());
        if let Some(at) = self.bias {
            add_bias(&mut z, T::from_f64(self.bias_scale), &theta[at..][..self.outputs]);
        }
    }
}

/// Where a layer's inputs lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// they are the samples
    Samples,
    /// offset per sample among the activations
    Activations(usize),
}

/// Names of a layer's arrays in files, e.g. `W0` and `b0`, or `second.W0` in a mirrored network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Name {
    /// `""`, `"first."` or `"second."`
    pub prefix: &'static str,
    /// symbol of the weights
    pub weights: &'static str,
    /// symbol of the bias
    pub bias: &'static str,
    /// number after the symbol
    pub index: Option<usize>,
}

impl Name {
    /// Of a layer by these symbols and this number.
    pub const fn new(weights: &'static str, bias: &'static str, index: Option<usize>) -> Self {
        Self { prefix: "", weights, bias, index }
    }
    /// The weights' name, to be displayed.
    pub fn of_weights(&self) -> impl fmt::Display {
        Symbol(self.prefix, self.weights, self.index)
    }
    /// The bias's name, to be displayed.
    pub fn of_bias(&self) -> impl fmt::Display {
        Symbol(self.prefix, self.bias, self.index)
    }
}

struct Symbol(&'static str, &'static str, Option<usize>);

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, self.1)?;
        self.2.map_or(Ok(()), |index| write!(f, "{index}"))
    }
}

/// z <- z + s b in every row: `bias` has a number for each column.
///
/// # Panics
/// Where it has not.
#[track_caller]
pub fn add_bias<T: Real>(z: &mut MatMut<'_, T>, scale: T, bias: &[T]) {
    assert_eq!(bias.len(), z.cols(), "a bias of each output");
    for i in 0..z.rows() {
        for (z, b) in z.row_mut(i).iter_mut().zip(bias) {
            *z += scale * *b;
        }
    }
}

/// d <- d o phi'(z): R rows of `d` for every row of `z`, whose columns are adjacent.
///
/// # Panics
/// Where `d` is not a multiple of `z`.
#[track_caller]
pub fn times_derivative<T: Real>(activation: Activation, z: MatRef<'_, T>, d: &mut [T]) {
    if d.is_empty() {
        return;
    }
    let len = z.rows() * z.cols();
    assert!(len > 0 && d.len().is_multiple_of(len), "{} derivatives of {len} numbers", d.len());
    for (i, d) in d.chunks_exact_mut(d.len() / z.rows()).enumerate() {
        for d in d.chunks_exact_mut(z.cols()) {
            for (d, z) in d.iter_mut().zip(z.row(i)) {
                *d *= activation.dphi(*z);
            }
        }
    }
}

/// A network: a function of parameters and samples whose trainable pieces are dense layers.
///
/// The passes work on slices whose lengths were checked by the views of [`crate::forward`] and
/// [`crate::backward`]; call those. Where the passes are handed slices of other lengths they may panic.
pub trait Network: Copy + Sync {
    /// All buffer lengths.
    fn sizes(&self) -> Sizes;

    /// Layer `index < sizes().layers`.
    fn layer(&self, index: usize) -> Dense;

    /// Fills `activations` `(n * sizes().activations)` from `x` `(n, d)`.
    fn forward<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        x: MatRef<'_, T>,
        activations: &mut [T],
    );

    /// Fills `deltas` `(n * R * sizes().deltas)` with D = d/dz sum_c v_rc f_c(x_i) of every layer for R
    /// directions of every sample, row `i R + r`, from v = `cotangent` `(n R, C)` and the activations of the forward pass, the
    /// outputs excepted: training with an offset leaves other numbers there.
    fn backward<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        activations: &[T],
        cotangent: MatRef<'_, T>,
        deltas: &mut [T],
    );

    /// Draws the parameters at initialization: `normal()` is N(0,1), called in the parameters' order for those that do not
    /// start at a fixed value.
    fn initialize<T: Real>(&self, theta: &mut [T], normal: &mut dyn FnMut() -> f64) {
        theta.iter_mut().for_each(|x| *x = T::from_f64(normal()));
    }

    /// (a, beta) of the first layer's pre-activations: covariance `a x.x' + beta`.
    fn input_variances(&self) -> (f64, f64);

    /// Analytic kernels of pairs of samples, for a scalar output. `pairs` come as those of the first
    /// pre-activations and leave as those of the output, whose covariance is the NNGP kernel; `ntk` takes the
    /// NTK of the trained parameters.
    fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]);
}
