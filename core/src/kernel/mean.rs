//! The mean over several states of a network of its pairs (A, D), and the units that sat on their kinks meanwhile.
//!
//! Where training pushes a pre-activation back to a kink of its activation from both sides, it comes to rest there, and the
//! derivative phi' that a single state shows is a toss. The network moves as if it had the *mean* of phi' over the states
//! it chatters through (a sliding mode: Filippov 1988), that is by the kernel
//!
//! ```text
//! K_eff = J J^T of the mean Jacobian = sum over layers (c^2 A A^T + s^2) o (D D^T) of the mean A and D
//! ```
//!
//! and not by the mean of the kernels, which is larger by the covariance of the Jacobian over the chatter. One state alone
//! gives the kernel of that state, bit for bit.

use super::Tangent;
use crate::backward::Deltas;
use crate::buffer::{buffer_len, take_front};
use crate::forward::Activations;
use crate::network::{Network, Sizes};
use crate::{Error, MatRef, Real};

/// The mean of the pairs (A, D) over the states that were added.
#[derive(Debug)]
pub struct MeanTangent<'a, T> {
    /// A of all layers, as a forward pass leaves them
    activations: &'a mut [T],
    /// D of all layers and outputs, as the backward passes leave them
    deltas: &'a mut [T],
    states: usize,
}

/// Elements of the buffer of a [`MeanTangent`] of n samples; `usize::MAX` where that overflows.
pub const fn mean_tangent_len(sizes: Sizes, batch: usize) -> usize {
    buffer_len(&[&[batch, sizes.activations], &[batch, sizes.outputs, sizes.deltas]])
}

impl<'a, T: Real> MeanTangent<'a, T> {
    /// That of no state of a network of these sizes on n samples.
    ///
    /// # Errors
    /// [`Error::BufferLength`]: shorter than [`mean_tangent_len`].
    pub fn new(sizes: Sizes, batch: usize, buffer: &'a mut [T]) -> Result<Self, Error> {
        Error::at_least("mean of derivatives", mean_tangent_len(sizes, batch), buffer.len())?;
        let mut rest = buffer;
        let activations = take_front(&mut rest, batch * sizes.activations);
        Ok(Self { activations, deltas: take_front(&mut rest, batch * sizes.outputs * sizes.deltas), states: 0 })
    }

    /// Forgets all states.
    pub fn clear(&mut self) {
        self.states = 0;
    }

    /// States that were added.
    pub fn states(&self) -> usize {
        self.states
    }

    /// Adds one state.
    ///
    /// # Errors
    /// [`Error::Shape`] where it is of another network or of another number of samples.
    pub fn add<N: Network>(&mut self, tangent: &Tangent<'_, N, T>) -> Result<(), Error> {
        self.add_mean(tangent.activations.values(), tangent.deltas.values(), 1)
    }

    /// Adds the states of another mean.
    ///
    /// # Errors
    /// [`Error::Shape`] where it is of another network or of another number of samples.
    pub fn merge(&mut self, other: &MeanTangent<'_, T>) -> Result<(), Error> {
        self.add_mean(other.activations, other.deltas, other.states)
    }

    fn add_mean(&mut self, values: &[T], deltas: &[T], states: usize) -> Result<(), Error> {
        Error::shape("state: activations", self.activations.len(), values.len())?;
        Error::shape("state: derivatives", self.deltas.len(), deltas.len())?;
        if states == 0 {
            return Ok(());
        }
        self.states += states;
        if self.states == states {
            self.activations.copy_from_slice(values);
            self.deltas.copy_from_slice(deltas);
            return Ok(());
        }
        let share = T::from_count(states) / T::from_count(self.states);
        for (mean, new) in [(&mut *self.activations, values), (&mut *self.deltas, deltas)] {
            mean.iter_mut().zip(new).for_each(|(mean, new)| *mean += share * (*new - *mean));
        }
        Ok(())
    }

    /// The mean pairs, as those of a state of `network` on `x`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]: no state was added; [`Error::Shape`] where they are of another network or other samples.
    pub fn tangent<'s, N: Network>(&'s self, network: &'s N, x: MatRef<'s, T>) -> Result<Tangent<'s, N, T>, Error> {
        let (n, sizes) = (x.rows(), network.sizes());
        if self.states == 0 {
            return Err(Error::OutOfRange { what: "states of a mean", needs: "at least 1", got: 0.0 });
        }
        Error::shape("mean of activations", n * sizes.activations, self.activations.len())?;
        let activations = Activations::of_values(network, x, self.activations);
        let deltas = Deltas::of_directions(n, sizes.outputs, self.deltas);
        Ok(Tangent { activations, deltas })
    }
}

/// How often every pre-activation with a kink has changed its side of it.
#[derive(Debug)]
pub struct Gates<'a, T> {
    /// 1 and the number of changes, negative where z is not above 0; 0 before the first state
    changes: &'a mut [T],
}

impl<'a, T: Real> Gates<'a, T> {
    /// Those of n samples, of no state yet: `buffer` holds `n * sizes.kinks` numbers.
    ///
    /// # Errors
    /// [`Error::Shape`]: of another length.
    pub fn new(sizes: Sizes, batch: usize, buffer: &'a mut [T]) -> Result<Self, Error> {
        Error::shape("gates", batch * sizes.kinks, buffer.len())?;
        buffer.fill(T::ZERO);
        Ok(Self { changes: buffer })
    }

    /// Forgets all states.
    pub fn clear(&mut self) {
        self.changes.fill(T::ZERO);
    }

    /// Looks at the pre-activations of one state.
    ///
    /// # Errors
    /// [`Error::Shape`] where it is of another network or of another number of samples.
    pub fn add<N: Network>(&mut self, activations: &Activations<'_, N, T>) -> Result<(), Error> {
        let (network, n, values) = (activations.network(), activations.batch(), activations.values());
        let sizes = network.sizes();
        Error::shape("state: kinks", self.changes.len(), n * sizes.kinks)?;
        let kinked = (0..sizes.layers).map(|index| network.layer(index)).filter_map(|l| Some((l.kinks?, l.outputs)));
        let pre_activations = kinked.flat_map(|(at, width)| &values[n * at..][..n * width]);
        for (changes, z) in self.changes.iter_mut().zip(pre_activations) {
            let (open, before) = (*z > T::ZERO, changes.abs());
            let now = if before == T::ZERO || open != (*changes > T::ZERO) { before + T::ONE } else { before };
            *changes = if open { now } else { -now };
        }
        Ok(())
    }

    /// Pairs of a unit and a sample that have changed their side at least twice: those that slide along the kink.
    pub fn sliding(&self) -> usize {
        let twice = T::from_f64(3.0);
        self.changes.iter().filter(|changes| changes.abs() >= twice).count()
    }
}
