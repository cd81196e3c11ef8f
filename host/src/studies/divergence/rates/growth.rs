//! One network trained by the gradient flow to a mean margin, far beyond the times that a number holds, with what is measured
//! on the way.

use std::collections::VecDeque;

use ntkscope_core::forward::{Params, forward};
use ntkscope_core::linalg::{dot, norm};
use ntkscope_core::network::Network;
use ntkscope_core::record::{Burst, Recorder, recorder_len};
use ntkscope_core::train::{Problem, Trainer, trainer_len};
use ntkscope_core::{Backend, MatRef, Portable};

use super::homogeneity::{Balance, Identity, balances, bound_scale, identity};
use super::row::{Row, table};
use crate::analysis::statistics::{larger, smaller};
use crate::data::{Samples, Source, load};
use crate::experiment::{Model, Settings, Training};
use crate::files::numbers::NumberTable;
use crate::machine::{Budget, Ended, Stop};
use crate::run::{Observer, targets};
use crate::study::Error;
use crate::study::kept::Measurement;
use crate::study::net::{CE, Net};

/// Rows of a factor of 10 in the margin; an even number.
pub const ROWS_A_DECADE: usize = 24;
/// Those of half of it, over which an angle is taken.
const HALF: usize = ROWS_A_DECADE / 2;
/// Steps after which a network that is not right on every sample is given up: those that fit need a hundredth of them.
const PATIENCE: u64 = 20_000;
/// The share of all parameters by which they are changed for a difference: far above rounding, and its square far below what
/// is asked of a degree.
const SCALING: f64 = 1e-5;

/// The settings of the six points.
pub fn six_points() -> Model {
    Model { data: Source::Circle, n: Some(6), held_out: 0, ..Model::default() }
}

/// A network on its way to a mean margin.
#[derive(Clone, Debug)]
pub struct Growth {
    /// network
    pub net: Net,
    /// the same with width, seed and samples
    pub model: Model,
    /// where it ends
    pub margin: f64,
    /// see [`Measurement::work`]
    pub work: f64,
}

impl Growth {
    fn settings(&self) -> Settings {
        let training =
            Training { loss: CE, until_time: f64::INFINITY, until_margin: Some(self.margin), ..Training::default() };
        Settings { model: self.model.clone(), training }
    }
    fn samples(&self) -> Result<Samples, Error> {
        Ok(load(&self.model.under(CE)?.data_spec(), &Budget::default())?)
    }
    /// Mean margins at which a row is made, ascending from 1 on.
    fn marks(&self) -> impl Iterator<Item = f64> {
        let all = (0..).map(|k| 10f64.powf(f64::from(k) / ROWS_A_DECADE as f64));
        let margin = self.margin;
        all.take_while(move |mark| *mark <= margin * (1.0 + 1e-9))
    }

    /// How many rows a network has that comes to the end.
    pub fn rows(&self) -> usize {
        1 + self.marks().count()
    }

    /// The rows of a network; fewer than there are marks where it cannot fit the samples.
    fn train<N: Network, B: Backend<f64> + ?Sized>(
        &self,
        backend: &B,
        network: &N,
        samples: &Samples,
        follow: (&mut (dyn Observer + Send), &Stop),
    ) -> Result<Ended<Vec<Row>>, Error> {
        let (observer, stop) = follow;
        let training = Growth::settings(self).training;
        let (sizes, n) = (network.sizes(), samples.n);
        let (loss, optimizer) = (training.core_loss(), training.core_optimizer()?);
        let y = targets(samples, loss, 0.0, 1)?;
        let (x, y) = (MatRef::new(&samples.x, n, samples.d)?, MatRef::new(&y, n, 1)?);
        let mut buffer = vec![0.0; trainer_len(sizes, n, &optimizer)];
        let mut trainer =
            Trainer::new(backend, Problem::new(network, x, y, loss, 0.0)?, optimizer, self.model.seed, &mut buffer)?;
        let burst = Some(Burst::STANDARD);
        let mut kernels = vec![0.0; recorder_len(sizes, n, backend.tile(), &optimizer, burst)];
        let mut recorder = Recorder::new(&mut trainer, burst, &mut kernels)?;
        let mut path = Path::new(self, network, trainer.theta_0());
        let mut rows = vec![path.row(&mut recorder, &mut trainer)?];
        for mark in self.marks() {
            while trainer.objective().margin_mean < mark {
                if stop.requested() {
                    return Ok(Ended::Stopped);
                }
                if trainer.at_rest() || trainer.step() > PATIENCE && trainer.objective().accuracy < 1.0 {
                    return Ok(Ended::Done(rows));
                }
                trainer.advance(None)?;
                let done = (trainer.objective().margin_mean / self.margin).clamp(0.0, 1.0);
                observer.step(done, &String::new);
            }
            rows.push(path.row(&mut recorder, &mut trainer)?);
        }
        Ok(Ended::Done(rows))
    }
}

