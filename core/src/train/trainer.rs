//! A network in training.

use super::problem::{Position, Problem, gradient_len};
use super::{Chattering, Descend, End, Optimizer, Running};
use crate::buffer::{buffer_len, take_front};
use crate::init::initialize;
use crate::kernel::tangent_len;
use crate::loss::Objective;
use crate::network::{Network, Sizes};
use crate::{Backend, Error, MatRef, Real};

/// A network in training: parameters, objective, clock, and the optimizer that moves them.
pub struct Trainer<'a, N, T, B: ?Sized> {
    pub(super) run: Run<'a, N, T, B>,
    pub(super) optimizer: Running<'a, T>,
}

/// All of a trainer but its optimizer, which works on it.
pub(super) struct Run<'a, N, T, B: ?Sized> {
    pub(super) backend: &'a B,
    pub(super) problem: Problem<'a, N, T>,
    pub(super) optimizer: Optimizer,
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

impl<N: Network, T: Real, B: Backend<T> + ?Sized> Run<'_, N, T, B> {
    /// The objective at `theta`, and its gradient divided by the mismatch.
    pub(super) fn evaluate(&mut self, theta: &[T], out: &mut [T]) -> Result<Objective<T>, Error> {
        self.evaluations += 1;
        self.problem.evaluate(self.backend, Position { theta, theta_0: self.theta_0 }, true, out, self.work)
    }
}

impl<N, T: Real, B: ?Sized> Run<'_, N, T, B> {
    /// The step of a flow that has come to rest: to the end, if it may go there.
    pub(super) fn rest_until(&mut self, end: End<T>) -> bool {
        let End::At(until) = end else { return false };
        self.resting_from = self.resting_from.or(Some(self.state.log_time));
        self.state.log_time = until.ln_1p();
        self.step += 1;
        true
    }
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

/// A state, and the work space.
pub(super) struct Place<'r, T> {
    pub(super) theta: &'r [T],
    pub(super) theta_0: &'r [T],
    pub(super) log_time: T,
    pub(super) work: &'r mut [T],
}

