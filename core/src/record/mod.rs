//! Recording a run: one [`Snapshot`], the [`Recorder`] that takes it, a [`Record`] of fixed capacity that is
//! log-spaced in time.

mod burst;
mod reading;
mod recorder;
mod sharpness;
mod snapshot;

pub use burst::{Burst, BurstSpace, Steps, burst_len};
pub use reading::Reading;
pub use recorder::{Recorder, recorder_len};
pub use snapshot::{Column, Snapshot, Value};

use crate::state::Bytes;
use crate::{Error, Real};

/// At most `CAPACITY` snapshots, evenly spaced in ln(1 + t).
///
/// The end of a run need not be known: when the record is full every other snapshot is dropped and the
/// spacing doubled, so a finished record of even capacity k holds between k/2 and k of them, the first and the
/// last always.
///
/// ```
/// use ntkscope_core::record::{Record, Snapshot};
///
/// let mut record = Record::<f64, 8>::new(8, None)?;
/// for step in 0..=1000 {
///     let mut snapshot = Snapshot::default();
///     (snapshot.step, snapshot.log_time) = (step, 0.05 * step as f64);
///     if record.due(snapshot.log_time) {
///         record.push(snapshot);
///     }
/// }
/// let steps = record.snapshots().iter().map(|snapshot| snapshot.step);
/// assert!(steps.clone().min() == Some(0) && (4..=8).contains(&record.snapshots().len()));
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Record<T, const CAPACITY: usize> {
    snapshots: heapless::Vec<Snapshot<T>, CAPACITY>,
    capacity: usize,
    spacing: T,
}

/// Spacing in ln(1 + t) that a record begins with where the end of the run is not known.
const FIRST_SPACING: f64 = 0.125;

impl<T: Real, const CAPACITY: usize> Record<T, CAPACITY> {
    /// An empty record of at most `capacity` snapshots for a run that ends at time `until`, if known.
    /// An odd one leaves a place empty: only an even number of evenly spaced snapshots, every other one dropped,
    /// is evenly spaced up to the next.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]: `capacity` below 3 or above `CAPACITY`.
    pub fn new(capacity: usize, until: Option<T>) -> Result<Self, Error> {
        if capacity < 3 || capacity > CAPACITY {
            return Err(Error::OutOfRange {
                what: "snapshots",
                needs: "at least 3 and at most the record's capacity",
                got: capacity as f64,
            });
        }
        let known = until.map(|t| t.ln_1p() / T::from_count(capacity - 2));
        let spacing = known.unwrap_or(T::from_f64(FIRST_SPACING));
        Ok(Self { snapshots: heapless::Vec::new(), capacity: capacity - capacity % 2, spacing })
    }
    /// Whether a snapshot at `log_time` = ln(1 + t) is due.
    pub fn due(&self, log_time: T) -> bool {
        self.snapshots.last().is_none_or(|last| log_time >= last.log_time + self.spacing)
    }
    /// Adds a snapshot.
    pub fn push(&mut self, snapshot: Snapshot<T>) {
        if self.snapshots.len() == self.capacity {
            let mut index = 0;
            self.snapshots.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.spacing += self.spacing;
        }
        // there is room: the capacity is at most CAPACITY
        let _ = self.snapshots.push(snapshot);
    }
    /// All of it as bytes, to go on from; one that is read takes the place of what is here, which has the same capacity.
    ///
    /// # Errors
    /// [`Error::State`]: a record of another capacity, or with more snapshots than it has room for; those of `bytes`.
    pub fn pass(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error> {
        bytes.same("for another number of snapshots", self.capacity as u64)?;
        bytes.number(&mut self.spacing)?;
        let mut count = self.snapshots.len();
        bytes.size(&mut count)?;
        let room = if bytes.is_reading() { self.capacity } else { count };
        if count > room || self.snapshots.resize_default(count).is_err() {
            return Err(Error::State { what: "damaged" });
        }
        self.snapshots.iter_mut().try_for_each(|snapshot| snapshot.pass(bytes))
    }
    /// The snapshots, oldest first.
    pub fn snapshots(&self) -> &[Snapshot<T>] {
        &self.snapshots
    }
}
