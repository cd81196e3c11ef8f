//! Takes the snapshots of a run.

use super::burst::{Burst, BurstSpace, Visit, burst_len};
use super::sharpness::{Sharpness, sharpness_len};
use super::{Reading, Snapshot};
use crate::buffer::{buffer_len, take_front};
use crate::forward::Params;
use crate::kernel::{
    AnalyticKernel, MeanTangent, MultiOutput, analytic, analytic_scratch, centred_alignment, gram, max_abs_difference,
    relative_frobenius, spectrum, structured, structured_scratch, tangent,
};
use crate::network::{Network, Sizes};
use crate::train::{Optimizer, Problem, Trainer};
use crate::{Backend, Error, MatMut, MatRef, Real, Tile};

/// Kernels of the training samples: analytic, at initialization, now.
///
/// A flow whose units may chatter across their kinks is read by a [`Burst`], and every number of a snapshot is of the burst;
/// all others, and the first snapshot, are of a point.
///
/// ```
/// use ntkscope_core::{MatRef, Portable, loss::Loss, network::Fcn};
/// use ntkscope_core::record::{Burst, Recorder, recorder_len};
/// use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
///
/// let (network, flow) = (Fcn::new(1, &[16], 1)?, Optimizer::Flow { tolerance: 0.01 });
/// let (x, y) = (MatRef::new(&[1.0, -2.0], 2, 1)?, MatRef::new(&[1.0, -1.0], 2, 1)?);
/// let problem = Problem::new(&network, x, y, Loss::SquaredError, 0.0)?;
/// let mut buffer = vec![0.0f64; trainer_len(network.sizes(), 2, &flow)];
/// let mut kernels = vec![0.0; recorder_len(network.sizes(), 2, Portable::TILE, &flow, Some(Burst::STANDARD))];
/// let mut trainer = Trainer::new(&Portable, problem, flow, 7, &mut buffer)?;
/// let mut recorder = Recorder::new(&mut trainer, Some(Burst::STANDARD), &mut kernels)?;
/// assert_eq!(recorder.observe(&mut trainer)?.drift_max, 0.0);
/// trainer.advance(None)?;
/// assert!(recorder.observe(&mut trainer)?.drift_max > 0.0);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
pub struct Recorder<'a, T> {
    n: usize,
    analytic: &'a mut [T],
    initial: &'a mut [T],
    current: &'a mut [T],
    work: &'a mut [T],
    values: &'a mut [T],
    scratch: &'a mut [T],
    burst: Option<(Burst, BurstSpace<'a, T>)>,
    sharpness: Option<Sharpness<'a, T>>,
    /// largest drift and error so far
    highest: [T; 2],
}

/// Elements of the buffer of a [`Recorder`] for n samples on a backend whose tile is `tile`, with a burst for each snapshot of
/// a flow or, without one, the kernel of a point.
pub const fn recorder_len(
    sizes: Sizes,
    batch: usize,
    tile: Tile,
    optimizer: &Optimizer,
    burst: Option<Burst>,
) -> usize {
    let own = match optimizer {
        Optimizer::Flow { .. } if burst.is_some() && sizes.kinks > 0 => burst_len(sizes, batch),
        Optimizer::Flow { .. } => 0,
        Optimizer::Descent { .. } => sharpness_len(sizes, batch),
    };
    buffer_len(&[&[4, batch, batch], &[batch], &[scratch_len(sizes, batch, tile)], &[own]])
}

const fn scratch_len(sizes: Sizes, n: usize, tile: Tile) -> usize {
    let (s, a) = (structured_scratch(tile, n, n), analytic_scratch(sizes, tile, n, n));
    let longer = if s > a { s } else { a };
    if longer > n { longer } else { n }
}

