//! A trainer as bytes.

use super::clock::tells_time;
use super::trainer::Trainer;
use super::{Optimizer, Problem};
use crate::buffer::buffer_len;
use crate::network::{Network, Sizes};
use crate::state::Bytes;
use crate::{Backend, Error, Real};

/// Of another meaning of the bytes after it.
const FORMAT: u64 = 1;

/// Bytes of all that is not one of many numbers, at most.
const FEW: usize = 256;

/// Bytes that hold the state of a [`Trainer`] for n samples, at most: of a network with P parameters and C outputs 2 P numbers
/// under descent, 3 P for a flow, 4 P + 2 n C for one of a network with kinks, and 256 bytes.
pub const fn state_len<T>(sizes: Sizes, batch: usize, optimizer: &Optimizer) -> usize {
    let (p, size) = (sizes.parameters, size_of::<T>());
    match optimizer {
        Optimizer::Flow { .. } if sizes.kinks > 0 => {
            buffer_len(&[&[4, p, size], &[2, batch, sizes.outputs, size], &[FEW]])
        }
        Optimizer::Flow { .. } => buffer_len(&[&[3, p, size], &[FEW]]),
        Optimizer::Descent { .. } => buffer_len(&[&[2, p, size], &[FEW]]),
    }
}

impl<'a, N: Network, T: Real, B: Backend<T> + ?Sized> Trainer<'a, N, T, B> {
    /// Writes the state between two steps, not more than [`state_len`] bytes: sizes, theta_0, theta, step, time, and what the
    /// optimizer needs to know. Nothing of the trainer changes.
    ///
    /// # Errors
    /// Those of the sink; [`Error::State`] for bytes that are being read, and in the middle of a step.
    pub fn save(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error> {
        if bytes.is_reading() {
            return Err(Error::State { what: "to be read into a new trainer, not into one that is being saved" });
        }
        self.between_steps()?;
        heading(bytes, &self.run.problem, &self.run.optimizer)?;
        self.run.theta_0.iter().try_for_each(|theta_0| bytes.number(&mut { *theta_0 }))?;
        bytes.numbers(self.run.state.theta)?;
        self.rest_of_state(bytes)
    }

    /// A trainer in the state that [`Self::save`] has written, of the same problem with the same optimizer: it goes on with
    /// the bits of the one that was saved.
    ///
    /// `buffer` holds at least [`super::trainer_len`] numbers.
    ///
    /// # Errors
    /// Those of [`Self::new`] and of the source; [`Error::State`]: the state is of another network, another number of
    /// samples, another optimizer, another scalar, or at a time that no training reaches.
    pub fn restore(
        backend: &'a B,
        problem: Problem<'a, N, T>,
        optimizer: Optimizer,
        buffer: &'a mut [T],
        bytes: &mut Bytes<'_>,
    ) -> Result<Self, Error> {
        heading(bytes, &problem, &optimizer)?;
        let begun = Self::begin(backend, problem, optimizer, buffer, |theta_0, theta| {
            bytes.numbers(theta_0)?;
            bytes.numbers(theta)
        });
        let mut trainer = begun.map_err(|error| match error {
            Error::NonFinite { .. } => Error::State { what: "from training that has failed" },
            error => error,
        })?;
        trainer.rest_of_state(bytes)?;
        if !tells_time(trainer.log_time()) {
            return Err(Error::State { what: "at a time that no training reaches" });
        }
        Ok(trainer)
    }

    /// All but the parameters.
    fn rest_of_state(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error> {
        let run = &mut self.run;
        bytes.count(&mut run.step)?;
        bytes.count(&mut run.evaluations)?;
        bytes.number(&mut run.state.log_time)?;
        bytes.optional(&mut run.resting_from, T::ZERO, Bytes::number)?;
        self.optimizer.descend::<N, B>().pass(bytes)
    }
}

/// What must be the same for the state to be that of this problem.
fn heading<N: Network, T: Real>(
    bytes: &mut Bytes<'_>,
    problem: &Problem<'_, N, T>,
    optimizer: &Optimizer,
) -> Result<(), Error> {
    let sizes = problem.network().sizes();
    bytes.same("from another version of this program, or not a saved state", FORMAT)?;
    bytes.same("in another precision", size_of::<T>() as u64)?;
    bytes.same("for another number of samples", problem.x().rows() as u64)?;
    bytes.same("for a network with another number of parameters", sizes.parameters as u64)?;
    bytes.same("for a network with another number of outputs", sizes.outputs as u64)?;
    let (method, number) = match *optimizer {
        Optimizer::Flow { tolerance } => (if sizes.kinks > 0 { 1 } else { 0 }, tolerance),
        Optimizer::Descent { rate } => (2, rate),
    };
    bytes.same("for another optimizer", method)?;
    bytes.same("for another tolerance or rate", number.to_bits())
}
