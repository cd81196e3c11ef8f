//! A network and its data: the values, which are at once flags, keys of a settings file and fields.

use std::path::PathBuf;

use clap::Args;
use ntkscope_core::choice::Choice;
use ntkscope_core::network::{Activation, Bias, Fcn, Mirrored, Parametrization, ResNet, Trained};
use serde::{Deserialize, Serialize};
use toml::Table;

use super::settings::defaults;
use super::{Error, at_least_one, held, held_as, non_negative, positive, range, whole};
use crate::data::{ClassSelection, DataSpec, Normalize, Samples, Source, Split, Targets};
use crate::experiment::kinds::{choice, open};
use crate::experiment::list::{Choices, List};
use crate::experiment::{AnyNetwork, Family, Init, LossKind, NetworkKind};
use crate::files::Dtype;
use crate::words::count;

/// Largest width and number of outputs: such layers have 2^40 weights, and no count of bytes overflows yet.
pub const MAX_WIDTH: usize = 1 << 20;
/// Largest depth.
pub const MAX_DEPTH: usize = 10_000;

/// A network and its data.
///
/// A field is all that a setting needs: its clap attribute gives the flag of its name with help text, range and
/// default, serde its key in `run.toml`. `None` is what depends on the data; [`Model::resolve`] fills it in.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Model {
    /// Architecture
    #[arg(long, value_enum, default_value_t = NetworkKind::Fcn, help_heading = "Network")]
    pub network: NetworkKind,
    /// Number L of hidden layers, or of residual blocks
    #[arg(long, value_name = "L", default_value_t = 2, value_parser = whole::<usize>(), allow_negative_numbers = true, help_heading = "Network")]
    pub depth: usize,
    /// Width m of every hidden layer
    #[arg(long, value_name = "M", default_value_t = 256, value_parser = whole::<usize>(), allow_negative_numbers = true, help_heading = "Network")]
    pub width: usize,
    /// Widths of the hidden layers, from the first on, in place of depth and width
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "M1,M2,…", help_heading = "Network")]
    pub widths: Option<List<usize>>,
    /// How layers are scaled: what a library stores is standard
    // left out where it is that of the theory: runs and measurements that were kept before compare their settings as text
    #[serde(skip_serializing_if = "is_ntk")]
    #[arg(long, value_parser = choice::<Parametrization>(), default_value_t = Parametrization::Ntk, help_heading = "Network")]
    pub parametrization: Parametrization,
    /// Number of outputs C; in training one per class (or 1 for two classes), or one per number in y [default: 1 for two
    /// classes, else one per class or number]
    #[arg(long, value_name = "C", value_parser = whole::<usize>(), allow_negative_numbers = true, help_heading = "Network")]
    pub outputs: Option<usize>,
    /// Activation function, or one for every hidden layer, separated by commas
    #[arg(long, value_name = "NAME,…", value_parser = Choices::<Activation>::new(), default_value_t = Activation::Relu.into(), help_heading = "Network")]
    pub activation: List<Activation>,
    /// Layers with trained biases
    #[arg(long, value_parser = choice::<Bias>(), default_value_t = Bias::Input, help_heading = "Network")]
    pub bias: Bias,
    /// Bias scale s in z = c W a + s b
    #[arg(long, value_name = "S", default_value_t = 1.0, allow_negative_numbers = true, help_heading = "Network")]
    pub bias_scale: f64,
    /// Branch scale of a residual network: x + A V relu(W x) [default: 1]
    #[arg(long, value_name = "A", allow_negative_numbers = true, help_heading = "Network")]
    pub alpha: Option<f64>,
    /// Trained parameters
    #[arg(long, value_parser = choice::<Trained>(), default_value_t = Trained::All, help_heading = "Network")]
    pub trained: Trained,
    /// Initialization
    #[arg(long, value_enum, default_value_t = Init::Mirrored, help_heading = "Network")]
    pub init: Init,
    /// Seed of the parameters and of generated data
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>(), help_heading = "Network")]
    pub seed: u64,
    /// Floating-point precision
    #[arg(long, value_enum, default_value_t = Dtype::F64, help_heading = "Network")]
    pub dtype: Dtype,
    /// Data set: circle, conflicting, sphere, mixture, mnist, fashion-mnist, cifar-10, FILE.npz (arrays x, y), FILE.csv
    /// (last column y) or x.npy (with y.npy next to it)
    #[arg(long, value_name = "DATA", value_parser = open::<Source>(&Source::NAMES),
        value_hint = clap::ValueHint::FilePath, hide_possible_values = true, default_value_t = Source::Circle, help_heading = "Data")]
    pub data: Source,
    /// Folder with the images: idx files (train or t10k, .gz or not), or those of CIFAR-10 (data_batch_1.bin, …)
    #[arg(long, value_name = "DIR", help_heading = "Data")]
    pub data_dir: Option<PathBuf>,
    /// Which set of images to use: train or t10k, the test set [default: train if present, else t10k]
    #[arg(long, value_enum, value_name = "SET", help_heading = "Data")]
    pub split: Option<Split>,
    /// Label column of a csv file, by name or by number counted from 1 [default: the one named label, target or class, else
    /// the last]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub label_column: Option<String>,
    /// Use the first N samples after class selection [default: all; 6 for circle, 24 for conflicting, 64 for sphere and
    /// mixture]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(), allow_negative_numbers = true, help_heading = "Data")]
    pub n: Option<usize>,
    /// Number of held-out samples (taken after the training samples) for the predictions; for circle, points between its
    /// points
    // left out where there are none: measurements that were kept before compare their settings as text
    #[serde(skip_serializing_if = "is_zero")]
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<usize>(), allow_negative_numbers = true, help_heading = "Data")]
    pub held_out: usize,
    /// What y holds: class labels, or values to fit with --loss mse [default: classes; values if --loss mse is the only loss
    /// and the file stores y as real numbers (npz) or untyped (csv)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[arg(long, value_enum, help_heading = "Data")]
    pub targets: Option<Targets>,
    /// Classes: parity (odd = 1), a list of labels such as 3,8 or 0,1,2, or all [default: parity for image sets, else all]
    #[arg(long, value_name = "SELECTION", value_parser = open::<ClassSelection>(&ClassSelection::NAMES), hide_possible_values = true, allow_hyphen_values = true, help_heading = "Data")]
    pub classes: Option<ClassSelection>,
    /// Normalization: sphere scales every sample to unit norm, none leaves it as it is [default: sphere for image sets, else
    /// none]
    #[arg(long, value_name = "HOW", value_parser = open::<Normalize>(&Normalize::NAMES), hide_possible_values = true, help_heading = "Data")]
    pub normalize: Option<Normalize>,
    /// Dimension of sphere and mixture data [default: 3 for sphere, 2 for mixture]
    #[arg(long, value_name = "D", value_parser = whole::<usize>(), allow_negative_numbers = true, help_heading = "Data")]
    pub dimension: Option<usize>,
}

