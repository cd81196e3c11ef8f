//! The law of predictors over random initializations in the limit of infinite width, on test points: mean, standard
//! deviation, class probabilities. The formulas are [`ntkscope_core::predict`]'s; here they meet samples and settings.

use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::loss::{Loss, sigmoid, softmax};
use ntkscope_core::network::Network;
use ntkscope_core::predict::{
    Fit, FixedPoint, Joint, Smoother, SoftTargets, Training, covariance, expand, fixed_point_len, laplace_covariance,
    mean, predict, smoother_len, soft_targets_len,
};
use ntkscope_core::{Error, MatMut, MatRef};

use crate::backend::HostReal;
use crate::kernel::analytic_kernel;

/// What is trained, in the limit of infinite width.
#[derive(Clone, Copy, Debug)]
pub struct InfiniteWidth<'a, N> {
    /// network; its width does not enter
    pub network: &'a N,
    /// training samples, then test points, `(n + m, d)`
    pub x: MatRef<'a, f64>,
    /// targets `(n, C)`
    pub targets: MatRef<'a, f64>,
    /// loss
    pub loss: Loss,
    /// LAMBDA of the mean loss
    pub penalty: f64,
    /// time t of the mean loss; infinite but for squared error without a penalty
    pub time: f64,
}

struct Merged {
    /// distinct training samples, then the test points
    x: Vec<f64>,
    targets: Vec<f64>,
}

/// A law on m test points of C outputs.
#[derive(Clone, Debug, Default)]
pub struct Law {
    /// means `(m, C)`
    pub mean: Vec<f64>,
    /// standard deviations over initializations `(m, C)`; under softmax those of the logits less their mean
    pub deviation: Vec<f64>,
    /// standard deviations of the Laplace posterior of Gaussian process classification `(m, C)`, with a penalty and
    /// cross-entropy
    pub laplace: Option<Vec<f64>>,
    /// how far the targets are met, without a penalty
    pub fit: Option<Fit<f64>>,
}