/// What the rows of a network are measured against.
struct Path<'a, N> {
    growth: &'a Growth,
    network: &'a N,
    /// |theta_0|^2
    start: f64,
    balances: Vec<Balance>,
    /// parameters of the rows of the last half decade, with a row of its own for that at the start
    before: VecDeque<Vec<f64>>,
}

impl<'a, N: Network> Path<'a, N> {
    fn new(growth: &'a Growth, network: &'a N, theta_0: &[f64]) -> Self {
        let start = norm(theta_0).powi(2);
        Self { growth, network, start, balances: balances(growth.net, network, theta_0), before: VecDeque::new() }
    }

    fn row<B: Backend<f64> + ?Sized>(
        &mut self,
        recorder: &mut Recorder<'_, f64>,
        trainer: &mut Trainer<'_, N, f64, B>,
    ) -> Result<Row, Error> {
        let (net, width) = (self.growth.net, self.growth.model.width);
        let snapshot = recorder.observe(trainer)?;
        let f = self.outputs(trainer, 1.0)?;
        let n = f.len() as f64;
        let mean = |of: &dyn Fn(usize) -> f64| (0..f.len()).map(of).sum::<f64>() / n;
        let least = |of: &dyn Fn(usize) -> f64| (0..f.len()).map(of).fold(f64::INFINITY, smaller);
        let effective = recorder.current();
        let kernel = mean(&|i| effective.at(i, i));
        let square = snapshot.param_norm.powi(2);
        let ratio = mean(&|i| effective.at(i, i) * square / (net.degree() * f[i]).powi(2));
        let point = recorder.point_kernel(trainer)?;
        let Identity { norm, factor } = identity(net, self.network, trainer.theta());
        let scale = bound_scale(net, width);
        let above_bound = least(&|i| point.at(i, i) - 2.0 * scale * f[i].abs());
        let identity = least(&|i| point.at(i, i) * norm / (factor * f[i] * f[i]));
        let [less, more] = [1.0 - SCALING, 1.0 + SCALING].map(|factor| self.outputs(trainer, factor));
        let (less, more) = (less?, more?);
        let degree = mean(&|i| (more[i] - less[i]) / (2.0 * SCALING * f[i]));
        Ok(Row {
            log_time: snapshot.log_time,
            margin_mean: snapshot.margin_mean,
            margin_min: snapshot.margin_min,
            kernel,
            drift_max: snapshot.drift_max,
            error_highest: snapshot.error_highest,
            norm: snapshot.param_norm,
            distance: snapshot.param_distance,
            distance_max: snapshot.param_max,
            y: self.start / (square - self.start),
            degree,
            turned: self.turned(trainer.theta()),
            ratio,
            above_bound,
            identity,
            unbalanced: self.unbalanced(trainer.theta()),
        })
    }

    /// f(x_i) where all parameters are multiplied by `factor`.
    fn outputs<B: Backend<f64> + ?Sized>(
        &self,
        trainer: &Trainer<'_, N, f64, B>,
        factor: f64,
    ) -> Result<Vec<f64>, Error> {
        let x = trainer.problem().x();
        let theta: Vec<f64> = trainer.theta().iter().map(|theta| factor * theta).collect();
        let mut values = vec![0.0; x.rows() * self.network.sizes().activations];
        let passed = forward(trainer.backend(), Params::new(self.network, &theta)?, x, &mut values)?;
        Ok(passed.outputs().data().to_vec())
    }

