//! The precision of numbers, in files as in memory.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Scalar of network, kernels and training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dtype {
    /// single precision
    F32,
    /// double precision
    F64,
}

impl Dtype {
    /// bytes of one number
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
    /// distance from 1 to the next larger number
    pub const fn epsilon(self) -> f64 {
        match self {
            Self::F32 => f32::EPSILON as f64,
            Self::F64 => f64::EPSILON,
        }
    }
}
