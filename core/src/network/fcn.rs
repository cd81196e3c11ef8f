//! Fully connected networks (science: Jacot et al. 2018; Sohl-Dickstein et al. 2020 for the parametrizations):
//!
//! ```text
//! z_1 = c_0 W_0 x + s_0 b_0,   z_{l+1} = c_l W_l phi_l(z_l) + s_l b_l,   f = z_{L+1}
//! ```
//!
//! for L hidden layers of widths m_1..m_L. [`Fcn::new`] has all of one kind, in the NTK parametrization: entries N(0,1),
//! `c_0 = sqrt(c_in)`, `c_l = sqrt(sigma_w^2 / m_l)`, one s and one phi. The defaults are those of Li, Yu, Chen, Lin 2023 and Chen, Li,
//! Lin 2024: `c_in = 1` (no 1/sqrt(d) at the input), `sigma_w^2 = 2`. [`Fcn::of_layers`] has whatever each [`Layer`] says.
//!
//! With `v = c^2 n Var W` and `beta = s^2 Var b` of a layer of n inputs, the analytic kernels follow from
//!
//! ```text
//! S_0 = c_0^2 Var W_0 x.x' + beta_0,   T_0 = c_0^2 x.x' + s_0^2
//! S <- v E[phi phi] + beta,            T <- c^2 n E[phi phi] + s^2 + v E[phi' phi'] T
//! ```
//!
//! NNGP = S, NTK = T; what is not trained has no part in T, a layer without bias no beta and no s. With [`Bias::Hidden`] this is
//! the network of Yu, Tian, Chen 2025, (2.1).

mod alike;

use super::{
    Activation, Dense, Layer, Name, Network, Pairs, Parametrization, Sizes, Source, check_scale, times_derivative,
};
use crate::choice::choice;
use crate::{Backend, Error, MatMut, MatRef, Real};
use alike::{AT_THE_INPUT, Activations, Alike, OF_THE_WEIGHTS};

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

/// A fully connected network: sizes, activations, scales, biases.
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
    layers: Layers<'a>,
}

