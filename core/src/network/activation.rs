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
//! erf: Williams 1998; GELU by the same integrals. Variances may be of any size that the scalar holds: nothing of a
//! degree above theirs is formed.

use super::pairs::{Pairs, geometric_mean};
use crate::choice::choice;
use crate::{Backend, Real};

choice! {
    /// The nonlinearity of the hidden layers.
    ///
    /// ```
    /// use ntkscope_core::network::Activation;
    ///
    /// assert_eq!((Activation::Relu.phi(-2.0), Activation::Relu.dphi(3.0)), (0.0, 1.0));
    /// let (gelu, distribution) = (Activation::Gelu.phi(1.0f64), 0.841_344_746_068_542_9);
    /// assert!((gelu - distribution).abs() < 1e-15);
    /// ```
    #[non_exhaustive]
    pub enum Activation {
        /// max(z, 0)
        ///
        /// Its derivative at 0 is 0.
        Relu = "relu",
        /// error function
        Erf = "erf",
        /// GELU: z times the normal distribution function
        Gelu = "gelu",
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
            Self::Gelu => z * normal_distribution(z),
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
            Self::Gelu => normal_distribution(z) + z * normal_density(z),
        }
    }

    /// Whether phi' jumps at z = 0.
    pub const fn has_kink(self) -> bool {
        match self {
            Self::Relu => true,
            Self::Erf | Self::Gelu => false,
        }
    }

    /// The pairs (u', v') after a layer `u' = sum_j sqrt(a/m) w_j phi(u_j) + b`, `w ~ N(0,1)`,
    /// `b ~ N(0, beta)`: variance `a E[phi(u)^2] + beta`, covariance `a E[phi(u) phi(v)] + beta`;
    /// and `a E[phi'(u) phi'(v)]`, by which the layer multiplies the tangent kernel.
    pub fn propagate<T: Real, B: Backend<T> + ?Sized>(self, backend: &B, pairs: &mut Pairs<'_, T>, a: T, beta: T) {
        match self {
            Self::Relu => relu(backend, pairs, a / T::from_f64(2.0), beta),
            Self::Erf => each(pairs, beta, |pair| erf(pair, a)),
            Self::Gelu => each(pairs, beta, |pair| gelu(pair, a)),
        }
    }
}

/// `half` is a/2. With p = sqrt(q), P = sqrt of the product of the new variances, no difference of large
/// numbers occurs: P - cov = half (p - p')^2 beta / (P + half p p' + beta) + half p p' (1 - kappa1).
///
/// ReLU alone goes through [`Backend::arc_cosine`], a polynomial in the half-angle ([`crate::angle`]): its kernels are
/// the ones of millions of pairs, and a transcendental function a pair would be most of their cost.
fn relu<T: Real, B: Backend<T> + ?Sized>(backend: &B, pairs: &mut Pairs<'_, T>, half: T, beta: T) {
    let len = pairs.product.len();
    // slices of one known length, so that no index needs a check
    let (q_other, product) = (&mut pairs.q_other[..len], &mut pairs.product[..len]);
    let (sin2, cos2) = (&mut pairs.sin2[..len], &mut pairs.cos2[..len]);
    // a E[phi' phi'] = (a/2) kappa0
    let (kappa0, one_less_kappa1) = (&mut *pairs.derivative, &mut pairs.work[..len]);
    backend.arc_cosine(sin2, cos2, kappa0, one_less_kappa1);
    kappa0.iter_mut().for_each(|d| *d *= half);
    let before = pairs.q;
    let q = half * before + beta;
    pairs.q = q;
    if beta == T::ZERO {
        // P = half p p': the angle is that of kappa1 alone
        for j in 0..len {
            q_other[j] *= half;
            product[j] *= half;
            sin2[j] = T::from_f64(0.5) * one_less_kappa1[j];
            cos2[j] = T::ONE - sin2[j];
        }
        return;
    }
    // the old angles are spent: until the new ones are known their slices hold half (p - p')^2, which is
    // half (q - q')^2 / (p + p')^2, and half p p'. Sums are formed in quarters, which cannot overflow
    let quarter = T::from_f64(0.25);
    let (spread, inner) = (sin2, cos2);
    for j in 0..len {
        let difference = before - q_other[j];
        let sum2 = quarter * before + quarter * q_other[j] + (quarter * product[j] + quarter * product[j]);
        let share = if sum2 > T::ZERO { quarter * difference / sum2 } else { T::ZERO };
        spread[j] = half * (difference * share);
        inner[j] = half * product[j];
        q_other[j] = half * q_other[j] + beta;
    }
    pairs.multiply(backend);
    let (product, one_less_kappa1) = (&pairs.product[..len], &pairs.work[..len]);
    let (sin2, cos2) = (&mut pairs.sin2[..len], &mut pairs.cos2[..len]);
    for j in 0..len {
        let (spread, inner) = (sin2[j], cos2[j]);
        let share = quarter * beta / (quarter * product[j] + quarter * inner + quarter * beta);
        let gap = spread * share + inner * one_less_kappa1[j];
        sin2[j] = T::from_f64(0.5) * (gap / product[j]);
        cos2[j] = T::ONE - sin2[j];
    }
}

