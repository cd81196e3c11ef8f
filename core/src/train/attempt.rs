//! A step of a flow that is under way, and how it ends.

use super::chebyshev::Stages;
use super::clock::time_limit;
use super::{End, Run, State};
use crate::network::Network;
use crate::{Backend, Error, Real};

/// Rejections in a row after which a flow gives up: the step has shrunk by more than 1e10.
const MAX_REJECTIONS: u32 = 40;
/// A step may end this share of itself after the time limit.
const LIMIT_SLACK: f64 = 1e-4;

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
