//! Fully connected networks in the NTK parametrisation (science: Jacot et al. 2018), all entries N(0,1):
//!
//! ```text
//! z_1 = sqrt(c_in) W_0 x + s b_0,   z_{l+1} = sqrt(sigma_w^2 / m_l) W_l phi(z_l) + s b_l,   f = z_{L+1}
//! ```
//!
//! for L hidden layers of widths m_1..m_L. The defaults are those of Li, Yu, Chen, Lin 2023 and Chen, Li,
//! Lin 2024: `c_in = 1` (no 1/sqrt(d) at the input), `sigma_w^2 = 2`. The analytic kernels follow from
//! `S_0 = T_0 = c_in x.x' + s^2` and, for every layer, `S <- sigma_w^2 E[phi phi] + s^2`,
//! `T <- S + sigma_w^2 E[phi' phi'] T`: NNGP = S, NTK = T. A layer without bias has s = 0; with [`Bias::Hidden`] this is
//! the network of Yu, Tian, Chen 2025, (2.1).

use super::{Activation, Dense, Name, Network, Pairs, Sizes, Source, check_scale, times_derivative};
use crate::choice::choice;
use crate::{Backend, Error, MatMut, MatRef, Real};

choice! {
    /// Which layers have a trained bias.
    #[non_exhaustive]
    pub enum Bias {
        /// none
        None = "none",
        /// the first layer only
        Input = "input",
        /// every hidden layer, not the output
        ///
        /// Of a residual network: the first layer, and inside and after every branch.
        Hidden = "hidden",
        /// every layer, including the output
        All = "all",
    }
}

/// A fully connected network: sizes, activation, scales, biases.
///
/// ```
/// use ntkscope_core::network::{Bias, Fcn, Network};
/// let network = Fcn::new(3, &[8, 8], 2)?.with_bias(Bias::Input, 0.5)?;
/// assert_eq!(network.sizes().parameters, 8 * 3 + 8 + 8 * 8 + 2 * 8);
/// assert_eq!(network.layer(0).name.of_weights().to_string(), "W0");
/// assert!(Fcn::new(3, &[8, 0], 2).is_err());
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fcn<'a> {
    inputs: usize,
    widths: &'a [usize],
    outputs: usize,
    activation: Activation,
    bias: Bias,
    bias_scale: f64,
    input_variance: f64,
    weight_variance: f64,
}

impl<'a> Fcn<'a> {
    /// ReLU network without biases, `c_in = 1`, `sigma_w^2 = 2`.
    ///
    /// In a `const` an error stops the build.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where `inputs`, `outputs`, the number of widths or a width is 0, and where a buffer length of
    /// [`Sizes`] overflows.
    pub const fn new(inputs: usize, widths: &'a [usize], outputs: usize) -> Result<Self, Error> {
        if widths.is_empty() {
            return Err(Error::OutOfRange { what: "depth", needs: "at least 1 hidden layer", got: 0.0 });
        }
        let mut l = 0;
        while l < widths.len() {
            if widths[l] == 0 {
                return Err(Error::OutOfRange { what: "width", needs: "at least 1", got: 0.0 });
            }
            l += 1;
        }
        if inputs == 0 || outputs == 0 {
            return Err(Error::OutOfRange { what: "inputs and outputs", needs: "at least 1", got: 0.0 });
        }
        let network = Self {
            inputs,
            widths,
            outputs,
            activation: Activation::Relu,
            bias: Bias::None,
            bias_scale: 1.0,
            input_variance: 1.0,
            weight_variance: 2.0,
        };
        network.checked()
    }
    /// The network, unless a length overflows.
    const fn checked(self) -> Result<Self, Error> {
        match self.first_layers(self.widths.len() + 1) {
            Ok(_) => Ok(self),
            Err(e) => Err(e),
        }
    }
    /// The same network with this activation.
    pub const fn with_activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }
    /// The same network with these biases, each entering as `scale * b`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where the scale is not finite or negative, or where the parameters overflow.
    pub const fn with_bias(self, bias: Bias, scale: f64) -> Result<Self, Error> {
        match check_scale("scale of the bias", scale) {
            Ok(()) => Self { bias, bias_scale: scale, ..self }.checked(),
            Err(e) => Err(e),
        }
    }
    /// The same network with `c_in` and `sigma_w^2`; `c_in = sigma_w^2 / d` is Lee et al. 2019's choice.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where one of them is not finite or negative.
    pub const fn with_variances(self, input: f64, weight: f64) -> Result<Self, Error> {
        match (check_scale("variance at the input", input), check_scale("variance of the weights", weight)) {
            (Ok(()), Ok(())) => Ok(Self { input_variance: input, weight_variance: weight, ..self }),
            (Err(e), _) | (_, Err(e)) => Err(e),
        }
    }
    /// The hidden widths m_1..m_L.
    pub const fn widths(&self) -> &'a [usize] {
        self.widths
    }

    /// Numbers entering layer `l` of 0..=L.
    const fn fan_in(&self, l: usize) -> usize {
        if l == 0 { self.inputs } else { self.widths[l - 1] }
    }
    /// Numbers leaving layer `l` of 0..=L.
    const fn fan_out(&self, l: usize) -> usize {
        if l == self.widths.len() { self.outputs } else { self.widths[l] }
    }
    const fn has_bias(&self, l: usize) -> bool {
        match self.bias {
            Bias::None => false,
            Bias::Input => l == 0,
            Bias::Hidden => l < self.widths.len(),
            Bias::All => true,
        }
    }

    /// All buffer lengths.
    pub const fn sizes(&self) -> Sizes {
        self.before(self.widths.len() + 1)
    }

    /// The sizes of the first `layers` layers alone: the offsets at which layer `layers` begins.
    const fn before(&self, layers: usize) -> Sizes {
        match self.first_layers(layers) {
            Ok(sizes) => sizes,
            Err(_) => panic!("the constructors have added up all layers"),
        }
    }
    const fn first_layers(&self, layers: usize) -> Result<Sizes, Error> {
        let (mut sizes, mut l) = (Sizes::new(self.inputs, self.outputs), 0);
        while l < layers {
            // z and phi(z) of a hidden layer, z alone of the output
            let kept = if l < self.widths.len() { 2 } else { 1 };
            match sizes.with_layer(self.fan_in(l), self.fan_out(l), self.has_bias(l), kept) {
                Ok(more) if kept == 2 && self.activation.has_kink() => sizes = more.with_kinks(self.fan_out(l)),
                Ok(more) => sizes = more,
                Err(e) => return Err(e),
            }
            l += 1;
        }
        Ok(sizes)
    }
}

