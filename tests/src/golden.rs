//! Golden numbers: values at 40 digits or more, computed independently of this code, rounded to double.
//!
//! `reference.json` was made with mpmath from the recursions and agrees with neural-tangents 0.6.5 to
//! 1e-13; `extreme.json` with the script beside it.

use serde::Deserialize;
use std::collections::BTreeMap;

/// `(n, n)`, row by row.
pub type Matrix = Vec<Vec<f64>>;

#[derive(Debug, Deserialize)]
pub struct Kernels {
    pub nngp: Matrix,
    pub ntk: Matrix,
}

#[derive(Debug, Deserialize)]
pub struct Family {
    /// by depth
    #[serde(rename = "L")]
    pub depths: BTreeMap<usize, Kernels>,
}

/// Of a residual network.
#[derive(Debug, Deserialize)]
pub struct ResidualKernels {
    pub nngp: Matrix,
    pub ntk_all: Matrix,
    /// only V and W trained, not normalised
    #[serde(rename = "ntk_VW")]
    pub ntk_branches: Matrix,
}

#[derive(Debug, Deserialize)]
pub struct ResidualFamily {
    /// by depth
    #[serde(rename = "L")]
    pub depths: BTreeMap<usize, ResidualKernels>,
}

#[derive(Debug, Deserialize)]
pub struct Scalars {
    pub u: Vec<String>,
    pub kappa0: Vec<f64>,
    pub kappa1: Vec<f64>,
}

#[derive(Debug, Deserialize)]
pub struct SixPoints {
    pub lambda_min: BTreeMap<String, f64>,
    pub lambda_in_label_direction: BTreeMap<String, f64>,
}

/// A prediction for the five samples and the test point (0.2, 0.3, 0.9).
#[derive(Debug, Deserialize)]
pub struct Prediction {
    pub train: Vec<f64>,
    pub test: f64,
}

/// f_i(t) = +-u(t) on the six points.
#[derive(Debug, Deserialize)]
pub struct LogisticFlow {
    pub lambda_s: f64,
    /// by t
    #[serde(rename = "u(t)")]
    pub u: BTreeMap<String, f64>,
}

/// Two hidden layers.
#[derive(Debug, Deserialize)]
pub struct LogisticFlows {
    pub lin0: LogisticFlow,
    pub bias1: LogisticFlow,
}

/// What the kernel of bias1, L = 2, predicts from outputs f_0 that are not 0.
#[derive(Debug, Deserialize)]
pub struct Theory {
    pub k_test_row_ntk: Vec<f64>,
    pub mse_flow_t3_meanloss: Prediction,
    pub soft_label_binary: Prediction,
    #[serde(rename = "six_points_kernel_logistic_flow_L2")]
    pub logistic_flow: LogisticFlows,
}

#[derive(Debug, Deserialize)]
pub struct Reference {
    #[serde(rename = "X")]
    pub samples: Matrix,
    pub fcn: BTreeMap<String, Family>,
    /// by alpha and bias, e.g. `alpha=0.5,bias_in=1`
    pub resnet: BTreeMap<String, ResidualFamily>,
    pub scalars: Scalars,
    #[serde(rename = "paperA_six_points")]
    pub six_points: SixPoints,
    pub theory: Theory,
}

#[derive(Debug, Deserialize)]
pub struct ExtremeKernels {
    pub network: String,
    pub depth: usize,
    pub nngp: Matrix,
    pub ntk: Matrix,
}

#[derive(Debug, Deserialize)]
pub struct LossCase {
    pub f: Vec<f64>,
    pub q: Vec<f64>,
    pub loss: f64,
    pub ln_mismatch: f64,
    pub residuals: Vec<f64>,
}

#[derive(Debug, Deserialize)]
pub struct Extreme {
    pub samples: Matrix,
    pub kernels: Vec<ExtremeKernels>,
    pub logistic: Vec<LossCase>,
    pub softmax: Vec<LossCase>,
    pub hilbert: Vec<f64>,
}

pub fn reference() -> Reference {
    serde_json::from_str(include_str!("../golden/reference.json")).expect("reference.json")
}

pub fn extreme() -> Extreme {
    serde_json::from_str(include_str!("../golden/extreme.json")).expect("extreme.json")
}
