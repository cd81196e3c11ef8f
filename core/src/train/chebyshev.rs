//! The second-order Runge-Kutta-Chebyshev method (Sommeijer, Shampine, Verwer 1998): its stability polynomial, and the
//! coefficients of its stages.

use crate::Real;

/// Most stages in one step. Rounding is amplified by about s^2.
const MAX_STAGES: usize = 40;
/// Damping of the Chebyshev polynomial, 2/13 as its authors chose it.
const DAMPING: f64 = 2.0 / 13.0;

/// Stages for a stable step, and the step, shortened where [`MAX_STAGES`] do not reach: the stability
/// interval of s stages is (2/3)(s^2 - 1)(1 - (2/15) damping).
pub(super) fn stages_for<T: Real>(step: T, radius: T) -> (usize, T) {
    let interval = |s: usize| T::from_f64(2.0 / 3.0 * ((s * s - 1) as f64) * (1.0 - 2.0 / 15.0 * DAMPING));
    let need = step * radius;
    match (2..=MAX_STAGES).find(|s| interval(*s) >= need) {
        Some(stages) => (stages, step),
        None => (MAX_STAGES, interval(MAX_STAGES) / radius),
    }
}

/// A step that is being made, one stage after the other; its newest stage lies in `buffers[newest]`.
pub(super) struct Stages<T> {
    coefficients: Chebyshev,
    step: T,
    newest: usize,
}

impl<T: Real> Stages<T> {
    /// The first stage of a step of so much in tau and of so many stages, from parameters and their gradient.
    pub(super) fn begin(
        (theta, gradient): (&[T], &[T]),
        (step, stages): (T, usize),
        [older, newer]: &mut [&mut [T]; 2],
    ) -> Self {
        let coefficients = Chebyshev::new(stages);
        let first = step * T::from_f64(coefficients.first());
        older.copy_from_slice(theta);
        for (y, (theta, g)) in newer.iter_mut().zip(theta.iter().zip(gradient)) {
            *y = *theta - first * *g;
        }
        Self { coefficients, step, newest: 1 }
    }

    /// Which buffer the newest stage is in.
    pub(super) fn newest(&self) -> usize {
        self.newest
    }

    /// The next stage, from the gradient at the newest one; whether it was the last.
    pub(super) fn advance(
        &mut self,
        (theta, gradient): (&[T], &[T]),
        buffers: &mut [&mut [T]; 2],
        stage_gradient: &[T],
    ) -> bool {
        let Some(stage) = self.coefficients.next() else { return true };
        let [even, odd] = buffers;
        let (newer, older) = if self.newest == 1 { (odd, even) } else { (even, odd) };
        let [mu, nu, mu_tilde, gamma_tilde] = stage.map(T::from_f64);
        let (rest, mu_tilde, gamma_tilde) = (T::ONE - mu - nu, self.step * mu_tilde, self.step * gamma_tilde);
        let bases = theta.iter().zip(gradient);
        for (((old, new), g), (theta, g_0)) in older.iter_mut().zip(newer.iter()).zip(stage_gradient.iter()).zip(bases)
        {
            *old = rest * *theta + mu * *new + nu * *old - mu_tilde * *g - gamma_tilde * *g_0;
        }
        self.newest = 1 - self.newest;
        self.coefficients.is_done()
    }
}

/// Coefficients (mu_j, nu_j, mu~_j, gamma~_j) of the stages j = 2..=s, in f64 on every machine.
struct Chebyshev {
    stages: usize,
    j: usize,
    w0: f64,
    w1: f64,
    /// T, T', T'' at w0 of degrees j - 2 and j - 1
    older: [f64; 3],
    newer: [f64; 3],
    /// b and a = 1 - b T of the same degrees
    b: [f64; 2],
    a_newer: f64,
}