/// The layers, each by itself or all by a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layers<'a> {
    Alike(Alike<'a>),
    Each(&'a [Layer]),
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
        let alike = Alike {
            widths,
            outputs,
            activations: Activations::Same(Activation::Relu),
            bias: Bias::None,
            bias_scale: 1.0,
            input_variance: 1.0,
            weight_variance: 2.0,
            parametrization: Parametrization::Ntk,
        };
        Self { inputs, layers: Layers::Alike(alike) }.checked()
    }
    /// The network of these layers, the last of which is the output; one layer alone is a linear model.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where there is no layer, a width or `inputs` is 0, a scale is negative or not finite, a
    /// deviation of weights is not positive, and where a buffer length of [`Sizes`] overflows.
    pub const fn of_layers(inputs: usize, layers: &'a [Layer]) -> Result<Self, Error> {
        if layers.is_empty() {
            return Err(Error::OutOfRange { what: "depth", needs: "at least 1 layer", got: 0.0 });
        }
        if inputs == 0 {
            return Err(Error::OutOfRange { what: "inputs and outputs", needs: "at least 1", got: 0.0 });
        }
        let mut l = 0;
        while l < layers.len() {
            if let Err(e) = layers[l].check() {
                return Err(e);
            }
            l += 1;
        }
        Self { inputs, layers: Layers::Each(layers) }.checked()
    }
    /// The network, unless a length overflows or the entries of an array have no variance.
    const fn checked(self) -> Result<Self, Error> {
        let entries = match self.layers {
            Layers::Alike(alike) => alike.check(),
            // each has been checked by itself
            Layers::Each(_) => Ok(()),
        };
        match (self.first_layers(self.hidden() + 1), entries) {
            (Ok(_), Ok(())) => Ok(self),
            (Err(e), _) | (_, Err(e)) => Err(e),
        }
    }
    /// The same with other rules; layers that are given one by one have none.
    const fn with(self, alike: Alike<'a>) -> Self {
        Self { layers: Layers::Alike(alike), ..self }
    }
    /// The same network with this activation after every hidden layer; of no effect on [`Fcn::of_layers`], as all that follows.
    pub const fn with_activation(self, activation: Activation) -> Self {
        match self.layers {
            Layers::Alike(alike) => self.with(Alike { activations: Activations::Same(activation), ..alike }),
            Layers::Each(_) => self,
        }
    }
    /// The same network with these activations, one after every hidden layer.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are more or fewer of them.
    pub const fn with_activations(self, activations: &'a [Activation]) -> Result<Self, Error> {
        match self.layers {
            Layers::Alike(alike) if alike.widths.len() != activations.len() => {
                Err(Error::Shape { what: "activations", need: alike.widths.len(), got: activations.len() })
            }
            Layers::Alike(alike) => Ok(self.with(Alike { activations: Activations::Each(activations), ..alike })),
            Layers::Each(_) => Ok(self),
        }
    }
    /// The same network with these biases, each entering as `scale * b`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where the scale is not finite or negative, or where the parameters overflow.
    pub const fn with_bias(self, bias: Bias, scale: f64) -> Result<Self, Error> {
        match (check_scale("scale of the bias", scale), self.layers) {
            (Ok(()), Layers::Alike(alike)) => self.with(Alike { bias, bias_scale: scale, ..alike }).checked(),
            (Ok(()), Layers::Each(_)) => Ok(self),
            (Err(e), _) => Err(e),
        }
    }
    /// The same network with `c_in` and `sigma_w^2`; `c_in = sigma_w^2 / d` is Lee et al. 2019's choice.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where one of them is not finite or negative, or is 0 and that of entries, as in every parametrization but
    /// the NTK one: the kernel of what begins at 0 does not follow from its variance.
    pub const fn with_variances(self, input: f64, weight: f64) -> Result<Self, Error> {
        match (check_scale(AT_THE_INPUT, input), check_scale(OF_THE_WEIGHTS, weight)) {
            (Ok(()), Ok(())) => match self.layers {
                Layers::Alike(alike) => {
                    self.with(Alike { input_variance: input, weight_variance: weight, ..alike }).checked()
                }
                Layers::Each(_) => Ok(self),
            },
            (Err(e), _) | (_, Err(e)) => Err(e),
        }
    }
    /// The same network in another parametrization.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where mean field is asked for with more than one hidden layer, and as of [`Self::with_variances`].
    pub const fn with_parametrization(self, parametrization: Parametrization) -> Result<Self, Error> {
        match self.layers {
            Layers::Alike(alike)
                if matches!(parametrization, Parametrization::MeanField) && alike.widths.len() != 1 =>
            {
                Err(Error::OutOfRange {
                    what: "depth in the mean-field parametrization",
                    needs: "1 hidden layer; mup is the one for more",
                    got: alike.widths.len() as f64,
                })
            }
            Layers::Alike(alike) => self.with(Alike { parametrization, ..alike }).checked(),
            Layers::Each(_) => Ok(self),
        }
    }

    /// L, the number of hidden layers.
    const fn hidden(&self) -> usize {
        match self.layers {
            Layers::Alike(alike) => alike.widths.len(),
            Layers::Each(layers) => layers.len() - 1,
        }
    }
    /// Numbers leaving layer `l` of 0..=L.
    const fn fan_out(&self, l: usize) -> usize {
        match self.layers {
            Layers::Alike(alike) => alike.width(l),
            Layers::Each(layers) => layers[l].width,
        }
    }
    /// Numbers entering layer `l` of 0..=L.
    const fn fan_in(&self, l: usize) -> usize {
        if l == 0 { self.inputs } else { self.fan_out(l - 1) }
    }
    const fn has_bias(&self, l: usize) -> bool {
        match self.layers {
            Layers::Alike(alike) => alike.has_bias(l),
            Layers::Each(layers) => layers[l].bias_scale.is_some(),
        }
    }
    /// phi after layer `l` of 0..L.
    const fn activation(&self, l: usize) -> Activation {
        match self.layers {
            Layers::Alike(alike) => alike.activation(l),
            Layers::Each(layers) => layers[l].activation,
        }
    }
    /// What layer `l` of 0..=L is, so that [`Fcn::of_layers`] of all of them is this network.
    ///
    /// # Panics
    /// Where there is no such layer.
    pub fn described(&self, l: usize) -> Layer {
        match self.layers {
            Layers::Alike(alike) => alike.layer(l),
            Layers::Each(layers) => layers[l],
        }
    }
    /// v and beta of layer `l`; of the first v is per input.
    fn variances(&self, l: usize) -> (f64, f64) {
        let layer = self.described(l);
        let squared = |scale: f64, deviation: f64| scale * scale * (deviation * deviation);
        let beta = layer.bias_scale.map_or(0.0, |s| squared(s, layer.bias_deviation));
        match self.layers {
            // as it was given, not by way of its root
            Layers::Alike(alike) => (alike.variance(l), beta),
            Layers::Each(_) => {
                let fan_in = if l == 0 { 1.0 } else { self.fan_in(l) as f64 };
                (fan_in * squared(layer.weight_scale, layer.weight_deviation), beta)
            }
        }
    }

    /// All buffer lengths.
    pub const fn sizes(&self) -> Sizes {
        self.before(self.hidden() + 1)
    }

    /// The sizes of the first `layers` layers alone: the offsets at which layer `layers` begins.
    const fn before(&self, layers: usize) -> Sizes {
        match self.first_layers(layers) {
            Ok(sizes) => sizes,
            Err(_) => panic!("the constructors have added up all layers"),
        }
    }
    const fn first_layers(&self, layers: usize) -> Result<Sizes, Error> {
        let (mut sizes, mut l) = (Sizes::new(self.inputs, self.fan_out(self.hidden())), 0);
        while l < layers {
            let hidden = l < self.hidden();
            // z and phi(z) of a hidden layer, z alone of the output
            let kept = if hidden { 2 } else { 1 };
            sizes = match sizes.with_layer(self.fan_in(l), self.fan_out(l), self.has_bias(l), kept) {
                Ok(more) if hidden && self.activation(l).has_kink() => more.with_kinks(self.fan_out(l)),
                Ok(more) if hidden && self.activation(l).has_series() => more.with_series(1),
                Ok(more) => more,
                Err(e) => return Err(e),
            };
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
        let layer = self.described(index);
        Dense {
            inputs,
            outputs,
            weight_scale: layer.weight_scale,
            bias_scale: layer.bias_scale.unwrap_or(0.0),
            weights: at.parameters,
            bias: layer.bias_scale.map(|_| at.parameters + inputs * outputs),
            source: match index {
                0 => Source::Samples,
                // phi(z) follows z of the layer before
                _ => Source::Activations(at.activations - inputs),
            },
            delta: at.deltas,
            name: Name::new("W", "b", Some(index)),
            weights_trained: layer.weights_trained,
            bias_trained: layer.bias_trained,
            kinks: (index < self.hidden() && layer.activation.has_kink()).then_some(at.activations),
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
        for l in 0..=self.hidden() {
            let layer = self.layer(l);
            let (before, rest) = activations.split_at_mut(n * self.before(l).activations);
            let a = match layer.source {
                Source::Samples => x,
                Source::Activations(at) => MatRef::dense(&before[n * at..], n, layer.inputs),
            };
            let (z, rest) = rest.split_at_mut(n * layer.outputs);
            layer.apply(backend, theta, a, T::ZERO, MatMut::dense(z, n, layer.outputs));
            if l < self.hidden() {
                let activation = self.activation(l);
                for (phi, z) in rest.iter_mut().zip(z.iter()) {
                    *phi = activation.phi(*z);
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
        let last = self.before(self.hidden()).deltas;
        for (i, row) in deltas[rows * last..].chunks_exact_mut(self.fan_out(self.hidden())).enumerate().take(rows) {
            row.copy_from_slice(cotangent.row(i));
        }
        for l in (1..=self.hidden()).rev() {
            // D_{l-1} = c (D_l W_l) o phi'(z_l)
            let layer = self.layer(l);
            let (before, rest) = deltas.split_at_mut(rows * layer.delta);
            let d = MatRef::dense(&rest[..rows * layer.outputs], rows, layer.outputs);
            let w = layer.weights_in(theta);
            let below = &mut before[rows * (layer.delta - layer.inputs)..];
            let below_view = MatMut::dense(below, rows, layer.inputs);
            backend.gemm(T::from_f64(layer.weight_scale), d, w, T::ZERO, below_view);
            let z = &activations[n * self.before(l - 1).activations..][..n * layer.inputs];
            times_derivative(self.activation(l - 1), MatRef::dense(z, n, layer.inputs), below);
        }
    }

    fn initialize<T: Real>(&self, theta: &mut [T], normal: &mut dyn FnMut() -> f64) {
        let mut rest = theta;
        let mut draw = |count: usize, deviation: f64| {
            let (own, after) = core::mem::take(&mut rest).split_at_mut(count);
            rest = after;
            match deviation {
                0.0 => own.fill(T::ZERO),
                _ => own.iter_mut().for_each(|x| *x = T::from_f64(deviation * normal())),
            }
        };
        for l in 0..=self.hidden() {
            let layer = self.described(l);
            draw(layer.width * self.fan_in(l), layer.weight_deviation);
            if layer.bias_scale.is_some() {
                draw(layer.width, layer.bias_deviation);
            }
        }
    }

    fn input_variances(&self) -> (f64, f64) {
        self.variances(0)
    }

    fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        // after what is not trained there is no derivative to begin with
        ntk.fill(T::ZERO);
        for l in 0..=self.hidden() {
            let (layer, (variance, beta)) = (self.described(l), self.variances(l));
            if l == 0 {
                pairs.derivative.fill(T::ZERO);
            } else {
                self.activation(l - 1).propagate(backend, pairs, T::from_f64(variance), T::from_f64(beta));
            }
            // c^2 n E + s^2 from v E + beta
            let ratio =
                if layer.weights_trained { 1.0 / (layer.weight_deviation * layer.weight_deviation) } else { 0.0 };
            let own = layer.bias_scale.filter(|_| layer.bias_trained).map_or(0.0, |s| s * s);
            let shift = own - ratio * beta;
            if ratio == 1.0 && shift == 0.0 {
                pairs.tangent(ntk);
            } else {
                pairs.scaled_tangent(T::from_f64(ratio), T::from_f64(shift), ntk);
            }
        }
    }
}
