//! Where training ends: with a penalty, with soft targets, under squared error. The fixed kernels have an explicit
//! answer there.

use std::path::Path;

use ntkscope_core::network::Network;
use ntkscope_core::predict::{
    FixedPoint, KernelRegression, SoftTargets, fixed_point_len, regression_len, soft_targets_len,
};
use ntkscope_core::{Backend, Error, MatRef};

use super::prediction::{Dual, Measured, Predicted, Task};
use crate::files::{self, Cell, CsvTable};

/// Outputs `(n + h, C)` at the end: of the network, and in the limit of the fixed kernels.
#[derive(Clone, Debug, Default)]
pub struct Limit {
    /// the trained network
    pub network: Vec<f64>,
    /// the analytic NTK
    pub ntk: Vec<f64>,
    /// K_0: the network linearized at theta_0
    pub linearized: Vec<f64>,
    /// what is written to `limit.csv`
    pub row: LimitRow,
}

/// The row of `limit.csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LimitRow {
    /// in the limit of the analytic NTK
    pub ntk: LimitMeasured,
    /// in the limit under K_0
    pub linearized: LimitMeasured,
    /// with a penalty LAMBDA: `sqrt(2 R(f_0)/LAMBDA)`, which |theta_t - theta_0| never exceeds; else infinite
    pub bound: f64,
}

/// A limit in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LimitMeasured {
    /// margins, differences from the network at its end, distance
    pub measured: Measured,
    /// share of the held-out samples whose class is the network's; NaN where there are none, or no classes
    pub agreement: f64,
}

impl<N: Network> Task<'_, N> {
    /// The limits under the two kernels, analytic and K_0, beside the network's outputs; `None` where there is none:
    /// without a penalty, a sample with a certain target goes on for ever.
    pub(super) fn limit(
        &self,
        backend: &dyn Backend<f64>,
        kernels: &[Vec<f64>; 2],
        f_0: &[f64],
        network: &[f64],
    ) -> Result<Option<Limit>, Error> {
        let [ntk, linearized] = [&kernels[0], &kernels[1]].map(|kernel| self.limit_of(backend, kernel, f_0));
        let endless = |e: &Error| matches!(e, Error::NoFiniteSolution { .. } | Error::SingularKernel { .. });
        if self.penalty == 0.0 && [&ntk, &linearized].into_iter().any(|limit| limit.as_ref().is_err_and(endless)) {
            return Ok(None);
        }
        let (ntk, linearized) = (ntk?, linearized?);
        let (c, n) = (self.targets.cols(), self.targets.rows());
        let start = self.loss.evaluate(MatRef::new(&f_0[..n * c], n, c)?, self.targets)?.loss;
        let bound = if self.penalty > 0.0 { (2.0 * start / self.penalty).sqrt() } else { f64::INFINITY };
        let row =
            LimitRow { ntk: self.compare(network, &ntk)?, linearized: self.compare(network, &linearized)?, bound };
        Ok(Some(Limit { network: network.to_vec(), ntk: ntk.outputs, linearized: linearized.outputs, row }))
    }

    /// Outputs `(n + h, C)` in the limit of the network linearized at theta_0, from `start` `(n + h, C)` in place of its own
    /// f_0.
    ///
    /// # Errors
    /// There is no such limit, or none that can be found; shapes.
    pub fn linearized_limit(&self, backend: &dyn Backend<f64>, start: &[f64]) -> Result<Vec<f64>, Error> {
        Error::shape("f_0", self.x.rows() * self.targets.cols(), start.len())?;
        Ok(self.limit_of(backend, &self.empirical(backend)?, start)?.outputs)
    }

    /// Outputs `(n + h, C)` in the limit under the kernel `((n + h) C, n C)`, from f_0 `(n + h, C)`.
    fn limit_of(&self, backend: &dyn Backend<f64>, kernel: &[f64], f_0: &[f64]) -> Result<Predicted, Error> {
        let (c, n) = (self.targets.cols(), self.targets.rows());
        let train = MatRef::new(kernel, f_0.len(), n * c)?.block(0..n * c, 0..n * c);
        let Dual { g, .. } = self.limit_dual(backend, train, MatRef::new(&f_0[..n * c], n, c)?)?;
        self.predicted(backend, kernel, f_0, MatRef::new(&g, n, c)?)
    }

    /// Dual coefficients `(n, C)` of the limit under the kernel `(n C, n C)`, from f_0 `(n, C)`.
    pub(super) fn limit_dual(
        &self,
        backend: &dyn Backend<f64>,
        train: MatRef<'_, f64>,
        start: MatRef<'_, f64>,
    ) -> Result<Dual, Error> {
        let (c, n) = (self.targets.cols(), self.targets.rows());
        if self.penalty > 0.0 {
            let mut buffer = vec![0.0; fixed_point_len(n, c)];
            let mut end = FixedPoint::new(backend, train, self.targets, self.loss, self.penalty, &mut buffer)?;
            end.solve(start)?;
            return Ok(Dual { g: end.dual().data().to_vec(), fit: None });
        }
        if self.loss.properties(c).quadratic {
            let mut buffer = vec![0.0; regression_len(n, c)];
            let mut end = KernelRegression::new(backend, train, start, self.targets, &mut buffer)?;
            let g = end.dual(backend, f64::INFINITY)?.data().to_vec();
            return Ok(Dual { g, fit: Some(end.fit()) });
        }
        let mut buffer = vec![0.0; soft_targets_len(n, c)];
        let mut end = SoftTargets::new(backend, train, self.targets, self.loss, &mut buffer)?;
        end.solve(start)?;
        Ok(Dual { g: end.dual().data().to_vec(), fit: Some(end.fit()) })
    }

    fn compare(&self, network: &[f64], predicted: &Predicted) -> Result<LimitMeasured, Error> {
        let (c, n) = (self.targets.cols(), self.targets.rows());
        // one output: its sign
        let class = |f: &[f64]| match f {
            [f] => usize::from(*f > 0.0),
            all => (0..all.len()).fold(0, |best, i| if all[i] > all[best] { i } else { best }),
        };
        let held_out = || network[n * c..].chunks_exact(c).zip(predicted.outputs[n * c..].chunks_exact(c));
        let same = held_out().filter(|(f, k)| class(f) == class(k)).count();
        Ok(LimitMeasured {
            measured: self.measure(network, predicted)?,
            // 0/0 is NaN, as it should be
            agreement: if self.values { f64::NAN } else { same as f64 / held_out().count() as f64 },
        })
    }
}

