//! What the user asked for: the same keys as flags, as `--set key=value` and in a toml file.
//!
//! Precedence: flags, then `--set`, then the file, then the defaults of [`crate::experiment`].

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::data::{ClassSelection, Normalize, Source};
use crate::error::UsageError;
use crate::files::Dtype;

use super::kinds::{ActivationKind, BackendKind, BiasKind, Init, LossKind, NetworkKind, OptimizerKind, TrainedKind};

/// Whole numbers as large as a toml file can hold.
fn whole() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(..=i64::MAX as u64)
}

/// Network and data: shared by every command that builds a network or loads samples.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ModelSettings {
    /// Family of networks [default: fcn]
    #[arg(long, value_enum, help_heading = "Network")]
    pub network: Option<NetworkKind>,
    /// Hidden layers L, or residual blocks [default: 2]
    #[arg(long, value_name = "L", allow_negative_numbers = true, help_heading = "Network")]
    pub depth: Option<usize>,
    /// Width m of every hidden layer [default: 256]
    #[arg(long, value_name = "M", allow_negative_numbers = true, help_heading = "Network")]
    pub width: Option<usize>,
    /// Outputs C: 1, or the number of classes [default: 1 for two classes, else the number of classes]
    #[arg(long, value_name = "C", allow_negative_numbers = true, help_heading = "Network")]
    pub outputs: Option<usize>,
    /// Activation [default: relu]
    #[arg(long, value_enum, help_heading = "Network")]
    pub activation: Option<ActivationKind>,
    /// Trained biases [default: input]
    #[arg(long, value_enum, help_heading = "Network")]
    pub bias: Option<BiasKind>,
    /// Scale of the biases: s in z = c W a + s b [default: 1]
    #[arg(long, value_name = "S", allow_negative_numbers = true, help_heading = "Network")]
    pub bias_scale: Option<f64>,
    /// Scale of a resnet's branches: x + A V relu(W x) [default: 1]
    #[arg(long, value_name = "A", allow_negative_numbers = true, help_heading = "Network")]
    pub alpha: Option<f64>,
    /// Trained parameters [default: all]
    #[arg(long, value_enum, help_heading = "Network")]
    pub trained: Option<TrainedKind>,
    /// Initialization [default: mirrored]
    #[arg(long, value_enum, help_heading = "Network")]
    pub init: Option<Init>,
    /// Seed of the parameters, and of generated data [default: 0]
    #[arg(long, value_name = "N", value_parser = whole(), help_heading = "Network")]
    pub seed: Option<u64>,
    /// Scalar [default: f64]
    #[arg(long, value_enum, help_heading = "Network")]
    pub dtype: Option<Dtype>,
    /// circle, conflicting, sphere, mixture, mnist, fashion-mnist, FILE.npz (x, y) or FILE.csv (last column y) [default: circle]
    #[arg(long, value_name = "DATA", help_heading = "Data")]
    pub data: Option<Source>,
    /// Folder of the idx files (train or t10k, .gz or not)
    #[arg(long, value_name = "DIR", help_heading = "Data")]
    pub data_dir: Option<PathBuf>,
    /// The first N samples after the selection of classes [default: all; circle 6, sphere and mixture 64]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Data")]
    pub n: Option<usize>,
    /// Samples behind the first N on which predictions are compared; circle: points between its points [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Data")]
    pub held_out: Option<usize>,
    /// parity (odd = 1), two labels "a,b", or all [default: parity for image sets, else all]
    #[arg(long, value_name = "SELECTION", help_heading = "Data")]
    pub classes: Option<ClassSelection>,
    /// sphere: every sample to unit norm [default: sphere for image sets, else none]
    #[arg(long, value_name = "HOW", help_heading = "Data")]
    pub normalize: Option<Normalize>,
    /// Dimension of sphere and mixture data [default: 3 and 2]
    #[arg(long, value_name = "D", allow_negative_numbers = true, help_heading = "Data")]
    pub dimension: Option<usize>,
}

/// Training and recording.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TrainingSettings {
    /// Loss, a mean over the samples [default: both]
    #[arg(long, value_enum, help_heading = "Training")]
    pub loss: Option<LossKind>,
    /// Adds (LAMBDA/2)|theta - theta_0|^2 to the mean loss [default: 0]
    #[arg(long, value_name = "LAMBDA", allow_negative_numbers = true, help_heading = "Training")]
    pub penalty: Option<f64>,
    /// Soft targets for cross-entropy: 1 - EPS + EPS/C for the right class [default: 0]
    #[arg(long, value_name = "EPS", allow_negative_numbers = true, help_heading = "Training")]
    pub smoothing: Option<f64>,
    /// Optimizer [default: flow]
    #[arg(long, value_enum, help_heading = "Training")]
    pub optimizer: Option<OptimizerKind>,
    /// Step of gradient descent in time t; needed with --optimizer gd
    #[arg(long, value_name = "ETA", allow_negative_numbers = true, help_heading = "Training")]
    pub rate: Option<f64>,
    /// Local error of the flow, as a share of the distance from theta_0; 0.0025 for drifts to a percent [default: 0.01]
    #[arg(long, value_name = "TOL", allow_negative_numbers = true, help_heading = "Training")]
    pub tolerance: Option<f64>,
    /// Stop at gradient-flow time T of the mean loss; inf with --until-margin or --until-loss [default: 1e5]
    #[arg(long, value_name = "T", allow_negative_numbers = true, help_heading = "Stop at whichever comes first")]
    pub until_time: Option<f64>,
    /// Stop when the smallest margin reaches U
    #[arg(long, value_name = "U", allow_negative_numbers = true, help_heading = "Stop at whichever comes first")]
    pub until_margin: Option<f64>,
    /// Stop when the mean loss falls to E
    #[arg(long, value_name = "E", allow_negative_numbers = true, help_heading = "Stop at whichever comes first")]
    pub until_loss: Option<f64>,
    /// Stop after N steps [default: 1000000]
    #[arg(long, value_name = "N", value_parser = whole(), help_heading = "Stop at whichever comes first")]
    pub max_steps: Option<u64>,
    /// At most K snapshots, log-spaced in time [default: 64]
    #[arg(long, value_name = "K", allow_negative_numbers = true, help_heading = "Recording")]
    pub snapshots: Option<usize>,
    /// Predict the run with the analytic NTK and with the linearized network [default: true up to 2048 samples x outputs]
    #[arg(long, value_name = "true|false", help_heading = "Recording")]
    pub predictions: Option<bool>,
    /// Backend [default: fast]
    #[arg(long, value_enum, help_heading = "Recording")]
    pub backend: Option<BackendKind>,
}

