//! Training: the objective and its gradient ([`Problem`]), and the ways down ([`Optimizer`], [`Trainer`]).
//!
//! ```text
//! J(theta) = (1/n) sum_i l(f(x_i; theta) - o_i, y_i) + (lambda/2) |theta - theta_0|^2
//! ```
//!
//! with the mean loss, so that gradient flow has `df/dt = -(1/n) K r`. With the sum of the losses in its place
//! ([`Problem::summed`]) the path is the same, n times as fast: lambda of the mean is n lambda of the sum, time t of the mean t/n of the
//! sum, and a rate of the mean that rate/n. The offset o is 0 where none is given
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

mod attempt;
mod chattering;
mod chebyshev;
mod clock;
mod descent;
mod flow;
mod kinked;
mod problem;
mod rest;
mod saved;
mod trainer;

pub(crate) use chattering::Chattering;
pub(crate) use clock::{add_time, tells_time};
pub use problem::{Position, Problem};
pub use saved::state_len;
pub use trainer::{Trainer, trainer_len};

use crate::buffer::buffer_len;
use crate::choice::choice;
use crate::network::{Network, Sizes};
use crate::state::Bytes;
use crate::{Backend, Error, Real, loss::Objective};
use descent::Descent;
use flow::Flow;
use kinked::Kinked;
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

    /// Elements of its buffer, beside theta_0 and theta.
    const fn len(&self, sizes: Sizes, batch: usize) -> usize {
        match self {
            Self::Flow { .. } if sizes.kinks > 0 => kinked::kinked_len(sizes, batch),
            Self::Flow { .. } => buffer_len(&[&[flow::BUFFERS, sizes.parameters]]),
            Self::Descent { .. } => 0,
        }
    }

    /// The running optimizer; `take` hands out buffers.
    fn start<'a, T: Real>(
        &self,
        sizes: Sizes,
        batch: usize,
        mut take: impl FnMut(usize) -> &'a mut [T],
    ) -> Result<Running<'a, T>, Error> {
        Ok(match *self {
            Self::Flow { tolerance } if sizes.kinks > 0 => Running::Kinked(Kinked::new(tolerance, sizes, batch, take)?),
            Self::Flow { tolerance } => {
                Running::Flow(Flow::new(tolerance, core::array::from_fn(|_| take(sizes.parameters)))?)
            }
            Self::Descent { rate } => Running::Descent(Descent::new(rate)?),
        })
    }
}

/// The tolerance of a flow in its scalar.
///
/// # Errors
/// [`Error::OutOfRange`]: it is outside (0, 1), or T does not have it to its full precision.
fn tolerance_in<T: Real>(tolerance: f64) -> Result<T, Error> {
    if tolerance > 0.0 && tolerance < 1.0 {
        return Error::scalar("tolerance", tolerance);
    }
    Err(Error::OutOfRange { what: "tolerance", needs: "in (0, 1)", got: tolerance })
}

/// An optimizer at work.
enum Running<'a, T> {
    Flow(Flow<'a, T>),
    Kinked(Kinked<'a, T>),
    Descent(Descent<T>),
}

impl<'a, T: Real> Running<'a, T> {
    fn descend<N: Network, B: Backend<T> + ?Sized>(&mut self) -> &mut dyn Descend<'a, N, T, B> {
        match self {
            Self::Flow(flow) => flow,
            Self::Kinked(flow) => flow,
            Self::Descent(descent) => descent,
        }
    }
}

/// What an optimizer does to a [`Run`].
trait Descend<'a, N, T, B: ?Sized> {
    /// The objective where the parameters are, and what follows from it for the next step.
    fn begin(&mut self, run: &mut Run<'a, N, T, B>) -> Result<Objective<T>, Error>;

    /// Begins a step, or goes on with the one that is under way, for one gradient evaluation at most; `None` where more are
    /// to come. After the last, parameters, objective, time and counts have moved on, and it is said whether a step was
    /// made, which is only not so [before](End::Before) an end. An end counts where the step begins.
    /// See [`Trainer::advance`] for the errors, after which [`Self::abandon`] is to be called.
    fn slice(&mut self, run: &mut Run<'a, N, T, B>, end: End<T>) -> Result<Option<bool>, Error>;

    /// Forgets the step that is under way.
    fn abandon(&mut self);

    /// Whether a step has been begun and not ended.
    fn is_under_way(&self) -> bool;

    /// The samples are others: what was found of their curvature, and of rest, no longer holds.
    fn renew(&mut self);

    /// What the next step needs to know beside the parameters and what [`Self::begin`] makes of them.
    fn pass(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error>;
}

/// Where a step may end.
#[derive(Clone, Copy, Debug)]
enum End<T> {
    /// anywhere
    Open,
    /// at this time, where it is cut short, or before
    At(T),
    /// before this time; one that would not is not made
    Before(T),
}

impl<T> End<T> {
    /// The time, if there is one.
    fn time(self) -> Option<T> {
        match self {
            Self::Open => None,
            Self::At(until) | Self::Before(until) => Some(until),
        }
    }
}
