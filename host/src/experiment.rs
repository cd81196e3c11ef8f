//! What will run: settings with every default filled in, checked, ready to be saved and run again.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Activation, Bias, Fcn, Mirrored, ResNet, Trained};
use ntkscope_core::train::Optimizer;

use crate::data::{DataSpec, Samples, Source};
use crate::error::UsageError;
use crate::network::AnyNetwork;
use crate::prediction::MAX_SIZE;
use crate::settings::{
    ActivationKind, BackendKind, BiasKind, Dtype, Init, LossKind, ModelSettings, NetworkKind, OptimizerKind, Settings,
    TrainedKind, TrainingSettings,
};

/// Largest `--width` and `--outputs`: such layers have 2^40 weights, and no count of bytes overflows yet.
pub const MAX_WIDTH: usize = 1 << 20;
/// Largest `--depth`.
const MAX_DEPTH: usize = 10_000;
/// Largest `--snapshots`.
pub const MAX_SNAPSHOTS: usize = 1024;

/// A network and its data, resolved.
#[derive(Clone, Debug)]
pub struct Model {
    /// widths of the hidden layers or blocks
    pub widths: Vec<usize>,
    /// outputs C
    pub outputs: usize,
    /// numbers per sample d
    pub inputs: usize,
    /// initialization
    pub init: Init,
    /// seed of the parameters
    pub seed: u64,
    /// scalar
    pub dtype: Dtype,
    kind: NetworkKind,
    activation: Activation,
    bias: Bias,
    bias_scale: f64,
    alpha: f64,
    trained: Trained,
    /// the same as settings, every key filled in
    pub settings: ModelSettings,
}

/// One training run, resolved. [`LossKind::Both`] is two of them.
#[derive(Clone, Debug)]
pub struct Training {
    /// squared error or cross-entropy
    pub loss_kind: LossKind,
    /// the loss of this number of outputs
    pub loss: Loss,
    /// lambda of the mean loss
    pub penalty: f64,
    /// eps
    pub smoothing: f64,
    /// how the parameters move
    pub optimizer: Optimizer,
    /// where it ends
    pub stop: Stop,
    /// capacity of the record
    pub snapshots: usize,
    /// backend
    pub backend: BackendKind,
    /// whether fixed kernels' predictions are made for the same moments
    pub predictions: bool,
    /// the same as settings, every key filled in
    pub settings: TrainingSettings,
}

/// Where a run ends: at whichever comes first.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// time t
    pub time: f64,
    /// smallest margin
    pub margin: Option<f64>,
    /// mean loss
    pub loss: Option<f64>,
    /// steps
    pub steps: u64,
}

fn range(flag: &'static str, given: impl ToString, what: impl Into<String>) -> UsageError {
    UsageError::Range { flag, given: given.to_string(), what: what.into() }
}

fn at_least_one(flag: &'static str, value: usize, most: usize, what: &str) -> Result<(), UsageError> {
    match value {
        0 => Err(range(flag, 0, what)),
        _ if value > most => Err(range(flag, value, format!("at most {most} is possible"))),
        _ => Ok(()),
    }
}

fn non_negative(flag: &'static str, value: f64) -> Result<f64, UsageError> {
    if value >= 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(range(flag, value, "must be finite and not negative"))
    }
}

fn positive(flag: &'static str, value: f64) -> Result<f64, UsageError> {
    if value > 0.0 && value.is_finite() { Ok(value) } else { Err(range(flag, value, "must be finite and above 0")) }
}

/// The data that these settings name.
pub fn data_spec(model: &ModelSettings) -> DataSpec {
    DataSpec {
        source: model.data.clone().unwrap_or(Source::Circle),
        dir: model.data_dir.clone(),
        n: model.n,
        classes: model.classes,
        normalize: model.normalize,
        dimension: model.dimension,
        seed: model.seed.unwrap_or(0),
        held_out: model.held_out.unwrap_or(0),
    }
}

impl Model {
    /// Checks what needs no data: call it before loading.
    pub fn check(settings: &ModelSettings) -> Result<(), UsageError> {
        at_least_one("--width", settings.width.unwrap_or(256), MAX_WIDTH, "a network needs a width of at least 1")?;
        at_least_one("--depth", settings.depth.unwrap_or(2), MAX_DEPTH, "a network needs at least 1 hidden layer")?;
        at_least_one("--outputs", settings.outputs.unwrap_or(1), MAX_WIDTH, "a network needs at least 1 output")?;
        non_negative("--bias-scale", settings.bias_scale.unwrap_or(1.0))?;
        match settings.network.unwrap_or(NetworkKind::Fcn) {
            NetworkKind::Fcn => {
                if let Some(alpha) = settings.alpha {
                    return Err(range(
                        "--alpha",
                        alpha,
                        "is the branch scale of --network resnet; a fcn has no branches",
                    ));
                }
                if settings.trained == Some(TrainedKind::Branches) {
                    return Err(range("--trained", "branches", "is for --network resnet; a fcn has no branches"));
                }
            }
            NetworkKind::Resnet => {
                positive("--alpha", settings.alpha.unwrap_or(1.0))?;
                if settings.activation.is_some_and(|a| a != ActivationKind::Relu) {
                    let what = "the blocks of a resnet are ReLU's; give --activation relu, or --network fcn";
                    return Err(range("--activation", "erf", what));
                }
                if settings.bias == Some(BiasKind::All) {
                    let what = "a resnet has a bias at its input or none; give --bias input or --bias none";
                    return Err(range("--bias", "all", what));
                }
            }
        }
        Ok(())
    }

