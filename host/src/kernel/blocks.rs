//! Kernels computed whole, or block by block: for every block of samples (rows) all blocks up to it (columns).
//!
//! Blocks begin at multiples of the backend's tile, so that they have the bits of the whole kernel.

use std::ops::Range;

use anyhow::Result;
use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, Tangent, analytic, analytic_scratch, structured, structured_scratch, tangent,
    tangent_len,
};
use ntkscope_core::network::Network;
use ntkscope_core::{Backend, Error, MatMut, MatRef, Real};

use super::forecast::Cut;
use crate::data::Samples;
use crate::machine::{Ended, Stop};

/// A kernel of samples, by any two sets of them.
pub trait Source<T: Real> {
    /// What one set of samples contributes.
    type Side<'s>
    where
        Self: 's;
    /// The samples.
    fn samples(&self) -> &Samples;
    /// Rows of the kernel for one sample.
    fn rows_per_sample(&self) -> usize;
    /// Scratch length of [`Source::entries`] for two sets of this many samples.
    fn scratch(&self, samples: usize) -> usize;
    /// What the samples x (n', d) contribute; `space` is resized to hold it.
    fn side<'s>(&'s self, x: MatRef<'s, T>, space: &'s mut Vec<T>) -> Result<Self::Side<'s>, Error>;
    /// The kernel of the left set against the right one, or against itself.
    fn entries(
        &self,
        left: &Self::Side<'_>,
        right: Option<&Self::Side<'_>>,
        out: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), Error>;
}

/// The kernel of the infinitely wide network.
pub struct Analytic<'a, N, T: 'static> {
    /// what multiplies
    pub backend: &'a dyn Backend<T>,
    /// the network
    pub network: &'a N,
    /// the samples
    pub samples: &'a Samples,
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
    pub samples: &'a Samples,
    /// which of its outputs
    pub outputs: MultiOutput,
}

impl<N: Network, T: Real> Source<T> for Analytic<'_, N, T> {
    type Side<'s>
        = MatRef<'s, T>
    where
        Self: 's;
    fn samples(&self) -> &Samples {
        self.samples
    }
    fn rows_per_sample(&self) -> usize {
        1
    }
    fn scratch(&self, samples: usize) -> usize {
        analytic_scratch(self.backend.tile(), samples, samples)
    }
    fn side<'s>(&'s self, x: MatRef<'s, T>, _: &'s mut Vec<T>) -> Result<MatRef<'s, T>, Error> {
        Ok(x)
    }
    fn entries(
        &self,
        left: &MatRef<'_, T>,
        right: Option<&MatRef<'_, T>>,
        out: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), Error> {
        analytic(self.backend, self.network, self.which, *left, right.copied(), out, scratch)
    }
}

impl<N: Network, T: Real> Source<T> for Empirical<'_, N, T> {
    type Side<'s>
        = Tangent<'s, N, T>
    where
        Self: 's;
    fn samples(&self) -> &Samples {
        self.samples
    }
    fn rows_per_sample(&self) -> usize {
        rows_per_sample(self.outputs, self.params.network().sizes().outputs)
    }
    fn scratch(&self, samples: usize) -> usize {
        let rows = samples * self.rows_per_sample();
        structured_scratch(self.backend.tile(), rows, rows)
    }
    fn side<'s>(&'s self, x: MatRef<'s, T>, space: &'s mut Vec<T>) -> Result<Tangent<'s, N, T>, Error> {
        space.resize(tangent_len(self.params.network().sizes(), x.rows()), T::ZERO);
        tangent(self.backend, self.params, x, space)
    }
    fn entries(
        &self,
        left: &Tangent<'_, N, T>,
        right: Option<&Tangent<'_, N, T>>,
        out: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), Error> {
        structured(self.backend, left, right, self.outputs, out, scratch)
    }
}

/// Rows of an empirical kernel for one sample of a network with C outputs.
pub fn rows_per_sample(which: MultiOutput, outputs: usize) -> usize {
    if which == MultiOutput::Full { outputs } else { 1 }
}

