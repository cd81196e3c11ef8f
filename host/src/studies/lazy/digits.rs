//! Predictive distributions on images held out: of single networks, of ensembles, of posteriors. How well they foretell the
//! labels: mean log-likelihood and calibration.

use std::path::Path;

use super::ensemble::{Ensemble, Members, Start};
use super::law::PredictedLaw;
use super::plan::until_the_end;
use crate::analysis::probabilities::probabilities;
use crate::analysis::statistics::{Estimate, deviation, normal_density};
use crate::data::{ClassSelection, Source};
use crate::experiment::{Init, LossKind, Model, Settings, Training};
use crate::report::{Kind, Table, number, rounded};
use crate::study::Error;
use crate::study::cell::{Cell, Finished};
use crate::study::claim::{Claim, Subject, Theory, state_all};
use crate::study::grid::Job;
use crate::study::judge::Measured;
use crate::study::kept::Kept;
use crate::study::net::{CE, MSE, Net, Regularization};
use crate::study::options::Options;
use crate::study::paper::Part;
use crate::study::plan::{Findings, Plan};

const NET: Net = Net::fcn(1);
const WIDTH: usize = 128;
const SAMPLES: usize = 64;
const HELD_OUT: usize = 500;
const NETWORKS: u64 = 24;
/// LAMBDA; n LAMBDA = 0.32 is the variance of the noise under squared error.
const PENALTY: f64 = 0.005;

/// Networks under cross-entropy from their own outputs, and under squared error from draws of the prior.
pub(super) struct Digits {
    classified: Kept<Ensemble>,
    regressed: Kept<Ensemble>,
}

impl Digits {
    /// What the options choose.
    pub(super) fn new(part: &'static Part, options: &Options) -> Self {
        let ensemble = |loss: LossKind, start| {
            let model = Model {
                data: Source::Mnist,
                classes: Some(ClassSelection::Parity),
                n: Some(SAMPLES),
                held_out: HELD_OUT,
                data_dir: options.data_dir.clone(),
                init: Init::Standard,
                ..Model::default()
            };
            let regularization = Regularization::Penalty(PENALTY);
            let id = format!("{}-{}-w{WIDTH}-{loss}", part.name, NET.name());
            let training = Training { loss, ..until_the_end(regularization) };
            let settings = Settings { model: NET.model(WIDTH, &model), training };
            let work = 8.0 * NETWORKS as f64;
            let (net, init) = (NET, Init::Standard);
            let first =
                Cell { id: id.clone(), part, net, init, regularization, loss, width: WIDTH, seed: 0, settings, work };
            Kept { id, measurement: Ensemble { classes: 2, start, networks: NETWORKS, first } }
        };
        let scale = (SAMPLES as f64 * PENALTY).sqrt();
        Self { classified: ensemble(CE, Start::Network), regressed: ensemble(MSE, Start::Prior { scale, noisy: true }) }
    }
}

/// A predictive distribution, as it did on every image held out.
struct Predicted {
    name: &'static str,
    /// ln of the probability, or density, of the label
    log_likelihood: Vec<f64>,
    /// expected calibration error of the probability of class 1, ten bins; `None` of densities
    calibration: Option<f64>,
    /// share of images whose label is foretold
    accuracy: f64,
}

/// Mean over ten bins of the probability of class 1, weighted by their images, of |mean probability - share of class 1|.
fn calibration_error(p: &[f64], labels: &[bool]) -> f64 {
    let mut bins = [(0.0, 0.0); 10];
    for (p, label) in p.iter().zip(labels) {
        let bin = &mut bins[((10.0 * p) as usize).min(9)];
        bin.0 += p;
        bin.1 += f64::from(u8::from(*label));
    }
    bins.iter().map(|(p, share)| (p - share).abs()).sum::<f64>() / p.len() as f64
}

fn of_probabilities(name: &'static str, p: &[f64], labels: &[bool]) -> Predicted {
    let of_label = |(p, label): (&f64, &bool)| if *label { p.ln() } else { (-p).ln_1p() };
    let right = p.iter().zip(labels).filter(|(p, label)| (**p > 0.5) == **label).count();
    Predicted {
        name,
        log_likelihood: p.iter().zip(labels).map(of_label).collect(),
        calibration: Some(calibration_error(p, labels)),
        accuracy: right as f64 / labels.len() as f64,
    }
}

