//! Residual networks in the NTK parametrization (Huang et al. 2020; Lai, Yu, Tian, Lin 2023), all entries
//! N(0,1), width m, L blocks:
//!
//! ```text
//! x_0 = sqrt(1/m) (A x + s b)
//! x_l = x_{l-1} + alpha sqrt(1/m) (V_l phi(z_l) + p d_l),   z_l = sqrt(2/m) (W_l x_{l-1} + p b_l),   l = 1..L
//! f = v x_L
//! ```
//!
//! with phi the ReLU unless another is given. Entries of x_l and z_l are of size m^-1/2 there, which under a phi that is not
//! homogeneous would leave of it its slope at 0; with such a phi they are sqrt(m) times as large,
//!
//! ```text
//! x_0 = A x + s b,   x_l = x_{l-1} + alpha (sqrt(1/m) V_l phi(z_l) + p d_l),   z_l = sqrt(2) (sqrt(1/m) W_l x_{l-1} + p b_l),
//! f = sqrt(1/m) v x_L
//! ```
//!
//! which is the same function where phi is homogeneous. The biases of the branches, b_l and d_l, are not drawn but start at 0 (Yu, Tian, Chen 2025, (2.2), has
//! them, with s = p = 1). Without biases s = 0 and p = 0. The kernels of
//! the limit are derived in `limit`.

mod limit;

use super::{Activation, Dense, Name, Network, Pairs, Sizes, Source, check_scale, times_derivative};
use crate::choice::choice;
use crate::{Backend, Error, MatMut, MatRef, Real};

choice! {
    /// Which parameters of a residual network are trained.
    #[non_exhaustive]
    pub enum Trained {
        /// all parameters
        All = "all",
        /// only the weights and biases of the residual branches
        ///
        /// V_l, W_l and, where there are any, b_l and d_l; A, b and v stay as they were drawn.
        Branches = "branches",
    }
}

/// A residual network: sizes, activation, branch scale, biases, what is trained.
///
/// With an input bias and branch biases of scale 1 it is (2.2) of Yu, Tian, Chen 2025.
///
/// ```
/// use ntkscope_core::network::{Network, ResNet};
/// let network = ResNet::new(3, 8, 2, 1, 0.5)?.with_input_bias(1.0)?;
/// assert_eq!(network.sizes().parameters, 8 * 3 + 8 + 2 * (8 * 8 + 8 * 8) + 8);
/// assert_eq!(network.layer(2).name.of_weights().to_string(), "V1");
/// let biased = network.with_branch_bias(1.0)?;
/// assert_eq!(biased.sizes().parameters, network.sizes().parameters + 2 * (8 + 8));
/// assert_eq!(biased.layer(2).name.of_bias().to_string(), "d1");
/// assert!(ResNet::new(3, 8, 2, 1, f64::NAN).is_err());
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResNet {
    inputs: usize,
    width: usize,
    depth: usize,
    outputs: usize,
    activation: Activation,
    alpha: f64,
    /// s, where there is a bias at the input
    input_bias: Option<f64>,
    /// p, where there are biases inside and after the branches
    branch_bias: Option<f64>,
    trained: Trained,
}

