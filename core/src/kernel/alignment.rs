//! Centred alignment of kernels, in double precision whatever the scalar.
//!
//! A kernel that is nearly constant, as of samples that lie close together, has next to nothing left after centring. So
//! nothing is squared before it is centred: with the first sample as the origin,
//!
//! ```text
//! d_ij = (a_ij - a_i0) - (a_0j - a_00)          H d H = H a H,     H = I - 11^T/n
//! ```
//!
//! is the kernel of the differences from it, and of neighbouring numbers each difference is exact. What is left of
//! centring goes by rows: `<HaH, HbH> = sum_ij (d_ij - m_i)(e_ij - l_i) - n sum_i (m_i - m)(l_i - l)`, with m_i and l_i
//! the means of the rows of d and e, m and l those of all, gathered by Welford's recurrence.

use crate::linalg::dot;
use crate::{Error, MatRef, Real};
use core::ops::Range;

/// Centred kernel alignment (Cortes, Mohri, Rostamizadeh 2012) of two symmetric matrices `(n, n)`: the cosine
/// `<HaH, HbH>_F / (|HaH|_F |HbH|_F)` with `H = I - 11^T/n`, in [-1, 1].
///
/// NaN, which stands for undefined, where a kernel is constant to the rounding of a double after centring (as of one
/// sample), or not finite. A factor or an addend common to all of a kernel's entries changes nothing.
///
/// ```
/// use ntkscope_core::{MatRef, kernel::centred_alignment};
/// let (a, b) = (MatRef::new(&[2.0_f64, 1.0, 1.0, 2.0], 2, 2)?, MatRef::new(&[3.0, 0.0, 0.0, 3.0], 2, 2)?);
/// assert_eq!(centred_alignment(a, b)?, 1.0);
/// assert!(centred_alignment(a, MatRef::new(&[7.0; 4], 2, 2)?)?.is_nan());
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where they are not square or the shapes differ; [`Error::OutOfRange`] where they are so far from
/// symmetric that the quotient leaves [-1, 1].
pub fn centred_alignment<T: Real>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<T, Error> {
    Error::shape("centred alignment: columns", a.rows(), a.cols())?;
    super::distance::same_shape(a, b)?;
    if a.rows() == 0 {
        return Ok(T::from_f64(f64::NAN));
    }
    let mut sums = CentredAlignment::new(a.block(0..1, 0..a.cols()), b.block(0..1, 0..b.cols()))?;
    sums.add(a, b)?;
    Ok(T::from_f64(sums.value()?))
}

/// Rows `rows` of the Gram matrix `Y Y^T` of targets Y `(n, C)`, to `out` `(rows.len(), n)`: what [`centred_alignment`] with the
/// targets is taken with.
///
/// # Panics
/// For rows that Y does not have.
pub fn gram<T: Real>(targets: MatRef<'_, T>, rows: Range<usize>, out: &mut [T]) {
    for (i, row) in rows.zip(out.chunks_exact_mut(targets.rows().max(1))) {
        row.iter_mut().enumerate().for_each(|(j, g)| *g = dot(targets.row(i), targets.row(j)));
    }
}

/// The sums of [`centred_alignment`], gathered from all rows in order, some at a time.
#[derive(Clone, Copy, Debug)]
pub struct CentredAlignment<'a, T> {
    a: Side<'a, T>,
    b: Side<'a, T>,
    /// rows so far
    rows: usize,
    /// <d, e>, <d, d> and <e, e>, the rows less their means
    products: [f64; 3],
    /// sum (m - mean)(l - mean) over the rows' means, the same of m and m, l and l
    between: [f64; 3],
}

/// One of the two kernels.
#[derive(Clone, Copy, Debug)]
struct Side<'a, T> {
    /// its first row `(1, n)`
    first: MatRef<'a, T>,
    /// largest |a_ij|
    largest: f64,
    /// a power of two no smaller than that of the largest |d_ij|, in units of which the sums are
    scale: f64,
    /// mean of the rows' means
    mean: f64,
}

impl<'a, T: Real> CentredAlignment<'a, T> {
    /// Of no rows of two kernels with these first rows `(1, n)`.
    ///
    /// # Errors
    /// [`Error::Shape`] where they differ; [`Error::OutOfRange`] where n is 0.
    pub fn new(first_a: MatRef<'a, T>, first_b: MatRef<'a, T>) -> Result<Self, Error> {
        Error::shape("first row: rows", 1, first_a.rows())?;
        super::distance::same_shape(first_a, first_b)?;
        if first_a.cols() == 0 {
            return Err(Error::OutOfRange { what: "centred alignment: samples", needs: "at least 1", got: 0.0 });
        }
        let side = |first| Side { first, largest: 0.0, scale: f64::SMALLEST, mean: 0.0 };
        Ok(Self { a: side(first_a), b: side(first_b), rows: 0, products: [0.0; 3], between: [0.0; 3] })
    }

