//! What distinguishes the runs of a study: the network, what keeps its kernel, and how they are called.

use ntkscope_core::choice::Choice;
use ntkscope_core::network::{Activation, Bias, Parametrization};

use crate::experiment::{LossKind, Model, NetworkKind};
use crate::words::count;

/// Cross-entropy.
pub const CE: LossKind = LossKind::CROSS_ENTROPY;
/// Squared error.
pub const MSE: LossKind = LossKind::MSE;

/// The exponential loss.
pub const EXPONENTIAL: LossKind = LossKind::EXPONENTIAL;
/// Hinge loss.
pub const HINGE: LossKind = LossKind::HINGE;

/// A network of the study, width and initialization aside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Net {
    /// family
    pub kind: NetworkKind,
    /// hidden layers or blocks L
    pub depth: usize,
    /// branch scale of a resnet
    pub alpha: f64,
    /// layers with trained biases
    pub bias: Bias,
    /// how its layers are scaled
    pub parametrization: Parametrization,
    /// of all hidden layers
    pub activation: Activation,
}

/// A parametrization's name for people.
pub fn parametrization_title(parametrization: Parametrization) -> &'static str {
    match parametrization {
        Parametrization::Ntk => "NTK",
        Parametrization::MeanField => "mean-field",
        Parametrization::Mup => "muP",
        other => other.name(),
    }
}

impl Net {
    /// Fully connected, with biases in the first layer.
    pub const fn fcn(depth: usize) -> Self {
        Self {
            kind: NetworkKind::Fcn,
            depth,
            alpha: 1.0,
            bias: Bias::Input,
            parametrization: Parametrization::Ntk,
            activation: Activation::Relu,
        }
    }
    /// Residual, with biases in the first layer.
    pub const fn resnet(depth: usize, alpha: f64) -> Self {
        Self { kind: NetworkKind::Resnet, alpha, ..Self::fcn(depth) }
    }
    /// The same with its layers scaled otherwise.
    pub const fn with_parametrization(self, parametrization: Parametrization) -> Self {
        Self { parametrization, ..self }
    }
    /// The same with biases elsewhere.
    pub const fn with_bias(self, bias: Bias) -> Self {
        Self { bias, ..self }
    }
    /// The same with another activation.
    pub const fn with_activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }
    /// Its name in ids and files.
    pub fn name(&self) -> String {
        let bias = if self.bias == Bias::Input { String::new() } else { format!("-bias-{}", self.bias) };
        let scaled = match self.parametrization {
            Parametrization::Ntk => String::new(),
            other => format!("-{other}"),
        };
        let activation = self.unlike_relu("-");
        match self.kind {
            NetworkKind::Fcn => format!("fcn{}{bias}{scaled}{activation}", self.depth),
            NetworkKind::Resnet => format!("resnet{}-alpha{}{bias}{activation}", self.depth, self.alpha),
        }
    }
    /// An activation other than ReLU, behind a separator.
    fn unlike_relu(&self, separator: &str) -> String {
        match self.activation {
            Activation::Relu => String::new(),
            other => format!("{separator}{other}"),
        }
    }
    /// Its name for people; biases are told where they are not in the first layer alone.
    pub fn title(&self) -> String {
        let bias = match self.bias {
            Bias::Input => String::new(),
            Bias::None => ", no biases".into(),
            bias => format!(", {bias} biases"),
        };
        let scaled = match self.parametrization {
            Parametrization::Ntk => String::new(),
            other => format!(", {} parametrization", parametrization_title(other)),
        };
        let activation = self.unlike_relu(", ");
        match self.kind {
            NetworkKind::Fcn => format!("FCN, L = {}{bias}{scaled}{activation}", self.depth),
            NetworkKind::Resnet => {
                let blocks = count(self.depth, "block");
                format!("ResNet, {blocks}, α = {}{bias}{activation}", self.alpha)
            }
        }
    }
    /// The settings of the network at a width, in place of those of `others`.
    pub fn model(&self, width: usize, others: &Model) -> Model {
        let Self { kind, depth, alpha, bias, parametrization, activation } = *self;
        let alpha = (kind == NetworkKind::Resnet).then_some(alpha);
        Model {
            network: kind,
            depth,
            width,
            alpha,
            bias,
            parametrization,
            activation: activation.into(),
            ..others.clone()
        }
    }
    /// Matrices of width x width.
    pub fn matrices(&self) -> usize {
        match self.kind {
            NetworkKind::Fcn => self.depth - 1,
            NetworkKind::Resnet => 2 * self.depth,
        }
    }
    /// M, the degree of homogeneity in all parameters: L + 1 of a fully connected network; 2L + 2 of the longest product of
    /// weights in a residual one, to which it comes near as they grow.
    pub fn degree(&self) -> f64 {
        match self.kind {
            NetworkKind::Fcn => self.depth as f64 + 1.0,
            NetworkKind::Resnet => 2.0 * self.depth as f64 + 2.0,
        }
    }
    /// 2 - 2/M, the exponent at which the kernel of a homogeneous network grows with its outputs; a conjecture for a residual
    /// one.
    pub fn exponent(&self) -> f64 {
        2.0 - 2.0 / self.degree()
    }
    /// That exponent as a formula in L.
    pub fn exponent_formula(&self) -> &'static str {
        match self.kind {
            NetworkKind::Fcn => "2L/(L+1)",
            NetworkKind::Resnet => "(2L+1)/(L+1)",
        }
    }
}

/// What is added to cross-entropy, so that training ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Regularization {
    /// nothing: hard targets, no penalty
    Plain,
    /// (LAMBDA/2)|theta - theta_0|^2 added to the mean loss
    Penalty(f64),
    /// among K classes targets 1 - eps + eps/K and eps/K
    Smoothing(f64),
}

impl Regularization {
    /// Its place among others: none, penalties by strength, soft targets by softness.
    pub fn rank(self) -> f64 {
        match self {
            Self::Plain => 0.0,
            Self::Penalty(lambda) => 1.0 + lambda / (1.0 + lambda),
            Self::Smoothing(eps) => 2.0 + eps,
        }
    }
    /// Its name in ids.
    pub fn name(self) -> String {
        match self {
            Self::Plain => "plain".into(),
            Self::Penalty(lambda) => format!("penalty{lambda:.3}"),
            Self::Smoothing(eps) => format!("smoothing{eps:.3}"),
        }
    }
    /// Its name for people.
    pub fn title(self) -> String {
        match self {
            Self::Plain => "no penalty, hard labels".into(),
            Self::Penalty(lambda) => format!("penalty Λ = {lambda:.3}"),
            Self::Smoothing(eps) => format!("soft targets ε = {eps:.2}"),
        }
    }
}
