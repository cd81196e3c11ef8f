//! A summary of samples: sizes, norms, the smallest angle.

use std::fmt;

use ntkscope_core::linalg::norm;
use serde::Serialize;

use super::select::to_unit_norm;
use super::{Samples, Targets};
use crate::words::{excerpt, number, precise};

/// Largest n for which every pair of samples is looked at.
const PAIRS_UP_TO: usize = 2000;

/// A summary of [`Samples`]; its `Display` is a small table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The samples' own description.
    pub description: String,
    /// Number of samples.
    pub n: usize,
    /// Numbers per sample.
    pub d: usize,
    /// What y is; `None` where there is none.
    pub targets: Option<Targets>,
    /// Number of classes; 0 unless y is classes.
    pub classes: usize,
    /// What each class stands for: its label, or `even` and `odd`, (classes).
    pub class_labels: Vec<String>,
    /// Samples of each class, (classes).
    pub counts: Vec<usize>,
    /// The numbers of y; `None` unless y is numbers.
    pub y: Option<YRange>,
    /// Smallest Euclidean norm of a sample.
    pub norm_min: f64,
    /// Mean Euclidean norm.
    pub norm_mean: f64,
    /// Largest Euclidean norm.
    pub norm_max: f64,
    /// The two samples closest in direction; `None` for one sample, more than 2000, or a zero sample.
    pub smallest_angle: Option<SmallestAngle>,
    /// What was doubtful about the reading of a file.
    pub warnings: Vec<String>,
    /// The samples' checksum.
    pub sha256: String,
}

/// The range of y where it is numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct YRange {
    /// Numbers per sample.
    pub columns: usize,
    /// Smallest.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Largest.
    pub max: f64,
    /// How many different ones there are.
    pub distinct: usize,
}

impl YRange {
    fn of(samples: &Samples) -> Option<Self> {
        if !samples.are_values() {
            return None;
        }
        let mut sorted = samples.y.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let mean = samples.y.iter().map(|y| y / samples.y.len() as f64).sum();
        sorted.dedup();
        Some(Self { columns: samples.y_columns, min, mean, max, distinct: sorted.len() })
    }
}

/// The two samples closest in direction: at angle 0 every kernel without a bias is singular on them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SmallestAngle {
    /// Radians.
    pub angle: f64,
    /// Index of the first sample.
    pub first: usize,
    /// Index of the second sample.
    pub second: usize,
}

/// Summarizes `samples`; about n^2 d / 2 operations while n is 2000 or less.
pub fn show(samples: &Samples) -> Summary {
    let norms: Vec<f64> = samples.x.chunks_exact(samples.d).map(norm).collect();
    let mut counts = vec![0; samples.classes];
    samples.labels.iter().for_each(|&label| counts[label] += 1);
    Summary {
        description: samples.description.clone(),
        n: samples.n,
        d: samples.d,
        targets: samples.targets,
        classes: samples.classes,
        class_labels: samples.class_names(),
        counts,
        y: YRange::of(samples),
        norm_min: norms.iter().copied().fold(f64::INFINITY, f64::min),
        norm_mean: norms.iter().map(|norm| norm / samples.n as f64).sum(),
        norm_max: norms.iter().copied().fold(0.0, f64::max),
        smallest_angle: smallest_angle(samples, &norms),
        warnings: samples.warnings.clone(),
        sha256: samples.sha256.clone(),
    }
}

/// angle = 2 atan2(|u - v|, |u + v|) of unit vectors: exact near 0, where the arccosine of a rounded cosine is not.
fn smallest_angle(samples: &Samples, norms: &[f64]) -> Option<SmallestAngle> {
    if !(2..=PAIRS_UP_TO).contains(&samples.n) || norms.contains(&0.0) {
        return None;
    }
    let mut unit = samples.x.clone();
    for row in unit.chunks_exact_mut(samples.d) {
        to_unit_norm(row);
    }
    let row = |i: usize| &unit[i * samples.d..(i + 1) * samples.d];
    let (mut least, mut pair) = (f64::INFINITY, (0, 1));
    for i in 0..samples.n {
        for j in i + 1..samples.n {
            if let Some(distance) = distance_below(least, row(i), row(j)) {
                (least, pair) = (distance, (i, j));
            }
        }
    }
    let (first, second) = pair;
    let sum: f64 = row(first).iter().zip(row(second)).map(|(a, b)| (a + b) * (a + b)).sum();
    Some(SmallestAngle { angle: 2.0 * libm::atan2(least.sqrt(), sum.sqrt()), first, second })
}

/// |u - v|^2 when it is below `bound`; given up after the first 64 or more numbers that reach it.
fn distance_below(bound: f64, u: &[f64], v: &[f64]) -> Option<f64> {
    let mut distance = 0.0;
    for (u, v) in u.chunks(64).zip(v.chunks(64)) {
        // Eight partial sums, so that the compiler may keep them in one register.
        let mut sums = [0.0; 8];
        for (u, v) in u.chunks(8).zip(v.chunks(8)) {
            for ((sum, a), b) in sums.iter_mut().zip(u).zip(v) {
                *sum += (a - b) * (a - b);
            }
        }
        distance += sums.iter().sum::<f64>();
        if distance >= bound {
            return None;
        }
    }
    Some(distance)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.description)?;
        writeln!(f, "samples         {} of dimension {}", self.n, self.d)?;
        if let Some(YRange { columns, min, mean, max, distinct }) = self.y {
            let each = if columns == 1 { String::new() } else { format!(" {columns} per sample,") };
            writeln!(
                f,
                "y               real-valued:{each} min {}, mean {}, max {}, {distinct} distinct",
                precise(min),
                precise(mean),
                precise(max)
            )?;
        } else if self.targets.is_none() {
            writeln!(f, "y               none")?;
        } else {
            let counts: Vec<String> = self.counts.iter().enumerate().map(|(k, c)| format!("{k}: {c}")).collect();
            writeln!(f, "classes         {} ({})", self.classes, counts.join(", "))?;
            let labels: Vec<String> =
                self.class_labels.iter().enumerate().map(|(k, l)| format!("{} is {k}", excerpt(l))).collect();
            writeln!(f, "labels          {}", labels.join(", "))?;
        }
        let [min, mean, max] = [self.norm_min, self.norm_mean, self.norm_max].map(precise);
        writeln!(f, "norm            min {min}, mean {mean}, max {max}")?;
        if let Some(SmallestAngle { angle, first, second }) = self.smallest_angle {
            let degrees = angle.to_degrees();
            let (radians, degrees) = (precise(angle), number(degrees));
            write!(f, "smallest angle  {radians} rad ({degrees} degrees) between samples {first} and {second}")?;
            writeln!(
                f,
                "{}",
                if angle == 0.0 { ": same direction, so a kernel without bias is singular" } else { "" }
            )?;
        }
        write!(f, "sha256          {}", self.sha256)
    }
}
