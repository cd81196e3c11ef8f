//! Activations in closed form. erf: Williams 1998; GELU by the same integrals; the sine by the characteristic function.

use crate::Real;
use crate::network::Pairs;

/// One Gaussian pair (u, v), for the activations in closed form.
#[derive(Clone, Copy)]
pub(super) struct Pair<T> {
    /// E u^2
    q: T,
    /// E v^2
    q_other: T,
    /// E uv
    covariance: T,
    /// sin^2 of the angle, from its half: of nearly parallel u and v nothing cancels
    sine2: T,
    /// sqrt(E u^2 E v^2)
    product: T,
    /// sin^2 and cos^2 of half the angle
    sin2: T,
    cos2: T,
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
pub(super) fn each<T: Real>(pairs: &mut Pairs<'_, T>, beta: T, moments: impl Fn(Pair<T>) -> [T; 2]) {
    let four = T::from_f64(4.0);
    let variance = |q: T| {
        let (product, sine2, sin2, cos2) = (q, T::ZERO, T::ZERO, T::ONE);
        moments(Pair { q, q_other: q, covariance: q, product, sine2, sin2, cos2 })[0] + beta
    };
    let q = variance(pairs.q);
    for j in 0..pairs.product.len() {
        let (sin2, cos2) = (pairs.sin2[j], pairs.cos2[j]);
        let pair = Pair {
            q: pairs.q,
            q_other: pairs.q_other[j],
            covariance: pairs.product[j] * (cos2 - sin2),
            sine2: four * sin2 * cos2,
            product: pairs.product[j],
            sin2,
            cos2,
        };
        let ([product, slope], q_other) = (moments(pair), variance(pair.q_other));
        pairs.set(j, q, q_other, product + beta, slope);
    }
    pairs.q = q;
}

/// `E = (2/pi) atan2(2 E uv, R)`, `E' = (2/pi) 2/R` with `R^2 = (1 + 2 E u^2)(1 + 2 E v^2) - 4 (E uv)^2` (Williams 1998).
pub(super) fn erf<T: Real>(pair: Pair<T>, a: T) -> [T; 2] {
    let two = T::from_f64(2.0);
    let two_over_pi = T::from_f64(core::f64::consts::FRAC_2_PI);
    let root = pair.root(two);
    [a * two_over_pi * (two * pair.covariance).atan2(root), a * two_over_pi * two / root]
}

/// Phi(z) = (1 + erf(z/sqrt 2))/2
pub(super) fn normal_distribution<T: Real>(z: T) -> T {
    T::from_f64(0.5) * (T::ONE + (z * T::from_f64(core::f64::consts::FRAC_1_SQRT_2)).erf())
}

/// e^(-z^2/2)/sqrt(2 pi)
pub(super) fn normal_density<T: Real>(z: T) -> T {
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
pub(super) fn gelu<T: Real>(pair: Pair<T>, a: T) -> [T; 2] {
    let Pair { q, q_other: p, covariance: c, .. } = pair;
    let (quarter, per_turn) = (T::from_f64(0.25), T::from_f64(1.0 / core::f64::consts::TAU));
    let (root, above, above_other) = (pair.root(T::ONE), T::ONE + q, T::ONE + p);
    let (angle, shares) = (c.atan2(root), q / above * (p / above_other));
    let product = quarter * c + per_turn * (c / above * (c / above_other) / root + shares * root + c * angle);
    let bracket = T::ONE + T::ONE / root / root + T::ONE / above / above_other - shares;
    [a * product, a * (quarter + per_turn * (angle + c / root * bracket))]
}

/// With `A = E (u - v)^2` and `B = E (u + v)^2`, sums without cancellation, of which c = E uv is (B - A)/4,
///
/// ```text
/// E  = (e^(-A/2) - e^(-B/2))/2 = -e^(-A/2) (e^(-2c) - 1)/2       E' = (e^(-A/2) + e^(-B/2))/2
/// ```
pub(super) fn sine<T: Real>(pair: Pair<T>, a: T) -> [T; 2] {
    let (half, two, c) = (T::from_f64(0.5), T::from_f64(2.0), pair.covariance);
    let difference = pair.q.sqrt() - pair.q_other.sqrt();
    let [near, far] = [pair.sin2, pair.cos2]
        .map(|half_angle| (-(half * difference * difference + two * pair.product * half_angle)).exp());
    let product = if c < T::ZERO { far * (c + c).exp_m1() } else { -(near * (-(c + c)).exp_m1()) };
    [a * (half * product), a * (half * (near + far))]
}
