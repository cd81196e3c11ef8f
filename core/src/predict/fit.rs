//! How far targets can be met under a kernel, and how well the answer is determined.

use crate::Real;

/// What a kernel leaves open of a solution. Norms are Euclidean, over all samples and outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Fit<T> {
    /// how many directions of the training outputs the kernel does not reach, because it vanishes there to rounding
    pub unreached: usize,
    /// |r|, r = dl/df, along them, or where the loss is least among the outputs that are reached: it never vanishes
    pub residual: T,
    /// |r| at the start, which is to be compared with it
    pub start: T,
    /// What the rounding of the kernel may change in an output: epsilon w_max |g|. Large where the kernel is
    /// ill-conditioned and the targets have a share in its small eigenvalues.
    pub rounding: T,
}

impl<T: Real> Fit<T> {
    /// Of these parts, g the dual coefficients under a kernel of largest eigenvalue w_max.
    pub(super) fn new(unreached: usize, residual: T, start: T, w_max: T, g: T) -> Self {
        Self { unreached, residual, start, rounding: T::EPSILON * (w_max * g) }
    }
    /// Share of what was to be learned that never is, at most 1; 0 where there was nothing.
    pub fn unmet(&self) -> T {
        if self.residual == T::ZERO { T::ZERO } else { (self.residual / self.start).min(T::ONE) }
    }
    /// `rounding` beside the root mean square of |r| at the start, over so many numbers: of what is learned of one
    /// output, the share that is not known.
    pub fn unknown(&self, numbers: usize) -> T {
        if self.rounding == T::ZERO { T::ZERO } else { self.rounding / self.start * T::from_count(numbers).sqrt() }
    }
}
