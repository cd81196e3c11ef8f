//! What is to be thought of a run: one judgement, which its words, its exit code, its files and studies share.

use std::f64::consts::LN_2;
use std::fmt;

use super::course::Course;
use super::edge::Edge;
use super::motion::Motion;
use super::rate::Rate;
use super::{Stopped, TraceRow};
use crate::kernel::Degeneracy;

/// Why a run failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// the objective ended above its start, or was more than 1000 times that on the way, or was not finite
    Diverged {
        /// the first step of it
        step: u64,
    },
    /// a step or a number could not be computed
    Stopped {
        /// the last step
        step: u64,
        /// why
        reason: Option<ntkscope_core::Error>,
    },
    /// the kernel has an eigenvalue below 0 by more than rounding
    Indefinite {
        /// the first step of it
        step: u64,
        /// the eigenvalue
        lambda_min: f64,
        /// the largest one
        lambda_max: f64,
    },
    /// the network does not depend on its training samples any more, or never did
    Dead {
        /// the first snapshot of it that was followed by no other: 0 where it never did
        step: u64,
        /// why
        cause: Degeneracy,
    },
}

impl Failure {
    /// The name in files.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Diverged { .. } => "diverged",
            Self::Stopped { .. } => "stopped",
            Self::Indefinite { .. } => "indefinite-kernel",
            Self::Dead { cause: Degeneracy::ZeroSamples, .. } => "zero-samples",
            Self::Dead { .. } => "no-active-unit",
        }
    }
    /// The step that it is about.
    pub const fn step(&self) -> u64 {
        match self {
            Self::Diverged { step }
            | Self::Stopped { step, .. }
            | Self::Indefinite { step, .. }
            | Self::Dead { step, .. } => *step,
        }
    }
}

/// A clause, without a full stop.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Diverged { step } => write!(f, "diverged at step {step}"),
            Self::Stopped { reason: Some(reason), .. } => write!(f, "{reason}"),
            Self::Stopped { step, reason: None } => write!(f, "not finite at step {step}"),
            Self::Indefinite { step, .. } => write!(f, "the kernel is indefinite at step {step}"),
            Self::Dead { cause, .. } => write!(f, "{cause}"),
        }
    }
}

/// What is to be thought of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// why it failed, the first reason first; none where it did not
    pub failures: Vec<Failure>,
    /// how the kernel moves at the end; of a run that failed, or of too few snapshots, nothing is said
    pub motion: Option<Motion>,
    /// the objective along the run
    pub course: Course,
    /// of a descent with a loss that has a curvature
    pub rate: Option<Rate>,
    /// of a descent some of whose readings of stability are above 1
    pub edge: Option<Edge>,
    /// ln(1 + t) from which on the flow has found that nothing moves any more
    pub resting_from: Option<f64>,
    /// the step of the snapshot from which on rounding has swallowed every step
    pub swallowed_from: Option<u64>,
}

/// A kernel that is off by no more than this many units of rounding of its largest eigenvalue has not moved.
const ROUNDING: f64 = 16.0;
/// Fewest steps that have to lead nowhere: the last one of a flow may be cut short by its end.
const STEPS: u64 = 3;

/// What a run is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence<'a> {
    /// a row per snapshot
    pub(super) rows: &'a [TraceRow],
    /// the objective at every step
    pub(super) course: Course,
    /// why it ended
    pub(super) stopped: &'a Stopped,
    /// see [`Rate`]
    pub(super) rate: Option<Rate>,
    /// ln(1 + t) from which on the flow has found that nothing moves
    pub(super) resting_from: Option<f64>,
    /// why no unit is active on any training sample at the end, if none is
    pub(super) dead: Option<Degeneracy>,
    /// of the scalar that it was computed in
    pub(super) epsilon: f64,
}

