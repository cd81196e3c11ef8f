//! The paper's experiment with networks: one hidden layer of m = 20 n units, 10 n epochs of gradient descent at rate 0.6
//! on the squared error `(1/2n) sum (f - y)^2`, from mirrored and from standard initialization, on the same samples.
//!
//! The excess risk is the smallest along training (oracle early stopping); it is measured at the first epochs and then
//! evenly in the logarithm of the epoch.

use ntkscope_core::forward::{Params, forward};
use ntkscope_core::init::Normals;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Fcn, Mirrored, Network, Sizes};
use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
use ntkscope_core::{Error, MatRef};
use serde::Serialize;

use crate::analysis::curves::Curves;
use crate::analysis::points::{Target, draw_seed, sphere};
use crate::backend::HostReal;
use crate::files::numbers::NumberTable;
use crate::machine::{Ended, Stop};
use crate::run::Observer;
use crate::study;
use crate::study::kept::Measurement;

/// Networks on n points of S^(d-1).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Replica {
    /// d
    pub dimension: usize,
    /// n
    pub n: usize,
    /// width m
    pub width: usize,
    /// epochs
    pub epochs: u64,
    /// learning rate
    pub rate: f64,
    /// standard deviation of the noise
    pub noise: f64,
    /// test points
    pub test: usize,
    /// draws of points, noise and initial parameters
    pub trials: u32,
}

impl Replica {
    /// The paper's, for n samples on S^(d-1).
    pub fn new(dimension: usize, n: usize, trials: u32) -> Self {
        Self { dimension, n, width: 20 * n, epochs: 10 * n as u64, rate: 0.6, noise: 0.2, test: 500, trials }
    }

    /// Epochs at which the risk is measured, ascending: 0, and about 24 of every factor of 10.
    fn measured(&self) -> Vec<u64> {
        let mut epochs = vec![0];
        while let Some(last) = epochs.last().filter(|last| **last < self.epochs) {
            epochs.push((last + 1).max((*last as f64 * 1.1) as u64).min(self.epochs));
        }
        epochs
    }

    fn network<'a>(&self, widths: &'a [usize]) -> Result<Fcn<'a>, Error> {
        Fcn::new(self.dimension, widths, 1)
    }
    fn sizes(&self) -> Result<Sizes, Error> {
        Ok(self.network(&[self.width])?.sizes().mirrored())
    }
    fn optimizer(&self) -> Optimizer {
        Optimizer::Descent { rate: self.rate }
    }

    /// Risks along training of one network, at the measured epochs, in f32.
    fn train<N: Network>(
        &self,
        network: &N,
        data: &TrialSamples,
        seed: u64,
        stop: &Stop,
    ) -> Result<Ended<Vec<f64>>, study::Error> {
        let (backend, sizes) = (f32::fast(), network.sizes());
        let x = MatRef::new(&data.x, self.n, self.dimension)?;
        let problem = Problem::new(network, x, MatRef::new(&data.y, self.n, 1)?, Loss::SquaredError, 0.0)?;
        let mut buffer = vec![0.0; trainer_len(sizes, self.n, &self.optimizer())];
        let mut trainer = Trainer::new(backend, problem, self.optimizer(), seed, &mut buffer)?;
        let test = MatRef::new(&data.test, self.test, self.dimension)?;
        let mut activations = vec![0.0; self.test * sizes.activations];
        let mut risks = Vec::new();
        for epoch in self.measured() {
            while trainer.step() < epoch {
                if stop.requested() {
                    return Ok(Ended::Stopped);
                }
                trainer.advance(None)?;
            }
            let f = forward(backend, Params::new(network, trainer.theta())?, test, &mut activations)?.outputs();
            let off = f.data().iter().zip(&data.target).map(|(f, target)| (f64::from(*f) - target).powi(2));
            risks.push(off.sum::<f64>() / self.test as f64);
        }
        Ok(Ended::Done(risks))
    }

    fn samples(&self, index: u32) -> TrialSamples {
        let mut normals = Normals::new(draw_seed(0, self.n, index));
        let all = sphere(self.n + self.test, self.dimension, &mut normals);
        let target: Vec<f64> = all.chunks_exact(self.dimension).map(Target::SquaredSum.function()).collect();
        let y = target[..self.n].iter().map(|f| (f + self.noise * normals.draw()) as f32).collect();
        let (x, test) = all.split_at(self.n * self.dimension);
        let single = |values: &[f64]| values.iter().map(|v| *v as f32).collect();
        TrialSamples { x: single(x), y, test: single(test), target: target[self.n..].to_vec() }
    }
}

/// Training samples with noise, test points without.
struct TrialSamples {
    x: Vec<f32>,
    y: Vec<f32>,
    test: Vec<f32>,
    target: Vec<f64>,
}

impl Measurement for Replica {
    fn settings(&self) -> Result<String, study::Error> {
        Ok(toml::to_string(self)?)
    }
    fn plan(&self) -> Result<toml::Table, study::Error> {
        Ok(toml::Table::try_from(self)?)
    }
    /// A mirrored network costs two.
    fn work(&self) -> f64 {
        let (n, test) = (self.n as f64, (self.measured().len() * self.test) as f64);
        let passes = 3.0 * self.epochs as f64 * n + test;
        3.0 * f64::from(self.trials) * passes * self.width as f64 * (self.dimension as f64 + 8.0) * 3e-11
    }
    fn need(&self) -> Result<u64, study::Error> {
        let sizes = self.sizes()?;
        Ok(4 * (trainer_len(sizes, self.n, &self.optimizer()) + self.test * sizes.activations) as u64)
    }
    /// A table of [`Curves`] over epochs.
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, study::Error> {
        let widths = [self.width];
        let standard = self.network(&widths)?;
        let mut curves =
            Curves { at: self.measured().iter().map(|epoch| *epoch as f64).collect(), ..Curves::default() };
        for index in 0..self.trials {
            // parameters of their own stream, after those of all draws of points
            let (data, seed) = (self.samples(index), draw_seed(1 << 31, self.n, index));
            let Ended::Done(zero) = self.train(&Mirrored(standard), &data, seed, stop)? else {
                return Ok(Ended::Stopped);
            };
            let Ended::Done(random) = self.train(&standard, &data, seed, stop)? else { return Ok(Ended::Stopped) };
            curves.zero.push(zero);
            curves.random.push(random);
            observer.step(f64::from(index + 1) / f64::from(self.trials), &String::new);
        }
        Ok(Ended::Done(curves.table()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::curves::{Best, Start};

    #[test]
    fn mirrored_networks_do_better() {
        let replica = Replica::new(3, 60, 3);
        let epochs = replica.measured();
        assert_eq!((epochs[..12].to_vec(), epochs.last()), ((0..12).collect(), Some(&600)));
        let curves = Curves::from_table(&replica.measure(&mut (), &Stop::new()).unwrap().done().unwrap()).unwrap();
        // from 0 the risk at the start is the mean square of f*, of every network the same
        let square = replica.samples(0).target.iter().map(|f| f * f).sum::<f64>() / 500.0;
        assert_eq!(curves.zero[0][0], square);
        for (zero, random) in curves.zero.iter().zip(&curves.random) {
            assert!(Best::along(zero).unwrap().risk < 0.3 * zero[0]);
            assert!(random[0] > zero[0]);
        }
        let [zero, random] = Start::ALL.map(|s| curves.log_best(s).unwrap().iter().sum::<f64>());
        assert!(zero < random, "{zero} {random}");
    }
}
