//! Elementwise work, compiled once for every set of vector instructions and chosen at run time.
//!
//! The arithmetic is core's own, without fused multiply-add, so the bits are those of `Portable`.

use std::cell::RefCell;
use std::thread::LocalKey;

use ntkscope_core::backend::assert_lengths;
use ntkscope_core::{Backend, Portable, Real};

use super::InstructionSet;
use super::transpose::Transposed;

/// What the compiler must be told of a scalar.
pub(super) trait Vectorized: Transposed {
    /// [`Real::sqrt`], the same bits, in a form that can be vectorized.
    fn root(self) -> Self;
    /// Every thread's working space.
    fn space() -> &'static LocalKey<RefCell<Vec<Self>>>;

    /// Calls `work` with `len` numbers of this thread's working space, which must not be asked for again inside.
    fn with_space<R>(len: usize, work: impl FnOnce(&mut [Self]) -> R) -> R {
        Self::space().with_borrow_mut(|space| {
            if space.len() < len {
                space.resize(len, Self::ZERO);
            }
            work(&mut space[..len])
        })
    }
}

/// The loop of [`ntkscope_core::Backend::arc_cosine`], to be inlined where the instructions are known.
#[inline(always)]
fn arc_cosine_loop<T: Vectorized>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    let len = sin2.len();
    let (cos2, kappa0, gap) = (&cos2[..len], &mut kappa0[..len], &mut gap[..len]);
    for j in 0..len {
        (kappa0[j], gap[j]) = ntkscope_core::angle::arc_cosine(sin2[j], cos2[j], T::root);
    }
}

/// [`arc_cosine_loop`] with wider vectors.
///
/// # Safety
/// The machine has the instructions of AVX-512F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn arc_cosine_avx512<T: Vectorized>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    arc_cosine_loop(sin2, cos2, kappa0, gap);
}

/// [`arc_cosine_loop`] with wider vectors.
///
/// # Safety
/// The machine has the instructions of AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn arc_cosine_avx2<T: Vectorized>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    arc_cosine_loop(sin2, cos2, kappa0, gap);
}

/// [`ntkscope_core::Backend::arc_cosine`].
pub(super) fn arc_cosine<T: Vectorized>(sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
    assert_lengths("arc_cosine", sin2.len(), &[cos2.len(), kappa0.len(), gap.len()]);
    match InstructionSet::here() {
        // SAFETY: AVX-512F, the one feature that the function enables, was found on this machine; slices carry their lengths.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { arc_cosine_avx512(sin2, cos2, kappa0, gap) },
        // SAFETY: as above, with AVX2.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { arc_cosine_avx2(sin2, cos2, kappa0, gap) },
        _ => arc_cosine_loop(sin2, cos2, kappa0, gap),
    }
}

/// The loop of [`ntkscope_core::Backend::products`].
#[inline(always)]
fn products_loop<T: Real>(add: bool, a: &[T], b: &[T], y: &mut [T]) {
    Portable.products(add, a, b, y);
}

/// [`products_loop`] with wider vectors.
///
/// # Safety
/// The machine has the instructions of AVX-512F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn products_avx512<T: Real>(add: bool, a: &[T], b: &[T], y: &mut [T]) {
    products_loop(add, a, b, y);
}

/// [`products_loop`] with wider vectors.
///
/// # Safety
/// The machine has the instructions of AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn products_avx2<T: Real>(add: bool, a: &[T], b: &[T], y: &mut [T]) {
    products_loop(add, a, b, y);
}

/// [`ntkscope_core::Backend::products`].
pub(super) fn products<T: Real>(add: bool, a: &[T], b: &[T], y: &mut [T]) {
    match InstructionSet::here() {
        // SAFETY: AVX-512F, the one feature that the function enables, was found on this machine; slices carry their lengths.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { products_avx512(add, a, b, y) },
        // SAFETY: as above, with AVX2.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { products_avx2(add, a, b, y) },
        _ => products_loop(add, a, b, y),
    }
}

impl Vectorized for f32 {
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    fn space() -> &'static LocalKey<RefCell<Vec<Self>>> {
        thread_local!(static SPACE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) });
        &SPACE
    }
}

impl Vectorized for f64 {
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    fn space() -> &'static LocalKey<RefCell<Vec<Self>>> {
        thread_local!(static SPACE: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) });
        &SPACE
    }
}
