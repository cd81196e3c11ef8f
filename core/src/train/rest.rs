//! Whether a flow that chatters has come to rest: by how far the *means* of its parameters move.
//!
//! Units that sit on their kinks keep every single state in motion, so neither the velocity nor the distance between two
//! states ever falls. What falls is the movement of means over a window of states. Between two windows at t_a and
//! `1 + t_b >= 1.5 (1 + t_a)`,
//!
//! ```text
//! q = ln(1+t_b) / (ln(1+t_b) - ln(1+t_a)) . |mean theta_b - mean theta_a| / |mean theta_b - theta_0|
//! ```
//!
//! is the power with which the distance grows in ln(1 + t): at least 1/(L + 1) while margins grow, however slowly, and the
//! chatter's own size at rest, which falls with the length of the windows: they grow with the run. The size of the residuals
//! tells what the parameters no longer show: where they vanish, they do so for ever.

use crate::linalg::distance;
use crate::state::Bytes;
use crate::{Error, Real};

/// Buffers of P numbers.
pub(super) const BUFFERS: usize = 2;
/// States of a window, at least, and as a share of the run so far.
const WINDOW: usize = 64;
const SHARE: usize = 16;
/// Least ratio of 1 + t between windows.
const RATIO: f64 = 1.5;
/// q below which nothing has moved between two windows.
const QUIET: f64 = 0.1;
/// Pairs of windows in a row that say so.
const PAIRS: u32 = 2;
/// Fall of ln residual between two windows that is movement.
const FALL: f64 = 0.1;

/// The windows, and what they have shown so far.
pub(super) struct Rest<'a, T> {
    /// mean of the parameters over the window that is open, and over the one before
    means: [&'a mut [T]; BUFFERS],
    /// states of the run, and in the open window, and those that this has when it is full
    seen: usize,
    states: usize,
    full: usize,
    /// means of ln(1 + t) and ln residual over the open window
    now: [T; 2],
    /// those over the one before
    before: Option<[T; 2]>,
    /// pairs of windows in a row between which nothing has moved
    quiet: u32,
}

impl<'a, T: Real> Rest<'a, T> {
    pub(super) fn new(means: [&'a mut [T]; BUFFERS]) -> Self {
        Self { means, seen: 0, states: 0, full: WINDOW, now: [T::ZERO; 2], before: None, quiet: 0 }
    }

    /// Takes one state of the flow into account, with residuals of this size.
    pub(super) fn add(&mut self, theta: &[T], theta_0: &[T], log_time: T, ln_residual: T) {
        self.seen += 1;
        let far = |before: [T; 2]| log_time - before[0] >= T::from_f64(RATIO).ln();
        if self.states == 0 && !self.before.is_none_or(far) {
            return;
        }
        self.states += 1;
        let [mean, _] = &mut self.means;
        if self.states == 1 {
            mean.copy_from_slice(theta);
            self.now = [log_time, ln_residual];
            self.full = WINDOW.max(self.seen / SHARE);
        } else {
            let share = T::ONE / T::from_count(self.states);
            mean.iter_mut().zip(theta).for_each(|(mean, new)| *mean += share * (*new - *mean));
            for (mean, new) in self.now.iter_mut().zip([log_time, ln_residual]) {
                *mean += share * (new - *mean);
            }
        }
        if self.states == self.full {
            self.close(theta_0);
        }
    }

    /// The windows so far are of other samples.
    pub(super) fn begin_again(&mut self) {
        (self.seen, self.states, self.full) = (0, 0, WINDOW);
        (self.before, self.quiet) = (None, 0);
    }

    fn close(&mut self, theta_0: &[T]) {
        let [mean, last] = &mut self.means;
        if let Some(before) = self.before {
            let (moved, away) = (distance(mean, last), distance(mean, theta_0));
            let gap = self.now[0] - before[0];
            // products, so that nothing is divided by a distance of 0
            let is_quiet = self.now[0] * moved <= T::from_f64(QUIET) * gap * away;
            let falls = before[1] - self.now[1] > T::from_f64(FALL);
            self.quiet = if is_quiet && !falls { self.quiet + 1 } else { 0 };
        }
        core::mem::swap(mean, last);
        (self.before, self.states) = (Some(self.now), 0);
    }

    /// All of it.
    pub(super) fn pass(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error> {
        self.means.iter_mut().try_for_each(|mean| bytes.numbers(mean))?;
        [&mut self.seen, &mut self.states, &mut self.full].into_iter().try_for_each(|count| bytes.size(count))?;
        bytes.numbers(&mut self.now)?;
        bytes.optional(&mut self.before, [T::ZERO; 2], |bytes, before| bytes.numbers(before))?;
        bytes.small(&mut self.quiet)
    }

    /// Whether nothing has moved for long enough.
    pub(super) fn reached(&self) -> bool {
        self.quiet >= PAIRS
    }
}
