//! Logarithms of probabilities: `ln p` and `ln (1 - p)` of sigmoid and softmax, and of their mixtures.
//!
//! ```text
//! ln sigma(f) = -ln(1 + e^-f),    ln softmax(f)_c = f_c - f_top - ln(1 + sum_(k != top) e^(f_k - f_top))
//! ```
//!
//! Sums of positive numbers only, so that neither cancels however confident the output.

use crate::Real;

/// ln sum_k q_k e^x_k over the q_k > 0, without underflow.
pub(super) fn ln_mixture<T: Real>(terms: impl Iterator<Item = (T, T)> + Clone) -> T {
    let terms = terms.filter(|(q, _)| *q > T::ZERO);
    let Some(top) = terms.clone().map(|(_, x)| x).reduce(T::max) else { return T::ZERO };
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
pub(super) struct Softmax<T> {
    top: usize,
    /// sum over c != top of e^(f_c - f_top)
    rest: T,
    /// ln of `rest`, without underflow
    ln_rest: T,
}

impl<T: Real> Softmax<T> {
    pub(super) fn of(f: &[T]) -> Self {
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
