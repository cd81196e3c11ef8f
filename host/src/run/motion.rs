//! Whether the kernel has come to rest, from the whole last fifth of a run.

use std::fmt;

/// Share of a run's ln(1 + t), at its end, that is looked at.
const LAST: f64 = 0.2;
/// Fewest snapshots in it that can tell.
const SNAPSHOTS: usize = 5;
/// A drift that stays within this share of the run's largest is at rest.
const STILL: f64 = 0.02;
/// A drift that has risen by this share of the run's largest is still moving.
const MOVING: f64 = 0.1;

/// How the kernel moves at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// it has never moved
    Unmoved,
    /// its drift stays within 2 % of the run's largest
    Rest,
    /// its drift grows, by a tenth of the largest or more
    Moving,
    /// its drift grows, by less than that
    Slowing,
    /// its drift falls: it moves back towards K_0
    Returning,
    /// its drift goes up and down
    Swinging,
}

impl Motion {
    /// From ln(1 + t) and max|K_t - K_0| of every snapshot, in order of time, over the last fifth of ln(1 + t). Where the
    /// flow itself has found that nothing moves any more, that is rest, `resting_from` then on.
    ///
    /// `None`: numbers that are not finite, or fewer than five snapshots there.
    pub fn of(drift: &[(f64, f64)], resting_from: Option<f64>) -> Option<Self> {
        let (end, last) = *drift.last()?;
        if !drift.iter().all(|(s, d)| s.is_finite() && d.is_finite()) {
            return None;
        }
        let from = (1.0 - LAST) * end;
        let largest = drift.iter().map(|(_, d)| *d).fold(0.0, f64::max);
        let inside: Vec<f64> = drift.iter().filter(|(s, _)| *s >= from).map(|(_, d)| *d).collect();
        let asleep = resting_from.is_some_and(|resting| resting <= from);
        if inside.len() < SNAPSHOTS && !asleep {
            return None;
        }
        if largest == 0.0 {
            return Some(Self::Unmoved);
        }
        let (low, high) = inside.iter().fold((f64::INFINITY, 0.0), |(l, h): (f64, f64), d| (l.min(*d), h.max(*d)));
        let (range, grown) = ((high - low) / largest, (last - inside[0]) / largest);
        Some(if range < STILL {
            Self::Rest
        } else if grown >= range / 2.0 {
            if grown >= MOVING { Self::Moving } else { Self::Slowing }
        } else if grown <= -range / 2.0 {
            Self::Returning
        } else {
            Self::Swinging
        })
    }

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unmoved => "unmoved",
            Self::Rest => "at-rest",
            Self::Moving => "moving",
            Self::Slowing => "slowing",
            Self::Returning => "returning",
            Self::Swinging => "swinging",
        }
    }
}

impl fmt::Display for Motion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` snapshots evenly spaced in ln(1 + t), from 0 to 10.
    fn trace(count: usize, drift: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (0..count).map(|k| 10.0 * k as f64 / (count - 1).max(1) as f64).map(|s| (s, drift(s))).collect()
    }

    #[test]
    fn each_course_has_its_word() {
        let of = |drift: &dyn Fn(f64) -> f64| Motion::of(&trace(41, drift), None);
        assert_eq!(of(&|s| s), Some(Motion::Moving));
        assert_eq!(of(&|s| 1.0 - (-0.4 * s).exp()), Some(Motion::Slowing), "3 % in the last fifth");
        assert_eq!(of(&|s| 1.0 - (-s).exp()), Some(Motion::Rest), "saturated");
        assert_eq!(of(&|_| 0.7), Some(Motion::Rest), "flat");
        assert_eq!(of(&|s| if s < 7.9 { 0.1 } else { 0.7 }), Some(Motion::Rest), "flat after a jump");
        assert_eq!(of(&|s| if s < 8.1 { 0.1 } else { 0.7 }), Some(Motion::Moving), "a jump inside");
        assert_eq!(of(&|s| 10.0 - s), Some(Motion::Returning), "falling");
        assert_eq!(of(&|s| if s < 5.0 { 1.0 } else { 0.01 }), Some(Motion::Rest), "little is left of what was");
        // ends where the last fifth began, as a comparison of two points has it
        assert_eq!(of(&|s| 1.0 + (std::f64::consts::PI * s).sin()), Some(Motion::Swinging));
        assert_eq!(of(&|_| 0.0), Some(Motion::Unmoved));
        assert_eq!(of(&|s| if s > 9.0 { f64::NAN } else { s }), None);
    }

    #[test]
    fn too_few_snapshots_do_not_tell() {
        for count in [1, 2, 4, 16] {
            assert_eq!(Motion::of(&trace(count, |_| 1.0), None), None, "{count} rows");
        }
        assert_eq!(Motion::of(&[], None), None);
        // nine of 41 lie in the last fifth; of the clustered ones none but the end does
        assert_eq!(Motion::of(&trace(21, |_| 1.0), None), Some(Motion::Rest), "five in the last fifth");
        let mut jumped = trace(41, |s| 0.1 * s);
        jumped.push((100.0, 1.0));
        assert_eq!(Motion::of(&jumped, None), None);
    }

    #[test]
    fn a_flow_that_has_found_its_end_rests() {
        let mut jumped = trace(41, |s| 1.0 - (-s).exp());
        jumped.push((100.0, 1.0));
        assert_eq!(Motion::of(&jumped, Some(10.2)), Some(Motion::Rest));
        assert_eq!(Motion::of(&jumped, Some(90.0)), None, "it moved in the last fifth");
        assert_eq!(Motion::of(&[(0.0, 0.0), (5.0, 0.0)], Some(0.0)), Some(Motion::Unmoved));
    }
}
