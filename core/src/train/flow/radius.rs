//! The spectral radius rho of the objective's curvature, over the mismatch: a power iteration on differences of gradients.

use super::{Flow, Now};
use crate::linalg::norm;
use crate::network::Network;
use crate::train::Run;
use crate::{Backend, Error, Real};

/// Power iterations from nothing, and to refresh.
const RADIUS_ITERATIONS: [u32; 2] = [12, 2];

impl<'a, T: Real> Flow<'a, T> {
    /// An iteration of `rho <- 1.2 |G(theta + e v) - G(theta)| / e`, a power iteration on v; `None` after the last. Whether
    /// there was an evaluation, which a direction without a length ends.
    #[inline(never)]
    pub(super) fn refine_radius<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        run: &mut Run<'a, N, T, B>,
        (iteration, mut estimate): (u32, T),
    ) -> Result<(Option<Now<T>>, bool), Error> {
        let fresh = self.radius.is_none();
        if fresh && iteration == 0 {
            self.direction.copy_from_slice(self.gradient);
        }
        let length = norm(self.direction);
        let size = T::EPSILON.sqrt() * norm(run.state.theta).max(T::ONE);
        let scale = size / length;
        // where nothing is curved a difference of gradients is no direction
        let is_direction = length.is_finite() && scale.is_finite();
        let mut settled = true;
        if is_direction {
            for (y, (theta, v)) in self.stages[0].iter_mut().zip(run.state.theta.iter().zip(self.direction.iter())) {
                *y = *theta + scale * *v;
            }
            run.evaluate(self.stages[0], self.stage_gradient)?;
            for (v, (g, g_0)) in self.direction.iter_mut().zip(self.stage_gradient.iter().zip(self.gradient.iter())) {
                *v = *g - *g_0;
            }
            let next = norm(self.direction) / size;
            settled = (next - estimate).abs() <= T::from_f64(0.05) * next;
            estimate = next;
        }
        if !settled && iteration + 1 < RADIUS_ITERATIONS[usize::from(!fresh)] {
            return Ok((Some(Now::Radius { iteration: iteration + 1, estimate }), true));
        }
        let radius = T::from_f64(1.2) * estimate;
        (self.radius, self.age) = (Some(radius), 0);
        if fresh {
            self.step = T::ONE;
            if radius > T::ZERO {
                // a tenth of the time in which the stiffest direction moves
                self.step = T::from_f64(0.1) / radius;
                self.first_distance = norm(self.gradient) / radius;
            }
        }
        Ok((None, is_direction))
    }
}
