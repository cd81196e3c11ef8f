//! The study: what runs, and what comes of it.

use std::path::Path;

use anyhow::Result;

use super::claims::{self, Decayed, Learned, Replicated};
use super::figures;
use super::plan::{CLOSE, INITIALIZATIONS, PARTS, Plan, QUICK};
use crate::analysis::curves::Curves;
use crate::analysis::points::Target;
use crate::analysis::smoothness::middle;
use crate::analysis::spectra::Spectra;
use crate::error::UsageError;
use crate::plot::Figure;
use crate::report::Claim;
use crate::study::Study;
use crate::study::cell::{Finished, read_all};
use crate::study::grid::Job;
use crate::study::group::Group;
use crate::study::kept::{Kept, Measurement};
use crate::study::page::{Chapter, Page};
use crate::study::plan::{Options, Part};
use crate::study::table::cells_table;

/// The study.
pub struct Initialization {
    options: Options,
    plan: Plan,
}

impl Initialization {
    /// With what the options choose. Errors: options that choose nothing.
    pub fn new(options: Options) -> Result<Self, UsageError> {
        options.check(&PARTS, &QUICK)?;
        Ok(Self { plan: Plan::new(&options), options })
    }
}

impl Study for Initialization {
    fn name(&self) -> &'static str {
        "initialization"
    }
    fn jobs(&self) -> Vec<&dyn Job> {
        self.plan.jobs()
    }
    fn write(&self, directory: &Path) -> Result<Vec<Claim>> {
        let finished = read_all(&self.plan.cells, directory)?;
        let learned = self.learned(directory)?;
        let mut chapters = Vec::new();
        for part in self.options.parts(&PARTS, &QUICK) {
            let (claims, figures) = match part {
                Part::Outputs => self.outputs(directory)?,
                Part::Spectra => self.spectra(directory)?,
                Part::Learning => learning(&learned),
                Part::Replica => self.replicas(directory, &learned)?,
                Part::Closeness => closeness(&finished),
                _ => self.labels(directory)?,
            };
            chapters.push(Chapter { title: part.title(), introduction: introduction(part).into(), figures, claims });
        }
        cells_table(&finished).write(&directory.join("cells.csv"))?;
        let lead = "A network at the usual random initialization starts from outputs f^{GP} that are rough for its own kernel, and \
                    gradient descent has to unlearn them; mirrored initialization starts from 0. Under squared error a wide network is \
                    kernel regression from its f_{0}, so what this costs can be measured on kernels."
            .into();
        let caveat = "Uncertainties are standard errors over draws or seeds. A verdict is about the sizes that were measured: exponents \
                      that belong to the limit of many samples are not reached where they still move towards it.";
        Page { study: "initialization", lead, caveat, claims: Vec::new(), chapters, terms: vec![TERMS.into()] }
            .write(directory)
    }
}

type Found = (Vec<Claim>, Vec<Figure>);

/// The curves of learning jobs, in order.
fn curves<M: Measurement>(jobs: &[Kept<M>], study: &Path) -> Result<Vec<Curves>> {
    jobs.iter().map(|job| Curves::of(&job.read(study)?)).collect()
}

impl Initialization {
    fn outputs(&self, study: &Path) -> Result<Found> {
        let test =
            |kept: &Kept<super::outputs::Outputs>| Ok((kept.measurement, kept.measurement.test(&kept.read(study)?)?));
        let all: Vec<_> = self.plan.outputs.iter().map(test).collect::<Result<_>>()?;
        Ok((claims::outputs(&all), vec![figures::outputs(&all)]))
    }

    fn spectra(&self, study: &Path) -> Result<Found> {
        let (mut claims, mut drawn) = (Vec::new(), Vec::new());
        for [half, all] in &self.plan.decay {
            let spectra = [Spectra::of(&half.read(study)?)?, Spectra::of(&all.read(study)?)?];
            let decayed = Decayed { on: [half.measurement, all.measurement], spectra };
            claims.extend(claims::decay(&decayed));
            drawn.push(figures::decay(&decayed));
        }
        Ok((claims, drawn))
    }

