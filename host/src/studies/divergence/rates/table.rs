//! All local exponents of the part in numbers, with what stands beside them.

use super::Grown;
use super::windows::rho;
use crate::report::{Table, number, rounded, thousandths};

/// A row for every network and window, means over the seeds.
pub(super) fn local_exponents(all: &[Grown]) -> Table {
    let caption = "Local exponents over half decades of the mean margin u, means over the seeds: q of the mean of K_{t}(x_{i}, x_{i}), p of \
                   ρ = (|θ_{t}|^{2} − |θ_{0}|^{2})^{1/2}, beside y = |θ_{0}|^{2}/ρ^{2} in the middle of the window; where the window ends the \
                   degree θ · ∇f/f that the network has come to, the exponent 2 − 2/degree that it supports, and the mean of \
                   K_{ii} |θ|^{2}/(M f_{i})^{2}, which should fall to a constant ≥ 1.";
    let header = [
        "network",
        "width",
        "u from",
        "y",
        "q",
        "2 − 2/M",
        "p",
        "1/M",
        "degree",
        "2 − 2/degree",
        "K_{ii} |θ|^{2}/(M f_{i})^{2}",
    ];
    let mut table = Table::new(caption, header);
    for grown in all {
        let (kernel, parameters) = (grown.mean_locals(|row| row.kernel), grown.mean_locals(rho));
        // both are counted from the last window, and rho may have fewer
        let skipped = kernel.len().saturating_sub(parameters.len());
        for (q, p) in kernel.iter().skip(skipped).zip(&parameters) {
            let end = q.from * 10f64.sqrt();
            let at_end = |column: fn(&super::Row) -> f64| grown.mean_at(end, column).unwrap_or(f64::NAN);
            let degree = at_end(|row| row.degree);
            table.push([
                grown.net.title(),
                grown.width.to_string(),
                number(rounded_margin(q.from)),
                thousandths(q.y),
                thousandths(q.exponent),
                thousandths(grown.net.exponent()),
                thousandths(p.exponent),
                thousandths(1.0 / grown.net.degree()),
                thousandths(degree),
                thousandths(2.0 - 2.0 / degree),
                rounded(at_end(|row| row.ratio), None),
            ]);
        }
    }
    table
}

/// To three digits.
fn rounded_margin(margin: f64) -> f64 {
    format!("{margin:.2e}").parse().unwrap_or(margin)
}
