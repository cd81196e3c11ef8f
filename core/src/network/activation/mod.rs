//! Activations phi, their derivatives, and what both become in the limit of infinite width:
//! `E[phi(u) phi(v)]` and `E[phi'(u) phi'(v)]` for a centred Gaussian pair (u, v).
//!
//! ReLU and all that is linear on either side of 0 go by angles (`piecewise`), erf, GELU and the sine have closed forms
//! (`closed`), the others a series in the correlation of u and v (`series`), and where that is too long a rule on the
//! plane (`plane`). Variances may be of any size that the scalar holds, those of the last group up to
//! [`Activation::MOST_VARIANCE`].

mod closed;
mod names;
mod piecewise;
mod plane;
mod series;
#[cfg(test)]
mod tests;

pub use names::UnknownActivation;
pub use series::{SERIES, Series};

use super::pairs::Pairs;
use crate::{Backend, Error, Real};

/// The nonlinearity of hidden layers.
///
/// Names of the variants are those of settings and files; `leaky-relu` may have its slope after a colon, as in
/// `leaky-relu:0.2`.
///
/// ```
/// use ntkscope_core::network::Activation;
///
/// assert_eq!((Activation::Relu.phi(-2.0), Activation::Relu.dphi(3.0)), (0.0, 1.0));
/// let (gelu, distribution) = (Activation::Gelu.phi(1.0f64), 0.841_344_746_068_542_9);
/// assert!((gelu - distribution).abs() < 1e-15);
/// assert_eq!("leaky-relu:0.25".parse::<Activation>()?.phi(-2.0), -0.5);
/// # Ok::<(), ntkscope_core::network::UnknownActivation>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Activation {
    /// max(z, 0); its derivative at 0 is 0
    Relu,
    /// z where z > 0, else the slope times z, which is also the derivative at 0
    LeakyRelu(Slope),
    /// erf(z)
    Erf,
    /// z Phi(z) with the normal distribution function Phi
    Gelu,
    /// tanh(z)
    Tanh,
    /// 1/(1 + e^-z)
    Sigmoid,
    /// z/(1 + e^-z)
    Silu,
    /// ln(1 + e^z)
    Softplus,
    /// sin(z)
    Sine,
    /// z
    Identity,
}

/// Slope of leaky ReLU below 0: a finite number.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Slope(f64);

// a slope is never NaN
impl Eq for Slope {}

