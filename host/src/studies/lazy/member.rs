//! One network of an ensemble: trained to its end, beside the end of its linearization.

use ntkscope_core::forward::{Params, forward};
use ntkscope_core::init::initialize;
use ntkscope_core::kernel::{MultiOutput, structured, structured_scratch, tangent, tangent_len};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::Network;
use ntkscope_core::predict::{FixedPoint, Joint, fixed_point_len, laplace_covariance};
use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
use ntkscope_core::{Backend, MatMut, MatRef};

use crate::backend::HostReal;
use crate::machine::{Ended, Stop};
use crate::run::Task;
use crate::study::Error;

/// What networks of an ensemble learn.
#[derive(Clone, Copy)]
pub(super) struct Lesson<'a, N> {
    pub network: &'a N,
    /// training samples, then the points held out, `(n + h, d)`
    pub x: MatRef<'a, f64>,
    /// `(n, C)`
    pub targets: MatRef<'a, f64>,
    pub loss: Loss,
    /// LAMBDA of the mean loss
    pub penalty: f64,
    /// time of the mean loss at which training ends
    pub until: f64,
    /// the most steps up to there
    pub steps: u64,
    pub optimizer: Optimizer,
}

/// A trained network on the points held out, `(h, C)` each.
pub(super) struct Member {
    pub trained: Vec<f64>,
    /// the limit of the network linearized at its initialization
    pub linearized: Vec<f64>,
    /// with a penalty and one output: standard deviations of the Laplace posterior in the parameters at the end
    pub laplace: Vec<f64>,
}

