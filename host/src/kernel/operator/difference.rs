//! The difference of two kernels of the same samples.

use ntkscope_core::{MatMut, MatRef};

use super::{Operator, Told};
use crate::kernel::Error;
use crate::machine::{Ended, Stop};

/// `K' - K`, which is symmetric but not semidefinite.
pub struct Difference<'a> {
    /// K'
    pub later: &'a mut dyn Operator,
    /// K
    pub earlier: &'a mut dyn Operator,
}

impl Operator for Difference<'_> {
    fn rows(&self) -> usize {
        self.later.rows()
    }

    fn diagonal(&self, stop: &Stop) -> Result<Ended<Vec<f64>>, Error> {
        let (Ended::Done(mut later), Ended::Done(earlier)) = (self.later.diagonal(stop)?, self.earlier.diagonal(stop)?)
        else {
            return Ok(Ended::Stopped);
        };
        later.iter_mut().zip(earlier).for_each(|(later, earlier)| *later -= earlier);
        Ok(Ended::Done(later))
    }

    fn apply(
        &mut self,
        vectors: MatRef<'_, f64>,
        mut out: MatMut<'_, f64>,
        told: &mut Told<'_>,
        stop: &Stop,
    ) -> Result<Ended, Error> {
        let (k, n) = (vectors.rows(), vectors.cols());
        if self.later.apply(vectors, out.reborrow(), &mut |done| told(0.5 * done), stop)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        let mut earlier = vec![0.0; k * n];
        let into = MatMut::new(&mut earlier, k, n)?;
        if self.earlier.apply(vectors, into, &mut |done| told(0.5 + 0.5 * done), stop)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        for (row, earlier) in earlier.chunks_exact(n).enumerate() {
            out.row_mut(row).iter_mut().zip(earlier).for_each(|(later, earlier)| *later -= earlier);
        }
        Ok(Ended::Done(()))
    }

    fn columns(&self, of: &[usize], mut out: MatMut<'_, f64>, stop: &Stop) -> Result<Ended, Error> {
        let (k, n) = (of.len(), self.rows());
        let mut earlier = vec![0.0; k * n];
        if self.later.columns(of, out.reborrow(), stop)? == Ended::Stopped
            || self.earlier.columns(of, MatMut::new(&mut earlier, k, n)?, stop)? == Ended::Stopped
        {
            return Ok(Ended::Stopped);
        }
        for (row, earlier) in earlier.chunks_exact(n).enumerate() {
            out.row_mut(row).iter_mut().zip(earlier).for_each(|(later, earlier)| *later -= earlier);
        }
        Ok(Ended::Done(()))
    }

    fn shares_products(&self) -> bool {
        self.later.shares_products()
    }
}