impl ResNet {
    /// `depth` blocks of ReLU of this width with branch scale `alpha`, without bias, all parameters trained.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where a size is 0, alpha is not a positive number, or a buffer length of [`Sizes`] overflows.
    pub const fn new(inputs: usize, width: usize, depth: usize, outputs: usize, alpha: f64) -> Result<Self, Error> {
        if depth == 0 {
            return Err(Error::OutOfRange { what: "depth", needs: "at least 1 residual block", got: 0.0 });
        }
        if width == 0 {
            return Err(Error::OutOfRange { what: "width", needs: "at least 1", got: 0.0 });
        }
        if inputs == 0 || outputs == 0 {
            return Err(Error::OutOfRange { what: "inputs and outputs", needs: "at least 1", got: 0.0 });
        }
        if !(alpha > 0.0 && alpha.is_finite()) {
            return Err(Error::OutOfRange { what: "alpha", needs: "finite and > 0", got: alpha });
        }
        let (activation, input_bias, branch_bias, trained) = (Activation::Relu, None, None, Trained::All);
        Self { inputs, width, depth, outputs, activation, alpha, input_bias, branch_bias, trained }.checked()
    }
    /// The network, unless a length overflows.
    const fn checked(self) -> Result<Self, Error> {
        match self.all_layers() {
            Ok(_) => Ok(self),
            Err(e) => Err(e),
        }
    }
    /// The same network with this activation in every block.
    pub const fn with_activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }
    /// The same network with a bias at the input that enters as `scale * b`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where the scale is not finite or negative, or where the parameters overflow.
    pub const fn with_input_bias(self, scale: f64) -> Result<Self, Error> {
        match check_scale("scale of the bias", scale) {
            Ok(()) => Self { input_bias: Some(scale), ..self }.checked(),
            Err(e) => Err(e),
        }
    }
    /// The same network with a bias inside every branch, beside W, and one after it, beside V, that enter as `scale * b` and
    /// start at 0.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where the scale is not finite or negative, or where the parameters overflow.
    pub const fn with_branch_bias(self, scale: f64) -> Result<Self, Error> {
        match check_scale("scale of the bias", scale) {
            Ok(()) => Self { branch_bias: Some(scale), ..self }.checked(),
            Err(e) => Err(e),
        }
    }
    /// The same network with these parameters trained.
    pub const fn with_trained(self, trained: Trained) -> Self {
        Self { trained, ..self }
    }

    /// All buffer lengths.
    pub const fn sizes(&self) -> Sizes {
        match self.all_layers() {
            Ok(sizes) => sizes,
            Err(_) => panic!("the constructors have added up all layers"),
        }
    }

    /// A; W_l and V_l of every block, of which z, phi(z) and x are kept; v. Error: a length overflows.
    const fn all_layers(&self) -> Result<Sizes, Error> {
        let (m, blocks, biased) = (self.width, self.depth, self.branch_bias.is_some());
        let mut sizes = Sizes::new(self.inputs, self.outputs).with_layer(self.inputs, m, self.input_bias.is_some(), 1);
        if let Ok(before) = sizes {
            sizes = before.with_layers(blocks, m, m, biased, 2);
        }
        if let Ok(before) = sizes {
            sizes = before.with_layers(blocks, m, m, biased, 1);
        }
        match sizes {
            // no more than the activations, whose number does not overflow
            Ok(before) => {
                let kinks = if self.activation.has_kink() { blocks * m } else { 0 };
                let series = if self.activation.has_series() { blocks } else { 0 };
                before.with_kinks(kinks).with_series(series).with_layer(m, self.outputs, false, 1)
            }
            Err(e) => Err(e),
        }
    }

    /// Parameters of A and b.
    const fn first_block(&self) -> usize {
        self.width * self.inputs + if self.input_bias.is_some() { self.width } else { 0 }
    }
    /// Parameters of one W_l and b_l, or of one V_l and d_l.
    const fn half_block(&self) -> usize {
        self.width * self.width + if self.branch_bias.is_some() { self.width } else { 0 }
    }
    /// Offset of x_l per sample among the activations, l = 0..=L; z_l and phi(z_l) lie before it.
    const fn x_at(&self, l: usize) -> usize {
        3 * l * self.width
    }
    /// Offset of df/dx_l per sample among the deltas; df/dz_l lies before it.
    const fn dx_at(&self, l: usize) -> usize {
        2 * l * self.width
    }
}

impl Network for ResNet {
    fn sizes(&self) -> Sizes {
        self.sizes()
    }

    /// A, b; W_1, b_1; V_1, d_1; W_2, b_2; V_2, d_2; …; v.
    fn layer(&self, index: usize) -> Dense {
        let (m, last) = (self.width, 2 * self.depth + 1);
        let block = index.div_ceil(2);
        let branches = self.trained == Trained::Branches;
        // what the entries of x and z are multiplied by, and f divided
        let unit = if self.activation.is_homogeneous() { 1.0 } else { libm::sqrt(m as f64) };
        // enters with the weight scale: sqrt(2/m) (W x + p b)
        let bias_scale = |weight_scale: f64, own: Option<f64>| unit * weight_scale * own.unwrap_or(0.0);
        let (inner, outer) = (libm::sqrt(2.0 / m as f64), self.alpha * libm::sqrt(1.0 / m as f64));
        let weights = self.first_block() + index.saturating_sub(1) * self.half_block();
        let hidden = Dense {
            inputs: m,
            outputs: m,
            weight_scale: inner,
            bias_scale: bias_scale(inner, self.branch_bias),
            weights,
            bias: self.branch_bias.map(|_| weights + m * m),
            source: Source::Activations(self.x_at(block.saturating_sub(1))),
            delta: self.dx_at(block).saturating_sub(m),
            name: Name::new("W", "b", Some(block)),
            weights_trained: true,
            bias_trained: true,
            // z_l and phi(z_l) lie before x_l
            kinks: self.activation.has_kink().then_some(self.x_at(block).saturating_sub(2 * m)),
        };
        if index == 0 {
            let scale = libm::sqrt(1.0 / m as f64);
            Dense {
                inputs: self.inputs,
                weight_scale: unit * scale,
                bias_scale: bias_scale(scale, self.input_bias),
                weights: 0,
                bias: self.input_bias.map(|_| m * self.inputs),
                source: Source::Samples,
                delta: 0,
                name: Name::new("A", "b", None),
                weights_trained: !branches,
                bias_trained: !branches,
                kinks: None,
                ..hidden
            }
        } else if index == last {
            Dense {
                outputs: self.outputs,
                weight_scale: 1.0 / unit,
                bias_scale: 0.0,
                bias: None,
                source: Source::Activations(self.x_at(self.depth)),
                delta: self.dx_at(self.depth) + m,
                name: Name::new("v", "b", None),
                weights_trained: !branches,
                bias_trained: !branches,
                kinks: None,
                ..hidden
            }
        } else if index % 2 == 1 {
            hidden
        } else {
            Dense {
                weight_scale: outer,
                bias_scale: bias_scale(outer, self.branch_bias),
                // phi(z_l) lies before x_l
                source: Source::Activations(self.x_at(block) - m),
                delta: self.dx_at(block),
                name: Name::new("V", "d", Some(block)),
                kinks: None,
                ..hidden
            }
        }
    }