/// One Gaussian pair (u, v), for the activations in closed form.
#[derive(Clone, Copy)]
struct Pair<T> {
    /// E u^2
    q: T,
    /// E v^2
    q_other: T,
    /// E uv
    covariance: T,
    /// sin^2 of the angle, from its half: of nearly parallel u and v nothing cancels
    sine2: T,
}

impl<T: Real> Pair<T> {
    /// sqrt(1 + k q + k p + k^2 (qp - c^2)), with p = E v^2, c = E uv; NaN where that is not finite.
    ///
    /// Its square may be too large.
    fn root(&self, k: T) -> T {
        let (q, p, quarter) = (k * self.q, k * self.q_other, T::from_f64(0.25));
        let square = T::ONE + (q + p) + q * p * self.sine2;
        if square <= T::LARGEST {
            return square.sqrt();
        }
        let sum = quarter + quarter * q + quarter * p;
        let root = (sum + sum).sqrt() * (T::ONE + quarter * q / sum * (p * self.sine2)).sqrt();
        // sqrt(4 sum) in two steps; what is infinite would pass for a number where it is divided by
        let root = T::from_f64(core::f64::consts::SQRT_2) * root;
        if root <= T::LARGEST { root } else { T::from_f64(f64::NAN) }
    }
}

/// The pairs after a layer without a batched form; `moments` are `a E[phi(u) phi(v)]` and `a E[phi'(u) phi'(v)]`.
fn each<T: Real>(pairs: &mut Pairs<'_, T>, beta: T, moments: impl Fn(Pair<T>) -> [T; 2]) {
    let (half, four) = (T::from_f64(0.5), T::from_f64(4.0));
    let variance = |q: T| moments(Pair { q, q_other: q, covariance: q, sine2: T::ZERO })[0] + beta;
    let q = variance(pairs.q);
    for j in 0..pairs.product.len() {
        let (sin2, cos2) = (pairs.sin2[j], pairs.cos2[j]);
        let pair = Pair {
            q: pairs.q,
            q_other: pairs.q_other[j],
            covariance: pairs.product[j] * (cos2 - sin2),
            sine2: four * sin2 * cos2,
        };
        let ([product, slope], q_other) = (moments(pair), variance(pair.q_other));
        let (covariance, norm) = (product + beta, geometric_mean(q, q_other));
        // rounding may put the covariance of equal points above the variance by an ulp
        (pairs.sin2[j], pairs.cos2[j]) = if norm > T::ZERO {
            let cosine = covariance / norm;
            ((half * (T::ONE - cosine)).max(T::ZERO), (half * (T::ONE + cosine)).max(T::ZERO))
        } else {
            (half, half)
        };
        (pairs.q_other[j], pairs.product[j], pairs.derivative[j]) = (q_other, norm, slope);
    }
    pairs.q = q;
}

/// `E = (2/pi) atan2(2 E uv, R)`, `E' = (2/pi) 2/R` with `R^2 = (1 + 2 E u^2)(1 + 2 E v^2) - 4 (E uv)^2` (Williams 1998).
fn erf<T: Real>(pair: Pair<T>, a: T) -> [T; 2] {
    let two = T::from_f64(2.0);
    let two_over_pi = T::from_f64(core::f64::consts::FRAC_2_PI);
    let root = pair.root(two);
    [a * two_over_pi * (two * pair.covariance).atan2(root), a * two_over_pi * two / root]
}

/// Phi(z) = (1 + erf(z/sqrt 2))/2
fn normal_distribution<T: Real>(z: T) -> T {
    T::from_f64(0.5) * (T::ONE + (z * T::from_f64(core::f64::consts::FRAC_1_SQRT_2)).erf())
}

/// e^(-z^2/2)/sqrt(2 pi)
fn normal_density<T: Real>(z: T) -> T {
    T::from_f64(0.5 * core::f64::consts::FRAC_2_SQRT_PI * core::f64::consts::FRAC_1_SQRT_2)
        * (-(T::from_f64(0.5) * z * z)).exp()
}

