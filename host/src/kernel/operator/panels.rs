//! Products by panels of the kernel that are made anew each time: n^2/2 entries a product, however many vectors it has.

use ntkscope_core::{MatMut, MatRef};
use rayon::prelude::*;

use super::{Operator, Told, columns, part};
use crate::backend::HostReal;
use crate::kernel::Error;
use crate::kernel::blocks::KernelSource;
use crate::kernel::points::Space;
use crate::machine::{Ended, Stop};

/// Samples of a leaf: rows and columns of a panel.
pub(in crate::kernel) const SIDE: usize = 1024;
/// Numbers that are converted at a time.
const RUN: usize = 1 << 14;

/// The kernel of a source with one row a sample. Entries are computed in the source's scalar, products and sums in f64.
pub struct Panels<'a, T, S> {
    source: &'a S,
    panel: Vec<T>,
    wide: Vec<f64>,
    scratch: Vec<T>,
}

impl<'a, T: HostReal, S: KernelSource<T>> Panels<'a, T, S> {
    /// Of this kernel.
    pub fn new(source: &'a S) -> Self {
        assert_eq!(source.rows_per_sample(), 1, "panels: a row for each sample");
        let side = SIDE.min(source.samples().count());
        let scratch = vec![T::ZERO; source.scratch(side)];
        Self { source, panel: vec![T::ZERO; side * side], wide: vec![0.0; side * side], scratch }
    }
}

impl<T: HostReal, S: KernelSource<T>> Operator for Panels<'_, T, S> {
    fn rows(&self) -> usize {
        self.source.samples().count()
    }

    fn diagonal(&self, stop: &Stop) -> Result<Ended<Vec<f64>>, Error> {
        let mut scratch = vec![T::ZERO; self.source.scratch(1)];
        let (mut space, mut entry, mut diagonal) = (Space::default(), [T::ZERO], Vec::with_capacity(self.rows()));
        for i in 0..self.rows() {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            let side = space.side(self.source, i..i + 1)?;
            self.source.entries(&side, None, MatMut::new(&mut entry, 1, 1)?, &mut scratch)?;
            diagonal.push(entry[0].to_f64());
        }
        Ok(Ended::Done(diagonal))
    }

    fn apply(
        &mut self,
        vectors: MatRef<'_, f64>,
        mut out: MatMut<'_, f64>,
        told: &mut Told<'_>,
        stop: &Stop,
    ) -> Result<Ended, Error> {
        let (n, k, backend) = (self.rows(), vectors.rows(), f64::fast());
        out.fill(0.0);
        let Self { source, panel, wide, scratch } = self;
        let (mut left, mut right) = (Space::default(), Space::default());
        for top in (0..n).step_by(SIDE) {
            let rows = top..n.min(top + SIDE);
            let above = left.side(*source, rows.clone())?;
            // what a row of the kernel adds to its element comes in the order of the columns, by panels left of the diagonal
            // and by mirrored ones right of it
            for first in (0..=top).step_by(SIDE) {
                if stop.requested() {
                    return Ok(Ended::Stopped);
                }
                let cols = first..n.min(first + SIDE);
                let beside = (first < top).then(|| right.side(*source, cols.clone())).transpose()?;
                let count = rows.len() * cols.len();
                let entries = MatMut::new(&mut panel[..count], rows.len(), cols.len())?;
                source.entries(&above, beside.as_ref(), entries, scratch)?;
                widen(&panel[..count], &mut wide[..count]);
                let entries = MatRef::new(&wide[..count], rows.len(), cols.len())?;
                let of_rows = out.reborrow().block(0..k, rows.clone());
                backend.gemm(1.0, part(vectors, cols.clone()), entries.t(), 1.0, of_rows);
                if first < top {
                    let of_cols = out.reborrow().block(0..k, cols);
                    backend.gemm(1.0, part(vectors, rows.clone()), entries, 1.0, of_cols);
                }
            }
            let done = rows.end as f64 / n as f64;
            told(done * done);
        }
        Ok(Ended::Done(()))
    }

    fn columns(&self, of: &[usize], out: MatMut<'_, f64>, stop: &Stop) -> Result<Ended, Error> {
        columns(self.source, (of, SIDE), out, stop)
    }

    fn shares_products(&self) -> bool {
        true
    }
}

/// Numbers in f64, on all threads of the pool.
fn widen<T: HostReal>(numbers: &[T], out: &mut [f64]) {
    let convert = |(out, from): (&mut [f64], &[T])| {
        out.iter_mut().zip(from).for_each(|(out, from)| *out = from.to_f64());
    };
    if rayon::current_thread_index().is_some() {
        out.par_chunks_mut(RUN).zip(numbers.par_chunks(RUN)).for_each(convert);
    } else {
        convert((out, numbers));
    }
}
