//! Points on spheres, what is to be learned there, and random outputs on them.

use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::Network;
use ntkscope_core::predict::{GaussianProcess, gaussian_process_len};
use ntkscope_core::{Error, MatMut, MatRef};

use crate::backend::HostReal;
use crate::kernel::analytic_kernel;

/// f* of the study's experiments; [`super::learning::Experiment`] takes any function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// the paper's, (sum_j x_j)^2
    SquaredSum,
    /// 0: from f_0 = f^GP, learning f^GP alone
    Zero,
}

impl Target {
    /// Both.
    pub const ALL: [Self; 2] = [Self::SquaredSum, Self::Zero];

    /// f*(x)
    pub fn function(self) -> fn(&[f64]) -> f64 {
        match self {
            Self::SquaredSum => |x| x.iter().sum::<f64>().powi(2),
            Self::Zero => |_| 0.0,
        }
    }
    /// Its name in ids.
    pub fn name(self) -> &'static str {
        match self {
            Self::SquaredSum => "squared-sum",
            Self::Zero => "zero",
        }
    }
    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::SquaredSum => "f*(x) = (Σ_{j} x_{j})^{2}",
            Self::Zero => "f* = 0",
        }
    }
}

/// Seed of draw `index` of an experiment with n samples: draws are independent, also those of different n.
pub fn draw_seed(seed: u64, n: usize, index: u32) -> u64 {
    seed.wrapping_add(((n as u64) << 32).wrapping_add(u64::from(index)))
}

/// n points uniform on the unit sphere S^(d-1), `(n, d)`: normalized Gaussian vectors, from the next n d deviates.
pub fn sphere(n: usize, d: usize, normals: &mut Normals) -> Vec<f64> {
    let mut x: Vec<f64> = (0..n * d).map(|_| normals.draw()).collect();
    for point in x.chunks_exact_mut(d.max(1)) {
        let norm = point.iter().map(|v| v * v).sum::<f64>().sqrt();
        point.iter_mut().for_each(|v| *v /= norm);
    }
    x
}

/// `draws` samples of f^GP ~ GP(0, NNGP) on the rows of `x` together, `(n, draws)`: the outputs of the infinitely wide
/// network at random initialization.
///
/// # Errors
/// Those of the Gaussian process.
pub fn random_outputs<N: Network>(
    network: &N,
    x: MatRef<'_, f64>,
    draws: usize,
    normals: &mut Normals,
) -> Result<Vec<f64>, Error> {
    let nngp = analytic_kernel(f64::fast(), network, AnalyticKernel::Nngp, x)?;
    gaussian_draws(MatRef::new(&nngp, x.rows(), x.rows())?, draws, normals)
}

/// `draws` samples of GP(0, `covariance`), `(n, draws)`; those of a seed begin alike, however many they are.
///
/// # Errors
/// Those of core's Gaussian process.
pub fn gaussian_draws(covariance: MatRef<'_, f64>, draws: usize, normals: &mut Normals) -> Result<Vec<f64>, Error> {
    let (backend, n) = (f64::fast(), covariance.rows());
    let (mut buffer, mut f) = (vec![0.0; gaussian_process_len(n)], vec![0.0; n * draws]);
    let mut process = GaussianProcess::new(backend, covariance, &mut buffer)?;
    process.draw(backend, normals, MatMut::new(&mut f, n, draws)?)?;
    Ok(f)
}
