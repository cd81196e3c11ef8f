//! The largest eigenvalue of `H^1/2 J J^T H^1/2` `(n C, n C)` from products with the Jacobian alone: with the identity for H
//! that of the full kernel, with the loss's Hessian H in the outputs, or a bound of it, the sharpness of the objective along
//! the path.

use super::{Tangent, jacobian_product, jacobian_transposed_product};
use crate::linalg::{dot, sum_of_squares};
use crate::network::Network;
use crate::{Backend, Error, MatMut, MatRef, Real};

/// When the iteration ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accuracy {
    /// most iterations
    pub(crate) iterations: u32,
    /// relative change between two of them
    pub(crate) settled: f64,
}

/// H.
pub(crate) enum Weight<'w, T> {
    /// The identity.
    One,
    /// A number a sample.
    Samples(&'w dyn Fn(usize) -> T),
    /// The Hessian of a loss in the outputs, a (C, C) block a sample as [`crate::loss::Loss::hessian`] has it, and room for a
    /// product with it `(n C)`.
    Hessian { hessian: MatRef<'w, T>, product: &'w mut [T] },
}

/// Writes a direction that no symmetry of a data set leaves at right angles to an eigenvector: multiples of the golden
/// ratio, less their whole part, above 1/2.
pub(crate) fn any_direction<T: Real>(vector: &mut [T]) {
    for (i, v) in vector.iter_mut().enumerate() {
        let multiple = (i + 1) as f64 * 0.618_033_988_749_894_8;
        *v = T::from_f64(0.5 + (multiple - multiple as u64 as f64));
    }
}

/// lambda_max by power iteration from `vector` `(n C)`, which is left near the eigenvector for the next time, and the number
/// of iterations; a lower bound. `gradient` holds P numbers, `scratch` [`super::jacobian_scratch`].
///
/// # Errors
/// [`Error::Shape`] or [`Error::BufferLength`] where a length is another.
pub(crate) fn largest_eigenvalue<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    tangent: &Tangent<'_, N, T>,
    mut weight: Weight<'_, T>,
    (vector, gradient, scratch): (&mut [T], &mut [T], &mut [T]),
    accuracy: Accuracy,
) -> Result<(T, u32), Error> {
    let mut power = Power::default();
    while !power.iterate(backend, tangent, &mut weight, (vector, gradient, scratch), accuracy)? {}
    Ok((power.found, power.iterations))
}

/// A power iteration that has come so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Power<T> {
    /// lambda_max by now
    pub(crate) found: T,
    /// iterations by now
    pub(crate) iterations: u32,
}

impl<T: Real> Default for Power<T> {
    fn default() -> Self {
        Self { found: T::ZERO, iterations: 0 }
    }
}

impl<T: Real> Power<T> {
    /// One iteration of [`largest_eigenvalue`], with the same things; whether it was the last.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::BufferLength`] where a length is another.
    pub(crate) fn iterate<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        backend: &B,
        tangent: &Tangent<'_, N, T>,
        weight: &mut Weight<'_, T>,
        (vector, gradient, scratch): (&mut [T], &mut [T], &mut [T]),
        accuracy: Accuracy,
    ) -> Result<bool, Error> {
        let (n, c) = (tangent.activations.batch(), tangent.activations.network().sizes().outputs);
        self.iterations += 1;
        // v^T H v, and H v
        let (norm, weighted) = match weight {
            Weight::One => (sum_of_squares(vector), &*vector),
            Weight::Samples(weight) => {
                let mut norm = T::ZERO;
                for (i, v) in vector.chunks_exact_mut(c).enumerate() {
                    norm += weight(i) * sum_of_squares(v);
                    v.iter_mut().for_each(|v| *v *= weight(i));
                }
                (norm, &*vector)
            }
            Weight::Hessian { hessian, product } => {
                for i in 0..n {
                    let v = &vector[i * c..][..c];
                    for (r, out) in product[i * c..][..c].iter_mut().enumerate() {
                        *out = dot(hessian.row(i * c + r), v);
                    }
                }
                (dot(vector, product), &**product)
            }
        };
        if norm == T::ZERO || !norm.is_finite() {
            // nothing is known of the direction, and none is better than another
            any_direction(vector);
            return Ok(true);
        }
        jacobian_transposed_product(backend, tangent, 0..c, MatRef::dense(weighted, n, c), T::ZERO, gradient, scratch)?;
        // |J^T H v|^2 / v^T H v
        let next = sum_of_squares(gradient) / norm;
        let settled = (next - self.found).abs() <= T::from_f64(accuracy.settled) * next;
        self.found = next;
        if settled {
            return Ok(true);
        }
        jacobian_product(backend, tangent, 0..c, gradient, T::ZERO, MatMut::dense(vector, n, c), scratch)?;
        let length = crate::linalg::norm(vector);
        if length > T::ZERO {
            vector.iter_mut().for_each(|v| *v /= length);
        }
        Ok(self.iterations >= accuracy.iterations)
    }
}
