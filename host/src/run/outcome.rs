//! What a run leaves behind, in memory.

use std::fmt;

use super::{Judgement, Limit, Predictions, ProfileTable, Tensor, Trace};

/// Why a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Stopped {
    /// reached its time
    Time,
    /// reached its smallest margin
    Margin,
    /// reached its loss
    Loss,
    /// took all its steps
    Steps,
    /// has an end in no time, and reached its own: nothing moves any more
    Rest,
    /// was asked to by its [`Stop`](crate::machine::Stop)
    Interrupted,
    /// could not go on
    Failed(ntkscope_core::Error),
}

/// In the words of `run.toml`: a criterion is the setting that it is.
impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time => f.write_str("reached until-time"),
            Self::Margin => f.write_str("reached until-margin"),
            Self::Loss => f.write_str("reached until-loss"),
            Self::Steps => f.write_str("took max-steps steps"),
            Self::Rest => f.write_str("converged"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Failed(e) => write!(f, "stopped: {e}"),
        }
    }
}

/// Kernels of the training samples, `(n, n)` each.
#[derive(Clone, Debug)]
pub struct Kernels {
    /// the analytic NTK
    pub analytic: Vec<f64>,
    /// the empirical one at initialization
    pub initial: Vec<f64>,
    /// the empirical one at the end
    pub last: Vec<f64>,
    /// that of the parameters at the end alone, derivatives 0 or 1 at a kink
    pub point: Vec<f64>,
    /// the empirical ones at every snapshot of the trace, where that was asked for
    pub snapshots: Option<SnapshotKernels>,
}

/// Empirical kernels at the k snapshots of a trace, one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SnapshotKernels {
    /// those that move the network, `(k, n, n)`
    pub effective: Vec<f64>,
    /// those of the parameters alone, derivatives 0 or 1 at a kink, `(k, n, n)`
    pub points: Vec<f64>,
    /// eigenvalues of the effective ones, ascending, `(k, n)`; NaN where a kernel is not finite
    pub spectra: Vec<f64>,
}

/// What became of the predictions that fixed kernels make of a run.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// they were not asked for
    NotAsked,
    /// they could not be made; the run itself is not touched by that
    Failed(ntkscope_core::Error),
    /// here they are
    Made(Box<Predictions>),
}

impl Comparison {
    /// The predictions, where they were made.
    pub fn made(&self) -> Option<&Predictions> {
        match self {
            Self::Made(predictions) => Some(predictions),
            Self::NotAsked | Self::Failed(_) => None,
        }
    }
}

impl Outcome {
    /// Frees what is written and not reported: the parameters, the kernels of snapshots, and all outputs but those at the end.
    pub fn shed(&mut self) {
        (self.parameters, self.kernels.snapshots) = (Vec::new(), None);
        if let Comparison::Made(predictions) = &mut self.predictions {
            let Predictions { network, ntk, linearized, limit, .. } = predictions.as_mut();
            (*network, *ntk, *linearized) = (Vec::new(), None, None);
            if let Some(Limit { network, ntk, linearized, .. }) = limit {
                [network, ntk, linearized].into_iter().for_each(|outputs| *outputs = Vec::new());
            }
        }
    }
}

/// What a run leaves behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// a row per snapshot
    pub trace: Trace,
    /// what is to be thought of it
    pub judgement: Judgement,
    /// of the training samples
    pub kernels: Kernels,
    /// the kernel along a curve, where that was asked for
    pub profile: Option<ProfileTable>,
    /// parameters at the end
    pub parameters: Vec<Tensor>,
    /// what fixed kernels predict at the snapshots
    pub predictions: Comparison,
    /// C
    pub outputs: usize,
    /// what the outputs are fitted to, (n, C)
    pub targets: Vec<f64>,
    /// smallest eigenvalue of the analytic kernel; NaN where samples are so large that the kernel overflows
    pub analytic_lambda_min: f64,
    /// outputs at the end on the training samples and those held out, (n + h, C); less f_0 where that is taken from them
    pub end: Vec<f64>,
    /// why it ended
    pub stopped: Stopped,
    /// gradient evaluations
    pub evaluations: u64,
    /// wall-clock seconds
    pub seconds: f64,
}
