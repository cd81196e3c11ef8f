//! Losses on the outputs `f` `(n, C)`, always as the **mean** over the n samples.
//!
//! ```text
//! squared error        (1/2n) sum_i |f_i - y_i|^2
//! logistic (C = 1)     (1/n) sum_i [ln(1 + e^f_i) - q_i f_i],              q_i = P(class 1) in [0, 1]
//! softmax (C >= 2)     -(1/n) sum_i sum_c q_ic ln softmax(f_i)_c,          sum_c q_ic = 1
//! ```
//!
//! Targets `q` strictly inside (0, 1) are soft. Residuals `r = dl/df` of confident outputs are tiny
//! differences `p - q`; they are formed as `p (1 - q) - q (1 - p)` from logarithms of p and 1 - p, so a
//! logit of 1e4 neither cancels nor underflows: [`Loss::residuals`] divides by the **mismatch**
//! `kappa = max_i sum_c q_ic (1 - p_ic)`, the largest expected probability of error, whose logarithm is
//! known exactly. All scaled residuals lie in [-1, 1]. For hard labels kappa is the largest |r|; for soft
//! ones it stays positive at the optimum. For squared error it is 1.

mod probability;

use crate::{Error, MatMut, MatRef, Real};
use probability::{Softmax, argmax, ln_mixture, ln_sigmoid};

/// The loss of one network output against its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Loss {
    /// (1/2)|f - y|^2
    SquaredError,
    /// cross-entropy of one logit
    Logistic,
    /// cross-entropy of C >= 2 logits
    Softmax,
}

/// Loss and margins over all samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective<T> {
    /// mean loss, without any penalty
    pub loss: T,
    /// ln kappa, see the module
    pub ln_mismatch: T,
    /// share of samples with a positive margin; a tie counts as wrong
    pub accuracy: T,
    /// smallest margin
    pub margin_min: T,
    /// mean margin
    pub margin_mean: T,
    /// largest |f|
    pub logit_max: T,
}

impl Loss {
    /// Writes the target of a sample of class `label` into `target` (C numbers).
    ///
    /// Squared error: -1 or +1 for one output, else one-hot. Cross-entropy: the probability of every class
    /// after smoothing by `smoothing` = eps over K classes (K = 2 for one output): `1 - eps + eps/K` for the right one, `eps/K`
    /// for the others. Errors: a label outside the classes; eps outside [0, 1), or not 0 for squared error.
    pub fn target<T: Real>(self, label: usize, smoothing: f64, target: &mut [T]) -> Result<(), Error> {
        let classes = target.len().max(2);
        if label >= classes {
            return Err(Error::OutOfRange { what: "label", needs: "below the number of classes", got: label as f64 });
        }
        if !(0.0..1.0).contains(&smoothing) {
            return Err(Error::OutOfRange { what: "smoothing", needs: "in [0, 1)", got: smoothing });
        }
        if self == Self::SquaredError && smoothing > 0.0 {
            return Err(Error::OutOfRange {
                what: "smoothing of the targets of squared error",
                needs: "0",
                got: smoothing,
            });
        }
        let other = smoothing / classes as f64;
        let right = 1.0 - smoothing + other;
        match (self, target) {
            (Self::SquaredError, [one]) => *one = T::from_f64(if label == 1 { 1.0 } else { -1.0 }),
            (_, [one]) => *one = T::from_f64(if label == 1 { right } else { other }),
            (_, all) => {
                for (c, q) in all.iter_mut().enumerate() {
                    *q = T::from_f64(if c == label { right } else { other });
                }
            }
        }
        Ok(())
    }

    /// Error: the number of outputs does not fit the loss, or a target is outside its range.
    pub fn check<T: Real>(self, targets: MatRef<'_, T>) -> Result<(), Error> {
        match self {
            Self::Logistic if targets.cols() != 1 => {
                return Err(Error::OutOfRange {
                    what: "outputs of the network under the logistic loss",
                    needs: "1",
                    got: targets.cols() as f64,
                });
            }
            Self::Softmax if targets.cols() < 2 => {
                return Err(Error::OutOfRange {
                    what: "outputs of the network under the softmax loss",
                    needs: "at least 2",
                    got: targets.cols() as f64,
                });
            }
            _ => {}
        }
        for i in 0..targets.rows() {
            let row = targets.row(i);
            let (needs, bad) = match self {
                Self::SquaredError => ("finite", row.iter().find(|y| !y.is_finite())),
                _ => ("in [0, 1]", row.iter().find(|q| !(**q >= T::ZERO && **q <= T::ONE))),
            };
            if let Some(bad) = bad {
                return Err(Error::OutOfRange { what: "target", needs, got: bad.to_f64() });
            }
            let sum = row.iter().fold(T::ZERO, |s, q| s + *q);
            if self == Self::Softmax && (sum - T::ONE).abs() > T::from_count(8 * row.len()) * T::EPSILON {
                return Err(Error::OutOfRange { what: "sum of a sample's targets", needs: "1", got: sum.to_f64() });
            }
        }
        Ok(())
    }

