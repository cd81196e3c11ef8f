//! How near a descent is to its edge of stability.
//!
//! A step of `theta <- theta - eta grad R` changes the outputs, to first order, by `-eta K g` with g the gradient of the loss
//! in them, and a small difference between two descents by the factor `I - eta K H`, H the Hessian of the loss in the
//! outputs. So descent is stable, near its path, while
//!
//! ```text
//! reading = eta (lambda_max(H^1/2 K H^1/2) + lambda) / 2  <  1
//! ```
//!
//! with K the full kernel `(n C, n C)`, H that of the mean loss (squared error 1/n, logistic p(1-p)/n; of a sum n times as
//! much) and lambda the penalty. Left out are the second derivatives of the outputs, O(1/sqrt(m)) in the width m and small at a fit.

use crate::buffer::{buffer_len, take_front};
use crate::kernel::{Accuracy, Weight, any_direction, jacobian_scratch, largest_eigenvalue};
use crate::network::{Network, Sizes};
use crate::train::Trainer;
use crate::{Backend, Error, MatMut, MatRef, Real};

const ACCURACY: Accuracy = Accuracy { iterations: 1000, settled: 1e-6 };

/// The space of the reading.
pub(super) struct Sharpness<'a, T> {
    vector: &'a mut [T],
    product: &'a mut [T],
    /// `(n C, C)`
    hessian: &'a mut [T],
    gradient: &'a mut [T],
    scratch: &'a mut [T],
}

pub(super) const fn sharpness_len(sizes: Sizes, batch: usize) -> usize {
    let (outputs, hessian) = (&[2, batch, sizes.outputs], &[batch, sizes.outputs, sizes.outputs]);
    buffer_len(&[outputs, hessian, &[sizes.parameters], &[jacobian_scratch(sizes, batch)]])
}

impl<'a, T: Real> Sharpness<'a, T> {
    /// `buffer` holds [`sharpness_len`] numbers.
    pub(super) fn new(sizes: Sizes, batch: usize, buffer: &'a mut [T]) -> Self {
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        Self {
            vector: take(batch * sizes.outputs),
            product: take(batch * sizes.outputs),
            hessian: take(batch * sizes.outputs * sizes.outputs),
            gradient: take(sizes.parameters),
            scratch: take(jacobian_scratch(sizes, batch)),
        }
    }

    /// The reading at the present parameters, at this rate.
    ///
    /// # Errors
    /// Those of the passes.
    pub(super) fn reading<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, B>,
        rate: T,
    ) -> Result<T, Error> {
        let backend = trainer.backend();
        let (problem, theta, work) = trainer.problem_and_work();
        let (tangent, _) = problem.tangent(backend, theta, work)?;
        let (outputs, penalty) = (tangent.activations.outputs(), problem.penalty());
        let (rows, c) = (outputs.rows() * outputs.cols(), outputs.cols());
        let hessian = MatMut::dense(self.hessian, rows, c);
        problem.loss().hessian_within(outputs, problem.targets(), problem.unit(T::ZERO), hessian);
        let weight = Weight::Hessian { hessian: MatRef::dense(self.hessian, rows, c), product: self.product };
        // always from the same one: a reading is of the parameters alone, whatever was read before
        any_direction(self.vector);
        let space = (&mut *self.vector, &mut *self.gradient, &mut *self.scratch);
        let (sharpest, _) = largest_eigenvalue(backend, &tangent, weight, space, ACCURACY)?;
        Ok(rate * (sharpest + penalty) / T::from_f64(2.0))
    }
}
