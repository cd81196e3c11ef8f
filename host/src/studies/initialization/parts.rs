//! The parts of the study that are measurements: what runs, and what comes of it.

use std::path::Path;

use super::claims::{self, Compared, Decayed, LabelsDescribed, Learned, OutputsTested, Replicated};
use super::decay::OnSphere;
use super::figures;
use super::identity::Identity;
use super::learning::Learning;
use super::outputs::RandomOutputs;
use super::replica::Replica;
use super::tables;
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
/// Learning curves of the kernel, by dimension, n ascending, and the two starts compared.
pub struct KernelCurves {
    /// the curves
    pub curves: Vec<Vec<Kept<Learning>>>,
    /// proposition 4.1
    pub identity: Vec<Kept<Identity>>,
}
/// Learning curves of networks, by dimension, n ascending.
pub struct NetworkCurves {
    /// of networks
    pub networks: Vec<Vec<Kept<Replica>>>,
    /// of the kernel, to be drawn beside them: jobs of another part
    pub kernel: Vec<Vec<Kept<Learning>>>,
}
/// Spectra of the labels of data sets.
pub struct LabelSpectra(pub Vec<Kept<Labels>>);

fn as_jobs<'a, M: Measurement + 'a>(kept: impl IntoIterator<Item = &'a Kept<M>>) -> Vec<&'a dyn Job> {
    kept.into_iter().map(|job| job as &dyn Job).collect()
}

/// What a sphere's jobs have of this target.
fn learned(jobs: &[Kept<Learning>], target: Target, study: &Path) -> Result<Learned, Error> {
    let read = |job: &Kept<Learning>| job.measurement.curves(&job.read(study)?, target);
    let learning = jobs.iter().map(|job| job.measurement).collect();
    Ok(Learned { learning, target, curves: jobs.iter().map(read).collect::<Result<_, _>>()? })
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

impl Plan for KernelCurves {
    fn jobs(&self) -> Vec<&dyn Job> {
        as_jobs(&self.identity).into_iter().chain(as_jobs(self.curves.iter().flatten())).collect()
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let compared = |job: &Kept<Identity>| {
            let differences = job.read(study)?.column("identity")?;
            Ok(Compared { identity: job.measurement, differences })
        };
        let compared: Vec<Compared> = self.identity.iter().map(compared).collect::<Result<_, Error>>()?;
        let of_sphere = |jobs: &Vec<Kept<Learning>>| Target::ALL.map(|target| learned(jobs, target, study));
        let all: Vec<Learned> = self.curves.iter().flat_map(of_sphere).collect::<Result<_, _>>()?;
        let claims = compared.iter().flat_map(claims::identity).chain(all.iter().flat_map(claims::learning)).collect();
        let tables = vec![tables::slopes(&all), tables::schedules(&all)];
        let figures = all.iter().flat_map(figures::learning).collect();
        Ok(Findings { claims, figures, tables, ..Findings::default() })
    }
}

impl Plan for NetworkCurves {
    fn jobs(&self) -> Vec<&dyn Job> {
        as_jobs(self.networks.iter().flatten())
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let mut findings = Findings::default();
        for jobs in &self.networks {
            let replicas: Vec<_> = jobs.iter().map(|job| job.measurement).collect();
            let d = replicas.first().map(|replica| replica.dimension);
            let same = |jobs: &&Vec<Kept<Learning>>| jobs.first().map(|job| job.measurement.dimension) == d;
            let kernel =
                self.kernel.iter().find(same).map(|jobs| learned(jobs, Target::SquaredSum, study)).transpose()?;
            let curves = jobs.iter().map(|job| Ok(Curves::from_table(&job.read(study)?)?));
            let replicated = Replicated { replicas, curves: curves.collect::<Result<_, Error>>()? };
            findings.claims.extend(claims::replica(&replicated));
            findings.figures.extend(figures::replica(&replicated, kernel.as_ref()));
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
        let mut all = Vec::new();
        for kept in &self.0 {
            let spectra = Spectra::from_table(&kept.read(study)?)?;
            let labels = LabelsDescribed { described: kept.measurement.describe(), spectra };
            findings.claims.extend(claims::labels(&labels));
            let LabelsDescribed { described, spectra } = &labels;
            findings.figures.push(figures::labels(&kept.id, &described.title, spectra, &middle(spectra.ntk.len())));
            all.push(labels);
        }
        findings.tables.push(tables::labels(&all));
        Ok(findings)
    }
}

/// What the networks beside the kernel's flow show.
pub fn closeness(groups: &[Group]) -> Findings {
    let claims = groups.iter().flat_map(claims::closeness).collect();
    Findings { claims, figures: vec![figures::closeness(groups)], ..Findings::default() }
}
