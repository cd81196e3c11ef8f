//! The workstation's backend: products by `gemm`, decompositions by `faer`, eigenvalues of large matrices by products, bands
//! of rows by `rayon`.
//!
//! Work is shared out among the threads, a product in panels, a kernel in bands, and no number depends on how: each is
//! summed in an order of its own. So one thread and many give the same bits.

mod bands;
mod eigenvalues;
mod product;
mod transpose;
mod until;
mod vector;

use faer::Side;
use ntkscope_core::linalg::{self, check_eigen, check_symmetric};
use ntkscope_core::{Approx32, Backend, BandWork, Error, MatMut, MatRef, Portable, Real, Tile};
use until::Asked;
pub use until::Until;
use vector::Vectorized;

/// Tiles of a kernel: two of f64 fit a core's level-2 cache. The taller they are the less is a factor's transposition,
/// the narrower the less is computed above a diagonal.
const TILE: Tile = Tile::new(512, 64, 1);

/// `gemm`, `faer` and `rayon`. The instruction set is chosen at run time; see [`InstructionSet`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Fast;

/// A scalar that both backends take.
pub trait HostReal: Real {
    /// The fast backend where there is one for this scalar, else the portable one.
    fn fast() -> &'static dyn Backend<Self>;
    /// The same for work that may be asked to end.
    fn until(until: &Until) -> &(dyn Backend<Self> + 'static);
}
// never inlined: the decompositions are then compiled here, once, and not in every crate that asks for a backend
impl HostReal for f32 {
    #[inline(never)]
    fn fast() -> &'static dyn Backend<Self> {
        &Fast
    }
    #[inline(never)]
    fn until(until: &Until) -> &(dyn Backend<Self> + 'static) {
        until
    }
}
impl HostReal for f64 {
    #[inline(never)]
    fn fast() -> &'static dyn Backend<Self> {
        &Fast
    }
    #[inline(never)]
    fn until(until: &Until) -> &(dyn Backend<Self> + 'static) {
        until
    }
}
impl HostReal for Approx32 {
    fn fast() -> &'static dyn Backend<Self> {
        &Portable
    }
    fn until(_: &Until) -> &(dyn Backend<Self> + 'static) {
        &Portable
    }
}

/// The vector instructions in use, found at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// 512 bits
    Avx512,
    /// 256 bits, with fused multiply-add
    Avx2,
    /// what every machine of this architecture has
    Baseline,
}

impl InstructionSet {
    /// That of this machine.
    pub fn here() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        Self::Baseline
    }
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Baseline if cfg!(target_arch = "aarch64") => "neon",
            Self::Baseline if cfg!(target_arch = "x86_64") => "sse2",
            Self::Baseline => "scalar",
        }
    }
}

impl<T: Vectorized + faer::traits::RealField> Backend<T> for Fast {
    fn tile(&self) -> Tile {
        // of a lower triangle every thread takes a long band and a short one
        Tile::new(TILE.rows, TILE.cols, 2 * threads())
    }

    fn gemm(&self, alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: MatMut<'_, T>) {
        product::gemm(alpha, a, b, beta, c);
    }

    fn transpose(&self, a: MatRef<'_, T>, out: MatMut<'_, T>) {
        transpose::transpose(a, out);
    }

    fn products(&self, add: bool, a: &[T], b: &[T], y: &mut [T]) {
        vector::products(add, a, b, y);
    }

    fn square_roots(&self, x: &mut [T]) {
        x.iter_mut().for_each(|x| *x = x.root());
    }

    fn arc_cosine(&self, sin2: &[T], cos2: &[T], kappa0: &mut [T], gap: &mut [T]) {
        vector::arc_cosine(sin2, cos2, kappa0, gap);
    }

    fn symmetric_eigenvalues(&self, a: MatMut<'_, T>, values: &mut [T], scratch: &mut [T]) -> Result<(), Error> {
        eigenvalues_until(a, values, scratch, &|| false)
    }

