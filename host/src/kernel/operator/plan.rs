//! How much memory products with a kernel will take, and what of it they keep.

use ntkscope_core::Tile;
use ntkscope_core::kernel::{MultiOutput, analytic_scratch, jacobian_scratch, structured_scratch, tangent_len};
use ntkscope_core::network::Sizes;

use super::groups::Groups;
use crate::kernel::forecast::certain;
use crate::kernel::{leaf, rows_per_sample};
use crate::machine::memory::{bytes_of, process_bytes};
use crate::machine::{self, MemoryLimit};

/// Most gradients that are worth holding at a time.
const AT_ONCE: usize = 16;
/// Columns that are asked for at a time, as a low-rank part of the kernel is made of them.
const COLUMNS: usize = 64;

/// What is to be multiplied.
#[derive(Clone, Copy, Debug)]
pub struct ProductWork {
    /// samples
    pub samples: usize,
    /// numbers per sample
    pub inputs: usize,
    /// of the network
    pub sizes: Sizes,
    /// of a network at its parameters: which kernel; `None` for the analytic one
    pub empirical: Option<MultiOutput>,
    /// bytes of a number
    pub scalar: usize,
    /// the backend's tile
    pub tile: Tile,
    /// threads
    pub threads: usize,
    /// ranks among which products are divided; the forecast is of one of them
    pub ranks: usize,
    /// bytes of whatever else is held meanwhile: vectors, factors, other samples
    pub beside: u64,
}

/// How products are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductPlan {
    /// bytes that it will take at most
    pub forecast: u64,
    /// whether the pairs (A, D) of all samples are kept from product to product
    pub keep: bool,
    /// gradients that are held at a time
    pub at_once: usize,
}

impl ProductWork {
    /// Rows of the kernel.
    pub fn rows(&self) -> usize {
        self.samples.saturating_mul(self.empirical.map_or(1, |which| rows_per_sample(which, self.sizes.outputs)))
    }

    /// What fits of what saves time: pairs (A, D) that are kept, several gradients at a time.
    ///
    /// # Errors
    /// [`machine::Error::Memory`]: not even the least fits.
    pub fn plan(&self, what: &str, limit: Option<MemoryLimit>) -> Result<ProductPlan, machine::Error> {
        let plan = |keep: bool, at_once: usize| ProductPlan { forecast: self.bytes(keep, at_once), keep, at_once };
        let gradients = |keep| [AT_ONCE, AT_ONCE / 4, 1].map(|at_once| plan(keep, at_once));
        let plans: Vec<ProductPlan> = match self.empirical {
            None => vec![plan(false, 1)],
            Some(_) => gradients(true).into_iter().chain(gradients(false)).collect(),
        };
        let least = plans[plans.len() - 1];
        let Some(limit) = limit else { return Ok(plans[0]) };
        let fitting = plans.into_iter().find(|plan| plan.forecast <= limit.bytes);
        fitting.ok_or_else(|| limit.refuse(what, least.forecast, None))
    }

    /// Bytes that it takes to go through the kernel of these samples with others once, in panels of at most `side` samples a side.
    pub fn between(&self, side: usize) -> u64 {
        self.with(self.panels(self.leaf().min(side)))
    }

    fn leaf(&self) -> usize {
        self.empirical.map_or(leaf::ANALYTIC, |_| leaf::empirical(self.sizes, self.scalar))
    }

    /// What two leaves contribute, and the panel of their entries, which is converted.
    fn panels(&self, leaf: usize) -> u64 {
        let Self { sizes, scalar, tile, .. } = *self;
        let (side, scratch) = match self.empirical {
            None => (0, analytic_scratch(sizes, tile, leaf, leaf).saturating_mul(1 + self.threads)),
            Some(_) => {
                (tangent_len(sizes, leaf), structured_scratch(tile, leaf, leaf).saturating_mul(1 + self.threads))
            }
        };
        let sides = leaf.saturating_mul(self.inputs).saturating_add(side).saturating_mul(2);
        let numbers = [sides, scratch, leaf.saturating_mul(leaf)].into_iter().fold(0, usize::saturating_add);
        bytes_of(numbers as u128, scalar).saturating_add(bytes_of((leaf as u128).pow(2), 8))
    }

    fn bytes(&self, keep: bool, at_once: usize) -> u64 {
        let Self { samples, inputs, sizes, scalar, tile, ranks, .. } = *self;
        let numbers = |count: usize| bytes_of(count as u128, scalar);
        let side = |count: usize, rest: usize| numbers(count.saturating_mul(inputs).saturating_add(rest));
        let leaf = self.leaf().min(samples);
        let work = match self.empirical {
            None => self.panels(leaf),
            Some(_) => {
                // columns have their leaf made anew beside what is kept
                let held = if keep { own_samples(samples, leaf, ranks).saturating_add(leaf) } else { leaf };
                let tangents = side(held, tangent_len(sizes, held));
                let gradients = sizes.parameters.saturating_mul(2 * at_once + 2);
                // what is sent and received, in lists by rank and in one
                let exchanged = if ranks > 1 { sizes.parameters.saturating_mul(4 * at_once) } else { 0 };
                let scratch = jacobian_scratch(sizes, leaf).saturating_add(structured_scratch(tile, leaf, COLUMNS));
                let exchanged = bytes_of(exchanged as u128, 8);
                tangents.saturating_add(numbers(gradients)).saturating_add(exchanged).saturating_add(numbers(scratch))
            }
        };
        self.with(work)
    }

    /// Bytes of this work with the program, the samples and what is held beside.
    fn with(&self, work: u64) -> u64 {
        let of_samples = bytes_of(self.samples as u128 * (self.inputs as u128 + 2), 8);
        let all = [process_bytes(self.threads), of_samples, work, self.beside].into_iter().fold(0, u64::saturating_add);
        certain(all)
    }
}

/// Samples of the rank that has most.
fn own_samples(samples: usize, leaf: usize, ranks: usize) -> usize {
    let groups = Groups::of(samples, leaf);
    (0..groups.count()).step_by(ranks.max(1)).map(|group| groups.rows(group).len()).sum()
}