fn is_ntk(parametrization: &Parametrization) -> bool {
    *parametrization == Parametrization::Ntk
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Default for Model {
    fn default() -> Self {
        defaults()
    }
}

/// What the widths of a network's layers follow from: the model and its samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// numbers per sample d
    pub inputs: usize,
    /// of the hidden layers or blocks
    pub widths: Vec<usize>,
    /// after them
    pub activations: Vec<Activation>,
    /// outputs C
    pub outputs: usize,
}

/// Outputs that y asks for: 1 for two classes, else one for every class or number.
fn default_outputs(samples: &Samples) -> usize {
    match samples.targets {
        Some(Targets::Values) => samples.y_columns,
        _ if samples.classes == 2 => 1,
        _ => samples.classes.max(1),
    }
}

impl Model {
    /// The data that these settings name.
    pub fn data_spec(&self) -> DataSpec {
        DataSpec {
            source: self.data.clone(),
            dir: self.data_dir.clone(),
            n: self.n,
            targets: self.targets,
            classes: self.classes.clone(),
            normalize: self.normalize,
            dimension: self.dimension,
            split: self.split,
            label_column: self.label_column.clone(),
            seed: self.seed,
            held_out: self.held_out,
        }
    }

    /// Checks what needs no data: call it before loading.
    ///
    /// # Errors
    /// A number outside its range, settings that do not go together.
    pub fn check(&self) -> Result<(), Error> {
        at_least_one("width", self.width, MAX_WIDTH, "a network needs a width of at least 1")?;
        at_least_one("depth", self.depth, MAX_DEPTH, "a network needs at least 1 hidden layer")?;
        self.check_widths()?;
        at_least_one("outputs", self.outputs.unwrap_or(1), MAX_WIDTH, "a network needs at least 1 output")?;
        non_negative("bias-scale", self.bias_scale)?;
        held(self.dtype, "bias-scale", self.bias_scale)?;
        held(self.dtype, "alpha", self.alpha.unwrap_or(1.0))?;
        self.activation.values().iter().try_for_each(|activation| match activation {
            Activation::LeakyRelu(slope) => {
                let typed = format!("{}:{:e}", activation.name(), slope.get());
                held_as(self.dtype, "activation", typed, slope.get())
            }
            _ => Ok(()),
        })?;
        if let (Some(Targets::Values), Some(classes)) = (self.targets, &self.classes) {
            return Err(range(
                "classes",
                classes,
                "selects class labels, but with `targets = values` y is numbers; leave one of them out",
            ));
        }
        if self.bias == Bias::None && self.bias_scale != 1.0 {
            return Err(range(
                "bias-scale",
                self.bias_scale,
                "with `bias = none` there is no bias to scale; leave one of them out",
            ));
        }
        match (self.network, self.alpha) {
            (NetworkKind::Fcn, Some(alpha)) => Err(range(
                "alpha",
                alpha,
                "a fully connected network has no branches; leave it out, or give `network = resnet`",
            )),
            (NetworkKind::Fcn, None) if self.trained == Trained::Branches => Err(range(
                "trained",
                self.trained,
                "a fully connected network has no branches; leave it out, or give `network = resnet`",
            )),
            (NetworkKind::Fcn, None) => self.check_parametrization(),
            (NetworkKind::Resnet, alpha) => {
                positive("alpha", alpha.unwrap_or(1.0))?;
                if self.activation.values().len() > 1 {
                    let what = "all blocks have one activation; give one, or `network = fcn`";
                    return Err(range("activation", &self.activation, what));
                }
                if self.parametrization != Parametrization::Ntk {
                    let what = "residual networks are in the NTK parametrization; give `parametrization = ntk`, or `network = fcn`";
                    return Err(range("parametrization", self.parametrization, what));
                }
                if self.bias == Bias::All {
                    let what = "a residual network has no bias at its output; give `bias = hidden`, `bias = input` or `bias = none`";
                    return Err(range("bias", self.bias, what));
                }
                Ok(())
            }
        }
    }

