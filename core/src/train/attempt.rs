//! A step of a flow that is under way, and how it ends.

use super::chebyshev::Stages;
use super::clock::time_limit;
use super::{End, Run, State};
use crate::linalg::norm;
use crate::network::Network;
use crate::{Backend, Error, MatRef, Real};

/// Rejections in a row after which a flow gives up: the step has shrunk by more than 1e10.
const MAX_REJECTIONS: u32 = 40;
/// A step may end this share of itself after the time limit.
const LIMIT_SLACK: f64 = 1e-4;
/// Share of a step that must be left of it in the parameters.
const LEFT: f64 = 0.5;
/// Share of the loss by which a step must lower it to be missed.
const MISSED: f64 = 1e-3;

/// A step under way; `now` is what is next in it.
pub(super) struct Attempt<T, Now> {
    /// longest step in time t
    pub(super) limit: Option<T>,
    /// the time from which on none is made
    pub(super) before: Option<T>,
    rejections: u32,
    pub(super) now: Now,
}

impl<T: Real, Now> Attempt<T, Now> {
    /// The step that begins with `now`: not to pass `end`, nor to be longer than `longest` in time t.
    ///
    /// # Errors
    /// An end that has passed.
    pub(super) fn begin(state: &State<'_, T>, end: End<T>, longest: Option<T>, now: Now) -> Result<Self, Error> {
        let left = time_limit(state, end)?;
        let (limit, before) = match end {
            End::Before(_) => (longest, left),
            End::Open | End::At(_) => ([left, longest].into_iter().flatten().reduce(T::min), None),
        };
        Ok(Self { limit, before, rejections: 0, now })
    }

    /// ln of what a step of ln dt takes over the longest one, and whether that is too much.
    pub(super) fn past_limit(&self, ln_dt: T) -> (T, bool) {
        let past = self.limit.map_or(T::ZERO, |limit| ln_dt - limit.ln());
        (past, past.is_nan() || past > T::from_f64(LIMIT_SLACK))
    }

    /// Whether a step of ln dt ends where none is to be made.
    pub(super) fn is_too_late(&self, ln_dt: T) -> bool {
        self.before.is_some_and(|before| ln_dt - before.ln() > T::from_f64(LIMIT_SLACK))
    }

    /// The step is not made as it is; `now` is next.
    ///
    /// # Errors
    /// [`Error::StepUnderflow`], or [`Error::Diverged`] where the loss is not finite, after [`MAX_REJECTIONS`].
    pub(super) fn reject(&mut self, step: &mut u64, finite: bool, now: Now) -> Result<(), Error> {
        self.rejections += 1;
        if self.rejections == MAX_REJECTIONS {
            *step += 1;
            let step = *step;
            return Err(if finite { Error::StepUnderflow { step } } else { Error::Diverged { what: "loss", step } });
        }
        self.now = now;
        Ok(())
    }
}

impl<N: Network, T: Real, B: ?Sized> Run<'_, N, T, B> {
    /// `Ok` where the parameters can take the steps that lower the loss: `gradient` is that of the flow's clock, 1/`rate` the time
    /// in which the stiffest direction comes to its end.
    ///
    /// A run that has come to its end, or as near to it as rounding lets it, takes none either, and is to go on. So they are missed
    /// only where what rounding swallows would lower the loss, and the outputs are no better than none: 0.
    ///
    /// # Errors
    /// [`Error::LostInRounding`].
    pub(super) fn resolves(&mut self, gradient: &[T], rate: T) -> Result<(), Error> {
        let (slope, theta) = (norm(gradient), &*self.state.theta);
        // seldom more is needed than two lengths
        if !(slope > T::ZERO && rate > T::ZERO) || slope > T::EPSILON * norm(theta) * rate {
            return Ok(());
        }
        let (mut meant, mut made) = (T::ZERO, T::ZERO);
        for (theta, g) in theta.iter().zip(gradient) {
            let step = *g / rate;
            meant += step.abs();
            made += (*theta - (*theta - step)).abs();
        }
        let (objective, pull) = (&self.state.objective, slope / rate.sqrt());
        let gain = pull * pull * objective.ln_mismatch.exp();
        if made >= T::from_f64(LEFT) * meant || gain < T::from_f64(MISSED) * objective.loss {
            return Ok(());
        }
        let targets = self.problem.targets();
        let (n, outputs) = (targets.rows(), targets.cols());
        // beyond what the passes leave there
        let zeros = self.work.len() - n * outputs;
        let zeros = &mut self.work[zeros..];
        zeros.fill(T::ZERO);
        let of_zeros = self.problem.loss().evaluate(MatRef::dense(zeros, n, outputs), targets)?.loss;
        if of_zeros > T::ZERO && objective.loss >= self.problem.weight() * of_zeros {
            return Err(Error::LostInRounding { step: self.step + 1 });
        }
        Ok(())
    }
}

/// The next stage of a step from theta and its gradient G, whose stages lie in `buffers`; the buffer of the last one, once it is
/// there.
pub(super) fn next_stage<N: Network, T: Real, B: Backend<T> + ?Sized>(
    run: &mut Run<'_, N, T, B>,
    course: &mut Stages<T>,
    gradient: &[T],
    buffers: &mut [&mut [T]; 2],
    stage_gradient: &mut [T],
) -> Result<Option<usize>, Error> {
    run.evaluate(buffers[course.newest()], stage_gradient)?;
    let is_last = course.advance((run.state.theta, gradient), buffers, stage_gradient);
    Ok(is_last.then(|| course.newest()))
}
