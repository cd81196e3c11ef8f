//! The objective and its gradient.

use crate::backward::{Deltas, add_gradient, backward, gradient, output_derivatives};
use crate::buffer::buffer_len;
use crate::forward::{Activations, Params, forward_less};
use crate::kernel::{Tangent, tangent_len};
use crate::linalg::squared_distance;
use crate::loss::{Loss, Objective, Unit};
use crate::network::{Network, Sizes};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// Parameters, and where the penalty pulls them.
#[derive(Clone, Copy, Debug)]
pub struct Position<'a, T> {
    /// parameters
    pub theta: &'a [T],
    /// parameters at initialization
    pub theta_0: &'a [T],
}

/// What is minimized, J of [`crate::train`]: a network on samples with targets, a loss, a penalty, an offset.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a, N, T> {
    network: &'a N,
    x: MatRef<'a, T>,
    targets: MatRef<'a, T>,
    loss: Loss,
    penalty: T,
    /// what the sum of the losses is divided by: n, or 1
    divisor: T,
    offset: Option<MatRef<'a, T>>,
}

impl<'a, N: Network, T: Real> Problem<'a, N, T> {
    /// `x` `(n, d)`, `targets` `(n, C)` as [`Loss::target`] writes them, `penalty` = lambda >= 0 of the mean
    /// loss.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::OutOfRange`]: no samples, targets outside the loss's range, a penalty that is negative, or that T
    /// does not have to its full precision; [`Error::NonFinite`]: a sample.
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
            return Err(Error::OutOfRange { what: "penalty", needs: "finite and >= 0", got: penalty });
        }
        if x.rows() == 0 {
            return Err(Error::OutOfRange { what: "number of samples", needs: "at least 1", got: 0.0 });
        }
        finite("sample", x)?;
        let (penalty, divisor) = (Error::scalar("penalty", penalty)?, T::from_count(x.rows()));
        Ok(Self { network, x, targets, loss, penalty, divisor, offset: None })
    }
    /// The same with the sum of the losses in place of their mean: `J = sum_i l_i + (lambda/2) |theta - theta_0|^2`.
    ///
    /// The loss of every [`Objective`], lambda, rates, times and the stable rate are then those of the sum. At time t the flow is
    /// where that of the mean with the penalty lambda/n is at n t.
    pub fn summed(self) -> Self {
        Self { divisor: T::ONE, ..self }
    }
    /// The same with `offset` `(n, C)` taken from the outputs: loss, margins and residuals are those of f - o.
    ///
    /// With `o_i = f(x_i; theta_0)` it is the network shifted to begin at 0, of P parameters and the NTK of f.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::NonFinite`]: the offset.
    pub fn with_offset(self, offset: MatRef<'a, T>) -> Result<Self, Error> {
        Error::shape("offset: rows", self.x.rows(), offset.rows())?;
        Error::shape("offset: columns", self.network.sizes().outputs, offset.cols())?;
        finite("offset", offset)?;
        Ok(Self { offset: Some(offset), ..self })
    }
    /// The same on other samples `(n, d)` with other targets `(n, C)`, as many as before; the offset stays.
    ///
    /// # Errors
    /// Those of [`Self::new`]; [`Error::Shape`]: another number of samples.
    pub fn with_samples(&self, x: MatRef<'a, T>, targets: MatRef<'a, T>) -> Result<Self, Error> {
        Error::shape("samples: rows", self.x.rows(), x.rows())?;
        let other = Self::new(self.network, x, targets, self.loss, 0.0)?;
        Ok(Self { penalty: self.penalty, divisor: self.divisor, offset: self.offset, ..other })
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
    /// what the sum of the losses is divided by in J: n, or 1 where it is [summed](Self::summed)
    pub fn divisor(&self) -> T {
        self.divisor
    }
    /// The weight of the mean loss in J: 1, or n.
    pub(crate) fn weight(&self) -> T {
        T::from_count(self.x.rows()) / self.divisor
    }
    /// The unit of J's derivatives by the outputs, divided by `e^ln_scale`.
    pub(crate) fn unit(&self, ln_scale: T) -> Unit<T> {
        Unit { samples: self.divisor, ln_scale }
    }
    /// Loss and margins of these outputs.
    fn objective(&self, outputs: MatRef<'_, T>) -> Result<Objective<T>, Error> {
        let of_mean = self.loss.evaluate(outputs, self.targets)?;
        Ok(Objective { loss: self.weight() * of_mean.loss, ..of_mean })
    }

    /// Elements of `work` for [`Problem::evaluate`].
    pub const fn work_len(sizes: Sizes, batch: usize) -> usize {
        gradient_len(sizes, batch)
    }

    /// The objective at `theta`; `out <- dJ/dtheta`, divided by the mismatch of [`crate::loss`] where `scaled`.
    ///
    /// `work` holds [`Problem::work_len`] numbers.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::BufferLength`].
    pub fn evaluate<B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        Position { theta, theta_0 }: Position<'_, T>,
        scaled: bool,
        out: &mut [T],
        work: &mut [T],
    ) -> Result<Objective<T>, Error> {
        Error::shape("parameters at initialization", theta.len(), theta_0.len())?;
        let (objective, ln_scale) = self.passes(backend, theta, scaled, work)?;
        let (activations, deltas) = self.passed(work);
        gradient(backend, &activations, &deltas, out)?;
        let weight = self.pull(ln_scale);
        if weight > T::ZERO {
            for (g, (theta, theta_0)) in out.iter_mut().zip(theta.iter().zip(theta_0)) {
                *g += weight * (*theta - *theta_0);
            }
        }
        Ok(objective)
    }

    /// The objective at `theta` and ln of what the gradient is divided by; both passes are left in `work`.
    pub(super) fn passes<B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        theta: &[T],
        scaled: bool,
        work: &mut [T],
    ) -> Result<(Objective<T>, T), Error> {
        let (n, sizes) = (self.x.rows(), self.network.sizes());
        Error::at_least("training: work", Self::work_len(sizes, n), work.len())?;
        let (values, rest) = work.split_at_mut(n * sizes.activations);
        let (deltas, rest) = rest.split_at_mut(n * sizes.deltas);
        let mut cotangent = MatMut::dense(&mut rest[..n * sizes.outputs], n, sizes.outputs);
        let params = Params::new(self.network, theta)?;
        let activations = forward_less(backend, params, self.x, self.offset, values)?;
        let outputs = activations.outputs();
        let objective = self.objective(outputs)?;
        let ln_scale = if scaled { objective.ln_mismatch } else { T::ZERO };
        self.loss.residuals_within(outputs, self.targets, self.unit(ln_scale), cotangent.reborrow());
        backward(backend, params, &activations, cotangent.as_ref(), deltas)?;
        Ok((objective, ln_scale))
    }

    /// The pairs (A, D) of every output at `theta`, and the objective there. `work` holds
    /// [`crate::kernel::tangent_len`] numbers.
    pub(crate) fn tangent<'w, B: Backend<T> + ?Sized>(
        &'w self,
        backend: &B,
        theta: &'w [T],
        work: &'w mut [T],
    ) -> Result<(Tangent<'w, N, T>, Objective<T>), Error> {
        let (n, sizes) = (self.x.rows(), self.network.sizes());
        Error::at_least("tangent", tangent_len(sizes, n), work.len())?;
        let (values, rest) = work.split_at_mut(n * sizes.activations);
        let (deltas, scratch) = rest.split_at_mut(n * sizes.outputs * sizes.deltas);
        let params = Params::new(self.network, theta)?;
        let activations = forward_less(backend, params, self.x, self.offset, values)?;
        let objective = self.objective(activations.outputs())?;
        let deltas = output_derivatives(backend, params, &activations, deltas, scratch)?;
        Ok((Tangent { activations, deltas }, objective))
    }

    /// What [`Problem::tangent`] has left in `work`.
    pub(super) fn left_tangent<'w>(&'w self, work: &'w [T]) -> Tangent<'w, N, T> {
        let (n, sizes) = (self.x.rows(), self.network.sizes());
        let (values, deltas) = work.split_at(n * sizes.activations);
        Tangent {
            activations: Activations::of_values(self.network, self.x, values),
            deltas: Deltas::of_directions(n, sizes.outputs, &deltas[..n * sizes.outputs * sizes.deltas]),
        }
    }

    /// A bound of max_i l''(f_i)/n (of a sum, max_i l''(f_i)), divided by the mismatch, from the outputs that the passes left in
    /// `work`.
    pub(super) fn curvature(&self, objective: &Objective<T>, work: &[T]) -> T {
        self.loss.curvature_within(self.passed(work).0.outputs(), self.targets, self.unit(objective.ln_mismatch))
    }

    /// That bound for one sample.
    pub(super) fn curvature_of(&self, objective: &Objective<T>, work: &[T], sample: usize) -> T {
        let outputs = self.passed(work).0.outputs();
        self.loss.curvature_of((outputs, self.targets), self.unit(objective.ln_mismatch), sample)
    }

    /// Whether the objective has its least value at finite parameters: hard labels alone drive margins on for ever.
    pub(super) fn has_minimizer(&self) -> bool {
        self.penalty > T::ZERO || !(0..self.targets.rows()).any(|i| self.loss.certain(self.targets.row(i)))
    }

    /// lambda in units of `e^ln_scale`, which may be too small to be represented where lambda is 0.
    pub(crate) fn pull(&self, ln_scale: T) -> T {
        if self.penalty > T::ZERO { self.penalty * (-ln_scale).exp() } else { T::ZERO }
    }

    /// J: the loss of the objective at `theta`, and the penalty there.
    pub(super) fn with_penalty(&self, objective: &Objective<T>, theta: &[T], theta_0: &[T]) -> T {
        // without a penalty the parameters need not be read
        if self.penalty == T::ZERO {
            return objective.loss;
        }
        objective.loss + T::from_f64(0.5) * self.penalty * squared_distance(theta, theta_0)
    }

    /// lambda
    pub(crate) fn penalty(&self) -> T {
        self.penalty
    }

    /// What [`Problem::passes`] has left in `work`.
    pub(super) fn passed<'w>(&'w self, work: &'w [T]) -> (Activations<'w, N, T>, Deltas<'w, T>) {
        let (n, sizes) = (self.x.rows(), self.network.sizes());
        let (values, deltas) = work[..n * (sizes.activations + sizes.deltas)].split_at(n * sizes.activations);
        (Activations::of_values(self.network, self.x, values), Deltas::of_values(n, deltas))
    }

    /// `theta <- theta - rate grad J`, from the passes at `theta` that lie in `work`.
    pub(super) fn descend<B: Backend<T> + ?Sized>(
        &self,
        backend: &B,
        rate: T,
        theta: &mut [T],
        theta_0: &[T],
        work: &[T],
    ) -> Result<(), Error> {
        if self.penalty > T::ZERO {
            for (theta, theta_0) in theta.iter_mut().zip(theta_0) {
                *theta -= rate * self.penalty * (*theta - *theta_0);
            }
        }
        let (activations, deltas) = self.passed(work);
        // no gradient is stored: for few samples a step costs what it takes to read and write the parameters
        add_gradient(backend, -rate, &activations, &deltas, T::ONE, theta)
    }
}

/// # Errors
/// A number of the matrix is not finite.
fn finite<T: Real>(what: &'static str, m: MatRef<'_, T>) -> Result<(), Error> {
    if (0..m.rows()).all(|i| m.row(i).iter().all(|v| v.is_finite())) {
        return Ok(());
    }
    Err(Error::NonFinite { what })
}

/// Elements of work of one gradient: activations, deltas, cotangent.
pub(super) const fn gradient_len(sizes: Sizes, batch: usize) -> usize {
    buffer_len(&[&[batch, sizes.activations], &[batch, sizes.deltas], &[batch, sizes.outputs]])
}
