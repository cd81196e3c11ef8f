//! Samples of a kernel, wherever they lie: read from files, or in the caller's memory.

use std::ops::Range;

use ntkscope_core::{self as core, MatRef, Real};

use super::blocks::KernelSource;
use crate::data::Samples;

/// Samples, some at a time, in the scalar of the kernel.
pub trait Points<T: Real>: Sync {
    /// How many there are.
    fn count(&self) -> usize;
    /// These samples `(rows.len(), d)`; `space` may be resized to hold them.
    ///
    /// # Errors
    /// [`core::Error::SampleScale`] for a sample that the scalar does not hold, counted from `rows.start`.
    fn rows<'s>(&'s self, rows: Range<usize>, space: &'s mut Vec<T>) -> Result<MatRef<'s, T>, core::Error>;
}

impl<T: Real> Points<T> for Samples {
    fn count(&self) -> usize {
        self.n
    }
    fn rows<'s>(&'s self, rows: Range<usize>, space: &'s mut Vec<T>) -> Result<MatRef<'s, T>, core::Error> {
        converted(&self.x, self.d, rows, space)
    }
}

/// The samples that were held out.
#[derive(Clone, Copy, Debug)]
pub struct HeldOut<'a>(pub &'a Samples);

impl<T: Real> Points<T> for HeldOut<'_> {
    fn count(&self) -> usize {
        self.0.held_out_count()
    }
    fn rows<'s>(&'s self, rows: Range<usize>, space: &'s mut Vec<T>) -> Result<MatRef<'s, T>, core::Error> {
        converted(&self.0.held_out, self.0.d, rows, space)
    }
}

/// These rows of x (n, d) in the scalar T.
fn converted<'s, T: Real>(
    x: &[f64],
    d: usize,
    rows: Range<usize>,
    space: &'s mut Vec<T>,
) -> Result<MatRef<'s, T>, core::Error> {
    convert(&x[rows.start * d..rows.end * d], d, space)?;
    MatRef::new(space, rows.len(), d)
}

/// As they lie.
impl<T: Real> Points<T> for MatRef<'_, T> {
    fn count(&self) -> usize {
        MatRef::rows(self)
    }
    fn rows<'s>(&'s self, rows: Range<usize>, _: &'s mut Vec<T>) -> Result<MatRef<'s, T>, core::Error> {
        Ok(self.block(rows, 0..self.cols()))
    }
}

/// The memory of what one set of samples contributes.
pub struct Space<T> {
    x: Vec<T>,
    rest: Vec<T>,
}

impl<T> Default for Space<T> {
    fn default() -> Self {
        Self { x: Vec::new(), rest: Vec::new() }
    }
}

impl<T: Real> Space<T> {
    /// What these samples contribute.
    pub fn side<'s, S: KernelSource<T>>(
        &'s mut self,
        source: &'s S,
        rows: Range<usize>,
    ) -> Result<S::Side<'s>, core::Error> {
        let of_all = |error| match error {
            core::Error::SampleScale { sample, large } => {
                core::Error::SampleScale { sample: rows.start + sample, large }
            }
            other => other,
        };
        let x = source.samples().rows(rows.clone(), &mut self.x).map_err(of_all)?;
        source.side(x, &mut self.rest).map_err(of_all)
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

#[cfg(test)]
mod tests {
    use ntkscope_core::forward::Params;
    use ntkscope_core::init::{Normals, initialize};
    use ntkscope_core::kernel::MultiOutput;
    use ntkscope_core::network::{Bias, Fcn, Network, Part};

    use super::super::{Cut, Empirical, blocks, blocks_between, whole};
    use super::*;
    use crate::backend::HostReal;
    use crate::machine::{Ended, Stop};

    const N: usize = 150;
    const CUT: [Cut; 2] = [Cut { samples: 64, kept: true }, Cut { samples: 128, kept: false }];

    fn samples() -> Vec<f64> {
        let mut normals = Normals::new(3);
        (0..N * 3).map(|_| normals.draw()).collect()
    }

