//! Products of the empirical NTK by gradients: `K v = weight sum_r J_r (J_r^T v)`, two products of matrices a layer where the
//! entries of the kernel would take n of them.
//!
//! J is cut into leaves of samples, and so is the sum over samples in `J^T v`: each leaf's part is computed by itself, and they are
//! added in their order.

use std::ops::Range;

use ntkscope_core::kernel::{
    Tangent, jacobian_product, jacobian_scratch, jacobian_transposed_product, kernel_diagonal, tangent_len,
};
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::{MatMut, MatRef};

use super::{Operator, Told, columns};
use crate::backend::HostReal;
use crate::kernel::blocks::{Empirical, KernelSource};
use crate::kernel::{Error, Space};
use crate::machine::{Ended, Stop};

/// Bytes that the layers' pairs (A, D) of a leaf may take.
const LEAF_BYTES: usize = 64 << 20;
/// Largest and smallest leaf.
const LEAF: [usize; 2] = [64, 4096];

/// The kernel of a network at its parameters. Everything is computed in its scalar; vectors come and go in f64.
pub struct Gradients<'a, N, T: 'static> {
    source: &'a Empirical<'a, N, T>,
    /// the leaves' pairs (A, D), where they are kept from product to product, else none
    kept: Vec<Tangent<'a, N, T>>,
    /// most gradients that are held at a time
    at_once: usize,
}

/// Samples of a leaf of a network of these sizes.
pub(in crate::kernel) fn leaf(sizes: Sizes, scalar: usize) -> usize {
    let each = tangent_len(sizes, 1).saturating_mul(scalar).max(1);
    let most = (LEAF_BYTES / each).clamp(LEAF[0], LEAF[1]);
    // a power of two, so that few sizes are ever met
    1 << most.ilog2()
}

impl<'a, N: Network, T: HostReal> Gradients<'a, N, T> {
    /// Of this kernel; the pairs (A, D) are made anew for every product. `at_once` vectors of P numbers may be held.
    pub fn new(source: &'a Empirical<'a, N, T>, at_once: usize) -> Self {
        Self { source, kept: Vec::new(), at_once: at_once.max(1) }
    }

    /// The same with the pairs (A, D) of all samples kept in `spaces`, which becomes as long as it has to be.
    ///
    /// # Errors
    /// Samples or parameters that the scalar does not hold.
    pub fn keeping(
        source: &'a Empirical<'a, N, T>,
        spaces: &'a mut Vec<Space<T>>,
        at_once: usize,
        stop: &Stop,
    ) -> Result<Ended<Self>, Error> {
        let leaves = leaves(source);
        spaces.resize_with(leaves.len(), Space::default);
        let mut kept = Vec::with_capacity(leaves.len());
        for (space, rows) in spaces.iter_mut().zip(leaves) {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            kept.push(space.side(source, rows)?);
        }
        Ok(Ended::Done(Self { kept, ..Self::new(source, at_once) }))
    }

    fn sizes(&self) -> Sizes {
        self.source.params.network().sizes()
    }

    /// Every leaf's first sample and pairs (A, D), in order.
    fn each_leaf(&self, stop: &Stop, work: &mut Work<'_, N, T>) -> Result<Ended, Error> {
        let mut space = Space::default();
        for (index, rows) in leaves(self.source).into_iter().enumerate() {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            match self.kept.get(index) {
                Some(tangent) => work(rows.start, tangent)?,
                None => work(rows.start, &space.side(self.source, rows)?)?,
            }
        }
        Ok(Ended::Done(()))
    }
}

/// What is done with a leaf.
type Work<'w, N, T> = dyn FnMut(usize, &Tangent<'_, N, T>) -> Result<(), Error> + 'w;

fn leaves<N: Network, T: HostReal>(source: &Empirical<'_, N, T>) -> Vec<Range<usize>> {
    let (n, leaf) = (source.samples.count(), leaf(source.params.network().sizes(), size_of::<T>()));
    (0..n).step_by(leaf).map(|first| first..n.min(first + leaf)).collect()
}

