//! An ensemble: networks that differ in nothing but their random initialization, trained to their end.

use ntkscope_core::MatRef;
use ntkscope_core::init::Normals;
use ntkscope_core::kernel::{AnalyticKernel, tangent_len};
use ntkscope_core::network::Network;
use ntkscope_core::predict::fixed_point_len;
use ntkscope_core::train::trainer_len;

use super::member::{Lesson, Member};
use crate::analysis::law::Initial;
use crate::analysis::points::gaussian_draws;
use crate::backend::HostReal;
use crate::data::Source;
use crate::experiment::{AnyNetwork, Model, Settings};
use crate::files::numbers::NumberTable;
use crate::kernel::analytic_kernel;
use crate::machine::{Ended, Stop};
use crate::run;
use crate::run::{Observer, all_inputs};
use crate::study::Error;
use crate::study::cell::Cell;
use crate::study::kept::Measurement;
use crate::study::training_run::Resolved;

/// Networks of one width, trained alike from different seeds.
#[derive(Clone)]
pub struct Ensemble {
    /// classes: 2 share an output, more have one each; points of the circle take turns
    pub classes: usize,
    /// what f_0 and the targets are
    pub start: Start,
    /// how many networks
    pub networks: u64,
    /// seed 0 of them; the others differ in the seed
    pub first: Cell,
}

/// What training begins from, and what it is to learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// the network's own outputs, and the targets
    Network,
    /// `scale` times a draw of the prior GP(0, T/(n LAMBDA)), T the NTK, in place of the network's own outputs
    Prior {
        /// of the draws, and of the noise
        scale: f64,
        /// whether `scale` times a draw of N(0, W) is added to the targets, W the Hessian of the sum of the losses at the
        /// limit of infinite width
        noisy: bool,
    },
}

impl Start {
    /// The law of f_0.
    pub fn initial(self) -> Initial {
        match self {
            Self::Network => Initial::Network,
            Self::Prior { .. } => Initial::Prior,
        }
    }
}

/// What the numbers of a table's row are, h C each.
const KINDS: [&str; 3] = ["f", "k", "l"];

/// Outputs of every network on the points held out, all numbers of one network one after another, `(networks, h C)`.
#[derive(Default)]
pub struct Members {
    /// the trained network
    pub trained: Vec<f64>,
    /// the limit of the network linearized at its initialization
    pub linearized: Vec<f64>,
    /// standard deviations of the Laplace posterior in its parameters, linearized at the end of training; empty where there is
    /// none
    pub laplace: Vec<f64>,
}

/// What all networks of an ensemble have in common.
pub struct Resources {
    /// network, training and samples, with the labels of the ensemble
    pub resolved: Resolved,
    /// training samples, then the points held out, `(n + h, d)`
    pub x: Vec<f64>,
    /// n + h
    pub all: usize,
    /// `(n, C)`
    pub targets: Vec<f64>,
}

impl Ensemble {
    /// Settings and samples of the ensemble.
    ///
    /// # Errors
    /// Wrong settings.
    pub fn resources(&self) -> Result<Resources, Error> {
        let mut resolved = self.first.run.resolve()?;
        let Resolved { model, training, samples } = &mut resolved;
        if model.data == Source::Circle {
            samples.labels.iter_mut().enumerate().for_each(|(i, label)| *label = i % self.classes);
            samples.classes = self.classes;
        }
        let outputs = self.outputs();
        model.outputs = Some(outputs);
        let (x, all) = all_inputs::<f64>(samples);
        let targets = run::targets(samples, training.core_loss(), training.smoothing, outputs)?;
        Ok(Resources { resolved, x, all, targets })
    }

    /// Whether the other differs in nothing but its width.
    pub fn is_like(&self, other: &Self) -> bool {
        let [a, b] = [&self.first, &other.first];
        let same_model =
            Model { width: 0, ..a.run.settings.model.clone() } == Model { width: 0, ..b.run.settings.model.clone() };
        let same = a.net == b.net
            && a.regularization == b.regularization
            && a.run.settings.training == b.run.settings.training;
        same && same_model && self.classes == other.classes && self.start == other.start
    }

    /// C
    pub fn outputs(&self) -> usize {
        if self.classes == 2 { 1 } else { self.classes }
    }

    /// Width m.
    pub fn width(&self) -> usize {
        self.first.width
    }

    /// The numbers in the finished ensemble's table.
    ///
    /// # Errors
    /// A table that lacks networks.
    pub fn members(&self, table: &NumberTable) -> Result<Members, Error> {
        Error::check_rows(&self.first.run.id, table.rows().len(), self.networks)?;
        let mut members = Members::default();
        let Members { trained, linearized, laplace } = &mut members;
        for (kind, numbers) in KINDS.iter().zip([trained, linearized, laplace]) {
            let of_kind = |name: &String| name.strip_prefix(kind).is_some_and(|rest| rest.parse::<usize>().is_ok());
            let columns: Vec<usize> = (0..table.columns().len()).filter(|i| of_kind(&table.columns()[*i])).collect();
            numbers.extend(table.rows().iter().flat_map(|row| columns.iter().map(|i| row[*i])));
        }
        Ok(members)
    }

