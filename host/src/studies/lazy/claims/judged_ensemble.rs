//! An ensemble beside the law that theory has for it, as the claims see it.

use crate::analysis::normal_law::Moments;
use crate::analysis::statistics::jackknife;
use crate::report::{number, thousandths};
use crate::studies::lazy::ensemble::{Ensemble, Members, Start};
use crate::studies::lazy::law::{PredictedLaw, contrasts};
use crate::study::claim::Subject;
use crate::study::judge::Measured;
use crate::study::net::{CE, Regularization};

/// Groups of networks, of which one at a time is left out.
const GROUPS: usize = 20;

pub(super) const JACKKNIFE: &str = "jackknife interval over 20 groups of networks";

/// An ensemble with what theory says of it. Its p numbers are outputs, or contrasts of them, see [`PredictedLaw`].
#[derive(Clone)]
pub struct JudgedEnsemble {
    /// what was trained
    pub ensemble: Ensemble,
    /// numbers of every trained network, p each
    pub trained: Vec<f64>,
    /// of the limits of their linearizations
    pub linearized: Vec<f64>,
    /// standard deviations of the Laplace posteriors in their parameters, where they have them
    pub laplace: Vec<f64>,
    /// the law
    pub law: PredictedLaw,
    /// the same law, every training sample given twice
    pub doubled: PredictedLaw,
}

impl JudgedEnsemble {
    /// From what was read.
    pub fn new(ensemble: Ensemble, members: &Members, law: PredictedLaw, doubled: PredictedLaw) -> Self {
        let of = |numbers: &[f64]| contrasts(numbers, ensemble.outputs());
        let (trained, linearized) = (of(&members.trained), of(&members.linearized));
        Self { ensemble, trained, linearized, laplace: members.laplace.clone(), law, doubled }
    }

    /// p
    pub fn numbers(&self) -> usize {
        self.law.mean.len()
    }

    /// Number `i` of every trained network.
    pub fn column(&self, i: usize) -> Vec<f64> {
        self.trained.iter().skip(i).step_by(self.numbers()).copied().collect()
    }

    /// What is added to the loss, in words.
    pub fn regularization(&self) -> String {
        let (of, training) = (self.ensemble.first.regularization, &self.ensemble.first.run.settings.training);
        match of {
            Regularization::Penalty(_) if training.smoothing > 0.0 => {
                format!("{}, soft targets ε = {}", of.title(), number(training.smoothing))
            }
            of => of.title(),
        }
    }

    /// The network and what it starts from, in words, width aside.
    pub fn network(&self) -> String {
        let (first, classes) = (&self.ensemble.first, self.ensemble.classes);
        let outputs = if classes > 2 { format!(", {classes} classes") } else { String::new() };
        format!("{}{outputs}", first.net.title())
    }

    /// What training begins from, in words.
    pub fn start(&self) -> String {
        match self.ensemble.start {
            Start::Network => self.ensemble.first.init.to_string(),
            Start::Prior { scale, noisy } => {
                format!("{} × draw of the prior{}", thousandths(scale), if noisy { ", noisy targets" } else { "" })
            }
        }
    }

    /// What distinguishes it, width aside, in words.
    pub fn kind(&self) -> String {
        format!("{}, {}, {}", self.network(), self.start(), self.regularization())
    }

    pub(super) fn subject(&self) -> Subject {
        let first = &self.ensemble.first;
        let loss = if first.loss == CE { "cross-entropy" } else { "squared error" };
        let init = self.start();
        Subject {
            network: format!("{}, width {}; ensemble of {}", self.network(), first.width, self.ensemble.networks),
            loss: format!("{loss}, {}", self.regularization()),
            init,
            // a network that fails ends the study
            failed: 0,
        }
    }

    pub(super) fn moments(&self) -> Moments {
        Moments::of(&(0..self.numbers()).map(|i| self.column(i)).collect::<Vec<_>>())
    }

    /// A statistic of the trained networks' numbers, `(p, networks)`, with its scatter over groups of networks.
    pub(super) fn jackknifed(&self, statistic: impl Fn(&[Vec<f64>]) -> f64) -> Measured {
        self.of_groups(self.pseudo_values(&self.trained, statistic))
    }

    /// The same of the linearized networks.
    pub(super) fn jackknifed_linearized(&self, statistic: impl Fn(&[Vec<f64>]) -> f64) -> Measured {
        self.of_groups(self.pseudo_values(&self.linearized, statistic))
    }

    /// The same of what trained networks are beyond their linearizations.
    pub(super) fn beyond(&self, statistic: impl Fn(&[Vec<f64>]) -> f64) -> Vec<f64> {
        let beyond: Vec<f64> = self.trained.iter().zip(&self.linearized).map(|(f, k)| f - k).collect();
        self.pseudo_values(&beyond, statistic)
    }

    /// The same of the Laplace posteriors' deviations.
    pub(super) fn jackknifed_laplace(&self, statistic: impl Fn(&[Vec<f64>]) -> f64) -> Measured {
        match self.laplace.is_empty() {
            true => Measured::Nothing("there is no Laplace posterior".into()),
            false => self.of_groups(self.pseudo_values(&self.laplace, statistic)),
        }
    }

    /// Values of groups of networks, one of each.
    pub(super) fn of_groups(&self, values: Vec<f64>) -> Measured {
        Measured::sample(values, format!("groups of {} networks", self.ensemble.networks as usize / GROUPS))
    }

    fn pseudo_values(&self, all: &[f64], statistic: impl Fn(&[Vec<f64>]) -> f64) -> Vec<f64> {
        let each = self.numbers();
        let networks: Vec<&[f64]> = all.chunks_exact(each).collect();
        let columns = |chosen: &[&[f64]]| -> Vec<Vec<f64>> {
            (0..each).map(|i| chosen.iter().map(|numbers| numbers[i]).collect()).collect()
        };
        jackknife(&networks, GROUPS, |chosen| statistic(&columns(chosen)))
    }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The probability of a statistic at least so large under the normal law, in words.
pub(super) fn by_chance(probability: Result<f64, ntkscope_core::Error>) -> String {
    match probability {
        Ok(p) if p < 1e-4 => "p < 10^{−4}".into(),
        Ok(p) => format!("p = {}", number((1e4 * p).round() / 1e4)),
        Err(error) => format!("undefined ({error})"),
    }
}

pub(super) fn list(values: impl Iterator<Item = f64>) -> String {
    values.map(thousandths).collect::<Vec<_>>().join(", ")
}
