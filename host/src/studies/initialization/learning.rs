//! Learning curves of a fixed kernel: the excess risk of its gradient flow, stopped at the best time, against the number
//! n of training samples, from f_0 = 0 (mirrored initialization) and from f_0 = f^GP (the usual one, infinitely wide).
//!
//! ```text
//! y = f*(X) + noise,     risk(t) = mean over test points of (f_t(x) - f*(x))^2
//! ```
//!
//! On S^d the paper has `n^(-3/(d+3))` for f^GP, up to n^epsilon, however smooth f* is. From 0 a smooth f* is learned
//! faster, at rates up to n^-1. By its proposition 4.1 the risk from f_0 with target f* is that from 0 with target
//! f* - f_0: starting from f^GP is learning it.

use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::Network;
use ntkscope_core::predict::{GaussianProcess, Joint, KernelRegression, gaussian_process_len, predict, regression_len};
use ntkscope_core::{Error, MatMut, MatRef};
use rayon::prelude::*;

use super::{check_size, kernel, sphere};
use crate::backend::HostReal;
use crate::studies::statistics::{Estimate, line};

/// f* of the paper's experiment: (sum_j x_j)^2.
pub fn squared_sum(x: &[f64]) -> f64 {
    x.iter().sum::<f64>().powi(2)
}

/// f* = 0: from f_0 = f^GP, learning f^GP alone.
pub fn zero(_: &[f64]) -> f64 {
    0.0
}

/// `count` times from `first` to `last`, evenly spaced in their logarithm, both ends included.
pub fn log_grid(first: f64, last: f64, count: usize) -> Vec<f64> {
    let step = (last / first).ln() / count.saturating_sub(1).max(1) as f64;
    (0..count).map(|i| first * (step * i as f64).exp()).collect()
}

/// n training samples and m test points of a fixed kernel, with a target of any kind.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// K on training samples, then test points
    pub kernel: Joint<'a, f64>,
    /// f* on the same points `(n + m)`
    pub target: &'a [f64],
    /// y - f*(X) `(n)`
    pub noise: &'a [f64],
}

impl Task<'_> {
    /// Excess risk at every one of `times` of gradient flow on the mean loss from `f_0` `(n + m)`; one
    /// eigendecomposition for all of them.
    ///
    /// Errors: shapes, m = 0, those of [`KernelRegression`].
    pub fn risks(&self, f_0: &[f64], times: &[f64]) -> Result<Vec<f64>, Error> {
        let (backend, n, m) = (f64::fast(), self.kernel.train().rows(), self.kernel.test().rows());
        check_size("target", n + m, self.target.len())?;
        check_size("f_0", n + m, f_0.len())?;
        check_size("noise", n, self.noise.len())?;
        if m == 0 {
            return Err(Error::OutOfRange { what: "test points: there must be at least 1" });
        }
        let y: Vec<f64> = self.target.iter().zip(self.noise).map(|(f, e)| f + e).collect();
        let (start, start_test) = (MatRef::new(&f_0[..n], n, 1)?, MatRef::new(&f_0[n..], m, 1)?);
        let mut buffer = vec![0.0; regression_len(n, 1)];
        let (train, y) = (self.kernel.train(), MatRef::new(&y, n, 1)?);
        let mut regression = KernelRegression::new(backend, train, start, y, &mut buffer)?;
        let mut f = vec![0.0; m];
        let risk = |time: &f64| {
            let g = regression.dual(backend, *time)?;
            predict(backend, self.kernel.cross(), start_test, g, MatMut::new(&mut f, m, 1)?)?;
            Ok(f.iter().zip(&self.target[n..]).map(|(f, target)| (f - target).powi(2)).sum::<f64>() / m as f64)
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
    /// times among which the best is chosen, ascending
    pub times: &'a [f64],
    /// Draw r of n samples takes its deviates from the stream of seed `seed + 2^32 n + r`, wrapping: the points,
    /// training samples first, the noise, f^GP. So draws are independent, also those of different n.
    pub seed: u64,
}

/// The smallest excess risk along a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// risk
    pub risk: f64,
    /// index of its time: first and last say that the grid is too short
    pub time: usize,
}

impl Best {
    /// The first smallest of these; `None` without any number.
    pub fn of(risks: &[f64]) -> Option<Self> {
        let better = |best: Option<Self>, (time, risk): (usize, &f64)| match best {
            Some(best) if best.risk <= *risk => Some(best),
            _ if risk.is_nan() => best,
            _ => Some(Self { risk: *risk, time }),
        };
        risks.iter().enumerate().fold(None, better)
    }
}