impl<'a, T: Real> Recorder<'a, T> {
    /// Computes Theta, and K_0 at the trainer's parameters at initialization.
    ///
    /// `buffer` holds at least [`recorder_len`] numbers.
    ///
    /// # Errors
    /// [`Error::BufferLength`]: shorter than [`recorder_len`]; [`Error::State`] in the middle of a step; those of [`analytic`] and
    /// [`tangent`], such as [`Error::SampleScale`], and [`Error::OutOfRange`] for a sample too large for an activation without closed form.
    // Apart, for the stack: a recorder is held longer than it is made.
    #[inline(never)]
    pub fn new<N: Network, B: Backend<T> + ?Sized>(
        trainer: &mut Trainer<'_, N, T, B>,
        burst: Option<Burst>,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        trainer.between_steps()?;
        let (n, sizes, backend) =
            (trainer.problem().x().rows(), trainer.problem().network().sizes(), trainer.backend());
        let tile = backend.tile();
        let (optimizer, is_descent) = (trainer.optimizer(), trainer.rate().is_some());
        Error::at_least("recorder", recorder_len(sizes, n, tile, &optimizer, burst), buffer.len())?;
        let burst = burst.filter(|_| sizes.kinks > 0 && !is_descent);
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let recorder = Self {
            n,
            analytic: take(n * n),
            initial: take(n * n),
            current: take(n * n),
            work: take(n * n),
            values: take(n),
            scratch: take(scratch_len(sizes, n, tile)),
            burst: match burst {
                Some(burst) => Some((burst, BurstSpace::new(sizes, n, take(burst_len(sizes, n)))?)),
                None => None,
            },
            sharpness: is_descent.then(|| Sharpness::new(sizes, n, take(sharpness_len(sizes, n)))),
            highest: [T::ZERO; 2],
        };
        let (network, x) = (trainer.problem().network(), trainer.problem().x());
        let theta = MatMut::dense(recorder.analytic, n, n);
        analytic(backend, network, AnalyticKernel::Ntk, x, None, theta, recorder.scratch)?;
        let (theta_0, initial) = (trainer.theta_0(), MatMut::dense(recorder.initial, n, n));
        let (problem, _, work) = trainer.problem_and_work();
        kernel_of(backend, problem, theta_0, work, initial, recorder.scratch)?;
        Ok(recorder)
    }

    /// Resumes the run of which this is the last snapshot that was taken.
    pub fn resume_from(&mut self, last: &Snapshot<T>) {
        self.highest = [last.drift_highest, last.error_highest];
    }

