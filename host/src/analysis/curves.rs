//! Errors along training from two starts, draw by draw: f_0 = 0, which is mirrored initialization, and a random f_0.

use super::Error;
use crate::analysis::statistics::{Curve, Estimate, centre_and_spread, line};
use crate::files::numbers::NumberTable;

/// Where training starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// from f_0 = 0
    Zero,
    /// from f_0 = f^GP, or from the outputs of a network at standard initialization
    Random,
}

impl Start {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Zero, Self::Random];
}

/// Excess risks of both starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// times or epochs at which the risk is known, ascending
    pub at: Vec<f64>,
    /// from 0, a curve for every draw
    pub zero: Vec<Vec<f64>>,
    /// from the random outputs, of the same draws
    pub random: Vec<Vec<f64>>,
}

/// The smallest excess risk along a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// risk
    pub risk: f64,
    /// index of its time: first and last say that the grid is too short
    pub time: usize,
}

impl Best {
    /// The first smallest of these; `None` without any number.
    pub fn along(risks: &[f64]) -> Option<Self> {
        let better = |best: Option<Self>, (time, risk): (usize, &f64)| match best {
            Some(best) if best.risk <= *risk => Some(best),
            _ if risk.is_nan() => best,
            _ => Some(Self { risk: *risk, time }),
        };
        risks.iter().enumerate().fold(None, better)
    }
}

impl Curves {
    /// As a table, with a row for every draw and start; the columns of the risks are named by their times.
    pub fn table(&self) -> NumberTable {
        let names = ["draw", "start"].map(String::from).into_iter();
        let mut table = NumberTable::new(names.chain(self.at.iter().map(|t| format!("{t:?}"))));
        for (draw, (zero, random)) in self.zero.iter().zip(&self.random).enumerate() {
            for (start, risks) in [zero, random].into_iter().enumerate() {
                table.push([draw as f64, start as f64].into_iter().chain(risks.iter().copied()).collect());
            }
        }
        table
    }
    /// From that table.
    ///
    /// # Errors
    /// It is another.
    pub fn from_table(table: &NumberTable) -> Result<Self, Error> {
        let times: Vec<Option<f64>> = table.columns().iter().map(|name| name.parse().ok()).collect();
        let first = times.iter().position(Option::is_some).ok_or(Error::NoTimes)?;
        let named = times[first..].iter().zip(&table.columns()[first..]);
        let time =
            |(time, column): (&Option<f64>, &String)| time.ok_or_else(|| Error::NoTime { column: column.clone() });
        let at = named.map(time).collect::<Result<_, _>>()?;
        let mut curves = Self { at, ..Self::default() };
        for (row, start) in table.rows().iter().zip(table.column("start")?) {
            let risks = if start == 0.0 { &mut curves.zero } else { &mut curves.random };
            risks.push(row[first..].to_vec());
        }
        let (zero, random) = (curves.zero.len(), curves.random.len());
        if zero != random {
            return Err(Error::UnequalDraws { zero, random });
        }
        Ok(curves)
    }

