//! Takes the snapshots of a run.

use super::Snapshot;
use crate::buffer::{buffer_len, take_front};
use crate::forward::Params;
use crate::kernel::{
    AnalyticKernel, MultiOutput, analytic, analytic_scratch, centred_alignment, max_abs_difference, relative_frobenius,
    spectrum, structured, structured_scratch, tangent,
};
use crate::linalg::{distance, norm};
use crate::network::Network;
use crate::train::Trainer;
use crate::{Backend, Error, MatMut, MatRef, Real, Tile};

/// Kernels of the training samples: analytic, at initialization, now.
///
/// ```
/// use ntkscope_core::{MatRef, Portable, loss::Loss, network::Fcn};
/// use ntkscope_core::record::{Recorder, recorder_len};
/// use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
///
/// let (network, flow) = (Fcn::new(1, &[16], 1)?, Optimizer::Flow { tolerance: 0.01 });
/// let (x, y) = (MatRef::new(&[1.0, -2.0], 2, 1)?, MatRef::new(&[1.0, -1.0], 2, 1)?);
/// let problem = Problem::new(&network, x, y, Loss::SquaredError, 0.0)?;
/// let mut buffer = vec![0.0f64; trainer_len(network.sizes(), 2, &flow)];
/// let mut kernels = vec![0.0; recorder_len(2, Portable::TILE)];
/// let mut trainer = Trainer::new(&Portable, problem, flow, 7, &mut buffer)?;
/// let mut recorder = Recorder::new(&mut trainer, &mut kernels)?;
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
}

/// Elements of the buffer of a [`Recorder`] for n samples on a backend whose tile is `tile`.
pub const fn recorder_len(batch: usize, tile: Tile) -> usize {
    buffer_len(&[&[4, batch, batch], &[batch], &[scratch_len(batch, tile)]])
}

const fn scratch_len(n: usize, tile: Tile) -> usize {
    let (s, a) = (structured_scratch(tile, n, n), analytic_scratch(tile, n, n));
    let longer = if s > a { s } else { a };
    if longer > n { longer } else { n }
}

impl<'a, T: Real> Recorder<'a, T> {
    /// Computes Theta, and K_0 at the trainer's present parameters.
    ///
    /// `buffer` holds at least [`recorder_len`] numbers.
    ///
    /// # Errors
    /// A short buffer.
    pub fn new<N: Network, B: Backend<T> + ?Sized>(
        trainer: &mut Trainer<'_, N, T, B>,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        let (n, backend) = (trainer.problem().x().rows(), trainer.backend());
        let tile = backend.tile();
        Error::at_least("recorder", recorder_len(n, tile), buffer.len())?;
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let mut recorder = Self {
            n,
            analytic: take(n * n),
            initial: take(n * n),
            current: take(n * n),
            work: take(n * n),
            values: take(n),
            scratch: take(scratch_len(n, tile)),
        };
        let (network, x) = (trainer.problem().network(), trainer.problem().x());
        let theta = MatMut::dense(recorder.analytic, n, n);
        analytic(backend, network, AnalyticKernel::Ntk, x, None, theta, recorder.scratch)?;
        recorder.measure_kernel(trainer)?;
        recorder.initial.copy_from_slice(recorder.current);
        Ok(recorder)
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

    fn measure_kernel<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, B>,
    ) -> Result<(), Error> {
        let (backend, network, x) = (trainer.backend(), trainer.problem().network(), trainer.problem().x());
        let (theta, work) = trainer.parts();
        let tangent = tangent(backend, Params::new(network, theta)?, x, work)?;
        let kernel = MatMut::dense(self.current, self.n, self.n);
        structured(backend, &tangent, None, MultiOutput::Trace, kernel, self.scratch)
    }

    /// The snapshot of this moment. Where loss, parameters or kernel are not finite, `finite` is false and the numbers
    /// that cannot be computed are NaN, as those are that are undefined: relative to a kernel that is 0.
    ///
    /// # Errors
    /// Those of the passes, the kernel and the decompositions: buffers too short, shapes that differ.
    pub fn observe<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, B>,
    ) -> Result<Snapshot<T>, Error> {
        self.measure_kernel(trainer)?;
        let (initial, analytic, current) = (self.initial(), self.analytic(), self.current());
        let drift_max = max_abs_difference(current, initial)?;
        let (drift_fro, error_fro) = (relative_frobenius(current, initial)?, relative_frobenius(current, analytic)?);
        let (error_max, alignment) = (max_abs_difference(current, analytic)?, centred_alignment(current, initial)?);
        let objective = *trainer.objective();
        let param_norm = norm(trainer.theta());
        let param_distance = distance(trainer.theta(), trainer.theta_0());
        // of the drifts the one that is a difference: that relative to a kernel of zeros is undefined
        let finite = drift_max.is_finite() && param_norm.is_finite() && objective.loss.is_finite();
        let n = self.n;
        let (kernel, work) = (MatRef::dense(self.current, n, n), MatMut::dense(self.work, n, n));
        let nan = T::from_f64(f64::NAN);
        let spectrum = if finite {
            spectrum(trainer.backend(), kernel, work, self.values, self.scratch)
        } else {
            Err(Error::NonFinite { what: "the kernel", step: trainer.step() })
        };
        let (lambda_min, lambda_max, condition, effective_rank) = match spectrum {
            Ok(s) => (s.lambda_min, s.lambda_max, s.condition, s.effective_rank),
            // entries so large that their squares are not finite; the rest of the snapshot is known
            Err(Error::NonFinite { .. } | Error::NoConvergence { .. }) => (nan, nan, nan, nan),
            Err(e) => return Err(e),
        };
        Ok(Snapshot {
            step: trainer.step(),
            time: trainer.time(),
            log_time: trainer.log_time(),
            loss: objective.loss,
            accuracy: objective.accuracy,
            margin_min: objective.margin_min,
            margin_mean: objective.margin_mean,
            logit_max: objective.logit_max,
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
        })
    }
}