impl<N: Network> Lesson<'_, N> {
    /// Trains the network of this seed, from `f_0` `((n + h) C)` in place of its own outputs where that is given: an offset
    /// which is not trained, so that the gradients are its own.
    ///
    /// # Errors
    /// Those of training, and of the linearized network's limit.
    pub(super) fn learn(&self, seed: u64, f_0: Option<&[f64]>, stop: &Stop) -> Result<Ended<Member>, Error> {
        let (backend, sizes) = (f64::fast(), self.network.sizes());
        let (n, c) = (self.targets.rows(), self.targets.cols());
        let mut theta_0 = vec![0.0; sizes.parameters];
        initialize(self.network, seed, &mut theta_0)?;
        let own = self.outputs(&theta_0)?;
        let start = f_0.unwrap_or(&own).to_vec();
        let offset: Vec<f64> = own.iter().zip(&start).map(|(own, start)| own - start).collect();
        let problem =
            Problem::new(self.network, self.x.block(0..n, 0..self.x.cols()), self.targets, self.loss, self.penalty)?;
        let problem = match f_0 {
            Some(_) => problem.with_offset(MatRef::new(&offset[..n * c], n, c)?)?,
            None => problem,
        };
        let mut buffer = vec![0.0; trainer_len(sizes, n, &self.optimizer)];
        let mut trainer = Trainer::new(backend, problem, self.optimizer, seed, &mut buffer)?;
        // with a penalty narrow networks jitter about their end, and are there after so many steps
        while !trainer.reached(self.until) && trainer.step() < self.steps {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            trainer.advance(Some(self.until))?;
        }
        let trained: Vec<f64> =
            self.outputs(trainer.theta())?.iter().zip(&offset).map(|(f, offset)| f - offset).collect();
        let task = Task {
            network: self.network,
            theta_0: &theta_0,
            x: self.x,
            targets: self.targets,
            loss: self.loss,
            penalty: self.penalty,
            pace: 1.0,
            shifted: false,
            values: false,
        };
        let linearized = task.linearized_limit(backend, &start)?[n * c..].to_vec();
        let laplace = match self.penalty > 0.0 && c == 1 {
            true => self.laplace(trainer.theta(), &trained[..n])?,
            false => Vec::new(),
        };
        Ok(Ended::Done(Member { trained: trained[n * c..].to_vec(), linearized, laplace }))
    }

    fn outputs(&self, theta: &[f64]) -> Result<Vec<f64>, Error> {
        let mut activations = vec![0.0; self.x.rows() * self.network.sizes().activations];
        let params = Params::new(self.network, theta)?;
        Ok(forward(f64::fast(), params, self.x, &mut activations)?.outputs().data().to_vec())
    }

    /// Standard deviations on the points held out of the Laplace posterior in the parameters, about `theta` with the outputs
    /// `trained` `(n)`, of the network linearized there: the Gauss-Newton matrix `J^T W J + n LAMBDA I` is its precision. In
    /// the space of functions that is the posterior under the kernel at `theta`, as [`laplace_covariance`] has it.
    fn laplace(&self, theta: &[f64], trained: &[f64]) -> Result<Vec<f64>, Error> {
        let (backend, n, all) = (f64::fast(), self.targets.rows(), self.x.rows());
        let h = all - n;
        let kernel = self.kernel(backend, theta)?;
        let joint = Joint::new(MatRef::new(&kernel, all, all)?, n)?;
        let mut buffer = vec![0.0; fixed_point_len(n, 1)];
        let mut end = FixedPoint::new(backend, joint.train(), self.targets, self.loss, self.penalty, &mut buffer)?;
        // f = s - K r(f)/(n LAMBDA) is solved by the outputs at the end for this s, which so are where W is taken
        let mut residuals = vec![0.0; n];
        let outputs = MatRef::new(trained, n, 1)?;
        self.loss.residuals(outputs, self.targets, 0.0, MatMut::new(&mut residuals, n, 1)?)?;
        let mut start = trained.to_vec();
        let residuals = MatRef::new(&residuals, n, 1)?;
        backend.gemm(1.0 / self.penalty, joint.train(), residuals, 1.0, MatMut::new(&mut start, n, 1)?);
        end.solve(MatRef::new(&start, n, 1)?)?;
        let (mut a, mut work, mut posterior) = (vec![0.0; h * n], vec![0.0; h * n], vec![0.0; h * h]);
        end.smoother(joint.cross(), MatMut::new(&mut a, h, n)?, &mut work)?;
        laplace_covariance(backend, &end, joint, MatRef::new(&a, h, n)?, MatMut::new(&mut posterior, h, h)?)?;
        Ok((0..h).map(|i| posterior[i * (h + 1)].max(0.0).sqrt()).collect())
    }

    /// The empirical kernel at `theta` of all points, `(n + h, n + h)`, of one output.
    fn kernel(&self, backend: &dyn Backend<f64>, theta: &[f64]) -> Result<Vec<f64>, Error> {
        let all = self.x.rows();
        let mut space = vec![0.0; tangent_len(self.network.sizes(), all)];
        let tangent = tangent(backend, Params::new(self.network, theta)?, self.x, &mut space)?;
        let (mut kernel, mut scratch) = (vec![0.0; all * all], vec![0.0; structured_scratch(backend.tile(), all, all)]);
        structured(backend, &tangent, None, MultiOutput::Full, MatMut::new(&mut kernel, all, all)?, &mut scratch)?;
        Ok(kernel)
    }

    /// Standard deviations `(n)` that the targets need as noise: the roots of the Hessian W of the sum of the losses at the
    /// limit of the flow from 0 under `kernel` `(n, n)`. One output.
    pub(super) fn spread_of_targets(&self, kernel: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
        let n = self.targets.rows();
        let mut buffer = vec![0.0; fixed_point_len(n, 1)];
        let mut end = FixedPoint::new(f64::fast(), kernel, self.targets, self.loss, self.penalty, &mut buffer)?;
        end.solve(MatRef::new(&vec![0.0; n], n, 1)?)?;
        let mut hessian = vec![0.0; n];
        self.loss.hessian(end.outputs(), self.targets, 0.0, MatMut::new(&mut hessian, n, 1)?)?;
        // of the mean loss
        Ok(hessian.iter().map(|w| (n as f64 * w).sqrt()).collect())
    }
}

#[cfg(test)]
mod tests {
    use ntkscope_core::linalg::{cholesky, cholesky_solve};
    use ntkscope_core::loss::sigmoid;
    use ntkscope_core::network::{Bias, Fcn};

    use super::*;

    /// Three samples and two points held out.
    const X: [f64; 10] = [1.0, 0.2, -0.4, 0.9, -0.7, -0.6, 0.5, -0.8, 0.1, 1.1];
    const TARGETS: [f64; 3] = [0.8, 0.2, 0.7];