    fn risks(&self, start: Start) -> &[Vec<f64>] {
        match start {
            Start::Zero => &self.zero,
            Start::Random => &self.random,
        }
    }
    /// ln of the smallest risk of every draw. `None` where one of them has none above 0.
    pub fn log_best(&self, start: Start) -> Option<Vec<f64>> {
        let log = |risks: &Vec<f64>| Best::along(risks).map(|best| best.risk.ln()).filter(|log| log.is_finite());
        self.risks(start).iter().map(log).collect()
    }
    /// ln of the time of the smallest risk of every draw.
    pub fn log_best_time(&self, start: Start) -> Option<Vec<f64>> {
        self.risks(start).iter().map(|risks| Some(self.at[Best::along(risks)?.time].ln())).collect()
    }
    /// ln of the risk of every draw at one time, along lines in ln t and ln risk between the times of the grid: at no time below
    /// the smallest. `None` outside the grid, or where a risk is not above 0.
    pub fn log_at(&self, start: Start, time: f64) -> Option<Vec<f64>> {
        let at = |risks: &Vec<f64>| {
            let points = self.at.iter().zip(risks).map(|(t, risk)| (t.ln(), risk.ln()));
            Curve::new(points).at(time.ln())
        };
        self.risks(start).iter().map(at).collect()
    }
    /// Draws whose best time is the first or the last.
    pub fn at_an_end(&self, start: Start) -> usize {
        let ends = [0, self.at.len().saturating_sub(1)];
        self.risks(start)
            .iter()
            .filter(|risks| Best::along(risks).is_some_and(|best| ends.contains(&best.time)))
            .count()
    }
    /// ln of the risk at every time: mean and standard error over the draws; `None` where a risk is not above 0.
    pub fn log_along(&self, start: Start) -> Vec<Option<Estimate>> {
        let at = |time: usize| {
            Estimate::from_values(&self.risks(start).iter().map(|risks| risks[time].ln()).collect::<Vec<_>>())
        };
        (0..self.at.len()).map(at).collect()
    }
}

/// Something of the curve (ln n, ln of a risk) of every draw, of these n with the logarithms of their draws. `None` where an n has
/// none, as where a risk is 0 and there is nothing to be learned.
pub fn of_draws(
    all: impl Iterator<Item = (usize, Option<Vec<f64>>)>,
    of: impl Fn(&[(f64, f64)]) -> Option<f64>,
) -> Option<Vec<f64>> {
    let all: Vec<(f64, Vec<f64>)> = all.map(|(n, logs)| Some(((n as f64).ln(), logs?))).collect::<Option<_>>()?;
    let draws = all.iter().map(|(_, logs)| logs.len()).min()?;
    (0..draws).map(|draw| of(&all.iter().map(|(n, logs)| (*n, logs[draw])).collect::<Vec<_>>())).collect()
}

/// Slopes of a curve (ln n, ln risk) between neighbours, each with ln n half-way between them.
pub fn local_slopes(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points.windows(2).map(|w| (0.5 * (w[0].0 + w[1].0), (w[1].1 - w[0].1) / (w[1].0 - w[0].0))).collect()
}

/// The slope of a curve (ln n, ln risk) as n grows without end: the intercept of the line through the local slopes over
/// `small(ln n)`, which vanishes there. `None` for fewer than three points.
pub fn slope_in_the_limit(points: &[(f64, f64)], small: impl Fn(f64) -> f64) -> Option<f64> {
    let slopes: Vec<(f64, f64)> = local_slopes(points).into_iter().map(|(x, slope)| (small(x), slope)).collect();
    Some(line(&slopes)?.1)
}