pub(super) const COLUMNS: [&str; 13] = [
    "ntk_margin_min",
    "ntk_margin_mean",
    "ntk_difference",
    "ntk_difference_held_out",
    "ntk_distance",
    "ntk_agreement",
    "linearized_margin_min",
    "linearized_margin_mean",
    "linearized_difference",
    "linearized_difference_held_out",
    "linearized_distance",
    "linearized_agreement",
    "bound",
];

impl LimitRow {
    /// Writes the file, under a temporary name first.
    ///
    /// # Errors
    /// [`files::Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), files::Error> {
        self.table().write(path)
    }
    /// The same as texts.
    pub fn table(&self) -> CsvTable {
        let limits = [self.ntk, self.linearized].into_iter();
        let numbers =
            limits.flat_map(|LimitMeasured { measured, agreement }| measured.numbers().into_iter().chain([agreement]));
        let mut table = CsvTable::new(COLUMNS);
        table.push(numbers.chain([self.bound]).map(Cell::from));
        table
    }
    /// Reads the file; `None` where there is none.
    ///
    /// # Errors
    /// [`files::Error`]: the file cannot be read or is damaged.
    pub fn read(path: &Path) -> Result<Option<Self>, files::Error> {
        CsvTable::read_if_there(path)?.map(|table| Self::of(&table)).transpose()
    }
    /// The limit in a table of texts.
    ///
    /// # Errors
    /// [`files::Error`]: other columns, no row, or a cell that is no number.
    pub fn of(table: &CsvTable) -> Result<Self, files::Error> {
        table.check_columns(&COLUMNS)?;
        let row = table.rows().next().ok_or_else(|| files::Error::NoRow { path: table.path().into() })?;
        let v = row.numbers()?;
        let limit = |v: &[f64]| LimitMeasured { measured: Measured::from_numbers(v), agreement: v[5] };
        Ok(Self { ntk: limit(&v[..6]), linearized: limit(&v[6..12]), bound: v[12] })
    }
}