impl Slope {
    /// The usual one.
    pub const USUAL: Self = Self(0.01);
    /// This one.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where it is not finite.
    pub const fn new(slope: f64) -> Result<Self, Error> {
        if slope.is_finite() {
            Ok(Self(slope))
        } else {
            Err(Error::OutOfRange { what: "slope of leaky ReLU", needs: "a finite number", got: slope })
        }
    }
    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Activation {
    /// Largest variance of a pre-activation whose expectations are had where there is no closed form.
    pub const MOST_VARIANCE: f64 = 1e4;

    /// phi(z)
    pub fn phi<T: Real>(self, z: T) -> T {
        match self {
            Self::Relu => {
                if z > T::ZERO {
                    z
                } else {
                    T::ZERO
                }
            }
            Self::LeakyRelu(slope) => {
                if z > T::ZERO {
                    z
                } else {
                    T::from_f64(slope.0) * z
                }
            }
            Self::Erf => z.erf(),
            Self::Gelu => z * closed::normal_distribution(z),
            Self::Tanh => tanh(z),
            Self::Sigmoid => sigmoid(z),
            Self::Silu => z * sigmoid(z),
            Self::Softplus => z.max(T::ZERO) + (-z.abs()).exp().ln_1p(),
            Self::Sine => z.sin(),
            Self::Identity => z,
        }
    }

    /// phi'(z); at a kink that of negative z
    pub fn dphi<T: Real>(self, z: T) -> T {
        match self {
            Self::Relu => {
                if z > T::ZERO {
                    T::ONE
                } else {
                    T::ZERO
                }
            }
            Self::LeakyRelu(slope) => {
                if z > T::ZERO {
                    T::ONE
                } else {
                    T::from_f64(slope.0)
                }
            }
            Self::Erf => T::from_f64(core::f64::consts::FRAC_2_SQRT_PI) * (-(z * z)).exp(),
            Self::Gelu => closed::normal_distribution(z) + z * closed::normal_density(z),
            // 1 - tanh^2 without the difference
            Self::Tanh => T::from_f64(4.0) * (sigmoid(z + z) * sigmoid(-(z + z))),
            Self::Sigmoid => sigmoid(z) * sigmoid(-z),
            Self::Silu => sigmoid(z) * (T::ONE + z * sigmoid(-z)),
            Self::Softplus => sigmoid(z),
            Self::Sine => z.cos(),
            Self::Identity => T::ONE,
        }
    }

    /// Whether phi' jumps at z = 0.
    pub const fn has_kink(self) -> bool {
        match self {
            Self::Relu => true,
            Self::LeakyRelu(slope) => slope.0 != 1.0,
            _ => false,
        }
    }

    /// Whether phi(a z) = a phi(z) for every a > 0, so that a scale may stand before or after it.
    pub const fn is_homogeneous(self) -> bool {
        matches!(self, Self::Relu | Self::LeakyRelu(_) | Self::Identity)
    }

    /// Whether its expectations are a series in the correlation, of which every sample has [`SERIES`] numbers a layer.
    pub const fn has_series(self) -> bool {
        self.pole().is_some()
    }

    /// Where the expectations have no closed form: distance of the singularity of phi that is nearest to the real line.
    const fn pole(self) -> Option<f64> {
        match self {
            Self::Tanh => Some(core::f64::consts::FRAC_PI_2),
            Self::Sigmoid | Self::Silu | Self::Softplus => Some(core::f64::consts::PI),
            _ => None,
        }
    }

    /// The pairs (u', v') after a layer `u' = sum_j sqrt(a/m) w_j phi(u_j) + b`, `w ~ N(0,1)`,
    /// `b ~ N(0, beta)`: variance `a E[phi(u)^2] + beta`, covariance `a E[phi(u) phi(v)] + beta`;
    /// and `a E[phi'(u) phi'(v)]`, by which the layer multiplies the tangent kernel.
    ///
    /// Angles after a smooth activation are known to about the root of the scalar's epsilon where samples are nearly
    /// parallel, which is enough for every smooth layer after it.
    pub fn propagate<T: Real, B: Backend<T> + ?Sized>(self, backend: &B, pairs: &mut Pairs<'_, T>, a: T, beta: T) {
        match self {
            Self::Relu => piecewise::propagate(backend, pairs, 0.0, a, beta),
            Self::LeakyRelu(slope) => piecewise::propagate(backend, pairs, slope.0, a, beta),
            Self::Identity => piecewise::propagate(backend, pairs, 1.0, a, beta),
            Self::Erf => closed::each(pairs, beta, |pair| closed::erf(pair, a)),
            Self::Gelu => closed::each(pairs, beta, |pair| closed::gelu(pair, a)),
            Self::Sine => closed::each(pairs, beta, |pair| closed::sine(pair, a)),
            Self::Tanh | Self::Sigmoid | Self::Silu | Self::Softplus => series::propagate(self, pairs, a, beta),
        }
    }
}

/// By e^(-2|z|) - 1, which neither overflows nor cancels.
fn tanh<T: Real>(z: T) -> T {
    let excess = (-(z.abs() + z.abs())).exp_m1();
    let size = -excess / (T::from_f64(2.0) + excess);
    if z < T::ZERO { -size } else { size }
}

/// By e^-|z|, which does not overflow.
fn sigmoid<T: Real>(z: T) -> T {
    let small = (-z.abs()).exp();
    if z < T::ZERO { small / (T::ONE + small) } else { T::ONE / (T::ONE + small) }
}
