//! Predictive distributions on images held out: of single networks, of ensembles, of posteriors. How well they foretell the
//! labels: mean log-likelihood and calibration.

use std::path::Path;

use super::ensemble::{Ensemble, Members, Start};
use super::law::PredictedLaw;
use super::plan::until_the_end;
use super::scores::{Predicted, of_gaussians, of_probabilities, on_average};
use crate::analysis::probabilities::probabilities;
use crate::analysis::statistics::{Estimate, deviation};
use crate::data::{ClassSelection, Source};
use crate::experiment::{Init, LossKind, Model, Settings, Training};
use crate::files::numbers::NumberTable;
use crate::machine::{Ended, Stop};
use crate::report::{Kind, Table, number, rounded};
use crate::run::Observer;
use crate::study::Error;
use crate::study::cell::{Cell, Finished};
use crate::study::claim::{Claim, Subject, Theory, UNEXPLAINED, state_all};
use crate::study::grid::Job;
use crate::study::judge::Measured;
use crate::study::kept::{Kept, Measurement};
use crate::study::net::{CE, MSE, Net, Regularization};
use crate::study::options::Options;
use crate::study::paper::Part;
use crate::study::plan::{Findings, Plan};
use crate::study::training_run::TrainingRun;

const NET: Net = Net::fcn(1);
const WIDTH: usize = 128;
const SAMPLES: usize = 64;
const HELD_OUT: usize = 500;
const NETWORKS: u64 = 24;
/// LAMBDA; n LAMBDA = 0.32 is the variance of the noise under squared error.
const PENALTY: f64 = 0.005;

/// Networks under cross-entropy from their own outputs, and under squared error from draws of the prior.
pub(super) struct Digits {
    classified: Kept<Foretold>,
    regressed: Kept<Foretold>,
}

/// An ensemble, of which is kept how well it and what goes with it foretell the labels: so nothing but the measurement reads
/// images.
pub(super) struct Foretold(Ensemble);

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
            let run = TrainingRun { id: id.clone(), settings, work };
            let first = Cell { run, part, net, init, regularization, loss, width: WIDTH, seed: 0 };
            Kept { id, measurement: Foretold(Ensemble { classes: 2, start, networks: NETWORKS, first }) }
        };
        let scale = (SAMPLES as f64 * PENALTY).sqrt();
        Self { classified: ensemble(CE, Start::Network), regressed: ensemble(MSE, Start::Prior { scale, noisy: true }) }
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
        Some((one, other)) => Measured::sample(one.iter().zip(other).map(|(a, b)| a - b).collect(), "images"),
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
        failing: UNEXPLAINED,
    },
    Claim {
        name: "B6 the posterior in the parameters foretells digits as that of the Gaussian process does",
        place: "derived: its kernel is K_{T}, which tends to the NTK",
        kind: Kind::Claim,
        about: subject,
        measure: |all| difference(all, OF_PARAMETERS, OF_PROCESS),
        theory: as_good,
        note: |_| format!("cross-entropy: {IMAGES}"),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "B6 sampled networks foretell digits as Gaussian process regression does",
        place: "derived: sample, then optimize",
        kind: Kind::Claim,
        about: subject,
        measure: |all| difference(all, SAMPLED, REGRESSION),
        theory: as_good,
        note: |_| format!("squared error: {IMAGES}"),
        failing: UNEXPLAINED,
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

impl Foretold {
    /// The names of its predictions.
    fn names(&self) -> &'static [&'static str] {
        match self.0.start {
            Start::Network => &[SINGLE, TOGETHER, LIMIT, OF_PARAMETERS, OF_PROCESS],
            Start::Prior { .. } => &[SAMPLED, REGRESSION],
        }
    }

    /// From the finished table.
    fn scores(&self, table: &NumberTable) -> Result<Vec<Predicted>, Error> {
        let of = |(k, name): (usize, &&'static str)| {
            let column = |what: &str| table.column(&format!("{what}{k}"));
            let first = |values: Vec<f64>| values.first().copied().unwrap_or(f64::NAN);
            let calibration = Some(first(column("calibration")?)).filter(|error| error.is_finite());
            let accuracy = first(column("accuracy")?);
            Ok(Predicted { name, log_likelihood: column("likelihood")?, calibration, accuracy })
        };
        self.names().iter().enumerate().map(of).collect()
    }
}

impl Measurement for Foretold {
    fn settings(&self) -> Result<String, Error> {
        self.0.settings()
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        let mut table = self.0.plan()?;
        table.insert("predictions-compared".into(), toml::Value::Integer(self.names().len() as i64));
        Ok(table)
    }
    fn work(&self) -> f64 {
        self.0.work()
    }
    fn need(&self) -> Result<u64, Error> {
        self.0.need()
    }
    /// A row for every image: of every prediction ln of the probability of the label, and what is one number for all images.
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let Ended::Done(networks) = self.0.measure(observer, stop)? else { return Ok(Ended::Stopped) };
        let (members, law) = (self.0.members(&networks)?, PredictedLaw::new(&self.0, 1)?);
        let samples = self.0.resources()?.resolved.samples;
        let class = |y: &f64| samples.map.as_ref().and_then(|map| map.class_of(*y));
        let labels: Vec<bool> = samples.held_out_y.iter().map(|y| class(y) == Some(1)).collect();
        let all = match self.0.start {
            Start::Network => classified(&members, &law, &labels)?,
            Start::Prior { .. } => regressed(&members, &law, &labels),
        };
        let names = |what: &'static str| (0..all.len()).map(move |k| format!("{what}{k}"));
        let mut table = NumberTable::new(["likelihood", "calibration", "accuracy"].into_iter().flat_map(names));
        for i in 0..labels.len() {
            let likelihood = all.iter().map(|one| one.log_likelihood[i]);
            let calibration = all.iter().map(|one| one.calibration.unwrap_or(f64::NAN));
            table.push(likelihood.chain(calibration).chain(all.iter().map(|one| one.accuracy)).collect());
        }
        Ok(Ended::Done(table))
    }
}

impl Plan for Digits {
    fn jobs(&self) -> Vec<&dyn Job> {
        vec![&self.classified, &self.regressed]
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let mut compared = Compared::new();
        for kept in [&self.classified, &self.regressed] {
            compared.extend(kept.measurement.scores(&kept.read(study)?)?);
        }
        let claims = state_all(CLAIMS, &compared);
        Ok(Findings { claims, tables: vec![table(&compared)], ..Findings::default() })
    }
}
