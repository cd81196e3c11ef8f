//! Activations phi, their derivatives, and what both become in the limit of infinite width:
//! `E[phi(u) phi(v)]` and `E[phi'(u) phi'(v)]` for a centred Gaussian pair (u, v).
//!
//! ReLU: Cho and Saul 2009; with theta the angle between u and v as vectors of L2,
//!
//! ```text
//! kappa0 = (pi - theta)/pi = 2 E[1{u>0} 1{v>0}]         for unit variances
//! kappa1 = (sin theta + (pi - theta) cos theta)/pi = 2 E[relu(u) relu(v)]
//! ```
//!
//! erf: Williams 1998. The angle is carried as the pair (sin^2, cos^2) of its half, each with its own
//! relative accuracy, because `arccos` of a rounded cosine loses half the digits near 0 and pi.

use crate::Real;

/// The nonlinearity of the hidden layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Activation {
    /// max(z, 0), with derivative 0 at 0
    Relu,
    /// erf(z)
    Erf,
}

/// Variances and angle of a centred Gaussian pair (u, v): `q = E u^2`, `q_other = E v^2`,
/// `E uv = sqrt(q q_other) (cos2 - sin2)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation<T> {
    /// E u^2
    pub q: T,
    /// E v^2
    pub q_other: T,
    /// sin^2 of half the angle
    pub sin2: T,
    /// cos^2 of half the angle
    pub cos2: T,
}

impl<T: Real> Correlation<T> {
    /// E uv
    pub fn covariance(&self) -> T {
        (self.q * self.q_other).sqrt() * (self.cos2 - self.sin2)
    }
    /// kappa0 = (pi - theta)/pi
    pub fn kappa0(&self) -> T {
        T::from_f64(2.0 / core::f64::consts::PI) * self.cos2.sqrt().atan2(self.sin2.sqrt())
    }
    /// 1 - kappa1 = 2 sin^2(theta/2) - (sin theta - theta cos theta)/pi; exactly 0 for theta = 0, never negative
    pub fn one_minus_kappa1(&self) -> T {
        // The bracket is theta^3/3, but its rounding is of the order of theta (and with Approx32 so large that it
        // decides for samples a few units in the last place apart): a result below 0 would be no angle.
        let two = T::from_f64(2.0);
        let theta = two * self.sin2.sqrt().atan2(self.cos2.sqrt());
        let sine = two * (self.sin2 * self.cos2).sqrt();
        let bracket = sine - theta * (self.cos2 - self.sin2);
        (two * self.sin2 - bracket / T::from_f64(core::f64::consts::PI)).max(T::ZERO)
    }
}

impl Activation {
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
            Self::Erf => z.erf(),
        }
    }

    /// phi'(z); 0 at the kink of ReLU
    pub fn dphi<T: Real>(self, z: T) -> T {
        match self {
            Self::Relu => {
                if z > T::ZERO {
                    T::ONE
                } else {
                    T::ZERO
                }
            }
            Self::Erf => T::from_f64(core::f64::consts::FRAC_2_SQRT_PI) * (-(z * z)).exp(),
        }
    }

    /// The pair (u', v') behind a layer `u' = sum_j sqrt(a/m) w_j phi(u_j) + b`, `w ~ N(0,1)`,
    /// `b ~ N(0, beta)`: variance `a E[phi(u)^2] + beta`, covariance `a E[phi(u) phi(v)] + beta`;
    /// and `a E[phi'(u) phi'(v)]`, by which the layer multiplies the tangent kernel.
    pub fn propagate<T: Real>(self, pair: Correlation<T>, a: T, beta: T) -> (Correlation<T>, T) {
        match self {
            Self::Relu => relu(pair, a / T::from_f64(2.0), beta),
            Self::Erf => erf(pair, a, beta),
        }
    }
}

/// `half` is a/2. With p = sqrt(q), P = sqrt of the product of the new variances, no difference of large
/// numbers occurs: P - cov = half beta (p - p')^2 / (P + half p p' + beta) + half p p' (1 - kappa1).
fn relu<T: Real>(pair: Correlation<T>, half: T, beta: T) -> (Correlation<T>, T) {
    let (q, q_other) = (half * pair.q + beta, half * pair.q_other + beta);
    let product = (q * q_other).sqrt();
    let scaled = half * (pair.q * pair.q_other).sqrt();
    let difference = pair.q.sqrt() - pair.q_other.sqrt();
    let gap = half * beta * difference * difference / (product + scaled + beta) + scaled * pair.one_minus_kappa1();
    let sin2 = if product > T::ZERO { gap / (product + product) } else { T::from_f64(0.5) };
    (Correlation { q, q_other, sin2, cos2: T::ONE - sin2 }, half * pair.kappa0())
}

fn erf<T: Real>(pair: Correlation<T>, a: T, beta: T) -> (Correlation<T>, T) {
    let (two, four) = (T::from_f64(2.0), T::from_f64(4.0));
    let two_over_pi = T::from_f64(core::f64::consts::FRAC_2_PI);
    let moment = |covariance: T, root: T| a * two_over_pi * (two * covariance).atan2(root) + beta;
    let variance = |q: T| moment(q, (T::ONE + four * q).sqrt());
    let (q, q_other) = (variance(pair.q), variance(pair.q_other));
    // (1 + 2q)(1 + 2q') - 4 cov^2, with q q' - cov^2 = q q' sin^2 theta = 4 q q' sin2 cos2
    let sine_squared = four * pair.sin2 * pair.cos2;
    let determinant = T::ONE + two * (pair.q + pair.q_other) + four * pair.q * pair.q_other * sine_squared;
    let root = determinant.sqrt();
    let covariance = moment(pair.covariance(), root);
    let product = (q * q_other).sqrt();
    let half = T::from_f64(0.5);
    // rounding may put the covariance of equal points above the variance by an ulp
    let (sin2, cos2) = if product > T::ZERO {
        let cosine = covariance / product;
        ((half * (T::ONE - cosine)).max(T::ZERO), (half * (T::ONE + cosine)).max(T::ZERO))
    } else {
        (half, half)
    };
    (Correlation { q, q_other, sin2, cos2 }, a * two_over_pi * two / root)
}