    /// Whether a target gives some class the probability 0, so that no finite output meets it.
    pub fn certain<T: Real>(self, target: &[T]) -> bool {
        match self {
            Self::SquaredError => false,
            Self::Logistic => target.iter().any(|q| *q == T::ZERO || *q == T::ONE),
            Self::Softmax => target.contains(&T::ZERO),
        }
    }

    /// `out <- f` with the least loss of every sample by itself: the outputs that meet the targets. Both are `(n, C)`.
    ///
    /// Squared error: y. Logistic: `ln q - ln(1 - q)`. Softmax: `ln q_c - mean_k ln q_k`, with sum 0, as any number
    /// may be added to all of them. Certain targets give infinities or NaN. Error: shapes.
    pub fn met<T: Real>(self, targets: MatRef<'_, T>, mut out: MatMut<'_, T>) -> Result<(), Error> {
        Error::shape("outputs that meet the targets: rows", targets.rows(), out.rows())?;
        Error::shape("outputs that meet the targets: columns", targets.cols(), out.cols())?;
        let classes = T::from_count(targets.cols());
        for i in 0..targets.rows() {
            let q = targets.row(i);
            let mean = q.iter().fold(T::ZERO, |s, q| s + q.ln()) / classes;
            for (f, q) in out.row_mut(i).iter_mut().zip(q) {
                *f = match self {
                    Self::SquaredError => *q,
                    Self::Logistic => q.ln() - (T::ONE - *q).ln(),
                    Self::Softmax => q.ln() - mean,
                };
            }
        }
        Ok(())
    }

    /// Margin of one sample: `s f` with s = -1 or +1 for one output, else the right output less the best
    /// wrong one. The right class of a soft target is its most probable one.
    pub fn margin<T: Real>(self, f: &[T], target: &[T]) -> T {
        if let ([f], [target]) = (f, target) {
            let threshold = if self == Self::SquaredError { T::ZERO } else { T::from_f64(0.5) };
            return if *target > threshold { *f } else { -*f };
        }
        let right = argmax(target);
        let wrong = f.iter().enumerate().filter(|(c, _)| *c != right).map(|(_, x)| *x);
        wrong.reduce(T::max).map_or(f[right], |best| f[right] - best)
    }

    /// Loss, margins and mismatch of the outputs `(n, C)` against the targets `(n, C)`.
    pub fn evaluate<T: Real>(self, outputs: MatRef<'_, T>, targets: MatRef<'_, T>) -> Objective<T> {
        let n = outputs.rows();
        let mut sum = Objective {
            loss: T::ZERO,
            ln_mismatch: T::ZERO,
            accuracy: T::ZERO,
            margin_min: T::ZERO,
            margin_mean: T::ZERO,
            logit_max: T::ZERO,
        };
        for i in 0..n {
            let (f, q) = (outputs.row(i), targets.row(i));
            let (loss, ln_mismatch) = self.sample(f, q);
            let margin = self.margin(f, q);
            sum.loss += loss;
            sum.ln_mismatch = if i == 0 { ln_mismatch } else { sum.ln_mismatch.max(ln_mismatch) };
            sum.accuracy += if margin > T::ZERO { T::ONE } else { T::ZERO };
            sum.margin_min = if i == 0 { margin } else { sum.margin_min.min(margin) };
            sum.margin_mean += margin;
            sum.logit_max = f.iter().fold(sum.logit_max, |m, x| m.max(x.abs()));
        }
        let n = T::from_count(n);
        sum.loss /= n;
        sum.accuracy /= n;
        sum.margin_mean /= n;
        sum
    }

