//! Learning curves of a fixed kernel: the excess risk of its gradient flow, stopped at the best time, against the number
//! n of training samples, from f_0 = 0 (mirrored initialization) and from f_0 = f^GP (the usual one, infinitely wide).
//!
//! ```text
//! y = f*(X) + noise,     risk(t) = mean over test points of (f_t(x) - f*(x))^2
//! ```
//!
//! On S^d the paper has `n^(-3/(d+3))` for f^GP, up to n^epsilon, however smooth f* is. From 0 a smooth f* is learned
//! faster, at rates up to n^-1. By its proposition 4.1 the risk from f_0 with target f* is that from 0 with target
//! f* - f_0: starting from f^GP is learning it. The mean over noise and f^GP is [`super::expected_risk`].

use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::Network;
use ntkscope_core::predict::{Joint, KernelRegression, predict, regression_len};
use ntkscope_core::{Error, MatMut, MatRef};

use super::points::{draw_seed, random_outputs, sphere};
use crate::backend::HostReal;
use crate::kernel::analytic_kernel;

/// `count` times from `first` to `last`, evenly spaced in their logarithm, both ends included.
pub fn log_grid(first: f64, last: f64, count: usize) -> Vec<f64> {
    let step = (last / first).ln() / count.saturating_sub(1).max(1) as f64;
    (0..count).map(|i| first * (step * i as f64).exp()).collect()
}

/// n training samples and m test points under a fixed kernel, which is decomposed once for every start and target.
pub struct FixedKernel<'a> {
    joint: Joint<'a, f64>,
    regression: KernelRegression<'a, f64>,
}

impl<'a> FixedKernel<'a> {
    /// `joint` is the kernel of the training samples, then the test points. `buffer` holds `regression_len(n, 1)` numbers.
    ///
    /// # Errors
    /// m = 0, those of [`KernelRegression`].
    pub fn new(joint: Joint<'a, f64>, buffer: &'a mut [f64]) -> Result<Self, Error> {
        let n = joint.train().rows();
        if joint.test().rows() == 0 {
            return Err(Error::OutOfRange { what: "number of test points", needs: "at least 1", got: 0.0 });
        }
        let nothing = vec![0.0; n];
        let nothing = MatRef::new(&nothing, n, 1)?;
        Ok(Self { joint, regression: KernelRegression::new(f64::fast(), joint.train(), nothing, nothing, buffer)? })
    }

    /// Excess risk at every one of `times` of gradient flow on the mean loss, from `f_0` `(n + m)` towards `target`
    /// `(n + m)` of which `noise` `(n)` hides the training samples'.
    ///
    /// # Errors
    /// Shapes, numbers that are not finite.
    pub fn risks(&mut self, f_0: &[f64], target: &[f64], noise: &[f64], times: &[f64]) -> Result<Vec<f64>, Error> {
        let (backend, n, m) = (f64::fast(), self.joint.train().rows(), self.joint.test().rows());
        Error::shape("target", n + m, target.len())?;
        Error::shape("f_0", n + m, f_0.len())?;
        Error::shape("noise", n, noise.len())?;
        let y: Vec<f64> = target.iter().zip(noise).map(|(f, e)| f + e).collect();
        let (start, start_test) = (MatRef::new(&f_0[..n], n, 1)?, MatRef::new(&f_0[n..], m, 1)?);
        self.regression.restart(backend, start, MatRef::new(&y, n, 1)?)?;
        let mut f = vec![0.0; m];
        let risk = |time: &f64| {
            let g = self.regression.dual(backend, *time)?;
            predict(backend, self.joint.cross(), start_test, g, MatMut::new(&mut f, m, 1)?)?;
            Ok(f.iter().zip(&target[n..]).map(|(f, target)| (f - target).powi(2)).sum::<f64>() / m as f64)
        };
        times.iter().map(risk).collect()
    }
}

/// A random experiment on the sphere S^(d-1), d the network's inputs.
#[derive(Clone, Copy, Debug)]
pub struct Experiment<'a, N> {
    /// network; its width does not enter
    pub network: &'a N,
    /// f*
    pub target: fn(&[f64]) -> f64,
    /// standard deviation of the noise
    pub noise: f64,
    /// test points m of every draw
    pub test: usize,
    /// times at which the risk is wanted, ascending
    pub times: &'a [f64],
    /// A draw takes its deviates from the stream of [`draw_seed`]: the points, training samples first, the noise, f^GP.
    pub seed: u64,
}

/// One draw of points, noise and f^GP, learned from both starts.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedDraw {
    /// risks from f_0 = 0
    pub zero: Vec<f64>,
    /// risks from f_0 = f^GP
    pub random: Vec<f64>,
    /// largest difference, over the times, of the risks from f^GP with target f* and from 0 with target f* - f^GP, as a
    /// share of the risk before training: none
    pub identity: f64,
}

