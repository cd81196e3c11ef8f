//! What is made of several seeds: means with standard errors, slopes, curves on a common grid.

/// A mean and its standard error, which is unknown for a single value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// mean
    pub value: f64,
    /// standard error of the mean, over seeds
    pub error: Option<f64>,
    /// how many values; 0 for a number without scatter, such as an extreme of all runs
    pub count: usize,
    /// the least and the largest that a value can be, where those are known
    pub range: Option<[f64; 2]>,
}

impl Estimate {
    /// Mean and standard error of these values; `None` where there are none, or one is not finite.
    pub fn from_values(values: &[f64]) -> Option<Self> {
        if values.is_empty() || values.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let (value, variance) = mean_and_variance(values);
        let count = values.len();
        let error = (count > 1).then(|| (variance / count as f64).sqrt());
        Some(Self { value, error, count, range: None })
    }
    /// A number without scatter.
    pub fn exact(value: f64) -> Self {
        Self { value, error: None, count: 0, range: None }
    }
    /// The standard error, 0 where it is unknown.
    pub fn error_or_0(&self) -> f64 {
        self.error.unwrap_or(0.0)
    }
}

/// Mean of a sample, and its variance by the divisor n - 1, NaN for a single value.
fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (count - 1.0))
}

/// Standard deviation of a sample, by the divisor n - 1; NaN for fewer than two values.
pub fn deviation(values: &[f64]) -> f64 {
    mean_and_variance(values).1.sqrt()
}

/// The larger of two numbers, undefined where one is: [`f64::max`] leaves that one out, and an extreme of nothing but
/// undefined numbers would look like one that was measured.
pub fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// The smaller of two numbers, undefined where one is.
pub fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

/// The middle one of these numbers, of two the larger; `None` where there is none. Numbers that are undefined are left out.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Central moment of a sample: the mean of the powers of the distances from its mean.
pub fn central_moment(values: &[f64], power: i32) -> f64 {
    let (count, (mean, _)) = (values.len() as f64, mean_and_variance(values));
    values.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / count
}

/// Excess kurtosis of a sample: its fourth central moment over the square of the second, less 3.
pub fn kurtosis(values: &[f64]) -> f64 {
    central_moment(values, 4) / central_moment(values, 2).powi(2) - 3.0
}

/// Pseudo-values of a statistic of independent items, in `groups` groups of equal size; items that are left over belong to
/// none:
///
/// ```text
/// G s(all) - (G - 1) s(all but group g),     g = 1, ..., G
/// ```
///
/// Their mean is the statistic without its bias of order 1/n, and they scatter about it as independent values of it (the
/// jackknife: Quenouille 1956, Tukey 1958).
pub fn jackknife<T: Copy>(items: &[T], groups: usize, statistic: impl Fn(&[T]) -> f64) -> Vec<f64> {
    let size = items.len() / groups;
    let all = &items[..size * groups];
    let (whole, count) = (statistic(all), groups as f64);
    let without = |group: usize| statistic(&[&all[..group * size], &all[(group + 1) * size..]].concat());
    (0..groups).map(|group| count * whole - (count - 1.0) * without(group)).collect()
}

/// Density of N(0, 1).
pub fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Probability that N(0, 1) is below `z`, to full relative precision in the lower tail too.
pub fn normal_probability(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Mean of these values, and the sum of the squares of their distances from it.
pub fn centre_and_spread(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let centre = values.clone().fold(0.0, |sum, v| sum + v / count);
    (centre, values.map(|v| (v - centre) * (v - centre)).sum())
}

/// Slope and intercept of the least-squares line through these points; `None` for fewer than two abscissae.
pub fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let (x, spread) = centre_and_spread(points.iter().map(|p| p.0));
    let (y, _) = centre_and_spread(points.iter().map(|p| p.1));
    let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / spread;
    slope.is_finite().then_some((slope, y - slope * x))
}

