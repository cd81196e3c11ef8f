//! Products of the empirical NTK by gradients: `K v = weight sum_r J_r (J_r^T v)`, two products of matrices a layer where the
//! entries of the kernel would take n of them.
//!
//! J is cut into leaves of samples, and so is the sum over samples in `J^T v`: each leaf's part is computed by itself, those of a
//! group are added in their order, then those of the groups. Among several ranks each adds a part of the gradient's numbers over all
//! groups, as they come in rounds of one group a rank.

use std::ops::Range;

use ntkscope_core::kernel::{
    Tangent, jacobian_product, jacobian_scratch, jacobian_transposed_product, kernel_diagonal,
};
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::{MatMut, MatRef};

use super::groups::Groups;
use super::{Operator, Told, check_finite, columns};
use crate::backend::HostReal;
use crate::kernel::blocks::{Empirical, KernelSource};
use crate::kernel::{Error, Space};
use crate::machine::{Alone, Ended, Ranks, Stop};

/// The kernel of a network at its parameters. Everything is computed in its scalar; vectors come and go in f64.
pub struct Gradients<'a, N, T: 'static> {
    source: &'a Empirical<'a, N, T>,
    /// the pairs (A, D) of this rank's leaves, where they are kept from product to product, else none
    kept: Vec<Tangent<'a, N, T>>,
    /// most gradients that are held at a time
    at_once: usize,
    ranks: &'a dyn Ranks,
}

impl<'a, N: Network, T: HostReal> Gradients<'a, N, T> {
    /// Of this kernel; the pairs (A, D) are made anew for every product. `at_once` vectors of P numbers may be held.
    pub fn new(source: &'a Empirical<'a, N, T>, at_once: usize) -> Self {
        Self { source, kept: Vec::new(), at_once: at_once.max(1), ranks: &Alone }
    }

    /// The same with its products divided among these ranks; all call each of them.
    #[must_use]
    pub fn among(self, ranks: &'a dyn Ranks) -> Self {
        Self { ranks, kept: Vec::new(), ..self }
    }

    /// The same with the pairs (A, D) of this rank's samples kept in `spaces`, which becomes as long as it has to be.
    ///
    /// # Errors
    /// Samples or parameters that the scalar does not hold.
    pub fn keeping(self, spaces: &'a mut Vec<Space<T>>, stop: &Stop) -> Result<Ended<Self>, Error> {
        let leaves: Vec<Range<usize>> =
            self.groups().own(self.ranks).flat_map(|group| self.groups().leaves(group)).collect();
        spaces.resize_with(leaves.len(), Space::default);
        let mut kept = Vec::with_capacity(leaves.len());
        for (space, rows) in spaces.iter_mut().zip(leaves) {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            kept.push(space.side(self.source, rows)?);
        }
        Ok(Ended::Done(Self { kept, ..self }))
    }

    fn sizes(&self) -> Sizes {
        self.source.params.network().sizes()
    }

    fn groups(&self) -> Groups {
        Groups::of(self.source.samples.count(), self.source.leaf())
    }

    /// The first sample and the pairs (A, D) of each leaf of a group of this rank, in order. Those that are made anew lie in
    /// `space`, the same for all groups: memory that the system hands out again and again costs as much as an eighth of the work.
    fn each_leaf(
        &self,
        group: usize,
        space: &mut Space<T>,
        stop: &Stop,
        work: &mut Work<'_, N, T>,
    ) -> Result<Ended, Error> {
        let groups = self.groups();
        let before = group / self.ranks.size() * groups.leaves(0).count();
        for (index, rows) in groups.leaves(group).enumerate() {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            match self.kept.get(before + index) {
                Some(tangent) => work(rows.start, tangent)?,
                None => work(rows.start, &space.side(self.source, rows)?)?,
            }
        }
        Ok(Ended::Done(()))
    }

    /// Adds what the groups of a round have given, one group a rank, to this rank's part of `sums`.
    fn add_round(&self, round: Option<&[T]>, sums: &mut [T]) {
        let (size, length) = (self.ranks.size(), sums.len());
        let add = |sums: &mut [T], numbers: &mut dyn Iterator<Item = T>| {
            sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        };
        if size == 1 {
            round.into_iter().for_each(|round| add(sums, &mut round.iter().copied()));
            return;
        }
        let to = |rank: usize| -> Vec<f64> {
            round.map_or(Vec::new(), |round| round[share(length, rank, size)].iter().map(|x| x.to_f64()).collect())
        };
        for numbers in self.ranks.exchange((0..size).map(to).collect()) {
            let own = &mut sums[share(length, self.ranks.rank(), size)];
            add(own, &mut numbers.into_iter().map(T::from_f64));
        }
    }

    /// Every rank has its part of `sums`: now it has all.
    fn gather(&self, sums: &mut [T]) {
        let (rank, size, length) = (self.ranks.rank(), self.ranks.size(), sums.len());
        if size == 1 {
            return;
        }
        let own: Vec<f64> = sums[share(length, rank, size)].iter().map(|x| x.to_f64()).collect();
        for (from, numbers) in self.ranks.share(&own).into_iter().enumerate() {
            let part = &mut sums[share(length, from, size)];
            part.iter_mut().zip(numbers).for_each(|(sum, number)| *sum = T::from_f64(number));
        }
    }
}