impl<N: Network> Experiment<'_, N> {
    /// Draw `index` of `n` samples.
    ///
    /// # Errors
    /// Those of [`FixedKernel`] and of the Gaussian process.
    pub fn draw(&self, n: usize, index: u32) -> Result<LearnedDraw, Error> {
        let mut normals = Normals::new(draw_seed(self.seed, n, index));
        let x = sphere(n + self.test, self.network.sizes().inputs, &mut normals);
        self.on(&x, n, &mut normals)
    }

    /// On these points `(n + m, d)`, training samples first, with the noise and f^GP from the next deviates.
    ///
    /// # Errors
    /// As for [`Self::draw`].
    pub fn on(&self, x: &[f64], n: usize, normals: &mut Normals) -> Result<LearnedDraw, Error> {
        let (all, d) = (n + self.test, self.network.sizes().inputs);
        let target: Vec<f64> = x.chunks_exact(d).map(self.target).collect();
        let noise: Vec<f64> = (0..n).map(|_| self.noise * normals.draw()).collect();
        let x = MatRef::new(x, all, d)?;
        let f_gp = random_outputs(self.network, x, 1, normals)?;
        let ntk = analytic_kernel(f64::fast(), self.network, AnalyticKernel::Ntk, x)?;
        let mut buffer = vec![0.0; regression_len(n, 1)];
        let mut kernel = FixedKernel::new(Joint::new(MatRef::new(&ntk, all, all)?, n)?, &mut buffer)?;
        let nothing = vec![0.0; all];
        let zero = kernel.risks(&nothing, &target, &noise, self.times)?;
        let random = kernel.risks(&f_gp, &target, &noise, self.times)?;
        let difference: Vec<f64> = target.iter().zip(&f_gp).map(|(f, f_gp)| f - f_gp).collect();
        let shifted = kernel.risks(&nothing, &difference, &noise, self.times)?;
        let square = difference[n..].iter().map(|f| f * f).sum::<f64>() / self.test as f64;
        let identity = random.iter().zip(&shifted).map(|(a, b)| (a - b).abs() / square).fold(0.0, f64::max);
        Ok(LearnedDraw { zero, random, identity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::curves::Best;
    use crate::analysis::points::Target;
    use ntkscope_core::network::{Bias, Fcn};

    fn network() -> Fcn<'static> {
        Fcn::new(3, &[1], 1).unwrap()
    }
    fn experiment<'a>(network: &'a Fcn<'a>, times: &'a [f64]) -> Experiment<'a, Fcn<'a>> {
        Experiment { network, target: Target::SquaredSum.function(), noise: 0.2, test: 100, times, seed: 0 }
    }

    /// Proposition 4.1: from f_0 with target f*, or from 0 with target f* - f_0.
    #[test]
    fn risk_depends_on_the_difference_of_target_and_start() {
        let (network, times) = (network(), log_grid(1.0, 1e7, 29));
        for index in 0..4 {
            let draw = experiment(&network, &times).draw(60, index).unwrap();
            assert!(draw.identity < 1e-12, "{}", draw.identity);
            assert_ne!(draw.zero, draw.random);
        }
    }

    /// Before any time has passed the risk is the mean square of what is to be learned.
    #[test]
    fn the_risk_at_the_start() {
        const N: usize = 60;
        const ALL: usize = 100;
        let mut normals = Normals::new(3);
        let x = sphere(ALL, 3, &mut normals);
        let x = MatRef::new(&x, ALL, 3).unwrap();
        let ntk = analytic_kernel(f64::fast(), &network(), AnalyticKernel::Ntk, x).unwrap();
        let joint = Joint::new(MatRef::new(&ntk, ALL, ALL).unwrap(), N).unwrap();
        let target: Vec<f64> = (0..ALL).map(|i| Target::SquaredSum.function()(x.row(i))).collect();
        let f_0 = random_outputs(&network(), x, 1, &mut normals).unwrap();
        let mut buffer = vec![0.0; regression_len(N, 1)];
        let mut kernel = FixedKernel::new(joint, &mut buffer).unwrap();
        let square = target.iter().zip(&f_0).skip(N).map(|(f, f_0)| (f - f_0).powi(2)).sum::<f64>() / (ALL - N) as f64;
        let risks = kernel.risks(&f_0, &target, &[0.1; N], &[0.0]).unwrap();
        assert!((risks[0] - square).abs() < 1e-14 * square);
        assert!(kernel.risks(&f_0[1..], &target, &[0.1; N], &[0.0]).is_err());
        assert!(kernel.risks(&f_0, &target, &[f64::NAN; N], &[0.0]).is_err());
        assert!(FixedKernel::new(Joint::new(MatRef::new(&ntk, ALL, ALL).unwrap(), ALL).unwrap(), &mut []).is_err());
    }

    /// Test points that are the training samples, no noise: after a long time the target is met there.
    #[test]
    fn training_samples_are_learned() {
        const N: usize = 20;
        // with a bias, without which a single hidden layer does not learn every odd function
        let network = network().with_bias(Bias::Input, 1.0).unwrap();
        let once = sphere(N, 3, &mut Normals::new(4));
        let twice = [once.clone(), once].concat();
        let x = MatRef::new(&twice, 2 * N, 3).unwrap();
        let ntk = analytic_kernel(f64::fast(), &network, AnalyticKernel::Ntk, x).unwrap();
        let target: Vec<f64> = (0..2 * N).map(|i| x.at(i, 0).sin()).collect();
        let joint = Joint::new(MatRef::new(&ntk, 2 * N, 2 * N).unwrap(), N).unwrap();
        let mut buffer = vec![0.0; regression_len(N, 1)];
        let mut kernel = FixedKernel::new(joint, &mut buffer).unwrap();
        let risks = kernel.risks(&[0.5; 2 * N], &target, &[0.0; N], &[1e3, 1e9]).unwrap();
        assert!(risks[1] < 1e-20 && risks[0] > risks[1], "{risks:?}");
    }

    #[test]
    fn draws_are_reproducible() {
        let (network, times) = (network(), log_grid(1.0, 1e7, 40));
        let experiment = experiment(&network, &times);
        assert_eq!(experiment.draw(20, 1).unwrap(), experiment.draw(20, 1).unwrap());
        assert_ne!(experiment.draw(20, 1).unwrap(), experiment.draw(20, 2).unwrap());
        let nothing = Experiment { target: Target::Zero.function(), ..experiment };
        assert!(Best::along(&nothing.draw(20, 0).unwrap().random).unwrap().risk > 0.0);
    }
}
