//! A network and its data.

use ntkscope_core::network::{Activation, Bias, Fcn, Mirrored, ResNet, Trained};

use super::{at_least_one, non_negative, positive, range};
use crate::data::{DataSpec, Samples, Source};
use crate::error::UsageError;
use crate::experiment::{ActivationKind, AnyNetwork, BiasKind, Init, ModelSettings, NetworkKind, TrainedKind};
use crate::files::Dtype;

/// Largest `--width` and `--outputs`: such layers have 2^40 weights, and no count of bytes overflows yet.
pub const MAX_WIDTH: usize = 1 << 20;
/// Largest `--depth`.
const MAX_DEPTH: usize = 10_000;
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

    /// The network as it will be trained; a shifted one is the standard one, from whose outputs a run takes f_0.
    pub fn network(&self) -> Result<AnyNetwork<'_>, ntkscope_core::Error> {
        Ok(match self.kind {
            NetworkKind::Fcn => {
                let fcn = Fcn::new(self.inputs, &self.widths, self.outputs)?;
                let fcn = fcn.with_activation(self.activation).with_bias(self.bias, self.bias_scale)?;
                match self.init {
                    Init::Standard | Init::Shifted => AnyNetwork::Fcn(fcn),
                    Init::Mirrored => AnyNetwork::MirroredFcn(Mirrored(fcn)),
                }
            }
            NetworkKind::Resnet => {
                let plain = ResNet::new(self.inputs, self.widths[0], self.widths.len(), self.outputs, self.alpha)?;
                let plain = plain.with_trained(self.trained);
                let resnet = if self.bias == Bias::None { plain } else { plain.with_input_bias(self.bias_scale)? };
                match self.init {
                    Init::Standard | Init::Shifted => AnyNetwork::ResNet(resnet),
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
