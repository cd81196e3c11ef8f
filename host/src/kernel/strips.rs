//! Kernels of the same samples by strips of whole rows, one after another: what goes by rows is told of them without any of them
//! being held.
//!
//! Entries have the bits of the kernel that is held whole. All n^2 of them are computed, where the whole kernel has n^2/2
//! mirrored.

use std::ops::Range;

use ntkscope_core::kernel::structured_scratch;
use ntkscope_core::{MatMut, MatRef, Real};

use super::Error;
use super::blocks::{KernelSource, sides};
use super::forecast::{Cut, KernelWork, MOST_TILES, certain};
use super::operator::Told;
use super::points::Space;
use crate::machine::memory::bytes_of;
use crate::machine::{self, Ended, MemoryLimit, Stop};

/// Takes a strip: its rows, and of every kernel its entries `(rows.len(), n)`.
pub(super) type StripSink<'s, T> = dyn FnMut(Range<usize>, &[MatRef<'_, T>]) -> Result<(), Error> + 's;

impl KernelWork {
    /// How strips of so many empirical kernels are cut, with `beside` bytes of whatever else is held, and the bytes that all of
    /// it takes.
    ///
    /// # Errors
    /// [`machine::Error::Memory`]: not even strips of one tile fit.
    pub fn plan_strips(
        &self,
        kernels: usize,
        beside: u64,
        limit: Option<MemoryLimit>,
    ) -> Result<(Cut, u64), machine::Error> {
        let tile = self.tile.cols;
        let most = MOST_TILES.min(self.samples.div_ceil(tile)).max(1);
        let cuts = [true, false].map(|kept| (1..=most).rev().map(move |tiles| Cut { samples: tiles * tile, kept }));
        let need = |cut: Cut| self.in_strips(cut, kernels, beside);
        let mut all = cuts.into_iter().flatten();
        let fitting = all.find(|cut| limit.is_none_or(|limit| need(*cut) <= limit.bytes));
        match (fitting, limit) {
            (Some(cut), _) => Ok((cut, need(cut))),
            (None, Some(limit)) => {
                let least = need(Cut { samples: tile, kept: false });
                Err(limit.refuse(&format!("a strip of a kernel of {} rows", self.rows()), least, None))
            }
            (None, None) => Ok((Cut { samples: tile, kept: false }, u64::MAX)),
        }
    }

    fn in_strips(&self, cut: Cut, kernels: usize, beside: u64) -> u64 {
        let (samples, kernels) = (cut.samples.min(self.samples), kernels as u128);
        let rows = samples.saturating_mul(self.rows_per_sample);
        let strips = bytes_of(kernels * rows as u128 * self.rows() as u128, self.scalar);
        // tangents made anew are those of the rows and those of the columns
        let (of_all, of_some) = (self.side(self.samples) as u128 * kernels, self.side(samples).saturating_mul(2));
        let sides = if cut.kept { u64::try_from(of_all).unwrap_or(u64::MAX) } else { of_some };
        let scratch = structured_scratch(self.tile, rows, rows).saturating_mul(1 + self.threads);
        let work = [strips, sides, bytes_of(scratch as u128, self.scalar), beside];
        certain(work.into_iter().fold(self.always(), u64::saturating_add))
    }
}

/// All strips of the kernels of these sources, which are of the same samples and have as many rows for each, until `stop` is
/// requested; `told` hears the share that is done.
///
/// # Errors
/// Those of `sink`; [`Error::Core`].
pub fn strips<T: Real, S: KernelSource<T>>(
    sources: &[S],
    cut: &Cut,
    sink: &mut StripSink<'_, T>,
    told: &mut Told<'_>,
    stop: &Stop,
) -> Result<Ended, Error> {
    let Some(first) = sources.first() else { return Ok(Ended::Done(())) };
    let (samples, each) = (first.samples().count(), first.rows_per_sample());
    let parts: Vec<Range<usize>> = cut.parts(samples).collect();
    let (columns, height) = (samples * each, cut.samples.min(samples) * each);
    let mut kernels = vec![vec![T::ZERO; height * columns]; sources.len()];
    let mut scratch = vec![T::ZERO; first.scratch(cut.samples.min(samples))];
    let mut spaces: Vec<Vec<Space<T>>> = Vec::new();
    let mut kept = Vec::new();
    if cut.kept {
        spaces.resize_with(sources.len(), || parts.iter().map(|_| Space::default()).collect());
        for (source, spaces) in sources.iter().zip(&mut spaces) {
            match sides(source, spaces, &parts, stop)? {
                Some(sides) => kept.push(sides),
                None => return Ok(Ended::Stopped),
            }
        }
    }
    let (mut left, mut right) = (Space::default(), Space::default());
    let (mut done, all) = (0, parts.len() * parts.len() * sources.len());
    for (i, rows) in parts.iter().enumerate() {
        for (k, (source, kernel)) in sources.iter().zip(&mut kernels).enumerate() {
            let mut strip = MatMut::new(&mut kernel[..rows.len() * each * columns], rows.len() * each, columns)?;
            let anew = if cut.kept { None } else { Some(left.side(source, rows.clone())?) };
            for (j, part) in parts.iter().enumerate() {
                if stop.requested() {
                    return Ok(Ended::Stopped);
                }
                let out = strip.reborrow().block(0..rows.len() * each, part.start * each..part.end * each);
                match (&anew, i == j) {
                    (None, itself) => source.entries(&kept[k][i], (!itself).then(|| &kept[k][j]), out, &mut scratch)?,
                    (Some(left), true) => source.entries(left, None, out, &mut scratch)?,
                    (Some(left), false) => {
                        let right = right.side(source, part.clone())?;
                        source.entries(left, Some(&right), out, &mut scratch)?;
                    }
                }
                done += 1;
                told(done as f64 / all as f64);
            }
        }
        let strips: Vec<MatRef<'_, T>> = kernels
            .iter()
            .map(|kernel| MatRef::new(&kernel[..rows.len() * each * columns], rows.len() * each, columns))
            .collect::<Result<_, _>>()?;
        sink(rows.start * each..rows.end * each, &strips)?;
    }
    Ok(Ended::Done(()))
}
