//! Kernels block by block, into memory or into a file.

use std::path::PathBuf;

use ntkscope::experiment::AnyNetwork;
use ntkscope::files;
use ntkscope::kernel::{Cut, Empirical, KernelFile, KernelSource, blocks, blocks_between, whole_into};
use ntkscope::machine::{Ended, Stop};
use ntkscope_core::forward::Params;
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::network::{Network as Described, Part};
use ntkscope_core::{MatMut, MatRef};

use crate::arrays::{Scalar, first_unfit};
use crate::call::Progress;
use crate::error::{Fallible, Fault};

/// Where the entries go.
pub(crate) enum Place<'a, T> {
    /// `(parts, rows, columns)`
    Memory(&'a mut [T]),
    File(PathBuf),
}

/// What is computed, but for its samples.
pub(crate) struct Task<'a> {
    pub(crate) network: AnyNetwork<'a>,
    pub(crate) outputs: MultiOutput,
    pub(crate) cut: Cut,
    pub(crate) parts: bool,
}

impl Task<'_> {
    pub(crate) fn run<T: Scalar>(
        &self,
        theta: &[T],
        x1: MatRef<'_, T>,
        x2: Option<MatRef<'_, T>>,
        place: Place<'_, T>,
        stop: &Stop,
        progress: &Progress,
    ) -> Fallible<Ended<()>> {
        let network = &self.network;
        let numbers = match place {
            Place::File(path) => return self.write(network, theta, x1, &path, stop, progress),
            Place::Memory(numbers) => numbers,
        };
        if !self.parts {
            return self.part(network, theta, (x1, x2), numbers, stop, &|share| progress.set(share));
        }
        let count = 2 * network.sizes().layers;
        for (number, part) in numbers.chunks_exact_mut(numbers.len() / count).enumerate() {
            let network = Part { network: *network, index: number / 2, weights: number % 2 == 0 };
            let told = |share: f64| progress.set((number as f64 + share) / count as f64);
            if self.part(&network, theta, (x1, x2), part, stop, &told)? == Ended::Stopped {
                return Ok(Ended::Stopped);
            }
        }
        Ok(Ended::Done(()))
    }

    /// Into memory.
    fn part<T: Scalar, N: Described>(
        &self,
        network: &N,
        theta: &[T],
        (x1, x2): (MatRef<'_, T>, Option<MatRef<'_, T>>),
        numbers: &mut [T],
        stop: &Stop,
        progress: &dyn Fn(f64),
    ) -> Fallible<Ended<()>> {
        if !(0..network.sizes().layers).any(|index| network.layer(index).is_trained()) {
            // it has no share to write
            numbers.fill(T::ZERO);
            return Ok(Ended::Done(()));
        }
        let left = self.source(network, theta, &x1)?;
        let right = x2.as_ref().map(|x2| self.source(network, theta, x2)).transpose()?;
        fill((&left, right.as_ref()), &self.cut, numbers, stop, progress)
    }

    /// Block by block to a file, which is there when it is whole.
    fn write<T: Scalar>(
        &self,
        network: &AnyNetwork<'_>,
        theta: &[T],
        x: MatRef<'_, T>,
        path: &std::path::Path,
        stop: &Stop,
        progress: &Progress,
    ) -> Fallible<Ended<()>> {
        let source = self.source(network, theta, &x)?;
        let per_sample = source.rows_per_sample();
        let rows = x.rows() * per_sample;
        let mut file = KernelFile::create(path, rows, T::DTYPE)?;
        let (mut unfit, mut done) = (None, 0);
        let mut sink = |row: usize, col: usize, block: MatRef<'_, T>| {
            unfit = unfit.or(entry(block).map(|(i, j)| ((row + i) / per_sample, (col + j) / per_sample)));
            file.write_block(row, col, block).map_err(files::Error::io("write", path))?;
            done += block.rows() * block.cols() * if row == col { 1 } else { 2 };
            progress.set(done as f64 / (rows * rows) as f64);
            Ok(())
        };
        if blocks(&source, &self.cut, &mut sink, stop)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        if let Some((i, j)) = unfit {
            return Err(Fault::Entry(i, j));
        }
        file.commit()?;
        Ok(Ended::Done(()))
    }

    fn source<'s, T: Scalar, N: Described>(
        &self,
        network: &'s N,
        theta: &'s [T],
        x: &'s MatRef<'_, T>,
    ) -> Result<Empirical<'s, N, T>, ntkscope_core::Error> {
        Ok(Empirical { backend: T::fast(), params: Params::new(network, theta)?, samples: x, outputs: self.outputs })
    }
}

/// The kernel of the samples of one source with themselves, or with those of another, into memory.
pub(crate) fn fill<T: Scalar, S: KernelSource<T>>(
    (left, right): (&S, Option<&S>),
    cut: &Cut,
    numbers: &mut [T],
    stop: &Stop,
    progress: &dyn Fn(f64),
) -> Fallible<Ended<()>> {
    let per_sample = left.rows_per_sample();
    let columns = right.unwrap_or(left).samples().count() * per_sample;
    let (whole, mut done, mut unfit) = (numbers.len(), 0, None);
    let mut all = MatMut::new(numbers, whole / columns, columns)?;
    if [Some(left), right].into_iter().flatten().all(|source| source.samples().count() <= cut.samples) {
        if stop.requested() {
            return Ok(Ended::Stopped);
        }
        whole_into(left, right, all.reborrow())?;
        progress(1.0);
        return match entry(all.as_ref()) {
            Some((i, j)) => Err(Fault::Entry(i / per_sample, j / per_sample)),
            None => Ok(Ended::Done(())),
        };
    }
    let mut sink = |row: usize, col: usize, block: MatRef<'_, T>| {
        let mirrored = right.is_none() && row != col;
        unfit = unfit.or(entry(block).map(|(i, j)| ((row + i) / per_sample, (col + j) / per_sample)));
        for i in 0..block.rows() {
            all.row_mut(row + i)[col..col + block.cols()].copy_from_slice(block.row(i));
        }
        if mirrored {
            let above = all.reborrow().block(col..col + block.cols(), row..row + block.rows());
            T::fast().transpose(block, above);
        }
        done += block.rows() * block.cols() * if mirrored { 2 } else { 1 };
        progress(done as f64 / whole as f64);
        Ok(())
    };
    let ended = match right {
        None => blocks(left, cut, &mut sink, stop)?,
        Some(right) => blocks_between(left, right, cut, &mut sink, stop)?,
    };
    match unfit {
        Some((i, j)) => Err(Fault::Entry(i, j)),
        None => Ok(ended),
    }
}

/// Place of the first entry that is not finite.
pub(crate) fn entry<T: Scalar>(block: MatRef<'_, T>) -> Option<(usize, usize)> {
    (0..block.rows()).find_map(|i| first_unfit(block.row(i)).map(|j| (i, j)))
}
