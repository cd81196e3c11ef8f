//! The linear model of a kernel for one loss, in coordinates z:
//!
//! ```text
//! f = f_0 + Phi^T z,     K = Phi^T Phi,     slope of the mean loss: (1/n) Phi r(f)
//! ```
//!
//! Where the residuals of a sample add up to 0, as under softmax, nothing is learned but along outputs with sum 0: z are
//! the coordinates of `P K P`, P = I - 11^T/C, without those of the means over the classes, which would gather nothing
//! but rounding. Where outputs are coupled by K those means may move; the loss does not see it, and [`System::solution`]
//! adds it.

use super::curvature::factor_curvature;
use super::modes::features;
use super::{centre, check_shapes, stack};
use crate::loss::{Loss, Unit};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// What flows, or has its least loss sought.
#[derive(Debug)]
pub(super) struct System<'a, T, B: ?Sized> {
    pub(super) backend: &'a B,
    pub(super) loss: Loss,
    /// whether the loss sees the outputs of a sample only up to a common addend
    pub(super) centred: bool,
    /// (n, C)
    pub(super) targets: MatRef<'a, T>,
    pub(super) f_0: &'a mut [T],
    /// K `(nC, nC)`
    pub(super) kernel: MatRef<'a, T>,
    /// w_k > 0, ascending
    pub(super) values: &'a [T],
    /// Phi: sqrt(w_k) u_k in row k
    pub(super) features: MatRef<'a, T>,
}

impl<'a, T: Real, B: Backend<T> + ?Sized> System<'a, T, B> {
    /// With f_0 = 0. Takes `2 nC + (nC)^2` numbers; the others are work: `modes_work_len` and `(nC)^2`.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::OutOfRange`]: targets outside the loss's range; [`Error::NonFinite`], [`Error::IndefiniteKernel`]: the kernel.
    pub(super) fn new(
        backend: &'a B,
        kernel: MatRef<'a, T>,
        targets: MatRef<'a, T>,
        loss: Loss,
        work: &mut [T],
        centred: &mut [T],
        take: &mut impl FnMut(usize) -> &'a mut [T],
    ) -> Result<Self, Error> {
        let (size, classes) = (targets.rows() * targets.cols(), targets.cols());
        check_shapes(kernel, targets, targets)?;
        loss.check(targets)?;
        let (values, rows, f_0) = (take(size), take(size * size), take(size));
        let properties = loss.properties(classes);
        if !properties.curved {
            return Err(Error::NotSmooth { loss });
        }
        let vanishing = if properties.centred {
            centre_kernel(kernel, classes, centred);
            let vanishing = features(backend, MatRef::dense(centred, size, size), values, rows, work)?;
            // modes of small w have rounding of the others' size in their means
            centre(rows, classes);
            vanishing
        } else {
            features(backend, kernel, values, rows, work)?
        };
        let (values, phi) = (&values[vanishing..], &rows[vanishing * size..]);
        f_0.fill(T::ZERO);
        let features = MatRef::dense(phi, values.len(), size);
        Ok(Self { backend, loss, centred: properties.centred, targets, f_0, kernel, values, features })
    }

    /// `f_0 <- f_0` `(n, C)`.
    ///
    /// # Errors
    /// Shapes; not finite.
    pub(super) fn set(&mut self, f_0: MatRef<'_, T>) -> Result<(), Error> {
        Error::shape("f_0: rows", self.targets.rows(), f_0.rows())?;
        Error::shape("f_0: columns", self.targets.cols(), f_0.cols())?;
        stack(f_0, self.f_0);
        if self.f_0.iter().all(|f| f.is_finite()) { Ok(()) } else { Err(Error::NonFinite { what: "f_0" }) }
    }

    /// f and g at z: `f = f_0 + K g`. The others are work: as many numbers as z, and as f.
    pub(super) fn solution(&self, z: &[T], f: &mut [T], g: &mut [T], coefficients: &mut [T], moved: &mut [T]) {
        self.outputs_at(z, f);
        // g is z/w times Phi, the one below every number where w is large and the other is not
        let unit = self.unit();
        for (c, (z, w)) in coefficients.iter_mut().zip(z.iter().zip(self.values)) {
            *c = *z * unit / *w;
        }
        self.in_outputs(coefficients, g);
        g.iter_mut().for_each(|g| *g /= unit);
        if self.centred {
            let classes = self.targets.cols();
            let (g, out) = (MatRef::dense(g, f.len(), 1), MatMut::dense(moved, f.len(), 1));
            self.backend.gemm(T::ONE, self.kernel, g, T::ZERO, out);
            for (f, moved) in f.chunks_exact_mut(classes).zip(moved.chunks_exact(classes)) {
                let mean = moved.iter().fold(T::ZERO, |s, x| s + *x) / T::from_count(classes);
                f.iter_mut().for_each(|f| *f += mean);
            }
        }
    }

    /// A power of two of the features' size, by which products are kept in the scalar's range; 1 without features.
    pub(super) fn unit(&self) -> T {
        self.values.last().map_or(T::ONE, |w| w.sqrt().power_of_two())
    }

