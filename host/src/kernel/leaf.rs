//! Leaves: how many samples are taken together where a kernel is made part by part. It depends on the network and the scalar
//! alone, and so do the bits of what is added up leaf by leaf.

use ntkscope_core::kernel::tangent_len;
use ntkscope_core::network::Sizes;

/// Of the analytic kernel: rows and columns of a panel.
pub(super) const ANALYTIC: usize = 1024;
/// Bytes that the layers' pairs (A, D) of a leaf may take.
const BYTES: usize = 64 << 20;
/// Smallest and largest leaf of an empirical kernel.
const EMPIRICAL: [usize; 2] = [64, 4096];

/// Of the empirical kernel of a network of these sizes.
pub(super) fn empirical(sizes: Sizes, scalar: usize) -> usize {
    let each = tangent_len(sizes, 1).saturating_mul(scalar).max(1);
    let most = (BYTES / each).clamp(EMPIRICAL[0], EMPIRICAL[1]);
    // a power of two, so that few sizes are ever met
    1 << most.ilog2()
}
