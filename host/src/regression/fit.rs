//! A regression from its preconditioner to the coefficients, of either loss.

use ntkscope_core::loss::Loss;
use ntkscope_core::{MatRef, Real};

use super::conjugate::Solved;
use super::logistic::Logistic;
use super::low_rank::{LowRank, low_rank_bytes};
use super::predictions::SIDE;
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
    // (K/u + s/u) (u a) = y: outputs are the same, and the preconditioner's single precision has numbers for any kernel; those of
    // squared error are linear in y, which is brought to a unit too, so that single precision holds its products
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
    let scaled = InUnits::of(targets, !logistic);
    let y = MatRef::new(&scaled.targets, targets.rows(), targets.cols())?;
    let ended = if logistic {
        Logistic { kernel, part: &part, targets: y, shift }.minimize(&mut newton, &mut iterate, follow, accuracy)
    } else {
        ridge(kernel, &part, y, shift, &mut iterate, follow, accuracy)
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
    let (mut dual, mut fitted) = if logistic {
        (newton.dual, newton.outputs)
    } else {
        // y = f + s a + r
        let left = iterate.x.iter().zip(&iterate.r).zip(y.data());
        let fitted = left.map(|((a, r), y)| y - shift * a - r).collect();
        (iterate.x, fitted)
    };
    scaled.back(&mut fitted);
    // divided first: a kernel as small as its targets has coefficients of moderate size
    dual.iter_mut().for_each(|a| *a /= unit);
    scaled.back(&mut dual);
    Ok(Ended::Done(Fit { dual, fitted, solved, steps, rank: part.rank(), left: part.left }))
}

/// Targets, each output's in a unit of its own: the power of two next to the largest of them, by which nothing is rounded.
struct InUnits {
    /// (C, n)
    targets: Vec<f64>,
    /// of each output
    units: Vec<f64>,
}

impl InUnits {
    /// These targets (C, n); those of a loss that is not linear in them stay as they are.
    fn of(targets: MatRef<'_, f64>, linear: bool) -> Self {
        let largest = |c: usize| targets.row(c).iter().fold(0.0, |largest: f64, y| largest.max(y.abs()));
        let unit =
            |c: usize| Some(largest(c)).filter(|largest| linear && *largest > 0.0).map_or(1.0, Real::power_of_two);
        let units: Vec<f64> = (0..targets.rows()).map(unit).collect();
        let targets = units.iter().enumerate().flat_map(|(c, unit)| targets.row(c).iter().map(move |y| y / unit));
        Self { targets: targets.collect(), units }
    }

    /// Of numbers (C, n) in these units, those in the targets' own.
    fn back(&self, numbers: &mut [f64]) {
        let each = numbers.len() / self.units.len().max(1);
        for (numbers, unit) in numbers.chunks_exact_mut(each.max(1)).zip(&self.units) {
            numbers.iter_mut().for_each(|number| *number *= unit);
        }
    }
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
        let with = |bytes: u64| ProductWork { beside: product.beside.saturating_add(bytes), ..product };
        let usual = if logistic { RANKS[1] / self.outputs.max(1) } else { RANKS[0] };
        let mut rank = self.rank.map_or(usual.min(n.div_ceil(2)), |rank| rank.min(n)).max(1);
        let predictions = if self.points > 0 { with(self.vectors(product)).between(SIDE) } else { 0 };
        let plan = loop {
            let bytes = self.vectors(product).saturating_add(self.preconditioner(n, rank));
            match with(bytes).plan(what, limit) {
                Ok(plan) => break plan,
                Err(_) if self.rank.is_none() && rank / 2 >= LEAST_RANK => rank /= 2,
                Err(machine::Error::Memory { need, limit, .. }) => {
                    return Err(limit.refuse(what, need.as_u64().max(predictions), None));
                }
                Err(error) => return Err(error),
            }
        };
        // the preconditioner and what products keep are freed before there are predictions
        let plan = ProductPlan { forecast: plan.forecast.max(predictions), ..plan };
        match limit {
            Some(limit) if plan.forecast > limit.bytes => Err(limit.refuse(what, plan.forecast, None)),
            _ => Ok((plan, rank)),
        }
    }

    /// Bytes of targets, outputs and coefficients, and of the test points.
    fn vectors(&self, product: ProductWork) -> u64 {
        let [n, c, m, d] = [product.samples, self.outputs, self.points, product.inputs].map(|size| size as u128);
        bytes_of(19 * n * c + m * (d + 4 * c + 4), 8)
    }

    fn preconditioner(&self, n: usize, rank: usize) -> u64 {
        // Cholesky's factor and the copy that it is made from
        let numbers = (rank as u128 * self.outputs as u128).pow(2);
        let of_newton = if self.loss == Loss::CrossEntropy { 2 * numbers } else { 0 };
        low_rank_bytes(n, rank).saturating_add(bytes_of(of_newton, 8))
    }
}