    fn lesson<'a>(network: &'a Fcn<'a>, until: f64) -> Lesson<'a, Fcn<'a>> {
        Lesson {
            network,
            x: MatRef::new(&X, 5, 2).unwrap(),
            targets: MatRef::new(&TARGETS, 3, 1).unwrap(),
            loss: Loss::CrossEntropy,
            penalty: 0.1,
            until,
            steps: 20_000,
            optimizer: Optimizer::Flow { tolerance: 0.01 },
        }
    }

    /// What it begins from is what was given, and its end depends on it; the tangents are those of the network.
    #[test]
    fn training_begins_from_what_is_given() {
        let network = Fcn::new(2, &[2000], 1).unwrap().with_bias(Bias::Input, 1.0).unwrap();
        let given = [0.5, -1.0, 0.25, 2.0, -3.0];
        let learned = |until, f_0| lesson(&network, until).learn(3, f_0, &Stop::new()).unwrap().done().unwrap();
        let start = learned(1e-9, Some(&given));
        assert!(start.trained.iter().zip(&given[3..]).all(|(f, g)| (f - g).abs() < 1e-7), "{:?}", start.trained);
        let (from_given, own) = (learned(200.0, Some(&given)), learned(200.0, None));
        for member in [&from_given, &own] {
            let apart = member.trained.iter().zip(&member.linearized).map(|(f, k)| (f - k).abs()).fold(0.0, f64::max);
            assert!(apart < 0.1, "{apart}");
        }
        assert!((from_given.trained[1] - own.trained[1]).abs() > 0.5);
        let stop = Stop::new();
        stop.request();
        assert!(matches!(lesson(&network, 200.0).learn(3, None, &stop).unwrap(), Ended::Stopped));
    }

    /// The posterior in the space of functions is that of the parameters, whose precision is J^T W J + n LAMBDA I; J by
    /// differences, which are exact where a unit keeps its side of the kink.
    #[test]
    fn laplace_is_that_of_the_parameters() {
        let network = Fcn::new(2, &[3], 1).unwrap().with_bias(Bias::Input, 1.0).unwrap();
        let (lesson, count) = (lesson(&network, 1.0), network.sizes().parameters);
        let mut theta = vec![0.0; count];
        initialize(&network, 5, &mut theta).unwrap();
        let f = lesson.outputs(&theta).unwrap();
        let moved = |k: usize, by: f64| {
            let mut theta = theta.clone();
            theta[k] += by;
            lesson.outputs(&theta).unwrap()
        };
        let of_parameter = |k: usize| {
            let (up, down) = (moved(k, 1e-4), moved(k, -1e-4));
            up.iter().zip(&down).map(|(up, down)| (up - down) / 2e-4).collect::<Vec<f64>>()
        };
        let j: Vec<Vec<f64>> = (0..count).map(of_parameter).collect();
        let weight = |i: usize| sigmoid(f[i]) * (1.0 - sigmoid(f[i]));
        let mut precision = vec![0.0; count * count];
        for (a, b) in (0..count * count).map(|e| (e / count, e % count)) {
            let data: f64 = (0..3).map(|i| weight(i) * j[a][i] * j[b][i]).sum();
            precision[a * count + b] = data + if a == b { 3.0 * lesson.penalty } else { 0.0 };
        }
        cholesky(MatMut::new(&mut precision, count, count).unwrap()).unwrap();
        let found = lesson.laplace(&theta, &f[..3]).unwrap();
        for (i, found) in (3..5).zip(found) {
            let row: Vec<f64> = (0..count).map(|k| j[k][i]).collect();
            let mut solved = row.clone();
            cholesky_solve(MatRef::new(&precision, count, count).unwrap(), &mut solved).unwrap();
            let variance: f64 = row.iter().zip(&solved).map(|(a, b)| a * b).sum();
            assert!((found - variance.sqrt()).abs() < 1e-6 * found, "{found} {}", variance.sqrt());
        }
    }

    /// p(1 - p) at the limit under the kernel.
    #[test]
    fn noise_has_the_variance_of_the_labels() {
        let network = Fcn::new(2, &[3], 1).unwrap();
        let kernel = [2.0, 0.5, 0.1, 0.5, 2.0, 0.3, 0.1, 0.3, 2.0];
        let kernel = MatRef::new(&kernel, 3, 3).unwrap();
        let lesson = lesson(&network, 1.0);
        let mut buffer = vec![0.0; fixed_point_len(3, 1)];
        let mut end = FixedPoint::new(f64::fast(), kernel, lesson.targets, lesson.loss, 0.1, &mut buffer).unwrap();
        end.solve(MatRef::new(&[0.0; 3], 3, 1).unwrap()).unwrap();
        for (i, sd) in lesson.spread_of_targets(kernel).unwrap().iter().enumerate() {
            let p = sigmoid(end.outputs().at(i, 0));
            assert!((sd * sd - p * (1.0 - p)).abs() < 1e-12);
        }
    }
}
