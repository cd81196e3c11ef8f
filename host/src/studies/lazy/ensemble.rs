//! An ensemble: networks that differ in nothing but their random initialization, and the law that theory has for them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, bail, ensure};
use ntkscope_core::MatRef;

use super::plan::Kind;
use crate::commands::with_threads;
use crate::data::Source;
use crate::law::{Law, Limit};
use crate::prediction::all_inputs;
use crate::report::write_atomic;
use crate::run::{self, INTERRUPTED, Observer, Stopped};
use crate::settings::{Init, ModelSettings, Settings, TrainingSettings};
use crate::studies::cell::{Cell, Resolved, remove};
use crate::studies::grid::{Job, Progress};
use crate::studies::plan::{Net, Options, Part};

/// Networks of one width, trained alike from different seeds.
pub struct Ensemble {
    /// what keeps the kernel
    pub kind: Kind,
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

/// The ensembles that the options choose.
pub fn ensembles(options: &Options) -> Vec<Ensemble> {
    if !options.parts(&super::plan::PARTS, &super::plan::QUICK).contains(&Part::Ensemble) {
        return Vec::new();
    }
    let widths = if options.widths.is_empty() { vec![64, 512, 2048] } else { options.widths.clone() };
    let kinds = [Kind::Smoothing(0.2), Kind::Penalty(0.3 / 6.0)];
    let all = kinds.into_iter().flat_map(|kind| widths.iter().map(move |width| (kind, *width)));
    all.map(|(kind, width)| ensemble(options, kind, width)).collect()
}

fn ensemble(options: &Options, kind: Kind, width: usize) -> Ensemble {
    let net = Net::fcn(1);
    let networks = if options.full { 1000 } else { 400 };
    let model = ModelSettings {
        network: Some(net.kind),
        depth: Some(net.depth),
        width: Some(width),
        init: Some(Init::Standard),
        seed: Some(0),
        data: Some(Source::Circle),
        n: Some(6),
        // eight, so that they lie at different distances from the training points
        held_out: Some(8),
        ..ModelSettings::default()
    };
    let training = TrainingSettings { predictions: Some(false), snapshots: Some(4), ..kind.training() };
    let id = format!("ensemble-{}-w{width}-{}", net.name(), kind.name());
    let work = (networks as usize * width) as f64 / 1e3;
    Ensemble {
        kind,
        width,
        networks,
        first: Cell { id, part: "ensemble", settings: Settings { model, training }, work },
    }
}

impl Ensemble {
    fn directory(&self, study: &Path) -> PathBuf {
        study.join("runs").join(&self.first.id)
    }
    /// What decides the outcome, as text: the settings of the first network, and how many there are.
    fn settings(&self, resolved: &Resolved) -> Result<String> {
        let table = crate::experiment::settings_of(&resolved.model, &resolved.training).table()?;
        Ok(format!("# the first of {} networks; the others have the seeds behind it\n{table}", self.networks))
    }

    /// The finished ensemble's outputs.
    pub fn read(&self, study: &Path) -> Result<Members> {
        let path = self.directory(study).join("ensemble.csv");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').skip(1).map(str::parse).collect::<Result<_, _>>())
            .collect::<Result<_, _>>()
            .with_context(|| format!("{} is damaged", path.display()))?;
        let points = rows.first().map_or(0, Vec::len);
        let whole = rows.len() as u64 == self.networks && rows.iter().all(|row| row.len() == points);
        ensure!(whole, "{} is damaged", path.display());
        Ok(Members { points, outputs: rows.concat() })
    }

    /// The law of the predictors on the points held out, from the analytic NNGP and NTK.
    pub fn law(&self) -> Result<Law> {
        let Resolved { model, training, samples } = self.first.resolve()?;
        let (x, all) = all_inputs::<f64>(&samples);
        let mut targets = vec![0.0; samples.n];
        for (target, label) in targets.iter_mut().zip(&samples.labels) {
            training.loss.target(*label, training.smoothing, std::slice::from_mut(target))?;
        }
        let limit = Limit {
            network: &model.network()?,
            x: MatRef::new(&x, all, samples.d)?,
            targets: MatRef::new(&targets, samples.n, 1)?,
            loss: training.loss,
            penalty: training.penalty,
            time: f64::INFINITY,
        };
        Ok(limit.law()?)
    }
}

impl Job for Ensemble {
    fn id(&self) -> &str {
        &self.first.id
    }
    fn work(&self) -> f64 {
        self.first.work
    }
    fn need(&self) -> Result<u64> {
        self.first.need()
    }
    fn run(&self, study: &Path, threads: u16, observer: &mut (dyn Observer + Send)) -> Result<Progress> {
        let mut resolved = self.first.resolve()?;
        let (place, settings) = (self.directory(study), self.settings(&resolved)?);
        if std::fs::read_to_string(place.join("ensemble.toml")).is_ok_and(|text| text == settings)
            && self.read(study).is_ok()
        {
            return Ok(Progress::Kept);
        }
        let points = resolved.samples.held_out.len() / resolved.samples.d;
        let mut text = String::from("seed");
        (0..points).for_each(|i| text.push_str(&format!(",f{i}")));
        text.push('\n');
        for seed in 0..self.networks {
            resolved.model.seed = seed;
            let Resolved { model, training, samples } = &resolved;
            let outcome = with_threads(Some(threads), || run::run(model, training, samples, &mut Silent))??;
            if outcome.stopped == Stopped::Interrupted || INTERRUPTED.load(Ordering::Relaxed) {
                return Ok(Progress::Interrupted);
            }
            if let Stopped::Failed(e) = outcome.stopped {
                bail!("seed {seed}: {e}");
            }
            let _ = write!(text, "{seed}");
            for f in &outcome.end[samples.n..] {
                let _ = write!(text, ",{f:?}");
            }
            text.push('\n');
            observer.step((seed + 1) as f64 / self.networks as f64, &String::new);
        }
        remove(&place)?;
        std::fs::create_dir_all(&place).with_context(|| format!("cannot create {}", place.display()))?;
        write_atomic(&place.join("ensemble.csv"), text.as_bytes())?;
        write_atomic(&place.join("ensemble.toml"), settings.as_bytes())?;
        Ok(Progress::Done)
    }
}

struct Silent;
impl Observer for Silent {}
