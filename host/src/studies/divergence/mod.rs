//! The study "divergence": under cross-entropy the empirical NTK leaves the NTK as training goes on, at any finite
//! width; under squared error it does not (Yu, Tian, Chen 2025).

pub mod claims;
mod definition;
pub mod figures;
mod kinks;
mod lag;
mod losses;
mod parametrizations;
pub mod plan;
pub mod positivity;
mod published;
pub mod rates;
mod theorems;

use crate::data::Source;
use crate::experiment::Init;
use crate::report::number;
use crate::study::cell::Finished;
use crate::study::claim::{Stated, state_all};
use crate::study::group::Group;
use crate::study::net::{CE, MSE, Net};
use crate::study::options::Takes;
use crate::study::paper::{Paper, Part, Scope};
use crate::study::plan::{Findings, Runs};
use crate::words::count;
use claims::Pair;

/// The paper.
pub static PAPER: Paper = Paper {
    name: "divergence",
    summary: "under cross-entropy the kernel diverges from the NTK; under squared error it stays close",
    citation: "Yu, Tian, Chen, “Divergence of Empirical Neural Tangent Kernel in Classification Problems”, ICLR 2025",
    link: "https://arxiv.org/abs/2504.11130",
    lead,
    key: &["six-points-fcn2-mirrored-drift", "figures-1-3-logits"],
    caveat: "Verdicts refer to these runs only: to the margins and times reached, and are not evidence beyond that range.",
    claims: || Ok([positivity::on_six_points()?, definition::on_six_points()?].concat()),
    terms: |finished| [TERMS.to_owned()].into_iter().chain(data_text(finished)).collect(),
    parts: &[
        &SIX_POINTS,
        &theorems::PART,
        &positivity::PART,
        &EXPONENT,
        &kinks::PART,
        &lag::PART,
        &MNIST,
        &MNIST_LARGE,
        &MNIST_CLASSES,
        &SPHERE,
        &SEPARABLE,
        &MIXTURE,
        &theorems::DEPTHS,
        &theorems::SMOOTH,
        &losses::PART,
        &parametrizations::PART,
        &published::CIRCLE,
        &published::KERNELS,
        &published::DIGITS,
        &published::ERRATA,
    ],
};

static SIX_POINTS: Part = Part {
    name: "six-points",
    title: "Six points",
    summary: "three antipodal pairs on the circle with opposite labels",
    introduction: "Six points on the unit circle at angles i π/3 with labels 0, 1, 0, 1, 0, 1: three antipodal pairs with opposite \
                   labels. The label vector is an eigenvector of every dot-product kernel, so kernel theory has closed forms here: \
                   margin u with u + e^{u} − 1 = λ_{s} t/6, distance |θ_{t} − θ_{0}| = u √(6/λ_{s}).",
    scope: Scope::Quick,
    images: &[],
    takes: Takes::GRID,
    plan: |part, options| {
        Box::new(Runs { cells: plan::six_points(options).cells(part, options), findings: six_points })
    },
};

static EXPONENT: Part = Part {
    name: "exponent",
    title: "Rates of divergence",
    summary: "narrow networks of the paper on the six points, to margins of 10^4 (with --full 10^5): exponents of kernel and parameters",
    introduction: "Narrow networks as the paper defines them, with biases in every hidden layer or branch, on the six points, trained to \
                   times t beyond the range of floating-point numbers (simulated in log-time): the margin u grows like ln t. A network \
                   whose outputs are of degree M in its parameters must have K_{t} ~ u^{2 − 2/M} and |θ_{t}| ~ u^{1/M}.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes::GRID,
    plan: |part, options| Box::new(rates::plan::networks(part, options)),
};

static MNIST: Part = Part {
    name: "mnist",
    title: "MNIST, odd versus even digits",
    summary: "odd versus even handwritten digits",
    introduction: DIGITS,
    scope: Scope::Full,
    images: &[Source::Mnist],
    takes: Takes { n: true, ..Takes::GRID },
    plan: |part, options| Box::new(Runs { cells: plan::mnist(options).cells(part, options), findings: on_samples }),
};

static MNIST_LARGE: Part = Part {
    name: "mnist-large",
    title: "MNIST, odd versus even, 1024 digits",
    summary: "odd versus even handwritten digits, 1024 of them",
    introduction: DIGITS,
    scope: Scope::Full,
    images: &[Source::Mnist],
    takes: Takes { full: false, ..Takes::GRID },
    plan: |part, options| {
        Box::new(Runs { cells: plan::mnist_large(options).cells(part, options), findings: on_samples })
    },
};

static MNIST_CLASSES: Part = Part {
    name: "mnist-classes",
    title: "MNIST, ten classes",
    summary: "all ten handwritten digits, an output each: softmax without a penalty",
    introduction: "Handwritten digits of all ten classes, every image scaled to unit norm. An output for each class: cross-entropy is that \
                   of softmax, margins are the right output less the best wrong one, and kernels are the mean over outputs.",
    takes: Takes { full: false, ..Takes::GRID },
    plan: |part, options| {
        Box::new(Runs { cells: plan::mnist_classes(options).cells(part, options), findings: on_samples })
    },
    ..MNIST
};

static SPHERE: Part = Part {
    name: "sphere",
    title: "Points on the sphere",
    summary: "points on the sphere of R^3, labelled by the sign of x_1 x_2",
    introduction: "Points on the unit sphere of R^{3}; the label is the sign of x_{1} x_{2}.",
    scope: Scope::Full,
    images: &[],
    takes: Takes { full: false, ..Takes::GRID },
    plan: |part, options| Box::new(Runs { cells: plan::sphere().cells(part, options), findings: on_samples }),
};

