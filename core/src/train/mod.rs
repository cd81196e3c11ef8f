//! Training: the objective and its gradient ([`Problem`]), and the two ways down ([`Optimizer`], [`Trainer`]).
//!
//! ```text
//! J(theta) = (1/n) sum_i l(f(x_i; theta) - o_i, y_i) + (lambda/2) |theta - theta_0|^2
//! ```
//!
//! with the mean loss, so that gradient flow has `df/dt = -(1/n) K r`. In the convention of a summed loss
//! the penalty is `n lambda` and time runs n times slower. The offset o is 0 where none is given
//! ([`Problem::with_offset`]).

mod problem;

pub use problem::Problem;

use crate::flow::{self, Flow, State};
use crate::init::initialize;
use crate::kernel::tangent_len;
use crate::linalg::{squared_distance, sum_of_squares};
use crate::loss::Objective;
use crate::mat::{buffer_len, take_front};
use crate::network::{Network, Sizes};
use crate::{Backend, Error, Real};
use problem::gradient_len;

/// How the parameters move.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Optimizer {
    /// adaptive gradient flow ([`crate::flow`])
    Flow {
        /// local error allowed in a step, as a share of the distance from theta_0; 0.01 suits ReLU, whose kinks
        /// make the number of steps grow like 1/tolerance
        tolerance: f64,
    },
    /// `theta <- theta - rate grad J`; time advances by `rate` a step
    Descent {
        /// for squared error stable below 2 n / lambda_max(K)
        rate: f64,
    },
}

impl Optimizer {
    /// Buffers of P numbers beside theta_0 and theta: the gradient and the flow's own.
    const fn buffers(&self) -> usize {
        match self {
            Self::Flow { .. } => 1 + flow::BUFFERS,
            Self::Descent { .. } => 0,
        }
    }
    fn check(&self) -> Result<(), Error> {
        let positive = |x: f64| x > 0.0 && x.is_finite();
        match *self {
            Self::Flow { tolerance } if !(positive(tolerance) && tolerance < 1.0) => {
                Err(Error::OutOfRange { what: "tolerance", needs: "in (0, 1)", got: tolerance })
            }
            Self::Descent { rate } if !positive(rate) => {
                Err(Error::OutOfRange { what: "rate", needs: "finite and > 0", got: rate })
            }
            _ => Ok(()),
        }
    }
}

enum Method<'a, T> {
    Flow(Flow<'a, T>),
    Descent(T),
}

/// Share of the distance from theta_0 that counts as no movement.
const REST: f64 = 1e-4;

/// Whether gradient flow stays where it is for `time`: near a minimum |grad J| only falls, so the path that is
/// left is no longer than `time |grad J|`. This is what lets a converged run reach any time in one step.
fn at_rest<T: Real>(state: &State<'_, T>, theta_0: &[T], time: T) -> bool {
    let speed = sum_of_squares(state.gradient).sqrt() * state.objective.ln_mismatch.exp();
    time * speed < T::from_f64(REST) * squared_distance(state.theta, theta_0).sqrt()
}

/// A network in training: parameters, gradient, clock.
pub struct Trainer<'a, N, T, B: ?Sized> {
    backend: &'a B,
    problem: Problem<'a, N, T>,
    theta_0: &'a [T],
    state: State<'a, T>,
    method: Method<'a, T>,
    work: &'a mut [T],
    /// whether `work` has the passes at the present parameters
    passed: bool,
    step: u64,
    evaluations: u64,
}

/// Elements of the buffer of a [`Trainer`] for n samples; the recorder uses its work space too.
pub const fn trainer_len(sizes: Sizes, batch: usize, optimizer: &Optimizer) -> usize {
    buffer_len(&[&[2 + optimizer.buffers(), sizes.parameters], &[work_len(sizes, batch)]])
}

const fn work_len(sizes: Sizes, batch: usize) -> usize {
    let (train, kernel) = (gradient_len(sizes, batch), tangent_len(sizes, batch));
    if train > kernel { train } else { kernel }
}

impl<'a, N: Network, T: Real, B: Backend<T> + ?Sized> Trainer<'a, N, T, B> {
    /// Initializes the network from `seed` and evaluates the objective there.
    ///
    /// `buffer` holds at least [`trainer_len`] numbers. Errors: a short buffer, the optimizer's numbers, a
    /// non-finite loss.
    pub fn new(
        backend: &'a B,
        problem: Problem<'a, N, T>,
        optimizer: Optimizer,
        seed: u64,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        Self::with_initial(backend, problem, optimizer, buffer, |theta| initialize(problem.network(), seed, theta))
    }