    fn check_widths(&self) -> Result<(), Error> {
        if let Some(widths) = &self.widths {
            let given = widths.values();
            if self.network == NetworkKind::Resnet {
                let what =
                    "all blocks of a residual network have one width; give `width` and `depth`, or `network = fcn`";
                return Err(range("widths", widths, what));
            }
            let default = Self::default();
            if self.width != default.width || (self.depth != default.depth && self.depth != given.len()) {
                return Err(range("widths", widths, "stands in place of `width` and `depth`; leave those out"));
            }
            for width in given {
                at_least_one("widths", *width, MAX_WIDTH, "every hidden layer needs a width of at least 1")?;
            }
            at_least_one("widths", given.len(), MAX_DEPTH, "a network needs at least 1 hidden layer")?;
        }
        let (layers, activations) = (self.hidden().len(), self.activation.values().len());
        if activations != 1 && activations != layers {
            let what = format!(
                "the network has {}; give one activation for all, or one for each",
                count(layers, "hidden layer")
            );
            return Err(range("activation", &self.activation, what));
        }
        Ok(())
    }

    fn check_parametrization(&self) -> Result<(), Error> {
        let deep = self.hidden().len() > 1;
        if self.parametrization == Parametrization::MeanField && deep {
            let what = "is defined for one hidden layer; give `depth = 1`, or `parametrization = mup`, which is the same there";
            return Err(range("parametrization", self.parametrization, what));
        }
        Ok(())
    }

    /// Refuses a network whose kernel moves at any width, so that its limit says nothing of training.
    ///
    /// # Errors
    /// That.
    pub fn check_kernel_regime(&self) -> Result<(), Error> {
        if self.parametrization.has_kernel_regime() {
            return Ok(());
        }
        let what = "its kernel moves at any width, so that no fixed kernel predicts its training; give `parametrization = ntk` or \
                    `parametrization = standard`";
        Err(range("parametrization", self.parametrization, what))
    }

    /// Widths of the hidden layers, or of the blocks.
    pub fn hidden(&self) -> Vec<usize> {
        self.widths.as_ref().map_or_else(|| vec![self.width; self.depth], |widths| widths.values().to_vec())
    }

    /// Whether a hidden layer has an activation with a kink.
    pub fn has_kink(&self) -> bool {
        self.activation.values().iter().any(|activation| activation.has_kink())
    }

    /// The same under a loss that needs classes, unless it is squared error alone: y is classes then.
    ///
    /// # Errors
    /// Numbers asked for under another loss.
    pub fn under(&self, loss: LossKind) -> Result<Self, Error> {
        if loss == LossKind::MSE {
            return Ok(self.clone());
        }
        if self.targets == Some(Targets::Values) {
            let what =
                format!("real-valued targets need squared error, but `loss = {loss}` needs classes; give `loss = mse`");
            return Err(range("targets", Targets::Values, what));
        }
        Ok(Self { targets: Some(Targets::Classes), ..self.clone() })
    }

