//! Recording a run: one [`Snapshot`], the [`Recorder`] that takes it, a [`Record`] of fixed capacity that is
//! log-spaced in time.

use core::fmt;

use crate::forward::Params;
use crate::kernel::{
    AnalyticKernel, MultiOutput, analytic, analytic_scratch, centred_alignment, max_abs_difference, relative_frobenius,
    spectrum, structured, structured_scratch, tangent,
};
use crate::linalg::{squared_distance, sum_of_squares};
use crate::mat::{buffer_len, take_front};
use crate::network::Network;
use crate::train::Trainer;
use crate::{Backend, Error, MatMut, MatRef, Real, Tile};

/// What is known of a network at one moment of its training. Kernels are those of the training samples:
/// K_t the empirical one (for C outputs its trace over outputs, divided by C), Theta the analytic one.
///
/// Made by [`Recorder::observe`], or all zeros by `default` and filled by [`Column::read`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Snapshot<T> {
    /// accepted steps
    pub step: u64,
    /// gradient-flow time t of the mean loss; infinite where it is too large to be represented
    pub time: T,
    /// ln(1 + t)
    pub log_time: T,
    /// mean loss, without the penalty
    pub loss: T,
    /// share of samples with a positive margin
    pub accuracy: T,
    /// smallest margin
    pub margin_min: T,
    /// mean margin
    pub margin_mean: T,
    /// largest |f|, less the problem's offset
    pub logit_max: T,
    /// |theta|
    pub param_norm: T,
    /// |theta - theta_0|
    pub param_distance: T,
    /// max_ij |K_t - K_0|
    pub drift_max: T,
    /// |K_t - K_0|_F / |K_0|_F
    pub drift_fro: T,
    /// max_ij |K_t - Theta|
    pub error_max: T,
    /// |K_t - Theta|_F / |Theta|_F
    pub error_fro: T,
    /// centred alignment of K_t with K_0
    pub alignment: T,
    /// smallest eigenvalue of K_t
    pub lambda_min: T,
    /// largest eigenvalue of K_t
    pub lambda_max: T,
    /// lambda_max / lambda_min
    pub condition: T,
    /// exp of the entropy of the normalised eigenvalues of K_t
    pub effective_rank: T,
    /// whether loss, parameters and kernel are finite
    pub finite: bool,
}

impl<T: Real> Snapshot<T> {
    /// Every field, in the order in which files have them.
    ///
    /// ```
    /// use ntkscope_core::record::{Column, Snapshot};
    ///
    /// let names = Snapshot::<f64>::COLUMNS.iter().map(Column::name);
    /// assert!(names.take(4).eq(["step", "time", "loss", "accuracy"]));
    /// ```
    pub const COLUMNS: &'static [Column<T>] = &[
        Column::count("step", |s| &mut s.step),
        Column::number("time", |s| &mut s.time),
        Column::number("loss", |s| &mut s.loss),
        Column::number("accuracy", |s| &mut s.accuracy),
        Column::number("margin_min", |s| &mut s.margin_min),
        Column::number("margin_mean", |s| &mut s.margin_mean),
        Column::number("logit_max", |s| &mut s.logit_max),
        Column::number("param_norm", |s| &mut s.param_norm),
        Column::number("param_distance", |s| &mut s.param_distance),
        Column::number("drift_max", |s| &mut s.drift_max),
        Column::number("drift_fro", |s| &mut s.drift_fro),
        Column::number("error_max", |s| &mut s.error_max),
        Column::number("error_fro", |s| &mut s.error_fro),
        Column::number("alignment", |s| &mut s.alignment),
        Column::number("lambda_min", |s| &mut s.lambda_min),
        Column::number("lambda_max", |s| &mut s.lambda_max),
        Column::number("condition", |s| &mut s.condition),
        Column::number("effective_rank", |s| &mut s.effective_rank),
        Column::flag("finite", |s| &mut s.finite),
        Column::number("log_time", |s| &mut s.log_time),
    ];

    /// The column of this name.
    pub fn column(name: &str) -> Option<&'static Column<T>> {
        Self::COLUMNS.iter().find(|column| column.name == name)
    }

    /// Every real number under its name, in the order of [`Self::COLUMNS`]: all but `step` and `finite`.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, T)> {
        Self::COLUMNS.iter().filter_map(|column| match column.get(self) {
            Value::Number(x) => Some((column.name, x)),
            _ => None,
        })
    }

    /// The same in double precision.
    pub fn to_f64(&self) -> Snapshot<f64> {
        let mut out = Snapshot::default();
        for (from, to) in Self::COLUMNS.iter().zip(Snapshot::<f64>::COLUMNS) {
            to.set(&mut out, from.get(self).to_f64());
        }
        out
    }
}

/// One field of a [`Snapshot`]: its name, how it is read and written.
#[derive(Clone, Copy, Debug)]
pub struct Column<T: 'static> {
    name: &'static str,
    field: Field<T>,
}

#[derive(Clone, Copy, Debug)]
enum Field<T: 'static> {
    Count(fn(&mut Snapshot<T>) -> &mut u64),
    Number(fn(&mut Snapshot<T>) -> &mut T),
    Flag(fn(&mut Snapshot<T>) -> &mut bool),
}

