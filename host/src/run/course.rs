//! The objective along a run, at every step and not only at the snapshots.

use ntkscope_core::Error;
use ntkscope_core::state::Bytes;

/// A run whose objective was this many times its start has diverged, whatever became of it.
pub const FAR: f64 = 1e3;

/// The objective (loss, mean or sum, + penalty) along a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Course {
    /// at the start
    pub start: f64,
    /// at the last step
    pub last: f64,
    /// the largest, infinite where it was not finite
    pub highest: f64,
    /// the step of that
    pub highest_at: u64,
    /// the first step at which it was more than 1000 times its start, or not finite
    pub far_from: Option<u64>,
    /// the step since which it has been above its start; `None` where it is not now
    pub above_from: Option<u64>,
    /// what rounding can make of the start
    slack: f64,
}

impl Course {
    /// From the objective at step 0, of n samples computed in a scalar of this epsilon.
    pub fn new(start: f64, n: usize, epsilon: f64) -> Self {
        // the sum, and the outputs that it is made of
        let slack = 16.0 * n as f64 * epsilon * start.abs();
        Self { start, last: start, highest: start, slack, ..Self::default() }
    }

    /// All of it as bytes.
    ///
    /// # Errors
    /// Those of `bytes`.
    pub(super) fn pass(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error> {
        [&mut self.start, &mut self.last, &mut self.highest, &mut self.slack]
            .into_iter()
            .try_for_each(|number| bytes.number(number))?;
        bytes.count(&mut self.highest_at)?;
        bytes.optional(&mut self.far_from, 0, Bytes::count)?;
        bytes.optional(&mut self.above_from, 0, Bytes::count)
    }

    /// Adds the objective after a step.
    pub fn add(&mut self, step: u64, objective: f64) {
        let objective = if objective.is_finite() { objective } else { f64::INFINITY };
        self.last = objective;
        if objective > self.highest {
            (self.highest, self.highest_at) = (objective, step);
        }
        if self.far_from.is_none() && (objective > FAR * self.start + self.slack || objective == f64::INFINITY) {
            self.far_from = Some(step);
        }
        self.above_from = if objective > self.start + self.slack { self.above_from.or(Some(step)) } else { None };
    }

    /// The first step of what cannot be called training: the objective is above its start for good, or was far above it.
    pub fn diverged(&self) -> Option<u64> {
        match (self.above_from, self.far_from) {
            (Some(above), Some(far)) => Some(above.min(far)),
            (above, far) => above.or(far),
        }
    }

    /// How many times its start the objective has been, and the step, where it rose by a thousandth or more and came back.
    pub fn rise(&self) -> Option<(f64, u64)> {
        let times = self.highest / self.start;
        (self.diverged().is_none() && times > 1.001).then_some((times, self.highest_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn along(values: &[f64]) -> Course {
        let mut course = Course::new(values[0], 6, f64::EPSILON);
        (1..).zip(&values[1..]).for_each(|(step, value)| course.add(step, *value));
        course
    }

    #[test]
    fn divergence_and_recovery() {
        for (values, diverged, rise) in [
            (&[1.0][..], None, None),
            (&[1.0, 0.5, 0.2], None, None),
            (&[1.0, 1.0 + 1e-15, 1.0], None, None),
            (&[1.0, 3.0, 2.0, 0.5], None, Some((3.0, 1))),
            (&[1.0, 0.5, 1.1], Some(2), None),
            (&[1.0, 3.0, 0.5, 1.1, 1.2], Some(3), None),
            (&[1.0, 999.0, 0.5], None, Some((999.0, 1))),
            (&[1.0, 0.9, 1001.0, 0.5], Some(2), None),
            (&[1.0, 2.0, 1001.0, 1.5], Some(1), None),
            (&[1.0, f64::NAN], Some(1), None),
            (&[1.0, f64::INFINITY, 0.1], Some(1), None),
            (&[0.0, 0.0], None, None),
            (&[0.0, 1e-3], Some(1), None),
        ] {
            let course = along(values);
            assert_eq!((course.diverged(), course.rise()), (diverged, rise), "{values:?}");
        }
        let course = along(&[2.0, 5.0, 3.0, 4.0]);
        assert_eq!((course.start, course.highest, course.highest_at, course.last), (2.0, 5.0, 1, 4.0));
    }
}