    /// The network that these settings mean for these samples.
    pub fn resolve(settings: &ModelSettings, samples: &Samples) -> Result<Self, UsageError> {
        Self::check(settings)?;
        let per_class = if samples.classes == 2 { 1 } else { samples.classes.max(1) };
        let outputs = settings.outputs.unwrap_or(per_class);
        if outputs != per_class && outputs != samples.classes {
            let what = format!("the data has {} classes; give --outputs {per_class}", samples.classes);
            return Err(range("--outputs", outputs, what));
        }
        let (depth, width) = (settings.depth.unwrap_or(2), settings.width.unwrap_or(256));
        let bias = settings.bias.unwrap_or(BiasKind::Input);
        let activation = settings.activation.unwrap_or(ActivationKind::Relu);
        let kind = settings.network.unwrap_or(NetworkKind::Fcn);
        let residual = kind == NetworkKind::Resnet;
        let trained = settings.trained.unwrap_or(TrainedKind::All);
        let spec = data_spec(settings);
        let filled = ModelSettings {
            network: Some(kind),
            depth: Some(depth),
            width: Some(width),
            outputs: Some(outputs),
            activation: Some(activation),
            bias: Some(bias),
            bias_scale: Some(settings.bias_scale.unwrap_or(1.0)),
            alpha: residual.then_some(settings.alpha.unwrap_or(1.0)),
            trained: Some(trained),
            init: Some(settings.init.unwrap_or(Init::Mirrored)),
            seed: Some(spec.seed),
            dtype: Some(settings.dtype.unwrap_or(Dtype::F64)),
            data: Some(spec.source),
            n: Some(samples.n),
            ..settings.clone()
        };
        Ok(Self {
            widths: vec![width; depth],
            outputs,
            inputs: samples.d,
            init: filled.init.unwrap_or(Init::Mirrored),
            seed: spec.seed,
            dtype: filled.dtype.unwrap_or(Dtype::F64),
            kind,
            activation: match activation {
                ActivationKind::Relu => Activation::Relu,
                ActivationKind::Erf => Activation::Erf,
            },
            bias: match bias {
                BiasKind::None => Bias::None,
                BiasKind::Input => Bias::Input,
                BiasKind::All => Bias::All,
            },
            bias_scale: settings.bias_scale.unwrap_or(1.0),
            alpha: settings.alpha.unwrap_or(1.0),
            trained: match trained {
                TrainedKind::All => Trained::All,
                TrainedKind::Branches => Trained::Branches,
            },
            settings: filled,
        })
    }

    /// The network as it will be trained.
    pub fn network(&self) -> Result<AnyNetwork<'_>, ntkscope_core::Error> {
        Ok(match self.kind {
            NetworkKind::Fcn => {
                let fcn = Fcn::new(self.inputs, &self.widths, self.outputs)?;
                let fcn = fcn.with_activation(self.activation).with_bias(self.bias, self.bias_scale);
                match self.init {
                    Init::Standard => AnyNetwork::Fcn(fcn),
                    Init::Mirrored => AnyNetwork::MirroredFcn(Mirrored(fcn)),
                }
            }
            NetworkKind::Resnet => {
                let plain = ResNet::new(self.inputs, self.widths[0], self.widths.len(), self.outputs, self.alpha)?;
                let plain = plain.with_trained(self.trained);
                let resnet = if self.bias == Bias::None { plain } else { plain.with_input_bias(self.bias_scale) };
                match self.init {
                    Init::Standard => AnyNetwork::ResNet(resnet),
                    Init::Mirrored => AnyNetwork::MirroredResNet(Mirrored(resnet)),
                }
            }
        })
    }

    /// The network in a few words.
    pub fn describe(&self) -> String {
        let settings = &self.settings;
        let word = |v: Option<&dyn std::fmt::Debug>| v.map_or(String::new(), |v| format!("{v:?}").to_lowercase());
        let kind = match self.kind {
            NetworkKind::Fcn => format!("fully connected, depth {}", self.widths.len()),
            NetworkKind::Resnet => {
                let trained = if self.trained == Trained::All { "" } else { ", only V and W trained" };
                format!("residual, {} blocks, alpha {}{trained}", self.widths.len(), self.alpha)
            }
        };
        format!(
            "{kind}, width {}, {} output{}, {}, bias {}, {} initialization, seed {}",
            self.widths[0],
            self.outputs,
            if self.outputs == 1 { "" } else { "s" },
            word(settings.activation.as_ref().map(|a| a as _)),
            word(settings.bias.as_ref().map(|b| b as _)),
            word(settings.init.as_ref().map(|i| i as _)),
            self.seed,
        )
    }
}