/// Least-squares slope of mean logarithms over ln n. Its error is what the draws' standard errors make of it, the draws
/// of different n being independent; it knows nothing of a curve that bends. `None` for fewer than two n.
pub fn slope(points: &[(usize, Estimate)]) -> Option<Estimate> {
    let all: Vec<(f64, f64)> = points.iter().map(|(n, log_risk)| ((*n as f64).ln(), log_risk.value)).collect();
    let (value, _) = line(&all)?;
    let count = points.iter().map(|(_, log_risk)| log_risk.count).min()?;
    let (centre, spread) = centre_and_spread(all.iter().map(|(x, _)| *x));
    // the slope is sum_i (x_i - centre)/spread y_i
    let shares = all.iter().zip(points).map(|((x, _), (_, y))| Some(((x - centre) / spread * y.error?).powi(2)));
    let error = shares.sum::<Option<f64>>().map(f64::sqrt);
    Some(Estimate { value, error, count, range: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::learning::log_grid;

    #[test]
    fn tables_of_curves() {
        let curves = Curves {
            at: vec![1.0, 0.1 + 0.2],
            zero: vec![vec![0.5, 0.25], vec![0.125, f64::NAN]],
            random: vec![vec![1.0, 2.0], vec![0.0, 4.0]],
        };
        let table = curves.table();
        assert_eq!(table.column("draw").unwrap(), [0.0, 0.0, 1.0, 1.0]);
        let back = Curves::from_table(&table).unwrap();
        assert_eq!((&back.at, &back.random, &back.zero[0]), (&curves.at, &curves.random, &curves.zero[0]));
        assert_eq!(curves.log_best(Start::Zero).unwrap(), [0.25f64.ln(), 0.125f64.ln()]);
        assert_eq!((curves.log_best(Start::Random), curves.at_an_end(Start::Zero)), (None, 2));
        // half-way between 1 and 0.3 in ln t
        let half = curves.log_at(Start::Random, 0.3f64.sqrt());
        assert_eq!(half, None, "the grid does not ascend, and a risk is 0");
        let ascending = Curves { at: vec![1.0, 4.0], zero: vec![vec![0.5, 0.125]], random: vec![vec![0.0, 1.0]] };
        let half = ascending.log_at(Start::Zero, 2.0).unwrap();
        assert!((half[0] - 0.25f64.ln()).abs() < 1e-15, "{half:?}");
        assert_eq!(ascending.log_best_time(Start::Zero).unwrap(), [4f64.ln()]);
        assert_eq!([(Start::Zero, 8.0), (Start::Random, 1.0)].map(|(s, t)| ascending.log_at(s, t)), [None, None]);
        let along = curves.log_along(Start::Zero);
        assert!((along[0].unwrap().value - 0.25f64.ln()).abs() < 1e-15 && along[1].is_none());
    }

    #[test]
    fn best_times_and_slopes() {
        assert_eq!(Best::along(&[2.0, f64::NAN, 1.0, 1.0]), Some(Best { risk: 1.0, time: 2 }));
        assert_eq!(Best::along(&[]), None);
        let grid = log_grid(1.0, 1e7, 8);
        assert!(grid.iter().enumerate().all(|(i, t)| (t / 10f64.powi(i as i32) - 1.0).abs() < 1e-14), "{grid:?}");
        let at = |value, error| Estimate { value, error, count: 5, range: None };
        let (n, step) = ([100, 200], 2f64.ln());
        let found = slope(&[(n[0], at(0.0, Some(0.3))), (n[1], at(-step, Some(0.4)))]).unwrap();
        assert!((found.value + 1.0).abs() < 1e-14 && (found.error.unwrap() - 0.5 / step).abs() < 1e-14);
        assert_eq!(slope(&[(n[0], at(0.0, None)), (n[1], at(-step, Some(0.4)))]).unwrap().error, None);
        assert_eq!(slope(&[(100, at(0.0, None))]), None);
    }

    /// A curve whose local slopes are -0.6 - n^-0.4, for which the line is exact, and one of a power law.
    #[test]
    fn slopes_in_the_limit() {
        let (ends, s) = ([100.0, 200.0, 400.0, 800.0].map(f64::ln), 0.4);
        let mut points = vec![(ends[0], 0.0)];
        for w in ends.windows(2) {
            let slope = -0.6 - (-s * 0.5 * (w[0] + w[1])).exp();
            points.push((w[1], points.last().unwrap().1 + slope * (w[1] - w[0])));
        }
        let limit = slope_in_the_limit(&points, |x| (-s * x).exp()).unwrap();
        assert!((limit + 0.6).abs() < 1e-12, "{limit}");
        let law: Vec<_> = ends.iter().map(|x| (*x, 1.0 - 0.75 * x)).collect();
        assert!(local_slopes(&law).iter().all(|(_, slope)| (slope + 0.75).abs() < 1e-12));
        assert!((slope_in_the_limit(&law, |x| 1.0 / x).unwrap() + 0.75).abs() < 1e-12);
        assert_eq!(slope_in_the_limit(&law[..2], |x| 1.0 / x), None);
    }
}