impl<N: Network> InfiniteWidth<'_, N> {
    /// n, m, C.
    fn shape(&self) -> (usize, usize, usize) {
        let (n, c) = (self.targets.rows(), self.targets.cols());
        (n, self.x.rows() - n, c)
    }

    fn kernel(&self, which: AnalyticKernel) -> Result<Vec<f64>, Error> {
        analytic_kernel(f64::fast(), self.network, which, self.x)
    }

    /// The law. Exact for squared error and for soft targets; with cross-entropy and a penalty by the delta method.
    ///
    /// # Errors
    /// No finite solution, no convergence.
    pub fn law(&self) -> Result<Law, Error> {
        let quadratic = self.loss.properties(self.targets.cols()).quadratic;
        if self.penalty > 0.0 && !quadratic {
            return self.delta();
        }
        if self.penalty == 0.0 && !quadratic {
            let merged = self.merged();
            if merged.targets.len() < self.targets.rows() * self.targets.cols() {
                let (c, d) = (self.targets.cols(), self.x.cols());
                let x = MatRef::new(&merged.x, merged.x.len() / d, d)?;
                let targets = MatRef::new(&merged.targets, merged.targets.len() / c, c)?;
                // where more than equal samples makes the kernel singular, it counts how many of them there are
                if let Some(law) = (InfiniteWidth { x, targets, ..*self }).exact(true)? {
                    return Ok(law);
                }
            }
        }
        Ok(self.exact(false)?.unwrap_or_default())
    }

    /// Equal training samples as one, with the mean of their targets, which is what they ask for together.
    fn merged(&self) -> Merged {
        let (n, _, c) = self.shape();
        let mut merged = Merged { x: Vec::new(), targets: Vec::new() };
        let mut counts: Vec<f64> = Vec::new();
        for i in 0..n {
            let found = merged.x.chunks_exact(self.x.cols()).position(|x| x == self.x.row(i));
            let at = found.unwrap_or_else(|| {
                merged.x.extend_from_slice(self.x.row(i));
                merged.targets.extend(vec![0.0; c]);
                counts.push(0.0);
                counts.len() - 1
            });
            counts[at] += 1.0;
            merged.targets[at * c..][..c].iter_mut().zip(self.targets.row(i)).for_each(|(sum, y)| *sum += y);
        }
        for (target, count) in merged.targets.chunks_exact_mut(c).zip(counts) {
            target.iter_mut().for_each(|y| *y /= count);
        }
        (n..self.x.rows()).for_each(|i| merged.x.extend_from_slice(self.x.row(i)));
        merged
    }

    /// One smoother for all outputs; `None` of a singular kernel where only a regular one is wanted.
    fn exact(&self, regular: bool) -> Result<Option<Law>, Error> {
        let ((n, m, c), all, backend) = (self.shape(), self.x.rows(), f64::fast());
        let (nngp, ntk) = (self.kernel(AnalyticKernel::Nngp)?, self.kernel(AnalyticKernel::Ntk)?);
        let [nngp, ntk] = [&nngp, &ntk].map(|k| MatRef::new(k, all, all).and_then(|k| Joint::new(k, n)));
        let (nngp, ntk) = (nngp?, ntk?);
        let training = if self.penalty > 0.0 { Training::Ridge(self.penalty) } else { Training::Flow(self.time) };
        let mut buffer = vec![0.0; smoother_len(n)];
        let smoother = Smoother::new(backend, ntk.train(), training, &mut buffer)?;
        if regular && smoother.unreached() > 0 {
            return Ok(None);
        }
        let (mut a, mut work) = (vec![0.0; m * n], vec![0.0; (m * n).max(n * c)]);
        smoother.of(backend, ntk.cross(), MatMut::new(&mut a, m, n)?, &mut work)?;
        let (outputs, fit) = self.met(ntk.train(), &smoother, &mut work)?;
        let a = MatRef::new(&a, m, n)?;
        let (mut means, mut cov) = (vec![0.0; m * c], vec![0.0; m * m]);
        mean(backend, a, MatRef::new(&outputs, n, c)?, MatMut::new(&mut means, m, c)?)?;
        covariance(backend, nngp, a, MatMut::new(&mut cov, m, m)?, &mut work)?;
        // the mean over the classes changes no probability: P = I - 11^T/C
        let centred = if self.loss.properties(c).centred { 1.0 - 1.0 / c as f64 } else { 1.0 };
        let deviation = (0..m * c).map(|e| (centred * cov[(e / c) * (m + 1)]).max(0.0).sqrt()).collect();
        Ok(Some(Law { mean: means, deviation, laplace: None, fit: (self.penalty == 0.0).then_some(fit) }))
    }

    /// The outputs `(n, C)` that the smoother is to learn, and how far they are those that are wanted: the targets
    /// themselves under squared error, else those of least loss under `kernel` `(n, n)`.
    fn met(
        &self,
        kernel: MatRef<'_, f64>,
        smoother: &Smoother<'_, f64>,
        work: &mut [f64],
    ) -> Result<(Vec<f64>, Fit<f64>), Error> {
        let ((n, _, c), backend) = (self.shape(), f64::fast());
        let mut outputs = vec![0.0; n * c];
        if smoother.unreached() > 0 && !self.loss.properties(c).quadratic {
            let (mut full, mut buffer) = (vec![0.0; n * c * n * c], vec![0.0; soft_targets_len(n, c)]);
            expand(kernel, c, MatMut::new(&mut full, n * c, n * c)?)?;
            let full = MatRef::new(&full, n * c, n * c)?;
            let mut end = SoftTargets::new(backend, full, self.targets, self.loss, &mut buffer)?;
            end.solve(MatRef::new(&outputs.clone(), n, c)?)?;
            outputs.copy_from_slice(end.outputs().data());
            return Ok((outputs, end.fit()));
        }
        if let Some(sample) = (0..n).find(|i| self.loss.certain(self.targets.row(*i))) {
            return Err(Error::NoFiniteSolution { sample });
        }
        self.loss.met(self.targets, MatMut::new(&mut outputs, n, c)?)?;
        let fit = smoother.fit(backend, MatRef::new(&outputs, n, c)?, work)?;
        Ok((outputs, fit))
    }

    /// About the solution for f_0 = 0, all outputs stacked.
    fn delta(&self) -> Result<Law, Error> {
        let ((n, m, c), all, backend) = (self.shape(), self.x.rows(), f64::fast());
        let (nngp, ntk) = (self.kernel(AnalyticKernel::Nngp)?, self.kernel(AnalyticKernel::Ntk)?);
        let stacked = |kernel: &[f64]| -> Result<Vec<f64>, Error> {
            let mut full = vec![0.0; all * c * all * c];
            expand(MatRef::new(kernel, all, all)?, c, MatMut::new(&mut full, all * c, all * c)?)?;
            Ok(full)
        };
        let (nngp, ntk) = (stacked(&nngp)?, stacked(&ntk)?);
        let nngp = Joint::new(MatRef::new(&nngp, all * c, all * c)?, n * c)?;
        let ntk = Joint::new(MatRef::new(&ntk, all * c, all * c)?, n * c)?;
        let mut buffer = vec![0.0; fixed_point_len(n, c)];
        let mut end = FixedPoint::new(backend, ntk.train(), self.targets, self.loss, self.penalty, &mut buffer)?;
        let zero = vec![0.0; all * c];
        end.solve(MatRef::new(&zero[..n * c], n, c)?)?;
        let (rows, cols) = (m * c, n * c);
        let (mut a, mut work, mut means) = (vec![0.0; rows * cols], vec![0.0; rows * cols], vec![0.0; rows]);
        end.smoother(ntk.cross(), MatMut::new(&mut a, rows, cols)?, &mut work)?;
        predict(backend, ntk.cross(), MatRef::new(&zero[..rows], m, c)?, end.dual(), MatMut::new(&mut means, m, c)?)?;
        let (a, mut cov, mut posterior) =
            (MatRef::new(&a, rows, cols)?, vec![0.0; rows * rows], vec![0.0; rows * rows]);
        covariance(backend, nngp, a, MatMut::new(&mut cov, rows, rows)?, &mut work)?;
        laplace_covariance(backend, &end, ntk, a, MatMut::new(&mut posterior, rows, rows)?)?;
        let deviations =
            |cov: &[f64]| (0..rows).map(|e| self.centred_variance(cov, rows, c, e).max(0.0).sqrt()).collect();
        Ok(Law { mean: means, deviation: deviations(&cov), laplace: Some(deviations(&posterior)), fit: None })
    }

    /// Variance of output `e` = i C + k, under softmax less the mean over the sample's outputs.
    fn centred_variance(&self, cov: &[f64], rows: usize, c: usize, e: usize) -> f64 {
        if !self.loss.properties(c).centred {
            return cov[e * (rows + 1)];
        }
        let weight = |k: usize| f64::from(u8::from(k == e % c)) - 1.0 / c as f64;
        let block = e / c * c;
        let terms = (0..c * c).map(|p| weight(p / c) * weight(p % c) * cov[(block + p / c) * rows + block + p % c]);
        terms.sum()
    }
}

