//! A low-rank part of a kernel, for preconditioners.
//!
//! Randomly pivoted Cholesky (Chen, Epperly, Tropp and Webber 2025): pivots are drawn with probabilities that are the diagonal of
//! what is left, K - F^T F, several at a time, and each takes a column of K. The trace of what is left is on average within a
//! small factor of what the best approximation of a slightly smaller rank leaves.
//!
//! F (r, n) is kept in single precision and used in double: it is some matrix near the factor, and exactly that one in every
//! product, so that a preconditioner made of it is symmetric.

use std::ops::Range;

use ntkscope_core::init::Normals;
use ntkscope_core::{MatMut, MatRef};

use super::Error;
use crate::backend::HostReal;
use crate::kernel::Operator;
use crate::machine::{Ended, Stop};

/// Pivots that are drawn at a time.
const PIVOTS: usize = 64;
/// Columns of F that are converted at a time.
const LEAF: usize = 1024;
/// What of the trace may be left: less is rounding of F.
const ROUNDING: f64 = f32::EPSILON as f64;

/// `F^T F`, a part of K whose rest is positive semidefinite up to rounding.
#[derive(Clone, Debug, PartialEq)]
pub struct LowRank {
    /// (r, n)
    f: Vec<f32>,
    n: usize,
    /// tr(K - F^T F) / tr K
    pub left: f64,
}

/// Bytes that a factor of this rank takes, with what is held while it is made.
pub(super) const fn low_rank_bytes(n: usize, rank: usize) -> u64 {
    (4 * n * rank + 8 * (3 * PIVOTS * n + 2 * LEAF * (rank + PIVOTS) + 2 * rank * rank)) as u64
}

impl LowRank {
    /// Of at most this rank, from columns that `seed` draws; of a lower one where more would be rounding of F. `told` is given the
    /// share that is done.
    ///
    /// # Errors
    /// Those of the operator.
    pub fn of(
        operator: &dyn Operator,
        (rank, seed): (usize, u64),
        told: &mut dyn FnMut(f64),
        stop: &Stop,
    ) -> Result<Ended<Self>, Error> {
        let n = operator.rows();
        let Ended::Done(mut left) = operator.diagonal(stop)? else { return Ok(Ended::Stopped) };
        let trace: f64 = left.iter().sum();
        let mut normals = Normals::new(seed);
        let mut all = Self { f: Vec::new(), n, left: 1.0 };
        while all.rank() < rank.min(n) {
            let total: f64 = left.iter().sum();
            if total <= ROUNDING * trace {
                break;
            }
            let pivots = draw(&left, total, PIVOTS.min(rank - all.rank()), &mut normals);
            let mut columns = vec![0.0; pivots.len() * n];
            let out = MatMut::new(&mut columns, pivots.len(), n)?;
            if operator.columns(&pivots, out, stop)? == Ended::Stopped {
                return Ok(Ended::Stopped);
            }
            if all.add(&pivots, columns, &mut left)? == 0 {
                break;
            }
            told(all.rank() as f64 / rank as f64);
        }
        all.left = left.iter().sum::<f64>() / trace;
        Ok(Ended::Done(all))
    }

    /// r
    pub fn rank(&self) -> usize {
        self.f.len() / self.n.max(1)
    }

    /// Adds the factor's rows from these columns of K, and says how many; `left` is the diagonal of K less `F^T F`. There is none where
    /// nothing is left at the pivots but the rounding of F, so that no draw would ever add another.
    fn add(&mut self, pivots: &[usize], mut columns: Vec<f64>, left: &mut [f64]) -> Result<usize, Error> {
        let (n, count, rank) = (self.n, pivots.len(), self.rank());
        // what is left of the columns
        if rank > 0 {
            let at_pivots: Vec<f64> = (0..rank)
                .flat_map(|r| pivots.iter().map(move |j| (r, *j)))
                .map(|(r, j)| f64::from(self.f[r * n + j]))
                .collect();
            let at_pivots = MatRef::new(&at_pivots, rank, count)?;
            self.each_leaf(&mut |rows, f| {
                let mut out = MatMut::new(&mut columns, count, n)?;
                let out = out.reborrow().block(0..count, rows);
                f64::fast().gemm(-1.0, at_pivots.t(), f, 1.0, out);
                Ok(())
            })?;
        }
        // Cholesky's factor of the block at the pivots; one that the others have taken nearly whole is left out
        let mut new: Vec<Vec<f64>> = Vec::new();
        for (k, pivot) in pivots.iter().enumerate() {
            let mut row = columns[k * n..][..n].to_vec();
            for before in &new {
                let share = before[*pivot];
                row.iter_mut().zip(before).for_each(|(x, b)| *x -= share * b);
            }
            if row[*pivot] <= 1e-3 * columns[k * n + pivot].abs() || row[*pivot] <= 0.0 {
                continue;
            }
            let root = row[*pivot].sqrt();
            row.iter_mut().for_each(|x| *x /= root);
            left.iter_mut().zip(&row).for_each(|(left, x)| *left = (*left - x * x).max(0.0));
            left[*pivot] = 0.0;
            new.push(row);
        }
        self.f.extend(new.iter().flatten().map(|x| *x as f32));
        Ok(new.len())
    }

