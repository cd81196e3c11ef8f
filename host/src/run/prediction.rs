//! What fixed kernels predict for a run, at the moments of its snapshots: gradient flow under the analytic NTK, and
//! under the kernel K_0 of the network at initialization, which is the flow of the linearized network. Both start
//! from the network's own outputs, f_0; for a shifted network these are 0, and f_t - f_0 thereafter.

use std::ops::Range;

use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, Tangent, analytic_scratch, analytic_tile, structured, structured_scratch, tangent,
    tangent_len,
};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::predict::{
    Fit, KernelFlow, KernelRegression, expand, fixed_point_len, kernel_flow_len, predict, regression_len,
    soft_targets_len,
};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Tile};

use super::fixed_flow::FixedFlow;
use super::limit::Limit;
use super::outputs::{AT_ONCE, Seen, outputs_of};
use super::prediction_table::{PredictionRow, PredictionTable};
use crate::backend::{decomposition_len, threads};
use crate::data::Samples;
use crate::experiment::BackendKind;
use crate::kernel::analytic_cross;
use crate::machine::memory::bytes_of;

/// Local error allowed in a training output, in a step of the kernel flow.
const TOLERANCE: f64 = 1e-6;

/// Numbers that solving for the dual coefficients of n samples of C outputs takes: the longest of the ways to do so.
pub(super) fn solving_len(samples: usize, outputs: usize) -> u128 {
    let lengths = [regression_len, kernel_flow_len, fixed_point_len, soft_targets_len];
    let longest = lengths.iter().map(|len| len(samples, outputs)).max().unwrap_or(0);
    longest as u128 + decomposition_len(samples.saturating_mul(outputs))
}

/// Numbers that [`Task::predictions`] takes beside the two kernels' flows: the samples and theta_0, the longest of the
/// kernels' making, solving for the coefficients, and the outputs of a moment.
pub(super) fn predicting_len(sizes: Sizes, samples: &Samples, tile: Tile) -> u128 {
    let (n, held) = (samples.n, samples.held_out.len() / samples.d.max(1));
    let block = AT_ONCE.min(n + held);
    let [n_, b, all, c] = [n, block, n + held, sizes.outputs].map(|size| size as u128);
    let tangents = tangent_len(sizes, n) as u128 + tangent_len(sizes, block) as u128 + b * c * n_ * c;
    let expanding = if c == 1 { 0 } else { all * n_ };
    let own = threads() as u128 * analytic_tile(tile, n) as u128;
    let making = tangents.max(expanding + own + analytic_scratch(sizes, tile, n + held, n) as u128);
    let held = all * samples.d as u128 + sizes.parameters as u128 + n_ * c;
    held + making.max(solving_len(n, sizes.outputs)) + 4 * all * c
}

/// Bytes that [`Task::linearized`] takes for a network of these sizes on n training samples and h held out, beside the
/// samples and the parameters.
pub fn linearized_bytes(sizes: Sizes, samples: usize, held_out: usize) -> u64 {
    let block = AT_ONCE.min(held_out);
    let [n, b, c] = [samples, block, sizes.outputs].map(|size| size as u128);
    let tangents = tangent_len(sizes, samples) as u128 + tangent_len(sizes, block.max(samples)) as u128;
    bytes_of(tangents + n.max(b) * c * n * c + solving_len(samples, sizes.outputs), 8)
}

/// These samples, [`AT_ONCE`] at a time.
fn at_once(samples: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = samples.end;
    samples.step_by(AT_ONCE).map(move |first| first..end.min(first + AT_ONCE))
}

/// What is predicted: the training problem, in f64 whatever the run's scalar.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a, N> {
    /// network
    pub network: &'a N,
    /// parameters at initialization
    pub theta_0: &'a [f64],
    /// training samples, then those held out, `(n + h, d)`
    pub x: MatRef<'a, f64>,
    /// targets `(n, C)`
    pub targets: MatRef<'a, f64>,
    /// loss
    pub loss: Loss,
    /// LAMBDA of the mean loss
    pub penalty: f64,
    /// time of the mean loss that passes while the run's time grows by 1: 1, or n where it is trained on the sum
    pub pace: f64,
    /// whether the outputs are f(x; theta) - f(x; theta_0)
    pub shifted: bool,
    /// whether y is numbers, which have neither margins nor classes
    pub values: bool,
}

