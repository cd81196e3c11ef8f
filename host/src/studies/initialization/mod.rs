//! "On the Impacts of the Random Initialization in the Neural Tangent Kernel Theory" (Chen, Li, Lin, NeurIPS 2024): a
//! network that starts from its random outputs f^GP has to unlearn them, and they are rough for its own kernel.
//!
//! | what | where |
//! | --- | --- |
//! | points, targets, f^GP | [`crate::analysis::points`] |
//! | eigenvalues and eigenfunctions of a kernel on n points, power laws | [`crate::analysis::spectrum`], on spheres [`decay`] |
//! | how smooth a function is for a kernel | [`crate::analysis::smoothness`], of labels [`labels`] |
//! | excess risk of the kernel's flow against n, from 0 and from f^GP | [`learning`] |
//! | the same of networks | [`replica`] |
//! | outputs of networks at random initialization | [`outputs`] |
//!
//! Squared error throughout; time t is that of the mean loss.

pub mod claims;
pub mod decay;
pub mod figures;
pub mod identity;
pub mod labels;
pub mod learning;
pub mod outputs;
pub mod parts;
pub mod plan;
pub mod replica;
pub mod tables;

use crate::data::Source;
use crate::experiment::NetworkKind;
use crate::study::options::Takes;
use crate::study::paper::{Paper, Part, Scope};
use crate::study::plan::Runs;
use parts::{KernelCurves, LabelSpectra, NetworkCurves, RandomNetworks, SphereSpectra};

/// The paper.
pub static PAPER: Paper = Paper {
    name: "initialization",
    summary: "random initialization slows down learning; mirrored initialization does not",
    lead: |_| LEAD.into(),
    citation: "Chen, Li, Lin, “On the Impacts of the Random Initialization in the Neural Tangent Kernel Theory”, NeurIPS 2024",
    link: "https://arxiv.org/abs/2410.05626",
    key: &["learning-d3-squared-sum"],
    caveat: "Verdicts refer to the measured sample sizes only; exponents are asymptotic in the number of samples.",
    claims: || Ok(Vec::new()),
    terms: |_| vec![TERMS.into()],
    parts: &[&OUTPUTS, &SPECTRA, &LEARNING, &REPLICA, &CLOSENESS, &CLOSENESS_SPHERE, &SMOOTHNESS],
};

static OUTPUTS: Part = Part {
    name: "outputs",
    title: "Random outputs",
    summary: "outputs of networks at random initialization compared with their Gaussian limit",
    introduction: "Outputs of many networks of one hidden layer at standard initialization on four points of S^{2}: the wider the networks, the \
                   closer their outputs are to a Gaussian process with the NNGP kernel as covariance.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[NetworkKind::Fcn], widths: true, seeds: false, n: false, full: true },
    plan: |_, options| Box::new(RandomNetworks(plan::outputs(options))),
};

static SPECTRA: Part = Part {
    name: "spectra",
    title: "Spectra on spheres",
    summary: "eigenvalues of the kernels on spheres, and the roughness of random outputs",
    introduction: "Uniform points on S^{d}. Theory: eigenvalues of the NTK decay like k^{−(d+1)/d} and those of the NNGP like k^{−(d+3)/d}, so tail \
                   sums of f^{GP} decay like k^{−3/d}, and its smoothness with respect to the NTK is 3/(d + 1).",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[], widths: false, seeds: false, n: false, full: true },
    plan: |_, options| Box::new(SphereSpectra(plan::decay(options))),
};

static LEARNING: Part = Part {
    name: "learning",
    title: "Learning curves of the kernel",
    summary: "excess risk of the kernel flow against the number of samples, starting from 0 and from random outputs",
    introduction: "Gradient flow under the NTK of one hidden layer without bias on noisy samples of f*, from f_{0} = 0 and from f_{0} = f^{GP}, \
                   stopped at the optimal time. The theorems speak of the risk given the points: its mean over the noise and over f^{GP} has a \
                   closed form in the eigenvectors of the kernel, so only the points are drawn. Theory on S^{d}: from f^{GP} the excess risk \
                   falls like n^{−3/(d+3)} at best, from 0 for a smooth f* at rates up to n^{−1}. The lower bound is on the limit, which the \
                   slopes of the octaves approach from below.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[], widths: false, seeds: true, n: false, full: true },
    plan: |_, options| Box::new(KernelCurves { curves: plan::learning(options), identity: plan::identity(options) }),
};

