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
    let mut sums = RelativeFrobenius::default();
    sums.add(a, b);
    sums.value()
}

/// Centred kernel alignment (Cortes, Mohri, Rostamizadeh 2012): the cosine
/// `<HaH, HbH>_F / (|HaH|_F |HbH|_F)` with `H = I - 11^T/n`. Two kernels that are constant after
/// centring (n = 1) have alignment 1.
pub fn centred_alignment<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> T {
    let mut sums = CentredAlignment::default();
    sums.add(a, b);
    sums.value()
}

/// The sums of [`relative_frobenius`], gathered from all rows in order, some at a time.
#[derive(Clone, Copy, Debug)]
pub struct RelativeFrobenius<T> {
    difference: T,
    norm: T,
}

impl<T: Real> Default for RelativeFrobenius<T> {
    /// Of no rows.
    fn default() -> Self {
        Self { difference: T::ZERO, norm: T::ZERO }
    }
}

impl<T: Real> RelativeFrobenius<T> {
    /// Adds the next rows of a and b.
    pub fn add(&mut self, a: MatRef<'_, T>, b: MatRef<'_, T>) {
        for (x, y) in entries(a).zip(entries(b)) {
            self.difference += (x - y) * (x - y);
            self.norm += y * y;
        }
    }
    /// |a - b|_F / |b|_F
    pub fn value(&self) -> T {
        (self.difference / self.norm).sqrt()
    }
}

/// The sums of [`centred_alignment`] for symmetric kernels, gathered from all rows in order, some at a time.
#[derive(Clone, Copy, Debug)]
pub struct CentredAlignment<T> {
    rows: usize,
    ab: CentredProduct<T>,
    aa: CentredProduct<T>,
    bb: CentredProduct<T>,
}

impl<T: Real> Default for CentredAlignment<T> {
    /// Of no rows.
    fn default() -> Self {
        let none = CentredProduct { product: T::ZERO, rows: T::ZERO, total_a: T::ZERO, total_b: T::ZERO };
        Self { rows: 0, ab: none, aa: none, bb: none }
    }
}

impl<T: Real> CentredAlignment<T> {
    /// Adds the next rows of a and b.
    pub fn add(&mut self, a: MatRef<'_, T>, b: MatRef<'_, T>) {
        for (a, b) in (0..a.rows()).map(|i| (a.row(i), b.row(i))) {
            self.ab.add(a, b);
            self.aa.add(a, a);
            self.bb.add(b, b);
        }
        self.rows += a.rows();
    }
    /// The alignment.
    pub fn value(&self) -> T {
        let n = T::from_count(self.rows);
        let (ab, aa, bb) = (self.ab.value(n), self.aa.value(n), self.bb.value(n));
        if aa == T::ZERO && bb == T::ZERO { T::ONE } else { ab / (aa * bb).sqrt() }
    }
}

/// <HaH, HbH>_F = sum_ij a_ij b_ij - (2/n) sum_i a_i. b_i. + a.. b.. / n^2, for symmetric a and b.
#[derive(Clone, Copy, Debug)]
struct CentredProduct<T> {
    product: T,
    rows: T,
    total_a: T,
    total_b: T,
}

impl<T: Real> CentredProduct<T> {
    fn add(&mut self, a: &[T], b: &[T]) {
        let sum = |row: &[T]| row.iter().fold(T::ZERO, |s, x| s + *x);
        let (row_a, row_b) = (sum(a), sum(b));
        self.product += a.iter().zip(b).fold(T::ZERO, |s, (x, y)| s + *x * *y);
        self.rows += row_a * row_b;
        self.total_a += row_a;
        self.total_b += row_b;
    }
    fn value(&self, n: T) -> T {
        self.product - (self.rows + self.rows) / n + self.total_a / n * (self.total_b / n)
    }
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
        return Err(Error::OutOfRange { what: "spectrum: rows of the kernel", needs: "at least 1", got: 0.0 });
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
