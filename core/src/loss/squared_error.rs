//! Squared error `(1/2)|f - y|^2`, y any finite numbers; for a class -1 or +1, or one-hot. `r = f - y`, Hessian I.

use super::{PerSample, Properties, Unit, write_signs};
use crate::{Error, MatMut, Real};

pub(super) struct SquaredError;

impl<T: Real> PerSample<T> for SquaredError {
    fn properties(&self, _outputs: usize) -> Properties {
        Properties { quadratic: true, curved: true, ..Properties::default() }
    }

    fn curvature(&self, _outputs: usize) -> Option<f64> {
        Some(1.0)
    }

    fn target(&self, label: usize, _smoothing: f64, target: &mut [T]) {
        write_signs(label, target);
    }

    fn check(&self, target: &[T]) -> Result<(), Error> {
        match target.iter().find(|y| !y.is_finite()) {
            Some(y) => Err(Error::OutOfRange { what: "target", needs: "finite", got: y.to_f64() }),
            None => Ok(()),
        }
    }

    fn met(&self, target: &[T], f: &mut [T]) {
        f.copy_from_slice(target);
    }

    fn loss(&self, f: &[T], target: &[T]) -> (T, T) {
        let half = T::from_f64(0.5);
        let square = |(f, y): (&T, &T)| (*f - *y) * (*f - *y);
        (f.iter().zip(target).map(square).fold(T::ZERO, |s, x| s + half * x), T::ZERO)
    }

    fn residuals(&self, f: &[T], target: &[T], unit: Unit<T>, out: &mut [T]) {
        let scale = (-unit.ln_scale).exp() / unit.samples;
        for (r, (f, y)) in out.iter_mut().zip(f.iter().zip(target)) {
            *r = scale * (*f - *y);
        }
    }

    fn hessian(&self, _f: &[T], _target: &[T], unit: Unit<T>, mut out: MatMut<'_, T>) {
        let scale = (-unit.ln_scale).exp() / unit.samples;
        for c in 0..out.rows() {
            for (k, h) in out.row_mut(c).iter_mut().enumerate() {
                *h = if k == c { scale } else { T::ZERO };
            }
        }
    }

    fn curvature_at(&self, _f: &[T], _target: &[T], unit: Unit<T>) -> T {
        (-unit.ln_scale).exp() / unit.samples
    }
}