/// All settings of a run, each given or not.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// network and data
    pub model: ModelSettings,
    /// training and recording
    pub training: TrainingSettings,
}

/// The table of a settings file that records how it came about; read back without effect.
pub const PROVENANCE: &str = "provenance";

/// The keys of one group: the long names of its flags.
fn keys<A: Args>() -> Vec<String> {
    let command = A::augment_args(clap::Command::new("settings"));
    command.get_arguments().filter_map(|a| a.get_long()).map(str::to_owned).collect()
}

impl Settings {
    /// Flags over `--set` over the file; what none of them gives stays open.
    pub fn layered(flags: &Self, sets: &[String], file: Option<&Path>) -> Result<Self, UsageError> {
        let mut table = Table::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|e| UsageError::File { path: path.into(), what: e.to_string() })?;
            let read: Table = text
                .parse()
                .map_err(|e: toml::de::Error| UsageError::File { path: path.into(), what: e.to_string() })?;
            overlay(&mut table, read, &format!("in {}", path.display()))?;
        }
        for set in sets {
            let (key, value) = set.split_once('=').ok_or_else(|| UsageError::Set {
                given: set.clone(),
                what: "give key=value, such as --set width=512".into(),
            })?;
            let value = value.trim();
            // a toml value where it is one, else a bare word such as mnist
            let parsed = format!("v = {value}").parse::<Table>().ok().and_then(|mut t| t.remove("v"));
            let value = parsed.unwrap_or_else(|| Value::String(value.into()));
            overlay(&mut table, Table::from_iter([(key.trim().to_owned(), value)]), "in --set")?;
        }
        overlay(&mut table, flags.table()?, "among the flags")?;
        Self::from_table(table)
    }

    /// The given settings as one flat table.
    pub fn table(&self) -> Result<Table, UsageError> {
        let wrong = |e: toml::ser::Error| UsageError::Value { what: e.to_string() };
        let mut table = Table::try_from(&self.model).map_err(wrong)?;
        table.extend(Table::try_from(&self.training).map_err(wrong)?);
        Ok(table)
    }

    fn from_table(table: Table) -> Result<Self, UsageError> {
        let model_keys = keys::<ModelSettings>();
        let (model, training): (Table, Table) = table.into_iter().partition(|(key, _)| model_keys.contains(key));
        Ok(Self { model: typed(model)?, training: typed(training)? })
    }
}

/// The table as a group of settings; an error names the key.
fn typed<S: for<'de> Deserialize<'de>>(table: Table) -> Result<S, UsageError> {
    for (key, value) in &table {
        // one at a time, so that the message can name the key
        if let Err(e) = Table::from_iter([(key.clone(), value.clone())]).try_into::<S>() {
            return Err(UsageError::Value { what: format!("{key} = {value}: {}", e.message()) });
        }
    }
    table.try_into().map_err(|e: toml::de::Error| UsageError::Value { what: e.message().to_owned() })
}

/// `base` with the entries of `over`; a key that is no setting is an error.
fn overlay(base: &mut Table, over: Table, place: &str) -> Result<(), UsageError> {
    let known: Vec<String> = keys::<ModelSettings>().into_iter().chain(keys::<TrainingSettings>()).collect();
    for (key, value) in over {
        if key == PROVENANCE {
            continue;
        }
        let key = key.replace('_', "-");
        if !known.contains(&key) {
            return Err(UsageError::UnknownKey { place: place.into(), near: nearest(&key, &known), key });
        }
        // whole numbers are welcome where a number with a point is meant
        let float = [
            "bias-scale",
            "alpha",
            "penalty",
            "smoothing",
            "rate",
            "tolerance",
            "until-time",
            "until-margin",
            "until-loss",
        ];
        let value = match value {
            Value::Integer(i) if float.contains(&key.as_str()) => Value::Float(i as f64),
            other => other,
        };
        base.insert(key, value);
    }
    Ok(())
}

/// The known key that begins most like `key`, as a hint.
fn nearest(key: &str, known: &[String]) -> String {
    let shared = |k: &str| k.chars().zip(key.chars()).take_while(|(a, b)| a == b).count();
    known
        .iter()
        .max_by_key(|k| shared(k))
        .filter(|k| shared(k) > 1)
        .map_or(String::new(), |k| format!("; did you mean {k}?"))
}
