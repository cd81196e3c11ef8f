//! What is computed for a prediction, and the memory that it takes.

use anyhow::Result;
use ntkscope_core::choice::Choice;
use ntkscope_core::init::initialize;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::Network;
use ntkscope_core::predict::Fit;
use ntkscope_core::{Error, MatRef};

use super::products::{Regression, by_products};
use super::{PredictArgs, PredictKernel};
use crate::analysis;
use crate::analysis::law::{InfiniteWidth, Initial, Law};
use crate::analysis::law_forecast::LawWork;
use crate::backend::{HostReal, threads};
use crate::cli::UsageError;
use crate::cli::prediction::{CSV_CELL, JSON_CELL};
use crate::cli::terminal::phase;
use crate::data::Samples;
use crate::experiment::{Init, Model, Training};
use crate::machine::Budget;
use crate::machine::memory::{bytes_of, process_bytes};
use crate::run;
use crate::run::{Task, all_inputs, linearized_bytes};
use crate::words::{count, listed};

/// A prediction on m test points of C outputs.
pub(super) struct Predicted {
    /// `(m, C)`
    pub(super) mean: Vec<f64>,
    /// `(m, C)`; 0 where nothing is random
    pub(super) deviation: Vec<f64>,
    pub(super) laplace: Option<Vec<f64>>,
    pub(super) fit: Option<Fit<f64>>,
}

/// What is predicted at this time.
pub(super) fn predicted(
    args: &PredictArgs,
    model: &Model,
    training: &Training,
    samples: &Samples,
    outputs: usize,
    time: f64,
    budget: &Budget,
) -> Result<Predicted> {
    let (loss, shape) = (training.core_loss(), model.shape(samples)?);
    let network = &model.network(&shape)?;
    let what = format!("prediction from {} on {}", count(samples.n, "sample"), samples.held_out.len() / samples.d);
    let (n, m) = (samples.n, samples.held_out.len() / samples.d);
    // kernels predict the flow of the mean loss
    let pace = training.pace(n);
    let (penalty, time) = (training.penalty / pace, time * pace);
    let least = least_bytes(args, samples, network, outputs);
    let left = budget.limit().map_or(u64::MAX, |limit| limit.bytes.saturating_sub(least));
    let (block, need) = match args.kernel {
        PredictKernel::Ntk => {
            let (sizes, inputs) = (network.sizes(), samples.d);
            LawWork { sizes, samples: n, points: m, inputs, outputs, loss, penalty }.plan(left)
        }
        PredictKernel::Initial => (m, linearized_bytes(network.sizes(), n, m)),
    };
    if let Err(refusal) = budget.check(&format!("a {what}"), least.saturating_add(need)) {
        if args.kernel == PredictKernel::Initial || time.is_finite() || !by_products(model, loss, penalty) {
            return Err(refusal.into());
        }
        let regression = Regression { network, samples, loss, smoothing: training.smoothing, penalty, outputs };
        return regression.predicted(&what, least, budget, args.common.quiet);
    }
    let _bar = phase(&what, args.common.quiet);
    let (x, all) = all_inputs::<f64>(samples);
    let x = MatRef::new(&x, all, samples.d)?;
    let targets: Vec<f64> = run::targets(samples, loss, training.smoothing, outputs)?;
    let targets = MatRef::new(&targets, samples.n, outputs)?;
    if args.kernel == PredictKernel::Ntk {
        let limit =
            InfiniteWidth { backend: f64::fast(), network, x, targets, loss, penalty, time, initial: Initial::Network };
        let law = limit.law(block, budget).map_err(|error| match error {
            analysis::Error::Core(error) => explain(error, training),
            other => other.into(),
        });
        let Law { mean, deviation, laplace, fit } = law?;
        // only a standard network's output at initialization is not 0, and all that is random comes from it
        let deviation = if model.init == Init::Standard { deviation } else { vec![0.0; mean.len()] };
        return Ok(Predicted { mean, deviation, laplace, fit });
    }
    let shifted = model.init == Init::Shifted;
    let mut theta_0 = vec![0.0; network.sizes().parameters];
    initialize(network, model.seed, &mut theta_0)?;
    let values = samples.are_values();
    let task = Task { network, theta_0: &theta_0, x, targets, loss, penalty, pace: 1.0, shifted, values };
    let (mean, fit) = task.linearized(f64::fast(), time).map_err(|e| explain(e, training))?;
    Ok(Predicted { deviation: vec![0.0; mean.len()], mean, laplace: None, fit })
}

/// Bytes from the beginning to the end: the program, the samples and as one matrix, the parameters, the results and what
/// they are written from.
fn least_bytes(args: &PredictArgs, samples: &Samples, network: &impl Network, outputs: usize) -> u64 {
    let sizes = network.sizes();
    let parameters = if args.kernel == PredictKernel::Initial { sizes.parameters } else { 0 };
    let [n, m, d, c, parameters] =
        [samples.n, samples.held_out.len() / samples.d, samples.d, outputs, parameters].map(|size| size as u128);
    // labels and classes, targets and what meets them
    let numbers = 2 * (n + m) * d + n * (2 + 2 * c) + parameters;
    // mean, deviation, probabilities, Laplace's deviation, the answers; in a table the points too
    let columns = 3 * c + c.max(2) + 4;
    let csv = args.out.as_ref().is_some_and(|path| path.extension().is_some_and(|e| e == "csv"));
    let text = match (csv, args.common.json) {
        (_, true) => JSON_CELL,
        (true, false) => CSV_CELL,
        (false, false) => 0,
    };
    process_bytes(threads())
        .saturating_add(bytes_of(numbers, 8))
        .saturating_add(bytes_of(m * columns, 8))
        .saturating_add(bytes_of(m * (columns + d), text))
}

/// What fixes it.
fn explain(error: Error, training: &Training) -> anyhow::Error {
    match error {
        Error::NoFiniteSolution { .. } if training.smoothing == 0.0 => {
            let soft = if training.core_loss().properties(1).probabilities { " or --smoothing" } else { "" };
            let what = format!(
                "{error}: with hard labels, training under {} never converges; give --penalty{soft}, or --kernel initial with a --time",
                training.loss.label()
            );
            UsageError::Range { flag: "--penalty", given: "0".into(), what }.into()
        }
        Error::SingularKernel { .. } => {
            let what = format!("{error}; give --penalty or --smoothing");
            UsageError::Range { flag: "--penalty", given: training.penalty.to_string(), what }.into()
        }
        Error::NotSmooth { .. } => {
            let curved = Loss::ALL.iter().filter(|loss| loss.properties(1).curved).map(Loss::to_string);
            let what = format!("{error}; give one of {}", listed(&curved.collect::<Vec<_>>()));
            UsageError::Range { flag: "--loss", given: training.loss.to_string(), what }.into()
        }
        other => other.into(),
    }
}
