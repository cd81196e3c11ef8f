//! What fixed kernels predict for a run, at the moments of its snapshots: gradient flow under the analytic NTK, and
//! under the kernel K_0 of the network at initialization, which is the flow of the linearized network. Both start
//! from the network's own outputs, f_0; for a shifted network these are 0, and f_t - f_0 thereafter.

use ntkscope_core::forward::{Params, forward};
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, analytic, analytic_scratch, structured, structured_scratch, tangent, tangent_len,
};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::Network;
use ntkscope_core::predict::{Fit, KernelFlow, KernelRegression, expand, kernel_flow_len, predict, regression_len};
use ntkscope_core::{Backend, Error, MatMut, MatRef};

use super::limit::Limit;
use super::outputs::Seen;
use super::prediction_table::{PredictionRow, PredictionTable};

/// Local error allowed in a training output, in a step of the kernel flow.
const TOLERANCE: f64 = 1e-6;

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
    /// whether the outputs are f(x; theta) - f(x; theta_0)
    pub shifted: bool,
    /// whether y is numbers, which have neither margins nor classes
    pub values: bool,
}

/// Outputs `(n + h, C)` at every snapshot: of the network, and as a fixed kernel predicts them.
#[derive(Clone, Debug, Default)]
pub struct Predictions {
    /// t of every snapshot
    pub times: Vec<f64>,
    /// ln(1 + t) of every snapshot
    pub log_times: Vec<f64>,
    /// the trained network
    pub network: Vec<Vec<f64>>,
    /// the analytic NTK
    pub ntk: Vec<Vec<f64>>,
    /// K_0: the network linearized at theta_0
    pub linearized: Vec<Vec<f64>>,
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
    pub fn predictions(&self, backend: &dyn Backend<f64>, seen: &[Seen]) -> Result<Predictions, Error> {
        let f_0 = self.f_0(backend)?;
        let log_times: Vec<f64> = seen.iter().map(|seen| seen.log_time).collect();
        let kernels = [self.analytic(backend)?, self.empirical(backend)?];
        let limit = match seen.last() {
            Some(Seen { outputs: network, .. }) => self.limit(backend, &kernels, &f_0, network)?,
            None => None,
        };
        // a penalty pulls the parameters back, which the flow of the outputs alone does not know
        let log_times = if self.penalty > 0.0 { Vec::new() } else { log_times };
        let times: Vec<f64> = seen.iter().take(log_times.len()).map(|seen| seen.time).collect();
        let ntk = self.flow(backend, &kernels[0], &f_0, &log_times)?;
        let linearized = self.flow(backend, &kernels[1], &f_0, &log_times)?;
        let network: Vec<Vec<f64>> = seen.iter().take(log_times.len()).map(|seen| seen.outputs.clone()).collect();
        let outputs = |predicted: Vec<Predicted>| predicted.into_iter().map(|p| p.outputs).collect();
        let rows = (0..log_times.len())
            .map(|k| {
                Ok(PredictionRow {
                    time: times[k],
                    log_time: log_times[k],
                    ntk: self.measure(&network[k], &ntk[k])?,
                    linearized: self.measure(&network[k], &linearized[k])?,
                })
            })
            .collect::<Result<_, Error>>()?;
        debug_assert!(network.iter().all(|f| f.len() == f_0.len()));
        let (ntk, linearized) = (outputs(ntk), outputs(linearized));
        Ok(Predictions { times, log_times, network, ntk, linearized, table: PredictionTable { rows }, limit })
    }

    /// Outputs `(n + h, C)` of the linearized network at time t of the mean loss, infinite as well, with a penalty only
    /// that; and, of the limit without a penalty, how far the targets are met.
    ///
    /// # Errors
    /// No finite solution.
    pub fn linearized(&self, backend: &dyn Backend<f64>, time: f64) -> Result<(Vec<f64>, Option<Fit<f64>>), Error> {
        let f_0 = self.f_0(backend)?;
        let kernel = self.empirical(backend)?;
        if !time.is_finite() {
            let limit = self.limit_of(backend, &kernel, &f_0)?;
            return Ok((limit.outputs, limit.fit));
        }
        let mut at = self.flow(backend, &kernel, &f_0, &[time.ln_1p()])?;
        Ok(at.pop().map_or_else(Default::default, |predicted| (predicted.outputs, predicted.fit)))
    }

    /// Outputs `(n + h, C)` at theta_0.
    fn f_0(&self, backend: &dyn Backend<f64>) -> Result<Vec<f64>, Error> {
        let (all, sizes) = (self.x.rows(), self.network.sizes());
        if self.shifted {
            return Ok(vec![0.0; all * sizes.outputs]);
        }
        let params = Params::new(self.network, self.theta_0)?;
        let mut activations = vec![0.0; all * sizes.activations];
        Ok(forward(backend, params, self.x, &mut activations)?.outputs().data().to_vec())
    }