impl Training {
    /// Checks, and the run or the two runs that these settings mean for a network of `outputs` outputs.
    pub fn resolve(settings: &TrainingSettings, outputs: usize, samples: usize) -> Result<Vec<Self>, UsageError> {
        match settings.loss.unwrap_or(LossKind::Both) {
            LossKind::Both => {
                let cross_entropy = Self::one(settings, LossKind::CrossEntropy, (outputs, samples))?;
                // soft targets are cross-entropy's; beside it, squared error keeps the hard ones
                let hard = TrainingSettings { smoothing: Some(0.0), ..settings.clone() };
                Ok(vec![cross_entropy, Self::one(&hard, LossKind::Mse, (outputs, samples))?])
            }
            one => Ok(vec![Self::one(settings, one, (outputs, samples))?]),
        }
    }

    fn one(
        settings: &TrainingSettings,
        kind: LossKind,
        (outputs, samples): (usize, usize),
    ) -> Result<Self, UsageError> {
        let penalty = non_negative("--penalty", settings.penalty.unwrap_or(0.0))?;
        let smoothing = settings.smoothing.unwrap_or(0.0);
        if !(0.0..1.0).contains(&smoothing) {
            return Err(range("--smoothing", smoothing, "must lie in [0, 1)"));
        }
        if smoothing > 0.0 && kind == LossKind::Mse {
            return Err(range("--smoothing", smoothing, "only --loss cross-entropy has soft targets"));
        }
        let optimizer_kind = settings.optimizer.unwrap_or(OptimizerKind::Flow);
        let optimizer = match (optimizer_kind, settings.rate) {
            (OptimizerKind::Gd, Some(rate)) => Optimizer::Descent { rate: positive("--rate", rate)? },
            (OptimizerKind::Gd, None) => {
                return Err(range("--optimizer", "gd", "needs --rate ETA (for squared error below 2n/lambda_max)"));
            }
            (OptimizerKind::Flow, Some(rate)) => {
                return Err(range("--rate", rate, "is the step of --optimizer gd; the flow adapts its own step"));
            }
            (OptimizerKind::Flow, None) => {
                let tolerance = settings.tolerance.unwrap_or(0.01);
                if !(tolerance > 0.0 && tolerance < 1.0) {
                    return Err(range("--tolerance", tolerance, "must lie between 0 and 1"));
                }
                Optimizer::Flow { tolerance }
            }
        };
        let until = settings.until_time.unwrap_or(1e5);
        let ends = settings.until_margin.is_some() || settings.until_loss.is_some();
        let predictions = settings.predictions.unwrap_or(penalty == 0.0 && outputs * samples <= MAX_SIZE);
        if predictions && penalty > 0.0 {
            return Err(range("--predictions", true, "are of training without --penalty"));
        }
        let stop = Stop {
            // with another criterion a run may go on beyond what an f64 can hold
            time: if until == f64::INFINITY && ends { until } else { positive("--until-time", until)? },
            margin: settings.until_margin.map(|u| positive("--until-margin", u)).transpose()?,
            loss: settings.until_loss.map(|e| positive("--until-loss", e)).transpose()?,
            steps: settings.max_steps.unwrap_or(1_000_000),
        };
        let snapshots = settings.snapshots.unwrap_or(64);
        if !(3..=MAX_SNAPSHOTS).contains(&snapshots) {
            return Err(range("--snapshots", snapshots, format!("give a number from 3 to {MAX_SNAPSHOTS}")));
        }
        let filled = TrainingSettings {
            loss: Some(kind),
            penalty: Some(penalty),
            smoothing: Some(smoothing),
            optimizer: Some(optimizer_kind),
            tolerance: match optimizer {
                Optimizer::Flow { tolerance } => Some(tolerance),
                Optimizer::Descent { .. } => None,
            },
            until_time: Some(stop.time),
            max_steps: Some(stop.steps),
            snapshots: Some(snapshots),
            predictions: Some(predictions),
            backend: Some(settings.backend.unwrap_or(BackendKind::Fast)),
            ..settings.clone()
        };
        Ok(Self {
            loss_kind: kind,
            loss: match (kind, outputs) {
                (LossKind::Mse, _) => Loss::SquaredError,
                (_, 1) => Loss::Logistic,
                _ => Loss::Softmax,
            },
            penalty,
            smoothing,
            optimizer,
            stop,
            snapshots,
            backend: settings.backend.unwrap_or(BackendKind::Fast),
            predictions,
            settings: filled,
        })
    }

    /// The loss's name in file names.
    pub fn name(&self) -> &'static str {
        if self.loss == Loss::SquaredError { "mse" } else { "cross-entropy" }
    }
    /// The loss's name in figures.
    pub fn label(&self) -> &'static str {
        if self.loss == Loss::SquaredError { "squared error" } else { "cross-entropy" }
    }
}

/// The settings of one run as they are saved.
pub fn settings_of(model: &Model, training: &Training) -> Settings {
    Settings { model: model.settings.clone(), training: training.settings.clone() }
}