    /// F, some columns at a time, in double precision.
    fn each_leaf(&self, work: &mut OfLeaf<'_>) -> Result<(), Error> {
        let mut leaf = Vec::new();
        for first in (0..self.n).step_by(LEAF) {
            let columns = first..self.n.min(first + LEAF);
            leaf.clear();
            for row in self.f.chunks_exact(self.n) {
                leaf.extend(row[columns.clone()].iter().map(|x| f64::from(*x)));
            }
            work(columns.clone(), MatRef::new(&leaf, self.rank(), columns.len())?)?;
        }
        Ok(())
    }

    /// `V F^T` (k, r) of V (k, n).
    pub(super) fn project(&self, v: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
        let (k, rank) = (v.rows(), self.rank());
        let mut out = vec![0.0; k * rank];
        self.each_leaf(&mut |columns, f| {
            let into = MatMut::new(&mut out, k, rank)?;
            f64::fast().gemm(1.0, v.block(0..k, columns), f.t(), 1.0, into);
            Ok(())
        })?;
        Ok(out)
    }

    /// `out <- out + W F` of W (k, r), out (k, n).
    pub(super) fn spread(&self, w: MatRef<'_, f64>, mut out: MatMut<'_, f64>) -> Result<(), Error> {
        let k = w.rows();
        self.each_leaf(&mut |columns, f| {
            f64::fast().gemm(1.0, w, f, 1.0, out.reborrow().block(0..k, columns));
            Ok(())
        })
    }

    /// `F diag(weights) F^T` (r, r), to `out`.
    pub(super) fn gram(&self, weights: impl Fn(usize) -> f64, mut out: MatMut<'_, f64>) -> Result<(), Error> {
        out.fill(0.0);
        let mut weighted = Vec::new();
        self.each_leaf(&mut |columns, f| {
            weighted.clear();
            for r in 0..f.rows() {
                weighted.extend(f.row(r).iter().zip(columns.clone()).map(|(f, i)| f * weights(i)));
            }
            let weighted = MatRef::new(&weighted, f.rows(), f.cols())?;
            f64::fast().gemm(1.0, weighted, f.t(), 1.0, out.reborrow());
            Ok(())
        })
    }
}

/// What is done with some columns of F.
type OfLeaf<'w> = dyn FnMut(Range<usize>, MatRef<'_, f64>) -> Result<(), Error> + 'w;

/// Different indices, each drawn with a probability in proportion to `left`.
fn draw(left: &[f64], total: f64, count: usize, normals: &mut Normals) -> Vec<usize> {
    let mut sums = Vec::with_capacity(left.len());
    let mut sum = 0.0;
    for x in left {
        sum += x;
        sums.push(sum);
    }
    // the normal distribution function makes a uniform deviate of a normal one
    let mut uniform = || 0.5 * libm::erfc(-normals.draw() * std::f64::consts::FRAC_1_SQRT_2);
    let mut drawn: Vec<usize> = (0..count)
        .map(|_| {
            let share = uniform() * total;
            let at = sums.partition_point(|sum| *sum <= share);
            // rounding may leave the last sum below the total
            at.min(left.len() - 1)
        })
        .filter(|at| left[*at] > 0.0)
        .collect();
    drawn.sort_unstable();
    drawn.dedup();
    if drawn.is_empty() {
        let largest = (0..left.len()).max_by(|a, b| left[*a].total_cmp(&left[*b]));
        drawn.extend(largest);
    }
    drawn
}
