//! The choices that a setting can name.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Which family of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// fully connected
    Fcn,
    /// residual blocks of two layers
    Resnet,
}

/// Which parameters are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainedKind {
    /// all
    All,
    /// of a resnet, the blocks' V and W only
    Branches,
}

/// Nonlinearity of the hidden layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationKind {
    /// max(z, 0)
    Relu,
    /// error function
    Erf,
}

/// Which layers have a trained bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BiasKind {
    /// none (lin0)
    None,
    /// the first layer only (bias1)
    Input,
    /// every layer, the output's included (ball)
    All,
}

/// How the parameters begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// two copies subtracted: the output begins at 0
    Mirrored,
    /// independent N(0,1): the output begins as a Gaussian process
    Standard,
    /// standard, f(x; theta) - f(x; theta_0) in place of f: the output begins at 0
    Shifted,
}

/// What is minimised, as a mean over the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// squared error (1/2)|f - y|^2
    Mse,
    /// logistic for one output, softmax for more
    CrossEntropy,
    /// one run of each, side by side
    Both,
}

/// How the parameters move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// adaptive gradient flow
    Flow,
    /// gradient descent with steps of a fixed --rate
    Gd,
}

/// Who computes products and eigenvalues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackendKind {
    /// vector instructions and threads
    Fast,
    /// one thread, the same bits on every machine, a microcontroller included
    Portable,
}

impl LossKind {
    /// Its name for people: in figures, tables and sentences. Its name in files and settings is what it displays as.
    pub fn label(self) -> &'static str {
        match self {
            Self::Mse => "squared error",
            Self::CrossEntropy => "cross-entropy",
            Self::Both => "both losses",
        }
    }
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
impl fmt::Display for TrainedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
impl fmt::Display for ActivationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
impl fmt::Display for BiasKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
impl fmt::Display for LossKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
impl fmt::Display for OptimizerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self, f)
    }
}
