//! Cross-entropy: logistic for one output, softmax for C >= 2.
//!
//! ```text
//! C = 1      ln(1 + e^f) - q f,              r = p - q,        Hessian p (1 - p)
//! C >= 2     -sum_c q_c ln softmax(f)_c,     r = p - q,        Hessian diag(p) - p p^T
//! ```
//!
//! Residuals are formed as `p (1 - q) - q (1 - p)` from logarithms of p and 1 - p. So are the Hessian's elements: no
//! factor underflows before its product with `e^-ln_scale` does, and `1 - p` does not cancel.

use super::probability::{LnSoftmax, class_probability, ln_mixture, ln_sigmoid, logit};
use super::{PerSample, Properties, Unit};
use crate::{Error, MatMut, Real};

pub(super) struct CrossEntropy;

impl<T: Real> PerSample<T> for CrossEntropy {
    fn properties(&self, outputs: usize) -> Properties {
        Properties { probabilities: true, curved: true, centred: outputs > 1, ..Properties::default() }
    }

    fn curvature(&self, outputs: usize) -> Option<f64> {
        Some(if outputs == 1 { 0.25 } else { 0.5 })
    }

    fn target(&self, label: usize, smoothing: f64, target: &mut [T]) {
        let other = smoothing / target.len().max(2) as f64;
        let right = 1.0 - smoothing + other;
        match target {
            [q] => *q = T::from_f64(if label == 1 { right } else { other }),
            all => {
                for (c, q) in all.iter_mut().enumerate() {
                    *q = T::from_f64(if c == label { right } else { other });
                }
            }
        }
    }

    fn check(&self, target: &[T]) -> Result<(), Error> {
        if let Some(q) = target.iter().find(|q| !(**q >= T::ZERO && **q <= T::ONE)) {
            return Err(Error::OutOfRange { what: "target", needs: "in [0, 1]", got: q.to_f64() });
        }
        let sum = target.iter().fold(T::ZERO, |s, q| s + *q);
        if target.len() > 1 && (sum - T::ONE).abs() > T::from_count(8 * target.len()) * T::EPSILON {
            return Err(Error::OutOfRange { what: "sum of a sample's targets", needs: "1", got: sum.to_f64() });
        }
        Ok(())
    }

    fn possible(&self, target: &[T], class: usize) -> bool {
        class_probability(target, class) != T::ZERO
    }

    fn met(&self, target: &[T], f: &mut [T]) {
        if let ([q], [f]) = (target, &mut *f) {
            *f = logit(*q);
            return;
        }
        let mean = target.iter().fold(T::ZERO, |s, q| s + q.ln()) / T::from_count(target.len());
        for (f, q) in f.iter_mut().zip(target) {
            *f = q.ln() - mean;
        }
    }

    fn threshold(&self) -> T {
        T::from_f64(0.5)
    }

    fn loss(&self, f: &[T], target: &[T]) -> (T, T) {
        if let [f] = *f {
            // class 1 with probability p = sigma(f), class 0 with sigma(-f) = 1 - p
            let (ln_p, ln_not) = (ln_sigmoid(f), ln_sigmoid(-f));
            let (q1, q0) = (class_probability(target, 1), class_probability(target, 0));
            let loss = -(weighted(q1, ln_p) + weighted(q0, ln_not));
            return (loss, ln_mixture([(q1, ln_not), (q0, ln_p)].into_iter()));
        }
        let softmax = LnSoftmax::new(f);
        let loss = (0..f.len()).fold(T::ZERO, |s, c| s - weighted(target[c], softmax.ln_p(f, c)));
        (loss, ln_mixture((0..f.len()).map(|c| (target[c], softmax.ln_not_p(f, c)))))
    }

    fn residuals(&self, f: &[T], target: &[T], unit: Unit<T>, out: &mut [T]) {
        if let ([f], [q], [r]) = (f, target, &mut *out) {
            *r = residual(*q, ln_sigmoid(*f), ln_sigmoid(-*f), unit);
            return;
        }
        let softmax = LnSoftmax::new(f);
        for (c, r) in out.iter_mut().enumerate() {
            *r = residual(target[c], softmax.ln_p(f, c), softmax.ln_not_p(f, c), unit);
        }
    }

    fn hessian(&self, f: &[T], _target: &[T], unit: Unit<T>, mut out: MatMut<'_, T>) {
        let product = |ln_a: T, ln_b: T| (ln_a + ln_b - unit.ln_scale).exp() / unit.samples;
        if let [f] = *f {
            *out.at_mut(0, 0) = product(ln_sigmoid(f), ln_sigmoid(-f));
            return;
        }
        let softmax = LnSoftmax::new(f);
        for c in 0..f.len() {
            let ln_p = softmax.ln_p(f, c);
            for (k, h) in out.row_mut(c).iter_mut().enumerate() {
                *h = if k == c { product(ln_p, softmax.ln_not_p(f, c)) } else { -product(ln_p, softmax.ln_p(f, k)) };
            }
        }
    }

    /// The trace: of diag(p) - p p^T, `sum_c p_c (1 - p_c)`.
    fn curvature_at(&self, f: &[T], _target: &[T], unit: Unit<T>) -> T {
        let product = |ln_p: T, ln_not: T| (ln_p + ln_not - unit.ln_scale).exp() / unit.samples;
        if let [f] = *f {
            return product(ln_sigmoid(f), ln_sigmoid(-f));
        }
        let softmax = LnSoftmax::new(f);
        (0..f.len()).fold(T::ZERO, |sum, c| sum + product(softmax.ln_p(f, c), softmax.ln_not_p(f, c)))
    }
}

/// q x, and 0 where q is 0, whatever x.
fn weighted<T: Real>(q: T, x: T) -> T {
    if q == T::ZERO { T::ZERO } else { q * x }
}

/// `(p - q) / e^ln_scale = [p (1 - q) - q (1 - p)] / e^ln_scale`, over the number of samples.
fn residual<T: Real>(q: T, ln_p: T, ln_not_p: T, unit: Unit<T>) -> T {
    let part = |weight: T, ln: T| if weight == T::ZERO { T::ZERO } else { weight * (ln - unit.ln_scale).exp() };
    (part(T::ONE - q, ln_p) - part(q, ln_not_p)) / unit.samples
}
