//! Products by panels of the kernel that are made anew each time: n^2/2 entries a product, however many vectors it has.
//!
//! Rows are in G groups that lie in a ring. The rank of group h makes the panels of the groups h + d (mod G) with the columns of h, for
//! d = 0 ... G/2, each pair of groups once: so all have equally much to do. Their transposes give its own part of the product,
//! in the order of d; what they give of the part of h + d goes there, where it is added in the order of d too:
//!
//! ```text
//! (K v)_h = sum_d K_(h, h+d) v_(h+d) + sum_(d > 0) K_(h, h-d) v_(h-d)
//! ```

use ntkscope_core::{MatMut, MatRef};
use rayon::prelude::*;

use super::groups::Groups;
use super::{Operator, Told, columns, diagonal, part};
use crate::backend::HostReal;
use crate::kernel::Error;
use crate::kernel::blocks::KernelSource;
use crate::kernel::points::Space;
use crate::machine::{Alone, Ended, Ranks, Stop};

/// Numbers that are converted at a time.
const RUN: usize = 1 << 14;

/// The kernel of a source with one row a sample. Entries are computed in the source's scalar, products and sums in f64.
pub struct Panels<'a, T, S> {
    source: &'a S,
    panel: Vec<T>,
    wide: Vec<f64>,
    scratch: Vec<T>,
    ranks: &'a dyn Ranks,
}

impl<'a, T: HostReal, S: KernelSource<T>> Panels<'a, T, S> {
    /// Of this kernel.
    pub fn new(source: &'a S) -> Self {
        assert_eq!(source.rows_per_sample(), 1, "panels: a row for each sample");
        let side = source.leaf().min(source.samples().count());
        let scratch = vec![T::ZERO; source.scratch(side)];
        Self { source, panel: vec![T::ZERO; side * side], wide: vec![0.0; side * side], scratch, ranks: &Alone }
    }

    /// The same with its products divided among these ranks; all call each of them.
    #[must_use]
    pub fn among(self, ranks: &'a dyn Ranks) -> Self {
        Self { ranks, ..self }
    }

    fn groups(&self) -> Groups {
        Groups::of(self.source.samples().count(), self.source.leaf())
    }

    /// The panels of the rows of group g with the columns of group h, the lower triangle where they are one. Adds what they
    /// give of the product's columns of h to `out` (k, n), and to `others` (k, rows of g) what they give of those of g.
    fn between(
        &mut self,
        (g, h): (usize, usize),
        vectors: MatRef<'_, f64>,
        mut out: MatMut<'_, f64>,
        mut others: MatMut<'_, f64>,
        stop: &Stop,
    ) -> Result<Ended, Error> {
        let (groups, k, backend) = (self.groups(), vectors.rows(), f64::fast());
        let from = groups.rows(g).start;
        let Self { source, panel, wide, scratch, .. } = self;
        let (mut left, mut right) = (Space::default(), Space::default());
        for rows in groups.leaves(g) {
            let above = left.side(*source, rows.clone())?;
            for cols in groups.leaves(h) {
                if g == h && cols.start > rows.start {
                    break;
                }
                if stop.requested() {
                    return Ok(Ended::Stopped);
                }
                let itself = rows == cols;
                let beside = (!itself).then(|| right.side(*source, cols.clone())).transpose()?;
                let count = rows.len() * cols.len();
                let entries = MatMut::new(&mut panel[..count], rows.len(), cols.len())?;
                source.entries(&above, beside.as_ref(), entries, scratch)?;
                widen(&panel[..count], &mut wide[..count]);
                let entries = MatRef::new(&wide[..count], rows.len(), cols.len())?;
                let of_cols = out.reborrow().block(0..k, cols.clone());
                backend.gemm(1.0, part(vectors, rows.clone()), entries, 1.0, of_cols);
                if !itself {
                    let of_rows = if g == h {
                        out.reborrow().block(0..k, rows.clone())
                    } else {
                        others.reborrow().block(0..k, rows.start - from..rows.end - from)
                    };
                    backend.gemm(1.0, part(vectors, cols), entries.t(), 1.0, of_rows);
                }
            }
        }
        Ok(Ended::Done(()))
    }
}

/// The groups with which group h makes panels at the distance d, each pair once.
fn partner(h: usize, d: usize, count: usize) -> Option<usize> {
    (2 * d != count || h < d).then_some((h + d) % count)
}

impl<T: HostReal, S: KernelSource<T>> Operator for Panels<'_, T, S> {
    fn rows(&self) -> usize {
        self.source.samples().count()
    }

    fn diagonal(&self, stop: &Stop) -> Result<Ended<Vec<f64>>, Error> {
        let mut scratch = vec![T::ZERO; self.source.scratch(1)];
        let (mut space, mut entry) = (Space::default(), [T::ZERO]);
        diagonal(self.groups(), 1, self.ranks, stop, &mut |rows, out| {
            for (i, out) in rows.zip(out) {
                let side = space.side(self.source, i..i + 1)?;
                self.source.entries(&side, None, MatMut::new(&mut entry, 1, 1)?, &mut scratch)?;
                *out = entry[0].to_f64();
            }
            Ok(())
        })
    }

    fn apply(
        &mut self,
        vectors: MatRef<'_, f64>,
        mut out: MatMut<'_, f64>,
        told: &mut Told<'_>,
        stop: &Stop,
    ) -> Result<Ended, Error> {
        let (n, k, ranks, groups) = (self.rows(), vectors.rows(), self.ranks, self.groups());
        let (count, size) = (groups.count(), ranks.size());
        let mut arrived = vec![0.0; k * n];
        let all = (0..=count / 2).flat_map(|d| groups.own(ranks).filter_map(move |h| partner(h, d, count))).count();
        let mut done = 0;
        out.fill(0.0);
        for d in 0..=count / 2 {
            let mut to: Vec<Vec<f64>> = vec![Vec::new(); size];
            for h in groups.own(ranks) {
                let Some(g) = partner(h, d, count) else { continue };
                let width = groups.rows(g).len();
                let sums = &mut to[g % size];
                let first = sums.len();
                sums.resize(first + if d > 0 { k * width } else { 0 }, 0.0);
                let others = MatMut::new(&mut sums[first..], if d > 0 { k } else { 0 }, width)?;
                if self.between((g, h), vectors, out.reborrow(), others, stop)? == Ended::Stopped {
                    return Ok(Ended::Stopped);
                }
                done += 1;
                told(done as f64 / all as f64);
            }
            if d == 0 {
                continue;
            }
            let from = ranks.exchange(to);
            let mut rest: Vec<&[f64]> = from.iter().map(|sums| &sums[..]).collect();
            for h in 0..count {
                let Some(g) = partner(h, d, count).filter(|g| g % size == ranks.rank()) else { continue };
                let rows = groups.rows(g);
                for sums in arrived.chunks_exact_mut(n) {
                    let (now, after) = rest[h % size].split_at(rows.len());
                    sums[rows.clone()].iter_mut().zip(now).for_each(|(sum, now)| *sum += now);
                    rest[h % size] = after;
                }
            }
        }
        for (row, arrived) in arrived.chunks_exact(n).enumerate() {
            out.row_mut(row).iter_mut().zip(arrived).for_each(|(sum, arrived)| *sum += arrived);
        }
        groups.gather(ranks, 1, out);
        Ok(Ended::Done(()))
    }

    fn columns(&self, of: &[usize], out: MatMut<'_, f64>, stop: &Stop) -> Result<Ended, Error> {
        columns(self.source, of, self.ranks, out, stop)
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
