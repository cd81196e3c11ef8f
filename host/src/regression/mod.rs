//! Regression with kernels too large to be held: ridge and logistic, by products with the kernel alone.
//!
//! ```text
//! min over f of (1/n) sum_i l(f(x_i), y_i) + (RIDGE/2) |f|_K^2,     f(x) = sum_i K(x, x_i) a_i
//! ```
//!
//! is where training of the linearized network ends from f_0 = 0 under the penalty RIDGE. For squared error
//! `(K + n RIDGE) a = y`; for cross-entropy a is found by Newton's method, whose steps are systems of that kind.

mod conjugate;
mod error;
mod fit;
mod logistic;
mod low_rank;
mod predictions;
mod ridge;
mod saved;

pub use conjugate::{Iterate, Solved};
pub use error::Error;
pub use fit::{Fit, FitWork, Problem, fit};
pub use logistic::{Logistic, Newton, probabilities};
pub use low_rank::LowRank;
pub use predictions::predictions;
pub use ridge::ridge;
pub use saved::Saved;

use crate::machine::Stop;

/// Who follows the work: told where it stands after every product, and given what it can go on from.
pub trait Follow {
    /// So much of the preconditioner is made.
    fn preconditioner(&mut self, _share: f64) {}
    /// So many products with the kernel are done; the residual is this share of the first.
    fn product(&mut self, products: usize, residual: f64);
    /// A share of the present product is done.
    fn within(&mut self, _share: f64) {}
    /// What the work can go on from, after every product.
    ///
    /// # Errors
    /// It cannot be kept.
    fn keep(&mut self, _iterate: &Iterate, _newton: Option<&Newton>) -> Result<(), Error> {
        Ok(())
    }
    /// The same where the work was asked to end.
    ///
    /// # Errors
    /// As for [`Self::keep`].
    fn stopped(&mut self, _iterate: &Iterate, _newton: Option<&Newton>) -> Result<(), Error> {
        Ok(())
    }
}

/// How far, and when to give up.
#[derive(Clone, Copy, Debug)]
pub struct Accuracy<'s> {
    /// residual, as a share of the right-hand side, below which a solution counts as found
    pub tolerance: f64,
    /// most products with the kernel
    pub most: usize,
    /// asks the work to end
    pub stop: &'s Stop,
}
