//! What has become of a network between two sets of its parameters, whoever trained it: one row of numbers, under the names
//! that a run's trace has.

use ntkscope_core::kernel::{centred_alignment, gram, max_abs_difference, relative_frobenius, spectrum};
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
pub fn between<T: Real>(
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
    row.set_parameters(now.theta, first.theta);
    row.drift_max = max_abs_difference(now.kernel, first.kernel)?;
    row.drift_fro = relative_frobenius(now.kernel, first.kernel)?;
    row.alignment = centred_alignment(now.kernel, first.kernel)?;
    row.lambda_min = ends.lambda_min;
    row.lambda_max = ends.lambda_max;
    row.condition = ends.condition;
    row.effective_rank = ends.effective_rank;
    row.finite = true;
    if let Some(Judged { loss, targets }) = judged {
        row.set_objective(&loss.evaluate(now.outputs, targets)?);
        if targets.rows() == n {
            gram(targets, 0..n, &mut work);
            row.target_alignment = centred_alignment(now.kernel, MatRef::new(&work, n, n)?)?;
        }
    }
    Ok((row, values))
}
