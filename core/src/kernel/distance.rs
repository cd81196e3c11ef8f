//! How far two kernels are apart. Matrices are `(n, n)`.

use crate::{Error, MatRef, Real};

/// max_ij |a_ij|; 0 of no elements, NaN where an element is.
pub fn max_abs<T: Real>(a: MatRef<'_, T>) -> T {
    (0..a.rows()).flat_map(|i| a.entries(i)).fold(T::ZERO, |m, x| m.max(x.abs()))
}

/// max_ij |a_ij - b_ij|
///
/// ```
/// use ntkscope_core::{MatRef, kernel::max_abs_difference};
/// let a = MatRef::new(&[1.0, 2.0, 3.0, 4.0], 2, 2)?;
/// assert_eq!(max_abs_difference(a, a.t())?, 1.0);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where the shapes differ.
pub fn max_abs_difference<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<T, Error> {
    let mut largest = T::ZERO;
    for_each_pair(a, b, |x, y| largest = largest.max((x - y).abs()))?;
    Ok(largest)
}

/// |a - b|_F / |b|_F
///
/// # Errors
/// [`Error::Shape`] where the shapes differ.
pub fn relative_frobenius<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<T, Error> {
    let mut sums = RelativeFrobenius::default();
    sums.add(a, b)?;
    Ok(sums.value())
}

/// Centred kernel alignment (Cortes, Mohri, Rostamizadeh 2012) of two symmetric matrices `(n, n)`: the cosine
/// `<HaH, HbH>_F / (|HaH|_F |HbH|_F)` with `H = I - 11^T/n`. Two kernels that are constant after
/// centring (n = 1) have alignment 1.
///
/// ```
/// use ntkscope_core::{MatRef, kernel::centred_alignment};
/// let (a, b) = (MatRef::new(&[2.0, 1.0, 1.0, 2.0], 2, 2)?, MatRef::new(&[3.0, 0.0, 0.0, 3.0], 2, 2)?);
/// assert_eq!(centred_alignment(a, b)?, 1.0);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where they are not square or the shapes differ.
pub fn centred_alignment<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<T, Error> {
    Error::shape("centred alignment: columns", a.rows(), a.cols())?;
    let mut sums = CentredAlignment::default();
    sums.add(a, b)?;
    Ok(sums.value())
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
    ///
    /// # Errors
    /// [`Error::Shape`] where the shapes differ; nothing is added then.
    pub fn add(&mut self, a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<(), Error> {
        for_each_pair(a, b, |x, y| {
            self.difference += (x - y) * (x - y);
            self.norm += y * y;
        })
    }
    /// |a - b|_F / |b|_F
    pub fn value(&self) -> T {
        (self.difference / self.norm).sqrt()
    }
}

/// The sums of [`centred_alignment`], gathered from all rows in order, some at a time.
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
    ///
    /// # Errors
    /// [`Error::Shape`] where the shapes differ; nothing is added then.
    pub fn add(&mut self, a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<(), Error> {
        same_shape(a, b)?;
        for i in 0..a.rows() {
            if a.has_adjacent_columns() && b.has_adjacent_columns() {
                self.add_row(a.row(i).iter().copied(), b.row(i).iter().copied());
            } else {
                self.add_row(a.entries(i), b.entries(i));
            }
        }
        self.rows += a.rows();
        Ok(())
    }
    fn add_row(&mut self, a: impl Iterator<Item = T> + Clone, b: impl Iterator<Item = T> + Clone) {
        self.ab.add(a.clone(), b.clone());
        self.aa.add(a.clone(), a);
        self.bb.add(b.clone(), b);
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
    fn add(&mut self, a: impl Iterator<Item = T> + Clone, b: impl Iterator<Item = T> + Clone) {
        let row_a = a.clone().fold(T::ZERO, |s, x| s + x);
        let row_b = b.clone().fold(T::ZERO, |s, x| s + x);
        self.product += a.zip(b).fold(T::ZERO, |s, (x, y)| s + x * y);
        self.rows += row_a * row_b;
        self.total_a += row_a;
        self.total_b += row_b;
    }
    fn value(&self, n: T) -> T {
        self.product - (self.rows + self.rows) / n + self.total_a / n * (self.total_b / n)
    }
}

fn same_shape<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<(), Error> {
    Error::shape("second matrix: rows", a.rows(), b.rows())?;
    Error::shape("second matrix: columns", a.cols(), b.cols())
}

/// Calls `visit(a_ij, b_ij)` row by row. Error: the shapes differ.
fn for_each_pair<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>, mut visit: impl FnMut(T, T)) -> Result<(), Error> {
    same_shape(a, b)?;
    for i in 0..a.rows() {
        if a.has_adjacent_columns() && b.has_adjacent_columns() {
            a.row(i).iter().zip(b.row(i)).for_each(|(x, y)| visit(*x, *y));
        } else {
            a.entries(i).zip(b.entries(i)).for_each(|(x, y)| visit(x, y));
        }
    }
    Ok(())
}
