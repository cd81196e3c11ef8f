//! Learning curves of the NTK of one hidden layer on spheres, kept as a measurement.

use ntkscope_core::network::Fcn;
use ntkscope_core::predict::{gaussian_process_len, regression_len};
use serde::Serialize;

use crate::analysis::curves::Curves;
use crate::analysis::learning::{Experiment, LearnedDraw, log_grid};
use crate::analysis::points::Target;
use crate::files::numbers::NumberTable;
use crate::machine::{Ended, Stop};
use crate::run::Observer;
use crate::study::Error;
use crate::study::kept::Measurement;

/// A point of the learning curves of the NTK of one hidden layer without bias.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Learning {
    /// d: the points lie on S^(d-1)
    pub dimension: usize,
    /// f*
    pub target: Target,
    /// training samples n
    pub n: usize,
    /// draws of points, noise and f^GP
    pub draws: u32,
    /// standard deviation of the noise
    pub noise: f64,
    /// test points m
    pub test: usize,
    /// first and last of the [`TIMES`] times, evenly spaced in their logarithm
    pub times: [f64; 2],
    /// seed
    pub seed: u64,
}

/// How many times.
pub const TIMES: usize = 90;

impl Measurement for Learning {
    fn settings(&self) -> Result<String, Error> {
        Ok(toml::to_string(self)?)
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        Ok(toml::Table::try_from(self)?)
    }
    /// The decomposition, 90 predictions three times, the Cholesky decomposition of f^GP.
    fn work(&self) -> f64 {
        let (n, all) = (self.n as f64, (self.n + self.test) as f64);
        f64::from(self.draws) * (4e-10 * n.powi(3) + 1e-10 * all.powi(3) + 1.5e-7 * all * all)
    }
    fn need(&self) -> Result<u64, Error> {
        let all = self.n + self.test;
        Ok(8 * (2 * all * all + gaussian_process_len(all) + regression_len(self.n, 1)) as u64)
    }
    /// A table of [`Curves`], with the column `identity` of [`LearnedDraw`].
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let network = Fcn::new(self.dimension, &[1], 1)?;
        let times = log_grid(self.times[0], self.times[1], TIMES);
        let Self { target, noise, test, seed, .. } = *self;
        let experiment = Experiment { network: &network, target: target.function(), noise, test, times: &times, seed };
        let mut curves = Curves { at: times.clone(), ..Curves::default() };
        let mut identities = Vec::new();
        for index in 0..self.draws {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            let LearnedDraw { zero, random, identity } = experiment.draw(self.n, index)?;
            curves.zero.push(zero);
            curves.random.push(random);
            identities.push(identity);
            observer.step(f64::from(index + 1) / f64::from(self.draws), &String::new);
        }
        Ok(Ended::Done(curves.table(Some(("identity", &identities)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::curves::{Start, slope};
    use crate::analysis::statistics::Estimate;

    /// Known slopes on S^2 from n = 100 on: -0.75 to -0.5 from f^GP, below -0.9 from 0. So few draws have them to within
    /// two standard errors; the gap between the two curves they show at once.
    #[test]
    fn random_outputs_are_learned_slowly() {
        let best = |n: usize| {
            let learning = Learning {
                dimension: 3,
                target: Target::SquaredSum,
                n,
                draws: 8,
                noise: 0.2,
                test: 100,
                times: [1.0, 1e7],
                seed: 0,
            };
            let curves = Curves::from_table(&learning.measure(&mut (), &Stop::new()).unwrap().done().unwrap()).unwrap();
            assert_eq!(Start::ALL.map(|start| curves.at_an_end(start)), [0, 0]);
            Start::ALL.map(|start| Estimate::from_values(&curves.log_best(start).unwrap()).unwrap())
        };
        let points = [100, 400].map(|n| (n, best(n)));
        let [zero, random] = [0, 1].map(|start| {
            let slope = slope(&points.map(|(n, best)| (n, best[start]))).unwrap();
            (slope.value, 2.0 * slope.error.unwrap())
        });
        assert!(random.0 > -0.75 - random.1 && random.0 < -0.5 + random.1, "{random:?}");
        assert!(zero.0 < -0.9 + zero.1, "{zero:?}");
        let [zero, random] = points[1].1;
        assert!(random.value - zero.value > 3.0 * random.error_or_0().hypot(zero.error_or_0()), "{points:?}");
    }
}
