//! The objective and its gradient.

use crate::backward::{backward, gradient};
use crate::forward::{Params, forward_less};
use crate::loss::{Loss, Objective};
use crate::network::{Network, Sizes};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// What is minimised, J of [`crate::train`]: a network on samples with targets, a loss, a penalty, an offset.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a, N, T> {
    network: &'a N,
    x: MatRef<'a, T>,
    targets: MatRef<'a, T>,
    loss: Loss,
    penalty: T,
    offset: Option<MatRef<'a, T>>,
}

impl<'a, N: Network, T: Real> Problem<'a, N, T> {
    /// `x` `(n, d)`, `targets` `(n, C)` as [`Loss::target`] writes them, `penalty` = lambda >= 0 of the mean
    /// loss. Errors: shapes, targets outside the loss's range, a negative or non-finite penalty or sample.
    pub fn new(
        network: &'a N,
        x: MatRef<'a, T>,
        targets: MatRef<'a, T>,
        loss: Loss,
        penalty: f64,
    ) -> Result<Self, Error> {
        let sizes = network.sizes();
        Error::shape("samples: numbers per sample", sizes.inputs, x.cols())?;
        Error::shape("targets: rows", x.rows(), targets.rows())?;
        Error::shape("targets: columns", sizes.outputs, targets.cols())?;
        loss.check(targets)?;
        if !(penalty >= 0.0 && penalty.is_finite()) {
            return Err(Error::OutOfRange { what: "penalty: must be finite and >= 0" });
        }
        if x.rows() == 0 {
            return Err(Error::OutOfRange { what: "samples: there must be at least 1" });
        }
        finite("sample", x)?;
        Ok(Self { network, x, targets, loss, penalty: T::from_f64(penalty), offset: None })
    }
    /// The same with `offset` `(n, C)` taken from the outputs: loss, margins and residuals are those of f - o.
    ///
    /// With `o_i = f(x_i; theta_0)` it is the network shifted to begin at 0, of P parameters and the NTK of f.
    /// Errors: shapes, an offset that is not finite.
    pub fn with_offset(self, offset: MatRef<'a, T>) -> Result<Self, Error> {
        Error::shape("offset: rows", self.x.rows(), offset.rows())?;
        Error::shape("offset: columns", self.network.sizes().outputs, offset.cols())?;
        finite("offset", offset)?;
        Ok(Self { offset: Some(offset), ..self })
    }
    /// the network
    pub fn network(&self) -> &'a N {
        self.network
    }
    /// the samples `(n, d)`
    pub fn x(&self) -> MatRef<'a, T> {
        self.x
    }
    /// the targets `(n, C)`
    pub fn targets(&self) -> MatRef<'a, T> {
        self.targets
    }
    /// the loss
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// Elements of `work` for [`Problem::evaluate`].
    pub const fn work_len(sizes: Sizes, batch: usize) -> usize {
        gradient_len(sizes, batch)
    }

    /// The objective at `theta`, and its gradient `dJ/dtheta` divided by the mismatch kappa where `scaled`.
    ///
    /// `work` holds [`Problem::work_len`] numbers. Errors: lengths.
    pub fn evaluate<B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        (theta, theta_0): (&[T], &[T]),
        scaled: bool,
        out: &mut [T],
        work: &mut [T],
    ) -> Result<Objective<T>, Error> {
        let (n, sizes) = (self.x.rows(), self.network.sizes());
        Error::at_least("training: work", Self::work_len(sizes, n), work.len())?;
        let (values, rest) = work.split_at_mut(n * sizes.activations);
        let (deltas, rest) = rest.split_at_mut(n * sizes.deltas);
        let mut seed = MatMut::dense(&mut rest[..n * sizes.outputs], n, sizes.outputs);
        let params = Params::new(self.network, theta)?;
        let activations = forward_less(backend, params, self.x, self.offset, values)?;
        let objective = self.loss.evaluate(activations.outputs(), self.targets);
        let ln_scale = if scaled { objective.ln_mismatch } else { T::ZERO };
        self.loss.residuals(activations.outputs(), self.targets, ln_scale, seed.reborrow());
        let deltas = backward(backend, params, &activations, seed.as_ref(), deltas)?;
        gradient(backend, &activations, &deltas, out)?;
        if self.penalty > T::ZERO {
            let weight = self.penalty * (-ln_scale).exp();
            for (g, (theta, theta_0)) in out.iter_mut().zip(theta.iter().zip(theta_0)) {
                *g += weight * (*theta - *theta_0);
            }
        }
        Ok(objective)
    }
}

/// Error: a number of the matrix is not finite.
fn finite<T: Real>(what: &'static str, m: MatRef<'_, T>) -> Result<(), Error> {
    if (0..m.rows()).all(|i| m.row(i).iter().all(|v| v.is_finite())) {
        return Ok(());
    }
    Err(Error::NonFinite { what, step: 0 })
}

/// Elements of work of one gradient: activations, deltas, seed.
pub(super) const fn gradient_len(sizes: Sizes, batch: usize) -> usize {
    batch * (sizes.activations + sizes.deltas + sizes.outputs)
}
