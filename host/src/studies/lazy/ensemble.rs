//! An ensemble: networks that differ in nothing but their random initialization, and the law that theory has for them.

use ntkscope_core::MatRef;

use super::plan::until_the_end;
use crate::analysis::law::{InfiniteWidth, Law};
use crate::data::Source;
use crate::experiment::{Init, Model, Settings, Training};
use crate::files::numbers::NumberTable;
use crate::machine::{Budget, Ended, Stop};
use crate::run;
use crate::run::{Observer, Stopped, all_inputs};
use crate::study::Error;
use crate::study::cell::{Cell, Resolved};
use crate::study::grid::Job;
use crate::study::kept::{Kept, Measurement};
use crate::study::net::{CE, Net, Regularization};
use crate::study::options::Options;
use crate::study::paper::Part;

/// Networks of one width, trained alike from different seeds.
pub struct Ensemble {
    /// what keeps the kernel
    pub regularization: Regularization,
    /// width m
    pub width: usize,
    /// how many networks
    pub networks: u64,
    /// seed 0 of them; the others differ in the seed
    first: Cell,
}

/// Outputs of every trained network on the points held out, `(networks, h)`, row by row.
pub struct Members {
    /// h
    pub points: usize,
    /// all outputs
    pub outputs: Vec<f64>,
}

impl Members {
    /// How many networks.
    pub fn networks(&self) -> usize {
        self.outputs.len() / self.points
    }
    /// Every network's output on point `i`.
    pub fn column(&self, i: usize) -> Vec<f64> {
        self.outputs.iter().skip(i).step_by(self.points).copied().collect()
    }
}

/// The network of all ensembles.
const NET: Net = Net::fcn(1);

/// The ensembles that the options choose, by regularization, narrow to wide.
pub fn ensembles(part: &'static Part, options: &Options) -> Vec<Kept<Ensemble>> {
    if !options.has_network(NET.kind) {
        return Vec::new();
    }
    let widths = options.widths_or(&[64, 512, 2048]);
    let all = [Regularization::Smoothing(0.2), Regularization::Penalty(0.3 / 6.0)];
    let of = |regularization| widths.iter().map(move |width| ensemble(part, options, regularization, *width));
    all.into_iter().flat_map(of).collect()
}

fn ensemble(part: &'static Part, options: &Options, regularization: Regularization, width: usize) -> Kept<Ensemble> {
    let net = NET;
    let (networks, count) = if options.full { (1000, "-networks1000") } else { (400, "") };
    let model = Model {
        network: net.kind,
        depth: net.depth,
        width,
        init: Init::Standard,
        seed: 0,
        data: Source::Circle,
        n: Some(6),
        // eight, so that they lie at different distances from the training points
        held_out: 8,
        ..Model::default()
    };
    let training = Training { predictions: Some(false), snapshots: 4, ..until_the_end(regularization) };
    let id = format!("ensemble-{}-w{width}-{}{count}", net.name(), regularization.name());
    let work = 3.3e-5 * (networks as usize * width) as f64;
    let (settings, init) = (Settings { model, training }, Init::Standard);
    let first = Cell { id: id.clone(), part, net, init, regularization, loss: CE, width, seed: 0, settings, work };
    Kept { id, measurement: Ensemble { regularization, width, networks, first } }
}

impl Ensemble {
    /// The outputs in the finished ensemble's table.
    ///
    /// # Errors
    /// A table that lacks networks.
    pub fn members(&self, table: &NumberTable) -> Result<Members, Error> {
        let (found, expected) = (table.rows().len(), self.networks);
        if found as u64 != expected {
            return Err(Error::MissingRows { id: self.first.id.clone(), found, expected });
        }
        // behind the seed
        let outputs = table.rows().iter().flat_map(|row| row.iter().skip(1)).copied().collect();
        Ok(Members { points: table.columns().len() - 1, outputs })
    }

    /// The law of the predictors on the h points held out and its covariance `(h, h)`, from the analytic NNGP and NTK, where
    /// every training sample is given `copies` times.
    ///
    /// # Errors
    /// Data that cannot be read; a kernel that cannot be inverted.
    pub fn law(&self, copies: usize) -> Result<(Law, Vec<f64>), Error> {
        let Resolved { model, training, samples } = self.first.resolve()?;
        let (mut x, all) = all_inputs::<f64>(&samples);
        let (loss, shape) = (training.core_loss(), model.shape(&samples)?);
        let mut targets = vec![0.0; samples.n];
        for (target, label) in targets.iter_mut().zip(&samples.labels) {
            loss.target(*label, training.smoothing, std::slice::from_mut(target))?;
        }
        let once = x[..samples.n * samples.d].to_vec();
        x.splice(..0, once.repeat(copies - 1));
        let (targets, all) = (targets.repeat(copies), all + (copies - 1) * samples.n);
        let limit = InfiniteWidth {
            network: &model.network(&shape)?,
            x: MatRef::new(&x, all, samples.d)?,
            targets: MatRef::new(&targets, targets.len(), 1)?,
            loss,
            penalty: training.penalty,
            time: f64::INFINITY,
        };
        let mut covariance = Vec::new();
        let law = limit.law_and(all, &Budget::default(), &mut |block| covariance.extend_from_slice(block))?;
        Ok((law, covariance))
    }
}

impl Measurement for Ensemble {
    /// The settings of the first network, and how many there are.
    fn settings(&self) -> Result<String, Error> {
        let Resolved { model, training, samples } = self.first.resolve()?;
        let table = Settings { model, training }.table()?;
        let (networks, data) = (self.networks, samples.sha256);
        Ok(format!("# the first of {networks} networks; the others have the seeds behind it; samples {data}\n{table}"))
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        let mut table = self.first.settings.table()?;
        table.insert("networks".into(), toml::Value::Integer(self.networks as i64));
        Ok(table)
    }
    fn work(&self) -> f64 {
        self.first.work
    }
    fn need(&self) -> Result<u64, Error> {
        self.first.need()
    }
    /// A row for every network: its seed, its outputs.
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let mut resolved = self.first.resolve()?;
        let points = resolved.samples.held_out.len() / resolved.samples.d;
        let mut table = NumberTable::new(std::iter::once("seed".into()).chain((0..points).map(|i| format!("f{i}"))));
        for seed in 0..self.networks {
            resolved.model.seed = seed;
            let Resolved { model, training, samples } = &resolved;
            let outcome = run::run(model, training, samples, &mut (), stop)?;
            match (outcome.stopped, outcome.judgement.failures.into_iter().next()) {
                (Stopped::Interrupted, _) => return Ok(Ended::Stopped),
                (_, Some(failure)) => return Err(Error::Untrained { seed, failure }),
                _ if stop.requested() => return Ok(Ended::Stopped),
                _ => table.push(std::iter::once(seed as f64).chain(outcome.end[samples.n..].iter().copied()).collect()),
            }
            observer.step((seed + 1) as f64 / self.networks as f64, &String::new);
        }
        Ok(Ended::Done(table))
    }
}
