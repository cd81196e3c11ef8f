//! Adaptive gradient flow: `d theta/d tau = -G(theta)`, where G is the objective's gradient divided by the
//! mismatch kappa of [`crate::loss`], and `dt = d tau / kappa`.
//!
//! The path is that of gradient flow `d theta/dt = -grad J`; only the clock along it differs. Under
//! cross-entropy with separable data every residual falls like 1/t, so in t a step of fixed relative
//! accuracy doubles t, while in tau it stays the same: time t costs about log t steps.
//!
//! Gradient flow is stiff (the kernel's eigenvalues span decades) with a real spectrum, so the integrator
//! is the second-order Runge-Kutta-Chebyshev method (Sommeijer, Shampine, Verwer 1998): s gradient
//! evaluations give a stable step of `0.65 s^2 / rho`, against `2/rho` for one evaluation of gradient descent.
//! The spectral radius rho comes from a nonlinear power iteration. The step adapts to the method's own
//! estimate of the local error, relative to the distance from theta_0, and to the change of ln kappa that the
//! clock interpolates.

use crate::linalg::{squared_distance, sum_of_squares};
use crate::{Error, Real, loss::Objective};

/// Buffers of P numbers that the integrator needs beside parameters and gradient.
pub(crate) const BUFFERS: usize = 4;
/// Most stages in one step. Rounding is amplified by about s^2.
const MAX_STAGES: usize = 40;
/// Damping of the Chebyshev polynomial, 2/13 as its authors chose it.
const DAMPING: f64 = 2.0 / 13.0;
/// Largest |change of ln kappa| in one step: the clock interpolates ln kappa linearly within it.
const MAX_LN_MISMATCH_CHANGE: f64 = 0.5;
/// Accepted steps after which the spectral radius is looked at again.
const RADIUS_AGE: u32 = 16;
/// Power iterations from nothing, and to refresh.
const RADIUS_ITERATIONS: [u32; 2] = [12, 2];
/// Rejections in a row after which the flow gives up: the step has shrunk by more than 1e10.
const MAX_REJECTIONS: u32 = 40;
/// A step may end this share of itself behind the time limit.
const LIMIT_SLACK: f64 = 1e-4;

/// Where a trajectory stands.
#[derive(Debug)]
pub struct State<'a, T> {
    /// parameters
    pub theta: &'a mut [T],
    /// gradient of the objective at theta, divided by kappa; empty where none is kept
    pub gradient: &'a mut [T],
    /// loss and mismatch at theta
    pub objective: Objective<T>,
    /// ln(1 + t); t itself may be too large to be represented
    pub log_time: T,
}

/// The integrator: four buffers of P numbers and what the next step needs to know.
#[derive(Debug)]
pub struct Flow<'a, T> {
    stages: [&'a mut [T]; 2],
    stage_gradient: &'a mut [T],
    /// the power iteration's vector
    direction: &'a mut [T],
    tolerance: T,
    /// size of the next step in tau
    step: T,
    /// |G|/rho at the start: the distance at which the stiffest direction comes to rest
    first_distance: T,
    radius: Option<T>,
    age: u32,
}

/// Gradient divided by kappa, and objective, at `theta`.
pub(crate) type Evaluate<'e, T> = dyn FnMut(&[T], &mut [T]) -> Result<Objective<T>, Error> + 'e;

