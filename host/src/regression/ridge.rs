//! Kernel ridge regression: `(K + n RIDGE) a_c = y_c` for all outputs c at once.

use ntkscope_core::linalg::{cholesky_solve, norm};
use ntkscope_core::{MatMut, MatRef};

use super::conjugate::{Iterate, Solved, System, solve};
use super::{Accuracy, Error, Follow, LowRank};
use crate::backend::HostReal;
use crate::kernel::Operator;
use crate::machine::{Ended, Stop};

/// `(F^T F + shift)^-1`
pub(super) struct Shifted<'a> {
    part: &'a LowRank,
    shift: f64,
    /// Cholesky's factor of `F F^T + shift` (r, r)
    factor: Vec<f64>,
}

impl<'a> Shifted<'a> {
    pub(super) fn new(part: &'a LowRank, shift: f64) -> Result<Self, Error> {
        let rank = part.rank();
        let mut factor = vec![0.0; rank * rank];
        part.gram(|_| 1.0, MatMut::new(&mut factor, rank, rank)?)?;
        factor.iter_mut().step_by(rank + 1).for_each(|entry| *entry += shift);
        f64::fast().cholesky(MatMut::new(&mut factor, rank, rank)?).map_err(|_| Error::Rounding { shift })?;
        Ok(Self { part, shift, factor })
    }

    /// `(r - F^T (F F^T + shift)^-1 F r)/shift`, of every row.
    pub(super) fn solve(&self, r: MatRef<'_, f64>, mut out: MatMut<'_, f64>) -> Result<(), Error> {
        let (k, rank) = (r.rows(), self.part.rank());
        let mut w = self.part.project(r)?;
        for w in w.chunks_exact_mut(rank.max(1)) {
            cholesky_solve(MatRef::new(&self.factor, rank, rank)?, w)?;
            w.iter_mut().for_each(|w| *w = -*w);
        }
        for c in 0..k {
            out.row_mut(c).copy_from_slice(r.row(c));
        }
        self.part.spread(MatRef::new(&w, k, rank)?, out.reborrow())?;
        (0..k).for_each(|c| out.row_mut(c).iter_mut().for_each(|x| *x /= self.shift));
        Ok(())
    }
}

/// `K + shift`
struct Ridge<'a> {
    kernel: &'a mut dyn Operator,
    near: Shifted<'a>,
    follow: &'a mut dyn Follow,
    stop: &'a Stop,
}

impl System for Ridge<'_> {
    fn coupled(&self) -> bool {
        false
    }
    fn apply(&mut self, v: MatRef<'_, f64>, mut out: MatMut<'_, f64>) -> Result<Ended, Error> {
        let Self { kernel, near, follow, stop } = self;
        if kernel.apply(v, out.reborrow(), &mut |share| follow.within(share), stop)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        for c in 0..v.rows() {
            out.row_mut(c).iter_mut().zip(v.row(c)).for_each(|(out, v)| *out += near.shift * v);
        }
        Ok(Ended::Done(()))
    }
    fn precondition(&self, r: MatRef<'_, f64>, out: MatMut<'_, f64>) -> Result<(), Error> {
        self.near.solve(r, out)
    }
    fn follow(&mut self, iterate: &Iterate, residual: f64) -> Result<(), Error> {
        self.follow.product(iterate.products, residual);
        self.follow.keep(iterate, None)
    }
}

/// a (C, n) of `(K + shift) a_c = y_c`, the targets (C, n), to `iterate.x`; `shift` is n RIDGE.
///
/// # Errors
/// Those of the operator; what can be gone on from cannot be kept.
pub fn ridge(
    kernel: &mut dyn Operator,
    part: &LowRank,
    targets: MatRef<'_, f64>,
    shift: f64,
    iterate: &mut Iterate,
    follow: &mut dyn Follow,
    accuracy: &Accuracy<'_>,
) -> Result<Ended<Solved>, Error> {
    let near = Shifted::new(part, shift)?;
    debug_assert!((0..targets.rows()).all(|c| norm(targets.row(c)).is_finite()));
    let mut system = Ridge { kernel, near, follow, stop: accuracy.stop };
    solve(&mut system, targets, iterate, accuracy)
}
