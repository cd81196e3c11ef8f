//! The excess risk of the gradient flow of a fixed kernel, given the points: its mean over the noise of the training samples
//! and over f_0 = f^GP, in closed form. It is what the theorems on learning rates speak of, and draws of noise and of f^GP
//! only scatter about it.
//!
//! In the normalization of [`super::spectrum`], with the eigenvalues lambda_k of K(X, X)/n, c_k(f) = u_k . f(X) / sqrt(n) and
//! kappa_k(x) = c_k(K(., x)), the flow on the mean loss has at time t
//!
//! ```text
//! f_t(x) = f_0(x) + sum_k g_k kappa_k(x) c_k(y - f_0),     g_k = (1 - e^(-t lambda_k)) / lambda_k
//! ```
//!
//! with g_k = 0 where lambda_k is rounding. With y = f* + noise of variance sigma^2, and <.> the mean over the test points, the
//! mean of <(f_t - f*)^2> is the sum of
//!
//! ```text
//! bias    <(sum_k g_k kappa_k c_k(f*) - f*)^2>                                        from f_0 = 0, without noise
//! noise   sigma^2/n sum_k g_k^2 <kappa_k^2>
//! start   <S(x, x)> - 2 sum_k g_k <kappa_k sigma_k> + sum_kl g_k g_l <kappa_k kappa_l> M_kl
//! ```
//!
//! where S is the covariance of f_0, sigma_k(x) = c_k(S(., x)) and M_kl = u_k . S(X, X) u_l / n. `start` is what is left of f_0: by
//! the paper's proposition 4.1 the risk of learning f_0 from 0.

use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::Network;
use ntkscope_core::predict::learned;
use ntkscope_core::{Error, MatMut, MatRef};

use super::curves::Start;
use super::learning::Experiment;
use super::points::{Target, draw_seed, sphere};
use super::spectrum::{Spectrum, known_eigenvalues};
use crate::backend::HostReal;
use crate::kernel::{analytic_cross, analytic_kernel};

/// The parts of the risk, each at every time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedRisk {
    /// of f* without noise from f_0 = 0
    pub bias: Vec<f64>,
    /// of the noise
    pub noise: Vec<f64>,
    /// of f_0
    pub start: Vec<f64>,
}

impl ExpectedRisk {
    /// The risk at every time from `start` towards f*, or 0 in its place: the samples are then noise alone.
    pub fn risks(&self, target: Target, start: Start) -> Vec<f64> {
        let bias = |i: usize| if target == Target::Zero { 0.0 } else { self.bias[i] };
        let left = |i: usize| if start == Start::Zero { 0.0 } else { self.start[i] };
        (0..self.noise.len()).map(|i| bias(i) + self.noise[i] + left(i)).collect()
    }
}

