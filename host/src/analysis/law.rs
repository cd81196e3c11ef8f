//! The law of predictors over random initializations in the limit of infinite width, on test points: mean, standard
//! deviation. The formulas are [`ntkscope_core::predict`]'s; here they meet samples and settings.

use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::Network;
use ntkscope_core::predict::{
    Fit, FixedPoint, Joint, Smoother, SoftTargets, Training, covariance, expand, fixed_point_len, laplace_covariance,
    mean, predict, smoother_len, soft_targets_len,
};
use ntkscope_core::{self as core, Backend, MatMut, MatRef};

use super::Error;
use super::law_forecast::singular_bytes;
use crate::backend::HostReal;
use crate::kernel::{analytic_cross, analytic_kernel};
use crate::machine::Budget;

/// What is trained, in the limit of infinite width.
#[derive(Clone, Copy)]
pub struct InfiniteWidth<'a, N> {
    /// what multiplies and decomposes
    pub backend: &'a dyn Backend<f64>,
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
    /// what f_0 is
    pub initial: Initial,
}

/// The law of f_0, the function that training begins from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initial {
    /// GP(0, S), S the NNGP: the network's own outputs
    Network,
    /// GP(0, T/(n LAMBDA)), T the NTK: the prior of the Laplace posterior, drawn in place of the network's own outputs.
    /// Needs a penalty.
    Prior,
}

impl Initial {
    fn kernel(self) -> AnalyticKernel {
        match self {
            Self::Network => AnalyticKernel::Nngp,
            Self::Prior => AnalyticKernel::Ntk,
        }
    }
}

/// Covariances of a block of m test points, row by row.
#[derive(Clone, Copy, Debug)]
pub struct Covariances<'c> {
    /// over initializations: `(m, m)` where all outputs share it, else `(mC, mC)`
    pub over_initializations: &'c [f64],
    /// of the Laplace posterior `(mC, mC)`, where there is one
    pub laplace: Option<&'c [f64]>,
}

