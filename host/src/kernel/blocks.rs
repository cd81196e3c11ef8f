//! Kernels computed whole, or block by block: for every block of samples (rows) all blocks up to it (columns).
//!
//! Blocks begin at multiples of the backend's tile, so that they have the bits of the whole kernel.

use std::ops::Range;

use ntkscope_core::forward::Params;
use ntkscope_core::init::initialize;
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, Tangent, analytic, analytic_scratch, check_samples, structured, structured_scratch,
    tangent, tangent_len,
};
use ntkscope_core::network::Network;
use ntkscope_core::{self as core, Backend, MatMut, MatRef, Real};

use super::Error;
use super::forecast::Cut;
use crate::data::Samples;
use crate::machine::{Ended, Stop};

/// A kernel of samples, by any two sets of them.
pub trait KernelSource<T: Real> {
    /// What one set of samples contributes.
    type Side<'s>
    where
        Self: 's;
    /// The samples.
    fn samples(&self) -> &Samples;
    /// Rows of the kernel for one sample.
    fn rows_per_sample(&self) -> usize;
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

impl<N: Network, T: Real> KernelSource<T> for Analytic<'_, N, T> {
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
    fn side<'s>(&'s self, x: MatRef<'s, T>, space: &'s mut Vec<T>) -> Result<Tangent<'s, N, T>, core::Error> {
        space.resize(tangent_len(self.params.network().sizes(), x.rows()), T::ZERO);
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

/// The kernel of all samples, row-major.
///
/// # Errors
/// Those of the source.
pub fn whole<T: Real, S: KernelSource<T>>(source: &S) -> Result<Vec<T>, core::Error> {
    let n = source.samples().n;
    let (rows, mut space) = (n * source.rows_per_sample(), Space::default());
    let side = space.side(source, 0..n)?;
    let (mut kernel, mut scratch) = (vec![T::ZERO; rows * rows], vec![T::ZERO; source.scratch(n)]);
    source.entries(&side, None, MatMut::new(&mut kernel, rows, rows)?, &mut scratch)?;
    Ok(kernel)
}

/// The analytic kernel `(n, n)` of the rows of `x` `(n, d)` in f64, for one output.
///
/// # Errors
/// d is not the network's number of inputs.
pub fn analytic_kernel<N: Network>(
    backend: &dyn Backend<f64>,
    network: &N,
    which: AnalyticKernel,
    x: MatRef<'_, f64>,
) -> Result<Vec<f64>, core::Error> {
    let n = x.rows();
    let (mut k, mut scratch) = (vec![0.0; n * n], vec![0.0; analytic_scratch(network.sizes(), backend.tile(), n, n)]);
    analytic(backend, network, which, x, None, MatMut::new(&mut k, n, n)?, &mut scratch)?;
    Ok(k)
}

/// The analytic kernel `(n, n')` of the rows of `x` with those of `y` in f64, for one output.
///
/// # Errors
/// d is not the network's number of inputs.
pub fn analytic_cross<N: Network>(
    backend: &dyn Backend<f64>,
    network: &N,
    which: AnalyticKernel,
    x: MatRef<'_, f64>,
    y: MatRef<'_, f64>,
) -> Result<Vec<f64>, core::Error> {
    let (n, m) = (x.rows(), y.rows());
    let (mut k, mut scratch) = (vec![0.0; n * m], vec![0.0; analytic_scratch(network.sizes(), backend.tile(), n, m)]);
    analytic(backend, network, which, x, Some(y), MatMut::new(&mut k, n, m)?, &mut scratch)?;
    Ok(k)
}

/// The empirical kernel K_0 `(n, n)` of the rows of `x` `(n, d)` in f64, at the parameters that training from this seed begins
/// with; the mean over outputs.
///
/// # Errors
/// d is not the network's number of inputs.
pub fn initial_kernel<N: Network>(
    backend: &dyn Backend<f64>,
    network: &N,
    seed: u64,
    x: MatRef<'_, f64>,
) -> Result<Vec<f64>, core::Error> {
    let (sizes, n) = (network.sizes(), x.rows());
    let (mut theta, mut space) = (vec![0.0; sizes.parameters], vec![0.0; tangent_len(sizes, n)]);
    initialize(network, seed, &mut theta)?;
    let tangent = tangent(backend, Params::new(network, &theta)?, x, &mut space)?;
    let (mut k, mut scratch) = (vec![0.0; n * n], vec![0.0; structured_scratch(backend.tile(), n, n)]);
    structured(backend, &tangent, None, MultiOutput::Trace, MatMut::new(&mut k, n, n)?, &mut scratch)?;
    Ok(k)
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
    let parts: Vec<Range<usize>> = cut.parts(source.samples().n).collect();
    let per_sample = source.rows_per_sample();
    let mut buffer = vec![T::ZERO; (cut.samples * per_sample).pow(2)];
    let mut scratch = vec![T::ZERO; source.scratch(cut.samples)];
    let mut block = |i: usize, j: usize, left: &S::Side<'_>, right: Option<&S::Side<'_>>| {
        let (rows, cols) = (parts[i].len() * per_sample, parts[j].len() * per_sample);
        let entries = &mut buffer[..rows * cols];
        source.entries(left, right, MatMut::new(entries, rows, cols)?, &mut scratch)?;
        sink(parts[i].start * per_sample, parts[j].start * per_sample, MatRef::new(entries, rows, cols)?)
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
                block(i, j, left, (j < i).then_some(right))?;
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
            block(i, j, &left, right.as_ref())?;
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
    fn side<'s, S: KernelSource<T>>(
        &'s mut self,
        source: &'s S,
        rows: Range<usize>,
    ) -> Result<S::Side<'s>, core::Error> {
        let Samples { x, d, .. } = source.samples();
        let of_all = |error| match error {
            core::Error::SampleScale { sample, large } => {
                core::Error::SampleScale { sample: rows.start + sample, large }
            }
            other => other,
        };
        convert(&x[rows.start * d..rows.end * d], *d, &mut self.x).map_err(of_all)?;
        source.side(MatRef::new(&self.x, rows.len(), *d)?, &mut self.rest).map_err(of_all)
    }
}

/// Samples of d numbers in another scalar, to `out`.
///
/// # Errors
/// [`core::Error::SampleScale`] for a sample of which that scalar makes 0, or what is not finite.
pub fn convert<T: Real>(x: &[f64], d: usize, out: &mut Vec<T>) -> Result<(), core::Error> {
    out.clear();
    out.extend(x.iter().map(|v| T::from_f64(*v)));
    for (sample, (from, to)) in x.chunks_exact(d.max(1)).zip(out.chunks_exact(d.max(1))).enumerate() {
        if !to.iter().all(|v| v.is_finite()) {
            return Err(core::Error::SampleScale { sample, large: true });
        }
        if to.iter().all(|v| *v == T::ZERO) && from.iter().any(|v| *v != 0.0) {
            return Err(core::Error::SampleScale { sample, large: false });
        }
    }
    Ok(())
}
