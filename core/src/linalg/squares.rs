//! Sums of squares, and norms, of numbers of any size: nothing overflows or vanishes but the result.
//!
//! The numbers are divided by a power of two near the largest, which rounds nothing: the bits are those of the plain
//! sum wherever that is in range, and a common factor 2^k of the numbers is one of the norm, to the bit.

use super::LANES;
use crate::Real;

/// A sum of squares `scale^2 sum`, gathered some numbers at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Squares<T> {
    /// a power of two, no smaller than the largest number's
    scale: T,
    sum: T,
}

impl<T: Real> Default for Squares<T> {
    /// Of no numbers.
    fn default() -> Self {
        Self { scale: T::SMALLEST, sum: T::ZERO }
    }
}

impl<T: Real> Squares<T> {
    /// Adds the squares of `numbers`, from left to right to all before; they are gone through twice.
    pub fn add(&mut self, numbers: impl Iterator<Item = T> + Clone) {
        let inverse = self.make_room(numbers.clone().fold(T::ZERO, larger));
        self.sum = numbers.fold(self.sum, |sum, x| sum + (x * inverse) * (x * inverse));
    }
    /// The same in the order of [`super::dot`]: numbers k to k + 7 go to the eight partial sums, `rest` to the first of them.
    fn add_in_lanes(
        &mut self,
        chunks: impl Iterator<Item = [T; LANES]> + Clone,
        rest: impl Iterator<Item = T> + Clone,
    ) {
        let most = chunks.clone().fold(T::ZERO, |m, chunk| chunk.into_iter().fold(m, larger));
        let inverse = self.make_room(rest.clone().fold(most, larger));
        let mut sums = [T::ZERO; LANES];
        for chunk in chunks {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += (x * inverse) * (x * inverse);
            }
        }
        for (sum, x) in sums.iter_mut().zip(rest) {
            *sum += (x * inverse) * (x * inverse);
        }
        self.sum = sums.iter().fold(self.sum, |total, s| total + *s);
    }
    /// Adds them `times` times, such as twice for both triangles of a symmetric matrix.
    pub fn join(&mut self, other: Self, times: usize) {
        let inverse = self.make_room(other.scale);
        let share = other.scale * inverse;
        self.sum += T::from_count(times) * (other.sum * share * share);
    }
    /// The inverse of the scale, which first grows to that of the largest number.
    fn make_room(&mut self, largest: T) -> T {
        let scale = largest.power_of_two();
        if scale > self.scale {
            let share = self.scale / scale;
            (self.scale, self.sum) = (scale, self.sum * share * share);
        }
        T::ONE / self.scale
    }
    /// The scale, a power of two, and the sum in units of its square: all that is known of the numbers.
    pub fn parts(self) -> (T, T) {
        (self.scale, self.sum)
    }
    /// From what [`Self::parts`] has told.
    pub fn from_parts((scale, sum): (T, T)) -> Self {
        Self { scale, sum }
    }
    /// The root of the sum.
    pub fn norm(self) -> T {
        self.scale * self.sum.sqrt()
    }
    /// The root of the quotient of two sums, NaN of 0/0.
    pub fn ratio(self, other: Self) -> T {
        (self.sum / other.sum).sqrt() * (self.scale / other.scale)
    }
}

/// The larger of m and |x|. A NaN is passed over, as the sum will have it whatever the scale: half the instructions of
/// [`Real::max`] where one is asked for, and a norm is what a step of the flow takes most often.
fn larger<T: Real>(m: T, x: T) -> T {
    let size = x.abs();
    if size > m { size } else { m }
}

/// |x|, in the order of [`super::dot`].
///
/// ```
/// use ntkscope_core::linalg::norm;
/// assert_eq!((norm(&[3.0, -4.0]), norm(&[3e300, -4e300]), norm::<f32>(&[])), (5.0, 5e300, 0.0));
/// ```
pub fn norm<T: Real>(x: &[T]) -> T {
    let mut squares = Squares::default();
    let (chunks, rest) = x.as_chunks();
    squares.add_in_lanes(chunks.iter().copied(), rest.iter().copied());
    squares.norm()
}

/// max_i |x_i - y_i|
pub fn max_distance<T: Real>(x: &[T], y: &[T]) -> T {
    x.iter().zip(y).fold(T::ZERO, |most, (x, y)| most.max((*x - *y).abs()))
}

/// |x - y|, in the order of [`super::dot`].
///
/// # Panics
/// Where the lengths differ.
#[track_caller]
pub fn distance<T: Real>(x: &[T], y: &[T]) -> T {
    assert_eq!(x.len(), y.len(), "distance: lengths");
    let mut squares = Squares::default();
    let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    let chunks = xs.iter().zip(ys).map(|(x, y)| core::array::from_fn(|k| x[k] - y[k]));
    squares.add_in_lanes(chunks, x_rest.iter().zip(y_rest).map(|(x, y)| *x - *y));
    squares.norm()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::sum_of_squares;
    use std::vec::Vec;

    fn drawn(n: usize) -> Vec<f64> {
        let mut draws = crate::init::Normals::new(5);
        (0..n).map(|_| draws.draw()).collect()
    }

    #[test]
    fn norms_have_the_bits_of_plain_sums_at_every_power_of_two() {
        for n in [1, 7, 8, 40, 333] {
            let x = drawn(n);
            let plain = sum_of_squares(&x).sqrt();
            for k in [-1000, -600, -3, 0, 1, 500, 1010] {
                let factor = libm::ldexp(1.0, k);
                let scaled: Vec<f64> = x.iter().map(|x| factor * x).collect();
                assert_eq!(norm(&scaled).to_bits(), (factor * plain).to_bits(), "{n}, 2^{k}");
                let nothing = std::vec![0.0; n];
                assert_eq!(distance(&scaled, &nothing).to_bits(), (factor * plain).to_bits());
            }
        }
    }

    #[test]
    fn sums_may_come_in_parts_of_any_size() {
        let x = [1e-200, 3.0, 1e200, -2e200, f64::from_bits(1)];
        let (mut parts, mut twice) = (Squares::default(), Squares::default());
        x.iter().for_each(|x| parts.add(core::iter::once(*x)));
        assert!((parts.norm() / 1e200 - 5f64.sqrt()).abs() < 1e-15);
        twice.join(parts, 2);
        assert!((twice.ratio(parts) - 2f64.sqrt()).abs() < 1e-15);
        assert!(Squares::<f64>::default().ratio(Squares::default()).is_nan());
        let mut infinite = Squares::default();
        infinite.add([1.0, f64::INFINITY].into_iter());
        assert!(infinite.norm() == f64::INFINITY && norm(&[f64::NAN, 1.0]).is_nan());
        assert_eq!((norm(&[0.0; 9]), norm(&[f64::from_bits(3), f64::from_bits(4)]).to_bits()), (0.0, 5));
    }
}