/// The part of so many numbers that a rank adds up.
fn share(length: usize, rank: usize, size: usize) -> Range<usize> {
    length * rank / size..length * (rank + 1) / size
}

/// What is done with a leaf.
type Work<'w, N, T> = dyn FnMut(usize, &Tangent<'_, N, T>) -> Result<(), Error> + 'w;

impl<N: Network, T: HostReal> Operator for Gradients<'_, N, T> {
    fn rows(&self) -> usize {
        self.source.samples.count() * self.source.rows_per_sample()
    }

    fn diagonal(&self, stop: &Stop) -> Result<Ended<Vec<f64>>, Error> {
        let (outputs, per_sample, groups) = (self.source.outputs, self.source.rows_per_sample(), self.groups());
        let (mut diagonal, mut some, mut space) = (vec![0.0; self.rows()], Vec::new(), Space::default());
        for group in groups.own(self.ranks) {
            let ended = self.each_leaf(group, &mut space, stop, &mut |first, tangent| {
                some.resize(tangent.activations.batch() * per_sample, T::ZERO);
                kernel_diagonal(tangent, outputs, &mut some)?;
                diagonal[first * per_sample..].iter_mut().zip(&some).for_each(|(out, k)| *out = k.to_f64());
                Ok(())
            })?;
            if ended == Ended::Stopped {
                return Ok(Ended::Stopped);
            }
        }
        let length = diagonal.len();
        groups.gather(self.ranks, per_sample, MatMut::new(&mut diagonal, 1, length)?);
        check_finite(&diagonal, "an entry of the kernel")?;
        Ok(Ended::Done(diagonal))
    }

    fn apply(
        &mut self,
        vectors: MatRef<'_, f64>,
        mut out: MatMut<'_, f64>,
        told: &mut Told<'_>,
        stop: &Stop,
    ) -> Result<Ended, Error> {
        let (sizes, outputs, backend) = (self.sizes(), self.source.outputs, self.source.backend);
        let per_sample = self.source.rows_per_sample();
        let weight = T::from_f64(outputs.weight(sizes.outputs));
        let terms: Vec<_> = outputs.terms(sizes.outputs).collect();
        let all: Vec<(usize, usize)> =
            (0..vectors.rows()).flat_map(|k| (0..terms.len()).map(move |r| (k, r))).collect();
        out.fill(0.0);
        let (mut share, mut scratch) = (vec![T::ZERO; sizes.parameters], Vec::new());
        let (mut v, mut change, mut space) = (Vec::new(), Vec::new(), Space::default());
        let (groups, ranks) = (self.groups(), self.ranks);
        let own: usize = groups.own(ranks).map(|group| groups.rows(group).len()).sum();
        let (mut done, work) = (0, 2 * own * all.len());
        for some in all.chunks(self.at_once) {
            let mut gradients = vec![T::ZERO; some.len() * sizes.parameters];
            let mut sums = vec![T::ZERO; gradients.len()];
            let mut forth = |first: usize, tangent: &Tangent<'_, N, T>, gradients: &mut [T]| {
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
            for round in (0..groups.count()).step_by(ranks.size()) {
                let group = Some(round + ranks.rank()).filter(|group| *group < groups.count());
                if let Some(group) = group {
                    gradients.fill(T::ZERO);
                    let mut forth = |first: usize, tangent: &Tangent<'_, N, T>| forth(first, tangent, &mut gradients);
                    if self.each_leaf(group, &mut space, stop, &mut forth)? == Ended::Stopped {
                        return Ok(Ended::Stopped);
                    }
                }
                self.add_round(group.map(|_| &gradients[..]), &mut sums);
            }
            sums.iter_mut().for_each(|g| *g *= weight);
            self.gather(&mut sums);
            let mut back = |first: usize, tangent: &Tangent<'_, N, T>| {
                let samples = tangent.activations.batch();
                scratch.resize(jacobian_scratch(sizes, samples), T::ZERO);
                change.resize(samples * per_sample, T::ZERO);
                let rows = first * per_sample..(first + samples) * per_sample;
                for ((k, r), gradient) in some.iter().zip(sums.chunks_exact(sizes.parameters)) {
                    let into = MatMut::new(&mut change, samples, per_sample)?;
                    jacobian_product(backend, tangent, terms[*r].clone(), gradient, T::ZERO, into, &mut scratch)?;
                    let sums = &mut out.row_mut(*k)[rows.clone()];
                    sums.iter_mut().zip(&change).for_each(|(sum, change)| *sum += change.to_f64());
                }
                done += samples * some.len();
                told(done as f64 / work as f64);
                Ok(())
            };
            for group in groups.own(ranks) {
                if self.each_leaf(group, &mut space, stop, &mut back)? == Ended::Stopped {
                    return Ok(Ended::Stopped);
                }
            }
        }
        groups.gather(ranks, per_sample, out);
        Ok(Ended::Done(()))
    }

    fn columns(&self, of: &[usize], out: MatMut<'_, f64>, stop: &Stop) -> Result<Ended, Error> {
        columns(self.source, of, self.ranks, out, stop)
    }

    fn shares_products(&self) -> bool {
        false
    }
}
