//! Proposition 4.1 on draws of noise and f^GP, kept as a measurement: starting from f_0 is learning f* - f_0.

use ntkscope_core::network::Fcn;
use ntkscope_core::predict::{gaussian_process_len, regression_len};
use serde::Serialize;

use super::learning::TIMES;
use crate::analysis::learning::{Experiment, log_grid};
use crate::analysis::points::Target;
use crate::files::numbers::NumberTable;
use crate::machine::{Ended, Stop};
use crate::run::Observer;
use crate::study::Error;
use crate::study::kept::Measurement;

/// Draws of samples, noise and f^GP on S^(d-1), f*(x) = (sum_j x_j)^2.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Identity {
    /// d
    pub dimension: usize,
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
}

impl Measurement for Identity {
    fn settings(&self) -> Result<String, Error> {
        Ok(toml::to_string(self)?)
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        Ok(toml::Table::try_from(self)?)
    }
    fn work(&self) -> f64 {
        let all = (self.n + self.test) as f64;
        f64::from(self.draws) * (1e-9 * all.powi(3) + 4e-7 * all * all)
    }
    fn need(&self) -> Result<u64, Error> {
        let all = self.n + self.test;
        Ok(8 * (2 * all * all + gaussian_process_len(all) + regression_len(self.n, 1)) as u64)
    }
    /// A row for every draw: the largest difference over the times, see
    /// [`LearnedDraw`](crate::analysis::learning::LearnedDraw).
    fn measure(&self, _: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let network = Fcn::new(self.dimension, &[1], 1)?;
        let times = log_grid(self.times[0], self.times[1], TIMES);
        let (target, Self { noise, test, .. }) = (Target::SquaredSum.function(), *self);
        let experiment = Experiment { network: &network, target, noise, test, times: &times, seed: 0 };
        let mut table = NumberTable::new(["draw", "identity"]);
        for index in 0..self.draws {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            table.push(vec![f64::from(index), experiment.draw(self.n, index)?.identity]);
        }
        Ok(Ended::Done(table))
    }
}
