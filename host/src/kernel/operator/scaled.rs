//! A kernel in another unit.

use ntkscope_core::{MatMut, MatRef, Real};

use super::{Operator, Told};
use crate::kernel::Error;
use crate::machine::{Ended, Stop};

/// `K/unit` for a power of 4, which rounds nothing: where entries of K, or their squares, would leave the numbers that are
/// computed with, those of this one do not.
pub struct Scaled<'a> {
    kernel: &'a mut dyn Operator,
    unit: f64,
}

impl<'a> Scaled<'a> {
    /// The kernel with the largest entry of its diagonal between 1 and 4; a kernel that is 0 stays as it is.
    ///
    /// # Errors
    /// Those of the operator.
    pub fn new(kernel: &'a mut dyn Operator, stop: &Stop) -> Result<Ended<Self>, Error> {
        let Ended::Done(diagonal) = kernel.diagonal(stop)? else { return Ok(Ended::Stopped) };
        let largest = diagonal.into_iter().fold(0.0, f64::max);
        let unit = if largest > 0.0 { largest.sqrt().power_of_two().powi(2) } else { 1.0 };
        Ok(Ended::Done(Self { kernel, unit }))
    }

    /// What everything is divided by.
    pub fn unit(&self) -> f64 {
        self.unit
    }
}

impl Operator for Scaled<'_> {
    fn rows(&self) -> usize {
        self.kernel.rows()
    }

    fn diagonal(&self, stop: &Stop) -> Result<Ended<Vec<f64>>, Error> {
        let Ended::Done(mut diagonal) = self.kernel.diagonal(stop)? else { return Ok(Ended::Stopped) };
        diagonal.iter_mut().for_each(|entry| *entry /= self.unit);
        Ok(Ended::Done(diagonal))
    }

    fn apply(
        &mut self,
        vectors: MatRef<'_, f64>,
        mut out: MatMut<'_, f64>,
        told: &mut Told<'_>,
        stop: &Stop,
    ) -> Result<Ended, Error> {
        let ended = self.kernel.apply(vectors, out.reborrow(), told, stop)?;
        divide(out, self.unit);
        Ok(ended)
    }

    fn columns(&self, of: &[usize], mut out: MatMut<'_, f64>, stop: &Stop) -> Result<Ended, Error> {
        let ended = self.kernel.columns(of, out.reborrow(), stop)?;
        divide(out, self.unit);
        Ok(ended)
    }

    fn shares_products(&self) -> bool {
        self.kernel.shares_products()
    }
}

fn divide(mut out: MatMut<'_, f64>, unit: f64) {
    (0..out.rows()).for_each(|row| out.row_mut(row).iter_mut().for_each(|entry| *entry /= unit));
}