    /// The analytic NTK Theta `(n, n)`.
    pub fn analytic(&self) -> MatRef<'_, T> {
        MatRef::dense(self.analytic, self.n, self.n)
    }
    /// K_0 `(n, n)`.
    pub fn initial(&self) -> MatRef<'_, T> {
        MatRef::dense(self.initial, self.n, self.n)
    }
    /// K_t `(n, n)` of the last snapshot.
    pub fn current(&self) -> MatRef<'_, T> {
        MatRef::dense(self.current, self.n, self.n)
    }

    /// The kernel of the present parameters `(n, n)`, derivatives 0 or 1 at a kink: of a network that is not read by a burst
    /// [`Self::current`] bit for bit. It stands where other measurements work, and until the next of them.
    ///
    /// # Errors
    /// As of [`Self::observe`].
    pub fn point_kernel<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, B>,
    ) -> Result<MatRef<'_, T>, Error> {
        trainer.between_steps()?;
        kernel_of_point(trainer, MatMut::dense(self.work, self.n, self.n), self.scratch)?;
        Ok(MatRef::dense(self.work, self.n, self.n))
    }

    /// K_t of the present parameters.
    fn measure_kernel<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, B>,
    ) -> Result<(), Error> {
        kernel_of_point(trainer, MatMut::dense(self.current, self.n, self.n), self.scratch)
    }

    /// K_eff of a burst from the present parameters, what the burst says, and the standard error of the drift; `None`, and
    /// nothing measured, where a point is enough or a burst leaves the finite numbers.
    fn measure_burst<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, B>,
        state: &mut dyn FnMut(&[T]) -> Result<(), Error>,
    ) -> Result<Option<(Reading<T>, T)>, Error> {
        let (n, backend) = (self.n, trainer.backend());
        let (Some((burst, space)), Some((problem, mut flow))) = (&mut self.burst, trainer.chattering()) else {
            return Ok(None);
        };
        let (network, x) = (problem.network(), problem.x());
        let initial = MatRef::dense(self.initial, n, n);
        let (mut drifts, mut quarters) = ([T::ZERO; 4], 0);
        let burst = burst.at_most(flow.gone);
        let mut quarter = |quarter: &MeanTangent<'a, T>| {
            let kernel = MatMut::dense(self.work, n, n);
            structured(backend, &quarter.tangent(network, x)?, None, MultiOutput::Trace, kernel, self.scratch)?;
            drifts[quarters] = max_abs_difference(MatRef::dense(self.work, n, n), initial)?;
            quarters += 1;
            Ok(())
        };
        let visit = Visit { state, quarter: &mut quarter };
        let reading = match space.read(backend, problem, &mut flow, burst, visit) {
            // steps from where numbers end, which the flow would take again shorter: what is there is the point
            Err(Error::Diverged { .. }) => return Ok(None),
            read => read?,
        };
        let tangent = space.mean().tangent(network, x)?;
        let kernel = MatMut::dense(self.current, n, n);
        structured(backend, &tangent, None, MultiOutput::Trace, kernel, self.scratch)?;
        let nan = T::from_f64(f64::NAN);
        Ok(Some((reading, if quarters == drifts.len() { standard_error(drifts) } else { nan })))
    }

    /// The snapshot of this moment. Where loss, parameters or kernel are not finite, `finite` is false and the numbers
    /// that cannot be computed are NaN, as those are that are undefined: relative to a kernel that is 0.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::BufferLength`], of a trainer of another problem; [`Error::State`] in the middle of a step;
    /// [`Error::SampleScale`] of a sample that T cannot hold the kernel of; [`Error::OutOfRange`]: a burst without states, or with a step that is no
    /// positive number, and as of [`centred_alignment`].
    pub fn observe<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, B>,
    ) -> Result<Snapshot<T>, Error> {
        self.observe_states(trainer, &mut |_| Ok(()))
    }

    /// The same; `state` sees the parameters of every state that the snapshot is a mean of, one state that is itself
    /// included: what is to be read beside it is read there.
    ///
    /// # Errors
    /// Those of [`Self::observe`], and those of `state`.
    pub fn observe_states<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, B>,
        state: &mut dyn FnMut(&[T]) -> Result<(), Error>,
    ) -> Result<Snapshot<T>, Error> {
        trainer.between_steps()?;
        self.measure_kernel(trainer)?;
        let point_drift_max = max_abs_difference(self.current(), self.initial())?;
        let point_drift_fro = relative_frobenius(self.current(), self.initial())?;
        let nan = T::from_f64(f64::NAN);
        let (reading, drift_max_se) = match self.measure_burst(trainer, state)? {
            Some(read) => read,
            None => {
                state(trainer.theta())?;
                (Reading::of_point(trainer), nan)
            }
        };
        let stability = match (&mut self.sharpness, trainer.rate()) {
            (Some(sharpness), Some(rate)) => sharpness.reading(trainer, rate)?,
            _ => nan,
        };
        let target_alignment = self.target_alignment(trainer.problem().targets())?;
        let (initial, analytic, current) = (self.initial(), self.analytic(), self.current());
        let drift_max = max_abs_difference(current, initial)?;
        let (drift_fro, error_fro) = (relative_frobenius(current, initial)?, relative_frobenius(current, analytic)?);
        let (error_max, alignment) = (max_abs_difference(current, analytic)?, centred_alignment(current, initial)?);
        let Reading { objective, log_time, param_norm, param_distance, param_max, sliding, velocity_error, .. } =
            reading;
        self.highest = [self.highest[0].max(drift_max), self.highest[1].max(error_max)];
        let [drift_highest, error_highest] = self.highest;
        // of the drifts the one that is a difference: that relative to a kernel of zeros is undefined
        let finite = drift_max.is_finite() && param_norm.is_finite() && objective.loss.is_finite();
        let n = self.n;
        let (kernel, work) = (MatRef::dense(self.current, n, n), MatMut::dense(self.work, n, n));
        let spectrum = if finite {
            spectrum(trainer.backend(), kernel, work, self.values, self.scratch)
        } else {
            Err(Error::NonFinite { what: "the kernel" })
        };
        let (lambda_min, lambda_max, condition, effective_rank) = match spectrum {
            Ok(s) => (s.lambda_min, s.lambda_max, s.condition, s.effective_rank),
            // entries so large that their squares are not finite; the rest of the snapshot is known
            Err(Error::NonFinite { .. } | Error::NoConvergence { .. }) => (nan, nan, nan, nan),
            Err(e) => return Err(e),
        };
        let mut snapshot = Snapshot {
            step: trainer.step(),
            time: log_time.exp_m1(),
            log_time,
            param_norm,
            param_distance,
            drift_max,
            drift_fro,
            error_max,
            error_fro,
            alignment,
            lambda_min,
            lambda_max,
            condition,
            effective_rank,
            finite,
            drift_max_se,
            sliding: sliding as u64,
            velocity_error,
            point_drift_max,
            point_drift_fro,
            stability,
            target_alignment,
            param_max,
            drift_highest,
            error_highest,
            ..Snapshot::default()
        };
        snapshot.set_objective(&objective);
        Ok(snapshot)
    }

    /// Alignment of the kernel at hand with the Gram matrix of the targets.
    fn target_alignment(&mut self, targets: MatRef<'_, T>) -> Result<T, Error> {
        let n = self.n;
        gram(targets, 0..n, &mut self.work[..n * n]);
        centred_alignment(self.current(), MatRef::dense(self.work, n, n))
    }
}