/// Draws for probabilities of several classes.
const DRAWS: usize = 4000;

/// E[probability of every class] `(m, K)`, K = 2 for one output: the law's Gaussian logits through the loss's link. Several
/// classes are drawn independently, from seed 0, each with its own deviation.
///
/// # Errors
/// Lengths that differ.
pub fn probabilities(outputs: usize, mean: &[f64], deviation: &[f64]) -> Result<Vec<f64>, Error> {
    if outputs == 1 {
        // each by itself: the complement of a probability near 1 has few digits
        let p = mean.iter().zip(deviation).flat_map(|(m, d)| [expected_sigmoid(-m, *d), expected_sigmoid(*m, *d)]);
        return Ok(p.collect());
    }
    let mut normals = Normals::new(0);
    let mut all = Vec::with_capacity(mean.len());
    for (mean, deviation) in mean.chunks_exact(outputs).zip(deviation.chunks_exact(outputs)) {
        let certain = deviation.iter().all(|d| *d == 0.0);
        let draws = if certain { 1 } else { DRAWS };
        let (mut sum, mut p) = (vec![0.0; outputs], vec![0.0; outputs]);
        for _ in 0..draws {
            let f: Vec<f64> =
                mean.iter().zip(deviation).map(|(m, d)| m + if certain { 0.0 } else { d * normals.draw() }).collect();
            softmax(&f, &mut p)?;
            sum.iter_mut().zip(&p).for_each(|(sum, p)| *sum += p / draws as f64);
        }
        all.extend(sum);
    }
    Ok(all)
}

/// E[1/(1 + e^-f)], f ~ N(mean, deviation^2), by the trapezoidal rule, which converges exponentially here.
fn expected_sigmoid(mean: f64, deviation: f64) -> f64 {
    if deviation == 0.0 {
        return sigmoid(mean);
    }
    const REACH: i32 = 120;
    let (mut sum, mut total) = (0.0, 0.0);
    for k in -REACH..=REACH {
        let z = f64::from(k) * 8.0 / f64::from(REACH);
        let weight = (-0.5 * z * z).exp();
        sum += weight * sigmoid(mean + deviation * z);
        total += weight;
    }
    sum / total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_probabilities() {
        assert!((expected_sigmoid(0.0, 3.0) - 0.5).abs() < 1e-15);
        assert!((expected_sigmoid(2.0, 0.0) - 1.0 / (1.0 + (-2.0f64).exp())).abs() < 1e-15);
        // probit approximation of the same integral, good to 0.01 or so
        let kappa = 1.0 / (1.0 + std::f64::consts::PI / 8.0 * 4.0f64).sqrt();
        assert!((expected_sigmoid(1.5, 2.0) - 1.0 / (1.0 + (-1.5 * kappa).exp())).abs() < 0.02);
        let p = probabilities(3, &[1.0, 0.0, -1.0], &[0.0; 3]).unwrap();
        let total = 1f64.exp() + 1.0 + (-1f64).exp();
        assert!((p[0] - 1f64.exp() / total).abs() < 1e-15 && (p.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        let rare = probabilities(1, &[40.0], &[0.5]).unwrap();
        assert!((rare[0] / (-40.0f64 + 0.125).exp() - 1.0).abs() < 1e-12 && rare[1] == 1.0, "{rare:?}");
        let spread = probabilities(3, &[1.0, 0.0, -1.0], &[2.0; 3]).unwrap();
        assert!(spread[0] < p[0] && (spread.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{spread:?}");
    }
}
