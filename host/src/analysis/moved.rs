//! What has become of a network between two sets of its parameters, whoever trained it: one row of numbers, under the names
//! that a run's trace has.

use std::ops::Range;

use ntkscope_core::kernel::{centred_alignment, max_abs_difference, relative_frobenius, spectrum};
use ntkscope_core::linalg::{dot, squared_distance, sum_of_squares};
use ntkscope_core::loss::Loss;
use ntkscope_core::record::Snapshot;
use ntkscope_core::{Backend, Error, MatMut, MatRef, Real};

/// A network's parameters, and what it is there.
#[derive(Clone, Copy, Debug)]
pub struct State<'a, T> {
    /// the parameters P
    pub theta: &'a [T],
    /// its kernel: `(n, n)`, or `(n C, n C)`
    pub kernel: MatRef<'a, T>,
    /// its outputs `(n, C)`
    pub outputs: MatRef<'a, T>,
}

/// What the outputs are to be: targets `(n, C)` under a loss.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a, T> {
    /// the loss, as a mean over the samples
    pub loss: Loss,
    /// the targets
    pub targets: MatRef<'a, T>,
}

/// The columns of a trace that two states have between them: drift, alignment and distance from `first`, spectrum, and
/// where there are targets loss, accuracy, margins, and for a kernel `(n, n)` its alignment with them. NaN in the others.
/// Beside them the eigenvalues, ascending.
///
/// # Errors
/// [`Error::Shape`]; [`Error::NonFinite`] for a kernel that is not; [`Error::NoConvergence`].
pub fn moved<T: Real>(
    backend: &dyn Backend<T>,
    first: &State<'_, T>,
    now: &State<'_, T>,
    judged: Option<Judged<'_, T>>,
) -> Result<(Snapshot<T>, Vec<T>), Error> {
    Error::shape("parameters", first.theta.len(), now.theta.len())?;
    let n = now.kernel.rows();
    let (mut work, mut values, mut scratch) = (vec![T::ZERO; n * n], vec![T::ZERO; n], vec![T::ZERO; n]);
    let ends = spectrum(backend, now.kernel, MatMut::new(&mut work, n, n)?, &mut values, &mut scratch)?;
    let mut row = Snapshot::unknown();
    of_parameters(&mut row, first.theta, now.theta);
    row.drift_max = max_abs_difference(now.kernel, first.kernel)?;
    row.drift_fro = relative_frobenius(now.kernel, first.kernel)?;
    row.alignment = centred_alignment(now.kernel, first.kernel)?;
    row.lambda_min = ends.lambda_min;
    row.lambda_max = ends.lambda_max;
    row.condition = ends.condition;
    row.effective_rank = ends.effective_rank;
    row.finite = true;
    if let Some(Judged { loss, targets }) = judged {
        of_outputs(&mut row, now.outputs, Judged { loss, targets })?;
        if targets.rows() == n {
            gram(targets, 0..n, &mut work);
            row.target_alignment = centred_alignment(now.kernel, MatRef::new(&work, n, n)?)?;
        }
    }
    Ok((row, values))
}

/// What parameters say by themselves.
pub fn of_parameters<T: Real>(row: &mut Snapshot<T>, first: &[T], now: &[T]) {
    row.param_norm = sum_of_squares(now).sqrt();
    row.param_distance = squared_distance(now, first).sqrt();
    row.param_max = first.iter().zip(now).fold(T::ZERO, |most, (a, b)| most.max((*a - *b).abs()));
}

/// What outputs `(n, C)` say beside their targets.
///
/// # Errors
/// [`Error::Shape`].
pub fn of_outputs<T: Real>(row: &mut Snapshot<T>, outputs: MatRef<'_, T>, judged: Judged<'_, T>) -> Result<(), Error> {
    let objective = judged.loss.evaluate(outputs, judged.targets)?;
    row.loss = objective.loss;
    row.accuracy = objective.accuracy;
    row.margin_min = objective.margin_min;
    row.margin_mean = objective.margin_mean;
    row.logit_max = objective.logit_max;
    Ok(())
}

/// These rows of the Gram matrix of targets `(n, C)`, to `out` `(rows.len(), n)`.
pub fn gram<T: Real>(targets: MatRef<'_, T>, rows: Range<usize>, out: &mut [T]) {
    for (i, row) in rows.zip(out.chunks_exact_mut(targets.rows())) {
        row.iter_mut().enumerate().for_each(|(j, g)| *g = dot(targets.row(i), targets.row(j)));
    }
}