/// Elements of the buffer of a [`Trainer`] for n samples; the recorder uses its work space too.
pub const fn trainer_len(sizes: Sizes, batch: usize, optimizer: &Optimizer) -> usize {
    buffer_len(&[&[2, sizes.parameters], &[optimizer.len(sizes, batch)], &[work_len(sizes, batch)]])
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
    /// [`Error::BufferLength`]; [`Error::OutOfRange`]: the optimizer's numbers; [`Error::NonFinite`]: the loss.
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
        Self::begin(backend, problem, optimizer, buffer, |theta_0, theta| {
            initial(theta_0)?;
            theta.copy_from_slice(theta_0);
            Ok(())
        })
    }

    /// From the theta_0 and theta that `fill` writes, at step 0.
    // Apart: inlined, what it moves while it puts a trainer together would be on the stack as long as that trains.
    #[inline(never)]
    pub(super) fn begin(
        backend: &'a B,
        problem: Problem<'a, N, T>,
        optimizer: Optimizer,
        buffer: &'a mut [T],
        fill: impl FnOnce(&mut [T], &mut [T]) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let (n, sizes) = (problem.x().rows(), problem.network().sizes());
        Error::at_least("trainer", trainer_len(sizes, n, &optimizer), buffer.len())?;
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let (theta_0, theta) = (take(sizes.parameters), take(sizes.parameters));
        let mut running = optimizer.start(sizes, n, &mut take)?;
        let work = take(work_len(sizes, n));
        fill(theta_0, theta)?;
        let state = State { theta, objective: Objective::zero(), log_time: T::ZERO };
        let mut run = Run {
            backend,
            problem,
            optimizer,
            theta_0,
            state,
            work,
            passed: true,
            step: 0,
            evaluations: 1,
            resting_from: None,
        };
        run.state.objective = running.descend().begin(&mut run)?;
        if !run.state.objective.loss.is_finite() {
            return Err(Error::NonFinite { what: "loss" });
        }
        Ok(Self { run, optimizer: running })
    }

    /// One step. That of the flow does not end after time `until`, where that is given, by more than 1e-4 of
    /// itself, and ends there when nothing moves any more; descent takes whole steps.
    ///
    /// # Errors
    /// [`Error::Diverged`] with the step at which the loss stopped being finite, [`Error::StepUnderflow`], [`Error::LostInRounding`]; for the
    /// flow an `until` that has passed.
    pub fn advance(&mut self, until: Option<T>) -> Result<(), Error> {
        while !self.poll(until)? {}
        Ok(())
    }

    /// [`Self::advance`] in slices: begins a step, or goes on with the one under way, and comes back after at most one gradient
    /// evaluation, or one iteration for the kernel's largest eigenvalue, which costs about as much (for C outputs C times as
    /// much). Whether the step is made: its bits are those of [`Self::advance`], whatever is done in between.
    ///
    /// Between two slices of a step nothing that the trainer shows moves, but [`Self::evaluations`]. An `until` counts where a
    /// step begins; [`Self::save`] and a recorder wait for its end, and say so.
    ///
    /// ```
    /// # use ntkscope_core::{MatRef, Portable, loss::Loss, network::Fcn};
    /// # use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
    /// # let (network, flow) = (Fcn::new(1, &[16], 1)?, Optimizer::Flow { tolerance: 0.01 });
    /// # let problem = Problem::new(&network, MatRef::new(&[1.0], 1, 1)?, MatRef::new(&[2.0], 1, 1)?, Loss::SquaredError, 0.0)?;
    /// # let mut buffer = vec![0.0f64; trainer_len(network.sizes(), 1, &flow)];
    /// # let mut trainer = Trainer::new(&Portable, problem, flow, 7, &mut buffer)?;
    /// # let feed_the_watchdog = || ();
    /// while !trainer.reached(100.0) {
    ///     trainer.poll(Some(100.0))?;
    ///     feed_the_watchdog();
    /// }
    /// # Ok::<(), ntkscope_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As of [`Self::advance`]; the step under way is given up.
    pub fn poll(&mut self, until: Option<T>) -> Result<bool, Error> {
        Ok(self.slice(until.map_or(End::Open, End::At))?.is_some())
    }

    fn slice(&mut self, end: End<T>) -> Result<Option<bool>, Error> {
        let result = self.optimizer.descend().slice(&mut self.run, end);
        if result.is_err() {
            self.optimizer.descend::<N, B>().abandon();
        }
        result
    }

    /// `Ok` between two steps.
    ///
    /// # Errors
    /// [`Error::State`]: one is under way, by [`Self::poll`].
    pub fn between_steps(&self) -> Result<(), Error> {
        let is_under_way = match &self.optimizer {
            Running::Flow(flow) => Descend::<N, T, B>::is_under_way(flow),
            Running::Kinked(flow) => Descend::<N, T, B>::is_under_way(flow),
            Running::Descent(descent) => Descend::<N, T, B>::is_under_way(descent),
        };
        if is_under_way {
            Err(Error::State { what: "in the middle of a step; poll until it is complete" })
        } else {
            Ok(())
        }
    }

    /// Trains on other samples from here, as many as before: theta_0, theta, time and the counts stay, one gradient
    /// evaluation is added. They are refused where a new trainer at these parameters would refuse them. `x` `(n, d)` and
    /// `targets` `(n, C)` as in [`Problem::new`].
    ///
    /// They are borrowed as long as the first. Where the same memory is to be filled again, [`Self::save`] the trainer, and
    /// [`Self::restore`] it with a problem of the new numbers.
    ///
    /// # Errors
    /// Those of [`Problem::new`]; another number of samples; a step under way; a loss that is not finite there. After any of
    /// these the trainer is in the state in which it was, to the last bit.
    pub fn replace_samples(&mut self, x: MatRef<'a, T>, targets: MatRef<'a, T>) -> Result<(), Error> {
        self.between_steps()?;
        let other = self.run.problem.with_samples(x, targets)?;
        let run = &mut self.run;
        // only the work space is written before it is known that these samples can be trained on
        run.passed = false;
        let there = other.passes(run.backend, run.state.theta, true, run.work)?.0;
        if !there.loss.is_finite() {
            return Err(Error::NonFinite { what: "loss" });
        }
        run.problem = other;
        run.state.objective = self.optimizer.descend().begin(run)?;
        (run.passed, run.resting_from) = (true, None);
        run.evaluations += 1;
        self.optimizer.descend::<N, B>().renew();
        Ok(())
    }

    /// The step that [`Self::advance`] makes without an end, unless `until` would cut it short or nothing moves any more:
    /// then none is made and false returned. That is where a run with a later end leaves one that ends at `until`, so the
    /// state to be saved for going on beyond it.
    ///
    /// # Errors
    /// As of [`Self::advance`].
    pub fn advance_within(&mut self, until: T) -> Result<bool, Error> {
        loop {
            if let Some(made) = self.slice(End::Before(until))? {
                return Ok(made);
            }
        }
    }

    /// Whether the flow has found that nothing moves any more, however long it goes on.
    pub fn at_rest(&self) -> bool {
        match &self.optimizer {
            Running::Kinked(flow) => flow.at_rest(&self.run),
            Running::Flow(flow) => flow.at_rest(&self.run),
            Running::Descent(_) => false,
        }
    }

    /// Whether time `until` is reached: by the flow to within 1e-4 of it, by descent to rounding, after whole steps.
    pub fn reached(&self, until: T) -> bool {
        match self.rate() {
            // not by way of ln(1 + t), which has fewer digits
            Some(rate) => rate * T::from_f64(self.step() as f64) >= until * (T::ONE - T::from_f64(4.0) * T::EPSILON),
            None => self.time() >= until * T::from_f64(1.0 - 1e-4),
        }
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
    /// gradient-flow time t of the mean loss, or of the sum where the problem sums; infinite where it is too large to be represented
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
    /// ln(1 + t) from which on nothing moves, as the flow has found by its last step.
    pub fn resting_from(&self) -> Option<T> {
        self.run.resting_from
    }
    /// How the parameters move, as it was given.
    pub fn optimizer(&self) -> Optimizer {
        self.run.optimizer
    }
    /// The rate of a descent; `None` for a flow.
    pub fn rate(&self) -> Option<T> {
        match &self.optimizer {
            Running::Descent(descent) => Some(descent.rate()),
            Running::Flow(_) | Running::Kinked(_) => None,
        }
    }
    /// The problem, the parameters, and the work space between steps, for what is measured at them.
    pub(crate) fn problem_and_work(&mut self) -> (&Problem<'a, N, T>, &[T], &mut [T]) {
        self.run.passed = false;
        (&self.run.problem, self.run.state.theta, self.run.work)
    }
    /// The flow's state and free buffers, where its units may chatter and it has made a step.
    pub(crate) fn chattering(&mut self) -> Option<(&Problem<'a, N, T>, Chattering<'_, T>)> {
        let Run { problem, state, theta_0, work, step, .. } = &mut self.run;
        let place = Place { theta: state.theta, theta_0, log_time: state.log_time, work };
        match &mut self.optimizer {
            Running::Kinked(flow) if *step > 0 => Some((problem, flow.chattering(place))),
            _ => None,
        }
    }
}
