//! Pairs of Gaussians, which the analytic kernels are a recursion of: one u with many v at a time, because a pair alone
//! would leave a vector unit idle.
//!
//! The angle between u and v is carried as the pair (sin^2, cos^2) of its half, each with its own relative accuracy,
//! because `arccos` of a rounded cosine loses half the digits near 0 and pi.

use super::activation::Series;
use crate::{Backend, Real};
use core::ops::Range;

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
    /// after a layer: a E[phi'(u) phi'(v)], by which it multiplies the tangent kernel
    pub derivative: &'a mut [T],
    /// work space, of no meaning after a layer
    pub work: &'a mut [T],
    /// what activations without closed form have of every sample
    pub series: Series<'a, T>,
}

impl<T: Real> Pairs<'_, T> {
    /// E uv of every pair, to `out`.
    pub fn covariance(&self, out: &mut [T]) {
        for (out, (p, (s, c))) in out.iter_mut().zip(self.product.iter().zip(self.sin2.iter().zip(self.cos2.iter()))) {
            *out = *p * (*c - *s);
        }
    }
    /// `tangent <- E uv + derivative tangent`: the tangent kernel after a dense layer.
    pub fn tangent(&self, tangent: &mut [T]) {
        let angles = self.product.iter().zip(self.sin2.iter().zip(self.cos2.iter()));
        for (t, (d, (p, (s, c)))) in tangent.iter_mut().zip(self.derivative.iter().zip(angles)) {
            *t = *p * (*c - *s) + *d * *t;
        }
    }
    /// `tangent <- ratio E uv + shift + derivative tangent`: the same where the layer's own part of the tangent kernel is not
    /// that of the covariance.
    pub fn scaled_tangent(&self, ratio: T, shift: T, tangent: &mut [T]) {
        let angles = self.product.iter().zip(self.sin2.iter().zip(self.cos2.iter()));
        for (t, (d, (p, (s, c)))) in tangent.iter_mut().zip(self.derivative.iter().zip(angles)) {
            *t = ratio * (*p * (*c - *s)) + shift + *d * *t;
        }
    }
    /// Pair j after a layer: its variances, covariance and derivative. The angle is 0 to about the root of the scalar's
    /// epsilon, and exactly for equal points; that of two of which one is always 0 is a right one.
    pub(super) fn set(&mut self, j: usize, q: T, q_other: T, covariance: T, derivative: T) {
        let (half, norm) = (T::from_f64(0.5), geometric_mean(q, q_other));
        // rounding may put the covariance of equal points above the variance by an ulp
        (self.sin2[j], self.cos2[j]) = if norm > T::ZERO {
            let cosine = covariance / norm;
            ((half * (T::ONE - cosine)).max(T::ZERO), (half * (T::ONE + cosine)).max(T::ZERO))
        } else {
            (half, half)
        };
        (self.q_other[j], self.product[j], self.derivative[j]) = (q_other, norm, derivative);
    }
    /// Some of the pairs.
    pub(super) fn part(&mut self, range: Range<usize>) -> Pairs<'_, T> {
        Pairs {
            q: self.q,
            q_other: &mut self.q_other[range.clone()],
            product: &mut self.product[range.clone()],
            sin2: &mut self.sin2[range.clone()],
            cos2: &mut self.cos2[range.clone()],
            derivative: &mut self.derivative[range.clone()],
            work: &mut self.work[range.clone()],
            series: self.series.from(range.start),
        }
    }
    /// `product <- sqrt(q q_other)` of every pair, also where `q q_other` itself is out of range.
    pub fn multiply<B: Backend<T> + ?Sized>(&mut self, backend: &B) {
        let (q, len) = (self.q, self.product.len());
        // slices of one known length, so that no index needs a check
        let (product, q_other) = (&mut self.product[..len], &self.q_other[..len]);
        for (product, q_other) in product.iter_mut().zip(q_other) {
            *product = q * *q_other;
        }
        // few are out of range, so most rows are done; counting them takes no branch
        if product.iter().filter(|p| (**p >= T::SMALLEST) & (**p <= T::LARGEST)).count() == len {
            return backend.square_roots(product);
        }
        for (product, q_other) in product.iter_mut().zip(q_other) {
            *product = geometric_mean(q, *q_other);
        }
    }
}

/// sqrt(x y) of x, y >= 0: the bits of the root of the product wherever that is in range.
pub(super) fn geometric_mean<T: Real>(x: T, y: T) -> T {
    if x == T::ZERO || y == T::ZERO {
        return T::ZERO;
    }
    let product = x * y;
    // the factors are powers of two, which round nothing
    let inverse = T::ONE / T::HALF_RANGE;
    let (factor, back) = if product < T::SMALLEST {
        (T::HALF_RANGE, inverse)
    } else if product > T::LARGEST {
        (inverse, T::HALF_RANGE)
    } else {
        return product.sqrt();
    };
    back * ((x * factor) * (y * factor)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Portable;

    /// The roots of products by exact powers of two, over all of a scalar's range.
    #[test]
    fn roots_of_products_out_of_range() {
        fn check<T: Real>(reach: i32) {
            let power = |k: i32| T::from_f64(libm::ldexp(1.0, k));
            for (x, y) in [(1.0, 1.0), (1.5, 1.25), (1.1, 1.9)] {
                let (x, y) = (T::from_f64(x), T::from_f64(y));
                let root = (x * y).sqrt();
                for i in (-reach..=reach).step_by(2) {
                    for j in [-reach, -reach / 2 - 1, 0, i, -i, reach] {
                        let (p, q) = (x * power(i), y * power(j));
                        let expected = root * power((i + j) / 2);
                        let (mut product, mut q_other) = ([T::ZERO; 2], [q, T::ONE]);
                        let (mut rest, mut more) = ([T::ZERO; 4], [T::ZERO; 4]);
                        let (sin2, cos2) = rest.split_at_mut(2);
                        let (derivative, work) = more.split_at_mut(2);
                        let (q_other, product) = (&mut q_other, &mut product);
                        let series = Series::None;
                        let mut pairs = Pairs { q: p, q_other, product, sin2, cos2, derivative, work, series };
                        pairs.multiply(&Portable);
                        assert_eq!(pairs.product[0].to_f64(), expected.to_f64(), "2^{i} and 2^{j}");
                        assert_eq!(pairs.product[1].to_f64(), p.sqrt().to_f64());
                    }
                }
                assert_eq!(geometric_mean(T::LARGEST, T::ZERO), T::ZERO);
                assert_eq!(geometric_mean(T::SMALLEST, T::SMALLEST), T::SMALLEST);
            }
        }
        check::<f32>(126);
        check::<f64>(1022);
    }
}
