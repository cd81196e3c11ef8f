//! What is so before the first step: checks of the program, and how near K_0 is to its limit.

use ntkscope_core::network::Bias;

use crate::analysis::statistics::{larger, median};
use crate::experiment::Init;
use crate::report::Kind;
use crate::study::claim::{Claim, Subject, Theory, UNEXPLAINED};
use crate::study::group::{Group, Run};
use crate::study::judge::Measured;
use crate::study::net::CE;

/// Rounding of outputs and kernels of some hundred units in f64, many times over.
const ROUNDING: f64 = 1e-11;

/// Every group.
pub static AT_THE_START: &[Claim<Group>] = &[
    Claim {
        name: "A0 mirrored networks start at 0",
        place: "definition of the mirrored initialization",
        kind: Kind::Check,
        about: Group::both_losses,
        measure: |group| group.over_all(CE, larger, |run| Some(run.rows().next()?.logit_max)),
        theory: |group| (group.init == Init::Mirrored).then(|| Theory::at_most(ROUNDING).said("0")),
        note: |_| "largest |f_{0}(x)| over the training samples of all runs".into(),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A0 the drift starts at 0",
        place: "definition of the drift",
        kind: Kind::Check,
        about: Group::both_losses,
        measure: |group| group.over_all(CE, larger, |run| Some(run.rows().next()?.drift_max)),
        theory: |_| Some(Theory::at_most(0.0).said("0")),
        note: |_| "largest max|K_{t} − K_{0}| at t = 0 over all runs".into(),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A0 the kernel accounts for the velocity of the outputs",
        place: "derived: Δf = −K_{eff} R, the test of the effective kernel",
        kind: Kind::Check,
        about: Group::cross_entropy,
        measure: |group| group.over_all(CE, larger, |run| median(run.rows().map(|row| row.velocity_error))),
        // a smooth activation needs no effective kernel, and has no velocity error
        theory: |group| {
            let kinked = |run: Run| run.finished.cell.run.settings.model.has_kink();
            group.runs(CE).any(kinked).then(|| Theory::at_most(VELOCITY_ERROR))
        },
        note: |_| "median over a run's snapshots of the velocity error |Δf + K R|/|Δf|, the largest of all runs".into(),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A0 K_{0} converges to the NTK like m^{−1/2}",
        place: "equation (3.3); the rate is the central limit theorem's",
        kind: Kind::Claim,
        about: Group::both_losses,
        measure: |group| group.exponents_in_width(CE, &group.widths(), |run| Some(run.rows().next()?.error_fro)),
        theory: |group| {
            // mirrored networks have the K_0 of single ones, and every part has one of both
            (group.init == Init::Mirrored || group.net.bias == Bias::Hidden)
                .then(|| Theory::number(-0.5).said("−1/2").within(0.15, "terms of order 1/m"))
        },
        note: |group| {
            format!(
                "slope of ln |K_{{0}} − Θ|_{{F}} against ln m over all widths; mean of √m |K_{{0}} − Θ|_{{F}}/|Θ|_{{F}}: {}",
                group.by_width(CE, |run| Some(run.rows().next()?.error_fro * (run.width as f64).sqrt()))
            )
        },
        failing: UNEXPLAINED,
    },
];

/// Share of the outputs' movement that an effective kernel may leave open: three times the 3 % of networks of width 32, which
/// change most within a burst, and half of what a kernel lacks without half of a layer.
const VELOCITY_ERROR: f64 = 0.1;

/// The runs of one network from mirrored and from standard initialization.
pub struct Pair {
    /// f_0 = 0
    pub mirrored: Group,
    /// as usual
    pub standard: Group,
}

/// Both initializations together.
pub static FROM_ONE_START: &[Claim<Pair>] = &[Claim {
    name: "A0 mirroring leaves K_{0} unchanged",
    place: "definition of the mirrored initialization",
    kind: Kind::Check,
    about: |pair| Subject { init: "both".into(), ..pair.mirrored.both_losses() },
    measure: |pair| {
        let apart = |run: &Run| {
            let other = pair.standard.run(CE, run.width, run.seed)?;
            let [here, there] = [run, &other].map(|run| run.rows().next().copied());
            let (here, there) = (here?, there?);
            let pairs = [(here.lambda_min, there.lambda_min), (here.error_max, there.error_max)];
            Some(pairs.into_iter().map(|(a, b)| (a - b).abs()).fold(0.0, larger) / there.lambda_max)
        };
        match pair.mirrored.seeds() == pair.standard.seeds() {
            true => pair.mirrored.over_all(CE, larger, apart),
            false => Measured::Nothing("the seeds differ".into()),
        }
    },
    theory: |_| Some(Theory::at_most(ROUNDING).said("0")),
    note: |_| {
        "largest difference in λ_{min}(K_{0}) and max|K_{0} − Θ| between the mirrored network and the single one with the same seed, \
         relative to λ_{max}"
            .into()
    },
    failing: UNEXPLAINED,
}];