impl<N: Network> Experiment<'_, N> {
    /// The expected risk on the points of draw `index` of `n` training samples.
    ///
    /// # Errors
    /// n = 0, m = 0, a network with a bias or of no inputs.
    pub fn expected_risk(&self, n: usize, index: u32) -> Result<ExpectedRisk, Error> {
        let (d, m) = (self.network.sizes().inputs, self.test);
        let points = sphere(n + m, d, &mut Normals::new(draw_seed(self.seed, n, index)));
        let points = MatRef::new(&points, n + m, d)?;
        self.expected_risk_at(points.block(0..n, 0..d), points.block(n..n + m, 0..d))
    }

    /// The risk on the training samples `x` `(n, d)` and test points `test` `(m, d)`.
    ///
    /// # Errors
    /// As for [`Self::expected_risk`].
    pub fn expected_risk_at(&self, x: MatRef<'_, f64>, test: MatRef<'_, f64>) -> Result<ExpectedRisk, Error> {
        let (backend, n, m) = (f64::fast(), x.rows(), test.rows());
        if m == 0 {
            return Err(Error::OutOfRange { what: "number of test points", needs: "at least 1", got: 0.0 });
        }
        let cross = |which| analytic_cross(backend, self.network, which, x, test);
        let train = |which| analytic_kernel(backend, self.network, which, x);
        let spectrum = Spectrum::new(MatRef::new(&train(AnalyticKernel::Ntk)?, n, n)?)?;
        let coefficients = |f: &[f64], columns: usize| spectrum.coefficients(MatRef::new(f, n, columns)?);
        let kappa = coefficients(&cross(AnalyticKernel::Ntk)?, m)?;
        let sigma = coefficients(&cross(AnalyticKernel::Nngp)?, m)?;
        // M = U^T S U / n, symmetric: the coefficients of the rows of U^T S / sqrt(n)
        let half = coefficients(&train(AnalyticKernel::Nngp)?, n)?;
        let mut together = coefficients(&transposed(&half, n), n)?;
        drop(half);
        let (kappa_rows, mean) = (MatRef::new(&kappa, n, m)?, 1.0 / m as f64);
        let mut products = vec![0.0; n * n];
        backend.gemm(mean, kappa_rows, kappa_rows.t(), 0.0, MatMut::new(&mut products, n, n)?);
        let squares: Vec<f64> = (0..n).map(|k| products[k * (n + 1)]).collect();
        together.iter_mut().zip(&products).for_each(|(m, product)| *m *= product);
        drop(products);
        let both: Vec<f64> = (0..n).map(|k| dot(&kappa[k * m..][..m], &sigma[k * m..][..m]) * mean).collect();
        let of_test = |which| analytic_kernel(backend, self.network, which, test);
        let variance = of_test(AnalyticKernel::Nngp)?.iter().step_by(m + 1).sum::<f64>() * mean;

        let of =
            |points: MatRef<'_, f64>| (0..points.rows()).map(|i| (self.target)(points.row(i))).collect::<Vec<f64>>();
        let (c, target) = (coefficients(&of(x), 1)?, of(test));
        let (known, count) = (known_eigenvalues(spectrum.values()), self.times.len());
        let share = |t: f64, k: usize| {
            let lambda = spectrum.values()[k];
            if k < known { learned(t, lambda) / lambda } else { 0.0 }
        };
        let g: Vec<f64> = self.times.iter().flat_map(|t| (0..n).map(|k| share(*t, k))).collect();
        let weighted: Vec<f64> = g.iter().enumerate().map(|(i, g)| g * c[i % n]).collect();
        let (mut outputs, mut spread) = (vec![0.0; count * m], vec![0.0; count * n]);
        let out = MatMut::new(&mut outputs, count, m)?;
        backend.gemm(1.0, MatRef::new(&weighted, count, n)?, kappa_rows, 0.0, out);
        let (rows, out) = (MatRef::new(&g, count, n)?, MatMut::new(&mut spread, count, n)?);
        backend.gemm(1.0, rows, MatRef::new(&together, n, n)?, 0.0, out);
        let mut risk = ExpectedRisk::default();
        for (i, g) in g.chunks_exact(n).enumerate() {
            let off = outputs[i * m..][..m].iter().zip(&target).map(|(f, target)| (f - target).powi(2));
            risk.bias.push(off.sum::<f64>() * mean);
            let noise = g.iter().zip(&squares).map(|(g, square)| g * g * square).sum::<f64>();
            risk.noise.push(self.noise * self.noise / n as f64 * noise);
            risk.start.push(variance - 2.0 * dot(g, &both) + dot(g, &spread[i * n..][..n]));
        }
        Ok(risk)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Of `(n, n)`.
fn transposed(a: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|e| a[e % n * n + e / n]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::learning::log_grid;
    use crate::analysis::statistics::Estimate;
    use ntkscope_core::network::Fcn;

    /// The means over many draws of noise and f^GP on the same points, which training simulates.
    #[test]
    fn the_mean_over_draws_of_noise_and_start() {
        const N: usize = 40;
        let (network, times) = (Fcn::new(3, &[1], 1).unwrap(), log_grid(1.0, 1e5, 7));
        let (noise, target) = (0.2, Target::SquaredSum.function());
        let experiment = Experiment { network: &network, target, noise, test: 30, times: &times, seed: 0 };
        let (x, mut normals) = (sphere(N + 30, 3, &mut Normals::new(draw_seed(0, N, 5))), Normals::new(77));
        let expected = experiment.expected_risk(N, 5).unwrap();
        let draws: Vec<_> = (0..400).map(|_| experiment.on(&x, N, &mut normals).unwrap()).collect();
        for (i, time) in times.iter().enumerate() {
            let off = |value: f64, measured: Vec<f64>| {
                let mean = Estimate::from_values(&measured).unwrap();
                let errors = (value - mean.value) / mean.error.unwrap();
                assert!(errors.abs() < 4.0, "t = {time}: {value} and {mean:?}, {errors} standard errors");
            };
            off(expected.risks(Target::SquaredSum, Start::Zero)[i], draws.iter().map(|draw| draw.zero[i]).collect());
            off(
                expected.risks(Target::SquaredSum, Start::Random)[i],
                draws.iter().map(|draw| draw.random[i]).collect(),
            );
        }
    }

    /// At t = 0 nothing is learned; on the training samples themselves everything is, in the end, but what the kernel does not
    /// reach.
    #[test]
    fn the_ends() {
        const N: usize = 24;
        let (network, times) = (Fcn::new(3, &[1, 1], 1).unwrap(), [0.0, f64::INFINITY]);
        let target = Target::SquaredSum.function();
        let given = Experiment { network: &network, target, noise: 0.2, test: N, times: &times, seed: 0 };
        let x = sphere(N, 3, &mut Normals::new(1));
        let x = MatRef::new(&x, N, 3).unwrap();
        let risk = given.expected_risk_at(x, x).unwrap();
        let square = (0..N).map(|i| target(x.row(i)).powi(2)).sum::<f64>() / N as f64;
        assert!((risk.bias[0] - square).abs() < 1e-14 && risk.noise[0] == 0.0 && (risk.start[0] - 1.0).abs() < 1e-14);
        assert!(
            risk.bias[1] < 1e-20 && risk.start[1].abs() < 1e-12 && (risk.noise[1] - 0.04).abs() < 1e-12,
            "{risk:?}"
        );
        // every point twice: half of the eigenvalues are rounding, and teach nothing
        let twice = [x.data(), x.data()].concat();
        let twice = MatRef::new(&twice, 2 * N, 3).unwrap();
        let doubled = given.expected_risk_at(twice, x).unwrap();
        assert!((doubled.noise[1] - 0.02).abs() < 1e-12 && doubled.start[1].abs() < 1e-12, "{doubled:?}");
        assert!(given.expected_risk_at(x, x.block(0..0, 0..3)).is_err());
    }
}