/// The kernel of all samples, row-major.
pub fn whole<T: Real, S: Source<T>>(source: &S) -> Result<Vec<T>, Error> {
    let n = source.samples().n;
    let (rows, mut space) = (n * source.rows_per_sample(), Space::default());
    let side = space.side(source, 0..n)?;
    let (mut kernel, mut scratch) = (vec![T::ZERO; rows * rows], vec![T::ZERO; source.scratch(n)]);
    source.entries(&side, None, MatMut::new(&mut kernel, rows, rows)?, &mut scratch)?;
    Ok(kernel)
}

/// The analytic kernel `(n, n)` of the rows of `x` `(n, d)` in f64, for one output. Error: d is not the network's.
pub fn analytic_kernel<N: Network>(
    backend: &dyn Backend<f64>,
    network: &N,
    which: AnalyticKernel,
    x: MatRef<'_, f64>,
) -> Result<Vec<f64>, Error> {
    let n = x.rows();
    let (mut k, mut scratch) = (vec![0.0; n * n], vec![0.0; analytic_scratch(backend.tile(), n, n)]);
    analytic(backend, network, which, x, None, MatMut::new(&mut k, n, n)?, &mut scratch)?;
    Ok(k)
}

/// Takes a block: index of its first row and column, and its entries.
pub type Sink<'s, T> = dyn FnMut((usize, usize), MatRef<'_, T>) -> Result<()> + 's;

/// The blocks of the lower triangle, one after another, until `stop` is requested. Errors: those of `sink`.
pub fn blocks<T: Real, S: Source<T>>(source: &S, cut: &Cut, sink: &mut Sink<'_, T>, stop: &Stop) -> Result<Ended> {
    let parts: Vec<Range<usize>> = cut.parts(source.samples().n).collect();
    let per_sample = source.rows_per_sample();
    let mut buffer = vec![T::ZERO; (cut.samples * per_sample).pow(2)];
    let mut scratch = vec![T::ZERO; source.scratch(cut.samples)];
    let mut block = |(i, left): (usize, &S::Side<'_>), (j, right): (usize, Option<&S::Side<'_>>)| {
        let (rows, cols) = (parts[i].len() * per_sample, parts[j].len() * per_sample);
        let entries = &mut buffer[..rows * cols];
        source.entries(left, right, MatMut::new(entries, rows, cols)?, &mut scratch)?;
        sink((parts[i].start * per_sample, parts[j].start * per_sample), MatRef::new(entries, rows, cols)?)
    };
    if cut.kept {
        let mut spaces: Vec<Space<T>> = parts.iter().map(|_| Space::default()).collect();
        let sides = spaces.iter_mut().zip(&parts).map(|(space, part)| space.side(source, part.clone()));
        let sides: Vec<_> = sides.collect::<Result<_, _>>()?;
        for (i, left) in sides.iter().enumerate() {
            for (j, right) in sides[..=i].iter().enumerate() {
                if stop.requested() {
                    return Ok(Ended::Stopped);
                }
                block((i, left), (j, (j < i).then_some(right)))?;
            }
        }
        return Ok(Ended::Done(()));
    }
    let (mut left, mut right) = (Space::default(), Space::default());
    for (i, part) in parts.iter().enumerate() {
        let left = left.side(source, part.clone())?;
        for (j, part) in parts[..=i].iter().enumerate() {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            let right = (j < i).then(|| right.side(source, part.clone())).transpose()?;
            block((i, &left), (j, right.as_ref()))?;
        }
    }
    Ok(Ended::Done(()))
}

/// The memory of one set of samples.
struct Space<T> {
    x: Vec<T>,
    rest: Vec<T>,
}

impl<T> Default for Space<T> {
    fn default() -> Self {
        Self { x: Vec::new(), rest: Vec::new() }
    }
}

impl<T: Real> Space<T> {
    fn side<'s, S: Source<T>>(&'s mut self, source: &'s S, rows: Range<usize>) -> Result<S::Side<'s>, Error> {
        let Samples { x, d, .. } = source.samples();
        self.x.clear();
        self.x.extend(x[rows.start * d..rows.end * d].iter().map(|v| T::from_f64(*v)));
        source.side(MatRef::new(&self.x, rows.len(), *d)?, &mut self.rest)
    }
}