/// A curve of increasing abscissae, linear between its points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Curve {
    /// From points in order; those that are not finite, or whose abscissa does not rise above all before it, are
    /// left out: margins may fall for a moment, and the curve is then read at their first passage.
    pub fn new(points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut curve = Self::default();
        for (x, y) in points {
            if x.is_finite() && y.is_finite() && curve.x.last().is_none_or(|last| x > *last) {
                curve.x.push(x);
                curve.y.push(y);
            }
        }
        curve
    }
    /// First and last abscissa; `None` for an empty curve.
    pub fn range(&self) -> Option<(f64, f64)> {
        Some((*self.x.first()?, *self.x.last()?))
    }
    /// The ordinate at `x`; `None` outside the range.
    pub fn at(&self, x: f64) -> Option<f64> {
        let (first, last) = self.range()?;
        if !(first..=last).contains(&x) {
            return None;
        }
        let right = self.x.partition_point(|v| *v < x);
        if right == 0 {
            return self.y.first().copied();
        }
        let share = (x - self.x[right - 1]) / (self.x[right] - self.x[right - 1]);
        Some(self.y[right - 1] + share * (self.y[right] - self.y[right - 1]))
    }
    /// The first abscissa at which the curve passes `level` from below; `None` where it never does.
    pub fn passes(&self, level: f64) -> Option<f64> {
        let at = self.y.iter().position(|y| *y >= level)?;
        if at == 0 {
            return self.x.first().copied();
        }
        let share = (level - self.y[at - 1]) / (self.y[at] - self.y[at - 1]);
        Some(self.x[at - 1] + share * (self.x[at] - self.x[at - 1]))
    }
    /// Slope of the least-squares line through the points with abscissae in `[from, to]`, given as differences of
    /// evenly spaced readings, so that crowded snapshots do not count more.
    ///
    /// `None` for an interval that the curve does not cover: it has no slope there, and one of a part is another's.
    pub fn slope(&self, from: f64, to: f64) -> Option<f64> {
        const READINGS: usize = 33;
        let (first, last) = self.range()?;
        // the ends may lie a rounding outside
        let rounding = 1e-12 * from.abs().max(to.abs());
        if !(first - rounding <= from && from < to && to <= last + rounding) {
            return None;
        }
        let points: Option<Vec<_>> = (0..READINGS)
            .map(|i| from + (to - from) * i as f64 / (READINGS - 1) as f64)
            .map(|x| x.clamp(first, last))
            .map(|x| self.at(x).map(|y| (x, y)))
            .collect();
        line(&points?).map(|(slope, _)| slope)
    }
}

/// Several curves on one grid: their mean, smallest and largest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// the grid
    pub x: Vec<f64>,
    /// mean of all curves
    pub mean: Vec<f64>,
    /// smallest
    pub low: Vec<f64>,
    /// largest
    pub high: Vec<f64>,
}

