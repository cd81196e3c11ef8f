//! Kernels computed whole, or block by block: for every block of samples (rows) all blocks up to it (columns).
//!
//! Blocks begin at multiples of the backend's tile, so that they have the bits of the whole kernel.

use std::ops::Range;

use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, Tangent, analytic, analytic_scratch, check_samples, structured, structured_scratch,
    tangent, tangent_len,
};
use ntkscope_core::network::Network;
use ntkscope_core::{self as core, Backend, MatMut, MatRef, Real};

use super::Error;
use super::forecast::Cut;
use super::leaf;
use super::points::{Points, Space};
use crate::machine::{Alone, Ended, Ranks, Stop};

/// A kernel of samples, by any two sets of them.
pub trait KernelSource<T: Real> {
    /// What one set of samples contributes.
    type Side<'s>
    where
        Self: 's;
    /// The samples.
    fn samples(&self) -> &dyn Points<T>;
    /// Rows of the kernel for one sample.
    fn rows_per_sample(&self) -> usize;
    /// Samples that are taken together where the kernel is made part by part: a power of two.
    fn leaf(&self) -> usize;
    /// Scratch length of [`KernelSource::entries`] for two sets of this many samples.
    fn scratch(&self, samples: usize) -> usize;
    /// What the samples x (n', d) contribute; `space` is resized to hold it.
    fn side<'s>(&'s self, x: MatRef<'s, T>, space: &'s mut Vec<T>) -> Result<Self::Side<'s>, core::Error>;
    /// The kernel of the left set against the right one, or against itself.
    fn entries(
        &self,
        left: &Self::Side<'_>,
        right: Option<&Self::Side<'_>>,
        out: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), core::Error>;
}

/// The kernel of the infinitely wide network.
pub struct Analytic<'a, N, T: 'static> {
    /// what multiplies
    pub backend: &'a dyn Backend<T>,
    /// the network
    pub network: &'a N,
    /// the samples
    pub samples: &'a dyn Points<T>,
    /// which kernel
    pub which: AnalyticKernel,
}

/// The kernel of the network at its parameters.
pub struct Empirical<'a, N, T: 'static> {
    /// what multiplies
    pub backend: &'a dyn Backend<T>,
    /// network and parameters
    pub params: Params<'a, N, T>,
    /// the samples
    pub samples: &'a dyn Points<T>,
    /// which of its outputs
    pub outputs: MultiOutput,
}

impl<N: Network, T: Real> KernelSource<T> for Analytic<'_, N, T> {
    type Side<'s>
        = MatRef<'s, T>
    where
        Self: 's;
    fn samples(&self) -> &dyn Points<T> {
        self.samples
    }
    fn rows_per_sample(&self) -> usize {
        1
    }
    fn leaf(&self) -> usize {
        leaf::ANALYTIC
    }
    fn scratch(&self, samples: usize) -> usize {
        analytic_scratch(self.network.sizes(), self.backend.tile(), samples, samples)
    }
    fn side<'s>(&'s self, x: MatRef<'s, T>, _: &'s mut Vec<T>) -> Result<MatRef<'s, T>, core::Error> {
        check_samples(self.network, x)?;
        Ok(x)
    }
    fn entries(
        &self,
        left: &MatRef<'_, T>,
        right: Option<&MatRef<'_, T>>,
        out: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), core::Error> {
        analytic(self.backend, self.network, self.which, *left, right.copied(), out, scratch)
    }
}

impl<N: Network, T: Real> KernelSource<T> for Empirical<'_, N, T> {
    type Side<'s>
        = Tangent<'s, N, T>
    where
        Self: 's;
    fn samples(&self) -> &dyn Points<T> {
        self.samples
    }
    fn rows_per_sample(&self) -> usize {
        rows_per_sample(self.outputs, self.params.network().sizes().outputs)
    }
    fn leaf(&self) -> usize {
        leaf::empirical(self.params.network().sizes(), size_of::<T>())
    }
    fn scratch(&self, samples: usize) -> usize {
        let rows = samples * self.rows_per_sample();
        structured_scratch(self.backend.tile(), rows, rows)
    }
    fn side<'s>(&'s self, x: MatRef<'s, T>, space: &'s mut Vec<T>) -> Result<Tangent<'s, N, T>, core::Error> {
        let length = tangent_len(self.params.network().sizes(), x.rows());
        if space.capacity() < length {
            // which the system hands out as zeros: they are not written twice
            *space = vec![T::ZERO; length];
        }
        space.resize(length, T::ZERO);
        tangent(self.backend, self.params, x, space)
    }
    fn entries(
        &self,
        left: &Tangent<'_, N, T>,
        right: Option<&Tangent<'_, N, T>>,
        out: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), core::Error> {
        structured(self.backend, left, right, self.outputs, out, scratch)
    }
}

/// Rows of an empirical kernel for one sample of a network with C outputs.
pub fn rows_per_sample(which: MultiOutput, outputs: usize) -> usize {
    if which == MultiOutput::Full { outputs } else { 1 }
}

