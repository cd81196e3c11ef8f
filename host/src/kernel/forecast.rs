//! How much memory a kernel will take, and into which blocks it is cut so that it takes no more than it may.

use std::ops::Range;

use ntkscope_core::Tile;
use ntkscope_core::kernel::{MultiOutput, analytic_scratch, analytic_tile, structured_scratch, tangent_len};
use ntkscope_core::network::{Network, Sizes};

use super::blocks::rows_per_sample;
use super::file::KernelFile;
use super::lanczos::extremes_bytes;
use crate::backend::{HostReal, eigenvalues_len, threads};
use crate::machine::memory::{bytes_of, process_bytes};
use crate::machine::{self, MemoryLimit};

/// Rows of the panels that a product's right factor is packed into.
const PACKED: usize = 512;
/// Most bytes that a thread's allocator keeps of panels and blocks that are no longer needed; measured with glibc.
const KEPT: u64 = 10 << 20;
/// What is kept of panels where the samples contribute less than 16 times as much: this part of that.
const KEPT_PART: u64 = 16;
/// The forecast's own uncertainty, as a part of it that is added.
const UNCERTAIN: u64 = 16;
/// Largest block in columns of tiles. Larger ones save little, and take longer to answer an interruption.
pub(super) const MOST_TILES: usize = 16;
/// Multiply-adds of a block that is to take no longer than a fraction of a second, and of the passes for its samples, which
/// are products of larger matrices.
const SHORT: f64 = 4e9;
const SHORT_PASSES: f64 = 1e10;
/// From this many tiles on, keeping the tangents of all samples is worth smaller blocks.
const ENOUGH_TILES: usize = 8;

/// What is to be computed.
#[derive(Clone, Copy, Debug)]
pub struct KernelWork {
    /// samples
    pub samples: usize,
    /// samples of the columns where they are another set, else 0
    pub others: usize,
    /// whether the kernel is summarized too, for which its eigenvalues are computed
    pub summary: bool,
    /// numbers per sample
    pub inputs: usize,
    /// of the network
    pub sizes: Sizes,
    /// whether the kernel is that of the network at its parameters, not the two analytic ones
    pub empirical: bool,
    /// columns of the widest product, where the backend packs its factors
    pub widest: Option<usize>,
    /// rows of the kernel for one sample
    pub rows_per_sample: usize,
    /// bytes of a number
    pub scalar: usize,
    /// the backend's tile
    pub tile: Tile,
    /// threads
    pub threads: usize,
    /// bytes that reading the parameters takes beside them, and writing them
    pub files: u64,
}

/// Outputs of the widest layer: columns of the widest product.
pub fn widest(network: &impl Network) -> usize {
    (0..network.sizes().layers).map(|index| network.layer(index).outputs).max().unwrap_or(1)
}

/// How samples are cut into blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// samples of a block, a multiple of the columns of a tile
    pub samples: usize,
    /// whether what a block of samples needs is computed once and kept, or again for every block of the kernel
    pub kept: bool,
}

impl Cut {
    /// The blocks of n samples.
    pub fn parts(self, n: usize) -> impl Iterator<Item = Range<usize>> {
        (0..n).step_by(self.samples).map(move |first| first..n.min(first + self.samples))
    }
}

/// How a kernel is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelPlan {
    /// bytes that it will take at most
    pub forecast: u64,
    /// the same if the kernel were held whole
    pub whole: u64,
    /// how it is cut; `None` where it is held whole
    pub cut: Option<Cut>,
}

impl KernelWork {
    /// The kernel of samples with themselves, on all threads of the backend that packs: the empirical one of these outputs, or the two
    /// analytic ones.
    pub fn new<T: HostReal>(network: &impl Network, samples: usize, empirical: Option<MultiOutput>) -> Self {
        let sizes = network.sizes();
        let widest = if empirical.is_some() { widest(network) } else { 1 };
        Self {
            samples,
            others: 0,
            summary: false,
            inputs: sizes.inputs,
            sizes,
            empirical: empirical.is_some(),
            widest: Some(widest),
            rows_per_sample: empirical.map_or(1, |outputs| rows_per_sample(outputs, sizes.outputs)),
            scalar: size_of::<T>(),
            tile: T::fast().tile(),
            threads: threads(),
            files: 0,
        }
    }

    /// Whole if that fits, else the largest blocks that do.
    ///
    /// # Errors
    /// [`machine::Error::Memory`]: not even blocks of one tile fit.
    pub fn plan(&self, limit: Option<MemoryLimit>) -> Result<KernelPlan, machine::Error> {
        let whole = self.held_whole();
        let Some(limit) = limit.filter(|limit| whole > limit.bytes) else {
            return Ok(KernelPlan { forecast: whole, whole, cut: None });
        };
        let cut = self.largest_blocks(MOST_TILES, limit.bytes).ok_or_else(|| self.refusal(limit, 0))?;
        Ok(KernelPlan { forecast: self.in_blocks(cut), whole, cut: Some(cut) })
    }

    /// Blocks that take a fraction of a second each, for a caller who is to be answered between them, and fit beside `held`
    /// bytes, those of the matrix where it is in memory; and the bytes that all of it takes.
    ///
    /// # Errors
    /// [`machine::Error::Memory`]: not even blocks of one tile fit.
    pub fn plan_short_blocks(&self, limit: Option<MemoryLimit>, held: u64) -> Result<(Cut, u64), machine::Error> {
        let numbers = self.inputs.saturating_add(self.sizes.activations) as f64;
        let side = (SHORT / numbers).sqrt() / self.rows_per_sample as f64;
        // one forwards, one back for every output
        let passes = self.sizes.parameters as f64 * (self.sizes.outputs as f64 + 1.0);
        let passed = if self.empirical { SHORT_PASSES / passes } else { f64::INFINITY };
        let tiles = ((side.min(passed) / self.tile.cols as f64) as usize).clamp(1, MOST_TILES);
        let left = limit.map_or(u64::MAX, |limit| limit.bytes.saturating_sub(held));
        let cut = self.largest_blocks(tiles, left);
        let cut = match limit {
            Some(limit) => cut.ok_or_else(|| self.refusal(limit, held))?,
            None => cut.unwrap_or(Cut { samples: self.tile.cols, kept: false }),
        };
        Ok((cut, self.in_blocks(cut).saturating_add(held)))
    }