    fn source<'a, N: Network>(network: &'a N, theta: &'a [f64], x: &'a MatRef<'_, f64>) -> Empirical<'a, N, f64> {
        let params = Params::new(network, theta).unwrap();
        Empirical { backend: f64::fast(), params, samples: x, outputs: MultiOutput::Full }
    }

    /// All blocks of one set, or of two, of C = 2 outputs.
    fn gathered<N: Network>(
        left: &Empirical<'_, N, f64>,
        right: Option<&Empirical<'_, N, f64>>,
        cut: &Cut,
    ) -> Vec<f64> {
        let count = |source: &Empirical<'_, N, f64>| 2 * source.samples.count();
        let (rows, columns) = (count(left), count(right.unwrap_or(left)));
        let mut all = vec![f64::NAN; rows * columns];
        let mut sink = |row: usize, col: usize, block: MatRef<'_, f64>| {
            for i in 0..block.rows() {
                for j in 0..block.cols() {
                    all[(row + i) * columns + col + j] = block.at(i, j);
                    if right.is_none() {
                        all[(col + j) * columns + row + i] = block.at(i, j);
                    }
                }
            }
            Ok(())
        };
        let ended = match right {
            None => blocks(left, cut, &mut sink, &Stop::new()),
            Some(right) => blocks_between(left, right, cut, &mut sink, &Stop::new()),
        };
        assert_eq!(ended.unwrap(), Ended::Done(()));
        all
    }

    #[test]
    fn blocks_of_two_sets_are_those_of_their_union() {
        let (widths, x) = ([16, 5], samples());
        let network = Fcn::new(3, &widths, 2).unwrap().with_bias(Bias::All, 0.5).unwrap();
        let mut theta = vec![0.0; network.sizes().parameters];
        initialize(&network, 1, &mut theta).unwrap();
        let x = MatRef::new(&x, N, 3).unwrap();
        let kernel = whole(&source(&network, &theta, &x)).unwrap();
        let (some, others) = (x.block(0..128, 0..3), x.block(64..N, 0..3));
        for cut in &CUT {
            let (left, right) = (source(&network, &theta, &some), source(&network, &theta, &others));
            assert_eq!(gathered(&source(&network, &theta, &x), None, cut), kernel);
            for (at, entry) in gathered(&left, Some(&right), cut).into_iter().enumerate() {
                let columns = 2 * (N - 64);
                let (i, j) = (at / columns, 128 + at % columns);
                assert!((entry - kernel[i * 2 * N + j]).abs() < 1e-12 * kernel[0].abs().max(1.0), "{i}, {j}");
            }
        }
        // what is requested before the first block ends all
        let stop = Stop::new();
        stop.request();
        let mut none = |_, _, _: MatRef<'_, f64>| unreachable!("no block is computed");
        let ended = blocks(&source(&network, &theta, &x), &CUT[0], &mut none, &stop);
        assert_eq!(ended.unwrap(), Ended::Stopped);
    }

    #[test]
    fn shares_of_all_arrays_add_up_to_the_kernel() {
        let (widths, x) = ([6, 5], samples());
        let network = Fcn::new(3, &widths, 2).unwrap().with_bias(Bias::Hidden, 0.5).unwrap();
        let mut theta = vec![0.0; network.sizes().parameters];
        initialize(&network, 1, &mut theta).unwrap();
        let x = MatRef::new(&x[..30], 10, 3).unwrap();
        let kernel = whole(&source(&network, &theta, &x)).unwrap();
        let mut sum = vec![0.0; kernel.len()];
        for (index, weights) in [(0, true), (0, false), (1, true), (1, false), (2, true)] {
            let part = Part { network, index, weights };
            let share = whole(&source(&part, &theta, &x)).unwrap();
            assert!(share.iter().any(|entry| *entry != 0.0));
            sum.iter_mut().zip(share).for_each(|(sum, entry)| *sum += entry);
        }
        assert!(sum.iter().zip(&kernel).all(|(a, b)| (a - b).abs() < 1e-13 * kernel[0].max(1.0)));
    }
}
