//! The choices that a setting can name: those of core by their names there, and what core has not.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use ntkscope_core::choice::{Choice, UnknownName};
use ntkscope_core::loss::Loss;
use serde::{Deserialize, Serialize};

/// What is minimized, as a mean over the samples. A file or a flag has the name of a loss, or `both`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum LossKind {
    /// this one
    Single(Loss),
    /// one run under cross-entropy, one under squared error, side by side
    Both,
}

impl LossKind {
    /// Squared error.
    pub const MSE: Self = Self::Single(Loss::SquaredError);
    /// Cross-entropy.
    pub const CROSS_ENTROPY: Self = Self::Single(Loss::CrossEntropy);
    /// Exponential loss.
    pub const EXPONENTIAL: Self = Self::Single(Loss::Exponential);
    /// Hinge loss.
    pub const HINGE: Self = Self::Single(Loss::Hinge);

    /// Its name for people: in figures, tables and sentences. Its name in files and settings is what it displays as.
    pub fn label(self) -> &'static str {
        match self {
            Self::Single(Loss::SquaredError) => "squared error",
            Self::Single(Loss::Hinge) => "hinge loss",
            Self::Single(Loss::Exponential) => "exponential loss",
            Self::Single(other) => other.name(),
            Self::Both => "both losses",
        }
    }

    /// Whether hard labels are never met: the loss has a tail, along which margins grow for ever.
    pub fn has_tail(self) -> bool {
        matches!(self, Self::Single(Loss::CrossEntropy | Loss::Exponential))
    }

    /// Parser for clap, with every name and its summary.
    pub(super) fn parser() -> impl TypedValueParser<Value = Self> {
        let both = PossibleValue::new("both").help("one run under cross-entropy and one under squared error");
        PossibleValuesParser::new(Loss::ALL.iter().map(possible).chain([both])).try_map(|name| name.parse())
    }
}

impl fmt::Display for LossKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(loss) => loss.fmt(f),
            Self::Both => f.pad("both"),
        }
    }
}

impl FromStr for LossKind {
    type Err = UnknownName<Loss>;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name == "both" { Ok(Self::Both) } else { name.parse().map(Self::Single) }
    }
}

impl TryFrom<String> for LossKind {
    type Error = UnknownName<Loss>;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<LossKind> for String {
    fn from(loss: LossKind) -> Self {
        loss.to_string()
    }
}

/// A parser that takes more than the words that are offered: completions list `names`, `inner` decides.
#[derive(Clone, Debug)]
pub struct Open<P> {
    inner: P,
    names: Vec<PossibleValue>,
}

impl<P> Open<P> {
    /// What `inner` takes; of that, these words are offered.
    pub fn new(inner: P, names: impl IntoIterator<Item = impl Into<PossibleValue>>) -> Self {
        Self { inner, names: names.into_iter().map(Into::into).collect() }
    }
}

impl<P: TypedValueParser> TypedValueParser for Open<P> {
    type Value = P::Value;
    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Self::Value, clap::Error> {
        self.inner.parse_ref(command, argument, value)
    }
    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().cloned()))
    }
}

/// Parser of what has a text, of which these words are offered.
pub(super) fn open<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    Open::new(StringValueParser::new().try_map(|text| text.parse::<T>()), names)
}

/// Parser of a choice for clap, with every name and its summary.
pub fn choice<C: Choice + fmt::Debug + Send + Sync>() -> impl TypedValueParser<Value = C> {
    PossibleValuesParser::new(C::ALL.iter().map(possible)).try_map(|name| C::from_name(&name))
}

/// A choice as a help text shows it.
pub(super) fn possible<C: Choice>(choice: &C) -> PossibleValue {
    PossibleValue::new(choice.name()).help(choice.summary())
}

/// Which family of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// fully connected
    Fcn,
    /// residual, with blocks of two layers
    Resnet,
}

/// How the parameters begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// (f(x; theta_1) - f(x; theta_2))/sqrt(2) from theta_1 = theta_2: the output starts at 0
    Mirrored,
    /// every weight drawn independently, as the parametrization says: in wide networks the output starts as a Gaussian process
    Standard,
    /// standard, but f(x; theta) - f(x; theta_0) is trained: the output starts at 0
    Shifted,
}

/// How the parameters move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// gradient flow, integrated with adaptive steps
    Flow,
    /// full-batch gradient descent with a fixed learning rate
    Gd,
    /// one run of each from the same initialization, overlaid in the figures; needs a single loss
    Both,
}

impl OptimizerKind {
    /// Its name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Flow => "gradient flow",
            Self::Gd => "gradient descent",
            Self::Both => "both optimizers",
        }
    }
}

/// Who computes products and eigenvalues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackendKind {
    /// vector instructions and threads
    Fast,
    /// one thread, the same bits on every machine, including microcontrollers
    Portable,
}

/// Which empirical kernels of a run are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptKernels {
    /// at the start and at the end
    Ends,
    /// at every snapshot
    All,
}

/// How a snapshot is read where units may chatter across their kinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadingKind {
    /// over a burst of 16 short steps: the kernel that drives the outputs
    Burst,
    /// over 800 much shorter steps, as a reference
    Fine,
    /// at a single point, with derivative 0 or 1 at a kink
    Point,
}

/// Writes the name that settings and files have for it.
fn write_name(choice: &impl ValueEnum, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match choice.to_possible_value() {
        Some(value) => f.pad(value.get_name()),
        None => Err(fmt::Error),
    }
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
impl fmt::Display for OptimizerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
impl fmt::Display for ReadingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
impl fmt::Display for KeptKernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