/// What a [`Column`] holds. Its text, by `Display`, is the shortest that reads back as the same value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<T> {
    /// a count
    Count(u64),
    /// a real number
    Number(T),
    /// true or false
    Flag(bool),
}

impl<T: Real> Value<T> {
    fn to_f64(self) -> Value<f64> {
        match self {
            Self::Count(n) => Value::Count(n),
            Self::Number(x) => Value::Number(x.to_f64()),
            Self::Flag(b) => Value::Flag(b),
        }
    }
}

impl<T: Real> fmt::Display for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(n) => write!(f, "{n}"),
            // `Debug` of a float has an exponent where that is shorter, `Display` never
            Self::Number(x) => write!(f, "{x:?}"),
            Self::Flag(b) => write!(f, "{b}"),
        }
    }
}

impl<T: Real> Column<T> {
    const fn count(name: &'static str, field: fn(&mut Snapshot<T>) -> &mut u64) -> Self {
        Self { name, field: Field::Count(field) }
    }
    const fn number(name: &'static str, field: fn(&mut Snapshot<T>) -> &mut T) -> Self {
        Self { name, field: Field::Number(field) }
    }
    const fn flag(name: &'static str, field: fn(&mut Snapshot<T>) -> &mut bool) -> Self {
        Self { name, field: Field::Flag(field) }
    }

    /// The name, `drift_max`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// This field of `snapshot`.
    pub fn get(&self, snapshot: &Snapshot<T>) -> Value<T> {
        let mut snapshot = *snapshot;
        match self.field {
            Field::Count(field) => Value::Count(*field(&mut snapshot)),
            Field::Number(field) => Value::Number(*field(&mut snapshot)),
            Field::Flag(field) => Value::Flag(*field(&mut snapshot)),
        }
    }

    /// Writes a value of this column's type; one of another type changes nothing.
    fn set(&self, snapshot: &mut Snapshot<T>, value: Value<T>) {
        match (self.field, value) {
            (Field::Count(field), Value::Count(n)) => *field(snapshot) = n,
            (Field::Number(field), Value::Number(x)) => *field(snapshot) = x,
            (Field::Flag(field), Value::Flag(b)) => *field(snapshot) = b,
            _ => {}
        }
    }

    /// Writes this field of `snapshot` from its text. The value is returned; `None`, and nothing written, where the
    /// text is none of this column's type.
    ///
    /// ```
    /// use ntkscope_core::record::{Snapshot, Value};
    ///
    /// let mut snapshot = Snapshot::<f64>::default();
    /// let loss = Snapshot::column("loss").unwrap();
    /// assert_eq!(loss.read(&mut snapshot, "6.9e-1"), Some(Value::Number(0.69)));
    /// assert_eq!((snapshot.loss, loss.get(&snapshot).to_string()), (0.69, "0.69".to_string()));
    /// assert_eq!(loss.read(&mut snapshot, "low"), None);
    /// ```
    pub fn read(&self, snapshot: &mut Snapshot<T>, text: &str) -> Option<Value<T>> {
        let value = match self.field {
            Field::Count(_) => Value::Count(text.parse().ok()?),
            Field::Number(_) => Value::Number(T::from_f64(text.parse().ok()?)),
            Field::Flag(_) => Value::Flag(text.parse().ok()?),
        };
        self.set(snapshot, value);
        Some(value)
    }
}

/// Kernels of the training samples: analytic, at initialization, now.
///
/// ```
/// use ntkscope_core::{MatRef, Portable, loss::Loss, network::Fcn};
/// use ntkscope_core::record::{Recorder, recorder_len};
/// use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
///
/// let (network, flow) = (Fcn::new(1, &[16], 1)?, Optimizer::Flow { tolerance: 0.01 });
/// let (x, y) = (MatRef::new(&[1.0, -2.0], 2, 1)?, MatRef::new(&[1.0, -1.0], 2, 1)?);
/// let problem = Problem::new(&network, x, y, Loss::SquaredError, 0.0)?;
/// let mut buffer = vec![0.0f64; trainer_len(network.sizes(), 2, &flow)];
/// let mut kernels = vec![0.0; recorder_len(2, Portable::TILE)];
/// let mut trainer = Trainer::new(&Portable, problem, flow, 7, &mut buffer)?;
/// let mut recorder = Recorder::new(&mut trainer, &mut kernels)?;
/// assert_eq!(recorder.observe(&mut trainer)?.drift_max, 0.0);
/// trainer.advance(None)?;
/// assert!(recorder.observe(&mut trainer)?.drift_max > 0.0);
/// # Ok::<(), ntkscope_core::Error>(())
/// ```
pub struct Recorder<'a, T> {
    n: usize,
    analytic: &'a mut [T],
    initial: &'a mut [T],
    current: &'a mut [T],
    work: &'a mut [T],
    values: &'a mut [T],
    scratch: &'a mut [T],
}

