//! The study "lazy": with a penalty towards the initial parameters, or with targets that leave every class a positive
//! probability, wide networks stay in the kernel regime under cross-entropy, and end where an explicit formula says
//! (Plenk, Calvo-Ordonez, Cartea, Gal, van der Wilk, Ciosek 2026).

pub mod claims;
pub mod ensemble;
pub mod figures;
pub mod plan;

use std::path::Path;

use crate::data::Source;
use crate::experiment::NetworkKind;
use crate::study::Error;
use crate::study::cell::Finished;
use crate::study::claim::Stated;
use crate::study::grid::Job;
use crate::study::group::Group;
use crate::study::kept::Kept;
use crate::study::net::Regularization;
use crate::study::options::Takes;
use crate::study::paper::{Paper, Part, Scope};
use crate::study::plan::{Findings, Plan, Runs};
use claims::{Beside, EnsembleAndLaw};
use ensemble::Ensemble;

/// The paper.
pub static PAPER: Paper = Paper {
    name: "lazy",
    summary: "with a penalty or soft targets the kernel stays close, and training converges to a closed-form solution",
    citation: "Plenk, Calvo-Ordoñez, Cartea, Gal, van der Wilk, Ciosek, “The Neural Tangent Kernel for Classification”, 2026",
    link: "https://arxiv.org/abs/2605.17606",
    lead,
    key: &["six-points-fcn2-drift-width"],
    caveat: "Verdicts refer to these runs only.",
    claims: || Ok(Vec::new()),
    terms: |_| vec![TERMS.into()],
    parts: &[&SIX_POINTS, &CONFLICTING, &ENSEMBLE, &MNIST, &MNIST_TEN],
};

static SIX_POINTS: Part = Part {
    name: "six-points",
    title: "Six points",
    summary: "three antipodal pairs on the circle with opposite labels",
    introduction: "Six points on the unit circle, three antipodal pairs with opposite labels. With a penalty the limit is f* = f_{0} − K (p(f*) − \
                   y)/(n Λ); with soft targets the outputs equal logit(q) on the training points.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes::GRID,
    plan: |part, options| {
        Box::new(Runs { cells: plan::six_points(options).cells(part, options), findings: six_points })
    },
};

static CONFLICTING: Part = Part {
    name: "conflicting",
    title: "Conflicting labels",
    summary: "the six points, four copies each, with conflicting labels",
    introduction: "The same six points, four copies each: three labels agree and one does not, so the mean label is a soft target although no \
                   single label is.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[NetworkKind::Fcn], widths: true, seeds: true, n: false, full: false },
    plan: |part, options| {
        Box::new(Runs { cells: plan::conflicting(options).cells(part, options), findings: conflicting })
    },
};

static ENSEMBLE: Part = Part {
    name: "ensemble",
    title: "Distribution over initializations",
    summary: "many networks that differ only in their initialization",
    introduction: "Networks of one hidden layer from a few hundred seeds. Theory: f_{0} is a Gaussian process with the NNGP kernel, training \
                   adds A (y − f_{0}(X)), so the trained outputs are Gaussian too (with a penalty to first order).",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[NetworkKind::Fcn], widths: true, seeds: false, n: false, full: true },
    plan: |part, options| Box::new(Ensembles(ensemble::ensembles(part, options))),
};

static MNIST: Part = Part {
    name: "mnist",
    title: "MNIST, odd versus even digits",
    summary: "odd versus even handwritten digits",
    introduction: "Handwritten digits, odd versus even, every image scaled to unit norm; 500 more images are held out.",
    scope: Scope::Full,
    images: &[Source::Mnist],
    takes: Takes { n: true, ..Takes::GRID },
    plan: |part, options| Box::new(Runs { cells: plan::mnist(options).cells(part, options), findings: images }),
};

static MNIST_TEN: Part = Part {
    name: "mnist-ten",
    title: "MNIST, ten digits",
    summary: "all ten handwritten digits",
    introduction: "Handwritten digits, ten classes and ten outputs, every image scaled to unit norm; 500 more images are held out.",
    scope: Scope::Full,
    images: &[Source::Mnist],
    takes: Takes { networks: &[NetworkKind::Fcn], widths: true, seeds: true, n: true, full: true },
    plan: |part, options| Box::new(Runs { cells: plan::mnist_ten(options).cells(part, options), findings: images }),
};

fn six_points(groups: &[Group]) -> Findings {
    by_network(groups, claims::of_network_to_hard_targets)
}

fn images(groups: &[Group]) -> Findings {
    by_network(groups, claims::of_network_on_images)
}

fn conflicting(groups: &[Group]) -> Findings {
    Findings { claims: groups.iter().flat_map(claims::of_conflicting).collect(), ..Findings::default() }
}

/// All regularizations of a network together.
fn by_network(groups: &[Group], claims: fn(&[Beside]) -> Vec<Stated>) -> Findings {
    let mut findings = Findings::default();
    for groups in groups.chunk_by(|a, b| a.net == b.net) {
        let plain = groups.iter().find(|group| group.regularization == Regularization::Plain);
        let beside = |group: &Group| Beside { group: group.clone(), plain: plain.cloned() };
        let all: Vec<Beside> = groups.iter().map(beside).collect();
        findings.claims.extend(claims(&all));
        findings.figures.extend(figures::of_network(&all));
    }
    findings
}

struct Ensembles(Vec<Kept<Ensemble>>);

impl Plan for Ensembles {
    fn jobs(&self) -> Vec<&dyn Job> {
        self.0.iter().map(|ensemble| ensemble as &dyn Job).collect()
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let mut findings = Findings::default();
        for same in self.0.chunk_by(|a, b| a.measurement.regularization == b.measurement.regularization) {
            // the law of infinite width is that of every width
            let Some(first) = same.first().map(|kept| &kept.measurement) else { continue };
            let ((law, covariance), (doubled, _)) = (first.law(1)?, first.law(2)?);
            let mut by_width = Vec::new();
            for kept in same {
                let Ensemble { regularization, width, .. } = kept.measurement;
                let members = kept.measurement.members(&kept.read(study)?)?;
                let (law, covariance, doubled) = (law.clone(), covariance.clone(), doubled.clone());
                by_width.push(EnsembleAndLaw { regularization, width, members, law, covariance, doubled });
            }
            findings.claims.extend(claims::of_ensembles(&by_width));
            findings.figures.extend(by_width.last().into_iter().flat_map(figures::of_ensemble));
        }
        Ok(findings)
    }
}

fn lead(finished: &[Finished]) -> String {
    format!(
        "Cross-entropy does not always drive a network out of the kernel regime: with a penalty on the distance from \
         initialization, or with targets that give every class a positive probability, training converges, and the wider the \
         network, the closer its limit is to the prediction of its initial kernel K_{{0}}. {} runs.",
        finished.len()
    )
}

const TERMS: &str = "Λ is the coefficient of the penalty (Λ/2)|θ − θ_{0}|^{2} on the mean loss; ε is the label smoothing: targets 1 − ε + ε/C and ε/C. \
K_{t} is the empirical neural tangent kernel of the training samples, K_{0} the one at initialization; drift is max_{ij} |K_{t} − K_{0}|. \
f_{T} are the trained outputs, f*[K] is the closed-form solution under the kernel K. sd is a standard deviation.";
