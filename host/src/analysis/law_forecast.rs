//! How much memory a law over initializations takes, and into which blocks its test points are cut.

use ntkscope_core::kernel::{analytic_scratch, analytic_tile};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::Sizes;
use ntkscope_core::predict::{fixed_point_len, smoother_len, soft_targets_len};

use super::law::{is_exact, whole_tiles};
use crate::backend::{HostReal, decomposition_len, threads};
use crate::machine::memory::{bytes_of, process_bytes};

/// Rows of a block's kernel, one for each output of each test point, that need not be fewer to keep it small.
const MUCH: usize = 256;

/// The sizes of [`super::law::InfiniteWidth`].
#[derive(Clone, Copy, Debug)]
pub struct LawWork {
    /// of the network whose limit it is
    pub sizes: Sizes,
    /// training samples n
    pub samples: usize,
    /// test points m
    pub points: usize,
    /// numbers of a sample d
    pub inputs: usize,
    /// outputs C
    pub outputs: usize,
    /// loss
    pub loss: Loss,
    /// LAMBDA of the mean loss
    pub penalty: f64,
}

impl LawWork {
    /// The most test points in a block whose law takes no more than `limit` bytes beside samples and results, and what it
    /// takes; at least those of a tile, and no more than make the kernels of a block as large as that of the samples.
    pub fn plan(&self, limit: u64) -> (usize, u64) {
        let (least, most) =
            (whole_tiles(1), whole_tiles(self.samples.max(MUCH / self.outputs.max(1)).min(self.points)));
        let blocks = (1..=most / least).rev().map(|tiles| tiles * least);
        let fitting = blocks.map(|block| (block, self.bytes(block))).find(|(_, need)| *need <= limit);
        fitting.unwrap_or_else(|| (least, self.bytes(least)))
    }

    /// Bytes that it takes with blocks of so many test points.
    fn bytes(&self, block: usize) -> u64 {
        let block = block.min(self.points);
        let [n, b, c, d] = [self.samples, block, self.outputs, self.inputs].map(|size| size as u128);
        let tile = f64::fast().tile();
        let scratch = analytic_scratch(self.sizes, tile, self.samples.max(block), self.samples) as u128
            + threads() as u128 * analytic_tile(tile, self.samples) as u128;
        // equal samples as one
        let merged = n * (d + c);
        let numbers = if is_exact(self.loss, self.penalty) {
            // while the NTK is decomposed; then the NNGP, the smoother, its work, a kernel of the block, its covariance
            let solving = n * n + decomposition_len(self.samples);
            smoother_len(self.samples) as u128 + solving.max(n * n + 3 * b * n + 2 * b * b)
        } else {
            let (rows, cols) = (b * c, n * c);
            let stacked = decomposition_len(self.samples.saturating_mul(self.outputs));
            // no memory has as much as the largest number
            let times = u128::saturating_mul;
            let stiff = times(3, times(rows, cols)).saturating_add(times(3, times(rows, rows)));
            let solving = stacked.max(stiff.saturating_add(b * n + b * b));
            let fixed = times(2, times(cols, cols)).saturating_add(fixed_point_len(self.samples, self.outputs) as u128);
            fixed.saturating_add(solving)
        };
        bytes_of(numbers.saturating_add(scratch + merged), 8)
    }
}

/// Bytes that the process has while soft targets are met under a singular kernel of n samples, for C outputs together.
pub(super) fn singular_bytes(samples: usize, outputs: usize) -> u64 {
    let size = samples as u128 * outputs as u128;
    let stacked = size.saturating_mul(size).saturating_add(decomposition_len(samples.saturating_mul(outputs)));
    let n = samples as u128;
    let rest = soft_targets_len(samples, outputs) as u128 + smoother_len(samples) as u128 + n * n;
    let numbers = stacked.saturating_add(rest);
    process_bytes(threads()).saturating_add(bytes_of(numbers, 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(samples: usize, points: usize, outputs: usize, penalty: f64) -> LawWork {
        LawWork {
            samples,
            points,
            sizes: Sizes::new(3, outputs),
            inputs: 3,
            outputs,
            loss: Loss::CrossEntropy,
            penalty,
        }
    }

    #[test]
    fn test_points_cost_nothing_but_their_block() {
        for penalty in [0.0, 0.1] {
            let [few, many] = [1000, 1_000_000].map(|points| work(50, points, 2, penalty).plan(u64::MAX));
            assert_eq!(few, many);
            let (block, need) = work(400, 4000, 2, penalty).plan(0);
            assert_eq!(block, whole_tiles(1), "the least where nothing fits");
            // a larger one may take no more: other phases take as much
            assert_eq!(work(400, 4000, 2, penalty).plan(need).1, need);
            assert!(work(400, 4000, 2, penalty).plan(need).0 >= block);
            let (larger, more) = work(400, 4000, 2, penalty).plan(u64::MAX);
            assert!(larger > block && more > need);
        }
    }

    #[test]
    fn no_size_wraps() {
        let huge = usize::MAX / 1000;
        for (samples, points, outputs) in [(huge, 5, 1), (5, huge, 1), (1 << 40, 5, 1 << 30), (100_000, 10, 100_000)] {
            for penalty in [0.0, 0.1] {
                assert!(work(samples, points, outputs, penalty).plan(1 << 30).1 > 0);
            }
        }
        assert_eq!(work(100_000, 10, 100_000, 0.1).plan(0).1, u64::MAX);
    }
}
