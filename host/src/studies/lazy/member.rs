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
        while !trainer.reached(self.until) {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            if trainer.step() == self.steps {
                return Err(Error::Endless { seed, steps: self.steps });
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
