//! The kernel at points of the domain beside the training points: K_t(x_0, x) for x half-way between neighbours.

use std::f64::consts::PI;

use crate::analysis::statistics::{Curve, larger};
use crate::run::ProfileRow;
use crate::study::group::Run;

/// How far an angle may be from one that is meant, in radians: degrees are read.
const NEAR: f64 = 1e-6;

/// Which points x of the circle, seen from the training point x_0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// the training points
    Training,
    /// half-way between neighbours
    Between,
}

impl At {
    /// Whether x at this angle from x_0 is one of them, of n training points at equal angles.
    fn has(self, angle: f64, n: usize) -> bool {
        let steps = angle * n as f64 / (2.0 * PI);
        let from = if self == Self::Training { steps } else { steps - 0.5 };
        (from - from.round()).abs() < NEAR
    }
}

/// Largest |K_t(x_0, x) - K_0(x_0, x)| over these points against the mean margin, logarithms of both; empty where no profile was
/// kept.
pub(super) fn drift(run: &Run, at: At) -> Curve {
    let mut snapshots = run.finished.profile.snapshots();
    let Some(first) = snapshots.next() else { return Curve::default() };
    let n = run.finished.samples;
    let moved = |(now, start): (&ProfileRow, &ProfileRow)| (now.kernel - start.kernel).abs();
    let largest = |now: &[ProfileRow]| {
        let chosen = now.iter().zip(first).filter(|(now, _)| at.has(now.position, n));
        chosen.map(moved).fold(0.0, larger)
    };
    let later = snapshots.map(|now| largest(now).ln());
    let margins = run.finished.trace.rows.iter().skip(1).map(|row| row.margin_mean.ln());
    // before that the random outputs of the start are no margin yet
    Curve::new(margins.zip(later).filter(|(margin, _)| *margin > 0.1f64.ln()))
}

/// The exponent of that drift in the mean margin over its last doubling; `None` without a profile, or below 2.
pub(super) fn last_exponent(run: &Run, at: At) -> Option<f64> {
    let reached = run.largest(|row| row.margin_mean);
    (reached >= 2.0).then(|| drift(run, at).slope((0.5 * reached).ln(), reached.ln()))?
}

/// Largest |K_t(x_0, x) - Theta(x_0, x)| over these points, at the start and at any time.
pub(super) fn error(run: &Run, at: At) -> Option<[f64; 2]> {
    let n = run.finished.samples;
    let largest = |rows: &[ProfileRow]| {
        let chosen = rows.iter().filter(|row| at.has(row.position, n));
        chosen.map(|row| (row.kernel - row.analytic).abs()).fold(0.0, larger)
    };
    let all: Vec<f64> = run.finished.profile.snapshots().map(largest).collect();
    Some([*all.first()?, all.iter().copied().fold(0.0, larger)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_points_and_the_middles_between_them() {
        let degrees = |at: At| {
            let all = (-180..=180).filter(|degree| at.has(f64::from(*degree) * (PI / 180.0), 6));
            all.collect::<Vec<i32>>()
        };
        assert_eq!(degrees(At::Training), [-180, -120, -60, 0, 60, 120, 180]);
        assert_eq!(degrees(At::Between), [-150, -90, -30, 30, 90, 150]);
    }
}