impl<'a, T: Real> Flow<'a, T> {
    /// `tolerance` bounds the estimated local error of a step by that share of the distance from theta_0 (at the
    /// start, of the distance at which the stiffest direction comes to rest).
    pub(crate) fn new(buffers: [&'a mut [T]; BUFFERS], tolerance: f64) -> Self {
        let [first, second, stage_gradient, direction] = buffers;
        Self {
            stages: [first, second],
            stage_gradient,
            direction,
            tolerance: T::from_f64(tolerance),
            step: T::ZERO,
            first_distance: T::ZERO,
            radius: None,
            age: 0,
        }
    }

    /// One accepted step, not longer than `limit` in time t where that is given.
    ///
    /// Errors: those of `evaluate`; [`Error::StepUnderflow`] and [`Error::NonFinite`] when no step is
    /// acceptable.
    pub(crate) fn advance(
        &mut self,
        state: &mut State<'a, T>,
        theta_0: &[T],
        limit: Option<T>,
        at_step: u64,
        evaluate: &mut Evaluate<'_, T>,
    ) -> Result<(), Error> {
        let fresh = self.radius.is_none();
        if fresh || self.age >= RADIUS_AGE {
            self.estimate_radius(state, evaluate)?;
        }
        if fresh {
            let radius = self.radius.unwrap_or(T::ZERO);
            if radius > T::ZERO {
                // a tenth of the time in which the stiffest direction moves
                self.step = T::from_f64(0.1) / radius;
                self.first_distance = sum_of_squares(state.gradient).sqrt() / radius;
            } else {
                self.step = T::ONE;
            }
        }
        let mut finite = true;
        for _ in 0..MAX_REJECTIONS {
            let to_limit = limit.map_or(self.step, |limit| limit * state.objective.ln_mismatch.exp());
            let (stages, step) = stages_for(self.step.min(to_limit), self.radius.unwrap_or(T::ZERO));
            let newest = self.chebyshev(state, step, stages, evaluate)?;
            let objective = evaluate(self.stages[newest], self.stage_gradient)?;
            let change = state.objective.ln_mismatch - objective.ln_mismatch;
            let error = self.error_ratio(state, theta_0, newest, step);
            // the local error is of third order in the step, the change of ln kappa of first
            let ratio = cube_root(error).max(change.abs() / T::from_f64(MAX_LN_MISMATCH_CHANGE));
            finite = ratio.is_finite() && objective.loss.is_finite();
            let ln_dt = ln_elapsed(step, state.objective.ln_mismatch, change);
            let past_limit = limit.map_or(T::ZERO, |limit| ln_dt - limit.ln());
            if finite && ratio <= T::ONE && past_limit <= T::from_f64(LIMIT_SLACK) {
                state.log_time += (ln_dt - state.log_time).exp().ln_1p();
                core::mem::swap(&mut state.theta, &mut self.stages[newest]);
                core::mem::swap(&mut state.gradient, &mut self.stage_gradient);
                state.objective = objective;
                self.age += 1;
                // a step cut short by the limit says nothing about the next one
                if self.step <= to_limit {
                    self.step = step * (T::from_f64(0.8) / ratio.max(T::from_f64(0.2)));
                }
                return Ok(());
            }
            let tenth = T::from_f64(0.1);
            self.step = step
                * if !finite {
                    tenth
                } else if ratio <= T::ONE {
                    (-past_limit).exp()
                } else {
                    (T::from_f64(0.8) / ratio).max(tenth)
                };
            // an error far above the tolerance is often an instability: the radius has grown
            if self.age > 0 && ratio > T::ONE {
                self.estimate_radius(state, evaluate)?;
            }
        }
        Err(if finite {
            Error::StepUnderflow { step: at_step }
        } else {
            Error::NonFinite { what: "loss", step: at_step }
        })
    }

    /// Runge-Kutta-Chebyshev step from `state`; the result lies in `self.stages[returned index]`.
    fn chebyshev(
        &mut self,
        state: &State<'_, T>,
        step: T,
        stages: usize,
        evaluate: &mut Evaluate<'_, T>,
    ) -> Result<usize, Error> {
        let coefficients = Chebyshev::new(stages);
        let [older, newer] = &mut self.stages;
        let first = step * T::from_f64(coefficients.first());
        older.copy_from_slice(state.theta);
        for (y, (theta, g)) in newer.iter_mut().zip(state.theta.iter().zip(state.gradient.iter())) {
            *y = *theta - first * *g;
        }
        let mut newest = 1;
        for stage in coefficients {
            let [even, odd] = &mut self.stages;
            let (newer, older) = if newest == 1 { (odd, even) } else { (even, odd) };
            evaluate(newer, self.stage_gradient)?;
            let [mu, nu, mu_tilde, gamma_tilde] = stage.map(T::from_f64);
            let (rest, mu_tilde, gamma_tilde) = (T::ONE - mu - nu, step * mu_tilde, step * gamma_tilde);
            let bases = state.theta.iter().zip(state.gradient.iter());
            for (((old, new), g), (theta, g_0)) in
                older.iter_mut().zip(newer.iter()).zip(self.stage_gradient.iter()).zip(bases)
            {
                *old = rest * *theta + mu * *new + nu * *old - mu_tilde * *g - gamma_tilde * *g_0;
            }
            newest = 1 - newest;
        }
        Ok(newest)
    }

    /// Estimated local error over what the tolerance allows.
    /// Estimate (third order): 0.8 (theta_n - theta_n+1) - 0.4 h (G_n + G_n+1).
    fn error_ratio(&self, state: &State<'_, T>, theta_0: &[T], newest: usize, step: T) -> T {
        let (new, share) = (&*self.stages[newest], T::from_f64(0.8));
        let half = T::from_f64(0.4) * step;
        let gradients = state.gradient.iter().zip(self.stage_gradient.iter());
        let mut sum = T::ZERO;
        for ((old, new), (g_old, g_new)) in state.theta.iter().zip(new).zip(gradients) {
            let e = share * (*old - *new) - half * (*g_old + *g_new);
            sum += e * e;
        }
        let distance = squared_distance(new, theta_0).sqrt();
        // rounding of theta itself is no error of the step
        let floor = T::from_f64(4.0) * T::EPSILON * sum_of_squares(new).sqrt();
        let allowed = self.tolerance * (distance + self.first_distance) + floor;
        if sum == T::ZERO { T::ZERO } else { sum.sqrt() / allowed }
    }

    /// rho <- 1.2 |G(theta + e v) - G(theta)| / e by power iteration on v.
    fn estimate_radius(&mut self, state: &State<'_, T>, evaluate: &mut Evaluate<'_, T>) -> Result<(), Error> {
        let fresh = self.radius.is_none();
        if fresh {
            self.direction.copy_from_slice(state.gradient);
        }
        let mut estimate = T::ZERO;
        for _ in 0..RADIUS_ITERATIONS[usize::from(!fresh)] {
            let norm = sum_of_squares(self.direction).sqrt();
            if norm == T::ZERO || !norm.is_finite() {
                break;
            }
            let size = T::EPSILON.sqrt() * sum_of_squares(state.theta).sqrt().max(T::ONE);
            let scale = size / norm;
            for (y, (theta, v)) in self.stages[0].iter_mut().zip(state.theta.iter().zip(self.direction.iter())) {
                *y = *theta + scale * *v;
            }
            evaluate(self.stages[0], self.stage_gradient)?;
            for (v, (g, g_0)) in self.direction.iter_mut().zip(self.stage_gradient.iter().zip(state.gradient.iter())) {
                *v = *g - *g_0;
            }
            let next = sum_of_squares(self.direction).sqrt() / size;
            let settled = (next - estimate).abs() <= T::from_f64(0.05) * next;
            estimate = next;
            if settled {
                break;
            }
        }
        self.radius = Some(T::from_f64(1.2) * estimate);
        self.age = 0;
        Ok(())
    }
}

/// Stages for a stable step, and the step, shortened where [`MAX_STAGES`] do not reach: the stability
/// interval of s stages is (2/3)(s^2 - 1)(1 - (2/15) damping).
fn stages_for<T: Real>(step: T, radius: T) -> (usize, T) {
    let interval = |s: usize| T::from_f64(2.0 / 3.0 * ((s * s - 1) as f64) * (1.0 - 2.0 / 15.0 * DAMPING));
    let need = step * radius;
    match (2..=MAX_STAGES).find(|s| interval(*s) >= need) {
        Some(stages) => (stages, step),
        None => (MAX_STAGES, interval(MAX_STAGES) / radius),
    }
}

/// ln dt, where dt = int d tau / kappa over a step in which ln kappa falls linearly by `change`:
/// dt = (step / kappa) (e^change - 1)/change.
fn ln_elapsed<T: Real>(step: T, ln_mismatch: T, change: T) -> T {
    let growth = if change == T::ZERO { T::ONE } else { change.exp_m1() / change };
    (step * growth).ln() - ln_mismatch
}

/// x^(1/3) for x >= 0; NaN stays.
fn cube_root<T: Real>(x: T) -> T {
    if x == T::ZERO { x } else { (x.ln() / T::from_f64(3.0)).exp() }
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
        if self.j > self.stages {
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