/// Elements of the buffer of a [`Recorder`] for n samples on a backend whose tile is `tile`.
pub const fn recorder_len(batch: usize, tile: Tile) -> usize {
    buffer_len(&[&[4, batch, batch], &[batch], &[scratch_len(batch, tile)]])
}

const fn scratch_len(n: usize, tile: Tile) -> usize {
    let (s, a) = (structured_scratch(tile, n, n), analytic_scratch(tile, n, n));
    let longer = if s > a { s } else { a };
    if longer > n { longer } else { n }
}

impl<'a, T: Real> Recorder<'a, T> {
    /// Computes Theta, and K_0 at the trainer's present parameters.
    ///
    /// `buffer` holds at least [`recorder_len`] numbers.
    ///
    /// # Errors
    /// A short buffer.
    pub fn new<N: Network, B: Backend<T> + ?Sized>(
        trainer: &mut Trainer<'_, N, T, B>,
        buffer: &'a mut [T],
    ) -> Result<Self, Error> {
        let (n, backend) = (trainer.problem().x().rows(), trainer.backend());
        let tile = backend.tile();
        Error::at_least("recorder", recorder_len(n, tile), buffer.len())?;
        let mut rest = buffer;
        let mut take = |len: usize| take_front(&mut rest, len);
        let mut recorder = Self {
            n,
            analytic: take(n * n),
            initial: take(n * n),
            current: take(n * n),
            work: take(n * n),
            values: take(n),
            scratch: take(scratch_len(n, tile)),
        };
        let (network, x) = (trainer.problem().network(), trainer.problem().x());
        let theta = MatMut::dense(recorder.analytic, n, n);
        analytic(backend, network, AnalyticKernel::Ntk, x, None, theta, recorder.scratch)?;
        recorder.measure_kernel(trainer)?;
        recorder.initial.copy_from_slice(recorder.current);
        Ok(recorder)
    }

    /// The analytic NTK Theta `(n, n)`.
    pub fn analytic(&self) -> MatRef<'_, T> {
        MatRef::dense(self.analytic, self.n, self.n)
    }
    /// K_0 `(n, n)`.
    pub fn initial(&self) -> MatRef<'_, T> {
        MatRef::dense(self.initial, self.n, self.n)
    }
    /// K_t `(n, n)` of the last snapshot.
    pub fn current(&self) -> MatRef<'_, T> {
        MatRef::dense(self.current, self.n, self.n)
    }

    fn measure_kernel<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, B>,
    ) -> Result<(), Error> {
        let (backend, network, x) = (trainer.backend(), trainer.problem().network(), trainer.problem().x());
        let (theta, work) = trainer.parts();
        let tangent = tangent(backend, Params::new(network, theta)?, x, work)?;
        let kernel = MatMut::dense(self.current, self.n, self.n);
        structured(backend, &tangent, None, MultiOutput::Trace, kernel, self.scratch)
    }

    /// The snapshot of this moment. Where something is not finite, `finite` is false and the numbers that
    /// cannot be computed are NaN.
    pub fn observe<N: Network, B: Backend<T> + ?Sized>(
        &mut self,
        trainer: &mut Trainer<'_, N, T, B>,
    ) -> Result<Snapshot<T>, Error> {
        self.measure_kernel(trainer)?;
        let (initial, analytic, current) = (self.initial(), self.analytic(), self.current());
        let drift_max = max_abs_difference(current, initial)?;
        let (drift_fro, error_fro) = (relative_frobenius(current, initial)?, relative_frobenius(current, analytic)?);
        let (error_max, alignment) = (max_abs_difference(current, analytic)?, centred_alignment(current, initial)?);
        let objective = *trainer.objective();
        let param_norm = sum_of_squares(trainer.theta()).sqrt();
        let param_distance = squared_distance(trainer.theta(), trainer.theta_0()).sqrt();
        let finite = drift_fro.is_finite() && param_norm.is_finite() && objective.loss.is_finite();
        let n = self.n;
        let (kernel, work) = (MatRef::dense(self.current, n, n), MatMut::dense(self.work, n, n));
        let nan = T::from_f64(f64::NAN);
        let (lambda_min, lambda_max, condition, effective_rank) = if finite {
            let s = spectrum(trainer.backend(), kernel, work, self.values, self.scratch)?;
            (s.lambda_min, s.lambda_max, s.condition, s.effective_rank)
        } else {
            (nan, nan, nan, nan)
        };
        Ok(Snapshot {
            step: trainer.step(),
            time: trainer.time(),
            log_time: trainer.log_time(),
            loss: objective.loss,
            accuracy: objective.accuracy,
            margin_min: objective.margin_min,
            margin_mean: objective.margin_mean,
            logit_max: objective.logit_max,
            param_norm,
            param_distance,
            drift_max,
            drift_fro,
            error_max,
            error_fro,
            alignment,
            lambda_min,
            lambda_max,
            condition,
            effective_rank,
            finite,
        })
    }
}

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
    /// `capacity` below 3 or above `CAPACITY`.
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
    /// The snapshots, oldest first.
    pub fn snapshots(&self) -> &[Snapshot<T>] {
        &self.snapshots
    }
}
