//! Residual networks in the NTK parametrisation (Huang et al. 2020; Lai, Yu, Tian, Lin 2023), all entries
//! N(0,1), width m, L blocks:
//!
//! ```text
//! x_0 = sqrt(1/m) (A x + s b),   x_l = x_{l-1} + alpha sqrt(1/m) V_l phi(z_l),   z_l = sqrt(2/m) W_l x_{l-1},   f = v x_L
//! ```
//!
//! with phi the ReLU. In the limit, with K_l the covariance of x_l, G_l = sqrt(q_{l-1} q'_{l-1}) kappa1 and
//! the correlation of x_{l-1} in kappa0 and kappa1:
//!
//! ```text
//! K_0 = x.x' + s^2,   K_l = K_{l-1} + alpha^2 G_l,   q_l = (1 + alpha^2) q_{l-1}
//! T_l = T_{l-1} + alpha^2 kappa0 T_{l-1}  [earlier layers]  + alpha^2 G_l  [V_l]  + alpha^2 kappa0 K_{l-1}  [W_l]
//! ```
//!
//! NNGP = K_L; NTK = T_L + K_L [v] from T_0 = K_0 [A, b], or T_L from T_0 = 0 where only V and W are trained.

use super::{Activation, Dense, Name, Network, Pairs, Sizes, Source, add_bias, check_scale, times_derivative};
use crate::choice::choice;
use crate::{Backend, Error, MatMut, MatRef, Real};

choice! {
    /// Which parameters of a residual network are trained.
    #[non_exhaustive]
    pub enum Trained {
        /// all parameters
        All = "all",
        /// only V and W of the residual blocks
        ///
        /// A, b and v stay as they were drawn.
        Branches = "branches",
    }
}

/// A residual network of ReLU blocks: sizes, branch scale, bias, what is trained.
///
/// ```
/// use ntkscope_core::network::{Network, ResNet};
/// let network = ResNet::new(3, 8, 2, 1, 0.5)?.with_input_bias(1.0)?;
/// assert_eq!(network.sizes().parameters, 8 * 3 + 8 + 2 * (8 * 8 + 8 * 8) + 8);
/// assert_eq!(network.layer(2).name.of_weights().to_string(), "V1");
/// assert!(ResNet::new(3, 8, 2, 1, f64::NAN).is_err());
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResNet {
    inputs: usize,
    width: usize,
    depth: usize,
    outputs: usize,
    alpha: f64,
    /// s, where there is a bias
    bias_scale: Option<f64>,
    trained: Trained,
}

impl ResNet {
    /// `depth` blocks of this width with branch scale `alpha`, without bias, all parameters trained.
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
        let network = Self { inputs, width, depth, outputs, alpha, bias_scale: None, trained: Trained::All };
        match network.all_layers() {
            Ok(_) => Ok(network),
            Err(e) => Err(e),
        }
    }
    /// The same network with a bias at the input that enters as `scale * b`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where the scale is not finite or negative, or where the parameters overflow.
    pub const fn with_input_bias(self, scale: f64) -> Result<Self, Error> {
        let network = Self { bias_scale: Some(scale), ..self };
        match (check_scale("scale of the bias", scale), network.all_layers()) {
            (Ok(()), Ok(_)) => Ok(network),
            (Err(e), _) | (_, Err(e)) => Err(e),
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
        let (m, blocks) = (self.width, self.depth);
        let mut sizes = Sizes::new(self.inputs, self.outputs).with_layer(self.inputs, m, self.bias_scale.is_some(), 1);
        if let Ok(before) = sizes {
            sizes = before.with_layers(blocks, m, m, false, 2);
        }
        if let Ok(before) = sizes {
            sizes = before.with_layers(blocks, m, m, false, 1);
        }
        match sizes {
            // no more than the activations, whose number does not overflow
            Ok(before) => before.with_kinks(blocks * m).with_layer(m, self.outputs, false, 1),
            Err(e) => Err(e),
        }
    }

    /// Parameters of A and b.
    const fn first_block(&self) -> usize {
        self.width * self.inputs + if self.bias_scale.is_some() { self.width } else { 0 }
    }
    /// Offset of x_l per sample among the activations, l = 0..=L; z_l and phi(z_l) lie before it.
    const fn x_at(&self, l: usize) -> usize {
        3 * l * self.width
    }
    /// Offset of df/dx_l per sample among the deltas; df/dz_l lies before it.
    const fn dx_at(&self, l: usize) -> usize {
        2 * l * self.width
    }
    /// s^2, 0 without bias.
    fn bias_variance(&self) -> f64 {
        self.bias_scale.map_or(0.0, |s| s * s)
    }
}

impl Network for ResNet {
    fn sizes(&self) -> Sizes {
        self.sizes()
    }

