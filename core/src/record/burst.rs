//! Reading a network whose units rest on their kinks: a burst of steps on a scratch copy, and what moves it meanwhile.
//!
//! Training pushes many pre-activations of a ReLU network onto their kinks and holds them there. A step of any size then
//! finds them on one side or the other by chance, and a kernel with those derivatives is a toss. A [`Burst`] goes on from
//! the parameters for J explicit steps of the flow
//!
//! ```text
//! theta <- theta - dt grad J(theta),     dt = c / (lambda_max(K) max(kappa, l'') / n + lambda)
//! ```
//!
//! (kappa the mismatch of [`crate::loss`], l'' its curvature, lambda the penalty) and takes the mean of A and D over them
//! ([`MeanTangent`]): the mean Jacobian J, whose kernel `K_eff = J J^T` moves the network. Its proof is the **velocity
//! error**
//!
//! ```text
//! |df + J (J^T R + P)| / |df|,     R = sum of dt r/n,     P = sum of dt lambda (theta - theta_0)
//! ```
//!
//! between the change df of the outputs over the burst and what the kernel says of it, where they move by more than rounding.
//! A smooth activation needs one state, and a burst of one state is the state itself. Gradient descent has no sliding modes:
//! its steps are what they are, and so is the kernel of the point.

use super::Reading;
use crate::buffer::{buffer_len, take_front};
use crate::kernel::{Gates, MeanTangent, jacobian_product, jacobian_transposed_product, mean_tangent_len};
use crate::linalg::norm;
use crate::network::{Network, Sizes};
use crate::train::{Chattering, Problem, add_time};
use crate::{Backend, Error, MatMut, MatRef, Real};

/// Units of rounding of the outputs up to which their movement is rounding.
const ROUNDED: f64 = 64.0;

/// Steps of one length.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Steps {
    /// their number
    pub count: usize,
    /// c, the step as a share of the one that the kernel's stiffest direction takes to its end; stable below 2
    pub share: f64,
}

/// How a burst steps.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Burst {
    /// steps before anything is read, in which chatter of another size settles
    pub settle: Steps,
    /// J states that are read, at least 1, and the steps between them
    pub read: Steps,
}

impl Burst {
    /// J = 16 states a step of c = 1/2 apart, after 4 in which the chatter of the flow's own steps settles: long enough to
    /// average it, short enough for the kernel not to move.
    pub const STANDARD: Self = Self { settle: Steps { count: 4, share: 0.5 }, read: Steps { count: 16, share: 0.5 } };
    /// For references: chatter of a tenth of that size, and an average over many more states in a quarter of the time.
    pub const FINE: Self =
        Self { settle: Steps { count: 100, share: 0.04 }, read: Steps { count: 800, share: 0.0025 } };

    /// The same with fewer states where training has only begun: at most a fifth of what it has gone, `gone` being the sum of
    /// the shares of its steps so far.
    pub(super) fn at_most(self, gone: f64) -> Self {
        let Self { settle, read } = self;
        let longest = |steps: Steps| {
            let most = gone / (5.0 * steps.share);
            Steps { count: if most < steps.count as f64 { most as usize } else { steps.count }, ..steps }
        };
        let read = longest(read);
        Self { settle: longest(settle), read: Steps { count: read.count.max(1), ..read } }
    }
}

/// Who sees the states of a burst.
pub(crate) struct Visit<'v, 'a, T> {
    /// the parameters of every state that is read
    pub(crate) state: &'v mut dyn FnMut(&[T]) -> Result<(), Error>,
    /// the mean of each quarter of the states, where there are at least 4
    pub(crate) quarter: &'v mut dyn FnMut(&MeanTangent<'a, T>) -> Result<(), Error>,
}

/// The space of a burst beside that which the flow lends: means of the derivatives, and outputs.
pub struct BurstSpace<'a, T> {
    /// outputs before the burst, residuals of a state, their sum, a product: `(n, C)` each
    outputs: [&'a mut [T]; 4],
    mean: MeanTangent<'a, T>,
    /// of the quarter at hand
    quarter: MeanTangent<'a, T>,
    gates: Gates<'a, T>,
}

/// Elements of the buffer of a [`BurstSpace`] for n samples; `usize::MAX` where that overflows.
pub const fn burst_len(sizes: Sizes, batch: usize) -> usize {
    let mean = mean_tangent_len(sizes, batch);
    buffer_len(&[&[4, batch, sizes.outputs], &[2, mean], &[batch, sizes.kinks]])
}

