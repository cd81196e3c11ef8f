//! A network in training.

use super::problem::{Problem, gradient_len};
use super::{Optimizer, Running};
use crate::buffer::{buffer_len, take_front};
use crate::init::initialize;
use crate::kernel::tangent_len;
use crate::loss::Objective;
use crate::network::{Network, Sizes};
use crate::{Backend, Error, Real};

/// A network in training: parameters, objective, clock, and the optimizer that moves them.
pub struct Trainer<'a, N, T, B: ?Sized> {
    run: Run<'a, N, T, B>,
    optimizer: Running<'a, T>,
}

/// All of a trainer but its optimizer, which works on it.
pub(super) struct Run<'a, N, T, B: ?Sized> {
    pub(super) backend: &'a B,
    pub(super) problem: Problem<'a, N, T>,
    pub(super) theta_0: &'a [T],
    pub(super) state: State<'a, T>,
    pub(super) work: &'a mut [T],
    /// whether `work` has the passes at the present parameters
    pub(super) passed: bool,
    pub(super) step: u64,
    pub(super) evaluations: u64,
    /// ln(1 + t) from which on the optimizer has found that nothing moves
    pub(super) resting_from: Option<T>,
}

/// Where a trajectory stands.
pub(super) struct State<'a, T> {
    pub(super) theta: &'a mut [T],
    /// loss and mismatch at theta
    pub(super) objective: Objective<T>,
    /// ln(1 + t); t itself may be too large to be represented
    pub(super) log_time: T,
}

impl<T: Real> State<'_, T> {
    /// t
    pub(super) fn time(&self) -> T {
        self.log_time.exp_m1()
    }
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
    /// Initializes the network from the random `seed` and evaluates the objective there.
    ///
    /// `buffer` holds at least [`trainer_len`] numbers.
    ///
    /// # Errors
    /// A short buffer, the optimizer's numbers, a non-finite loss.
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
    ///
    /// # Errors
    /// Those of [`Self::new`], and those of `initial`.
    pub fn with_initial(
        backend: &'a B,
        problem: Problem<'a, N, T>,
        optimizer: Optimizer,
        buffer: &'a mut [T],
        initial: impl FnOnce(&mut [T]) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let (n, sizes) = (problem.x().rows(), problem.network().sizes());
        Error::at_least("trainer", trainer_len(sizes, n, &optimizer), buffer.len())?;
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let (theta_0, theta) = (take(sizes.parameters), take(sizes.parameters));
        let mut optimizer = optimizer.start(|| take(sizes.parameters))?;
        let work = take(work_len(sizes, n));
        initial(theta_0)?;
        theta.copy_from_slice(theta_0);
        let state = State { theta, objective: Objective::zero(), log_time: T::ZERO };
        let mut run =
            Run { backend, problem, theta_0, state, work, passed: true, step: 0, evaluations: 1, resting_from: None };
        run.state.objective = optimizer.descend().begin(&mut run)?;
        if !run.state.objective.loss.is_finite() {
            return Err(Error::NonFinite { what: "loss", step: 0 });
        }
        Ok(Self { run, optimizer })
    }

    /// One step. That of the flow does not end after time `until`, where that is given, by more than 1e-4 of
    /// itself, and ends there when nothing moves any more; descent takes whole steps.
    ///
    /// # Errors
    /// [`Error::NonFinite`] with the step at which the loss stopped being finite, [`Error::StepUnderflow`]; for the
    /// flow an `until` that has passed.
    pub fn advance(&mut self, until: Option<T>) -> Result<(), Error> {
        self.optimizer.descend().advance(&mut self.run, until)
    }

    /// Lets the time pass to `until`, for a caller who knows that nothing moves any more: the parameters stay, the step
    /// counts. An `until` that has passed changes nothing.
    pub fn rest(&mut self, until: T) {
        if until > self.time() {
            self.run.resting_from = self.run.resting_from.or(Some(self.run.state.log_time));
            self.run.state.log_time = until.ln_1p();
            self.run.step += 1;
        }
    }

    /// Whether time `until` is reached, to within 1e-4 of it.
    pub fn reached(&self, until: T) -> bool {
        self.time() >= until * T::from_f64(1.0 - 1e-4)
    }
    /// what is trained
    pub fn problem(&self) -> &Problem<'a, N, T> {
        &self.run.problem
    }
    /// the backend
    pub fn backend(&self) -> &'a B {
        self.run.backend
    }
    /// parameters
    pub fn theta(&self) -> &[T] {
        self.run.state.theta
    }
    /// parameters at initialization
    pub fn theta_0(&self) -> &'a [T] {
        self.run.theta_0
    }
    /// loss and margins at the parameters
    pub fn objective(&self) -> &Objective<T> {
        &self.run.state.objective
    }
    /// gradient-flow time t of the mean loss; infinite where it is too large to be represented
    pub fn time(&self) -> T {
        self.run.state.time()
    }
    /// ln(1 + t)
    pub fn log_time(&self) -> T {
        self.run.state.log_time
    }
    /// accepted steps
    pub fn step(&self) -> u64 {
        self.run.step
    }
    /// gradient evaluations so far
    pub fn evaluations(&self) -> u64 {
        self.run.evaluations
    }
    /// ln(1 + t) from which on nothing moves, as the flow has found by its last step (what is left of the path to `until`
    /// is below 1e-4 of the distance from theta_0), or as it was told by [`Self::rest`].
    pub fn resting_from(&self) -> Option<T> {
        self.run.resting_from
    }
    /// Parameters and the work space between steps, for kernels at the current parameters.
    pub(crate) fn parts(&mut self) -> (&[T], &mut [T]) {
        self.run.passed = false;
        (self.run.state.theta, self.run.work)
    }
}
