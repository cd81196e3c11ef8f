//! Whether a matrix that somebody brings can be a kernel: every entry finite, and equal to its mirror image up to rounding.

use super::KernelFault;

/// How far apart two mirrored entries may be, over the largest of their sizes and sqrt(|K_ii K_jj|), where both are
/// numbers of single precision. Sums of a thousand terms in another order differ by some 1e-6, those of products on a
/// graphics card by 1e-5.
const SINGLE: f64 = 1e-4;

/// The same in double precision: angles of nearly parallel samples are good to the root of rounding, 1e-8.
const DOUBLE: f64 = 1e-8;

/// A matrix of which pairs of mirrored entries are looked at.
pub(super) struct Mirror<'a> {
    /// name of its array, for messages; `None` for a file of its own
    pub(super) array: Option<&'a str>,
    /// sqrt(|K_ii|), (n)
    pub(super) roots: Vec<f64>,
    /// whether rows are what the file has as columns
    pub(super) turned: bool,
}

impl Mirror<'_> {
    /// Looks at K_ij and K_ji.
    ///
    /// # Errors
    /// [`KernelFault::NotFinite`], [`KernelFault::NotSymmetric`].
    pub(super) fn pair(&self, i: usize, j: usize, here: f64, there: f64) -> Result<(), KernelFault> {
        let array = || self.array.map(String::from);
        let place = |i, j| if self.turned { (j, i) } else { (i, j) };
        for (i, j, value) in [(i, j, here), (j, i, there)] {
            if !value.is_finite() {
                let (row, column) = place(i, j);
                return Err(KernelFault::NotFinite { array: array(), row, column, value });
            }
        }
        let single = |v: f64| f64::from(v as f32) == v;
        let tolerance = if single(here) && single(there) { SINGLE } else { DOUBLE };
        let size = (self.roots[i] * self.roots[j]).max(here.abs()).max(there.abs());
        // halves, because the difference of the largest numbers overflows
        if (0.5 * here - 0.5 * there).abs() <= 0.5 * tolerance * size {
            return Ok(());
        }
        let (row, column) = place(i, j);
        Err(KernelFault::NotSymmetric { array: array(), row, column, value: here, mirrored: there })
    }
}

/// Looks at a whole matrix of n rows, row-major; `array` is its name in an npz.
///
/// # Errors
/// [`KernelFault::NotFinite`], [`KernelFault::NotSymmetric`] with the first such entry.
pub fn check_symmetric(array: Option<&str>, n: usize, kernel: &[f64]) -> Result<(), KernelFault> {
    let roots = (0..n).map(|i| kernel[i * n + i].abs().sqrt()).collect();
    let mirror = Mirror { array, roots, turned: false };
    for i in 0..n {
        for j in 0..=i {
            mirror.pair(j, i, kernel[j * n + i], kernel[i * n + j])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Gaussian kernel of points on a line.
    fn kernel(n: usize, scale: f64) -> Vec<f64> {
        let entry = |at: usize| scale * (-0.3 * ((at / n) as f64 - (at % n) as f64).powi(2)).exp();
        (0..n * n).map(entry).collect()
    }

    #[test]
    fn one_changed_entry_is_found_wherever_it_stands_at_any_scale() {
        let n = 7;
        for scale in [1e-300, 1e-160, 1.0, 1e160, 1e300] {
            let good = kernel(n, scale);
            check_symmetric(None, n, &good).unwrap();
            for at in (0..n * n).filter(|at| at / n != at % n) {
                for change in [1e-6 * scale, -scale, f64::INFINITY] {
                    let mut bad = good.clone();
                    bad[at] += change;
                    let told = check_symmetric(Some("k"), n, &bad).unwrap_err().to_string();
                    assert!(told.contains(&format!("row {} column {}", at / n, at % n)), "{told}");
                }
            }
            let mut bad = good.clone();
            bad[0] = f64::NAN;
            assert!(check_symmetric(None, n, &bad).unwrap_err().to_string().contains("row 0 column 0"));
        }
    }

    #[test]
    fn rounding_is_no_fault() {
        let n = 5;
        let mut single: Vec<f64> = kernel(n, 3.0).into_iter().map(|v| f64::from(v as f32)).collect();
        single[1] = f64::from(single[1] as f32 * (1.0 + 1e-5));
        check_symmetric(None, n, &single).unwrap();
        let mut double = kernel(n, 3.0);
        double[1] *= 1.0 + 1e-14;
        check_symmetric(None, n, &double).unwrap();
        check_symmetric(None, 2, &[0.0; 4]).unwrap();
    }
}
