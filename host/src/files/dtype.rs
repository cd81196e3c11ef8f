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
    /// how it is called in settings and files
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }
    /// distance from 1 to the next larger number
    pub const fn epsilon(self) -> f64 {
        match self {
            Self::F32 => f32::EPSILON as f64,
            Self::F64 => f64::EPSILON,
        }
    }
    /// Whether it has this number to its full precision: one beyond its largest would be infinite, one below its smallest
    /// lose digits, or be 0.
    pub fn holds(self, number: f64) -> bool {
        let (smallest, largest) = self.range();
        number == 0.0 || (smallest..=largest).contains(&number.abs())
    }
    /// Smallest and largest of the positive numbers that it has to its full precision.
    pub const fn range(self) -> (f64, f64) {
        match self {
            Self::F32 => (f32::MIN_POSITIVE as f64, f32::MAX as f64),
            Self::F64 => (f64::MIN_POSITIVE, f64::MAX),
        }
    }
}