    /// f_0 `(networks, (n + h) C)` and targets `(networks, n C)` of all networks, where they are drawn.
    fn drawn(&self, network: &AnyNetwork<'_>, lesson: &Lesson<'_, AnyNetwork<'_>>) -> Result<Option<Drawn>, Error> {
        let Start::Prior { scale, noisy } = self.start else { return Ok(None) };
        let (all, n, count) = (lesson.x.rows(), lesson.targets.rows(), self.networks as usize);
        let ntk = analytic_kernel(f64::fast(), network, AnalyticKernel::Ntk, lesson.x)?;
        let ntk = MatRef::new(&ntk, all, all)?;
        let mut normals = Normals::new(0);
        let draws = gaussian_draws(ntk, count, &mut normals)?;
        let unit = scale / (n as f64 * lesson.penalty).sqrt();
        let f_0 = (0..count).map(|k| (0..all).map(|i| unit * draws[i * count + k]).collect()).collect();
        let spread = lesson.spread_of_targets(ntk.block(0..n, 0..n))?;
        let noise = |sd: &f64, normals: &mut Normals| if noisy { scale * sd * normals.draw() } else { 0.0 };
        let mut target = || -> Vec<f64> {
            spread.iter().enumerate().map(|(i, sd)| lesson.targets.at(i, 0) + noise(sd, &mut normals)).collect()
        };
        Ok(Some(Drawn { f_0, targets: (0..count).map(|_| target()).collect() }))
    }
}

/// What a network begins from and learns, one of each for every network.
struct Drawn {
    f_0: Vec<Vec<f64>>,
    targets: Vec<Vec<f64>>,
}

impl Measurement for Ensemble {
    /// The settings of the first network, and how many there are.
    fn settings(&self) -> Result<String, Error> {
        let Resolved { model, training, samples } = self.resources()?.resolved;
        let table = Settings { model, training }.table()?;
        let (networks, start, data) = (self.networks, self.start, samples.sha256);
        Ok(format!(
            "# the first of {networks} networks; the others have the seeds after it; {} classes; {start:?}; samples {data}\n{table}",
            self.classes
        ))
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        let mut table = self.first.run.settings.table()?;
        table.insert("networks".into(), toml::Value::Integer(self.networks as i64));
        if self.classes > 2 {
            table.insert("outputs".into(), toml::Value::Integer(self.classes as i64));
        }
        if let Start::Prior { scale, noisy } = self.start {
            table.insert("prior-scale".into(), toml::Value::Float(scale));
            table.insert("noisy-targets".into(), toml::Value::Boolean(noisy));
        }
        Ok(table)
    }
    fn work(&self) -> f64 {
        self.first.run.work
    }
    fn need(&self) -> Result<u64, Error> {
        let Resources { resolved: Resolved { model, training, samples }, .. } = self.resources()?;
        let shape = model.shape(&samples)?;
        let (network, optimizer) = (model.network(&shape)?, training.core_optimizer()?);
        let drawn = self.networks * (samples.n * shape.outputs + samples.held_out.len()) as u64 * 2;
        let all = samples.n + samples.held_out.len() / samples.d;
        // of all points in the kernel at the end: its tangents, it, what solving for the posterior takes
        let kernel = tangent_len(network.sizes(), all) + 4 * all * all + fixed_point_len(samples.n, shape.outputs);
        Ok(8 * (2 * trainer_len(network.sizes(), samples.n, &optimizer) as u64 + drawn + kernel as u64))
    }
    /// A row for every network: its seed, its outputs, those of its linearization, the deviations of its Laplace posterior.
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let Resources { resolved: Resolved { model, training, samples }, x, all, targets } = self.resources()?;
        let shape = model.shape(&samples)?;
        let network = model.network(&shape)?;
        let lesson = Lesson {
            network: &network,
            x: MatRef::new(&x, all, samples.d)?,
            targets: MatRef::new(&targets, samples.n, shape.outputs)?,
            loss: training.core_loss(),
            penalty: training.penalty,
            until: training.until_time,
            steps: training.max_steps,
            optimizer: training.core_optimizer()?,
        };
        let drawn = self.drawn(&network, &lesson)?;
        let mut table: Option<NumberTable> = None;
        for seed in 0..self.networks {
            let f_0 = drawn.as_ref().map(|drawn| &drawn.f_0[seed as usize][..]);
            let given = drawn.as_ref().map(|drawn| &drawn.targets[seed as usize][..]);
            let lesson = match given {
                Some(given) => Lesson { targets: MatRef::new(given, samples.n, shape.outputs)?, ..lesson },
                None => lesson,
            };
            let Ended::Done(Member { trained, linearized, laplace }) = lesson.learn(seed, f_0, stop)? else {
                return Ok(Ended::Stopped);
            };
            let kinds = [&trained, &linearized, &laplace];
            let named = || {
                let names =
                    KINDS.iter().zip(kinds).flat_map(|(kind, of)| (0..of.len()).map(move |i| format!("{kind}{i}")));
                NumberTable::new(std::iter::once("seed".to_owned()).chain(names))
            };
            let row = std::iter::once(seed as f64).chain(kinds.into_iter().flatten().copied()).collect();
            table.get_or_insert_with(named).push(row);
            observer.step((seed + 1) as f64 / self.networks as f64, &String::new);
        }
        Ok(Ended::Done(table.unwrap_or_else(|| NumberTable::new(["seed"]))))
    }
}

/// The settings that all ensembles share: six points on the circle, eight held out, so that they lie at different distances
/// from the training points.
pub fn on_the_circle(model: Model) -> Model {
    Model { data: Source::Circle, n: Some(6), held_out: 8, seed: 0, ..model }
}
