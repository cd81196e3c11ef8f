//! The parts of the study that are measurements: what runs, and what comes of it.

use std::path::Path;

use super::claims::{self, Decayed, LabelsDescribed, Learned, OutputsTested, Replicated};
use super::decay::OnSphere;
use super::figures;
use super::learning::Learning;
use super::outputs::RandomOutputs;
use super::replica::Replica;
use crate::analysis::curves::Curves;
use crate::analysis::labels::Labels;
use crate::analysis::points::Target;
use crate::analysis::smoothness::middle;
use crate::analysis::spectra::Spectra;
use crate::study::Error;
use crate::study::cell::Finished;
use crate::study::grid::Job;
use crate::study::group::Group;
use crate::study::kept::{Kept, Measurement};
use crate::study::plan::{Findings, Plan};

/// Networks at initialization, narrow to wide.
pub struct RandomNetworks(pub Vec<Kept<RandomOutputs>>);
/// Spectra of every sphere on several sets of points.
pub struct SphereSpectra(pub Vec<Vec<Kept<OnSphere>>>);
/// Learning curves of the kernel, by dimension and target, n ascending.
pub struct KernelCurves(pub Vec<Vec<Kept<Learning>>>);
/// Learning curves of networks, by dimension, n ascending.
pub struct NetworkCurves {
    /// of networks
    pub networks: Vec<Vec<Kept<Replica>>>,
    /// of the kernel, to be drawn beside them: jobs of another part
    pub kernel: KernelCurves,
}
/// Spectra of the labels of data sets.
pub struct LabelSpectra(pub Vec<Kept<Labels>>);

fn as_jobs<'a, M: Measurement + 'a>(kept: impl IntoIterator<Item = &'a Kept<M>>) -> Vec<&'a dyn Job> {
    kept.into_iter().map(|job| job as &dyn Job).collect()
}

/// The curves of learning jobs, in order.
fn curves<M: Measurement>(jobs: &[Kept<M>], study: &Path) -> Result<Vec<Curves>, Error> {
    jobs.iter().map(|job| Ok(Curves::from_table(&job.read(study)?)?)).collect()
}

impl Plan for RandomNetworks {
    fn jobs(&self) -> Vec<&dyn Job> {
        as_jobs(&self.0)
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let test = |kept: &Kept<RandomOutputs>| {
            let (outputs, table) = (kept.measurement, kept.read(study)?);
            Ok(OutputsTested { outputs, tested: outputs.test(&table)? })
        };
        let all: Vec<_> = self.0.iter().map(test).collect::<Result<_, Error>>()?;
        let claims = all.iter().flat_map(claims::outputs).collect();
        Ok(Findings { claims, figures: vec![figures::outputs(&all)], ..Findings::default() })
    }
}

impl Plan for SphereSpectra {
    fn jobs(&self) -> Vec<&dyn Job> {
        as_jobs(self.0.iter().flatten())
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let mut findings = Findings::default();
        for sets in &self.0 {
            let read = |kept: &Kept<OnSphere>| Ok((kept.measurement, Spectra::from_table(&kept.read(study)?)?));
            let decayed = Decayed { sets: sets.iter().map(read).collect::<Result<_, Error>>()? };
            findings.claims.extend(claims::decay(&decayed));
            findings.figures.push(figures::decay(&decayed));
        }
        Ok(findings)
    }
}

impl KernelCurves {
    fn learned(&self, study: &Path) -> Result<Vec<Learned>, Error> {
        let read = |jobs: &Vec<Kept<_>>| -> Result<Learned, Error> {
            let mut identity: f64 = 0.0;
            for job in jobs {
                identity = job.read(study)?.column("identity")?.into_iter().fold(identity, f64::max);
            }
            let learning = jobs.iter().map(|job| job.measurement).collect();
            Ok(Learned { learning, curves: curves(jobs, study)?, identity })
        };
        self.0.iter().map(read).collect()
    }
}

impl Plan for KernelCurves {
    fn jobs(&self) -> Vec<&dyn Job> {
        as_jobs(self.0.iter().flatten())
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let all = self.learned(study)?;
        let claims = claims::identity(&all).into_iter().chain(all.iter().flat_map(claims::learning)).collect();
        Ok(Findings { claims, figures: all.iter().flat_map(figures::learning).collect(), ..Findings::default() })
    }
}

impl Plan for NetworkCurves {
    fn jobs(&self) -> Vec<&dyn Job> {
        as_jobs(self.networks.iter().flatten())
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let (mut findings, learned) = (Findings::default(), self.kernel.learned(study)?);
        for jobs in &self.networks {
            let replicas: Vec<_> = jobs.iter().map(|job| job.measurement).collect();
            let d = replicas.first().map(|replica| replica.dimension);
            let same = |learned: &&Learned| {
                let first = learned.learning.first();
                first.is_some_and(|first| Some(first.dimension) == d && first.target == Target::SquaredSum)
            };
            let replicated = Replicated { replicas, curves: curves(jobs, study)? };
            findings.claims.extend(claims::replica(&replicated));
            findings.figures.extend(figures::replica(&replicated, learned.iter().find(same)));
        }
        Ok(findings)
    }
}

impl Plan for LabelSpectra {
    fn jobs(&self) -> Vec<&dyn Job> {
        as_jobs(&self.0)
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let mut findings = Findings::default();
        for kept in &self.0 {
            let spectra = Spectra::from_table(&kept.read(study)?)?;
            let labels = LabelsDescribed { described: kept.measurement.describe(), spectra };
            findings.claims.extend(claims::labels(&labels));
            let LabelsDescribed { described, spectra } = &labels;
            findings.figures.push(figures::labels(&kept.id, &described.title, spectra, &middle(spectra.ntk.len())));
        }
        Ok(findings)
    }
}

/// What the networks beside the kernel's flow show.
pub fn closeness(groups: &[Group]) -> Findings {
    let claims = groups.iter().flat_map(claims::closeness).collect();
    Findings { claims, figures: vec![figures::closeness(groups)], ..Findings::default() }
}