    fn symmetric_eigen(
        &self,
        a: MatMut<'_, T>,
        values: &mut [T],
        mut vectors: MatMut<'_, T>,
        scratch: &mut [T],
    ) -> Result<(), Error> {
        check_eigen(a.as_ref(), values, Some(vectors.as_ref()), scratch)?;
        if values.is_empty() {
            return Ok(());
        }
        let scale = largest(a.as_ref()).power_of_two();
        let found = mirrored(a.as_ref(), T::ONE / scale).self_adjoint_eigen(Side::Lower);
        let Some(found) = found.ok().filter(|found| (0..a.rows()).all(|k| found.S()[k].is_finite())) else {
            // as above
            return linalg::symmetric_eigen(a, values, vectors, scratch);
        };
        for (k, value) in values.iter_mut().enumerate() {
            *value = scale * found.S()[k];
        }
        for i in 0..a.rows() {
            for (k, entry) in vectors.row_mut(i).iter_mut().enumerate() {
                *entry = found.U()[(i, k)];
            }
        }
        Ok(())
    }

    fn cholesky(&self, mut a: MatMut<'_, T>) -> Result<(), Error> {
        check_symmetric(a.as_ref())?;
        // the factor's scale is the root of the matrix's
        let scale = largest(a.as_ref()).sqrt().power_of_two();
        let inverse = T::ONE / scale;
        let Ok(found) = mirrored(a.as_ref(), inverse * inverse).llt(Side::Lower) else {
            // faer does not say which pivot it was
            return linalg::cholesky(a);
        };
        for i in 0..a.rows() {
            for (j, entry) in a.row_mut(i)[..=i].iter_mut().enumerate() {
                *entry = scale * found.L()[(i, j)];
            }
        }
        Ok(())
    }

    fn for_each_band(&self, out: MatMut<'_, T>, rows_per_band: usize, scratch: &mut [T], work: &BandWork<'_, T>) {
        bands::for_each_band(out, rows_per_band, scratch, work);
    }
}

/// Eigenvalues, cut off where `asked` says so and they are of a large matrix.
fn eigenvalues_until<T: Vectorized + faer::traits::RealField>(
    a: MatMut<'_, T>,
    values: &mut [T],
    scratch: &mut [T],
    asked: &Asked,
) -> Result<(), Error> {
    check_eigen(a.as_ref(), values, None, scratch)?;
    if a.rows() >= eigenvalues::WORTH {
        return eigenvalues::two_stages(a, values, scratch, asked);
    }
    if values.is_empty() {
        return Ok(()); // faer counts from 1
    }
    let scale = largest(a.as_ref()).power_of_two();
    match mirrored(a.as_ref(), T::ONE / scale).self_adjoint_eigenvalues(Side::Lower) {
        Ok(found) if found.iter().all(|value| value.is_finite()) => {
            values.iter_mut().zip(&found).for_each(|(to, value)| *to = scale * *value);
        }
        // faer does not say which eigenvalue it was
        _ => linalg::symmetric_eigenvalues(a, values, scratch)?,
    }
    Ok(())
}

/// Threads of the pool that this is called in. Outside of any it is 1: work there stays on its thread, so that no pool
/// is started for it.
pub fn threads() -> usize {
    rayon::current_thread_index().map_or(1, |_| rayon::current_num_threads())
}

/// The symmetric matrix whose lower triangle is that of `a`, times a power of two that brings its entries near 1: faer has
/// thresholds of its own, below which it takes numbers for 0.
fn mirrored<T: Real + faer::traits::RealField>(a: MatRef<'_, T>, factor: T) -> faer::Mat<T> {
    faer::Mat::from_fn(a.rows(), a.rows(), |i, j| factor * if j <= i { a.at(i, j) } else { a.at(j, i) })
}

/// Largest entry of the lower triangle, in absolute terms.
fn largest<T: Real>(a: MatRef<'_, T>) -> T {
    (0..a.rows()).flat_map(|i| a.entries(i).take(i + 1)).fold(T::ZERO, |m, x| Real::max(m, Real::abs(x)))
}

/// Numbers that the decomposition of a matrix of n rows takes beside its arguments: faer's copy, the vectors, and what
/// it works with, by measurement.
pub const fn decomposition_len(rows: usize) -> u128 {
    // twice the largest size still fits: no memory has more
    (rows as u128).saturating_mul(rows as u128).saturating_mul(4)
}

/// Numbers that the eigenvalues alone of a matrix of n rows take beside their arguments: faer's copy and what it works with,
/// or what two stages take, which work where the matrix lies.
pub const fn eigenvalues_len(rows: usize) -> u128 {
    if rows < eigenvalues::WORTH { 2 * (rows as u128).pow(2) } else { eigenvalues::len(rows) }
}