/// Outputs at every snapshot: of the network, and as fixed kernels predict them.
#[derive(Clone, Debug, Default)]
pub struct Predictions {
    /// t of every snapshot
    pub times: Vec<f64>,
    /// ln(1 + t) of every snapshot
    pub log_times: Vec<f64>,
    /// the trained network, `(n + h, C)` each
    pub network: Vec<Vec<f64>>,
    /// the analytic NTK; `None` without snapshots
    pub ntk: Option<FixedFlow>,
    /// K_0: the network linearized at theta_0; `None` without snapshots
    pub linearized: Option<FixedFlow>,
    /// what is written to `predictions.csv`
    pub table: PredictionTable,
    /// where training ends, if it ends anywhere
    pub limit: Option<Limit>,
}

impl<N: Network> Task<'_, N> {
    /// Predicts at the times of `seen`.
    ///
    /// # Errors
    /// Those of the kernel flow.
    pub fn predictions(
        &self,
        (kind, backend): (BackendKind, &dyn Backend<f64>),
        seen: Vec<Seen>,
    ) -> Result<Predictions, Error> {
        let f_0 = self.f_0(backend, 0..self.x.rows())?;
        let kernels = [self.analytic(backend)?, self.empirical(backend)?];
        let limit = match seen.last() {
            Some(Seen { outputs: network, .. }) => self.limit(backend, &kernels, &f_0, network)?,
            None => None,
        };
        if seen.is_empty() {
            return Ok(Predictions { limit, ..Predictions::default() });
        }
        let moments: Vec<_> = seen.iter().map(|seen| (seen.time, seen.log_time)).collect();
        let (times, log_times): (Vec<f64>, Vec<f64>) = moments.iter().copied().unzip();
        let network: Vec<Vec<f64>> = seen.into_iter().map(|seen| seen.outputs).collect();
        debug_assert!(network.iter().all(|f| f.len() == f_0.len()));
        let row = |(time, log_time)| PredictionRow { time, log_time, ..PredictionRow::default() };
        let mut rows: Vec<_> = moments.into_iter().map(row).collect();
        let [ntk, linearized] = kernels;
        let paced: Vec<f64> = log_times.iter().map(|log_time| at_pace(self.pace, *log_time)).collect();
        let ntk = self.fixed_flow((kind, backend), ntk, &f_0, &paced)?;
        for (k, row) in rows.iter_mut().enumerate() {
            row.ntk = self.measure(&network[k], &self.moved(ntk.outputs(k)?, &f_0, ntk.dual(k)))?;
        }
        let linearized = self.fixed_flow((kind, backend), linearized, &f_0, &paced)?;
        for (k, row) in rows.iter_mut().enumerate() {
            row.linearized =
                self.measure(&network[k], &self.moved(linearized.outputs(k)?, &f_0, linearized.dual(k)))?;
        }
        let table = PredictionTable { rows };
        Ok(Predictions { times, log_times, network, ntk: Some(ntk), linearized: Some(linearized), table, limit })
    }

    /// Outputs `(h, C)` of the linearized network on the samples held out, at time t of the mean loss, infinite as well.
    /// They are taken some at a time. And, without a penalty, how far the targets are met.
    ///
    /// # Errors
    /// No finite solution.
    pub fn linearized(&self, backend: &dyn Backend<f64>, time: f64) -> Result<(Vec<f64>, Option<Fit<f64>>), Error> {
        let (all, c, n) = (self.x.rows(), self.targets.cols(), self.targets.rows());
        let sizes = self.network.sizes();
        let mut space = vec![0.0; tangent_len(sizes, n)];
        let cols = self.tangent(backend, 0..n, &mut space)?;
        let Dual { g, fit } = {
            let (kernel, f_0) = (self.empirical_rows(backend, &cols, 0..n)?, self.f_0(backend, 0..n)?);
            let (train, start) = (MatRef::new(&kernel, n * c, n * c)?, MatRef::new(&f_0, n, c)?);
            if time.is_finite() {
                self.duals(backend, train, start, &[time.ln_1p()])?.pop().unwrap_or_default()
            } else {
                self.limit_dual(backend, train, start)?
            }
        };
        let g = MatRef::new(&g, n, c)?;
        let mut outputs = Vec::with_capacity((all - n) * c);
        for rows in at_once(n..all) {
            let (kernel, f_0) = (self.empirical_rows(backend, &cols, rows.clone())?, self.f_0(backend, rows)?);
            outputs.extend(self.predicted(backend, &kernel, &f_0, g)?.outputs);
        }
        Ok((outputs, fit))
    }

    /// Outputs of these samples `(rows, C)` at theta_0.
    fn f_0(&self, backend: &dyn Backend<f64>, rows: Range<usize>) -> Result<Vec<f64>, Error> {
        if self.shifted {
            return Ok(vec![0.0; rows.len() * self.targets.cols()]);
        }
        let params = Params::new(self.network, self.theta_0)?;
        outputs_of(backend, params, self.x.block(rows, 0..self.x.cols()), &mut Vec::new())
    }

    /// Theta (x) I_C of all samples against the training samples, `((n + h) C, n C)`.
    fn analytic(&self, backend: &dyn Backend<f64>) -> Result<Vec<f64>, Error> {
        let (all, c, n) = (self.x.rows(), self.targets.cols(), self.targets.rows());
        let train = self.x.block(0..n, 0..self.x.cols());
        let kernel = analytic_cross(backend, self.network, AnalyticKernel::Ntk, self.x, train)?;
        if c == 1 {
            return Ok(kernel);
        }
        let mut full = vec![0.0; all * c * n * c];
        expand(MatRef::new(&kernel, all, n)?, c, MatMut::new(&mut full, all * c, n * c)?)?;
        Ok(full)
    }

    /// K_0 of all samples against the training samples, `((n + h) C, n C)`.
    pub(super) fn empirical(&self, backend: &dyn Backend<f64>) -> Result<Vec<f64>, Error> {
        let (all, c, n) = (self.x.rows(), self.targets.cols(), self.targets.rows());
        let mut space = vec![0.0; tangent_len(self.network.sizes(), n)];
        let cols = self.tangent(backend, 0..n, &mut space)?;
        let mut kernel = Vec::with_capacity(all * c * n * c);
        for rows in at_once(0..all) {
            kernel.extend(self.empirical_rows(backend, &cols, rows)?);
        }
        Ok(kernel)
    }

    /// The pairs (A, D) of these samples at theta_0.
    fn tangent<'a>(
        &'a self,
        backend: &dyn Backend<f64>,
        rows: Range<usize>,
        space: &'a mut [f64],
    ) -> Result<Tangent<'a, N, f64>, Error> {
        let params = Params::new(self.network, self.theta_0)?;
        tangent(backend, params, self.x.block(rows, 0..self.x.cols()), space)
    }

    /// Rows of K_0 `(rows C, n C)`; `cols` are the training samples'.
    fn empirical_rows(
        &self,
        backend: &dyn Backend<f64>,
        cols: &Tangent<'_, N, f64>,
        rows: Range<usize>,
    ) -> Result<Vec<f64>, Error> {
        let (height, width) = (rows.len() * self.targets.cols(), self.targets.rows() * self.targets.cols());
        let mut space = vec![0.0; tangent_len(self.network.sizes(), rows.len())];
        let rows = self.tangent(backend, rows, &mut space)?;
        let mut kernel = vec![0.0; height * width];
        let mut scratch = vec![0.0; structured_scratch(backend.tile(), height, width)];
        let out = MatMut::new(&mut kernel, height, width)?;
        structured(backend, &rows, Some(cols), MultiOutput::Full, out, &mut scratch)?;
        Ok(kernel)
    }

    /// The flow under the kernel `((n + h) C, n C)` from `f_0` `(n + h, C)`, at these times of the mean loss.
    fn fixed_flow(
        &self,
        (kind, backend): (BackendKind, &dyn Backend<f64>),
        kernel: Vec<f64>,
        f_0: &[f64],
        log_times: &[f64],
    ) -> Result<FixedFlow, Error> {
        let (c, n) = (self.targets.cols(), self.targets.rows());
        let train = MatRef::new(&kernel, f_0.len(), n * c)?.block(0..n * c, 0..n * c);
        let duals = self.duals(backend, train, MatRef::new(&f_0[..n * c], n, c)?, log_times)?;
        FixedFlow::new(kind, kernel, f_0.to_vec(), duals.into_iter().map(|dual| dual.g).collect(), c)
    }

    /// Dual coefficients `(n, C)` at these times under the kernel `(n C, n C)`, from f_0 `(n, C)`.
    fn duals(
        &self,
        backend: &dyn Backend<f64>,
        train: MatRef<'_, f64>,
        start: MatRef<'_, f64>,
        log_times: &[f64],
    ) -> Result<Vec<Dual>, Error> {
        let (c, n) = (self.targets.cols(), self.targets.rows());
        if self.loss.properties(c).quadratic && self.penalty == 0.0 {
            let mut buffer = vec![0.0; regression_len(n, c)];
            let mut regression = KernelRegression::new(backend, train, start, self.targets, &mut buffer)?;
            let at = |s: &f64| {
                let g = regression.dual(backend, s.exp_m1())?.data().to_vec();
                Ok(Dual { g, fit: Some(regression.fit()) })
            };
            return log_times.iter().map(at).collect();
        }
        let mut buffer = vec![0.0; kernel_flow_len(n, c)];
        let mut flow = KernelFlow::new(backend, train, start, self.targets, self.loss, TOLERANCE, &mut buffer)?;
        flow.set_penalty(self.penalty)?;
        let at = |s: &f64| {
            flow.advance_to(*s)?;
            Ok(Dual { g: flow.dual().data().to_vec(), fit: None })
        };
        log_times.iter().map(at).collect()
    }

    /// Outputs of the dual coefficients g `(n, C)` on samples whose kernel and f_0 these are; where the training samples
    /// are the first of them, |theta - theta_0| of the linear model too.
    pub(super) fn predicted(
        &self,
        backend: &dyn Backend<f64>,
        kernel: &[f64],
        f_0: &[f64],
        g: MatRef<'_, f64>,
    ) -> Result<Predicted, Error> {
        let (c, n) = (self.targets.cols(), self.targets.rows());
        let all = f_0.len() / c;
        let mut outputs = vec![0.0; all * c];
        let cross = MatRef::new(kernel, all * c, n * c)?;
        predict(backend, cross, MatRef::new(f_0, all, c)?, g, MatMut::new(&mut outputs, all, c)?)?;
        Ok(self.moved(outputs, f_0, g.data()))
    }

    /// How far the linear model with these outputs has moved.
    fn moved(&self, outputs: Vec<f64>, f_0: &[f64], g: &[f64]) -> Predicted {
        // |theta - theta_0|^2 = g^T K g of the linear model, and K g = f - f_0
        let moved = outputs.iter().zip(f_0).map(|(f, f_0)| f - f_0);
        let square: f64 = moved.zip(g).map(|(f, g)| f * g).sum();
        Predicted { outputs, distance: square.max(0.0).sqrt() }
    }

    pub(super) fn measure(
        &self,
        network: &[f64],
        Predicted { outputs: predicted, distance }: &Predicted,
    ) -> Result<Measured, Error> {
        let (c, n) = (self.targets.cols(), self.targets.rows());
        let objective = self.loss.evaluate(MatRef::new(&predicted[..n * c], n, c)?, self.targets)?;
        let difference = |from: usize, to: usize| {
            let pairs = network[from..to].iter().zip(&predicted[from..to]);
            // NaN where there is nothing to compare
            pairs.map(|(f, k)| (f - k).abs()).fold(f64::NAN, f64::max)
        };
        let of_classes = |margin: f64| if self.values { f64::NAN } else { margin };
        Ok(Measured {
            margin_min: of_classes(objective.margin_min),
            margin_mean: of_classes(objective.margin_mean),
            difference: difference(0, n * c),
            difference_held_out: difference(n * c, network.len()),
            distance: *distance,
        })
    }
}

/// ln(1 + p t) of ln(1 + t), also where t is too large to be represented.
fn at_pace(p: f64, log_time: f64) -> f64 {
    match log_time {
        s if p == 1.0 => s,
        s if s < 1.0 => (p * s.exp_m1()).ln_1p(),
        s => s + p.ln() + ((1.0 / p - 1.0) * (-s).exp()).ln_1p(),
    }
}

/// A prediction at one moment, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// smallest margin over the training samples; NaN, as every margin, where y is numbers
    pub margin_min: f64,
    /// mean margin
    pub margin_mean: f64,
    /// largest |f_t - prediction| on the training samples
    pub difference: f64,
    /// the same on those held out; NaN where there are none
    pub difference_held_out: f64,
    /// |theta_t - theta_0| of a linear model with this kernel
    pub distance: f64,
}

/// A prediction at one moment.
pub(super) struct Predicted {
    /// `(n + h, C)`
    pub(super) outputs: Vec<f64>,
    pub(super) distance: f64,
}

/// Dual coefficients of a moment.
#[derive(Default)]
pub(super) struct Dual {
    /// `(n, C)`
    pub(super) g: Vec<f64>,
    /// how far the targets are met, where that is known
    pub(super) fit: Option<Fit<f64>>,
}
