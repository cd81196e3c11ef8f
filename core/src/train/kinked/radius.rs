//! The eigenvalues that a step's length and its stages follow from: lambda_max(K), and that of `L^1/2 K L^1/2` with l'' on the
//! diagonal of L, a matrix product with the Jacobian at a time.

use super::Kinked;
use crate::kernel::{Accuracy, Power, Weight};
use crate::network::Network;
use crate::train::Run;
use crate::{Backend, Error, Real};

/// lambda_max to about a percent.
const LOOK: Accuracy = Accuracy { iterations: 30, settled: 0.01 };
/// By how much the largest l'' must exceed their mean to be looked at more closely.
const UNEVEN: f64 = 2.0;

/// What is looked for.
#[derive(Clone, Copy)]
pub(super) enum Sought {
    LambdaMax,
    /// By how much rho is smaller than its bound.
    Ease,
}

impl<'a, T: Real> Kinked<'a, T> {
    /// The kernel at the present parameters is left in the work space.
    #[inline(never)]
    pub(super) fn lay_kernel<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        run: &mut Run<'a, N, T, B>,
    ) -> Result<(), Error> {
        run.problem.tangent(run.backend, run.state.theta, run.work)?;
        run.evaluations += 1;
        Ok(())
    }

    /// An iteration for what is sought; whether it was the last.
    #[inline(never)]
    pub(super) fn look<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        run: &mut Run<'a, N, T, B>,
        sought: Sought,
        power: &mut Power<T>,
    ) -> Result<bool, Error> {
        let tangent = run.problem.left_tangent(run.work);
        let curvature = |sample| run.problem.curvature_of(&run.state.objective, run.work, sample);
        let (vector, mut weight) = match sought {
            Sought::LambdaMax => (&mut *self.vector, Weight::One),
            Sought::Ease => (&mut *self.uneven, Weight::Samples(&curvature)),
        };
        let space = (vector, &mut *self.stages[0], &mut *self.scratch);
        let is_last = power.iterate(run.backend, &tangent, &mut weight, space, LOOK)?;
        run.evaluations += 1;
        match (is_last, sought) {
            (true, Sought::LambdaMax) => (self.lambda_max, self.age, self.ease) = (power.found, 0, None),
            (true, Sought::Ease) => {
                self.ease = Some((power.found / (self.lambda_max * self.curvature)).min(T::ONE));
            }
            (false, _) => {}
        }
        Ok(is_last)
    }

    /// Whether one sample's l'' is far above the others', from the outputs in the work space.
    pub(super) fn is_uneven<N: Network, B: ?Sized>(&self, run: &Run<'a, N, T, B>) -> bool {
        let n = run.problem.targets().rows();
        let curvature = |sample| run.problem.curvature_of(&run.state.objective, run.work, sample);
        let sum = (0..n).map(curvature).fold(T::ZERO, |sum, c| sum + c);
        self.curvature * T::from_count(n) > T::from_f64(UNEVEN) * sum
    }
}