impl Spread {
    /// On `count` abscissae spread evenly over the range that all the curves share.
    pub fn over(curves: &[Curve], count: usize) -> Self {
        let ranges: Option<Vec<_>> = curves.iter().map(Curve::range).collect();
        let Some(ranges) = ranges.filter(|r| !r.is_empty()) else { return Self::default() };
        let from = ranges.iter().fold(f64::NEG_INFINITY, |m, r| m.max(r.0));
        let to = ranges.iter().fold(f64::INFINITY, |m, r| m.min(r.1));
        let mut spread = Self::default();
        for i in 0..count {
            let x = (from + (to - from) * i as f64 / (count - 1).max(1) as f64).clamp(from, to.max(from));
            let readings: Option<Vec<f64>> = curves.iter().map(|curve| curve.at(x)).collect();
            if let Some(readings) = readings {
                spread.x.push(x);
                spread.mean.push(readings.iter().sum::<f64>() / readings.len() as f64);
                spread.low.push(readings.iter().copied().fold(f64::INFINITY, f64::min));
                spread.high.push(readings.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            }
        }
        spread
    }
    /// The same with abscissae and ordinates passed through these functions: a curve of logarithms becomes one of
    /// numbers.
    pub fn map(mut self, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> Self {
        self.x.iter_mut().for_each(|v| *v = x(*v));
        for values in [&mut self.mean, &mut self.low, &mut self.high] {
            values.iter_mut().for_each(|v| *v = y(*v));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_of_undefined_numbers_are_undefined() {
        assert_eq!([larger(1.0, 2.0), smaller(1.0, 2.0), larger(-0.5, -2.0)], [2.0, 1.0, -0.5]);
        for pair in [[f64::NAN, 1.0], [1.0, f64::NAN], [f64::NAN; 2]] {
            assert!(pair.into_iter().fold(0.0, larger).is_nan() && pair.into_iter().reduce(smaller).unwrap().is_nan());
        }
        assert_eq!([f64::NEG_INFINITY, 3.0].into_iter().fold(f64::NEG_INFINITY, larger), 3.0);
    }

    #[test]
    fn estimates() {
        let estimate = Estimate::from_values(&[1.0, 2.0, 3.0, 6.0]).unwrap();
        assert_eq!(estimate.value, 3.0);
        assert!((estimate.error.unwrap() - (14.0f64 / 3.0 / 4.0).sqrt()).abs() < 1e-15);
        assert_eq!(Estimate::from_values(&[5.0]).unwrap().error, None);
        assert!((deviation(&[1.0, 2.0, 3.0, 6.0]) - (14.0f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(Estimate::from_values(&[]), None);
        assert_eq!(Estimate::from_values(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn the_normal_distribution() {
        assert!((normal_density(0.0) - 0.398_942_280_401_432_7).abs() < 1e-15);
        assert!((normal_probability(1.0) - 0.841_344_746_068_542_9).abs() < 1e-15);
        assert!((normal_probability(-8.0) / 6.220_960_574_271_785e-16 - 1.0).abs() < 1e-13);
        // the derivative of the one is the other
        let slope = (normal_probability(0.7 + 1e-5) - normal_probability(0.7 - 1e-5)) / 2e-5;
        assert!((slope - normal_density(0.7)).abs() < 1e-10);
    }

    #[test]
    fn lines_and_curves() {
        let (slope, intercept) = line(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]).unwrap();
        assert!((slope - 2.0).abs() < 1e-15 && (intercept - 1.0).abs() < 1e-15);
        assert_eq!(line(&[(1.0, 1.0), (1.0, 2.0)]), None);
        let curve = Curve::new([(0.0, 0.0), (1.0, 2.0), (0.5, 9.0), (f64::NAN, 1.0), (3.0, 4.0)]);
        assert_eq!(
            (curve.at(0.5), curve.at(2.0), curve.at(3.0), curve.at(3.1)),
            (Some(1.0), Some(3.0), Some(4.0), None)
        );
        assert_eq!((curve.passes(1.0), curve.passes(0.0), curve.passes(5.0)), (Some(0.5), Some(0.0), None));
        assert!((curve.slope(1.0, 3.0).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(curve.slope(-1.0, 0.0), None, "no slope outside the curve");
        let third = Curve::new([(0.1, 0.3), (0.7, 0.9)]);
        for (from, to) in [(0.8, 2.0), (0.5, 0.9), (-0.3, 0.1), (-0.3, 0.5), (0.3, 0.3), (0.5, 0.3)] {
            assert_eq!(third.slope(from, to), None, "none of a window that it does not cover: {from} to {to}");
        }
        assert_eq!(Curve::new([(0.3, 0.1)]).slope(0.3, 0.6), None, "a point has none");
        assert!((third.slope(0.1 - 1e-16, 0.7 + 1e-16).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_jackknife_takes_off_the_bias() {
        // of a mean it gives the means of the groups
        let values = [1.0, 2.0, 3.0, 6.0, 5.0, 7.0, 100.0];
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let groups = jackknife(&values, 3, mean);
        for (found, expected) in groups.iter().zip([1.5, 4.5, 6.0]) {
            assert!((found - expected).abs() < 1e-12, "{groups:?}");
        }
        // of the variance by the divisor n that by n - 1
        let biased = |values: &[f64]| mean_and_variance(values).1 * (values.len() - 1) as f64 / values.len() as f64;
        let found = mean(&jackknife(&values, 7, biased));
        assert!((found / mean_and_variance(&values).1 - 1.0).abs() < 1e-12, "{found}");
        assert!((kurtosis(&[-1.0, 1.0, -1.0, 1.0]) + 2.0).abs() < 1e-15);
    }

    #[test]
    fn a_spread_covers_what_all_curves_share() {
        let curves = [Curve::new([(0.0, 0.0), (4.0, 4.0)]), Curve::new([(1.0, 3.0), (5.0, 7.0)])];
        let spread = Spread::over(&curves, 4);
        assert_eq!(spread.x, [1.0, 2.0, 3.0, 4.0]);
        assert_eq!((spread.low[0], spread.mean[0], spread.high[0]), (1.0, 2.0, 3.0));
        assert_eq!(Spread::over(&[], 4), Spread::default());
    }
}
