//! A regression from its preconditioner to the coefficients, of either loss.

use ntkscope_core::MatRef;
use ntkscope_core::loss::Loss;

use super::conjugate::Solved;
use super::logistic::Logistic;
use super::low_rank::{LowRank, low_rank_bytes};
use super::ridge::ridge;
use super::{Accuracy, Error, Follow, Saved};
use crate::kernel::{Operator, ProductPlan, ProductWork, Scaled};
use crate::machine::memory::bytes_of;
use crate::machine::{self, Ended, MemoryLimit};

/// Largest ranks of the preconditioner where none is given: for squared error, and for all outputs together under cross-entropy.
const RANKS: [usize; 2] = [1000, 3000];
/// The smallest that is tried where memory is short.
const LEAST_RANK: usize = 16;
/// Seed of the columns that the preconditioner is made of.
const SEED: u64 = 0;

/// What is fitted, on n samples of C outputs.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// squared error or cross-entropy
    pub loss: Loss,
    /// (C, n), probabilities under cross-entropy
    pub targets: MatRef<'a, f64>,
    /// RIDGE
    pub ridge: f64,
    /// of the preconditioner
    pub rank: usize,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// a, (C, n)
    pub dual: Vec<f64>,
    /// f on the samples, (C, n)
    pub fitted: Vec<f64>,
    /// how far the equations are met
    pub solved: Solved,
    /// Newton's steps, under cross-entropy
    pub steps: Option<usize>,
    /// of the preconditioner
    pub rank: usize,
    /// share of the kernel's trace that it leaves
    pub left: f64,
}

/// Solves it, from what was saved of it before.
///
/// # Errors
/// [`Error::Loss`] for another loss; those of the operator; what can be gone on from cannot be kept.
pub fn fit(
    kernel: &mut dyn Operator,
    problem: &Problem<'_>,
    saved: Saved,
    follow: &mut dyn Follow,
    accuracy: &Accuracy<'_>,
) -> Result<Ended<Fit>, Error> {
    let Problem { loss, targets, ridge: of_mean, rank } = *problem;
    if ![Loss::SquaredError, Loss::CrossEntropy].contains(&loss) {
        return Err(Error::Loss(loss));
    }
    // (K/u + s/u) (u a) = y: outputs are the same, and the preconditioner's single precision has numbers for any kernel
    let Ended::Done(mut kernel) = Scaled::new(kernel, accuracy.stop)? else { return Ok(Ended::Stopped) };
    let unit = kernel.unit();
    let kernel: &mut dyn Operator = &mut kernel;
    let Ended::Done(part) = LowRank::of(kernel, (rank, SEED), &mut |done| follow.preconditioner(done), accuracy.stop)?
    else {
        return Ok(Ended::Stopped);
    };
    let shift = targets.cols() as f64 * of_mean / unit;
    let (mut iterate, mut newton) = (saved.iterate, saved.newton.unwrap_or_default());
    let logistic = loss == Loss::CrossEntropy;
    let ended = if logistic {
        Logistic { kernel, part: &part, targets, shift }.minimize(&mut newton, &mut iterate, follow, accuracy)
    } else {
        ridge(kernel, &part, targets, shift, &mut iterate, follow, accuracy)
    };
    let in_units = |error| match error {
        Error::Rounding { shift } => Error::Rounding { shift: shift * unit },
        other => other,
    };
    let Ended::Done(solved) = ended.map_err(in_units)? else {
        follow.stopped(&iterate, logistic.then_some(&newton))?;
        return Ok(Ended::Stopped);
    };
    let steps = logistic.then_some(newton.steps);
    let (mut dual, fitted) = if logistic {
        (newton.dual, newton.outputs)
    } else {
        // y = f + s a + r
        let left = iterate.x.iter().zip(&iterate.r).zip(targets.data());
        let fitted = left.map(|((a, r), y)| y - shift * a - r).collect();
        (iterate.x, fitted)
    };
    dual.iter_mut().for_each(|a| *a /= unit);
    Ok(Ended::Done(Fit { dual, fitted, solved, steps, rank: part.rank(), left: part.left }))
}

/// The size of a regression and of its predictions.
#[derive(Clone, Copy, Debug)]
pub struct FitWork {
    /// C
    pub outputs: usize,
    /// test points
    pub points: usize,
    /// see [`Problem::loss`]
    pub loss: Loss,
    /// the preconditioner's rank, where it is given
    pub rank: Option<usize>,
}

impl FitWork {
    /// How products are computed, and the rank of the preconditioner: the usual one, or a smaller one where memory is short,
    /// which costs time only. `product` has what else is held in `beside`.
    ///
    /// # Errors
    /// [`machine::Error::Memory`].
    pub fn plan(
        &self,
        product: ProductWork,
        what: &str,
        limit: Option<MemoryLimit>,
    ) -> Result<(ProductPlan, usize), machine::Error> {
        let (n, logistic) = (product.samples, self.loss == Loss::CrossEntropy);
        let usual = if logistic { RANKS[1] / self.outputs.max(1) } else { RANKS[0] };
        let mut rank = self.rank.map_or(usual.min(n.div_ceil(2)), |rank| rank.min(n)).max(1);
        loop {
            let work = ProductWork { beside: product.beside.saturating_add(self.bytes(product, rank)), ..product };
            match work.plan(what, limit) {
                Ok(plan) => return Ok((plan, rank)),
                Err(_) if self.rank.is_none() && rank / 2 >= LEAST_RANK => rank /= 2,
                Err(error) => return Err(error),
            }
        }
    }

    fn bytes(&self, product: ProductWork, rank: usize) -> u64 {
        let [n, c, m, d] = [product.samples, self.outputs, self.points, product.inputs].map(|size| size as u128);
        // Cholesky's factor of the preconditioner and the copy that it is made from
        let of_newton = if self.loss == Loss::CrossEntropy { 2 * (rank as u128 * c).pow(2) } else { 0 };
        let numbers = 18 * n * c + m * (d + 4 * c + 4) + of_newton;
        low_rank_bytes(product.samples, rank).saturating_add(bytes_of(numbers, 8))
    }
}