    fn forward<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        x: MatRef<'_, T>,
        activations: &mut [T],
    ) {
        let (n, m) = (x.rows(), self.width);
        let x_0 = MatMut::dense(&mut activations[..n * m], n, m);
        self.layer(0).apply(backend, theta, x, T::ZERO, x_0);
        for l in 1..=self.depth {
            let (inner, branch) = (self.layer(2 * l - 1), self.layer(2 * l));
            let (before, rest) = activations.split_at_mut(n * (self.x_at(l) - 2 * m));
            let before = MatRef::dense(&before[n * self.x_at(l - 1)..], n, m);
            let (z, rest) = rest.split_at_mut(n * m);
            let (phi, rest) = rest.split_at_mut(n * m);
            let after = &mut rest[..n * m];
            inner.apply(backend, theta, before, T::ZERO, MatMut::dense(z, n, m));
            for (phi, z) in phi.iter_mut().zip(z.iter()) {
                *phi = self.activation.phi(*z);
            }
            after.copy_from_slice(before.data());
            branch.apply(backend, theta, MatRef::dense(phi, n, m), T::ONE, MatMut::dense(after, n, m));
        }
        let last = self.layer(2 * self.depth + 1);
        let (before, outputs) = activations.split_at_mut(n * (self.x_at(self.depth) + m));
        let x_last = MatRef::dense(&before[n * self.x_at(self.depth)..], n, m);
        last.apply(backend, theta, x_last, T::ZERO, MatMut::dense(outputs, n, self.outputs));
    }

    fn backward<T: Real, B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        activations: &[T],
        cotangent: MatRef<'_, T>,
        deltas: &mut [T],
    ) {
        let (rows, m, n) = (cotangent.rows(), self.width, activations.len() / self.sizes().activations);
        let product = |layer: &Dense, d: MatRef<'_, T>, beta: T, below: MatMut<'_, T>| {
            backend.gemm(T::from_f64(layer.weight_scale), d, layer.weights_in(theta), beta, below);
        };
        let last = self.layer(2 * self.depth + 1);
        let (below, outputs) = deltas.split_at_mut(rows * last.delta);
        for (i, row) in outputs.chunks_exact_mut(self.outputs).enumerate().take(rows) {
            row.copy_from_slice(cotangent.row(i));
        }
        let x_last = MatMut::dense(&mut below[rows * self.dx_at(self.depth)..], rows, m);
        product(&last, MatRef::dense(outputs, rows, self.outputs), T::ZERO, x_last);
        for l in (1..=self.depth).rev() {
            let (inner, branch) = (self.layer(2 * l - 1), self.layer(2 * l));
            let (before, dx) = deltas.split_at_mut(rows * self.dx_at(l));
            let (before, dz) = before.split_at_mut(rows * inner.delta);
            let dx = MatRef::dense(&dx[..rows * m], rows, m);
            // df/dz_l = alpha sqrt(1/m) (df/dx_l V_l) o phi'(z_l)
            product(&branch, dx, T::ZERO, MatMut::dense(dz, rows, m));
            let z = &activations[n * (self.x_at(l) - 2 * m)..][..n * m];
            times_derivative(self.activation, MatRef::dense(z, n, m), dz);
            // df/dx_{l-1} = df/dx_l + sqrt(2/m) df/dz_l W_l
            let before = &mut before[rows * self.dx_at(l - 1)..];
            before.copy_from_slice(dx.data());
            product(&inner, MatRef::dense(dz, rows, m), T::ONE, MatMut::dense(before, rows, m));
        }
    }

    /// N(0,1) but for the biases of the branches, which start at 0.
    fn initialize<T: Real>(&self, theta: &mut [T], normal: &mut dyn FnMut() -> f64) {
        let weights = self.width * self.width;
        let (first, rest) = theta.split_at_mut(self.first_block());
        let (blocks, last) = rest.split_at_mut(2 * self.depth * self.half_block());
        let mut draw = |theta: &mut [T]| theta.iter_mut().for_each(|x| *x = T::from_f64(normal()));
        draw(first);
        for layer in blocks.chunks_exact_mut(self.half_block()) {
            draw(&mut layer[..weights]);
            layer[weights..].fill(T::ZERO);
        }
        draw(last);
    }

    fn input_variances(&self) -> (f64, f64) {
        (1.0, self.input_bias.map_or(0.0, |s| s * s))
    }

    fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        self.limit(backend, pairs, ntk);
    }
}