    /// Theta (x) I_C of all samples against the training samples, `((n + h) C, n C)`.
    fn analytic(&self, backend: &dyn Backend<f64>) -> Result<Vec<f64>, Error> {
        let (all, c, n) = (self.x.rows(), self.targets.cols(), self.targets.rows());
        let mut kernel = vec![0.0; all * n];
        let mut scratch = vec![0.0; analytic_scratch(backend.tile(), all, n)];
        let train = self.x.block(0..n, 0..self.x.cols());
        let out = MatMut::new(&mut kernel, all, n)?;
        analytic(backend, self.network, AnalyticKernel::Ntk, self.x, Some(train), out, &mut scratch)?;
        let mut full = vec![0.0; all * c * n * c];
        expand(MatRef::new(&kernel, all, n)?, c, MatMut::new(&mut full, all * c, n * c)?)?;
        Ok(full)
    }

    /// K_0 of all samples against the training samples, `((n + h) C, n C)`.
    fn empirical(&self, backend: &dyn Backend<f64>) -> Result<Vec<f64>, Error> {
        let (all, c, n) = (self.x.rows(), self.targets.cols(), self.targets.rows());
        let sizes = self.network.sizes();
        let params = Params::new(self.network, self.theta_0)?;
        let (mut left, mut right) = (vec![0.0; tangent_len(sizes, all)], vec![0.0; tangent_len(sizes, n)]);
        let rows = tangent(backend, params, self.x, &mut left)?;
        let cols = tangent(backend, params, self.x.block(0..n, 0..self.x.cols()), &mut right)?;
        let mut kernel = vec![0.0; all * c * n * c];
        let mut scratch = vec![0.0; structured_scratch(backend.tile(), all * c, n * c)];
        let out = MatMut::new(&mut kernel, all * c, n * c)?;
        structured(backend, &rows, Some(&cols), MultiOutput::Full, out, &mut scratch)?;
        Ok(kernel)
    }

    /// Outputs `(n + h, C)` at these times under the kernel `((n + h) C, n C)`, from `f_0` `(n + h, C)`.
    fn flow(
        &self,
        backend: &dyn Backend<f64>,
        kernel: &[f64],
        f_0: &[f64],
        log_times: &[f64],
    ) -> Result<Vec<Predicted>, Error> {
        let (all, c, n) = (self.x.rows(), self.targets.cols(), self.targets.rows());
        let cross = MatRef::new(kernel, all * c, n * c)?;
        let train = cross.block(0..n * c, 0..n * c);
        let start = MatRef::new(&f_0[..n * c], n, c)?;
        let at = |g: MatRef<'_, f64>| self.predicted(backend, kernel, f_0, g);
        if self.loss.properties(c).quadratic {
            let mut buffer = vec![0.0; regression_len(n, c)];
            let mut regression = KernelRegression::new(backend, train, start, self.targets, &mut buffer)?;
            let mut predicted = |s: &f64| {
                let now = at(regression.dual(backend, s.exp_m1())?)?;
                Ok(Predicted { fit: Some(regression.fit()), ..now })
            };
            return log_times.iter().map(&mut predicted).collect();
        }
        let mut buffer = vec![0.0; kernel_flow_len(n, c)];
        let mut flow = KernelFlow::new(backend, train, start, self.targets, self.loss, TOLERANCE, &mut buffer)?;
        let mut outputs = Vec::new();
        for log_time in log_times {
            flow.advance_to(*log_time)?;
            outputs.push(at(flow.dual())?);
        }
        Ok(outputs)
    }

    /// Outputs `(n + h, C)` of the dual coefficients g `(n, C)`, and |theta - theta_0| of the linear model.
    pub(super) fn predicted(
        &self,
        backend: &dyn Backend<f64>,
        kernel: &[f64],
        f_0: &[f64],
        g: MatRef<'_, f64>,
    ) -> Result<Predicted, Error> {
        let (all, c, n) = (self.x.rows(), self.targets.cols(), self.targets.rows());
        let mut outputs = vec![0.0; all * c];
        let cross = MatRef::new(kernel, all * c, n * c)?;
        predict(backend, cross, MatRef::new(f_0, all, c)?, g, MatMut::new(&mut outputs, all, c)?)?;
        // |theta - theta_0|^2 = g^T K g of the linear model, and K g = f - f_0
        let moved = outputs.iter().zip(f_0).map(|(f, f_0)| f - f_0);
        let square: f64 = moved.zip(g.data()).map(|(f, g)| f * g).sum();
        Ok(Predicted { outputs, distance: square.max(0.0).sqrt(), fit: None })
    }

    pub(super) fn measure(
        &self,
        network: &[f64],
        Predicted { outputs: predicted, distance, .. }: &Predicted,
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
    /// how far the targets are met, where that was asked
    pub(super) fit: Option<Fit<f64>>,
}
