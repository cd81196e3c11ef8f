//! What a regression says of other points.

use ntkscope_core::{MatMut, MatRef};

use super::Error;
use crate::backend::HostReal;
use crate::kernel::{KernelSource, Space, check_finite};
use crate::machine::{Ended, Ranks, Stop};

/// Most points and samples of a panel.
pub(super) const SIDE: usize = 1024;

/// `f(x_j) = sum_i K(x_j, x_i) a_i` (m, C) for the points of `points` and the samples of `source`, of one kernel with a row a
/// sample; a is (C, n). The points are divided among the ranks.
///
/// # Errors
/// Samples that the scalar does not hold, predictions that are not finite.
pub fn predictions<T: HostReal, S: KernelSource<T>>(
    (points, source): (&S, &S),
    a: MatRef<'_, f64>,
    ranks: &dyn Ranks,
    told: &mut dyn FnMut(f64),
    stop: &Stop,
) -> Result<Ended<Vec<f64>>, Error> {
    let (m, n, outputs) = (points.samples().count(), source.samples().count(), a.rows());
    let side = SIDE.min(source.leaf());
    let mut found = vec![0.0; m * outputs];
    let (mut left, mut right) = (Space::default(), Space::default());
    let mut scratch = vec![T::ZERO; source.scratch(side.min(m.max(n)))];
    let (mut panel, mut wide) = (vec![T::ZERO; side.min(m) * side.min(n)], Vec::new());
    let own = (0..m).step_by(side).skip(ranks.rank()).step_by(ranks.size());
    for top in own {
        let rows = top..m.min(top + side);
        let above = left.side(points, rows.clone())?;
        for first in (0..n).step_by(side) {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            let cols = first..n.min(first + side);
            let beside = right.side(source, cols.clone())?;
            let entries = &mut panel[..rows.len() * cols.len()];
            points.entries(&above, Some(&beside), MatMut::new(entries, rows.len(), cols.len())?, &mut scratch)?;
            wide.clear();
            wide.extend(entries.iter().map(|k| k.to_f64()));
            let entries = MatRef::new(&wide, rows.len(), cols.len())?;
            let some = &mut found[rows.start * outputs..rows.end * outputs];
            let out = MatMut::new(some, rows.len(), outputs)?;
            f64::fast().gemm(1.0, entries, a.block(0..outputs, cols).t(), 1.0, out);
        }
        told(rows.end as f64 / m as f64);
    }
    if ranks.size() > 1 {
        let parts = (0..m).step_by(side).map(|top| top * outputs..m.min(top + side) * outputs);
        let mine = parts.clone().skip(ranks.rank()).step_by(ranks.size());
        let own: Vec<f64> = mine.flat_map(|part| found[part].to_vec()).collect();
        let shared = ranks.share(&own);
        let mut rest: Vec<&[f64]> = shared.iter().map(|numbers| &numbers[..]).collect();
        for (index, part) in parts.enumerate() {
            let (now, after) = rest[index % ranks.size()].split_at(part.len());
            found[part].copy_from_slice(now);
            rest[index % ranks.size()] = after;
        }
    }
    check_finite(&found, "a prediction")?;
    Ok(Ended::Done(found))
}
