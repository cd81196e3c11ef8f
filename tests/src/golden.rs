//! Golden numbers: values at 40 digits or more, computed independently of this code, rounded to double.
//!
//! `reference.json` was made with mpmath from the recursions and agrees with neural-tangents 0.6.5 to
//! 1e-13; `extreme.json`, `distribution.json` and `singular.json` with the scripts beside them. `activations.json` was made with
//! neural-tangents in f64, and closed forms at 40 digits agree with it to 1e-15 of the largest entry. `biases.json` was made as
//! `reference.json`; its fully connected part agrees with neural-tangents 0.6.5 to 1e-15.

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

/// Kernels of a scalar output in the conventions of `Fcn`: by activation, points, biases.
///
/// Biases are those of `Bias`: of scale 1 in the first layer (`input`), of scale 0.5 in every layer (`all`).
#[derive(Debug, Deserialize)]
pub struct Activations {
    pub points: BTreeMap<String, Matrix>,
    pub activations: BTreeMap<String, BTreeMap<String, BTreeMap<String, Family>>>,
}

/// Predictions under a kernel of this rank: see `singular.py`. Values are of all samples, those to train on first.
#[derive(Debug, Deserialize)]
pub struct Singular {
    pub rank: usize,
    /// whether the first two samples are equal
    pub twins: bool,
    /// B: the kernel is B^T B
    pub features: Matrix,
    /// targets of squared error
    pub y: Vec<f64>,
    /// targets of cross-entropy
    pub q: Vec<f64>,
    pub f_0: Vec<f64>,
    pub limit: Vec<f64>,
    pub at_3: Vec<f64>,
    pub ridge: Vec<f64>,
    pub soft: Vec<f64>,
    pub penalized: Vec<f64>,
}

/// Of a residual network.
#[derive(Debug, Deserialize)]
pub struct ResidualKernels {
    pub nngp: Matrix,
    pub ntk_all: Matrix,
    /// only the branches trained, V and W and their biases, not normalized
    #[serde(rename = "ntk_VW", alias = "ntk_VWbd")]
    pub ntk_branches: Matrix,
}

#[derive(Debug, Deserialize)]
pub struct ResidualFamily {
    /// by depth
    #[serde(rename = "L")]
    pub depths: BTreeMap<usize, ResidualKernels>,
}

/// Kernels of one set of samples: of networks with biases of scale 1 in every hidden layer.
#[derive(Debug, Deserialize)]
pub struct BiasedKernels {
    #[serde(rename = "X")]
    pub samples: Matrix,
    pub fcn: BTreeMap<String, Family>,
    /// by alpha and biases, e.g. `alpha=0.5,bias_in=1,branch_bias=1`
    pub resnet: BTreeMap<String, ResidualFamily>,
}

/// NTKs on the six points, by network.
#[derive(Debug, Deserialize)]
pub struct SixPointSpectra {
    pub lambda_min: BTreeMap<String, f64>,
    pub lambda_max: BTreeMap<String, f64>,
    pub lambda_in_label_direction: BTreeMap<String, f64>,
}

/// Networks with a trained bias in every hidden layer and none at the output; those of residual branches start at 0.
#[derive(Debug, Deserialize)]
pub struct Biases {
    pub six_points: BiasedKernels,
    #[serde(rename = "points_R3")]
    pub points: BiasedKernels,
    #[serde(rename = "paperA_six_points")]
    pub six_point_spectra: SixPointSpectra,
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

/// Theirs, and |theta - theta_0|^2.
#[derive(Debug, Deserialize)]
pub struct PredictionAndDistance {
    pub train: Vec<f64>,
    pub test: f64,
    pub dtheta2: f64,
}

/// Of three classes.
#[derive(Debug, Deserialize)]
pub struct ClassPrediction {
    pub train: Matrix,
    pub test: Vec<f64>,
}

/// Over initializations, at the test point.
#[derive(Debug, Deserialize)]
pub struct Law {
    pub mean: f64,
    pub var: f64,
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
    pub lee2019_t3_meanloss: Law,
    pub lee2019_tinf: Law,
    pub ridge_mse: Prediction,
    pub reg_ce_binary: PredictionAndDistance,
    #[serde(rename = "reg_ce_softmax_C3")]
    pub reg_ce_softmax: ClassPrediction,
    pub soft_label_binary: PredictionAndDistance,
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

/// At one penalty `lam` beside the sum of the losses.
#[derive(Debug, Deserialize)]
pub struct PenalizedLaw {
    pub lam: f64,
    pub outputs: Vec<f64>,
    pub delta: Matrix,
    pub laplace: Matrix,
}

#[derive(Debug, Deserialize)]
pub struct Distribution {
    pub samples: Matrix,
    pub labels: Vec<usize>,
    pub binary: Vec<PenalizedLaw>,
    pub softmax: Vec<PenalizedLaw>,
}

pub fn reference() -> Reference {
    serde_json::from_str(include_str!("../golden/reference.json")).expect("reference.json")
}

pub fn biases() -> Biases {
    serde_json::from_str(include_str!("../golden/biases.json")).expect("biases.json")
}

pub fn extreme() -> Extreme {
    serde_json::from_str(include_str!("../golden/extreme.json")).expect("extreme.json")
}

pub fn distribution() -> Distribution {
    serde_json::from_str(include_str!("../golden/distribution.json")).expect("distribution.json")
}

pub fn singular() -> Vec<Singular> {
    serde_json::from_str(include_str!("../golden/singular.json")).expect("singular.json")
}

pub fn activations() -> Activations {
    serde_json::from_str(include_str!("../golden/activations.json")).expect("activations.json")
}
