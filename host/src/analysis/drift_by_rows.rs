//! What has become of a kernel, from its rows alone: the columns of [`between`](super::drift::between) that compare entries, of kernels
//! of which some rows are there at a time. The same bits.

use ntkscope_core::kernel::{CentredAlignment, RelativeFrobenius, max_abs, max_abs_difference};
use ntkscope_core::record::Snapshot;
use ntkscope_core::{Error, MatRef, Real};

/// Sums over the rows so far of a kernel beside the first one.
pub struct DriftByRows<'a, T> {
    largest: T,
    frobenius: RelativeFrobenius<T>,
    alignment: CentredAlignment<'a, T>,
    targets: Option<CentredAlignment<'a, T>>,
}

impl<'a, T: Real> DriftByRows<'a, T> {
    /// Of no rows of kernels whose rows 0 `(1, n)` are these: the kernel's, that of the first kernel, and that of the Gram
    /// matrix of the targets where the kernel is compared with it.
    ///
    /// # Errors
    /// [`Error::Shape`] where they differ.
    pub fn new(now: MatRef<'a, T>, first: MatRef<'a, T>, targets: Option<MatRef<'a, T>>) -> Result<Self, Error> {
        Ok(Self {
            largest: T::ZERO,
            frobenius: RelativeFrobenius::default(),
            alignment: CentredAlignment::new(now, first)?,
            targets: targets.map(|targets| CentredAlignment::new(now, targets)).transpose()?,
        })
    }

    /// Adds the next rows of each.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::NonFinite`].
    pub fn add(
        &mut self,
        now: MatRef<'_, T>,
        first: MatRef<'_, T>,
        targets: Option<MatRef<'_, T>>,
    ) -> Result<(), Error> {
        if !max_abs(now).is_finite() {
            return Err(Error::NonFinite { what: "the kernel" });
        }
        let Self { largest, frobenius, alignment, targets: of_targets } = self;
        let distances = || -> Result<(), Error> {
            *largest = largest.max(max_abs_difference(now, first)?);
            frobenius.add(now, first)
        };
        let aligned = || match (of_targets, targets) {
            (Some(sums), Some(targets)) => sums.add(now, targets),
            _ => Ok(()),
        };
        // each has its own order of rows, whoever is done first
        let (distances, (alignment, aligned)) =
            rayon::join(distances, || rayon::join(|| alignment.add(now, first), aligned));
        distances.and(alignment).and(aligned)
    }

    /// Writes the columns.
    ///
    /// # Errors
    /// Those of [`CentredAlignment::value`].
    pub fn write(&self, row: &mut Snapshot<T>) -> Result<(), Error> {
        row.drift_max = self.largest;
        row.drift_fro = self.frobenius.value();
        row.alignment = T::from_f64(self.alignment.value()?);
        if let Some(targets) = &self.targets {
            row.target_alignment = T::from_f64(targets.value()?);
        }
        Ok(())
    }
}
