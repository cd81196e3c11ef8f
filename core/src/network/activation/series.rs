//! Expectations of tanh, sigmoid, SiLU and softplus by Mehler's series: with the normalized Hermite polynomials he_k,
//! `he_{k+1} = (x he_k - sqrt(k) he_{k-1})/sqrt(k+1)`, and the correlation r of u and v, of variances q and p,
//!
//! ```text
//! a_k(q) = E[phi(sqrt(q) x) he_k(x)],  x ~ N(0,1)         once for every sample and layer
//! E = sum_k a_k(q) a_k(p) r^k,    sqrt(qp) E' = sum_k k a_k(q) a_k(p) r^(k-1)
//! ```
//!
//! What the terms beyond K are of E is at most `|r|^(K+1) sqrt(t(q) t(p))`, t = E[phi^2] - sum_{k<=K} a_k^2, and of
//! sqrt(qp) E' `|r|^K sqrt(t'(q) t'(p))`, t' = q E[phi'^2] - sum_{k<=K} k a_k^2 (Cauchy and Schwarz). Where that is too
//! much, the rule on the plane has the pair. The diagonal is never summed: it is an integral in one dimension.
//!
//! In f64 whatever the scalar, so that f32 has f32's accuracy.

use super::{Activation, closed, plane};
use crate::Real;
use crate::network::Pairs;

/// K: correlations up to 0.87 need no more, whatever the variance.
const ORDER: usize = 256;

/// Numbers that a sample has of one layer: E[phi^2], E[phi'^2], t, t', the last k that counts, a_0..a_K.
pub const SERIES: usize = 5 + ORDER + 1;

/// What the terms that are left out may be, of what they are left out of.
const NEGLIGIBLE: f64 = 1e-14;

/// Numbers of the samples, layer by layer, beside pairs that a network's recursion takes through its layers: [`SERIES`]
/// for each layer that has them, of which the layers before have `taken` so many.
#[derive(Debug)]
pub enum Series<'a, T> {
    /// there are none: every pair by the rule on the plane
    None,
    /// those of u are to be filled in
    Fill {
        /// of u
        numbers: &'a mut [T],
        /// by the layers before
        taken: usize,
    },
    /// they are known
    Read {
        /// of u
        one: &'a [T],
        /// of all v, one after the other
        others: &'a [T],
        /// numbers of one sample
        each: usize,
        /// by the layers before
        taken: usize,
    },
}

impl<T> Series<'_, T> {
    /// The same from pair `first` on.
    pub(in crate::network) fn from(&mut self, first: usize) -> Series<'_, T> {
        match self {
            Self::None => Series::None,
            Self::Fill { numbers, taken } => Series::Fill { numbers, taken: *taken },
            Self::Read { one, others, each, taken } => {
                Series::Read { one, others: &others[first * *each..], each: *each, taken: *taken }
            }
        }
    }
    /// Numbers that the layers before have taken.
    pub(in crate::network) fn taken(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Fill { taken, .. } | Self::Read { taken, .. } => *taken,
        }
    }
    /// From the next layer on.
    pub(in crate::network) fn set_taken(&mut self, now: usize) {
        match self {
            Self::None => {}
            Self::Fill { taken, .. } | Self::Read { taken, .. } => *taken = now,
        }
    }
}

/// One sample's numbers of one layer.
#[derive(Clone, Copy)]
struct Numbers<'a, T>(&'a [T]);

impl<T: Real> Numbers<'_, T> {
    fn at(&self, k: usize) -> f64 {
        self.0[k].to_f64()
    }
    /// E[phi^2], E[phi'^2]
    fn squares(&self) -> [f64; 2] {
        [self.at(0), self.at(1)]
    }
    fn tails(&self) -> [f64; 2] {
        [self.at(2), self.at(3)]
    }
    fn order(&self) -> usize {
        self.at(4) as usize
    }
    fn coefficients(&self) -> &[T] {
        &self.0[5..]
    }
}

