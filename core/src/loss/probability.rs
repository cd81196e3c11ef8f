//! Probabilities of outputs, and their logarithms: `p`, `ln p` and `ln (1 - p)` of sigmoid and softmax, and mixtures.
//!
//! ```text
//! ln sigma(f) = -ln(1 + e^-f),    ln softmax(f)_c = f_c - f_top - ln(1 + sum_(k != top) e^(f_k - f_top))
//! ```
//!
//! Sums of positive numbers only, so that neither cancels however confident the output.

use crate::{Error, Real};

/// The probability `1/(1 + e^-f)` of class 1 under the logistic loss.
///
/// ```
/// use ntkscope_core::loss::sigmoid;
///
/// assert_eq!(sigmoid(0.0), 0.5);
/// assert_eq!((sigmoid(-1e4), sigmoid(1e4)), (0.0, 1.0));
/// ```
pub fn sigmoid<T: Real>(f: T) -> T {
    T::ONE / (T::ONE + (-f).exp())
}

/// The output `ln q - ln(1 - q)` whose probability of class 1 is q: the inverse of [`sigmoid`].
///
/// Infinite for q = 0 and 1, NaN outside [0, 1].
pub fn logit<T: Real>(q: T) -> T {
    q.ln() - (T::ONE - q).ln()
}

/// `p_c <- e^f_c / sum_k e^f_k`, the probabilities of the classes, for outputs of any size.
///
/// ```
/// use ntkscope_core::loss::softmax;
///
/// let mut p = [0.0; 3];
/// softmax(&[1000.0, 1000.0, 0.0], &mut p)?;
/// assert_eq!(p, [0.5, 0.5, 0.0]);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where the lengths differ.
pub fn softmax<T: Real>(f: &[T], p: &mut [T]) -> Result<(), Error> {
    Error::shape("probabilities", f.len(), p.len())?;
    let top = f.iter().copied().reduce(T::max).unwrap_or(T::ZERO);
    p.iter_mut().zip(f).for_each(|(p, f)| *p = (*f - top).exp());
    let total = p.iter().fold(T::ZERO, |s, p| s + *p);
    p.iter_mut().for_each(|p| *p /= total);
    Ok(())
}

/// The probability of a class in a target of probabilities: q, or of one output 1 - q and q.
pub(super) fn class_probability<T: Real>(target: &[T], class: usize) -> T {
    match target {
        [q] if class == 0 => T::ONE - *q,
        [q] => *q,
        all => all[class],
    }
}

/// ln sum_k q_k e^x_k over the q_k > 0, without underflow.
pub(super) fn ln_mixture<T: Real>(terms: impl Iterator<Item = (T, T)> + Clone) -> T {
    let terms = terms.filter(|(q, _)| *q > T::ZERO);
    let Some(top) = terms.clone().map(|(_, x)| x).reduce(T::max) else { return T::ZERO };
    if !top.is_finite() {
        return top;
    }
    let mut count = 0;
    let sum = terms.fold(T::ZERO, |s, (q, x)| {
        count += 1;
        s + q * (x - top).exp()
    });
    // one certain class: its own logarithm, without a rounding on the way
    if count == 1 && sum == T::ONE { top } else { top + sum.ln() }
}

/// ln 1/(1 + e^-f)
pub(super) fn ln_sigmoid<T: Real>(f: T) -> T {
    if f > T::ZERO { -(-f).exp().ln_1p() } else { f - f.exp().ln_1p() }
}

/// ln p_c and ln (1 - p_c) of every class, from sums of positive numbers only.
pub(super) struct LnSoftmax<T> {
    top: usize,
    /// sum over c != top of e^(f_c - f_top)
    rest: T,
    /// ln of `rest`, without underflow
    ln_rest: T,
}

impl<T: Real> LnSoftmax<T> {
    pub(super) fn new(f: &[T]) -> Self {
        let top = argmax(f);
        let others = || f.iter().enumerate().filter(move |(c, _)| *c != top).map(move |(_, x)| *x - f[top]);
        let rest = others().fold(T::ZERO, |s, x| s + x.exp());
        let ln_rest = ln_mixture(others().map(|x| (T::ONE, x)));
        Self { top, rest, ln_rest }
    }
    pub(super) fn ln_p(&self, f: &[T], c: usize) -> T {
        let ln_total = self.rest.ln_1p();
        if c == self.top { -ln_total } else { f[c] - f[self.top] - ln_total }
    }
    pub(super) fn ln_not_p(&self, f: &[T], c: usize) -> T {
        let ln_total = self.rest.ln_1p();
        if c == self.top {
            self.ln_rest - ln_total
        } else {
            // 1 + the other small terms, over the total
            let others = f.iter().enumerate().filter(|(k, _)| *k != c && *k != self.top);
            others.fold(T::ZERO, |s, (_, x)| s + (*x - f[self.top]).exp()).ln_1p() - ln_total
        }
    }
}

/// Index of the largest element, the first of equals.
pub(super) fn argmax<T: Real>(x: &[T]) -> usize {
    let mut best = 0;
    for (i, v) in x.iter().enumerate() {
        if *v > x[best] {
            best = i;
        }
    }
    best
}