    /// Adds the next rows of a and b.
    ///
    /// # Errors
    /// [`Error::Shape`] where the shapes differ; nothing is added then.
    pub fn add(&mut self, a: MatRef<'_, T>, b: MatRef<'_, T>) -> Result<(), Error> {
        super::distance::same_shape(a, b)?;
        Error::shape("centred alignment: columns", self.a.first.cols(), a.cols())?;
        for i in 0..a.rows() {
            self.add_row(a.block(i..i + 1, 0..a.cols()), b.block(i..i + 1, 0..b.cols()));
        }
        Ok(())
    }

    fn add_row(&mut self, a: MatRef<'_, T>, b: MatRef<'_, T>) {
        let n = a.cols() as f64;
        let (grown_a, sum_a) = self.a.take(a);
        let (grown_b, sum_b) = self.b.take(b);
        for sums in [&mut self.products, &mut self.between] {
            for (sum, factor) in sums.iter_mut().zip([grown_a * grown_b, grown_a * grown_a, grown_b * grown_b]) {
                *sum *= factor;
            }
        }
        let (mean_a, mean_b) = (sum_a / n, sum_b / n);
        let (units_a, units_b) = (1.0 / self.a.scale, 1.0 / self.b.scale);
        for j in 0..a.cols() {
            let (d, e) = (self.a.apart(a, j) * units_a - mean_a, self.b.apart(b, j) * units_b - mean_b);
            add_products(&mut self.products, [d * e, d * d, e * e]);
        }
        self.rows += 1;
        let count = self.rows as f64;
        let (off_a, off_b) = (mean_a - self.a.mean, mean_b - self.b.mean);
        self.a.mean += off_a / count;
        self.b.mean += off_b / count;
        let share = (count - 1.0) / count;
        add_products(&mut self.between, [off_a * off_b * share, off_a * off_a * share, off_b * off_b * share]);
    }

    /// The alignment; NaN where it is undefined.
    ///
    /// # Errors
    /// [`Error::OutOfRange`], see [`centred_alignment`].
    pub fn value(&self) -> Result<f64, Error> {
        let n = self.rows as f64;
        let centred = |k: usize| self.products[k] - n * self.between[k];
        let (ab, aa, bb) = (centred(0), centred(1), centred(2));
        // what rounding may make of a norm of 0, and of one that is not: each d_ij has the rounding of a_ij
        let rounding = |side: &Side<'a, T>, k: usize| {
            let entries = n * f64::EPSILON * (side.largest / side.scale);
            entries * entries + n * f64::EPSILON * self.products[k]
        };
        let (in_a, in_b) = (rounding(&self.a, 1), rounding(&self.b, 2));
        // also where one is NaN
        if !(aa > in_a && bb > in_b) {
            return Ok(f64::NAN);
        }
        let value = ab / (aa * bb).sqrt();
        let known = ((in_a / aa).sqrt() + (in_b / bb).sqrt()).max(f64::EPSILON.sqrt());
        if value.abs() > 1.0 + known {
            let needs = "in [-1, 1], as it is of symmetric matrices";
            return Err(Error::OutOfRange { what: "centred alignment", needs, got: value });
        }
        Ok(Real::max(Real::min(value, 1.0), -1.0))
    }
}

impl<T: Real> Side<'_, T> {
    /// d_ij of a row of the kernel.
    fn apart(&self, row: MatRef<'_, T>, j: usize) -> f64 {
        let first = |j| self.first.at(0, j).to_f64();
        (row.at(0, j).to_f64() - row.at(0, 0).to_f64()) - (first(j) - first(0))
    }
    /// By what the units of all sums have to be multiplied for this row, and the sum of its d_ij in the new units.
    fn take(&mut self, row: MatRef<'_, T>) -> (f64, f64) {
        self.largest = row.entries(0).fold(self.largest, |m, x| Real::max(m, x.to_f64().abs()));
        let widest = (0..row.cols()).fold(0.0, |m, j| Real::max(m, self.apart(row, j).abs()));
        let before = self.scale;
        self.scale = Real::max(before, widest.power_of_two());
        let (grown, units) = (before / self.scale, 1.0 / self.scale);
        self.mean *= grown;
        (grown, (0..row.cols()).fold(0.0, |sum, j| sum + self.apart(row, j) * units))
    }
}

fn add_products(sums: &mut [f64; 3], products: [f64; 3]) {
    sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
}
