//! Hinge loss `max(0, 1 - s f)` of one output, s = -1 or +1; of several `max(0, 1 + max_(c != y) f_c - f_y)`, y the
//! right one (Crammer and Singer 2001). Targets are s, or one-hot.
//!
//! Residuals are -1, 0 and 1: the subgradient at a kink is 0, and of equal wrong outputs the first moves. There is no
//! curvature, so that nothing of [`crate::predict`] applies.

use super::{PerSample, Properties, Unit, check_signs, margin, right_and_wrong, write_signs};
use crate::{Error, MatMut, Real};

pub(super) struct Hinge;

impl<T: Real> PerSample<T> for Hinge {
    fn properties(&self, outputs: usize) -> Properties {
        Properties { centred: outputs > 1, ..Properties::default() }
    }

    fn curvature(&self, _outputs: usize) -> Option<f64> {
        None
    }

    fn target(&self, label: usize, _smoothing: f64, target: &mut [T]) {
        write_signs(label, target);
    }

    fn check(&self, target: &[T]) -> Result<(), Error> {
        check_signs(target)
    }

    fn met(&self, target: &[T], f: &mut [T]) {
        f.copy_from_slice(target);
    }

    fn loss(&self, f: &[T], target: &[T]) -> (T, T) {
        (T::ZERO.max(T::ONE - margin(self, f, target)), T::ZERO)
    }

    fn residuals(&self, f: &[T], target: &[T], unit: Unit<T>, out: &mut [T]) {
        out.fill(T::ZERO);
        if margin(self, f, target) >= T::ONE {
            return;
        }
        let scale = (-unit.ln_scale).exp() / unit.samples;
        if let ([s], [r]) = (target, &mut *out) {
            *r = -*s * scale;
            return;
        }
        let (right, wrong) = right_and_wrong(f, target);
        out[right] = -scale;
        if let Some(wrong) = wrong {
            out[wrong] = scale;
        }
    }

    fn hessian(&self, _f: &[T], _target: &[T], _unit: Unit<T>, mut out: MatMut<'_, T>) {
        (0..out.rows()).for_each(|c| out.row_mut(c).fill(T::ZERO));
    }

    fn curvature_at(&self, _f: &[T], _target: &[T], _unit: Unit<T>) -> T {
        T::ZERO
    }
}

#[cfg(test)]
mod tests {
    use crate::loss::Loss;
    use crate::predict::{FixedPoint, KernelFlow, SoftTargets, fixed_point_len, kernel_flow_len, soft_targets_len};
    use crate::{Error, MatMut, MatRef, Portable};

    fn residuals<const C: usize>(f: [f64; C], y: [f64; C]) -> [f64; C] {
        let mut r = [f64::NAN; C];
        let (f, y) = (MatRef::new(&f, 1, C).unwrap(), MatRef::new(&y, 1, C).unwrap());
        Loss::Hinge.residuals(f, y, 0.0, MatMut::new(&mut r, 1, C).unwrap()).unwrap();
        r
    }

    #[test]
    fn the_subgradient_at_the_kink_is_0() {
        assert_eq!([1.0, 1.5, 0.999].map(|f| residuals([f], [1.0])[0]), [0.0, 0.0, -1.0]);
        assert_eq!([-1.0, -1.5, 0.0].map(|f| residuals([f], [-1.0])[0]), [0.0, 0.0, 1.0]);
        assert_eq!(residuals([2.0, 1.0, 0.0], [1.0, 0.0, 0.0]), [0.0; 3]);
        assert_eq!(residuals([1.5, 1.0, 0.0], [1.0, 0.0, 0.0]), [-1.0, 1.0, 0.0]);
        // of equal wrong outputs the first
        assert_eq!(residuals([0.0, 3.0, 3.0], [1.0, 0.0, 0.0]), [-1.0, 1.0, 0.0]);
    }

    #[test]
    fn targets_are_signs_or_one_hot() {
        let check = |y: &[f64]| Loss::Hinge.check(MatRef::new(y, 1, y.len()).unwrap()).is_ok();
        assert!(check(&[-1.0]) && check(&[1.0]) && check(&[0.0, 1.0, 0.0]));
        assert!(![&[0.0][..], &[0.5], &[1.0, 1.0], &[0.0, 0.0], &[0.5, 0.5]].into_iter().any(check));
    }

    #[test]
    fn predictions_that_need_curvature_are_refused() {
        let (kernel, y) = ([1.0f64], [1.0]);
        let (k, y) = (MatRef::new(&kernel, 1, 1).unwrap(), MatRef::new(&y, 1, 1).unwrap());
        let refused = Some(Error::NotSmooth { loss: Loss::Hinge });
        let mut buffer = [0.0; fixed_point_len(1, 1)];
        assert_eq!(FixedPoint::new(&Portable, k, y, Loss::Hinge, 0.1, &mut buffer).err(), refused);
        let mut buffer = [0.0; soft_targets_len(1, 1)];
        assert_eq!(SoftTargets::new(&Portable, k, y, Loss::Hinge, &mut buffer).err(), refused);
        let mut buffer = [0.0; kernel_flow_len(1, 1)];
        assert_eq!(KernelFlow::new(&Portable, k, y, y, Loss::Hinge, 1e-3, &mut buffer).err(), refused);
    }
}