/// Half the step to loss 0 along a straight line: what bounds steps under a loss of kinks, which has no curvature to tell how
/// far its gradient holds (Polyak 1969).
fn half_way<T: Real>(loss: T, gradient: &[T]) -> T {
    let slope = norm(gradient);
    if slope > T::ZERO { T::from_f64(0.5) * loss / slope / slope } else { T::ZERO }
}

impl<'a, T: Real> BurstSpace<'a, T> {
    /// `buffer` holds at least [`burst_len`] numbers.
    ///
    /// # Errors
    /// [`Error::BufferLength`]: shorter than [`burst_len`].
    pub fn new(sizes: Sizes, batch: usize, buffer: &'a mut [T]) -> Result<Self, Error> {
        Error::at_least("burst", burst_len(sizes, batch), buffer.len())?;
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        Ok(Self {
            outputs: core::array::from_fn(|_| take(batch * sizes.outputs)),
            mean: MeanTangent::new(sizes, batch, take(mean_tangent_len(sizes, batch)))?,
            quarter: MeanTangent::new(sizes, batch, take(mean_tangent_len(sizes, batch)))?,
            gates: Gates::new(sizes, batch, take(batch * sizes.kinks))?,
        })
    }

    /// The mean of the last reading, whose kernel is K_eff.
    pub fn mean(&self) -> &MeanTangent<'a, T> {
        &self.mean
    }

    /// Reads `problem` from a state of its flow on, which is not touched.
    ///
    /// # Errors
    /// A burst without states, or with a step that is no positive number; [`Error::Shape`]; [`Error::Diverged`] where a
    /// state's loss is not finite; those of `visit`.
    pub(crate) fn read<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        backend: &B,
        problem: &Problem<'_, N, T>,
        flow: &mut Chattering<'_, T>,
        burst: Burst,
        visit: Visit<'_, 'a, T>,
    ) -> Result<Reading<T>, Error> {
        burst.check()?;
        let Burst { settle, read } = burst;
        let (n, c) = (problem.x().rows(), problem.network().sizes().outputs);
        let Chattering { theta, theta_0, lambda_max, longest, copy, start, gradient, scratch, work, .. } = flow;
        copy.copy_from_slice(theta);
        self.mean.clear();
        self.quarter.clear();
        self.gates.clear();
        let [before, residuals, sum, _] = &mut self.outputs;
        sum.fill(T::ZERO);
        let mut reading = Reading::nothing();
        let curved = problem.loss().properties(c).curved;
        let (mut time, mut pull, mut moved) = (flow.log_time, T::ZERO, false);
        for k in 0..settle.count + read.count {
            let steps = if k < settle.count { settle } else { read };
            let (tangent, objective) = problem.tangent(backend, copy, work)?;
            if !objective.loss.is_finite() {
                return Err(Error::Diverged { what: "loss", step: k as u64 });
            }
            if k >= settle.count {
                self.quarter.add(&tangent)?;
                self.gates.add(&tangent.activations)?;
                (visit.state)(copy)?;
                reading.add(&objective, time, (copy, theta_0));
                if read.count >= 4 && reading.states * 4 % read.count < 4 {
                    (visit.quarter)(&self.quarter)?;
                    self.mean.merge(&self.quarter)?;
                    self.quarter.clear();
                }
            }
            if read.count == 1 && k == settle.count {
                break;
            }
            let outputs = tangent.activations.outputs();
            if k == settle.count {
                before.copy_from_slice(outputs.data());
                start.copy_from_slice(copy);
            }
            let kappa = objective.ln_mismatch;
            let unit = problem.unit(kappa);
            problem.loss().residuals_within(outputs, problem.targets(), unit, MatMut::dense(residuals, n, c));
            let weight = problem.pull(kappa);
            let curvature =
                problem.loss().curvature_within(outputs, problem.targets(), unit).max(T::ONE / unit.samples);
            let stiffness = *lambda_max * curvature + weight;
            if stiffness == T::ZERO {
                // nothing moves: what is read is this state
                if k >= settle.count {
                    break;
                }
                continue;
            }
            // in the mismatch's clock, d tau = kappa dt
            let step = (T::from_f64(steps.share) / stiffness).min(*longest);
            let residuals = &**residuals;
            jacobian_transposed_product(
                backend,
                &tangent,
                0..c,
                MatRef::dense(residuals, n, c),
                T::ZERO,
                gradient,
                scratch,
            )?;
            let step = if curved { step } else { step.min(half_way(objective.loss, gradient)) };
            for ((theta, g), theta_0) in copy.iter_mut().zip(gradient.iter()).zip(*theta_0) {
                *theta -= step * (*g + weight * (*theta - *theta_0));
            }
            add_time(&mut time, step.ln() - kappa);
            if k >= settle.count {
                sum.iter_mut().zip(residuals).for_each(|(sum, r)| *sum += step * *r);
                pull += step * weight;
                moved = true;
            }
        }
        self.mean.merge(&self.quarter)?;
        reading.sliding = self.gates.sliding();
        if moved {
            reading.velocity_error = self.velocity(backend, problem, flow, pull)?;
        }
        Ok(reading)
    }

    /// The velocity error, from the sum of the residuals and the parameters at both ends.
    fn velocity<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        backend: &B,
        problem: &Problem<'_, N, T>,
        flow: &mut Chattering<'_, T>,
        pull: T,
    ) -> Result<T, Error> {
        let (n, c) = (problem.x().rows(), problem.network().sizes().outputs);
        let Chattering { theta_0, copy, start, gradient, scratch, work, .. } = flow;
        let [before, after, sum, product] = &mut self.outputs;
        after.copy_from_slice(problem.tangent(backend, copy, work)?.0.activations.outputs().data());
        let mean = self.mean.tangent(problem.network(), problem.x())?;
        jacobian_transposed_product(backend, &mean, 0..c, MatRef::dense(sum, n, c), T::ZERO, gradient, scratch)?;
        let half = T::from_f64(0.5);
        for (g, ((first, last), theta_0)) in gradient.iter_mut().zip(start.iter().zip(copy.iter()).zip(*theta_0)) {
            *g += pull * (half * (*first + *last) - *theta_0);
        }
        jacobian_product(backend, &mean, 0..c, gradient, T::ZERO, MatMut::dense(product, n, c), scratch)?;
        let (mut off, mut moved, mut size) = (T::ZERO, T::ZERO, T::ZERO);
        for ((before, after), predicted) in before.iter().zip(after.iter()).zip(product.iter()) {
            let change = *after - *before;
            moved += change * change;
            size += *before * *before + *after * *after;
            off += (change + *predicted) * (change + *predicted);
        }
        let rounding = T::from_f64(ROUNDED) * T::EPSILON;
        let rests = moved <= rounding * rounding * size;
        Ok(if rests { T::from_f64(f64::NAN) } else { (off / moved).sqrt() })
    }
}

