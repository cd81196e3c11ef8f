//! Training: the objective and its gradient ([`Problem`]), and the ways down ([`Optimizer`], [`Trainer`]).
//!
//! ```text
//! J(theta) = (1/n) sum_i l(f(x_i; theta) - o_i, y_i) + (lambda/2) |theta - theta_0|^2
//! ```
//!
//! with the mean loss, so that gradient flow has `df/dt = -(1/n) K r`. In the convention of a summed loss
//! the penalty is `n lambda` and time runs n times slower. The offset o is 0 where none is given
//! ([`Problem::with_offset`]).
//!
//! ```
//! use ntkscope_core::{MatRef, Portable, loss::Loss, network::Fcn};
//! use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
//!
//! let (network, flow) = (Fcn::new(1, &[16], 1)?, Optimizer::Flow { tolerance: 0.01 });
//! let problem = Problem::new(&network, MatRef::new(&[1.0], 1, 1)?, MatRef::new(&[2.0], 1, 1)?, Loss::SquaredError, 0.0)?;
//! let mut buffer = vec![0.0f64; trainer_len(network.sizes(), 1, &flow)];
//! let mut trainer = Trainer::new(&Portable, problem, flow, 7, &mut buffer)?;
//! while !trainer.reached(100.0) {
//!     trainer.advance(Some(100.0))?;
//! }
//! // one sample, f -> y exponentially
//! assert!(trainer.objective().loss < 1e-6);
//! # Ok::<(), ntkscope_core::Error>(())
//! ```
//!
//! An optimizer is one file with one implementation of `Descend`, and its arms in [`Optimizer`].

mod chebyshev;
mod descent;
mod flow;
mod problem;
mod trainer;

pub use problem::{Position, Problem};
pub use trainer::{Trainer, trainer_len};

use crate::choice::choice;
use crate::network::Network;
use crate::{Backend, Error, Real, loss::Objective};
use descent::Descent;
use flow::Flow;
use trainer::{Run, State};

choice! {
    /// The name of an [`Optimizer`].
    #[non_exhaustive]
    pub enum Method {
        /// adaptive gradient flow
        Flow = "flow",
        /// gradient descent with steps of a fixed rate
        Descent = "gd",
    }
}

/// How the parameters move.
///
/// The flow is `d theta/dt = -grad J`, integrated by the second-order Runge-Kutta-Chebyshev method (Sommeijer, Shampine,
/// Verwer 1998) with the spectral radius from a power iteration and steps that adapt to the method's own estimate of the
/// local error. Its clock adapts to the loss: where cross-entropy's residuals fall like 1/t, time t costs about log t
/// steps.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Optimizer {
    /// adaptive gradient flow
    Flow {
        /// local error allowed in a step, as a share of the distance from theta_0, in (0, 1); 0.01 suits ReLU, whose
        /// kinks make the number of steps grow like 1/tolerance
        tolerance: f64,
    },
    /// `theta <- theta - rate grad J`; time advances by `rate` a step
    Descent {
        /// for squared error stable below 2 n / lambda_max(K)
        rate: f64,
    },
}

impl Optimizer {
    /// Its name.
    pub const fn method(&self) -> Method {
        match self {
            Self::Flow { .. } => Method::Flow,
            Self::Descent { .. } => Method::Descent,
        }
    }

    /// Buffers of P numbers beside theta_0 and theta.
    const fn buffers(&self) -> usize {
        match self {
            Self::Flow { .. } => flow::BUFFERS,
            Self::Descent { .. } => descent::BUFFERS,
        }
    }

    /// The running optimizer; `take` hands out buffers of P numbers.
    fn start<'a, T: Real>(&self, mut take: impl FnMut() -> &'a mut [T]) -> Result<Running<'a, T>, Error> {
        Ok(match *self {
            Self::Flow { tolerance } => Running::Flow(Flow::new(tolerance, core::array::from_fn(|_| take()))?),
            Self::Descent { rate } => Running::Descent(Descent::new(rate)?),
        })
    }
}

/// An optimizer at work.
enum Running<'a, T> {
    Flow(Flow<'a, T>),
    Descent(Descent<T>),
}

impl<'a, T: Real> Running<'a, T> {
    fn descend<N: Network, B: Backend<T> + ?Sized>(&mut self) -> &mut dyn Descend<'a, N, T, B> {
        match self {
            Self::Flow(flow) => flow,
            Self::Descent(descent) => descent,
        }
    }
}

/// What an optimizer does to a [`Run`].
trait Descend<'a, N, T, B: ?Sized> {
    /// The objective at theta_0, where the parameters are, and what the first step needs.
    fn begin(&mut self, run: &mut Run<'a, N, T, B>) -> Result<Objective<T>, Error>;

    /// One step: parameters, objective, time and counts move on. See [`Trainer::advance`] for `until` and the errors.
    fn advance(&mut self, run: &mut Run<'a, N, T, B>, until: Option<T>) -> Result<(), Error>;
}