static REPLICA: Part = Part {
    name: "replica",
    title: "Learning curves of networks",
    summary: "excess risk of trained networks, mirrored and standard",
    introduction: "The network experiment of the paper's figure 1, f*(x) = (Σ_{j} x_{j})^{2}: mirrored and standard initialization on the \
                   same samples, stopped at the optimal epoch.",
    scope: Scope::Full,
    images: &[],
    takes: Takes { networks: &[NetworkKind::Fcn], widths: false, seeds: true, n: false, full: true },
    plan: |_, options| {
        // beside the kernel's where those are measured too
        let kernel = if options.parts.contains(&&LEARNING) { plan::learning(options) } else { Vec::new() };
        Box::new(NetworkCurves { networks: plan::replicas(options), kernel })
    },
};

static CLOSENESS: Part = Part {
    name: "closeness",
    title: "Distance of networks to the kernel flow",
    summary: "distance of wide networks to the kernel flow, at all times",
    introduction: "Under squared error a wide network follows the flow of the analytic NTK from its own f_{0} at all times. Six points on the \
                   circle with alternating labels, six held out between them.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[NetworkKind::Fcn], widths: true, seeds: true, n: false, full: true },
    plan: |part, options| Box::new(Runs { cells: plan::closeness(part, options), findings: parts::closeness }),
};

static CLOSENESS_SPHERE: Part = Part {
    name: "closeness-sphere",
    title: "Distance of networks to the kernel flow on random points",
    summary: "the same on data where no such width is wide",
    introduction: "The same on 32 random points of S^{2}, 32 more held out. Theory has the same limit of infinite width, but most eigenvalues of \
                   the kernel on these points are smaller than the spread of K_{0} at any of these widths, and the outputs of a network follow \
                   its own eigenvalues: the distance is expected not to fall yet.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[NetworkKind::Fcn], widths: true, seeds: true, n: false, full: false },
    plan: |part, options| Box::new(Runs { cells: plan::closeness_sphere(part, options), findings: parts::closeness }),
};

static SMOOTHNESS: Part = Part {
    name: "smoothness",
    title: "Smoothness of labels",
    summary: "smoothness of image labels with respect to the NTK",
    introduction: "The labels as functions on the samples, in the eigenfunctions of the NTK of one hidden layer. The paper reports 0.40 for MNIST, \
                   0.22 for Fashion-MNIST and 0.09 for CIFAR-10 with 3000 samples, but states neither how labels are coded nor how images are \
                   scaled. Its window, k < 0.9 n, ends where the tail sums of n samples bend down because no more are left, and it divides by \
                   (d + 1)/d, the decay on a domain of dimension d, which these samples do not fill: the table separates the two.",
    scope: Scope::Full,
    images: &[Source::Mnist, Source::FashionMnist, Source::Cifar10],
    takes: Takes { networks: &[], widths: false, seeds: false, n: true, full: false },
    plan: |_, options| Box::new(LabelSpectra(plan::labels(options))),
};

const LEAD: &str = "A network at the usual random initialization starts from outputs f^{GP} that are rough with respect to its own kernel, \
and gradient descent has to unlearn them; mirrored initialization starts from 0. Under squared error a wide network performs \
kernel regression starting from its f_{0}, so the cost can be measured on kernels alone.";

const TERMS: &str = "f^{GP} is a draw from the Gaussian process of the outputs of an infinitely wide network at random initialization; NNGP is \
its covariance, NTK the neural tangent kernel. λ_{k} are the eigenvalues of a kernel on n points divided by n, descending; c_{j} the \
coefficients of a function in its eigenfunctions. The smoothness α of a function is the exponent of its tail sums divided by that of the \
eigenvalues. The excess risk is the mean of (f(x) − f*(x))^{2} over test points; that of the kernel also over the noise and f^{GP}. Mirrored initialization is the difference of two equal \
copies over √2; both are trained.";