/// The mean over several distributions of what each does by itself.
fn on_average(name: &'static str, all: &[Predicted]) -> Predicted {
    let count = all.len() as f64;
    let mean = |of: &dyn Fn(&Predicted) -> f64| all.iter().map(of).sum::<f64>() / count;
    let images = all.first().map_or(0, |first| first.log_likelihood.len());
    Predicted {
        name,
        log_likelihood: (0..images).map(|i| mean(&|one| one.log_likelihood[i])).collect(),
        calibration: Some(mean(&|one| one.calibration.unwrap_or(f64::NAN))),
        accuracy: mean(&|one| one.accuracy),
    }
}

/// Gaussian predictions of the targets -1 and +1.
fn of_gaussians(name: &'static str, mean: &[f64], sd: &[f64], labels: &[bool]) -> Predicted {
    let target = |label: &bool| if *label { 1.0 } else { -1.0 };
    let of = |((mean, sd), label): ((&f64, &f64), &bool)| (normal_density((target(label) - mean) / sd) / sd).ln();
    let right = mean.iter().zip(labels).filter(|(mean, label)| (**mean > 0.0) == **label).count();
    Predicted {
        name,
        log_likelihood: mean.iter().zip(sd).zip(labels).map(of).collect(),
        calibration: None,
        accuracy: right as f64 / labels.len() as f64,
    }
}

const SINGLE: &str = "a single network, mean over networks";
const TOGETHER: &str = "ensemble over initializations";
const LIMIT: &str = "ensemble of infinitely wide networks";
const OF_PARAMETERS: &str = "Laplace posterior in the parameters, mean over networks";
const OF_PROCESS: &str = "Laplace posterior of the Gaussian process";
const SAMPLED: &str = "networks sampled from the posterior, squared error";
const REGRESSION: &str = "Gaussian process regression, squared error";

/// Under cross-entropy.
fn classified(members: &Members, law: &PredictedLaw, labels: &[bool]) -> Result<Vec<Predicted>, Error> {
    let (images, networks) = (labels.len(), members.trained.len() / labels.len());
    let of_class_1 = |mean: &[f64], sd: &[f64]| -> Result<Vec<f64>, Error> {
        Ok(probabilities(1, mean, sd)?.chunks_exact(2).map(|p| p[1]).collect())
    };
    let certain = vec![0.0; images];
    let (mut single, mut posteriors, mut together) = (Vec::new(), Vec::new(), vec![0.0; images]);
    for (f, sd) in members.trained.chunks_exact(images).zip(members.laplace.chunks_exact(images)) {
        let p = of_class_1(f, &certain)?;
        together.iter_mut().zip(&p).for_each(|(sum, p)| *sum += p / networks as f64);
        single.push(of_probabilities(SINGLE, &p, labels));
        posteriors.push(of_probabilities(OF_PARAMETERS, &of_class_1(f, sd)?, labels));
    }
    let laplace = law.laplace.as_deref().map(|laplace| PredictedLaw::deviations(laplace, images)).unwrap_or_default();
    Ok(vec![
        on_average(SINGLE, &single),
        of_probabilities(TOGETHER, &together, labels),
        of_probabilities(LIMIT, &of_class_1(&law.mean, &law.deviation())?, labels),
        on_average(OF_PARAMETERS, &posteriors),
        of_probabilities(OF_PROCESS, &of_class_1(&law.mean, &laplace)?, labels),
    ])
}

/// Under squared error, in the units in which the noise has the variance n LAMBDA.
fn regressed(members: &Members, law: &PredictedLaw, labels: &[bool]) -> Vec<Predicted> {
    let (images, noise) = (labels.len(), SAMPLES as f64 * PENALTY);
    let with_noise = |sd: Vec<f64>| sd.iter().map(|sd| (sd * sd + noise).sqrt()).collect::<Vec<f64>>();
    let column = |i: usize| members.trained.iter().skip(i).step_by(images).copied().collect::<Vec<f64>>();
    let mean: Vec<f64> = (0..images).map(|i| column(i).iter().sum::<f64>() / column(i).len() as f64).collect();
    let sampled = with_noise((0..images).map(|i| deviation(&column(i))).collect());
    vec![
        of_gaussians(SAMPLED, &mean, &sampled, labels),
        of_gaussians(REGRESSION, &law.mean, &with_noise(law.deviation()), labels),
    ]
}

/// All distributions on the same images.
type Compared = Vec<Predicted>;

/// Log-likelihood of one less that of another, image by image.
fn difference(all: &Compared, one: &str, other: &str) -> Measured {
    let of = |name: &str| all.iter().find(|predicted| predicted.name == name).map(|p| &p.log_likelihood);
    match of(one).zip(of(other)) {
        Some((one, other)) => Measured::Values(one.iter().zip(other).map(|(a, b)| a - b).collect()),
        None => Measured::Nothing("there is no such prediction".into()),
    }
}