    /// The largest blocks of at most so many tiles that fit.
    fn largest_blocks(&self, most: usize, bytes: u64) -> Option<Cut> {
        let most = most.min(self.samples.max(self.others).div_ceil(self.tile.cols)).max(1);
        let fits = |kept: bool| {
            let cuts = (1..=most).rev().map(|tiles| Cut { samples: tiles * self.tile.cols, kept });
            cuts.map(|cut| self.even(cut)).find(|cut| self.in_blocks(*cut) <= bytes)
        };
        match (fits(true), fits(false)) {
            (Some(kept), Some(again)) if kept.samples < again.samples.min(ENOUGH_TILES * self.tile.cols) => Some(again),
            (kept, again) => kept.or(again),
        }
    }

    fn refusal(&self, limit: MemoryLimit, held: u64) -> machine::Error {
        let columns = if self.others > 0 { self.others.saturating_mul(self.rows_per_sample) } else { self.rows() };
        let least = self.in_blocks(Cut { samples: self.tile.cols, kept: false }).saturating_add(held);
        let advice = (held > 0).then_some("give `out = K.npy`, which is written block by block");
        limit.refuse(&format!("a kernel of {} x {columns} entries, even in blocks,", self.rows()), least, advice)
    }

    /// Rows of the kernel.
    pub fn rows(&self) -> usize {
        self.samples.saturating_mul(self.rows_per_sample)
    }

    /// The same number of blocks, as equal as tiles allow.
    fn even(&self, cut: Cut) -> Cut {
        let count = self.samples.div_ceil(cut.samples);
        Cut { samples: self.samples.div_ceil(count).next_multiple_of(self.tile.cols), ..cut }
    }

    /// Bytes from the beginning to the end: the program, its threads, the samples, the parameters.
    pub(super) fn always(&self) -> u64 {
        let samples = bytes_of((self.samples as u128 + self.others as u128) * (self.inputs as u128 + 2), 8);
        let parameters = bytes_of(if self.empirical { self.sizes.parameters } else { 0 } as u128, self.scalar);
        let side = self.side(self.samples);
        let packed = self.widest.map_or(0, |widest| {
            let columns = widest.min(self.samples).max(self.tile.cols);
            (self.scalar * PACKED * columns) as u64 + (side / KEPT_PART).min(KEPT)
        });
        // the second analytic kernel comes on top of what was kept of the first
        let first = if !self.empirical { side.min(KEPT) } else { 0 };
        let process = process_bytes(self.threads) + self.threads as u64 * packed + first;
        process.saturating_add(samples).saturating_add(parameters)
    }

    /// Bytes of what this many samples contribute.
    pub(super) fn side(&self, samples: usize) -> u64 {
        let tangent = if self.empirical { tangent_len(self.sizes, samples) } else { 0 };
        bytes_of(samples as u128 * self.inputs as u128 + tangent as u128, self.scalar)
    }

    /// Bytes of a kernel block of this many rows and columns of samples, and of the threads' scratch.
    fn block(&self, samples: usize) -> u64 {
        let rows = samples.saturating_mul(self.rows_per_sample);
        let (own, shared) = if self.empirical {
            let own = structured_scratch(self.tile, rows, rows);
            (own, own)
        } else {
            (analytic_tile(self.tile, samples), analytic_scratch(self.sizes, self.tile, samples, samples))
        };
        bytes_of((rows as u128).pow(2) + self.threads as u128 * own as u128 + shared as u128, self.scalar)
    }

    /// Bytes where the kernel is held whole: two of them if analytic, and a copy for the eigenvalues beside what those take.
    fn held_whole(&self) -> u64 {
        let matrix = bytes_of((self.rows() as u128).pow(2), self.scalar);
        let eigenvalues = matrix.saturating_add(bytes_of(eigenvalues_len(self.rows()), self.scalar));
        let before = if !self.empirical { matrix } else { 0 };
        let computing = self.side(self.samples).saturating_add(self.block(self.samples));
        let most = self.files.max(computing).max(matrix.saturating_add(if self.summary { eigenvalues } else { 0 }));
        certain(self.always().saturating_add(before).saturating_add(most))
    }

    /// Bytes where it is written in blocks.
    fn in_blocks(&self, cut: Cut) -> u64 {
        let held = if cut.kept {
            // however many parts there are
            let of_all = |n: usize| {
                let (whole, rest) = ((n / cut.samples) as u64, n % cut.samples);
                self.side(cut.samples).saturating_mul(whole).saturating_add(self.side(rest))
            };
            of_all(self.samples).saturating_add(of_all(self.others))
        } else {
            self.side(cut.samples).saturating_mul(2)
        };
        let rows = self.rows();
        let summary = if self.summary { extremes_bytes(rows) + KernelFile::product_bytes(rows) } else { 0 };
        let computing = held.saturating_add(self.block(cut.samples));
        certain(self.always().saturating_add(self.files.max(computing).max(summary)))
    }
}

/// The forecast that is not exceeded.
pub(in crate::kernel) fn certain(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / UNCERTAIN)
}