    /// `seed_ic <- (1/n) r_ic / e^ln_scale`: the mean loss's derivative by every output, in units of
    /// `e^ln_scale`.
    pub fn residuals<T: Real>(
        self,
        outputs: MatRef<'_, T>,
        targets: MatRef<'_, T>,
        ln_scale: T,
        mut seed: MatMut<'_, T>,
    ) {
        let n = T::from_count(outputs.rows());
        for i in 0..outputs.rows() {
            let (f, q) = (outputs.row(i), targets.row(i));
            let row = seed.row_mut(i);
            match self {
                Self::SquaredError => {
                    let scale = (-ln_scale).exp() / n;
                    for (s, (f, y)) in row.iter_mut().zip(f.iter().zip(q)) {
                        *s = scale * (*f - *y);
                    }
                }
                Self::Logistic => row[0] = residual(q[0], ln_sigmoid(f[0]), ln_sigmoid(-f[0]), ln_scale) / n,
                Self::Softmax => {
                    let softmax = Softmax::of(f);
                    for (c, s) in row.iter_mut().enumerate() {
                        *s = residual(q[c], softmax.ln_p(f, c), softmax.ln_not_p(f, c), ln_scale) / n;
                    }
                }
            }
        }
    }

    /// `out <- (1/n) d r_i / d f_i / e^ln_scale`: the Hessian of the mean loss in the outputs, in units of
    /// `e^ln_scale`, as one (C, C) block for each of the n samples, one below the other: `out` is `(nC, C)`.
    ///
    /// Squared error: 1. Logistic: `p (1 - p)`. Softmax: `diag(p) - p p^T`. From logarithms, as the residuals, so
    /// that no factor underflows before its product with `e^-ln_scale` does, and `1 - p` does not cancel.
    pub fn hessian<T: Real>(self, outputs: MatRef<'_, T>, ln_scale: T, mut out: MatMut<'_, T>) {
        let (n, classes) = (T::from_count(outputs.rows()), outputs.cols());
        for i in 0..outputs.rows() {
            let f = outputs.row(i);
            let softmax = (self == Self::Softmax).then(|| Softmax::of(f));
            for c in 0..classes {
                for (k, h) in out.row_mut(i * classes + c).iter_mut().enumerate() {
                    *h = match (self, &softmax) {
                        (Self::Softmax, Some(p)) if k == c => (p.ln_p(f, c) + p.ln_not_p(f, c) - ln_scale).exp() / n,
                        (Self::Softmax, Some(p)) => -(p.ln_p(f, c) + p.ln_p(f, k) - ln_scale).exp() / n,
                        (Self::Logistic, _) => (ln_sigmoid(f[0]) + ln_sigmoid(-f[0]) - ln_scale).exp() / n,
                        _ if k == c => (-ln_scale).exp() / n,
                        _ => T::ZERO,
                    };
                }
            }
        }
    }

    /// Loss and ln(sum_c q_c (1 - p_c)) of one sample.
    fn sample<T: Real>(self, f: &[T], q: &[T]) -> (T, T) {
        match self {
            Self::SquaredError => {
                let half = T::from_f64(0.5);
                let square = |(f, y): (&T, &T)| (*f - *y) * (*f - *y);
                (f.iter().zip(q).map(square).fold(T::ZERO, |s, x| s + half * x), T::ZERO)
            }
            Self::Logistic => {
                // class 1 with probability p = sigma(f), class 0 with sigma(-f) = 1 - p
                let (ln_p, ln_not) = (ln_sigmoid(f[0]), ln_sigmoid(-f[0]));
                let (q1, q0) = (q[0], T::ONE - q[0]);
                let loss = -(weighted(q1, ln_p) + weighted(q0, ln_not));
                (loss, ln_mixture([(q1, ln_not), (q0, ln_p)].into_iter()))
            }
            Self::Softmax => {
                let softmax = Softmax::of(f);
                let loss = (0..f.len()).fold(T::ZERO, |s, c| s - weighted(q[c], softmax.ln_p(f, c)));
                (loss, ln_mixture((0..f.len()).map(|c| (q[c], softmax.ln_not_p(f, c)))))
            }
        }
    }
}

/// q x, and 0 where q is 0, whatever x.
fn weighted<T: Real>(q: T, x: T) -> T {
    if q == T::ZERO { T::ZERO } else { q * x }
}

/// (p - q) / e^ln_scale = [p (1 - q) - q (1 - p)] / e^ln_scale.
fn residual<T: Real>(q: T, ln_p: T, ln_not_p: T, ln_scale: T) -> T {
    let part = |weight: T, ln: T| if weight == T::ZERO { T::ZERO } else { weight * (ln - ln_scale).exp() };
    part(T::ONE - q, ln_p) - part(q, ln_not_p)
}
