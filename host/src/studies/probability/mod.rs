//! A problem that is open in public: what a network trained on a line does off it, as a probability over initializations.
//!
//! Levine's "Math for AI Safety" asks for a table of the probability that a network of one hidden layer of ReLU, trained with
//! cross-entropy on a few points of a line that all have the same label, gives a positive logit at a probe off the line
//! (problems O82, O86, O90 and O91), and whether it is that of the Gaussian process given the labels, or goes to 1.
//!
//! | what | where |
//! | --- | --- |
//! | points, probe, parametrizations | [`mod@line`] |
//! | networks, each beside its own linearization | [`networks`] |
//! | the fixed NTK from draws of the Gaussian process, and the process given the labels | [`limits`], [`flow`] |
//! | orthant probabilities in closed form, binomial intervals | [`crate::analysis::orthant`], [`crate::analysis::binomial`] |
//!
//! Cross-entropy throughout; time t is that of the mean loss and of the parametrization.

pub mod claims;
pub mod figures;
pub mod flow;
pub mod limits;
pub mod line;
pub mod networks;
pub mod plan;
pub mod table;
pub mod verdicts;

use crate::experiment::NetworkKind;
use crate::study::options::Takes;
use crate::study::paper::{Paper, Part, Scope};

/// The problem, as a paper.
pub static PAPER: Paper = Paper {
    name: "probability",
    summary: "how often networks trained on a line give a positive logit off it",
    lead: |_| LEAD.into(),
    citation: "Levine, “Math for AI Safety”, agenda A8 and open problems O82, O83, O86, O90, O91, 2026",
    link: "https://github.com/lionellevine/MAIS",
    key: &["probability-time"],
    caveat: "Verdicts refer to these points, this probe and gradient flow; the problems are stated for gradient descent with a fixed step, \
             whose limit for small steps it is.",
    claims: || Ok(Vec::new()),
    terms: |_| vec![TERMS.into()],
    parts: &[&COIN_LINE],
};

static COIN_LINE: Part = Part {
    name: "coin-line",
    title: "The coin line",
    summary: "thousands of small networks, the fixed NTK and the Gaussian process on points of a line",
    introduction: "Points (1, p, L), p = 0, …, L − 1, all of class 1; the probe is (1, ⌈L/2⌉, 0), for four points (1, 2, 0). Networks of one hidden \
                   layer of ReLU without biases, trained by gradient flow of the mean loss. Width, number of points, scale and parametrization \
                   are varied one at a time about the NTK parametrization m^{−1/2} Σ v_{j} relu(w_{j} · x) with four points and all initial \
                   weights N(0, 1). The problem is stated for gradient descent with a fixed step; \
                   the flow is its limit for small steps.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[NetworkKind::Fcn], widths: true, seeds: true, n: false, full: true },
    plan: |_, options| Box::new(plan::grid(options)),
};

const LEAD: &str = "Networks are trained on points of a line that all have the same label, so that every rule which is positive there fits \
them, and are asked for the sign of their logit off the line. Two theories give the probability over initializations: the infinitely wide \
network under its fixed NTK, whose logit at the probe grows without bound, so that the probability goes to 1; and the Gaussian process of \
its random outputs given the labels, whose probability is a number below 1.";

const TERMS: &str = "The *probe* is the point off the line. A *verdict* is whether the logit there is positive. m is the width, L the number of \
points, σ the standard deviation of the initial weights over that of the parametrization. *Linearized*: the network's own kernel K_{0}, from \
its own outputs. *Fixed NTK*: the mean of K_{0}, its limit for infinite width where it has one, from draws f_{0} of the Gaussian process with \
the covariance NNGP. *Gaussian process*: the probability of a positive value at the probe among draws that have every label right, Q(L). \
*NTK*: m^{−1/2} Σ v relu(w · x), all weights N(0, σ^{2}); with the factor √(2/m) it is the network of the other studies. *Standard*: Σ a relu(u · \
x), all weights N(0, σ^{2}); with variance 1/fan-in, a ~ N(0, σ^{2}/m).";