    /// `f <- f_0 + Phi^T z`
    pub(super) fn outputs_at(&self, z: &[T], f: &mut [T]) {
        f.copy_from_slice(self.f_0);
        let size = f.len();
        let f = MatMut::dense(f, size, 1);
        self.backend.gemm(T::ONE, self.features.t(), MatRef::dense(z, z.len(), 1), T::ONE, f);
    }

    /// H at f, in units of `e^ln_scale`.
    pub(super) fn hessian(&self, f: &[T], ln_scale: T, out: &mut [T]) {
        let (samples, classes) = (self.targets.rows(), self.targets.cols());
        let out = MatMut::dense(out, f.len(), classes);
        let f = MatRef::dense(f, samples, classes);
        self.loss.hessian_within(f, self.targets, Unit::of_mean(f, ln_scale), out);
    }

    /// `out <- -(1/n) Phi r(f) / e^ln_scale`.
    ///
    /// Where a sample's residuals add up to 0 it is but for rounding, which e^s would bring to light as a drift of
    /// the sum over the classes; so what remains is taken out.
    pub(super) fn descent(&self, f: &[T], ln_scale: T, residuals: &mut [T], out: &mut [T]) {
        let (samples, classes) = (self.targets.rows(), self.targets.cols());
        let r = MatMut::dense(residuals, samples, classes);
        let outputs = MatRef::dense(f, samples, classes);
        self.loss.residuals_within(outputs, self.targets, Unit::of_mean(outputs, ln_scale), r);
        if self.centred {
            centre(residuals, classes);
        }
        let (r, rank) = (MatRef::dense(residuals, f.len(), 1), out.len());
        self.backend.gemm(-T::ONE, self.features, r, T::ZERO, MatMut::dense(out, rank, 1));
    }

    /// Factor of `c I + Phi H Phi^T` into the first rank^2 elements of `factor`; Phi H is left in `weighted`.
    pub(super) fn factor(&self, hessian: &[T], damping: T, factor: &mut [T], weighted: &mut [T]) -> Result<(), Error> {
        let (classes, rank) = (self.targets.cols(), self.values.len());
        let hessian = MatRef::dense(hessian, self.f_0.len(), classes);
        let lower = MatMut::dense(&mut factor[..rank * rank], rank, rank);
        factor_curvature(self.backend, self.features, hessian, damping, lower, weighted)
    }

    /// `out <- Phi^T x`: what a step x of the coordinates changes in the outputs.
    pub(super) fn in_outputs(&self, x: &[T], out: &mut [T]) {
        let out = MatMut::dense(&mut out[..self.f_0.len()], self.f_0.len(), 1);
        self.backend.gemm(T::ONE, self.features.t(), MatRef::dense(x, x.len(), 1), T::ZERO, out);
    }
}

/// Smallest and largest trace of a sample's (C, C) block of the Hessian.
pub(super) fn curvatures<T: Real>(hessian: &[T], classes: usize) -> (T, T) {
    let trace = |block: &[T]| block.iter().step_by(classes + 1).fold(T::ZERO, |s, h| s + *h);
    let mut traces = hessian.chunks_exact(classes * classes).map(trace);
    let first = traces.next().unwrap_or(T::ZERO);
    traces.fold((first, first), |(least, most), h| (least.min(h), most.max(h)))
}

/// max_i |x_i|; NaN if there is one
pub(super) fn largest<T: Real>(x: &[T]) -> T {
    x.iter().fold(T::ZERO, |m, x| m.max(x.abs()))
}

/// `out <- P K P`, P the projection of every sample's outputs on those with sum 0.
fn centre_kernel<T: Real>(kernel: MatRef<'_, T>, classes: usize, out: &mut [T]) {
    stack(kernel, out);
    let mut rows = MatMut::dense(out, kernel.rows(), kernel.cols());
    for _ in 0..2 {
        (0..kernel.rows()).for_each(|i| centre(rows.row_mut(i), classes));
        rows.transpose();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curvatures_are_the_smallest_and_largest_trace() {
        let blocks = [1.0, 9.0, 9.0, 2.0, 0.5, -7.0, -7.0, 0.25, 4.0, 0.0, 0.0, 1.0];
        assert_eq!(curvatures(&blocks, 2), (0.75, 5.0));
        assert_eq!(curvatures(&[3.0, 2.0, 8.0], 1), (2.0, 8.0));
        assert!(curvatures(&[1.0, f64::NAN], 1).1.is_nan());
    }

    #[test]
    fn a_centred_kernel_takes_and_gives_outputs_with_sum_0() {
        // two samples of two outputs
        let kernel: [f64; 16] = core::array::from_fn(|k| 1.0 / (1.0 + (k / 4) as f64 + (k % 4) as f64));
        let mut out = [0.0; 16];
        centre_kernel(MatRef::new(&kernel, 4, 4).unwrap(), 2, &mut out);
        for k in 0..8 {
            assert!((out[2 * k] + out[2 * k + 1]).abs() < 1e-16);
            let (row, column) = (k / 4 * 2, k % 4);
            assert!((out[4 * row + column] + out[4 * (row + 1) + column]).abs() < 1e-16);
        }
        // P K P of one sample: the mean of the diagonal less that off it, times 1/2
        let expected = (kernel[0] + kernel[5] - 2.0 * kernel[1]) / 4.0;
        assert!((out[0] - expected).abs() < 1e-16, "{expected} {}", out[0]);
    }
}
