//! One moment of a run, and its columns: names, reading and writing follow from one list.

use crate::linalg::{distance, max_distance, norm};
use crate::loss::Objective;
use crate::state::Bytes;
use crate::{Error, Real};
use core::fmt;

/// What is known of a network at one moment of its training. Kernels are those of the training samples:
/// K_t the empirical one (for C outputs its trace over outputs, divided by C), Theta the analytic one.
///
/// Made by [`super::Recorder::observe`], or all zeros by `default` and filled by [`Column::read`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Snapshot<T> {
    /// accepted steps
    pub step: u64,
    /// gradient-flow time t of the mean loss, or of the sum where the problem sums; infinite where it is too large to be represented
    pub time: T,
    /// ln(1 + t)
    pub log_time: T,
    /// mean loss, or the sum where the problem sums, without the penalty
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
    /// |K_t - K_0|_F / |K_0|_F; NaN, which is undefined, where both are 0
    pub drift_fro: T,
    /// max_ij |K_t - Theta|
    pub error_max: T,
    /// |K_t - Theta|_F / |Theta|_F; NaN where both are 0
    pub error_fro: T,
    /// centred alignment of K_t with K_0
    pub alignment: T,
    /// smallest eigenvalue of K_t, and 0 where it is 0 to rounding: see [`crate::kernel::Spectrum`]
    pub lambda_min: T,
    /// largest eigenvalue of K_t
    pub lambda_max: T,
    /// lambda_max / lambda_min; infinite for a singular kernel, NaN for one that is 0 or indefinite
    pub condition: T,
    /// exp of the entropy of the normalized eigenvalues of K_t; NaN for a kernel that is 0
    pub effective_rank: T,
    /// whether loss, parameters and kernel are finite
    pub finite: bool,
    /// standard error of `drift_max`, from the quarters of a burst; NaN without one
    pub drift_max_se: T,
    /// pairs of a unit and a sample that slide along their kink
    pub sliding: u64,
    /// velocity error of the burst, see [`super::Burst`]; NaN without one, and where outputs move by no more than rounding
    pub velocity_error: T,
    /// max_ij |K - K_0| with K the kernel of a point, whose derivatives at a kink are 0 or 1
    pub point_drift_max: T,
    /// |K - K_0|_F / |K_0|_F of the same
    pub point_drift_fro: T,
    /// of a descent, rate times sharpness over 2: it is stable below 1; NaN for a flow
    pub stability: T,
    /// centred alignment of K_t with the targets' Gram matrix `Y Y^T`
    pub target_alignment: T,
    /// max_i |theta_i - theta_0i|
    pub param_max: T,
    /// largest `drift_max` of all snapshots so far
    pub drift_highest: T,
    /// largest `error_max` of all snapshots so far
    pub error_highest: T,
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
        Column::number("drift_max_se", |s| &mut s.drift_max_se),
        Column::count("sliding", |s| &mut s.sliding),
        Column::number("velocity_error", |s| &mut s.velocity_error),
        Column::number("point_drift_max", |s| &mut s.point_drift_max),
        Column::number("point_drift_fro", |s| &mut s.point_drift_fro),
        Column::number("stability", |s| &mut s.stability),
        Column::number("target_alignment", |s| &mut s.target_alignment),
        Column::number("param_max", |s| &mut s.param_max),
        Column::number("drift_highest", |s| &mut s.drift_highest),
        Column::number("error_highest", |s| &mut s.error_highest),
    ];

    /// Nothing is known: NaN in every number, counts of 0.
    pub fn unknown() -> Self {
        let mut snapshot = Self::default();
        for column in Self::COLUMNS {
            column.set(&mut snapshot, Value::Number(T::from_f64(f64::NAN)));
        }
        snapshot
    }

    /// Fills the columns of an objective: loss, accuracy, margins, largest output.
    pub fn set_objective(&mut self, objective: &Objective<T>) {
        self.loss = objective.loss;
        self.accuracy = objective.accuracy;
        self.margin_min = objective.margin_min;
        self.margin_mean = objective.margin_mean;
        self.logit_max = objective.logit_max;
    }

    /// Fills those of parameters theta of P numbers that began as theta_0: |theta|, |theta - theta_0|, max_i |theta_i - theta_0i|.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn set_parameters(&mut self, theta: &[T], theta_0: &[T]) {
        self.param_norm = norm(theta);
        self.param_distance = distance(theta, theta_0);
        self.param_max = max_distance(theta, theta_0);
    }

    /// The column of this name.
    pub fn column(name: &str) -> Option<&'static Column<T>> {
        Self::COLUMNS.iter().find(|column| column.name == name)
    }

    /// Every real number under its name, in the order of [`Self::COLUMNS`]: all but the counts and `finite`.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, T)> {
        Self::COLUMNS.iter().filter_map(|column| match column.get(self) {
            Value::Number(x) => Some((column.name, x)),
            _ => None,
        })
    }

    /// All columns as bytes.
    ///
    /// # Errors
    /// Those of `bytes`.
    pub(super) fn pass(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error> {
        Self::COLUMNS.iter().try_for_each(|column| match column.field {
            Field::Count(field) => bytes.count(field(self)),
            Field::Number(field) => bytes.number(field(self)),
            Field::Flag(field) => bytes.flag(field(self)),
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

/// What a [`Column`] holds. Its text, by `Display`, is the shortest that reads back as the same value; that of NaN, which
/// stands for what is undefined or not measured, is empty.
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
            Self::Number(x) if x.is_nan() => Ok(()),
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
    /// assert!(loss.read(&mut snapshot, "").is_some() && snapshot.loss.is_nan());
    /// ```
    pub fn read(&self, snapshot: &mut Snapshot<T>, text: &str) -> Option<Value<T>> {
        let value = match self.field {
            Field::Count(_) => Value::Count(text.parse().ok()?),
            Field::Number(_) if text.is_empty() => Value::Number(T::from_f64(f64::NAN)),
            Field::Number(_) => Value::Number(T::from_f64(text.parse().ok()?)),
            Field::Flag(_) => Value::Flag(text.parse().ok()?),
        };
        self.set(snapshot, value);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt::Write;

    /// A snapshot whose k-th number is k + 1/2.
    fn filled() -> Snapshot<f64> {
        let mut snapshot = Snapshot::default();
        for (k, column) in Snapshot::COLUMNS.iter().enumerate() {
            let value = match column.get(&snapshot) {
                Value::Count(_) => Value::Count(u64::MAX - k as u64),
                Value::Number(_) => Value::Number(k as f64 + 0.5),
                Value::Flag(_) => Value::Flag(true),
            };
            column.set(&mut snapshot, value);
        }
        snapshot
    }

    #[test]
    fn every_column_is_a_field_of_its_own() {
        let (snapshot, columns) = (filled(), Snapshot::<f64>::COLUMNS);
        for (k, column) in columns.iter().enumerate() {
            let expected = match column.get(&snapshot) {
                Value::Count(n) => n == u64::MAX - k as u64,
                Value::Number(x) => x == k as f64 + 0.5,
                Value::Flag(b) => b,
            };
            assert!(expected, "{} is written by another column", column.name());
            assert!(columns[..k].iter().all(|other| other.name() != column.name()), "{} twice", column.name());
        }
        // no field is left out
        assert_eq!(size_of::<Snapshot<f64>>(), 8 * columns.len());
        assert_eq!((snapshot.step, snapshot.finite, snapshot.log_time), (u64::MAX, true, 19.5));
    }

    #[test]
    fn texts_read_back_as_the_same_bits() {
        let awkward = [0.1, -0.0, f64::MAX, f64::from_bits(1), f64::INFINITY, 1.0 / 3.0, 1e300, f64::NAN];
        let mut snapshot = filled();
        for (k, x) in awkward.into_iter().enumerate() {
            (snapshot.loss, snapshot.time) = (x, awkward[(k + 1) % awkward.len()]);
            let mut back = Snapshot::default();
            for column in Snapshot::<f64>::COLUMNS {
                let mut text = heapless::String::<400>::new();
                write!(text, "{}", column.get(&snapshot)).unwrap();
                assert!(column.read(&mut back, &text).is_some(), "{}: {text}", column.name());
                assert!(column.read(&mut back, "neither").is_none());
            }
            for column in Snapshot::<f64>::COLUMNS {
                match (column.get(&snapshot), column.get(&back)) {
                    (Value::Number(a), Value::Number(b)) => {
                        assert!(a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(), "{}", column.name());
                    }
                    (a, b) => assert_eq!(a, b),
                }
            }
        }
    }

    #[test]
    fn fields_are_the_numbers_in_the_order_of_the_columns() {
        let names = || Snapshot::<f64>::COLUMNS.iter().map(Column::name);
        let snapshot = filled();
        let numbers = names().filter(|name| !["step", "finite", "sliding"].contains(name));
        assert!(snapshot.fields().map(|(name, _)| name).eq(numbers));
        assert!(
            snapshot
                .fields()
                .all(|(name, x)| Snapshot::column(name).map(|c| c.get(&snapshot)) == Some(Value::Number(x)))
        );
        assert_eq!(snapshot.to_f64(), snapshot);
        assert!(Snapshot::<f64>::column("no such column").is_none());
    }
}