impl Chebyshev {
    fn new(stages: usize) -> Self {
        let w0 = 1.0 + DAMPING / (stages * stages) as f64;
        let (mut older, mut newer) = ([1.0, 0.0, 0.0], [w0, 1.0, 0.0]);
        for _ in 2..=stages {
            (older, newer) = (newer, next_degree(w0, older, newer));
        }
        let w1 = newer[1] / newer[2];
        let second = next_degree(w0, [1.0, 0.0, 0.0], [w0, 1.0, 0.0]);
        let b = second[2] / (second[1] * second[1]);
        Self { stages, j: 2, w0, w1, older: [1.0, 0.0, 0.0], newer: [w0, 1.0, 0.0], b: [b, b], a_newer: 1.0 - b * w0 }
    }
    /// mu~_1
    fn first(&self) -> f64 {
        self.b[1] * self.w1
    }
    /// Whether every stage has been made.
    fn is_done(&self) -> bool {
        self.j > self.stages
    }
}

/// T_j, T_j', T_j'' at w from the two degrees before.
fn next_degree(w: f64, older: [f64; 3], newer: [f64; 3]) -> [f64; 3] {
    let twice = 2.0 * w;
    [
        twice * newer[0] - older[0],
        twice * newer[1] - older[1] + 2.0 * newer[0],
        twice * newer[2] - older[2] + 4.0 * newer[1],
    ]
}

impl Iterator for Chebyshev {
    type Item = [f64; 4];
    fn next(&mut self) -> Option<[f64; 4]> {
        if self.is_done() {
            return None;
        }
        let t = next_degree(self.w0, self.older, self.newer);
        let b = t[2] / (t[1] * t[1]);
        let mu = 2.0 * b * self.w0 / self.b[1];
        let nu = -b / self.b[0];
        let mu_tilde = 2.0 * b * self.w1 / self.b[1];
        let gamma_tilde = -self.a_newer * mu_tilde;
        (self.older, self.newer) = (self.newer, t);
        self.b = [self.b[1], b];
        self.a_newer = 1.0 - b * t[0];
        self.j += 1;
        Some([mu, nu, mu_tilde, gamma_tilde])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The amplification of `dy/dt = -w y` over a step of 1.
    fn amplification(stages: usize, w: f64) -> f64 {
        let coefficients = Chebyshev::new(stages);
        let (mut older, mut newer) = (1.0, 1.0 - coefficients.first() * w);
        for [mu, nu, mu_tilde, gamma_tilde] in coefficients {
            let next = (1.0 - mu - nu) + mu * newer + nu * older - mu_tilde * w * newer - gamma_tilde * w;
            (older, newer) = (newer, next);
        }
        newer
    }

    #[test]
    fn a_step_is_of_second_order() {
        for stages in [2, 3, 7, MAX_STAGES] {
            // the error of e^-w is of third order: halving w divides it by 8
            let error = |w: f64| (amplification(stages, w) - libm::exp(-w)).abs();
            let ratio = error(0.02) / error(0.01);
            assert!((7.5..8.5).contains(&ratio), "{stages} stages: {ratio}");
        }
    }

    #[test]
    fn the_stages_chosen_are_stable_up_to_the_radius_and_no_more_than_needed() {
        for radius in [0.1, 5.0, 100.0, 900.0] {
            let (stages, step) = stages_for(1.0, radius);
            assert_eq!(step, 1.0);
            for k in 1..=1000 {
                let w = radius * f64::from(k) / 1000.0;
                assert!(amplification(stages, w).abs() <= 1.0, "{stages} stages, w = {w}");
            }
            // damping leaves a little beyond the stated interval; 10 % more is too much
            let fewer = stages - 1;
            assert!(fewer < 2 || amplification(fewer, 1.1 * radius).abs() > 1.0, "{radius}: {fewer} stages would do");
        }
    }

    #[test]
    fn a_step_that_is_too_long_is_shortened() {
        let (stages, step) = stages_for(1.0, 1e6);
        assert_eq!(stages, MAX_STAGES);
        assert!(amplification(stages, step * 1e6).abs() <= 1.0 && step < 1e-2, "{step}");
        assert_eq!(stages_for(1e9, 0.0), (2, 1e9));
    }
}