    /// A; W_1, V_1, W_2, V_2, …; v.
    fn layer(&self, index: usize) -> Dense {
        let (m, last) = (self.width, 2 * self.depth + 1);
        let block = index.div_ceil(2);
        let name = |weights, index| Name::new(weights, "b", index);
        let branches = self.trained == Trained::Branches;
        let hidden = Dense {
            inputs: m,
            outputs: m,
            weight_scale: libm::sqrt(2.0 / m as f64),
            bias_scale: 0.0,
            weights: self.first_block() + index.saturating_sub(1) * m * m,
            bias: None,
            source: Source::Activations(self.x_at(block.saturating_sub(1))),
            delta: self.dx_at(block).saturating_sub(m),
            name: name("W", Some(block)),
            trained: true,
            // z_l and phi(z_l) lie before x_l
            kinks: Some(self.x_at(block).saturating_sub(2 * m)),
        };
        if index == 0 {
            let scale = libm::sqrt(1.0 / m as f64);
            Dense {
                inputs: self.inputs,
                weight_scale: scale,
                bias_scale: scale * self.bias_scale.unwrap_or(0.0),
                weights: 0,
                bias: self.bias_scale.map(|_| m * self.inputs),
                source: Source::Samples,
                delta: 0,
                name: name("A", None),
                trained: !branches,
                kinks: None,
                ..hidden
            }
        } else if index == last {
            Dense {
                outputs: self.outputs,
                weight_scale: 1.0,
                source: Source::Activations(self.x_at(self.depth)),
                delta: self.dx_at(self.depth) + m,
                name: name("v", None),
                trained: !branches,
                kinks: None,
                ..hidden
            }
        } else if index % 2 == 1 {
            hidden
        } else {
            Dense {
                weight_scale: self.alpha * libm::sqrt(1.0 / m as f64),
                // phi(z_l) lies before x_l
                source: Source::Activations(self.x_at(block) - m),
                delta: self.dx_at(block),
                name: name("V", Some(block)),
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
        let product = |layer: &Dense, a: MatRef<'_, T>, beta: T, z: MatMut<'_, T>| {
            backend.gemm(T::from_f64(layer.weight_scale), a, layer.weights_in(theta).t(), beta, z);
        };
        let first = self.layer(0);
        let mut x_0 = MatMut::dense(&mut activations[..n * m], n, m);
        product(&first, x, T::ZERO, x_0.reborrow());
        if let Some(at) = first.bias {
            add_bias(&mut x_0, T::from_f64(first.bias_scale), &theta[at..][..m]);
        }
        for l in 1..=self.depth {
            let (inner, branch) = (self.layer(2 * l - 1), self.layer(2 * l));
            let (before, rest) = activations.split_at_mut(n * (self.x_at(l) - 2 * m));
            let before = MatRef::dense(&before[n * self.x_at(l - 1)..], n, m);
            let (z, rest) = rest.split_at_mut(n * m);
            let (phi, rest) = rest.split_at_mut(n * m);
            let after = &mut rest[..n * m];
            product(&inner, before, T::ZERO, MatMut::dense(z, n, m));
            for (phi, z) in phi.iter_mut().zip(z.iter()) {
                *phi = Activation::Relu.phi(*z);
            }
            after.copy_from_slice(before.data());
            product(&branch, MatRef::dense(phi, n, m), T::ONE, MatMut::dense(after, n, m));
        }
        let last = self.layer(2 * self.depth + 1);
        let (before, outputs) = activations.split_at_mut(n * (self.x_at(self.depth) + m));
        let x_last = MatRef::dense(&before[n * self.x_at(self.depth)..], n, m);
        product(&last, x_last, T::ZERO, MatMut::dense(outputs, n, self.outputs));
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
            times_derivative(Activation::Relu, MatRef::dense(z, n, m), dz);
            // df/dx_{l-1} = df/dx_l + sqrt(2/m) df/dz_l W_l
            let before = &mut before[rows * self.dx_at(l - 1)..];
            before.copy_from_slice(dx.data());
            product(&inner, MatRef::dense(dz, rows, m), T::ONE, MatMut::dense(before, rows, m));
        }
    }

    fn input_variances(&self) -> (f64, f64) {
        (1.0, self.bias_variance())
    }

    fn analytic<T: Real, B: Backend<T> + ?Sized>(&self, backend: &B, pairs: &mut Pairs<'_, T>, ntk: &mut [T]) {
        let (a2, half) = (T::from_f64(self.alpha * self.alpha), T::from_f64(0.5));
        let growth = T::ONE + a2;
        if self.trained == Trained::All {
            pairs.covariance(ntk);
        } else {
            ntk.fill(T::ZERO);
        }
        for _ in 0..self.depth {
            backend.arc_cosine(pairs.sin2, pairs.cos2, pairs.derivative, pairs.work);
            // slices of one known length, so that no index needs a check
            let (len, product) = (ntk.len(), &mut pairs.product[..ntk.len()]);
            let (sin2, cos2) = (&mut pairs.sin2[..len], &mut pairs.cos2[..len]);
            let (derivative, gap) = (&pairs.derivative[..len], &pairs.work[..len]);
            for j in 0..len {
                let (kappa0, kappa1) = (derivative[j], T::ONE - gap[j]);
                ntk[j] += a2 * (kappa0 * (ntk[j] + product[j] * (cos2[j] - sin2[j])) + product[j] * kappa1);
                // cos' = (cos + alpha^2 kappa1)/(1 + alpha^2): 1 -+ cos' without differences of large numbers
                product[j] *= growth;
                sin2[j] = (sin2[j] + a2 * half * gap[j]) / growth;
                cos2[j] = (cos2[j] + a2 * half * (T::ONE + kappa1)) / growth;
            }
            pairs.q *= growth;
            pairs.q_other.iter_mut().for_each(|q| *q *= growth);
        }
        if self.trained == Trained::All {
            for (j, ntk) in ntk.iter_mut().enumerate() {
                *ntk += pairs.product[j] * (pairs.cos2[j] - pairs.sin2[j]);
            }
        }
    }
}
