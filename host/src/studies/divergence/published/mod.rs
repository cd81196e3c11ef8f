//! The paper as published: its figures at the settings that it states, the values read off them beside ours over seeds, and
//! what is wrong in its formulas.
//!
//! The paper's text defines networks with a bias in every hidden layer and the sum of the losses ((2.1) to (2.3)); its figures
//! do not say which network, loss or seed they show. Both networks and both losses are tried, and the verdicts tell which of
//! them the figures fit. Values were read off the images, calibrated on their grid lines.

mod circle;
mod circle_claims;
mod circle_figures;
mod digits;
mod digits_figures;
mod errata;
mod initial;
mod profiles;
mod reading;

use crate::data::Source;
use crate::experiment::NetworkKind;
use crate::study::cell::{Cell, Finished};
use crate::study::net::Net;
use crate::study::options::Takes;
use crate::study::paper::{Part, Scope};
use ntkscope_core::network::Bias;

/// The network that figures 2 and 3 show, and the one that the text defines.
const NETWORKS: [Net; 2] = [Net::fcn(3).with_bias(Bias::None), Net::fcn(3).with_bias(Bias::Hidden)];

/// What all these parts take: the settings are the paper's.
const FIXED: Takes = Takes { networks: &[NetworkKind::Fcn], widths: false, seeds: true, n: false, full: true };

/// Figures 1 and 3.
pub(super) static CIRCLE: Part = Part {
    name: "figures-1-3",
    title: "Figures 1 and 3 as published: six points, width 2000",
    summary: "the paper's figures 1 and 3 at its settings: three hidden layers of width 2000 on the six points",
    introduction: "Stated: three hidden layers of width 2000, six points on the circle with labels 0 and 1 in turn, learning rate 0.1, 10,000 \
                   epochs (figure 3: 200,000). Not stated: biases, seeds, whether the loss is the sum or the mean. Epoch k is the time \
                   t = 0.1 k of gradient flow on the mean loss if descent was on the mean, and t = 0.6 k if it was on the sum. The flow \
                   stands in for descent, which is run from the first seed beside it, to epoch 10,000 and with --full on the sum to \
                   200,000; kernels are those of a point, as the paper has them. Figure 1 shows that outputs grow like ln t. It cannot show that the kernel moves: kernel logistic regression with \
                   the fixed NTK gives the same curve to a few per cent for the network without biases, and one ahead by about a tenth for the network with hidden biases. Figure 3 shows that the kernel moves, most at the training points. It cannot show \
                   that it diverges, with two times, one width and one seed.",
    scope: Scope::AsPublished,
    images: &[],
    takes: FIXED,
    plan: |part, options| Box::new(circle::Circle::new(part, options)),
};

/// Figure 2.
pub(super) static KERNELS: Part = Part {
    name: "figure-2",
    title: "Figure 2 as published: the kernel at initialization",
    summary: "the paper's figure 2: the kernel at initialization along the circle at widths 200, 1000 and 2000",
    introduction: "K_{0}((1, 0), x) at points x of the circle, three hidden layers of widths 200, 1000 and 2000. The figure has one seed for each \
                   width, so it can show that the kernel converges, by eye, but not how fast.",
    scope: Scope::AsPublished,
    images: &[],
    takes: FIXED,
    plan: |_, options| Box::new(profiles::Profiles::new(options)),
};

/// Figure 4.
pub(super) static DIGITS: Part = Part {
    name: "figure-4",
    title: "Figure 4 as published: digits, descent above and below the stable rate",
    summary: "the paper's figure 4: odd versus even digits by descent at rate 0.5, and at a stable rate",
    introduction: "Stated: odd versus even digits of MNIST, four layers of width 500, learning rate 0.5, 100,000 epochs of which the first 10 are \
                   left out, three values. Not stated: the number of images and their scale, biases, seed, the three values. Ours: the first 128 \
                   images, pixels from 0 to 1, the mean loss, three hidden layers, and K_{t}(x, x) of three images whose kernels are nearest to \
                   the values read off. The stability reading is the learning rate times the sharpness over 2; below 1 descent is stable \
                   to first order near its path, and may overshoot all the same where outputs are large. At rate 0.5 descent overshoots within the first epochs, which the figure leaves out, and K_{t}(x, x) falls. The quick study ends at epoch \
                   1,500, --full at the figure's last, 100,000, and at 10,000 with the stable rate 0.05. The first table tells whether the rise that the figure shows is a \
                   way back to K_{0} (last column below 1), and whether it is as large at the stable rate at the same time t = rate × epoch, where \
                   nothing has overshot: then it is the growth of a kernel whose network trains on. The figure shows that the kernel of \
                   descent is not constant; with one run of one network it cannot show that it diverges.",
    scope: Scope::AsPublished,
    images: &[Source::Mnist],
    takes: FIXED,
    plan: |part, options| Box::new(digits::Digits::new(part, options)),
};

/// What is wrong in the formulas.
pub(super) static ERRATA: Part = Part {
    name: "errata",
    title: "Errata",
    summary: "the paper's kernels as printed, beside those of the networks that it defines",
    introduction: "(3.6) has the bias inside the factor 2, 2 (E[σ σ] + 1), where biases of variance 1 need 2 E[σ σ] + 1; and (3.7) takes one Θ too \
                   far, which adds a bias at the output, where (2.1) has none. In (3.9) and (3.10) the bias terms stand inside r^{(L)} on \
                   normalized inputs and are multiplied by |x̃| |x̃′|, x̃ = (x, 1); they belong there once, without that factor, and the two are equal \
                   only where |x̃| |x̃′| = 1. So the empirical kernel does not converge to the printed one, (3.3) is false as written, and \
                   Theorem 2 would hold trivially; with the kernels of the networks, which are used throughout this study, both stand. \
                   Strict positive definiteness (Proposition 1) is true of either. λ_{0} on the six points, and with it the constants of Theorem 2, differ by what the table has: \
                   nothing for a bias at the output, up to 4 % for the printed fully connected kernels, 16 to 17 % for the residual ones. Smaller, without effect on any statement: (5.4) lacks the minus \
                   sign that (C.22) has; (C.5) and (C.7) print x for x′; Lemma 5 asks for L ≥ 2 where Lemma 6 gives L ≥ 1; section 6.2 says “like \
                   in Figure 4” of figures 2 and 3.",
    scope: Scope::AsPublished,
    images: &[],
    takes: Takes { networks: &[NetworkKind::Fcn, NetworkKind::Resnet], ..FIXED },
    plan: |_, options| Box::new(errata::Errata::new(options)),
};

/// The runs of some cells that did not fail, and how many did: nothing is to be concluded from those.
fn ended(finished: &[Finished], of: impl Fn(&Cell) -> bool) -> (Vec<Finished>, usize) {
    let runs = finished.iter().filter(|run| of(&run.cell)).cloned();
    let (ended, failed): (Vec<_>, Vec<_>) = runs.partition(|run| run.failure.is_none());
    (ended, failed.len())
}
