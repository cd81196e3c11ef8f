//! The clock of a flow: `d tau = mismatch dt`, with the mismatch of [`crate::loss`].
//!
//! Under cross-entropy with separable data every residual falls like 1/t, so in t a step of fixed relative accuracy doubles t,
//! while in tau it stays the same. Time itself is kept as ln(1 + t), which no run outgrows.
//! But where a residual stays, as that of a sample which no unit sees, tau is in proportion to t: when no number is as large, the
//! pull of all other residuals is below the smallest, and the flow is at rest.

use super::{End, State};
use crate::{Error, Real, loss::Objective};

/// Largest |change of ln mismatch| in one step: the clock interpolates it linearly within the step. Largest rise of
/// ln J, too.
pub(super) const MAX_LN_CHANGE: f64 = 0.5;
/// Rounding of f in eps |f|, and of what is computed from it in eps.
pub(super) const ROUNDING: f64 = 256.0;

/// The time t that is left, in tau at the present mismatch. Residuals can be so small that no number is: then no parameter
/// moves on the way, and the smallest stands for it.
pub(super) fn step_to<T: Real>(limit: T, ln_mismatch: T) -> T {
    (limit * ln_mismatch.exp()).max(T::SMALLEST)
}

/// ln dt, where dt = int d tau / mismatch over a step in which its logarithm falls linearly by `change`:
/// dt = (step / mismatch) (e^change - 1)/change. The step that stands for all the time to `limit` takes just that.
pub(super) fn ln_elapsed<T: Real>(step: T, ln_mismatch: T, change: T, limit: Option<T>) -> T {
    if let Some(limit) = limit.filter(|limit| step <= T::SMALLEST && step_to(*limit, ln_mismatch) <= T::SMALLEST) {
        return limit.ln();
    }
    let growth = if change == T::ZERO { T::ONE } else { change.exp_m1() / change };
    (step * growth).ln() - ln_mismatch
}

/// An error of f by rounding, which it seldom exceeds.
pub(super) fn rounding_of_outputs<T: Real>(objective: &Objective<T>) -> T {
    T::from_f64(ROUNDING) * T::EPSILON * objective.logit_max
}

/// ln(1 + t) moves on by dt, of which the logarithm is given.
pub(crate) fn add_time<T: Real>(log_time: &mut T, ln_dt: T) {
    *log_time += (ln_dt - *log_time).exp().ln_1p();
}

/// Whether T still tells time: residuals are e^(ln(1 + t) - f), so the rounding of ln(1 + t) is their relative error, here at
/// most 1e-3. Beyond ln(1 + t) = 4.5e12 in f64, 8.4e3 in f32, no step could be judged by its error.
pub(crate) fn tells_time<T: Real>(log_time: T) -> bool {
    log_time >= T::ZERO && log_time * T::EPSILON <= T::from_f64(1e-3)
}

/// The time that is left to the end.
///
/// # Errors
/// One that has passed.
pub(super) fn time_limit<T: Real>(state: &State<'_, T>, end: End<T>) -> Result<Option<T>, Error> {
    let Some(until) = end.time() else { return Ok(None) };
    let limit = until - state.time();
    if limit <= T::ZERO || limit.is_nan() {
        return Err(Error::OutOfRange { what: "until", needs: "after the present time", got: until.to_f64() });
    }
    Ok(Some(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_a_step_is_the_integral_of_the_reciprocal_mismatch() {
        for (step, ln_mismatch, change) in
            [(0.3f64, -2.0f64, 0.4), (1e-3, -700.0, 0.5), (2.0, 0.1, -1e-9), (1.0, 0.0, 0.0)]
        {
            // Simpson's rule on d tau / mismatch, mismatch = e^(ln_mismatch - change tau/step), in units of 1/mismatch
            let (intervals, mut sum) = (1000, 0.0);
            for k in 0..=intervals {
                let weight = if k == 0 || k == intervals {
                    1.0
                } else if k % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                sum += weight * libm::exp(change * f64::from(k) / f64::from(intervals));
            }
            let expected = libm::log(sum * step / f64::from(3 * intervals)) - ln_mismatch;
            let error = ln_elapsed(step, ln_mismatch, change, None) - expected;
            assert!(error.abs() < 1e-12 * expected.abs().max(1.0), "{step} {ln_mismatch} {change}: {error}");
        }
    }
}