impl<N: Network, T: HostReal> Operator for Gradients<'_, N, T> {
    fn rows(&self) -> usize {
        self.source.samples.count() * self.source.rows_per_sample()
    }

    fn diagonal(&self, stop: &Stop) -> Result<Ended<Vec<f64>>, Error> {
        let (outputs, per_sample) = (self.source.outputs, self.source.rows_per_sample());
        let (mut diagonal, mut some) = (Vec::with_capacity(self.rows()), Vec::new());
        let ended = self.each_leaf(stop, &mut |_, tangent| {
            some.resize(tangent.activations.batch() * per_sample, T::ZERO);
            kernel_diagonal(tangent, outputs, &mut some)?;
            diagonal.extend(some.iter().map(|k| k.to_f64()));
            Ok(())
        })?;
        Ok(match ended {
            Ended::Done(()) => Ended::Done(diagonal),
            Ended::Stopped => Ended::Stopped,
        })
    }

    fn apply(
        &mut self,
        vectors: MatRef<'_, f64>,
        mut out: MatMut<'_, f64>,
        told: &mut Told<'_>,
        stop: &Stop,
    ) -> Result<Ended, Error> {
        let (sizes, outputs, backend) = (self.sizes(), self.source.outputs, self.source.backend);
        let (per_sample, n) = (self.source.rows_per_sample(), self.source.samples.count());
        let weight = T::from_f64(outputs.weight(sizes.outputs));
        let terms: Vec<_> = outputs.terms(sizes.outputs).collect();
        let all: Vec<(usize, usize)> =
            (0..vectors.rows()).flat_map(|k| (0..terms.len()).map(move |r| (k, r))).collect();
        out.fill(0.0);
        let (mut share, mut scratch) = (vec![T::ZERO; sizes.parameters], Vec::new());
        let (mut v, mut change) = (Vec::new(), Vec::new());
        let (mut done, work) = (0, 2 * n * all.len());
        for some in all.chunks(self.at_once) {
            let mut gradients = vec![T::ZERO; some.len() * sizes.parameters];
            let mut forth = |first: usize, tangent: &Tangent<'_, N, T>| {
                let samples = tangent.activations.batch();
                scratch.resize(jacobian_scratch(sizes, samples), T::ZERO);
                let rows = first * per_sample..(first + samples) * per_sample;
                for ((k, r), gradient) in some.iter().zip(gradients.chunks_exact_mut(sizes.parameters)) {
                    v.clear();
                    v.extend(vectors.row(*k)[rows.clone()].iter().map(|v| T::from_f64(*v)));
                    let v = MatRef::new(&v, samples, per_sample)?;
                    let term = terms[*r].clone();
                    jacobian_transposed_product(backend, tangent, term, v, T::ZERO, &mut share, &mut scratch)?;
                    gradient.iter_mut().zip(&share).for_each(|(sum, share)| *sum += *share);
                }
                done += samples * some.len();
                told(done as f64 / work as f64);
                Ok(())
            };
            if self.each_leaf(stop, &mut forth)? == Ended::Stopped {
                return Ok(Ended::Stopped);
            }
            gradients.iter_mut().for_each(|g| *g *= weight);
            let mut back = |first: usize, tangent: &Tangent<'_, N, T>| {
                let samples = tangent.activations.batch();
                scratch.resize(jacobian_scratch(sizes, samples), T::ZERO);
                change.resize(samples * per_sample, T::ZERO);
                let rows = first * per_sample..(first + samples) * per_sample;
                for ((k, r), gradient) in some.iter().zip(gradients.chunks_exact(sizes.parameters)) {
                    let into = MatMut::new(&mut change, samples, per_sample)?;
                    jacobian_product(backend, tangent, terms[*r].clone(), gradient, T::ZERO, into, &mut scratch)?;
                    let sums = &mut out.row_mut(*k)[rows.clone()];
                    sums.iter_mut().zip(&change).for_each(|(sum, change)| *sum += change.to_f64());
                }
                done += samples * some.len();
                told(done as f64 / work as f64);
                Ok(())
            };
            if self.each_leaf(stop, &mut back)? == Ended::Stopped {
                return Ok(Ended::Stopped);
            }
        }
        Ok(Ended::Done(()))
    }

    fn columns(&self, of: &[usize], out: MatMut<'_, f64>, stop: &Stop) -> Result<Ended, Error> {
        columns(self.source, (of, leaf(self.sizes(), size_of::<T>())), out, stop)
    }

    fn shares_products(&self) -> bool {
        false
    }
}