/// Fills `numbers` for a pre-activation of variance q, by the trapezoidal rule in one dimension; with NaN where q is too large.
// Apart: inlined, its 4 KiB of coefficients would be on the stack of every network, also of those without a series.
#[inline(never)]
fn fill<T: Real>(phi: Activation, q: f64, numbers: &mut [T]) {
    if q.is_nan() || q > Activation::MOST_VARIANCE {
        return numbers.fill(T::from_f64(f64::NAN));
    }
    // he_k(x) e^(-x^2/2) is at most about e^(-x^2/4)
    const REACH: f64 = 12.5;
    let (root, order) = (libm::sqrt(q), libm::sqrt(ORDER as f64));
    // he_k oscillates up to frequencies of 2 sqrt(k), phi by e^(-rho w)
    let frequency = 2.0 * order + 9.0 + 38.0 * root / phi.pole().unwrap_or(1.0);
    let n = libm::ceil(REACH * frequency / core::f64::consts::TAU);
    let (step, n) = (REACH / n, n as i32);
    let squares = plane::squares(phi, q);
    let mut a = [0.0; ORDER + 1];
    let mut roots = [0.0; ORDER + 1];
    roots.iter_mut().enumerate().for_each(|(k, root)| *root = libm::sqrt(k as f64));
    for node in -n..=n {
        let x = step * f64::from(node);
        let weight = step * closed::normal_density(x);
        let (mut before, mut here) = (0.0, weight * phi.phi(root * x));
        for k in 0..=ORDER {
            a[k] += here;
            if k < ORDER {
                (before, here) = (here, (x * here - roots[k] * before) / roots[k + 1]);
            }
        }
    }
    let norms = [squares[0], q * squares[1]];
    let (mut sums, mut last) = ([0.0; 2], 0);
    for (k, a) in a.iter().enumerate() {
        sums[0] += a * a;
        sums[1] += k as f64 * a * a;
        // beyond rounding
        if (1.0 + k as f64) * a * a > 1e-33 * norms[0].max(norms[1]) {
            last = k;
        }
    }
    let [of_value, of_slope] = [0, 1].map(|i| (norms[i] - sums[i]).max(0.0));
    let head = [squares[0], squares[1], of_value, of_slope, last as f64];
    for (number, value) in numbers.iter_mut().zip(head.iter().chain(&a)) {
        *number = T::from_f64(*value);
    }
}

/// E[phi(u) phi(v)] and E[phi'(u) phi'(v)] from the numbers of both; `None` where the series is too long.
fn sum<T: Real>(one: Numbers<'_, T>, other: Numbers<'_, T>, norm: f64, r: f64) -> Option<[f64; 2]> {
    // below, a_1 sqrt(q) is too small beside the rounding of a_0
    if norm < 1e-6 {
        return None;
    }
    let ([s, d], [s_other, d_other]) = (one.squares(), other.squares());
    let ([t, t_slope], [t_other, t_slope_other]) = (one.tails(), other.tails());
    let left = libm::pow(libm::fabs(r), ORDER as f64);
    let bounds = [left * libm::sqrt(t * t_other), left * libm::sqrt(t_slope * t_slope_other)];
    if bounds[0] > NEGLIGIBLE * libm::sqrt(s * s_other) || bounds[1] > NEGLIGIBLE * norm * libm::sqrt(d * d_other) {
        return None;
    }
    let order = one.order().min(other.order());
    let coefficients = one.coefficients()[..=order].iter().zip(&other.coefficients()[..=order]);
    let (mut value, mut slope) = (0.0, 0.0);
    for (a, b) in coefficients.rev() {
        slope = slope * r + value;
        value = value * r + a.to_f64() * b.to_f64();
    }
    Some([value, slope / norm])
}

/// The pairs after a layer.
pub(super) fn propagate<T: Real>(phi: Activation, pairs: &mut Pairs<'_, T>, a: T, beta: T) {
    let (q, len) = (pairs.q.to_f64(), pairs.product.len());
    let squares = |q: f64| if q <= Activation::MOST_VARIANCE { plane::squares(phi, q) } else { [f64::NAN; 2] };
    let variance = |square: f64| a * T::from_f64(square) + beta;
    if let Series::Fill { numbers, taken } = &mut pairs.series {
        fill(phi, q, &mut numbers[*taken..][..SERIES]);
    }
    let own = match &pairs.series {
        Series::None => squares(q),
        Series::Fill { numbers: one, taken } => Numbers(&one[*taken..][..SERIES]).squares(),
        Series::Read { one, taken, .. } => Numbers(&one[*taken..][..SERIES]).squares(),
    };
    let q_after = variance(own[0]);
    for j in 0..len {
        let p = pairs.q_other[j].to_f64();
        let (sin2, cos2, norm) = (pairs.sin2[j].to_f64(), pairs.cos2[j].to_f64(), pairs.product[j].to_f64());
        let numbers = match &pairs.series {
            Series::Read { one, others, each, taken } => {
                Some((Numbers(&one[*taken..][..SERIES]), Numbers(&others[j * each + taken..][..SERIES])))
            }
            _ => None,
        };
        let of_other = numbers.map_or_else(|| squares(p), |(_, other)| other.squares());
        let [value, slope] = if sin2 == 0.0 && p == q {
            own
        } else {
            let summed = numbers.and_then(|(one, other)| sum(one, other, norm, cos2 - sin2));
            match summed {
                Some(moments) => moments,
                None if q.max(p) <= Activation::MOST_VARIANCE => plane::moments(phi, q, p, sin2, cos2),
                None => [f64::NAN; 2],
            }
        };
        let covariance = a * T::from_f64(value) + beta;
        pairs.set(j, q_after, variance(of_other[0]), covariance, a * T::from_f64(slope));
    }
    pairs.q = q_after;
    let taken = pairs.series.taken();
    pairs.series.set_taken(taken + SERIES);
}
