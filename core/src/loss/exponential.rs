//! Exponential loss: `e^(-s f)` of one output, s = -1 or +1; of several `sum_(c != y) e^(f_c - f_y)`, y the right one, which for
//! two is that of their difference. Targets are s, or one-hot.
//!
//! ```text
//! a_c = e^(f_c - f_y),     r_c = a_c,     r_y = -sum_c a_c,     Hessian sum_c a_c (e_c - e_y)(e_c - e_y)^T
//! ```
//!
//! Its tail is that of cross-entropy, `ln(1 + e^(-u)) = e^(-u) + O(e^(-2u))`; for wrong outputs it grows without bound, and so
//! does its curvature. The mismatch is the largest |r|, so that residuals keep their digits at any margin.

use super::probability::{argmax, ln_mixture};
use super::{PerSample, Properties, Unit, check_signs, write_signs};
use crate::{Error, MatMut, Real};

pub(super) struct Exponential;

/// The class of a target.
fn right_class<T: Real>(target: &[T]) -> usize {
    if let [s] = target { usize::from(*s > T::ZERO) } else { argmax(target) }
}

/// ln a_c of the wrong classes: of one output its own, s f less.
fn exponents<'f, T: Real>(f: &'f [T], target: &'f [T]) -> impl Iterator<Item = (usize, T)> + Clone + 'f {
    let right = right_class(target);
    let one = f.len() == 1;
    let of = move |c: usize| if one { -target[0] * f[0] } else { f[c] - f[right] };
    (0..f.len()).filter(move |c| one || *c != right).map(move |c| (c, of(c)))
}

/// `sum_c a_c / e^ln_scale`
fn sum<T: Real>(f: &[T], target: &[T], ln_scale: T) -> T {
    exponents(f, target).fold(T::ZERO, |sum, (_, ln_a)| sum + (ln_a - ln_scale).exp())
}

impl<T: Real> PerSample<T> for Exponential {
    fn properties(&self, outputs: usize) -> Properties {
        Properties { curved: true, centred: outputs > 1, ..Properties::default() }
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
        f.iter_mut().zip(target).for_each(|(f, y)| *f = if *y == T::ZERO { T::ZERO } else { *y / T::ZERO });
    }

    fn possible(&self, target: &[T], class: usize) -> bool {
        right_class(target) == class
    }

    fn loss(&self, f: &[T], target: &[T]) -> (T, T) {
        let ln_sum = ln_mixture(exponents(f, target).map(|(_, ln_a)| (T::ONE, ln_a)));
        (ln_sum.exp(), ln_sum)
    }

    fn residuals(&self, f: &[T], target: &[T], unit: Unit<T>, out: &mut [T]) {
        let scaled = |ln_a: T| (ln_a - unit.ln_scale).exp() / unit.samples;
        if let [r] = out {
            exponents(f, target).for_each(|(_, ln_a)| *r = -target[0] * scaled(ln_a));
            return;
        }
        exponents(f, target).for_each(|(c, ln_a)| out[c] = scaled(ln_a));
        out[right_class(target)] = -sum(f, target, unit.ln_scale) / unit.samples;
    }

    fn hessian(&self, f: &[T], target: &[T], unit: Unit<T>, mut out: MatMut<'_, T>) {
        let scaled = |ln_a: T| (ln_a - unit.ln_scale).exp() / unit.samples;
        if f.len() == 1 {
            exponents(f, target).for_each(|(_, ln_a)| *out.at_mut(0, 0) = scaled(ln_a));
            return;
        }
        let right = right_class(target);
        (0..f.len()).for_each(|c| out.row_mut(c).fill(T::ZERO));
        for (c, ln_a) in exponents(f, target) {
            let a = scaled(ln_a);
            *out.at_mut(c, c) = a;
            *out.at_mut(c, right) = -a;
            *out.at_mut(right, c) = -a;
        }
        *out.at_mut(right, right) = sum(f, target, unit.ln_scale) / unit.samples;
    }

    /// The trace: of several outputs `2 sum_c a_c`.
    fn curvature_at(&self, f: &[T], target: &[T], unit: Unit<T>) -> T {
        let sum = sum(f, target, unit.ln_scale) / unit.samples;
        if f.len() == 1 { sum } else { sum + sum }
    }
}

#[cfg(test)]
mod tests {
    use crate::loss::Loss;
    use crate::predict::{KernelFlow, SoftTargets, kernel_flow_len, soft_targets_len};
    use crate::{Error, MatMut, MatRef, Portable};

    const EXPONENTIAL: Loss = Loss::Exponential;

    #[test]
    fn two_outputs_are_one_of_their_difference() {
        let one = EXPONENTIAL.evaluate(MatRef::new(&[0.8f64], 1, 1).unwrap(), MatRef::new(&[-1.0], 1, 1).unwrap());
        let two = MatRef::new(&[0.4f64, 1.2], 1, 2).unwrap();
        let two = EXPONENTIAL.evaluate(two, MatRef::new(&[1.0, 0.0], 1, 2).unwrap());
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!((one.loss - libm::exp(0.8)).abs() < 1e-15);
        assert!((one.loss - two.loss).abs() < 1e-15 && (one.margin_min - two.margin_min).abs() < 1e-15);
    }

    #[test]
    fn residuals_keep_their_digits_where_the_loss_underflows() {
        for f in [[1e4, 1e4 + 1.0, -9e3], [-2.0, -3.0, 5.0], [700.0, 0.0, 0.1]] {
            let (x, y) = (MatRef::new(&f, 1, 3).unwrap(), MatRef::new(&[0.0, 1.0, 0.0], 1, 3).unwrap());
            let at = EXPONENTIAL.evaluate(x, y).unwrap();
            let mut r = [0.0f64; 3];
            EXPONENTIAL.residuals(x, y, at.ln_mismatch, MatMut::new(&mut r, 1, 3).unwrap()).unwrap();
            assert!((r[1] + 1.0).abs() < 1e-12, "the largest |r| is the mismatch: {r:?}");
            assert!((r[0] + r[2] - 1.0).abs() < 1e-12);
        }
        let (far, y) = (MatRef::new(&[1e4], 1, 1).unwrap(), MatRef::new(&[1.0], 1, 1).unwrap());
        let at = EXPONENTIAL.evaluate(far, y).unwrap();
        assert_eq!((at.loss, at.ln_mismatch), (0.0, -1e4));
    }

    /// df/dt = e^(-f) from 0: f = ln(1 + t).
    #[test]
    fn the_flow_of_one_sample_is_the_logarithm_of_time() {
        let one = |x: &'static [f64]| MatRef::new(x, 1, 1).unwrap();
        let (kernel, f_0, y) = (one(&[1.0]), one(&[0.0]), one(&[1.0]));
        let mut buffer = [0.0; kernel_flow_len(1, 1)];
        let mut flow = KernelFlow::new(&Portable, kernel, f_0, y, EXPONENTIAL, 1e-8, &mut buffer).unwrap();
        for log_time in [0.1, 1.0, 30.0, 1e4] {
            flow.advance_to(log_time).unwrap();
            assert!((flow.outputs().at(0, 0) - log_time).abs() < 1e-6, "{log_time}");
        }
        let mut buffer = [0.0; soft_targets_len(1, 1)];
        let end = SoftTargets::new(&Portable, kernel, y, EXPONENTIAL, &mut buffer).err();
        assert_eq!(end, Some(Error::NoFiniteSolution { sample: 0 }));
    }
}
