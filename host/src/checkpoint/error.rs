//! What is wrong with a network that another program stored.

use std::path::PathBuf;

use super::tensor_file::ParameterFault;
use crate::files::npy::in_brackets;
use crate::machine::Cause;
use crate::words::{excerpt, listed};

/// Why arrays are no fully connected network that is measured, without their file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// it cannot be read
    #[error("{0}")]
    File(ParameterFault),
    /// there is no array
    #[error(
        "holds no array of a layer; the weights of fully connected layers are named NAME.weight (or NAME/kernel, W0)"
    )]
    NoLayers,
    /// an array that no layer has
    #[error("array `{}` of shape {} {what}", excerpt(array), in_brackets(shape))]
    Array {
        /// its name
        array: String,
        /// its shape
        shape: Vec<usize>,
        /// what is wrong
        what: String,
    },
    /// no order of the layers fits
    #[error(
        "its layers do not follow one another{}: {layers}; a fully connected network gives every layer what the one before it gives",
        inputs.map_or(String::new(), |inputs| format!(" from samples of {inputs} numbers"))
    )]
    NoChain {
        /// names and shapes
        layers: String,
        /// numbers of a sample
        inputs: Option<usize>,
    },
    /// more than one order fits
    #[error("its layers can follow one another in several ways: {layers}; give their names in order with `order`")]
    Ambiguous {
        /// names and shapes
        layers: String,
    },
    /// the numbers in the names contradict the order of the file
    #[error(
        "its arrays come in the order {}, but the numbers in their names say {}; give the names in order with `order`",
        listed(stored),
        listed(numbered)
    )]
    Disagree {
        /// as they are stored
        stored: Vec<String>,
        /// as their names say
        numbered: Vec<String>,
    },
    /// a given order is not that of the layers
    #[error(
        "`order` has to name every layer once; layer `{}` is missing or unknown beside {}",
        excerpt(name),
        listed(layers)
    )]
    Order {
        /// which
        name: String,
        /// the others
        layers: Vec<String>,
    },
    /// an order of layers that the file itself says
    #[error("says the order of its layers; leave `order` out")]
    OrderSaid,
    /// nothing says what stands between the layers
    #[error(
        "does not say its activation; give it with `activation`, one for all hidden layers or one for each of the {hidden}"
    )]
    NoActivation {
        /// hidden layers
        hidden: usize,
    },
    /// another number of activations than of hidden layers
    #[error("has {hidden} hidden layers, but {given} activations were given; give one for all, or one for each")]
    Activations {
        /// hidden layers
        hidden: usize,
        /// activations
        given: usize,
    },
    /// two names have one tensor
    #[error(
        "array `{}` and array `{}` are one tensor; a network with tied weights is not measured",
        excerpt(first),
        excerpt(second)
    )]
    Tied {
        /// its name
        first: String,
        /// its other name
        second: String,
    },
    /// a number is not finite
    #[error("array `{}`, number {at} (from 0): {value:?} is not finite", excerpt(array))]
    NotFinite {
        /// name of the array
        array: String,
        /// its index
        at: usize,
        /// the number
        value: f64,
    },
    /// a pickle that holds more than tensors
    #[error("{0}")]
    Pickle(String),
    /// core refuses the network
    #[error("{0}")]
    Core(ntkscope_core::Error),
}

impl Fault {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::File(fault) => fault.cause(),
            Self::Ambiguous { .. }
            | Self::Disagree { .. }
            | Self::Order { .. }
            | Self::OrderSaid
            | Self::NoActivation { .. }
            | Self::Activations { .. } => Cause::Settings,
            Self::NoLayers
            | Self::Array { .. }
            | Self::NoChain { .. }
            | Self::Tied { .. }
            | Self::NotFinite { .. }
            | Self::Pickle(_)
            | Self::Core(_) => Cause::Data,
        }
    }
}

/// The same with its file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct Error {
    /// the file
    pub path: PathBuf,
    /// what is wrong
    pub fault: Fault,
}

impl Error {
    /// Where the cause lies.
    pub const fn cause(&self) -> Cause {
        self.fault.cause()
    }
}
