//! Elementwise work, compiled once for every set of vector instructions and chosen at run time.
//!
//! The arithmetic is core's own, without fused multiply-add, so the bits are those of `Portable`.

use super::{HostReal, InstructionSet};

/// The loop of [`ntkscope_core::Backend::arc_cosine`], to be inlined where the instructions are known.
#[inline(always)]
fn arc_cosine_loop<T: HostReal>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    let len = sin2.len();
    let (cos2, kappa0, gap) = (&cos2[..len], &mut kappa0[..len], &mut gap[..len]);
    for j in 0..len {
        (kappa0[j], gap[j]) = ntkscope_core::angle::arc_cosine(sin2[j], cos2[j], T::root);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn arc_cosine_avx512<T: HostReal>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    arc_cosine_loop(sin2, cos2, kappa0, gap);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn arc_cosine_avx2<T: HostReal>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    arc_cosine_loop(sin2, cos2, kappa0, gap);
}

/// [`ntkscope_core::Backend::arc_cosine`].
pub(super) fn arc_cosine<T: HostReal>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    match InstructionSet::here() {
        // SAFETY: the instructions were found on this machine.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { arc_cosine_avx512(sin2, cos2, kappa0, gap) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { arc_cosine_avx2(sin2, cos2, kappa0, gap) },
        _ => arc_cosine_loop(sin2, cos2, kappa0, gap),
    }
}