    /// 1 - cos of the angle since half a decade ago.
    fn turned(&mut self, theta: &[f64]) -> f64 {
        let size = norm(theta);
        let direction: Vec<f64> = theta.iter().map(|theta| theta / size).collect();
        let earlier = if self.before.len() > HALF { self.before.pop_front() } else { None };
        // of unit vectors 1 - cos is half of the square of their distance, which does not cancel
        let turned = earlier.map_or(f64::NAN, |earlier| {
            let apart: Vec<f64> = direction.iter().zip(&earlier).map(|(now, then)| now - then).collect();
            0.5 * dot(&apart, &apart)
        });
        self.before.push_back(direction);
        turned
    }

    fn unbalanced(&self, theta: &[f64]) -> f64 {
        let now = balances(self.growth.net, self.network, theta);
        let changes =
            now.iter().zip(&self.balances).map(|(now, start)| (now.difference - start.difference).abs() / now.sum);
        changes.fold(0.0, larger)
    }
}

impl Measurement for Growth {
    fn settings(&self) -> Result<String, Error> {
        let (samples, table) = (self.samples()?.sha256, Growth::settings(self).table()?);
        Ok(format!("# {ROWS_A_DECADE} rows to a factor of 10 in the margin; samples {samples}\n{table}"))
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        Ok(Growth::settings(self).table()?)
    }
    fn work(&self) -> f64 {
        self.work
    }
    fn need(&self) -> Result<u64, Error> {
        Ok(1 << 20)
    }
    /// A table of [`Row`]s: at the start, and at mean margins evenly spaced in their logarithm.
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let samples = self.samples()?;
        let shape = self.model.shape(&samples)?;
        let network = self.model.network(&shape)?;
        // networks so narrow are slower by the products of large matrices
        Ok(match self.train(&Portable, &network, &samples, (observer, stop))? {
            Ended::Done(rows) => Ended::Done(table(&rows)),
            Ended::Stopped => Ended::Stopped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Init;
    use crate::studies::divergence::rates::row::rows;
    use ntkscope_core::network::Bias;

    fn growth(net: Net, width: usize, margin: f64) -> Growth {
        let net = net.with_bias(Bias::Hidden);
        let model = net.model(width, &Model { init: Init::Standard, ..six_points() });
        Growth { net, model, margin, work: 1.0 }
    }

    /// What holds at every moment, and by so little that kernels which are too small would not pass.
    #[test]
    fn bounds_hold_along_the_way() {
        for (net, identity) in [(Net::fcn(2), 30.0), (Net::resnet(1, 1.0), 60.0)] {
            let growth = growth(net, 24, 100.0);
            let table = growth.measure(&mut (), &Stop::new()).unwrap().done().unwrap();
            let rows = rows(&table).unwrap();
            assert_eq!(rows.len(), growth.rows());
            let least = |of: fn(&Row) -> f64| rows.iter().map(of).fold(f64::INFINITY, smaller);
            let found = least(|row| row.identity);
            assert!(least(|row| row.above_bound) >= 0.0);
            assert!((1.0..identity).contains(&found), "{found}");
            assert!(rows.iter().all(|row| row.unbalanced < 0.01), "{rows:?}");
            let (first, last) = (rows[0], rows[rows.len() - 1]);
            assert_eq!((first.drift_max, first.distance, first.unbalanced, first.y), (0.0, 0.0, 0.0, f64::INFINITY));
            assert!((1.0..1.02).contains(&(last.margin_mean / 100.0)) && last.log_time > 90.0, "{last:?}");
            assert!((last.degree - growth.net.degree()).abs() < 0.5, "{last:?}");
            assert!((last.y * (last.norm.powi(2) / first.norm.powi(2) - 1.0) - 1.0).abs() < 1e-9, "{last:?}");
            assert!(rows[HALF].turned.is_nan() && last.turned > 0.0 && last.turned < 0.1, "{last:?}");
        }
    }

    #[test]
    fn a_network_that_is_too_narrow_ends_before() {
        let growth = growth(Net::fcn(2), 1, 10.0);
        let table = growth.measure(&mut (), &Stop::new()).unwrap().done().unwrap();
        assert!(table.rows().len() < growth.rows(), "one unit does not separate six points");
    }

    #[test]
    fn it_stops_when_asked() {
        let stop = Stop::new();
        stop.request();
        let measured = growth(Net::fcn(2), 4, 10.0).measure(&mut (), &stop).unwrap();
        assert_eq!(measured, Ended::Stopped);
    }
}
