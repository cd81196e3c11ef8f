//! What can be wrong with a call, with the numbers that say where.

use crate::Real;
use crate::loss::Loss;
use core::fmt;

/// Why a view could not be made or an operation not be carried out.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// A buffer holds too few (or, where the length must be exact, too many) elements.
    BufferLength {
        /// which buffer
        what: &'static str,
        /// elements needed
        need: usize,
        /// elements handed in
        got: usize,
    },
    /// Two shapes that must agree do not.
    Shape {
        /// which dimension of what
        what: &'static str,
        /// the size it must have
        need: usize,
        /// the size it has
        got: usize,
    },
    /// A number of the description is outside its range.
    OutOfRange {
        /// which number
        what: &'static str,
        /// the range, to follow "must be"
        needs: &'static str,
        /// the number
        got: f64,
    },
    /// A sample is so large that its kernel overflows, or so small that it loses digits: it has to be scaled.
    SampleScale {
        /// index of the sample
        sample: usize,
        /// whether it is too large
        large: bool,
    },
    /// A number that was handed in, or that follows from those at once, is not finite.
    NonFinite {
        /// which number
        what: &'static str,
    },
    /// A number stopped being finite as steps were taken.
    Diverged {
        /// which number
        what: &'static str,
        /// the step after which it is not finite
        step: u64,
    },
    /// The adaptive flow could not meet its tolerance with any step.
    StepUnderflow {
        /// training step at which it gave up
        step: u64,
    },
    /// The steps of a flow are below the rounding of the parameters, and outputs of 0 are as good as its own.
    LostInRounding {
        /// training step that is the first to be lost
        step: u64,
    },
    /// A matrix that must be positive definite is not.
    NotPositiveDefinite {
        /// index of the pivot that is not positive
        pivot: usize,
    },
    /// Whether certain targets have finite outputs of least loss depends on directions in which the kernel vanishes.
    SingularKernel {
        /// index, in ascending order, of the largest eigenvalue that is zero to rounding
        eigenvalue: usize,
    },
    /// A kernel is not positive semidefinite, and by more than rounding.
    IndefiniteKernel {
        /// index, in ascending order, of a negative eigenvalue
        eigenvalue: usize,
    },
    /// A loss without a penalty falls for ever: no finite outputs have it smallest.
    NoFiniteSolution {
        /// index of the first training sample whose target is certain
        sample: usize,
    },
    /// The loss has no curvature, which Newton's method and implicit steps need.
    NotSmooth {
        /// the loss
        loss: Loss,
    },
    /// Newton's method did not reach the minimum.
    NoMinimum {
        /// steps taken
        steps: u64,
    },
    /// The eigenvalue iteration did not converge.
    NoConvergence {
        /// index of the eigenvalue
        eigenvalue: usize,
    },
    /// Bytes are not those of a state that can be resumed.
    State {
        /// what they are instead, to follow "the saved state is"
        what: &'static str,
    },
}

impl Error {
    /// `Ok` when `got >= need`.
    ///
    /// # Errors
    /// [`Error::BufferLength`] where it is less.
    pub const fn at_least(what: &'static str, need: usize, got: usize) -> Result<(), Self> {
        if got >= need { Ok(()) } else { Err(Self::BufferLength { what, need, got }) }
    }
    /// `Ok` when `got == need`, for shapes.
    ///
    /// # Errors
    /// [`Error::Shape`] where it is not.
    pub const fn shape(what: &'static str, need: usize, got: usize) -> Result<(), Self> {
        if got == need { Ok(()) } else { Err(Self::Shape { what, need, got }) }
    }
    /// The number `got` in the scalar T, which must not make infinity of it, nor 0 of what is not.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where T does not have it to its full precision.
    pub(crate) fn scalar<T: Real>(what: &'static str, got: f64) -> Result<T, Self> {
        let scalar = T::from_f64(got);
        if scalar.is_finite() && (scalar.abs() >= T::SMALLEST || got == 0.0) {
            return Ok(scalar);
        }
        Err(Self::OutOfRange { what, needs: "a number that the scalar has to its full precision", got })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BufferLength { what, need, got } => write!(f, "{what}: needs {need} elements, got {got}"),
            Self::Shape { what, need, got } => write!(f, "{what}: must be {need}, is {got}"),
            // not in hundreds of digits
            Self::OutOfRange { what, needs, got } if got.abs() >= 1e16 => {
                write!(f, "{what}: must be {needs}, is {got:?}")
            }
            Self::OutOfRange { what, needs, got } => write!(f, "{what}: must be {needs}, is {got}"),
            Self::SampleScale { sample, large } => {
                let (what, beyond) =
                    if large { ("large", "above the largest") } else { ("small", "below the smallest") };
                write!(
                    f,
                    "sample {sample} is too {what}: the square of its norm is {beyond} number of this precision; \
                     rescale the samples"
                )
            }
            Self::NonFinite { what } => {
                write!(f, "{what} is not finite; rescale what it is made from, or compute in double precision")
            }
            Self::Diverged { what, step } => write!(f, "{what} is not finite at step {step}"),
            Self::StepUnderflow { step } => {
                write!(
                    f,
                    "gradient flow cannot meet its tolerance with any step size at step {step}; raise the tolerance, or \
                     compute in double precision"
                )
            }
            Self::LostInRounding { step } => {
                write!(
                    f,
                    "gradient flow stands still at step {step}: its steps are below the rounding of the parameters; scale \
                     samples and targets to about 1, or compute in double precision"
                )
            }
            Self::NotPositiveDefinite { pivot } => {
                write!(
                    f,
                    "matrix is not positive definite: pivot {pivot} is <= 0; add a larger penalty to its diagonal"
                )
            }
            Self::SingularKernel { eigenvalue } => {
                write!(
                    f,
                    "the kernel is singular (eigenvalue {eigenvalue} in ascending order is 0 to rounding) and some targets \
                     have probability 1, so a finite solution may not exist"
                )
            }
            Self::IndefiniteKernel { eigenvalue } => {
                write!(
                    f,
                    "the kernel is not positive semidefinite: eigenvalue {eigenvalue} in ascending order is < 0; give a \
                     Gram matrix"
                )
            }
            Self::NoFiniteSolution { sample } => {
                write!(f, "no finite solution: the class of sample {sample} is certain, and nothing bounds its output")
            }
            Self::NotSmooth { loss } => {
                write!(
                    f,
                    "the {loss} loss has no curvature: neither Newton's method nor an implicit step applies to it"
                )
            }
            Self::NoMinimum { steps } => {
                write!(f, "Newton's method did not reach the minimum in {steps} steps; try a larger penalty")
            }
            Self::NoConvergence { eigenvalue } => {
                write!(
                    f,
                    "eigenvalue {eigenvalue} did not converge; rescale the matrix, or compute in double precision"
                )
            }
            Self::State { what } => write!(f, "the saved state is {what}"),
        }
    }
}

impl core::error::Error for Error {}
