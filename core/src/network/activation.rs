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
//!
//! A pair alone would leave a vector unit idle, so one u is taken with many v at a time.

use crate::choice::choice;
use crate::{Backend, Real};

choice! {
    /// The nonlinearity of the hidden layers.
    #[non_exhaustive]
    pub enum Activation {
        /// max(z, 0)
        ///
        /// Its derivative at 0 is 0.
        Relu = "relu",
        /// error function
        Erf = "erf",
    }
}

/// Centred Gaussian pairs (u, v_j) of one u: variances and angles, and what a layer makes of them.
///
/// All slices have one element for every j.
#[derive(Debug)]
pub struct Pairs<'a, T> {
    /// E u^2
    pub q: T,
    /// E v^2
    pub q_other: &'a mut [T],
    /// sqrt(E u^2 E v^2), so that E uv = product (cos2 - sin2)
    pub product: &'a mut [T],
    /// sin^2 of half the angle
    pub sin2: &'a mut [T],
    /// cos^2 of half the angle
    pub cos2: &'a mut [T],
    /// behind a layer: a E[phi'(u) phi'(v)], by which it multiplies the tangent kernel
    pub derivative: &'a mut [T],
    /// working space; behind ReLU 1 - kappa1
    pub gap: &'a mut [T],
}

impl<T: Real> Pairs<'_, T> {
    /// E uv of every pair, to `out`.
    pub fn covariance(&self, out: &mut [T]) {
        for (out, (p, (s, c))) in out.iter_mut().zip(self.product.iter().zip(self.sin2.iter().zip(self.cos2.iter()))) {
            *out = *p * (*c - *s);
        }
    }
    /// `tangent <- E uv + derivative tangent`: the tangent kernel behind a dense layer.
    pub fn tangent(&self, tangent: &mut [T]) {
        let angles = self.product.iter().zip(self.sin2.iter().zip(self.cos2.iter()));
        for (t, (d, (p, (s, c)))) in tangent.iter_mut().zip(self.derivative.iter().zip(angles)) {
            *t = *p * (*c - *s) + *d * *t;
        }
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

    /// The pairs (u', v') behind a layer `u' = sum_j sqrt(a/m) w_j phi(u_j) + b`, `w ~ N(0,1)`,
    /// `b ~ N(0, beta)`: variance `a E[phi(u)^2] + beta`, covariance `a E[phi(u) phi(v)] + beta`;
    /// and `a E[phi'(u) phi'(v)]`, by which the layer multiplies the tangent kernel.
    pub fn propagate<T: Real, B: Backend<T> + ?Sized>(self, backend: &B, pairs: &mut Pairs<'_, T>, a: T, beta: T) {
        match self {
            Self::Relu => relu(backend, pairs, a / T::from_f64(2.0), beta),
            Self::Erf => erf(pairs, a, beta),
        }
    }
}

/// `half` is a/2. With p = sqrt(q), P = sqrt of the product of the new variances, no difference of large
/// numbers occurs: P - cov = half beta (p - p')^2 / (P + half p p' + beta) + half p p' (1 - kappa1).
fn relu<T: Real, B: Backend<T> + ?Sized>(backend: &B, pairs: &mut Pairs<'_, T>, half: T, beta: T) {
    backend.arc_cosine(pairs.sin2, pairs.cos2, pairs.derivative, pairs.gap);
    let len = pairs.product.len();
    // slices of one known length, so that no index needs a check
    let (q_other, product) = (&mut pairs.q_other[..len], &mut pairs.product[..len]);
    let (sin2, cos2, gap) = (&mut pairs.sin2[..len], &mut pairs.cos2[..len], &pairs.gap[..len]);
    pairs.derivative.iter_mut().for_each(|d| *d *= half);
    let before = pairs.q;
    let q = half * before + beta;
    pairs.q = q;
    if beta == T::ZERO {
        // P = half p p': the angle is that of kappa1 alone
        for j in 0..len {
            q_other[j] *= half;
            product[j] *= half;
            sin2[j] = T::from_f64(0.5) * gap[j];
            cos2[j] = T::ONE - sin2[j];
        }
        return;
    }
    // cos2 holds half p p', sin2 half beta (p - p')^2 = half beta (q - q')^2 / (p + p')^2
    for j in 0..len {
        let (p2, difference) = (product[j] + product[j], before - q_other[j]);
        let sum2 = before + q_other[j] + p2;
        sin2[j] = if sum2 > T::ZERO { half * beta * difference * (difference / sum2) } else { T::ZERO };
        cos2[j] = half * product[j];
        q_other[j] = half * q_other[j] + beta;
        product[j] = q * q_other[j];
    }
    backend.square_roots(product);
    for j in 0..len {
        let gap = sin2[j] / (product[j] + cos2[j] + beta) + cos2[j] * gap[j];
        sin2[j] = gap / (product[j] + product[j]);
        cos2[j] = T::ONE - sin2[j];
    }
}

fn erf<T: Real>(pairs: &mut Pairs<'_, T>, a: T, beta: T) {
    let (two, four) = (T::from_f64(2.0), T::from_f64(4.0));
    let two_over_pi = T::from_f64(core::f64::consts::FRAC_2_PI);
    let moment = |covariance: T, root: T| a * two_over_pi * (two * covariance).atan2(root) + beta;
    let variance = |q: T| moment(q, (T::ONE + four * q).sqrt());
    let q = variance(pairs.q);
    for j in 0..pairs.product.len() {
        let (sin2, cos2, q_other) = (pairs.sin2[j], pairs.cos2[j], variance(pairs.q_other[j]));
        // (1 + 2q)(1 + 2q') - 4 cov^2, with q q' - cov^2 = q q' sin^2 theta = 4 q q' sin2 cos2
        let determinant =
            T::ONE + two * (pairs.q + pairs.q_other[j]) + four * pairs.q * pairs.q_other[j] * (four * sin2 * cos2);
        let root = determinant.sqrt();
        let covariance = moment(pairs.product[j] * (cos2 - sin2), root);
        let product = (q * q_other).sqrt();
        let half = T::from_f64(0.5);
        // rounding may put the covariance of equal points above the variance by an ulp
        (pairs.sin2[j], pairs.cos2[j]) = if product > T::ZERO {
            let cosine = covariance / product;
            ((half * (T::ONE - cosine)).max(T::ZERO), (half * (T::ONE + cosine)).max(T::ZERO))
        } else {
            (half, half)
        };
        (pairs.q_other[j], pairs.product[j]) = (q_other, product);
        pairs.derivative[j] = a * two_over_pi * two / root;
    }
    pairs.q = q;
}