impl Burst {
    fn check(self) -> Result<(), Error> {
        let Self { settle, read } = self;
        if read.count == 0 {
            return Err(Error::OutOfRange { what: "states of a burst", needs: "at least 1", got: 0.0 });
        }
        match [settle, read].into_iter().find(|steps| !(steps.share > 0.0 && steps.share.is_finite())) {
            Some(steps) => {
                Err(Error::OutOfRange { what: "step of a burst", needs: "finite and > 0", got: steps.share })
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Portable;
    use crate::kernel::{jacobian_scratch, tangent_len};
    use crate::loss::Loss;
    use crate::network::Fcn;
    use std::vec;

    #[test]
    fn a_network_that_has_died_is_read_where_it_is() {
        let network = Fcn::new(1, &[2], 1).unwrap();
        let (sizes, n) = (network.sizes(), 2);
        let (x, y) = (MatRef::new(&[1.0, 2.0], n, 1).unwrap(), MatRef::new(&[1.0, -1.0], n, 1).unwrap());
        let problem = Problem::new(&network, x, y, Loss::SquaredError, 0.0).unwrap();
        // both units are off for every sample: the kernel, and with it the stiffness, is 0
        let theta = vec![-1.0f64; sizes.parameters];
        let [mut copy, mut start, mut gradient] = core::array::from_fn(|_| vec![0.0; sizes.parameters]);
        let (mut scratch, mut work) = (vec![0.0; jacobian_scratch(sizes, n)], vec![0.0; tangent_len(sizes, n)]);
        let mut flow = Chattering {
            theta: &theta,
            theta_0: &theta,
            log_time: 1.0,
            gone: 1000.0,
            lambda_max: 0.0,
            longest: 1.0,
            copy: &mut copy,
            start: &mut start,
            gradient: &mut gradient,
            scratch: &mut scratch,
            work: &mut work,
        };
        let mut buffer = vec![0.0; burst_len(sizes, n)];
        let mut space = BurstSpace::new(sizes, n, &mut buffer).unwrap();
        let mut states = 0;
        let mut state = |read: &[f64]| {
            assert_eq!(read, theta);
            states += 1;
            Ok(())
        };
        let visit = Visit { state: &mut state, quarter: &mut |_| Ok(()) };
        let reading = space.read(&Portable, &problem, &mut flow, Burst::STANDARD, visit).unwrap();
        assert_eq!((states, reading.states, reading.log_time), (1, 1, 1.0));
        assert!(space.mean().tangent(&network, x).is_ok(), "a mean of one state");
    }
}