static SEPARABLE: Part = Part {
    name: "separable",
    title: "Linearly separable clusters",
    summary: "two linearly separable clusters in 32 dimensions",
    introduction: "Two clusters in 32 dimensions, as many dimensions as samples: a linear function separates them.",
    scope: Scope::Full,
    images: &[],
    takes: Takes { full: false, ..Takes::GRID },
    plan: |part, options| Box::new(Runs { cells: plan::separable().cells(part, options), findings: on_samples }),
};

static MIXTURE: Part = Part {
    name: "mixture",
    title: "Overlapping clusters",
    summary: "two overlapping clusters in the plane: separable only by memorization",
    introduction: "Two overlapping clusters in the plane: separable only by memorization.",
    scope: Scope::Full,
    images: &[],
    takes: Takes { full: false, ..Takes::GRID },
    plan: |part, options| Box::new(Runs { cells: plan::mixture().cells(part, options), findings: on_samples }),
};

const DIGITS: &str = "Handwritten digits, odd versus even, every image scaled to unit norm.";

fn six_points(groups: &[Group]) -> Findings {
    Findings {
        sizes: sizes(groups),
        claims: groups.iter().flat_map(claims::on_six_points).chain(of_pairs(groups)).collect(),
        figures: groups.iter().flat_map(figures::on_six_points).collect(),
        ..Findings::default()
    }
}

/// Any other data set, of which the smallest eigenvalue of the NTK is not known beforehand.
fn on_samples(groups: &[Group]) -> Findings {
    // all initializations share the analytic kernel
    let of_kernels = groups.chunk_by(|a, b| a.net == b.net).filter_map(|same| same.first());
    let claims = of_kernels.flat_map(|group| state_all(positivity::ON_SAMPLES, group));
    let claims = claims.chain(groups.iter().flat_map(claims::along_training)).chain(of_pairs(groups)).collect();
    let figures = groups.iter().flat_map(figures::on_samples).collect();
    Findings { sizes: sizes(groups), claims, figures, ..Findings::default() }
}

/// Both initializations of a network together.
fn of_pairs(groups: &[Group]) -> Vec<Stated> {
    let of = |init: Init, net: Net| groups.iter().find(|group| group.init == init && group.net == net).cloned();
    let pair = |standard: &Group| {
        Some(Pair { mirrored: of(Init::Mirrored, standard.net)?, standard: of(Init::Standard, standard.net)? })
    };
    let pairs = groups.iter().filter(|group| group.init == Init::Standard).filter_map(pair);
    pairs.flat_map(|pair| state_all(claims::FROM_ONE_START, &pair)).collect()
}

fn sizes(groups: &[Group]) -> String {
    let Some(first) = groups.first() else { return String::new() };
    let samples = first.runs(CE).next().map_or(0, |run| run.finished.samples);
    // networks of one family differ in depth, and with it in the widths that are worth their time
    let alike = groups.chunk_by(|a, b| a.widths() == b.widths() && a.net == b.net);
    let mut of_nets: Vec<(Vec<usize>, Vec<String>)> = Vec::new();
    for group in alike.filter_map(|alike| alike.first()) {
        let (widths, title) = (group.widths(), group.net.title());
        match of_nets.iter_mut().find(|(known, _)| *known == widths) {
            Some((_, titles)) if titles.contains(&title) => {}
            Some((_, titles)) => titles.push(title),
            None => of_nets.push((widths, vec![title])),
        }
    }
    let widths = match &of_nets[..] {
        [(widths, _)] => format!("widths {widths:?}"),
        several => {
            let of = several.iter().map(|(widths, titles)| format!("{widths:?} ({})", titles.join("; ")));
            format!("widths {}", of.collect::<Vec<_>>().join(", "))
        }
    };
    format!("{}, {widths}, {}.", count(samples, "sample"), count(first.seeds().len(), "seed"))
}

fn lead(finished: &[Finished]) -> String {
    let evaluations: u64 = finished.iter().map(|f| f.evaluations).sum();
    let contrast = if finished.iter().any(|f| f.cell.loss == MSE) { "; under squared error both converge" } else { "" };
    // parts may measure kernels alone
    let measured = match finished.len() {
        0 => String::new(),
        runs => format!(
            " {} with a record ({} gradient evaluations) measure{} by how much.",
            count(runs, "run"),
            number(evaluations as f64),
            if runs == 1 { "s" } else { "" }
        ),
    };
    format!(
        "Under cross-entropy with hard labels the parameters of a network must grow without bound, and its empirical neural \
         tangent kernel K_{{t}} departs from its initial value{contrast}.{measured}"
    )
}

const TERMS: &str = "t is the time of gradient flow on the mean loss. K_{t} is the empirical neural tangent kernel of the \
training samples at time t, K_{0} that at initialization, Θ the analytic kernel of the infinitely wide network. Drift is the \
largest entry of |K_{t} − K_{0}|; relative drift is |K_{t} − K_{0}|_{F}/|K_{0}|_{F}. The margin of a sample is its logit times the \
sign of its label; u is the mean margin. m is the width, L the number of hidden layers or residual blocks, λ_{0} the smallest \
eigenvalue of Θ, λ_{s} that for the label vector. Mirrored initialization is the difference of two equal copies over √2; both are trained.";

/// Where the samples of runs come from, once for every data set.
fn data_text(finished: &[Finished]) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    for f in finished {
        let spec = &f.cell.run.settings.model.data;
        let line = format!("{}: {} samples of {spec}", f.cell.part.name, f.samples);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let data = lines.join("; ");
    (!data.is_empty())
        .then(|| format!("Data: {data}. Every run's settings and the checksum of its samples are in runs/*/run.toml."))
}