impl Network for Fcn<'_> {
    fn sizes(&self) -> Sizes {
        self.sizes()
    }

    fn layer(&self, index: usize) -> Dense {
        let at = self.before(index);
        let (inputs, outputs) = (self.fan_in(index), self.fan_out(index));
        let variance = if index == 0 { self.input_variance } else { self.weight_variance / inputs as f64 };
        Dense {
            inputs,
            outputs,
            weight_scale: libm::sqrt(variance),
            bias_scale: self.bias_scale,
            weights: at.parameters,
            bias: self.has_bias(index).then_some(at.parameters + inputs * outputs),
            source: match index {
                0 => Source::Samples,
                // phi(z) follows z of the layer before
                _ => Source::Activations(at.activations - inputs),
            },
            delta: at.deltas,
            name: Name::new("W", "b", Some(index)),
            trained: true,
            kinks: (index < self.widths.len() && self.activation.has_kink()).then_some(at.activations),
        }
    }

    fn forward<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        x: MatRef<'_, T>,
        activations: &mut [T],
    ) {
        let n = x.rows();
        for l in 0..=self.widths.len() {
            let layer = self.layer(l);
            let (before, rest) = activations.split_at_mut(n * self.before(l).activations);
            let a = match layer.source {
                Source::Samples => x,
                Source::Activations(at) => MatRef::dense(&before[n * at..], n, layer.inputs),
            };
            let (z, rest) = rest.split_at_mut(n * layer.outputs);
            layer.apply(backend, theta, a, T::ZERO, MatMut::dense(z, n, layer.outputs));
            if l < self.widths.len() {
                for (phi, z) in rest.iter_mut().zip(z.iter()) {
                    *phi = self.activation.phi(*z);
                }
            }
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
        let (rows, n) = (cotangent.rows(), activations.len() / self.sizes().activations);
        let last = self.before(self.widths.len()).deltas;
        for (i, row) in deltas[rows * last..].chunks_exact_mut(self.outputs).enumerate().take(rows) {
            row.copy_from_slice(cotangent.row(i));
        }
        for l in (1..=self.widths.len()).rev() {
            // D_{l-1} = c (D_l W_l) o phi'(z_l)
            let layer = self.layer(l);
            let (before, rest) = deltas.split_at_mut(rows * layer.delta);
            let d = MatRef::dense(&rest[..rows * layer.outputs], rows, layer.outputs);
            let w = layer.weights_in(theta);
            let below = &mut before[rows * (layer.delta - layer.inputs)..];
            let below_view = MatMut::dense(below, rows, layer.inputs);
            backend.gemm(T::from_f64(layer.weight_scale), d, w, T::ZERO, below_view);
            let z = &activations[n * self.before(l - 1).activations..][..n * layer.inputs];
            times_derivative(self.activation, MatRef::dense(z, n, layer.inputs), below);
        }
    }

    fn input_variances(&self) -> (f64, f64) {
        (self.input_variance, self.bias_variance(0))
    }

    fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        pairs.covariance(ntk);
        for l in 1..=self.widths.len() {
            let (a, beta) = (T::from_f64(self.weight_variance), T::from_f64(self.bias_variance(l)));
            self.activation.propagate(backend, pairs, a, beta);
            pairs.tangent(ntk);
        }
    }
}

impl Fcn<'_> {
    /// s^2 of layer `l`, 0 without bias.
    fn bias_variance(&self, l: usize) -> f64 {
        if self.has_bias(l) { self.bias_scale * self.bias_scale } else { 0.0 }
    }
}