/// What takes the covariances of a block of test points.
pub type TakeCovariances<'a> = &'a mut dyn FnMut(Covariances<'_>);

/// Distinct training samples.
struct Merged {
    x: Vec<f64>,
    targets: Vec<f64>,
}

/// A law on m test points of C outputs.
#[derive(Clone, Debug, Default, PartialEq)]
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

/// Whether the law is known at time t of the mean loss: at the end it always is, before it under squared error without a penalty alone.
pub fn is_known_at(time: f64, loss: Loss, penalty: f64) -> bool {
    time == f64::INFINITY || loss == Loss::SquaredError && penalty == 0.0
}

impl<N: Network> InfiniteWidth<'_, N> {
    /// The law. Exact for squared error and for soft targets; with cross-entropy and a penalty by the delta method.
    ///
    /// Test points are taken in blocks of `block`, which are rounded up to whole tiles of the backend; it changes no bit.
    ///
    /// # Errors
    /// [`Error::TooEarly`]: a time at which no law is known, see [`is_known_at`]; a loss without curvature; no finite solution, no convergence; a singular kernel that needs more memory than `budget` has.
    pub fn law(&self, block: usize, budget: &Budget) -> Result<Law, Error> {
        self.law_and(block, budget, &mut |_| ())
    }

    /// The law, and the covariances of every block of test points handed to `covariances`.
    ///
    /// # Errors
    /// Those of [`InfiniteWidth::law`].
    pub fn law_and(&self, block: usize, budget: &Budget, covariances: TakeCovariances<'_>) -> Result<Law, Error> {
        let (n, c, d) = (self.targets.rows(), self.targets.cols(), self.x.cols());
        if !is_known_at(self.time, self.loss, self.penalty) {
            return Err(Error::TooEarly { time: self.time });
        }
        if !self.loss.properties(c).curved {
            return Err(core::Error::NotSmooth { loss: self.loss }.into());
        }
        let (train, test) = (self.x.block(0..n, 0..d), self.x.block(n..self.x.rows(), 0..d));
        let parts = Parts { train, targets: self.targets, test, block: whole_tiles(block), budget };
        if !is_exact(self.loss, self.penalty) || self.initial == Initial::Prior {
            return Ok(self.delta(&parts, covariances)?);
        }
        let merged = self.penalty == 0.0 && !self.loss.properties(c).quadratic;
        if let Some(Merged { x, targets }) = merged.then(|| self.merged()).flatten() {
            let (train, targets) = (MatRef::new(&x, x.len() / d, d)?, MatRef::new(&targets, targets.len() / c, c)?);
            // where more than equal samples makes the kernel singular, it counts how many of them there are
            if let Some(law) = self.exact(&Parts { train, targets, ..parts }, true, covariances)? {
                return Ok(law);
            }
        }
        Ok(self.exact(&parts, false, covariances)?.unwrap_or_default())
    }

    /// Equal training samples as one, with the mean of their targets, which is what they ask for together. `None` where all
    /// are distinct.
    fn merged(&self) -> Option<Merged> {
        let (n, c) = (self.targets.rows(), self.targets.cols());
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
        for (target, count) in merged.targets.chunks_exact_mut(c).zip(&counts) {
            target.iter_mut().for_each(|y| *y /= count);
        }
        (counts.len() < n).then_some(merged)
    }

    fn kernel(&self, which: AnalyticKernel, x: MatRef<'_, f64>) -> Result<Vec<f64>, core::Error> {
        analytic_kernel(self.backend, self.network, which, x)
    }

    fn cross(&self, which: AnalyticKernel, x: MatRef<'_, f64>, y: MatRef<'_, f64>) -> Result<Vec<f64>, core::Error> {
        analytic_cross(self.backend, self.network, which, x, y)
    }

    /// One smoother for all outputs; `None` of a singular kernel where only a regular one is wanted.
    fn exact(&self, parts: &Parts<'_>, regular: bool, covariances: TakeCovariances<'_>) -> Result<Option<Law>, Error> {
        let (n, c, backend) = (parts.train.rows(), parts.targets.cols(), self.backend);
        let training = if self.penalty > 0.0 { Training::Ridge(self.penalty) } else { Training::Flow(self.time) };
        let mut buffer = vec![0.0; smoother_len(n)];
        let ntk = self.kernel(AnalyticKernel::Ntk, parts.train)?;
        let smoother = Smoother::new(backend, MatRef::new(&ntk, n, n)?, training, &mut buffer)?;
        if regular && smoother.unreached() > 0 {
            return Ok(None);
        }
        let (outputs, fit) = self.met(parts, MatRef::new(&ntk, n, n)?, &smoother)?;
        drop(ntk);
        let outputs = MatRef::new(&outputs, n, c)?;
        let nngp = self.kernel(AnalyticKernel::Nngp, parts.train)?;
        let nngp = MatRef::new(&nngp, n, n)?;
        // the mean over the classes changes no probability: P = I - 11^T/C
        let centred = if self.loss.properties(c).centred { 1.0 - 1.0 / c as f64 } else { 1.0 };
        let mut law = Law { fit: (self.penalty == 0.0).then_some(fit), ..Law::default() };
        for x in parts.blocks() {
            let m = x.rows();
            let (mut a, mut work) = (vec![0.0; m * n], vec![0.0; m * n]);
            let cross = self.cross(AnalyticKernel::Ntk, x, parts.train)?;
            smoother.of(backend, MatRef::new(&cross, m, n)?, MatMut::new(&mut a, m, n)?, &mut work)?;
            drop(cross);
            let (a, mut means, mut cov) = (MatRef::new(&a, m, n)?, vec![0.0; m * c], vec![0.0; m * m]);
            mean(backend, a, outputs, MatMut::new(&mut means, m, c)?)?;
            let cross = self.cross(AnalyticKernel::Nngp, x, parts.train)?;
            let test = self.kernel(AnalyticKernel::Nngp, x)?;
            let joint = Joint::of_blocks(nngp, MatRef::new(&cross, m, n)?, MatRef::new(&test, m, m)?)?;
            covariance(backend, joint, a, MatMut::new(&mut cov, m, m)?, &mut work)?;
            covariances(Covariances { over_initializations: &cov, laplace: None });
            law.mean.extend(means);
            law.deviation.extend((0..m * c).map(|e| (centred * cov[(e / c) * (m + 1)]).max(0.0).sqrt()));
        }
        Ok(Some(law))
    }

    /// The outputs `(n, C)` that the smoother is to learn, and how far they are those that are wanted: the targets
    /// themselves under squared error, else those of least loss under `kernel` `(n, n)`.
    fn met(
        &self,
        parts: &Parts<'_>,
        kernel: MatRef<'_, f64>,
        smoother: &Smoother<'_, f64>,
    ) -> Result<(Vec<f64>, Fit<f64>), Error> {
        let (n, c, backend) = (parts.train.rows(), parts.targets.cols(), self.backend);
        let mut outputs = vec![0.0; n * c];
        if smoother.unreached() > 0 && !self.loss.properties(c).quadratic {
            parts.budget.check("the limit of soft targets under a singular kernel", singular_bytes(n, c))?;
            let (mut full, mut buffer) = (vec![0.0; n * c * n * c], vec![0.0; soft_targets_len(n, c)]);
            expand(kernel, c, MatMut::new(&mut full, n * c, n * c)?)?;
            let full = MatRef::new(&full, n * c, n * c)?;
            let mut end = SoftTargets::new(backend, full, parts.targets, self.loss, &mut buffer)?;
            end.solve(MatRef::new(&outputs.clone(), n, c)?)?;
            outputs.copy_from_slice(end.outputs().data());
            return Ok((outputs, end.fit()));
        }
        if let Some(sample) = (0..n).find(|i| self.loss.certain(parts.targets.row(*i))) {
            return Err(core::Error::NoFiniteSolution { sample }.into());
        }
        self.loss.met(parts.targets, MatMut::new(&mut outputs, n, c)?)?;
        let fit = smoother.fit(backend, MatRef::new(&outputs, n, c)?, &mut vec![0.0; n * c])?;
        Ok((outputs, fit))
    }

    /// About the solution for f_0 = 0, all outputs stacked; exact for squared error.
    fn delta(&self, parts: &Parts<'_>, covariances: TakeCovariances<'_>) -> Result<Law, core::Error> {
        let (n, c, backend) = (parts.train.rows(), parts.targets.cols(), self.backend);
        let cols = n * c;
        let stacked = |kernel: Vec<f64>, rows: usize, cols: usize| -> Result<Vec<f64>, core::Error> {
            let mut full = vec![0.0; rows * c * cols * c];
            expand(MatRef::new(&kernel, rows, cols)?, c, MatMut::new(&mut full, rows * c, cols * c)?)?;
            Ok(full)
        };
        let train = |which| stacked(self.kernel(which, parts.train)?, n, n);
        let (of_f_0, ntk) = (train(self.initial.kernel())?, train(AnalyticKernel::Ntk)?);
        let (of_f_0, ntk) = (MatRef::new(&of_f_0, cols, cols)?, MatRef::new(&ntk, cols, cols)?);
        let scale = if self.initial == Initial::Prior { 1.0 / (n as f64 * self.penalty) } else { 1.0 };
        // a posterior of what is no likelihood is none
        let likelihood = self.loss.properties(c).probabilities || self.loss.properties(c).quadratic;
        let mut buffer = vec![0.0; fixed_point_len(n, c)];
        let mut end = FixedPoint::new(backend, ntk, parts.targets, self.loss, self.penalty, &mut buffer)?;
        end.solve(MatRef::new(&vec![0.0; cols], n, c)?)?;
        let mut law = Law::default();
        let mut posteriors = Vec::new();
        for x in parts.blocks() {
            let rows = x.rows() * c;
            let of_block = |which| -> Result<[Vec<f64>; 2], core::Error> {
                let cross = stacked(self.cross(which, x, parts.train)?, x.rows(), n)?;
                Ok([cross, stacked(self.kernel(which, x)?, x.rows(), x.rows())?])
            };
            let (mut a, mut work, mut cov) = (vec![0.0; rows * cols], vec![0.0; rows * cols], vec![0.0; rows * rows]);
            let mut posterior = vec![0.0; rows * rows];
            let deviations = |cov: &[f64]| {
                (0..rows).map(|e| self.centred_variance(cov, rows, c, e).max(0.0).sqrt()).collect::<Vec<_>>()
            };
            {
                let [cross, test] = of_block(AnalyticKernel::Ntk)?;
                let (cross, test) = (MatRef::new(&cross, rows, cols)?, MatRef::new(&test, rows, rows)?);
                end.smoother(cross, MatMut::new(&mut a, rows, cols)?, &mut work)?;
                let (zero, mut means) = (vec![0.0; rows], vec![0.0; rows]);
                let (zero, out) = (MatRef::new(&zero, x.rows(), c)?, MatMut::new(&mut means, x.rows(), c)?);
                predict(backend, cross, zero, end.dual(), out)?;
                let (joint, a) = (Joint::of_blocks(ntk, cross, test)?, MatRef::new(&a, rows, cols)?);
                laplace_covariance(backend, &end, joint, a, MatMut::new(&mut posterior, rows, rows)?)?;
                posteriors.extend(deviations(&posterior));
                law.mean.extend(means);
            }
            let [cross, test] = of_block(self.initial.kernel())?;
            let joint = Joint::of_blocks(of_f_0, MatRef::new(&cross, rows, cols)?, MatRef::new(&test, rows, rows)?)?;
            covariance(backend, joint, MatRef::new(&a, rows, cols)?, MatMut::new(&mut cov, rows, rows)?, &mut work)?;
            cov.iter_mut().for_each(|v| *v *= scale);
            let laplace = likelihood.then_some(&posterior[..]);
            covariances(Covariances { over_initializations: &cov, laplace });
            law.deviation.extend(deviations(&cov));
        }
        Ok(Law { laplace: likelihood.then_some(posteriors), ..law })
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

/// Training samples and test points.
struct Parts<'a> {
    /// `(n, d)`
    train: MatRef<'a, f64>,
    /// `(n, C)`
    targets: MatRef<'a, f64>,
    /// `(m, d)`
    test: MatRef<'a, f64>,
    /// test points of a block
    block: usize,
    budget: &'a Budget,
}

impl<'a> Parts<'a> {
    fn blocks(&self) -> impl Iterator<Item = MatRef<'a, f64>> {
        let (test, block) = (self.test, self.block);
        let (m, d) = (test.rows(), test.cols());
        (0..m).step_by(block).map(move |first| test.block(first..m.min(first + block), 0..d))
    }
}