    /// The shape of the network for these samples.
    ///
    /// # Errors
    /// Those of [`Self::check`].
    pub fn shape(&self, samples: &Samples) -> Result<Shape, Error> {
        self.check()?;
        let outputs = self.outputs.unwrap_or(default_outputs(samples));
        Ok(self.shape_of(samples.d, outputs))
    }

    /// The shape of the network for samples of d numbers, with so many outputs. The settings are checked.
    pub fn shape_of(&self, inputs: usize, outputs: usize) -> Shape {
        let widths = self.hidden();
        // as many as the check lets pass
        let activations = self.activation.spread(widths.len()).unwrap_or_default();
        Shape { inputs, widths, activations, outputs }
    }

    /// Refuses a network whose outputs are not those that y asks for: 1 for two classes or numbers, C for C of them.
    ///
    /// # Errors
    /// That.
    pub fn check_outputs(&self, samples: &Samples) -> Result<(), Error> {
        let fitting = default_outputs(samples);
        let outputs = self.outputs.unwrap_or(fitting);
        if outputs == fitting || outputs == samples.classes {
            return Ok(());
        }
        let what = match samples.are_values() {
            true => format!("y has {} per sample; give `outputs = {fitting}`", count(samples.y_columns, "number")),
            false => format!("the data has {} classes; give `outputs = {fitting}`", samples.classes),
        };
        Err(range("outputs", outputs, what))
    }

    /// The same with all that depends on the data filled in, as it is saved.
    ///
    /// # Errors
    /// Those of [`Self::shape`].
    pub fn resolve(&self, samples: &Samples) -> Result<Self, Error> {
        let Shape { outputs, .. } = self.shape(samples)?;
        let alpha = (self.network == NetworkKind::Resnet).then_some(self.alpha.unwrap_or(1.0));
        Ok(Self { outputs: Some(outputs), alpha, n: Some(samples.n), targets: samples.targets, ..self.clone() })
    }

    /// The network of this shape, as it will be trained; a shifted one is the standard one, from whose outputs a run
    /// takes f_0.
    ///
    /// # Errors
    /// Those of the network's constructor in core.
    pub fn network<'a>(&self, shape: &'a Shape) -> Result<AnyNetwork<'a>, ntkscope_core::Error> {
        let Shape { inputs, widths, activations, outputs } = shape;
        let family = match self.network {
            NetworkKind::Fcn => {
                let fcn = Fcn::new(*inputs, widths, *outputs)?;
                let fcn = fcn.with_activations(activations)?.with_bias(self.bias, self.bias_scale)?;
                Family::Fcn(fcn.with_parametrization(self.parametrization)?)
            }
            NetworkKind::Resnet => {
                let mut resnet = ResNet::new(*inputs, self.width, self.depth, *outputs, self.alpha.unwrap_or(1.0))?;
                if let Some(activation) = activations.first() {
                    resnet = resnet.with_activation(*activation);
                }
                if self.bias != Bias::None {
                    resnet = resnet.with_input_bias(self.bias_scale)?;
                }
                if self.bias == Bias::Hidden {
                    resnet = resnet.with_branch_bias(self.bias_scale)?;
                }
                Family::ResNet(resnet.with_trained(self.trained))
            }
        };
        Ok(match self.init {
            Init::Standard | Init::Shifted => AnyNetwork::Plain(family),
            Init::Mirrored => AnyNetwork::Mirrored(Mirrored(family)),
        })
    }

    /// The settings that the network's function and kernel depend on beside its parameters, as a file of parameters has
    /// them. A shifted network is the standard one here.
    ///
    /// # Errors
    /// A number that toml cannot hold.
    pub fn network_settings(&self) -> Result<Table, Error> {
        let keys = Self::network_keys();
        let depends = |key: &String| keys.contains(key) && !["seed", "dtype"].contains(&key.as_str());
        let init = if self.init == Init::Shifted { Init::Standard } else { self.init };
        let table = Table::try_from(&Self { init, ..self.clone() })?;
        Ok(table.into_iter().filter(|(key, _)| depends(key)).collect())
    }

    /// The settings of the network, its seed and its scalar among them: those under that heading of the help text.
    pub fn network_keys() -> Vec<String> {
        let command = Self::augment_args(clap::Command::new("settings"));
        let network = command.get_arguments().filter(|argument| argument.get_help_heading() == Some("Network"));
        network.filter_map(|argument| argument.get_long().map(String::from)).collect()
    }
}
