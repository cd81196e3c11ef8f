//! Kernels that are never formed: products `K V` with blocks of vectors, the diagonal, and single columns.
//!
//! Samples are cut into leaves of a size that depends on the network and the scalar alone, and leaves are gathered into groups by their
//! number alone. A product is a sum over leaves and groups in one order, so that its bits depend neither on threads, nor on
//! memory, nor on how many ranks share the groups.

mod difference;
mod gradients;
mod groups;
mod panels;
mod plan;
mod scaled;

use std::ops::Range;

use ntkscope_core::{MatMut, MatRef, Real};

pub use difference::Difference;
pub use gradients::Gradients;
pub use panels::Panels;
pub use plan::{ProductPlan, ProductWork};
pub use scaled::Scaled;

use super::Error;
use super::blocks::KernelSource;
use super::points::{Points, Space};
use crate::machine::{Ended, Ranks, Stop};
use groups::Groups;

/// Told the share of a piece of work that is done.
pub type Told<'t> = dyn FnMut(f64) + 't;

/// A symmetric positive semidefinite matrix that is known by its products.
pub trait Operator {
    /// Rows.
    fn rows(&self) -> usize;
    /// The diagonal, as many numbers.
    ///
    /// # Errors
    /// [`Error::Core`]: samples or parameters of which the scalar makes no finite numbers.
    fn diagonal(&self, stop: &Stop) -> Result<Ended<Vec<f64>>, Error>;
    /// `out <- V K`: k vectors, one a row `(k, rows)`, each by the symmetric K.
    ///
    /// # Errors
    /// As for [`Self::diagonal`].
    fn apply(
        &mut self,
        vectors: MatRef<'_, f64>,
        out: MatMut<'_, f64>,
        told: &mut Told<'_>,
        stop: &Stop,
    ) -> Result<Ended, Error>;
    /// Columns of these indices, one a row of `out` `(of.len(), rows)`.
    ///
    /// # Errors
    /// As for [`Self::diagonal`].
    fn columns(&self, of: &[usize], out: MatMut<'_, f64>, stop: &Stop) -> Result<Ended, Error>;
    /// Whether a product with k vectors costs about as much as one with a single vector.
    fn shares_products(&self) -> bool;
}

/// Some samples of others, by their indices.
struct Chosen<'a, T> {
    all: &'a dyn Points<T>,
    of: &'a [usize],
}

impl<T: Real> Points<T> for Chosen<'_, T> {
    fn count(&self) -> usize {
        self.of.len()
    }
    fn rows<'s>(&'s self, rows: Range<usize>, space: &'s mut Vec<T>) -> Result<MatRef<'s, T>, ntkscope_core::Error> {
        let (count, mut one, mut all) = (rows.len(), Vec::new(), Vec::new());
        for i in &self.of[rows] {
            let x = self.all.rows(*i..i + 1, &mut one)?;
            all.extend(x.entries(0));
        }
        *space = all;
        MatRef::new(space, count, space.len() / count.max(1))
    }
}

/// See [`Operator::columns`], of a kernel with one row a sample.
fn columns<T: Real, S: KernelSource<T>>(
    source: &S,
    of: &[usize],
    ranks: &dyn Ranks,
    mut out: MatMut<'_, f64>,
    stop: &Stop,
) -> Result<Ended, Error> {
    assert_eq!(source.rows_per_sample(), 1, "columns: a row for each sample");
    let (n, leaf) = (source.samples().count(), source.leaf());
    let chosen = Chosen { all: source.samples(), of };
    let (mut x, mut right, mut left) = (Vec::new(), Vec::new(), Space::default());
    let right = source.side(Points::<T>::rows(&chosen, 0..of.len(), &mut x)?, &mut right)?;
    let mut scratch = vec![T::ZERO; source.scratch(leaf.max(of.len()))];
    let mut block = vec![T::ZERO; leaf * of.len()];
    let groups = Groups::of(n, leaf);
    for rows in groups.own(ranks).flat_map(|group| groups.leaves(group)) {
        if stop.requested() {
            return Ok(Ended::Stopped);
        }
        let side = left.side(source, rows.clone())?;
        let block = &mut block[..rows.len() * of.len()];
        source.entries(&side, Some(&right), MatMut::new(block, rows.len(), of.len())?, &mut scratch)?;
        for (i, entries) in rows.zip(block.chunks_exact(of.len())) {
            for (k, entry) in entries.iter().enumerate() {
                *out.at_mut(k, i) = entry.to_f64();
            }
        }
    }
    groups.gather(ranks, 1, out);
    Ok(Ended::Done(()))
}

/// Sets the diagonal's numbers of these samples.
type OfLeaf<'w> = dyn FnMut(Range<usize>, &mut [f64]) -> Result<(), Error> + 'w;

/// See [`Operator::diagonal`], leaf by leaf, of a kernel with `per_sample` rows a sample.
fn diagonal(
    groups: Groups,
    per_sample: usize,
    ranks: &dyn Ranks,
    stop: &Stop,
    of_leaf: &mut OfLeaf<'_>,
) -> Result<Ended<Vec<f64>>, Error> {
    let mut all = vec![0.0; groups.samples() * per_sample];
    for rows in groups.own(ranks).flat_map(|group| groups.leaves(group)) {
        if stop.requested() {
            return Ok(Ended::Stopped);
        }
        of_leaf(rows.clone(), &mut all[rows.start * per_sample..rows.end * per_sample])?;
    }
    let length = all.len();
    groups.gather(ranks, per_sample, MatMut::new(&mut all, 1, length)?);
    check_finite(&all, "an entry of the kernel")?;
    Ok(Ended::Done(all))
}

/// Refuses numbers that are not finite: everything made of them would be undefined without a word.
///
/// # Errors
/// [`Error::Core`].
pub(crate) fn check_finite(numbers: &[f64], what: &'static str) -> Result<(), Error> {
    match numbers.iter().all(|number| number.is_finite()) {
        true => Ok(()),
        false => Err(ntkscope_core::Error::NonFinite { what }.into()),
    }
}

/// The vectors of a block of rows.
fn part<'a>(vectors: MatRef<'a, f64>, rows: Range<usize>) -> MatRef<'a, f64> {
    vectors.block(0..vectors.rows(), rows)
}