/// Takes a block: index of its first row, of its first column, and its entries.
pub type Sink<'s, T> = dyn FnMut(usize, usize, MatRef<'_, T>) -> Result<(), Error> + 's;

/// The blocks of the lower triangle, one after another, until `stop` is requested.
///
/// # Errors
/// Those of `sink`; [`Error::Core`].
pub fn blocks<T: Real, S: KernelSource<T>>(
    source: &S,
    cut: &Cut,
    sink: &mut Sink<'_, T>,
    stop: &Stop,
) -> Result<Ended, Error> {
    each(source, None, cut, &Alone, sink, stop)
}

/// Those of them whose rows belong to this rank. The first row of blocks and the last, the second and the last but one, … go to one rank:
/// all have equally much to do.
///
/// # Errors
/// Those of `sink`; [`Error::Core`].
pub(super) fn own_blocks<T: Real, S: KernelSource<T>>(
    source: &S,
    cut: &Cut,
    ranks: &dyn Ranks,
    sink: &mut Sink<'_, T>,
    stop: &Stop,
) -> Result<Ended, Error> {
    each(source, None, cut, ranks, sink, stop)
}

/// The blocks of the kernel `(n, n')` of the samples of one source with those of another, row by row of blocks, until
/// `stop` is requested. Both are of one network.
///
/// # Errors
/// Those of `sink`; [`Error::Core`].
pub fn blocks_between<T: Real, S: KernelSource<T>>(
    left: &S,
    right: &S,
    cut: &Cut,
    sink: &mut Sink<'_, T>,
    stop: &Stop,
) -> Result<Ended, Error> {
    each(left, Some(right), cut, &Alone, sink, stop)
}

fn each<T: Real, S: KernelSource<T>>(
    rows: &S,
    columns: Option<&S>,
    cut: &Cut,
    ranks: &dyn Ranks,
    sink: &mut Sink<'_, T>,
    stop: &Stop,
) -> Result<Ended, Error> {
    let parts = |source: &S| -> Vec<Range<usize>> { cut.parts(source.samples().count()).collect() };
    let (above, beside) = (parts(rows), parts(columns.unwrap_or(rows)));
    let per_sample = rows.rows_per_sample();
    let mut buffer = vec![T::ZERO; (cut.samples * per_sample).pow(2)];
    let mut scratch = vec![T::ZERO; rows.scratch(cut.samples)];
    let mut block = |i: usize, j: usize, left: &S::Side<'_>, right: Option<&S::Side<'_>>| {
        let (height, width) = (above[i].len() * per_sample, beside[j].len() * per_sample);
        let entries = &mut buffer[..height * width];
        rows.entries(left, right, MatMut::new(entries, height, width)?, &mut scratch)?;
        sink(above[i].start * per_sample, beside[j].start * per_sample, MatRef::new(entries, height, width)?)
    };
    let is_own = |i: usize| i.min(above.len() - 1 - i) % ranks.size() == ranks.rank();
    // of one set of samples the blocks up to the diagonal
    let end = |i: usize| if columns.is_some() { beside.len() } else { i + 1 };
    if cut.kept {
        let spaces = |parts: &[Range<usize>]| -> Vec<Space<T>> { parts.iter().map(|_| Space::default()).collect() };
        let (mut own, mut others) = (spaces(&above), spaces(&beside));
        let Some(left) = sides(rows, &mut own, &above, stop)? else { return Ok(Ended::Stopped) };
        let others = columns.map(|source| sides(source, &mut others, &beside, stop)).transpose()?;
        let right = match &others {
            Some(Some(others)) => others,
            Some(None) => return Ok(Ended::Stopped),
            None => &left,
        };
        for (i, left) in left.iter().enumerate().filter(|(i, _)| is_own(*i)) {
            for (j, right) in right[..end(i)].iter().enumerate() {
                if stop.requested() {
                    return Ok(Ended::Stopped);
                }
                block(i, j, left, (columns.is_some() || j < i).then_some(right))?;
            }
        }
        return Ok(Ended::Done(()));
    }
    let (mut left, mut right) = (Space::default(), Space::default());
    for (i, part) in above.iter().enumerate().filter(|(i, _)| is_own(*i)) {
        let left = left.side(rows, part.clone())?;
        for (j, part) in beside[..end(i)].iter().enumerate() {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            let other = columns.or((j < i).then_some(rows));
            let right = other.map(|source| right.side(source, part.clone())).transpose()?;
            block(i, j, &left, right.as_ref())?;
        }
    }
    Ok(Ended::Done(()))
}

/// What all parts contribute; `None` where `stop` was requested first.
pub(super) fn sides<'s, T: Real, S: KernelSource<T>>(
    source: &'s S,
    spaces: &'s mut [Space<T>],
    parts: &[Range<usize>],
    stop: &Stop,
) -> Result<Option<Vec<S::Side<'s>>>, Error> {
    let mut sides = Vec::with_capacity(parts.len());
    for (space, part) in spaces.iter_mut().zip(parts) {
        if stop.requested() {
            return Ok(None);
        }
        sides.push(space.side(source, part.clone())?);
    }
    Ok(Some(sides))
}