/// One draw of points, noise and f^GP, learned from both starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draw {
    /// from f_0 = 0
    pub zero: Best,
    /// from f_0 = f^GP
    pub gaussian: Best,
}

/// The smallest risks from one start, over the draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Risk {
    /// mean of their logarithms
    pub log: Estimate,
    /// draws whose best time is the first or the last of the grid
    pub at_an_end: usize,
}

/// A point of the learning curves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningPoint {
    /// training samples
    pub n: usize,
    /// from f_0 = 0
    pub zero: Risk,
    /// from f_0 = f^GP
    pub gaussian: Risk,
}

impl<N: Network> Experiment<'_, N> {
    /// Draw `index` of `n` samples. Errors: no times; those of [`Task::risks`] and of the Gaussian process.
    pub fn draw(&self, n: usize, index: u32) -> Result<Draw, Error> {
        let (all, d) = (n + self.test, self.network.sizes().inputs);
        let seed = self.seed.wrapping_add(((n as u64) << 32).wrapping_add(u64::from(index)));
        let mut normals = Normals::new(seed);
        let x = sphere(all, d, &mut normals);
        let target: Vec<f64> = x.chunks_exact(d).map(self.target).collect();
        let noise: Vec<f64> = (0..n).map(|_| self.noise * normals.draw()).collect();
        let f_gp = self.random_outputs(MatRef::new(&x, all, d)?, &mut normals)?;
        let ntk = kernel(self.network, AnalyticKernel::Ntk, MatRef::new(&x, all, d)?)?;
        let kernel = Joint::new(MatRef::new(&ntk, all, all)?, n)?;
        let task = Task { kernel, target: &target, noise: &noise };
        let best = |f_0: &[f64]| {
            let none = Error::OutOfRange { what: "times: there must be at least 1" };
            Best::of(&task.risks(f_0, self.times)?).ok_or(none)
        };
        Ok(Draw { zero: best(&vec![0.0; all])?, gaussian: best(&f_gp)? })
    }

    /// f^GP ~ GP(0, NNGP) on all the points together.
    fn random_outputs(&self, x: MatRef<'_, f64>, normals: &mut Normals) -> Result<Vec<f64>, Error> {
        let (backend, all) = (f64::fast(), x.rows());
        let nngp = kernel(self.network, AnalyticKernel::Nngp, x)?;
        let (mut buffer, mut f) = (vec![0.0; gaussian_process_len(all)], vec![0.0; all]);
        let mut process = GaussianProcess::new(backend, MatRef::new(&nngp, all, all)?, &mut buffer)?;
        process.draw(backend, normals, MatMut::new(&mut f, all, 1)?)?;
        Ok(f)
    }

    /// The learning curve at n from `draws` draws, side by side. Errors: those of [`Self::draw`]; no draws; a risk of 0.
    pub fn point(&self, n: usize, draws: u32) -> Result<LearningPoint, Error> {
        let all: Vec<Draw> = (0..draws).into_par_iter().map(|index| self.draw(n, index)).collect::<Result<_, _>>()?;
        let risk = |of: fn(&Draw) -> Best| {
            let logs: Vec<f64> = all.iter().map(|draw| of(draw).risk.ln()).collect();
            let none = Error::OutOfRange { what: "draws: at least 1, with risks above 0" };
            let ends = [0, self.times.len().saturating_sub(1)];
            let at_an_end = all.iter().filter(|draw| ends.contains(&of(draw).time)).count();
            Ok(Risk { log: Estimate::of(&logs).ok_or(none)?, at_an_end })
        };
        Ok(LearningPoint { n, zero: risk(|d| d.zero)?, gaussian: risk(|d| d.gaussian)? })
    }
}

/// Least-squares slope of mean log risks over ln n. Its error is what the draws' standard errors make of it, the draws
/// of different n being independent; it knows nothing of a curve that bends. `None` for fewer than two n.
pub fn slope(points: &[(usize, Estimate)]) -> Option<Estimate> {
    let all: Vec<(f64, f64)> = points.iter().map(|(n, log_risk)| ((*n as f64).ln(), log_risk.value)).collect();
    let (value, _) = line(&all)?;
    let count = points.len();
    let centre = all.iter().map(|(x, _)| x).sum::<f64>() / count as f64;
    let spread: f64 = all.iter().map(|(x, _)| (x - centre).powi(2)).sum();
    // the slope is sum_i (x_i - centre)/spread y_i
    let shares = all.iter().zip(points).map(|((x, _), (_, y))| Some(((x - centre) / spread * y.error?).powi(2)));
    let error = shares.sum::<Option<f64>>().map(f64::sqrt);
    Some(Estimate { value, error, count })
}

#[cfg(test)]
mod tests;
