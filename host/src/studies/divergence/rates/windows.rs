//! Local exponents over half decades of the margin, and what they come to where the start is forgotten.
//!
//! By what the flow conserves ([`super::homogeneity`]) the squared norms of layers that follow one another grow by equal
//! amounts, so that products of them are a constant times `rho^M (1 + O(y))`, with
//!
//! ```text
//! rho^2 = |theta_t|^2 - |theta_0|^2,     y = |theta_0|^2 / rho^2
//! ```
//!
//! and a local exponent is its limit and a term in y, which falls with the margin only like `u^(-2/M)`. So exponents are
//! extrapolated along y.

use super::row::Row;
use crate::analysis::statistics::{Curve, line};

/// A window in the margin: half a decade.
const WINDOW: f64 = 3.162_277_660_168_379_5;
/// Windows that an extrapolation rests on, the last ones.
pub const WINDOWS: usize = 3;
/// Mean margin at which the first window may begin.
const FROM: f64 = 3.0;

/// An exponent over one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Local {
    /// mean margin where the window begins
    pub from: f64,
    /// y in its middle
    pub y: f64,
    /// d ln(column) / d ln(u)
    pub exponent: f64,
}

/// rho of a row; NaN while the norm is below that of the start.
pub fn rho(row: &Row) -> f64 {
    row.norm / (1.0 + row.y).sqrt()
}

/// The local exponents of a column along the rows of a network, counted from its last margin back; oldest first.
pub fn locals(rows: &[Row], column: impl Fn(&Row) -> f64) -> Vec<Local> {
    let curve = |of: &dyn Fn(&Row) -> f64| Curve::new(rows.iter().map(|row| (row.margin_mean.ln(), of(row).ln())));
    let (values, y) = (curve(&column), curve(&|row| row.y));
    let Some((_, mut end)) = values.range() else { return Vec::new() };
    let width = WINDOW.ln();
    let mut all = Vec::new();
    // the end of the last row lies a rounding, or a part of a step, after its mark
    while end - width > 0.99 * FROM.ln() {
        let from = end - width;
        let (Some(exponent), Some(y)) = (values.slope(from, end), y.at(from + 0.5 * width)) else { break };
        all.push(Local { from: from.exp(), y: y.exp(), exponent });
        end = from;
    }
    all.reverse();
    all
}

/// The last windows, which an extrapolation rests on; `None` where there are fewer.
pub fn last(locals: &[Local]) -> Option<&[Local]> {
    locals.len().checked_sub(WINDOWS).map(|first| &locals[first..])
}

/// Slope and intercept of the line in y through the last windows.
pub fn extrapolation(locals: &[Local]) -> Option<(f64, f64)> {
    line(&last(locals)?.iter().map(|local| (local.y, local.exponent)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network of degree M whose kernel and norm are exact powers of `rho` and of `1 + y`.
    fn rows(degree: f64, start: f64, margin: f64) -> Vec<Row> {
        let count = (24.0 * margin.log10()).round() as i32;
        let at = |k: i32| {
            let u = 10f64.powf(f64::from(k) / 24.0);
            let square = u.powf(2.0 / degree);
            let y = start / square;
            let kernel = u.powf(2.0 - 2.0 / degree) * (-0.4 * y).exp();
            Row { margin_mean: u, kernel, norm: (start + square).sqrt(), y, ..Row::default() }
        };
        (0..=count).map(at).collect()
    }

    #[test]
    fn powers_have_their_exponents_in_every_window() {
        for (degree, start) in [(3.0, 0.5), (8.0, 3.0)] {
            let rows = rows(degree, start, 1e4);
            let all = locals(&rows, rho);
            // of four decades all half decades that begin after 3
            assert_eq!(all.len(), 7, "{all:?}");
            for (local, from) in all.iter().zip([10f64.sqrt(), 10.0, 1e3f64.sqrt()]) {
                assert!((local.from / from - 1.0).abs() < 1e-9, "{local:?}");
                let y = start * (local.from * WINDOW.sqrt()).powf(-2.0 / degree);
                assert!((local.y / y - 1.0).abs() < 1e-9, "{local:?}");
            }
            assert!(all.iter().all(|local| (local.exponent - 1.0 / degree).abs() < 1e-9), "{all:?}");
            assert!((extrapolation(&all).unwrap().1 - 1.0 / degree).abs() < 1e-9);
        }
    }

    /// ln kernel = (2 - 2/M) ln u - 0.4 y has the local exponent 2 - 2/M + (0.8/M) y, which no window is free of.
    #[test]
    fn what_is_left_of_the_start_is_extrapolated_away() {
        let (degree, limit) = (6.0, 2.0 - 2.0 / 6.0);
        let all = locals(&rows(degree, 4.0, 1e4), |row| row.kernel);
        let (slope, intercept) = extrapolation(&all).unwrap();
        assert!(all.last().unwrap().exponent > limit + 0.02, "{all:?}");
        assert!((intercept - limit).abs() < 2e-3 && (slope / (0.8 / degree) - 1.0).abs() < 0.05, "{slope} {intercept}");
        assert_eq!(last(&all[..2]), None, "two windows are too few");
        assert_eq!(extrapolation(&[]), None);
    }

    #[test]
    fn margins_that_were_not_reached_have_no_window() {
        assert_eq!(locals(&rows(3.0, 1.0, 3.0), rho), []);
        assert_eq!(locals(&[], rho), []);
    }
}
