//! Learning curves of the NTK of one hidden layer on spheres, kept as a measurement: the risk given the points, its mean over
//! noise and f^GP, see [`crate::analysis::expected_risk`].

use ntkscope_core::network::Fcn;
use serde::Serialize;

use crate::analysis::curves::{Curves, Start};
use crate::analysis::expected_risk::ExpectedRisk;
use crate::analysis::learning::{Experiment, log_grid};
use crate::analysis::points::Target;
use crate::files::numbers::NumberTable;
use crate::machine::{Ended, Stop};
use crate::run::Observer;
use crate::study::Error;
use crate::study::kept::Measurement;

/// A point of the learning curves of the NTK of one hidden layer without bias, f*(x) = (sum_j x_j)^2.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Learning {
    /// d: the points lie on S^(d-1)
    pub dimension: usize,
    /// training samples n
    pub n: usize,
    /// draws of points
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
pub const TIMES: usize = 61;

/// What the columns before the times hold: the draw, and which part of the risk it is, in the order of [`ExpectedRisk`].
const DRAW_AND_PART: [&str; 2] = ["draw", "part"];

impl Learning {
    /// The curves of all draws towards `target`, from a table of [`Self::measure`].
    ///
    /// # Errors
    /// It is another.
    pub fn curves(&self, table: &NumberTable, target: Target) -> Result<Curves, Error> {
        let first = DRAW_AND_PART.len();
        let mut curves = Curves { at: self.grid(), ..Curves::default() };
        let expected = [3 * self.draws as usize, first + curves.at.len()];
        if [table.rows().len(), table.columns().len()] != expected {
            let (id, found) =
                (format!("learning on S^{} of {} samples", self.dimension - 1, self.n), table.rows().len());
            return Err(Error::MissingRows { id, found, expected: 3 * u64::from(self.draws) });
        }
        for rows in table.rows().chunks_exact(3) {
            let [bias, noise, start] = [0, 1, 2].map(|part: usize| rows[part][first..].to_vec());
            let risk = ExpectedRisk { bias, noise, start };
            curves.zero.push(risk.risks(target, Start::Zero));
            curves.random.push(risk.risks(target, Start::Random));
        }
        Ok(curves)
    }
    fn grid(&self) -> Vec<f64> {
        log_grid(self.times[0], self.times[1], TIMES)
    }
}

impl Measurement for Learning {
    fn settings(&self) -> Result<String, Error> {
        Ok(toml::to_string(self)?)
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        Ok(toml::Table::try_from(self)?)
    }
    /// The decomposition, products of the kernels with its eigenvectors.
    fn work(&self) -> f64 {
        let (n, all) = (self.n as f64, (self.n + self.test) as f64);
        f64::from(self.draws) * (8e-10 * n.powi(3) + 4e-10 * n * n * self.test as f64 + 1.5e-7 * all * all)
    }
    /// Eigenvectors, and the products of the kernels with them.
    fn need(&self) -> Result<u64, Error> {
        let (n, m) = (self.n, self.test);
        Ok(8 * (6 * n * n + 4 * n * m + m * m + 2 * TIMES * (n + m)) as u64)
    }
    /// A row for every draw and part of the risk, a column for every time.
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let network = Fcn::new(self.dimension, &[1], 1)?;
        let times = self.grid();
        let Self { noise, test, seed, .. } = *self;
        let target = Target::SquaredSum.function();
        let given = Experiment { network: &network, target, noise, test, times: &times, seed };
        let columns = DRAW_AND_PART.map(String::from).into_iter().chain(times.iter().map(|t| format!("{t:?}")));
        let mut table = NumberTable::new(columns);
        for index in 0..self.draws {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            let ExpectedRisk { bias, noise, start } = given.expected_risk(self.n, index)?;
            for (part, risks) in [bias, noise, start].into_iter().enumerate() {
                table.push([f64::from(index), part as f64].into_iter().chain(risks).collect());
            }
            observer.step(f64::from(index + 1) / f64::from(self.draws), &String::new);
        }
        Ok(Ended::Done(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::curves::slope;
    use crate::analysis::statistics::Estimate;

    /// Known slopes on S^2 from n = 100 on: -0.75 to -0.5 from f^GP, below -0.9 from 0, and the gap between the two curves.
    #[test]
    fn random_outputs_are_learned_slowly() {
        let best = |n: usize| {
            let learning = Learning { dimension: 3, n, draws: 8, noise: 0.2, test: 100, times: [1.0, 1e5], seed: 0 };
            let table = learning.measure(&mut (), &Stop::new()).unwrap().done().unwrap();
            let curves = learning.curves(&table, Target::SquaredSum).unwrap();
            assert_eq!(Start::ALL.map(|start| curves.at_an_end(start)), [0, 0]);
            let alone = learning.curves(&table, Target::Zero).unwrap();
            assert!(alone.random.iter().zip(&curves.random).all(|(alone, whole)| alone[9] < whole[9]));
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