impl Judgement {
    pub(super) fn new(evidence: Evidence<'_>) -> Self {
        let Evidence { rows, course, stopped, rate, resting_from, dead, epsilon } = evidence;
        let mut failures = Vec::new();
        let diverged = course.diverged();
        failures.extend(diverged.map(|step| Failure::Diverged { step }));
        let last = rows.last().copied().unwrap_or_default();
        match stopped {
            // a loss that is not finite is divergence, which has been told
            Stopped::Failed(e) if diverged.is_none() => {
                failures.push(Failure::Stopped { step: last.step, reason: Some(*e) });
            }
            _ if diverged.is_none() && !last.finite => {
                failures.push(Failure::Stopped { step: last.step, reason: None });
            }
            _ => {}
        }
        // eigenvalues that are 0 to rounding are 0 here
        if let Some(TraceRow { step, lambda_min, lambda_max, .. }) =
            rows.iter().find(|row| row.lambda_min < 0.0).copied()
        {
            failures.push(Failure::Indefinite { step, lambda_min, lambda_max });
        }
        if let Some(cause) = dead {
            // after the last snapshot whose kernel differs from the last one's
            let alive = rows.iter().rposition(|row| row.lambda_max != last.lambda_max);
            let step = rows.get(alive.map_or(0, |at| at + 1)).map_or(0, |row| row.step);
            failures.push(Failure::Dead { step, cause });
        }
        let rounding = ROUNDING * epsilon * rows.first().map_or(0.0, |row| row.lambda_max);
        let beyond = |drift: f64| if drift <= rounding { 0.0 } else { drift };
        let drift: Vec<(f64, f64)> = rows.iter().map(|row| (row.log_time, beyond(row.drift_max))).collect();
        let motion = match stopped {
            _ if !failures.is_empty() => None,
            // where nothing moves any more, however late the kernel has moved last
            Stopped::Rest if drift.iter().all(|(_, drift)| *drift == 0.0) => Some(Motion::Unmoved),
            Stopped::Rest => Some(Motion::Rest),
            _ => Motion::of(&drift, resting_from),
        };
        // that the very end of a run is short says nothing
        let resting_from = resting_from.filter(|from| last.log_time - from >= LN_2);
        let is_told = !failures.is_empty() || resting_from.is_some() || *stopped == Stopped::Rest;
        let swallowed_from = swallowed(rows).filter(|_| !is_told);
        Self { failures, motion, course, rate, edge: Edge::of(rows), resting_from, swallowed_from }
    }

    /// Whether the run failed.
    pub fn failed(&self) -> bool {
        !self.failures.is_empty()
    }
}