    /// The same from parameters that `initial` writes.
    pub fn with_initial(
        backend: &'a B,
        problem: Problem<'a, N, T>,
        optimizer: Optimizer,
        buffer: &'a mut [T],
        initial: impl FnOnce(&mut [T]) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        optimizer.check()?;
        let (n, sizes) = (problem.x().rows(), problem.network().sizes());
        Error::at_least("trainer", trainer_len(sizes, n, &optimizer), buffer.len())?;
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let (theta_0, theta) = (take(sizes.parameters), take(sizes.parameters));
        let (gradient, method) = match optimizer {
            Optimizer::Flow { tolerance } => {
                let gradient = take(sizes.parameters);
                (gradient, Method::Flow(Flow::new(core::array::from_fn(|_| take(sizes.parameters)), tolerance)))
            }
            Optimizer::Descent { rate } => (take(0), Method::Descent(T::from_f64(rate))),
        };
        let work = take(work_len(sizes, n));
        initial(theta_0)?;
        theta.copy_from_slice(theta_0);
        let objective = match method {
            Method::Flow(_) => problem.evaluate(backend, (theta, theta_0), true, gradient, work)?,
            Method::Descent(_) => problem.passes(backend, theta, false, work)?.0,
        };
        if !objective.loss.is_finite() {
            return Err(Error::NonFinite { what: "loss", step: 0 });
        }
        let state = State { theta, gradient, objective, log_time: T::ZERO };
        Ok(Self { backend, problem, theta_0, state, method, work, passed: true, step: 0, evaluations: 1 })
    }

    /// One step. That of the flow does not end behind time `until`, where that is given, by more than 1e-4 of
    /// itself, and ends there when nothing moves any more; descent takes whole steps.
    ///
    /// Errors: [`Error::NonFinite`] with the step at which the loss stopped being finite,
    /// [`Error::StepUnderflow`]; for the flow an `until` that has passed.
    pub fn advance(&mut self, until: Option<T>) -> Result<(), Error> {
        let limit = until.map(|t| t - self.time());
        if let (Method::Flow(_), Some(until), Some(limit)) = (&self.method, until, limit)
            && (limit <= T::ZERO || limit.is_nan())
        {
            return Err(Error::OutOfRange { what: "until", needs: "after the present time", got: until.to_f64() });
        }
        let Self { backend, problem, theta_0, state, method, work, passed, .. } = self;
        self.step += 1;
        match method {
            Method::Flow(flow) => {
                if let (Some(until), Some(left)) = (until, limit)
                    && at_rest(state, theta_0, left)
                {
                    state.log_time = until.ln_1p();
                    return Ok(());
                }
                let mut evaluate = |theta: &[T], out: &mut [T]| {
                    self.evaluations += 1;
                    problem.evaluate(*backend, (theta, theta_0), true, out, work)
                };
                flow.advance(state, theta_0, limit, self.step, &mut evaluate)
            }
            Method::Descent(rate) => {
                if !*passed {
                    problem.passes(*backend, state.theta, false, work)?;
                }
                problem.descend(*backend, *rate, (state.theta, theta_0), work)?;
                self.evaluations += 1;
                state.objective = problem.passes(*backend, state.theta, false, work)?.0;
                *passed = true;
                state.log_time = (*rate * T::from_f64(self.step as f64)).ln_1p();
                if state.objective.loss.is_finite() {
                    Ok(())
                } else {
                    Err(Error::NonFinite { what: "loss", step: self.step })
                }
            }
        }
    }

    /// Whether time `until` is reached, to within 1e-4 of it.
    pub fn reached(&self, until: T) -> bool {
        self.time() >= until * T::from_f64(1.0 - 1e-4)
    }
    /// what is trained
    pub fn problem(&self) -> &Problem<'a, N, T> {
        &self.problem
    }
    /// the backend
    pub fn backend(&self) -> &'a B {
        self.backend
    }
    /// parameters
    pub fn theta(&self) -> &[T] {
        self.state.theta
    }
    /// parameters at initialization
    pub fn theta_0(&self) -> &'a [T] {
        self.theta_0
    }
    /// loss and margins at the parameters
    pub fn objective(&self) -> &Objective<T> {
        &self.state.objective
    }
    /// gradient-flow time t of the mean loss; infinite where it is too large to be represented
    pub fn time(&self) -> T {
        self.state.log_time.exp_m1()
    }
    /// ln(1 + t)
    pub fn log_time(&self) -> T {
        self.state.log_time
    }
    /// accepted steps
    pub fn step(&self) -> u64 {
        self.step
    }
    /// gradient evaluations so far
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }
    /// Parameters and the work space between steps, for kernels at the current parameters.
    pub(crate) fn parts(&mut self) -> (&[T], &mut [T]) {
        self.passed = false;
        (self.state.theta, self.work)
    }
}
