//! How far two kernels are apart, and what one kernel's spectrum says. Matrices are `(n, n)`.

use crate::{Backend, Error, MatMut, MatRef, Real};

/// max_ij |a_ij|
pub fn max_abs<T: Real>(a: MatRef<'_, T>) -> T {
    entries(a).fold(T::ZERO, |m, x| m.max(x.abs()))
}

/// max_ij |a_ij - b_ij|
pub fn max_abs_difference<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> T {
    entries(a).zip(entries(b)).fold(T::ZERO, |m, (x, y)| m.max((x - y).abs()))
}

/// |a - b|_F / |b|_F
pub fn relative_frobenius<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> T {
    let (difference, norm) = entries(a)
        .zip(entries(b))
        .fold((T::ZERO, T::ZERO), |(difference, norm), (x, y)| (difference + (x - y) * (x - y), norm + y * y));
    (difference / norm).sqrt()
}

/// Centred kernel alignment (Cortes, Mohri, Rostamizadeh 2012): the cosine
/// `<HaH, HbH>_F / (|HaH|_F |HbH|_F)` with `H = I - 11^T/n`. Two kernels that are constant after
/// centring (n = 1) have alignment 1.
pub fn centred_alignment<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> T {
    let (ab, aa, bb) = (centred_product(a, b), centred_product(a, a), centred_product(b, b));
    if aa == T::ZERO && bb == T::ZERO { T::ONE } else { ab / (aa * bb).sqrt() }
}

/// <HaH, HbH>_F = sum_ij a_ij b_ij - (2/n) sum_i a_i. b_i. + a.. b.. / n^2, for symmetric a and b.
fn centred_product<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> T {
    let n = T::from_count(a.rows());
    let sum = |row: &[T]| row.iter().fold(T::ZERO, |s, x| s + *x);
    let (mut product, mut rows, mut total_a, mut total_b) = (T::ZERO, T::ZERO, T::ZERO, T::ZERO);
    for i in 0..a.rows() {
        let (row_a, row_b) = (sum(a.row(i)), sum(b.row(i)));
        product += a.row(i).iter().zip(b.row(i)).fold(T::ZERO, |s, (x, y)| s + *x * *y);
        rows += row_a * row_b;
        total_a += row_a;
        total_b += row_b;
    }
    product - (rows + rows) / n + total_a / n * (total_b / n)
}

/// What the eigenvalues of a kernel say.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Spectrum<T> {
    /// smallest eigenvalue
    pub lambda_min: T,
    /// largest eigenvalue
    pub lambda_max: T,
    /// lambda_max / lambda_min; infinite for a singular matrix, negative for an indefinite one
    pub condition: T,
    /// exp of the entropy of the eigenvalues divided by their sum (Roy and Vetterli 2007); eigenvalues that
    /// rounding made negative count as 0
    pub effective_rank: T,
}

/// The spectrum of a symmetric kernel. `work` `(n, n)` is destroyed; `values` and `scratch` hold n numbers.
pub fn spectrum<T: Real, B: Backend<T> + ?Sized>(
    backend: &B,
    kernel: MatRef<'_, T>,
    mut work: MatMut<'_, T>,
    values: &mut [T],
    scratch: &mut [T],
) -> Result<Spectrum<T>, Error> {
    Error::shape("spectrum: work", kernel.rows(), work.rows())?;
    for i in 0..kernel.rows() {
        work.row_mut(i).copy_from_slice(kernel.row(i));
    }
    backend.symmetric_eigenvalues(work, values, scratch)?;
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return Err(Error::OutOfRange { what: "spectrum: the kernel is empty" });
    };
    let total = values.iter().fold(T::ZERO, |s, x| s + x.max(T::ZERO));
    let entropy = values.iter().filter(|x| **x > T::ZERO).fold(T::ZERO, |s, x| {
        let p = *x / total;
        // a share too small to be represented contributes nothing
        if p > T::ZERO { s - p * p.ln() } else { s }
    });
    Ok(Spectrum { lambda_min: *first, lambda_max: *last, condition: *last / *first, effective_rank: entropy.exp() })
}

fn entries<'a, T: Real>(a: MatRef<'a, T>) -> impl Iterator<Item = T> + 'a {
    (0..a.rows()).flat_map(move |i| a.row(i).iter().copied())
}