/// The step of the first of the last snapshots that differ in nothing but their step and their time, where there is a loss left to lower.
fn swallowed(rows: &[TraceRow]) -> Option<u64> {
    let last = rows.last()?;
    let place = |row: &TraceRow| [row.loss, row.margin_mean, row.logit_max, row.param_norm, row.param_distance];
    // bit by bit: margins of numbers are NaN
    let is_alike = |row: &TraceRow| place(row).map(f64::to_bits) == place(last).map(f64::to_bits);
    let first = rows.iter().rev().take_while(|row| is_alike(row)).last()?.step;
    (last.step - first >= STEPS && last.loss > 0.0).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run whose drift saturates and whose loss falls.
    fn rows() -> Vec<TraceRow> {
        let row = |k: u64| {
            let mut row = TraceRow::default();
            (row.step, row.finite, row.log_time) = (10 * k, true, k as f64);
            (row.lambda_min, row.lambda_max, row.drift_max) = (0.5, 2.0, (k.min(3)) as f64);
            row.loss = 1.0 / (k + 1) as f64;
            row
        };
        (0..30).map(row).collect()
    }

    fn judge(change: impl FnOnce(&mut Vec<TraceRow>, &mut Evidence<'_>)) -> Judgement {
        let (mut rows, stopped) = (rows(), Stopped::Time);
        let mut course = Course::new(1.0, 6, f64::EPSILON);
        course.add(1, 0.5);
        let mut evidence = Evidence {
            rows: &[],
            course,
            stopped: &stopped,
            rate: None,
            resting_from: None,
            dead: None,
            epsilon: 1e-7,
        };
        change(&mut rows, &mut evidence);
        let evidence = Evidence { rows: &rows, ..evidence };
        Judgement::new(evidence)
    }

    #[test]
    fn each_failure_is_seen_and_silences_the_motion() {
        let good = judge(|_, _| ());
        assert_eq!((good.failed(), good.motion), (false, Some(Motion::Rest)));
        let failures = [
            judge(|_, evidence| evidence.course.add(7, 1.5)),
            judge(|_, evidence| {
                evidence.course.add(7, 1e4);
                evidence.course.add(8, 0.1);
            }),
            judge(|_, evidence| {
                evidence.stopped = &Stopped::Failed(ntkscope_core::Error::StepUnderflow { step: 291 });
            }),
            judge(|rows, _| rows[29].finite = false),
            judge(|rows, _| rows[4].lambda_min = -0.1),
            judge(|rows, evidence| {
                rows[28].lambda_max = 0.0;
                rows[29].lambda_max = 0.0;
                evidence.dead = Some(Degeneracy::NoActiveUnit);
            }),
            judge(|rows, evidence| {
                rows.iter_mut().for_each(|row| row.lambda_max = 0.0);
                evidence.dead = Some(Degeneracy::ZeroSamples);
            }),
        ];
        let told = failures.each_ref().map(|judged| {
            assert_eq!((judged.failures.len(), judged.motion), (1, None), "{judged:?}");
            (judged.failures[0].name(), judged.failures[0].step())
        });
        let expected = [
            ("diverged", 7),
            ("diverged", 7),
            ("stopped", 290),
            ("stopped", 290),
            ("indefinite-kernel", 40),
            ("no-active-unit", 280),
            ("zero-samples", 0),
        ];
        assert_eq!(told, expected);
    }

    /// Whatever the snapshots of its last fifth say.
    #[test]
    fn a_run_that_ended_at_rest_is_at_rest() {
        for (drift, motion) in [(1.0, Motion::Rest), (0.0, Motion::Unmoved)] {
            let judged = judge(|rows, evidence| {
                rows.iter_mut().for_each(|row| row.drift_max = drift * row.log_time);
                evidence.stopped = &Stopped::Rest;
            });
            assert_eq!(judged.motion, Some(motion));
        }
    }

    #[test]
    fn steps_that_rounding_swallows_are_told() {
        let stuck = |rows: &mut Vec<TraceRow>| rows[20..].iter_mut().for_each(|row| row.loss = 0.25);
        assert_eq!(judge(|_, _| ()).swallowed_from, None);
        assert_eq!(judge(|rows, _| stuck(rows)).swallowed_from, Some(200));
        // two snapshots are enough, if they are not one short step apart; what has no loss, has found its end or has failed is no news
        let two = |step: u64| {
            judge(|rows, _| {
                rows[28].loss = rows[29].loss;
                rows[28].step = rows[29].step - step;
            })
        };
        assert_eq!([1, 3].map(|step| two(step).swallowed_from), [None, Some(287)]);
        assert_eq!(judge(|rows, _| rows.iter_mut().for_each(|row| row.loss = 0.0)).swallowed_from, None);
        let known: [fn(&mut Evidence<'_>); 3] = [
            |evidence| evidence.stopped = &Stopped::Rest,
            |evidence| evidence.resting_from = Some(3.0),
            |evidence| evidence.dead = Some(Degeneracy::NoActiveUnit),
        ];
        for known in known {
            let judged = judge(|rows, evidence| {
                stuck(rows);
                known(evidence);
            });
            assert_eq!(judged.swallowed_from, None);
        }
    }

    /// A drift within rounding goes up and down, and says nothing.
    #[test]
    fn a_kernel_within_rounding_has_not_moved() {
        for (size, motion) in [(1e-7, Motion::Unmoved), (1e-5, Motion::Swinging)] {
            let judged = judge(|rows, _| {
                rows.iter_mut().for_each(|row| row.drift_max = size * (1.0 + f64::from(row.step % 50 == 0)));
                rows[0].drift_max = 0.0;
            });
            assert_eq!(judged.motion, Some(motion), "{size}");
        }
    }

    #[test]
    fn a_loss_that_is_not_finite_diverged() {
        let judged = judge(|rows, evidence| {
            rows[29].finite = false;
            evidence.course.add(291, f64::NAN);
            evidence.stopped = &Stopped::Failed(ntkscope_core::Error::Diverged { what: "loss", step: 291 });
        });
        assert_eq!(judged.failures, [Failure::Diverged { step: 291 }]);
    }
}
