//! The study "lazy": with a penalty towards the initial parameters, or with targets that leave every class a positive
//! probability, wide networks stay in the kernel regime under cross-entropy, and end where an explicit formula says
//! (Plenk, Calvo-Ordonez, Cartea, Gal, van der Wilk, Ciosek 2026).

pub mod claims;
mod digits;
pub mod ensemble;
pub mod figures;
pub mod figures_of_ensembles;
pub mod law;
mod member;
pub mod plan;
mod scores;
pub mod varieties;

use std::path::Path;

use crate::data::Source;
use crate::experiment::{Init, NetworkKind};
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
use claims::{Beside, JudgedEnsemble, OverWidths};
use ensemble::Ensemble;
use law::PredictedLaw;

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
    parts: &[&SIX_POINTS, &INITIALIZATIONS, &CONFLICTING, &ENSEMBLE, &POSTERIOR, &MNIST, &MNIST_TEN, &DIGITS],
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

static INITIALIZATIONS: Part = Part {
    name: "initializations",
    title: "Six points, other initializations",
    summary: "the six points from standard and shifted initialization in place of mirrored",
    introduction: "The same from standard initialization, where f_{0} is random, and from shifted initialization, where f_{0} is taken from \
                   the outputs.",
    scope: Scope::Full,
    images: &[],
    takes: Takes { full: false, ..Takes::GRID },
    plan: |part, options| {
        Box::new(Runs { cells: plan::initializations(options).cells(part, options), findings: six_points })
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
    takes: Takes { networks: &[NetworkKind::Fcn], full: false, ..Takes::GRID },
    plan: |part, options| {
        Box::new(Runs { cells: plan::conflicting(options).cells(part, options), findings: conflicting })
    },
};

static ENSEMBLE: Part = Part {
    name: "ensemble",
    title: "Distribution over initializations",
    summary: "many networks that differ only in their initialization",
    introduction: "Networks from a few hundred seeds on the six points. Theory: f_{0} is a Gaussian process with the NNGP kernel S, training \
                   adds A (y − f_{0}(X)), so the trained outputs are Gaussian too (with a penalty to first order). Of several classes, what \
                   is judged are contrasts of the logits. Beside every network stands the limit of its own linearization, with its K_{0} and \
                   its f_{0}: the two differ by what training changes of the kernel, and the linearizations differ from the law by what K_{0} \
                   is off the NTK.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { seeds: false, ..Takes::GRID },
    plan: |part, options| {
        let findings = claims::of_ensembles;
        Box::new(Ensembles { ensembles: varieties::ensembles(part, options), findings, bias: true })
    },
};

static POSTERIOR: Part = Part {
    name: "posterior",
    title: "Ensembles that sample a posterior",
    summary: "networks started from draws of the prior T/(nΛ), with and without noise in the targets: the link to Bayesian inference",
    introduction: "An ensemble over initializations is no posterior: its f_{0} has the covariance S in place of T/(n Λ), T the NTK, and its targets \
                   have no noise. Here f_{0} is replaced by a draw of GP(0, T/(n Λ)), and targets are given noise with the covariance W, the \
                   Hessian of the loss. Theory: with both the trained outputs are spread like the Laplace posterior T/(n Λ) − A T/(n Λ), without \
                   the noise by A W^{−1} A^{T} less. Under cross-entropy to first order, so draws and noise are scaled by 1/10, and targets are \
                   soft to leave room for the noise; under squared error at any scale, and with f_{0} ~ GP(0, T) and noise of variance n Λ it is \
                   regression with a Gaussian process.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[NetworkKind::Fcn], seeds: false, ..Takes::GRID },
    plan: |part, options| {
        let findings = claims::of_samples_of_the_posterior;
        Box::new(Ensembles { ensembles: varieties::bayes(part, options), findings, bias: false })
    },
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
    takes: Takes { networks: &[NetworkKind::Fcn], n: true, ..Takes::GRID },
    plan: |part, options| Box::new(Runs { cells: plan::mnist_ten(options).cells(part, options), findings: images }),
};

static DIGITS: Part = Part {
    name: "calibration",
    title: "Predictive distributions on digits",
    summary: "log-likelihood and calibration on digits held out: networks, ensembles, posteriors",
    introduction: "How well do these distributions foretell the labels of images that no network was trained on? Networks of one hidden layer on \
                   64 digits, odd versus even, under cross-entropy and, from draws of the prior with noisy targets, under squared error.",
    scope: Scope::Full,
    images: &[Source::Mnist],
    takes: Takes { networks: &[NetworkKind::Fcn], widths: false, seeds: false, n: false, full: false },
    plan: |part, options| Box::new(digits::Digits::new(part, options)),
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
    for groups in groups.chunk_by(|a, b| a.net == b.net && a.init == b.init) {
        let plain = groups.iter().find(|group| group.regularization == Regularization::Plain);
        let beside = |group: &Group| Beside { group: group.clone(), plain: plain.cloned() };
        let all: Vec<Beside> = groups.iter().map(beside).collect();
        findings.claims.extend(claims(&all));
        findings.figures.extend(figures::of_network(&all));
    }
    findings
}

/// Ensembles by kind, narrow to wide.
struct Ensembles {
    ensembles: Vec<Kept<Ensemble>>,
    findings: fn(&OverWidths) -> Vec<Stated>,
    /// whether what networks are beyond their linearizations is drawn
    bias: bool,
}

impl Plan for Ensembles {
    fn jobs(&self) -> Vec<&dyn Job> {
        self.ensembles.iter().map(|ensemble| ensemble as &dyn Job).collect()
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let mut findings = Findings::default();
        let mut kinds: Vec<OverWidths> = Vec::new();
        for kept in &self.ensembles {
            let ensemble = &kept.measurement;
            let of_a_kind = kinds.last().and_then(|kind| kind.last()).filter(|last| last.ensemble.is_like(ensemble));
            // the law of infinite width is that of every width
            let laws = match of_a_kind {
                Some(last) => [last.law.clone(), last.doubled.clone()],
                None => [PredictedLaw::new(ensemble, 1)?, PredictedLaw::new(ensemble, 2)?],
            };
            if of_a_kind.is_none() {
                kinds.push(Vec::new());
            }
            let [law, doubled] = laws;
            let members = ensemble.members(&kept.read(study)?)?;
            let judged = JudgedEnsemble::new(ensemble.clone(), &members, law, doubled);
            kinds.last_mut().into_iter().for_each(|kind| kind.push(judged.clone()));
        }
        for kind in &kinds {
            findings.claims.extend((self.findings)(kind));
            // mirrored ones have no spread in the limit
            let spread = kind.last().filter(|widest| widest.ensemble.first.init == Init::Standard);
            findings.figures.extend(spread.into_iter().flat_map(figures_of_ensembles::of_ensemble));
        }
        if self.bias {
            findings.figures.extend(figures_of_ensembles::of_bias(&kinds));
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
f_{T} are the trained outputs, f*[K] is the closed-form solution under the kernel K. Of ensembles: S is the NNGP, T the NTK, W the Hessian of the \
sum of the losses, and A(x) = T(x, X) (T + n Λ W^{−1})^{−1}, or T(x, X) T^{−1} with soft targets, is what outputs take back of f_{0}(X); the law is that of \
the outputs of infinitely wide networks over initializations. sd is a standard deviation.";
