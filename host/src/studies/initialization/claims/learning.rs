//! C3, C6: learning curves of the kernel, from 0 and from random outputs.

use super::super::learning::Learning;
use super::{NO_RISK, differences, slope, subject};
use crate::analysis::curves::{Curves, Start, of_draws};
use crate::analysis::points::Target;
use crate::analysis::statistics::{Estimate, line};
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Stated, Subject, Theory, state_all};
use crate::study::judge::Measured;

/// A learning curve: one dimension and target, n ascending.
pub struct Learned {
    /// what was measured
    pub learning: Vec<Learning>,
    /// and found
    pub curves: Vec<Curves>,
    /// largest difference from proposition 4.1
    pub identity: f64,
}

impl Learned {
    /// n and mean logarithm of the smallest risk. `None` where a risk is 0: there is nothing to be learned.
    pub fn points(&self, start: Start) -> Option<Vec<(usize, Estimate)>> {
        let point = |(learning, curves): (&Learning, &Curves)| {
            Some((learning.n, Estimate::from_values(&curves.log_best(start)?)?))
        };
        self.learning.iter().zip(&self.curves).map(point).collect()
    }
    /// -3/(d + 3) on S^d.
    pub fn theory(&self) -> f64 {
        self.learning.first().map_or(f64::NAN, |learning| -3.0 / (learning.dimension as f64 + 2.0))
    }
    /// Something of the curve (ln n, ln risk at the best time) of every draw.
    fn of_draws(&self, start: Start, of: fn(&[(f64, f64)]) -> Option<f64>) -> Option<Vec<f64>> {
        of_draws(self.sizes().into_iter().zip(&self.curves), start, of)
    }
    fn subject(&self, init: &str) -> Subject {
        let network = self.learning.first().map_or_else(String::new, |first| {
            format!("NTK of an FCN, L = 1; S^{{{}}}, {}", first.dimension - 1, first.target.title())
        });
        subject(network, init)
    }
    fn sizes(&self) -> Vec<usize> {
        self.learning.iter().map(|learning| learning.n).collect()
    }
}

/// Slopes between neighbours, extrapolated along a line in 1/ln n to 0.
fn extrapolated(points: &[(f64, f64)]) -> Option<f64> {
    let local = points.windows(2).map(|w| (2.0 / (w[0].0 + w[1].0), (w[1].1 - w[0].1) / (w[1].0 - w[0].0)));
    Some(line(&local.collect::<Vec<_>>())?.1)
}

/// All learning curves together.
static IDENTITY: &[Claim<Vec<Learned>>] = &[Claim {
    name: "C3 starting from f_{0} is equivalent to learning f* − f_{0}",
    place: "Proposition 4.1",
    kind: Kind::Check,
    about: |_| subject("NTK of an FCN, L = 1; spheres", "standard"),
    measure: |all| {
        Measured::extreme(all.iter().map(|learned| learned.identity).reduce(f64::max), "there are no curves")
    },
    theory: |all| (!all.is_empty()).then(|| Theory::at_most(1e-12).said("0")),
    note: |all| {
        let curves = || all.iter().flat_map(|learned| &learned.curves);
        let draws = curves().map(|curves| curves.random.len()).sum::<usize>();
        let times = curves().next().map_or(0, |curves| curves.at.len());
        format!(
            "largest difference of the excess risks from f^{{GP}} with target f* and from 0 with target f* − f^{{GP}}, relative to the risk before \
             training, {draws} draws at {times} times each"
        )
    },
    failing: "",
}];

/// C3 for all learning curves together.
pub fn identity(all: &Vec<Learned>) -> Vec<Stated> {
    state_all(IDENTITY, all)
}

/// C6: how fast the risk falls with n.
static LEARNING: &[Claim<Learned>] = &[
    Claim {
        name: "C6 rate of learning from f^{GP}",
        place: "Theorem 4.4: no faster than n^{−3/(d+3)}",
        kind: Kind::Claim,
        about: |learned| learned.subject("standard"),
        measure: |learned| {
            learned.of_draws(Start::Random, slope).map_or(Measured::Nothing(NO_RISK.into()), Measured::Values)
        },
        theory: |learned| {
            let reason = "finite n; the bound is on the exponent in the limit";
            Some(
                Theory::between(learned.theory(), 0.0)
                    .said(format!("≥ {}", number(learned.theory())))
                    .within(0.1, reason),
            )
        },
        note: |learned| {
            let ends: usize = learned.curves.iter().map(|curves| curves.at_an_end(Start::Random)).sum();
            format!(
                "slope of ln risk at the optimal stopping time against ln n, n = {:?}, one value per draw; the optimal time lies at the edge of the grid in {ends} cases",
                learned.sizes()
            )
        },
        failing: "",
    },
    Claim {
        name: "C6 rate of learning from f^{GP}, extrapolated",
        place: "Theorems 4.3 and 4.4: n^{−3/(d+3)} in the limit",
        kind: Kind::Claim,
        about: |learned| learned.subject("standard"),
        measure: |learned| {
            learned.of_draws(Start::Random, extrapolated).map_or(Measured::Nothing(NO_RISK.into()), Measured::Values)
        },
        theory: |learned| Some(Theory::number(learned.theory()).within(0.1, "the next order of the extrapolation")),
        note: |learned| {
            format!(
                "local slopes between successive n = {:?}, extrapolated linearly in 1/ln n to 0, one value per draw",
                learned.sizes()
            )
        },
        failing: "",
    },
    Claim {
        name: "C6 learning is faster without f^{GP}",
        place: "sections 4 and 5.1: what f^{GP} costs",
        kind: Kind::Claim,
        about: |learned| learned.subject("both"),
        measure: |learned| {
            let [zero, random] = [Start::Zero, Start::Random].map(|start| learned.of_draws(start, slope));
            differences(zero, random)
        },
        theory: |learned| {
            let has_target = learned.learning.first().is_some_and(|first| first.target != Target::Zero);
            has_target.then(|| Theory::at_most(0.0).said("< 0"))
        },
        note: |learned| {
            let mean = |start| {
                let slopes = learned.of_draws(start, slope).and_then(|slopes| Estimate::from_values(&slopes));
                slopes.map_or("none".into(), |mean| number(mean.value))
            };
            format!(
                "slope from 0, {}, minus that from f^{{GP}}, {}, same draws",
                mean(Start::Zero),
                mean(Start::Random)
            )
        },
        failing: "",
    },
];

/// C6 for one learning curve.
pub fn learning(learned: &Learned) -> Vec<Stated> {
    match learned.learning.len() {
        0 => Vec::new(),
        _ => state_all(LEARNING, learned),
    }
}