/// Whether every output has the same smoother.
pub(super) fn is_exact(loss: Loss, penalty: f64) -> bool {
    penalty == 0.0 || loss.properties(1).quadratic
}

/// A number of samples as whole columns of tiles, so that a kernel in blocks has the bits of the whole.
pub(super) fn whole_tiles(samples: usize) -> usize {
    let cols = f64::fast().tile().cols;
    samples.max(1).next_multiple_of(cols)
}

#[cfg(test)]
mod tests {
    use ntkscope_core::init::Normals;
    use ntkscope_core::network::{Bias, Fcn};

    use super::*;
    use crate::analysis::points::sphere;

    /// Blocks of one tile, of several, of all points: the same bits, exact and by the delta method.
    #[test]
    fn the_law_does_not_depend_on_its_blocks() {
        let (n, m, d) = (30, 200, 3);
        let network = Fcn::new(d, &[1], 2).unwrap().with_bias(Bias::Input, 1.0).unwrap();
        let x = sphere(n + m, d, &mut Normals::new(5));
        let x = MatRef::new(&x, n + m, d).unwrap();
        let budget = Budget::within(None);
        for (loss, penalty, time) in [
            (Loss::SquaredError, 0.0, 10.0),
            (Loss::SquaredError, 0.1, f64::INFINITY),
            (Loss::CrossEntropy, 0.0, f64::INFINITY),
            (Loss::CrossEntropy, 0.1, f64::INFINITY),
        ] {
            let smoothing = if loss == Loss::CrossEntropy { 0.1 } else { 0.0 };
            let mut targets = vec![0.0; 2 * n];
            for (i, target) in targets.chunks_exact_mut(2).enumerate() {
                loss.target(i % 2, smoothing, target).unwrap();
            }
            let targets = MatRef::new(&targets, n, 2).unwrap();
            let limit = InfiniteWidth {
                backend: f64::fast(),
                network: &network,
                x,
                targets,
                loss,
                penalty,
                time,
                initial: Initial::Network,
            };
            let whole = limit.law(m, &budget).unwrap();
            assert_eq!((whole.mean.len(), whole.deviation.len()), (2 * m, 2 * m));
            assert_eq!(whole.laplace.is_some(), loss == Loss::CrossEntropy && penalty > 0.0);
            for block in [1, 64, 65, 128, 10_000] {
                assert_eq!(limit.law(block, &budget).unwrap(), whole, "{loss:?}, penalty {penalty}, blocks of {block}");
            }
        }
    }
}