/// The kernel of parameters of this problem.
fn kernel_of<N: Network, T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    problem: &Problem<'_, N, T>,
    theta: &[T],
    work: &mut [T],
    kernel: MatMut<'_, T>,
    scratch: &mut [T],
) -> Result<(), Error> {
    let tangent = tangent(backend, Params::new(problem.network(), theta)?, problem.x(), work)?;
    structured(backend, &tangent, None, MultiOutput::Trace, kernel, scratch)
}

/// The kernel of a trainer's present parameters.
fn kernel_of_point<N: Network, T: Real, B: Backend<T> + ?Sized>(
    trainer: &mut Trainer<'_, N, T, B>,
    kernel: MatMut<'_, T>,
    scratch: &mut [T],
) -> Result<(), Error> {
    let backend = trainer.backend();
    let (problem, theta, work) = trainer.problem_and_work();
    kernel_of(backend, problem, theta, work, kernel, scratch)
}

/// Of the mean of four quarters of which each should lie on a straight line: the root of the sum of the squares of their
/// distances from it over 2 (the degrees of freedom) times 4.
fn standard_error<T: Real>(quarters: [T; 4]) -> T {
    let number = T::from_f64;
    let mean = quarters.iter().fold(T::ZERO, |sum, e| sum + *e) / number(4.0);
    let places = [-1.5, -0.5, 0.5, 1.5].map(number);
    let slope = quarters.iter().zip(places).fold(T::ZERO, |sum, (e, place)| sum + place * (*e - mean)) / number(5.0);
    let off = quarters.iter().zip(places).map(|(e, place)| *e - mean - slope * place);
    (off.fold(T::ZERO, |sum, off| sum + off * off) / number(8.0)).sqrt()
}