fn subject(_: &Compared) -> Subject {
    Subject {
        network: format!("{}, width {WIDTH}; {SAMPLES} digits, {HELD_OUT} held out", NET.title()),
        loss: Regularization::Penalty(PENALTY).title(),
        init: "standard".into(),
        failed: 0,
    }
}

fn as_good(_: &Compared) -> Option<Theory> {
    Some(Theory::number(0.0).within(0.05, "finite width, and the number of networks; 5 % of a probability"))
}

const IMAGES: &str = "mean over the held-out images of the difference of ln p(label), one value per image";

static CLAIMS: &[Claim<Compared>] = &[
    Claim {
        name: "B6 ensembles foretell digits as those of infinite width do",
        place: "derived: the law over initializations",
        kind: Kind::Claim,
        about: subject,
        measure: |all| difference(all, TOGETHER, LIMIT),
        theory: as_good,
        note: |_| format!("cross-entropy: {IMAGES}"),
        failing: "",
    },
    Claim {
        name: "B6 the posterior in the parameters foretells digits as that of the Gaussian process does",
        place: "derived: its kernel is K_{T}, which tends to the NTK",
        kind: Kind::Claim,
        about: subject,
        measure: |all| difference(all, OF_PARAMETERS, OF_PROCESS),
        theory: as_good,
        note: |_| format!("cross-entropy: {IMAGES}"),
        failing: "",
    },
    Claim {
        name: "B6 sampled networks foretell digits as Gaussian process regression does",
        place: "derived: sample, then optimise",
        kind: Kind::Claim,
        about: subject,
        measure: |all| difference(all, SAMPLED, REGRESSION),
        theory: as_good,
        note: |_| format!("squared error: {IMAGES}"),
        failing: "",
    },
];

fn table(all: &Compared) -> Table {
    let caption = format!(
        "Odd against even digits, {HELD_OUT} images held out: mean ln p(label) ± a standard error over the images (a density under squared \
         error), expected calibration error in ten bins, accuracy. {NETWORKS} networks."
    );
    let mut table = Table::new(caption, ["prediction", "log-likelihood", "calibration error", "accuracy"]);
    for predicted in all {
        let mean = Estimate::from_values(&predicted.log_likelihood);
        let mean = mean.map_or("–".into(), |mean| rounded(mean.value, Some(mean.error_or_0())));
        let calibration = predicted.calibration.map_or("–".into(), |error| number((1e4 * error).round() / 1e4));
        table.push([predicted.name.to_owned(), mean, calibration, number(predicted.accuracy)]);
    }
    table
}

impl Plan for Digits {
    fn jobs(&self) -> Vec<&dyn Job> {
        vec![&self.classified, &self.regressed]
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let mut compared = Compared::new();
        for kept in [&self.classified, &self.regressed] {
            let ensemble = &kept.measurement;
            let (members, law) = (ensemble.members(&kept.read(study)?)?, PredictedLaw::new(ensemble, 1)?);
            let samples = ensemble.resources()?.resolved.samples;
            let class = |y: &f64| samples.map.as_ref().and_then(|map| map.class_of(*y));
            let labels: Vec<bool> = samples.held_out_y.iter().map(|y| class(y) == Some(1)).collect();
            compared.extend(match ensemble.start {
                Start::Network => classified(&members, &law, &labels)?,
                Start::Prior { .. } => regressed(&members, &law, &labels),
            });
        }
        let claims = state_all(CLAIMS, &compared);
        Ok(Findings { claims, tables: vec![table(&compared)], ..Findings::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_predictions() {
        let labels = [true, true, false, false];
        let p = [0.75, 0.75, 0.25, 0.75];
        let predicted = of_probabilities(TOGETHER, &p, &labels);
        assert_eq!(predicted.accuracy, 0.75);
        let sum: f64 = predicted.log_likelihood.iter().sum();
        assert!((sum - (3.0 * 0.75f64.ln() + 0.25f64.ln())).abs() < 1e-15);
        // three at 0.75 of which two are of class 1, one at 0.25 which is not
        assert!((predicted.calibration.unwrap() - 0.5 / 4.0).abs() < 1e-15);
        // N(0, 1) at 1
        let gaussian = of_gaussians(REGRESSION, &[0.0], &[1.0], &[true]);
        assert!((gaussian.log_likelihood[0] + 0.5 + 0.918_938_533_204_672_7).abs() < 1e-12);
        let both = on_average(SINGLE, &[predicted, of_probabilities(SINGLE, &[0.5; 4], &labels)]);
        assert!((both.log_likelihood[0] - 0.5 * (0.75f64.ln() + 0.5f64.ln())).abs() < 1e-15);
    }
}