/// With q = E u^2, p = E v^2, c = E uv, `R^2 = 1 + q + p + (qp - c^2)`, Q = 1 + q and P = 1 + p, where R >= 1, so that
/// nothing cancels:
///
/// ```text
/// E  = c/4 + [ (c/Q)(c/P)/R + (q/Q)(p/P) R + c atan2(c, R) ]/(2 pi)
/// E' = 1/4 + [ atan2(c, R) + (c/R)(1 + 1/R^2 + 1/(QP) - (q/Q)(p/P)) ]/(2 pi)
/// ```
fn gelu<T: Real>(pair: Pair<T>, a: T) -> [T; 2] {
    let Pair { q, q_other: p, covariance: c, .. } = pair;
    let (quarter, per_turn) = (T::from_f64(0.25), T::from_f64(1.0 / core::f64::consts::TAU));
    let (root, above, above_other) = (pair.root(T::ONE), T::ONE + q, T::ONE + p);
    let (angle, shares) = (c.atan2(root), q / above * (p / above_other));
    let product = quarter * c + per_turn * (c / above * (c / above_other) / root + shares * root + c * angle);
    let bracket = T::ONE + T::ONE / root / root + T::ONE / above / above_other - shares;
    [a * product, a * (quarter + per_turn * (angle + c / root * bracket))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Portable;
    use crate::choice::Choice;

    /// E[phi(u) phi(v)] and E[phi'(u) phi'(v)] by the trapezoidal rule on the plane, which converges exponentially for
    /// smooth functions.
    fn quadrature(phi: Activation, [q, q_other, angle]: [f64; 3]) -> [f64; 2] {
        let (step, reach) = (1.0 / 16.0, 144);
        let (p, p_other) = (libm::sqrt(q), libm::sqrt(q_other));
        let mut sums = [0.0; 2];
        for i in -reach..=reach {
            for k in -reach..=reach {
                let (x, y) = (step * f64::from(i), step * f64::from(k));
                let (u, v) = (p * x, p_other * (libm::cos(angle) * x + libm::sin(angle) * y));
                let weight = libm::exp(-0.5 * (x * x + y * y));
                sums[0] += weight * phi.phi(u) * phi.phi(v);
                sums[1] += weight * phi.dphi(u) * phi.dphi(v);
            }
        }
        sums.map(|sum| sum * step * step / core::f64::consts::TAU)
    }

    /// Variance, covariance and derivative after a layer.
    fn propagated(phi: Activation, [q, q_other, angle]: [f64; 3], a: f64, beta: f64) -> [f64; 3] {
        let half = |f: fn(f64) -> f64| [f(angle / 2.0) * f(angle / 2.0)];
        let (mut sin2, mut cos2) = (half(libm::sin), half(libm::cos));
        let (mut others, mut product) = ([q_other], [libm::sqrt(q * q_other)]);
        let (mut derivative, mut work, mut covariance) = ([0.0], [0.0], [0.0]);
        let mut pairs = Pairs {
            q,
            q_other: &mut others,
            product: &mut product,
            sin2: &mut sin2,
            cos2: &mut cos2,
            derivative: &mut derivative,
            work: &mut work,
        };
        phi.propagate(&Portable, &mut pairs, a, beta);
        pairs.covariance(&mut covariance);
        [pairs.q, covariance[0], derivative[0]]
    }

    const PAIRS: [[f64; 3]; 5] = [[1.0, 1.0, 1.0], [0.3, 2.0, 2.5], [4.0, 0.1, 0.2], [1.5, 1.5, 3.1], [0.7, 0.9, 1e-3]];

    #[test]
    fn expectations_are_those_of_a_quadrature() {
        // ReLU's kinks leave an error of first order in the step; its exact values are tested below
        for phi in Activation::ALL.iter().copied().filter(|phi| *phi != Activation::Relu) {
            for pair in PAIRS {
                let ([e, d], [variance, _]) = (quadrature(phi, pair), quadrature(phi, [pair[0], pair[0], 0.0]));
                let (a, beta) = (1.7, 0.3);
                let expected = [a * variance + beta, a * e + beta, a * d];
                for (expected, got) in expected.iter().zip(propagated(phi, pair, a, beta)) {
                    assert!((expected - got).abs() < 1e-12, "{phi}, {pair:?}: {expected} {got}");
                }
            }
        }
    }

    #[test]
    fn relu_at_angles_of_known_expectations() {
        let (pi, root) = (core::f64::consts::PI, libm::sqrt(3.0));
        // kappa1, kappa0
        let known = [(0.0, [1.0, 1.0]), (pi / 2.0, [1.0 / pi, 0.5]), (pi, [0.0, 0.0])];
        let sixty = (pi / 3.0, [root / (2.0 * pi) + 1.0 / 3.0, 2.0 / 3.0]);
        for (angle, [kappa1, kappa0]) in known.into_iter().chain([sixty]) {
            for (q, q_other, beta) in [(1.0, 1.0, 0.0), (0.3, 5.0, 0.0), (0.3, 5.0, 0.7)] {
                let [variance, covariance, derivative] = propagated(Activation::Relu, [q, q_other, angle], 2.0, beta);
                let expected = [q + beta, libm::sqrt(q * q_other) * kappa1 + beta, kappa0];
                for (expected, got) in expected.into_iter().zip([variance, covariance, derivative]) {
                    assert!((expected - got).abs() < 1e-14 * (1.0 + expected), "{angle}: {expected} {got}");
                }
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_differences() {
        let step = 1e-5;
        for phi in Activation::ALL {
            for z in [-3.0, -0.7, -0.01, 0.2, 1.1, 4.0f64] {
                let expected = (phi.phi(z + step) - phi.phi(z - step)) / (2.0 * step);
                assert!((phi.dphi(z) - expected).abs() < 1e-9, "{phi} at {z}");
            }
        }
    }
}