    fn learned(&self, study: &Path) -> Result<Vec<Learned>> {
        let of = |jobs: &Vec<Kept<_>>| -> Result<Learned> {
            let mut identity: f64 = 0.0;
            for job in jobs {
                identity = job.read(study)?.column("identity")?.into_iter().fold(identity, f64::max);
            }
            Ok(Learned {
                learning: jobs.iter().map(|j| j.measurement).collect(),
                curves: curves(jobs, study)?,
                identity,
            })
        };
        self.plan.learning.iter().map(of).collect()
    }

    fn replicas(&self, study: &Path, learned: &[Learned]) -> Result<Found> {
        let (mut claims, mut drawn) = (Vec::new(), Vec::new());
        for jobs in &self.plan.replicas {
            let replicas: Vec<_> = jobs.iter().map(|job| job.measurement).collect();
            let d = replicas.first().map(|replica| replica.dimension);
            let same = |learned: &&Learned| {
                let first = learned.learning.first();
                first.is_some_and(|first| Some(first.dimension) == d && first.target == Target::SquaredSum)
            };
            let replicated = Replicated { replicas, curves: curves(jobs, study)? };
            claims.extend(claims::replica(&replicated));
            drawn.extend(figures::replica(&replicated, learned.iter().find(same)));
        }
        Ok((claims, drawn))
    }

    fn labels(&self, study: &Path) -> Result<Found> {
        let (mut claims, mut drawn) = (Vec::new(), Vec::new());
        for kept in &self.plan.labels {
            let spectra = Spectra::of(&kept.read(study)?)?;
            let (title, paper, inputs) = kept.measurement.about();
            claims.extend(claims::labels(&title, inputs, &spectra, paper));
            drawn.push(figures::labels(&kept.id, &title, &spectra, &middle(spectra.ntk.len())));
        }
        Ok((claims, drawn))
    }
}

fn learning(all: &[Learned]) -> Found {
    let claims = claims::identity(all).into_iter().chain(all.iter().flat_map(claims::learning)).collect();
    (claims, all.iter().flat_map(figures::learning).collect())
}

fn closeness(finished: &[Finished]) -> Found {
    let of = |init| Group::of(Part::Closeness, CLOSE, init, finished);
    let groups = INITIALIZATIONS.map(of);
    (groups.iter().flat_map(claims::closeness).collect(), vec![figures::closeness(&groups)])
}

fn introduction(part: Part) -> &'static str {
    match part {
        Part::Outputs => {
            "Many networks of one hidden layer at standard initialization, their outputs on four points of S^{2}: the wider, the nearer to \
             a Gaussian process with the covariance NNGP."
        }
        Part::Spectra => {
            "Uniform points on S^{d}. Theory: eigenvalues of the NTK fall like k^{−(d+1)/d}, of the NNGP like k^{−(d+3)/d}, so the tail sums \
             of f^{GP} like k^{−3/d}, and its smoothness for the NTK is 3/(d + 1)."
        }
        Part::Learning => {
            "Gradient flow under the NTK of one hidden layer without bias on noisy samples of f*, from f_{0} = 0 and from f_{0} = f^{GP} drawn \
             on training and test points together, stopped at the best time. Theory on S^{d}: from f^{GP} the excess risk falls like \
             n^{−3/(d+3)} at best, from 0 for a smooth f* at rates up to n^{−1}."
        }
        Part::Replica => {
            "The experiment of the paper's figure 1 with networks, f*(x) = (Σ_{j} x_{j})^{2}: mirrored and standard initialization on the \
             same samples, stopped at the best epoch."
        }
        Part::Closeness => {
            "Under squared error a wide network follows the flow of the analytic NTK from its own f_{0} at all times. Six points on the \
             circle with alternating labels, six held out between them."
        }
        _ => {
            "The labels as functions on the samples, in the eigenfunctions of the NTK of one hidden layer. The paper has 0.40 for MNIST and \
             0.22 for Fashion-MNIST of 3000 samples, and says neither how labels are coded nor how images are scaled."
        }
    }
}

const TERMS: &str = "f^{GP} is a draw of the Gaussian process of the network's outputs at random initialization, of infinite width; NNGP is \
its covariance, NTK the neural tangent kernel. λ_{k} are the eigenvalues of a kernel on n points divided by n, descending; c_{j} the \
coefficients of a function in its eigenfunctions. The smoothness α of a function is the exponent of its tail sums over that of the \
eigenvalues. The excess risk is the mean of (f(x) − f*(x))^{2} over test points. Mirrored initialization is the difference of two equal \
copies over √2; both are trained.";
