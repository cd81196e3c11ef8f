//! C3, C6: learning curves of the kernel, from 0 and from random outputs.

use super::super::identity::Identity;
use super::super::learning::Learning;
use super::{DRAWS, NO_RISK, differences, slope, subject};
use crate::analysis::curves::{Curves, Start, local_slopes, of_draws, slope_in_the_limit};
use crate::analysis::points::Target;
use crate::analysis::statistics::{Estimate, larger, smaller};
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Failing, Stated, Subject, Theory, UNEXPLAINED, state_all};
use crate::study::judge::Measured;

/// A learning curve: one dimension and target, n ascending.
pub struct Learned {
    /// what was measured
    pub learning: Vec<Learning>,
    /// what was to be learned
    pub target: Target,
    /// and found
    pub curves: Vec<Curves>,
}

/// When training ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stopping {
    /// where the risk is smallest: the oracle
    Best,
    /// at the time n^c for this c, whatever the risk
    Power(f64),
    /// at the time C n^c, where C makes it the oracle's at the first n, by the mean of ln t over the draws there
    PowerFromFirst(f64),
}

impl Stopping {
    /// The schedule in words, with its exponent: `n^{0.5}`, `C n^{0.5}`.
    pub fn schedule(self) -> String {
        match self {
            Self::Best => "the oracle's".into(),
            Self::Power(c) => format!("n^{{{}}}", number((1e3 * c).round() / 1e3)),
            Self::PowerFromFirst(c) => format!("C n^{{{}}}", number((1e3 * c).round() / 1e3)),
        }
    }
}

/// Exponents of the schedules, in units of that of theorem 4.3.
pub const SCHEDULES: [f64; 3] = [0.5, 1.0, 1.5];

/// What an extrapolation may move a slope by, times the small parameter at the first octave, which is the size of its next order:
/// beyond, the limit is out of reach at these n. It is the allowance of the claims about limits.
const NEXT_ORDER: f64 = 0.1;

impl Learned {
    /// n and mean logarithm of the smallest risk. `None` where a risk is 0: there is nothing to be learned.
    pub fn points(&self, start: Start) -> Option<Vec<(usize, Estimate)>> {
        let point = |(learning, curves): (&Learning, &Curves)| {
            Some((learning.n, Estimate::from_values(&curves.log_best(start)?)?))
        };
        self.learning.iter().zip(&self.curves).map(point).collect()
    }
    /// d of the sphere S^d.
    pub fn sphere(&self) -> usize {
        self.learning.first().map_or(0, |learning| learning.dimension - 1)
    }
    /// -3/(d + 3), the exponent of theorems 4.3 and 4.4.
    pub fn theory(&self) -> f64 {
        -3.0 / (self.sphere() as f64 + 3.0)
    }
    /// (d + 1)/(d + 3), the exponent in n of the time that theorem 4.3 stops at.
    pub fn time_exponent(&self) -> f64 {
        (self.sphere() as f64 + 1.0) / (self.sphere() as f64 + 3.0)
    }
    /// n^(-s), s = min(2, d)/(d + 3): how the leading correction of the exponent vanishes. At the best time the degrees of
    /// spherical harmonics up to about n^(1/(d + 3)) are learned, and eigenvalues and their multiplicities are a power of the
    /// degree times a series in the inverse of its square; f* itself is learned by n^(-d/(d + 3)) faster than f^GP.
    pub fn small(&self) -> impl Fn(f64) -> f64 + use<> {
        let d = self.sphere() as f64;
        move |log_n| (-d.min(2.0) / (d + 3.0) * log_n).exp()
    }
    /// Something of the curve (ln n, ln risk) of every draw.
    pub fn of_draws(
        &self,
        start: Start,
        stopping: Stopping,
        of: impl Fn(&[(f64, f64)]) -> Option<f64>,
    ) -> Option<Vec<f64>> {
        let first = || {
            let times = Estimate::from_values(&self.curves.first()?.log_best_time(start)?)?;
            Some((times.value, (*self.sizes().first()? as f64).ln()))
        };
        let logs = |(n, curves): (usize, &Curves)| {
            let log_n = (n as f64).ln();
            let log_time = match stopping {
                Stopping::Best => return (n, curves.log_best(start)),
                Stopping::Power(c) => Some(c * log_n),
                Stopping::PowerFromFirst(c) => first().map(|(log_time, log_first)| log_time + c * (log_n - log_first)),
            };
            (n, log_time.and_then(|log_time| curves.log_at(start, log_time.exp())))
        };
        of_draws(self.sizes().into_iter().zip(&self.curves).map(logs), of)
    }
    /// The slope of ln risk over the last octave of every draw.
    pub fn last_slopes(&self, start: Start, stopping: Stopping) -> Option<Vec<f64>> {
        self.of_draws(start, stopping, |points| Some(local_slopes(points).last()?.1))
    }
    /// The slope in the limit of every draw, by [`Self::small`].
    pub fn limits(&self, start: Start, stopping: Stopping) -> Option<Vec<f64>> {
        self.of_draws(start, stopping, |points| slope_in_the_limit(points, self.small()))
    }
    /// The same where it is within reach.
    fn limits_within_reach(&self, start: Start, stopping: Stopping) -> Measured {
        let found = self.limits(start, stopping).zip(self.last_slopes(start, stopping));
        let Some((limits, last)) = found else {
            return Measured::Nothing("fewer than three n, a risk of 0, or a time beyond the grid".into());
        };
        let mean = |values: &[f64]| Estimate::from_values(values).map_or(f64::NAN, |mean| mean.value);
        let moved = mean(&limits) - mean(&last);
        let first = self.sizes().first().map_or(f64::NAN, |n| self.small()((*n as f64 * 2f64.sqrt()).ln()));
        if (moved * first).abs() <= NEXT_ORDER {
            return Measured::sample(limits, DRAWS);
        }
        Measured::Nothing(format!(
            "out of reach at these n: the extrapolation moves the slope of the last octave, {}, by {}, and its next order may be {} of that, more \
             than the allowance",
            number(mean(&last)),
            number(moved),
            number(first)
        ))
    }
    /// The sizes n.
    pub fn sizes(&self) -> Vec<usize> {
        self.learning.iter().map(|learning| learning.n).collect()
    }
    /// The last two of them, in words.
    fn last_octave(&self) -> String {
        match self.sizes()[..] {
            [.., from, to] => format!("n = {from} to {to}"),
            _ => "one n".into(),
        }
    }
    fn subject(&self, init: &str) -> Subject {
        subject(format!("NTK of an FCN, L = 1; S^{{{}}}, {}", self.sphere(), self.target.title()), init)
    }
    fn draws(&self) -> String {
        "one value per draw of the points, each the mean over noise and f^{GP} in closed form".into()
    }
    fn limit_note(&self, what: &str) -> String {
        let d = self.sphere() as f64;
        format!(
            "local slopes of ln risk {what} between successive n = {:?}, extrapolated along a line in n^{{−s}}, s = min(2, d)/(d + 3) = {}; {}",
            self.sizes(),
            number(d.min(2.0) / (d + 3.0)),
            self.draws()
        )
    }
}

/// The starts compared draw by draw.
pub struct Compared {
    /// what was measured
    pub identity: Identity,
    /// largest difference from proposition 4.1, of every draw
    pub differences: Vec<f64>,
}

static IDENTITY: &[Claim<Compared>] = &[Claim {
    name: "C3 starting from f_{0} is equivalent to learning f* − f_{0}",
    place: "Proposition 4.1",
    kind: Kind::Check,
    about: |compared| subject(format!("NTK of an FCN, L = 1; S^{{{}}}", compared.identity.dimension - 1), "standard"),
    measure: |compared| Measured::extreme(compared.differences.iter().copied().reduce(larger), "there are no draws"),
    theory: |_| Some(Theory::at_most(1e-12).said("0")),
    note: |compared| {
        format!(
            "largest difference of the excess risks from f^{{GP}} with target f* and from 0 with target f* − f^{{GP}} along training, relative to the \
             risk before training; {} draws of points, noise and f^{{GP}}, n = {}",
            compared.differences.len(),
            compared.identity.n
        )
    },
    failing: UNEXPLAINED,
}];

/// C3.
pub fn identity(compared: &Compared) -> Vec<Stated> {
    state_all(IDENTITY, compared)
}

const LIMIT: &str = "the next order of the extrapolation; where that may be larger, the limit counts as out of reach";
const CURVED: &str = "the slopes of the octaves bend more than a line in n^{−s}, so that their extrapolation overshoots by more than its next order was \
                      taken for; they themselves lie below theory's and rise towards it";
const EARLY: &str = "at these n part of the risk is still f* or low degrees, which are learned faster than the limit's rate; a bound on the limit is \
                     not contradicted";

/// C6: how fast the risk falls with n.
static LEARNING: &[Claim<Learned>] = &[
    Claim {
        name: "C6 from f^{GP} no faster than the lower bound, in the limit",
        place: "Theorem 4.4: no faster than n^{−3/(d+3)}",
        kind: Kind::Claim,
        about: |learned| learned.subject("standard"),
        measure: |learned| learned.limits_within_reach(Start::Random, Stopping::Best),
        theory: |learned| Some(Theory::at_least(learned.theory()).within(NEXT_ORDER, LIMIT)),
        note: |learned| learned.limit_note("at the optimal stopping time"),
        failing: UNEXPLAINED,
    },
    Claim {
        name: "C6 from f^{GP} no slower than the upper bound, in the limit",
        place: "Theorem 4.3: no slower than n^{−3/(d+3)+ε}",
        kind: Kind::Claim,
        about: |learned| learned.subject("standard"),
        measure: |learned| learned.limits_within_reach(Start::Random, Stopping::Best),
        theory: |learned| Some(Theory::at_most(learned.theory()).within(NEXT_ORDER, LIMIT)),
        note: |learned| learned.limit_note("at the optimal stopping time"),
        failing: Failing { above: CURVED, ..UNEXPLAINED },
    },
    Claim {
        name: "C6 risk × n^{3/(d+3)} no longer falls at the largest n",
        place: "Theorem 4.4: level or rising in the limit",
        kind: Kind::Claim,
        about: |learned| learned.subject("standard"),
        // the theorem speaks of the limit: the last octave says something of it only where that is within reach
        measure: |learned| match learned.limits_within_reach(Start::Random, Stopping::Best) {
            Measured::Sample(_) => match learned.last_slopes(Start::Random, Stopping::Best) {
                Some(slopes) => Measured::sample(slopes.iter().map(|slope| slope - learned.theory()).collect(), DRAWS),
                None => Measured::Nothing(NO_RISK.into()),
            },
            out_of_reach => out_of_reach,
        },
        theory: |_| Some(Theory::at_least(0.0).within(0.05, "3.5 % in an octave, which counts as level")),
        note: |learned| {
            let ends: usize = learned.curves.iter().map(|curves| curves.at_an_end(Start::Random)).sum();
            format!(
                "slope of ln(risk n^{{3/(d+3)}}) against ln n, {}, at the optimal stopping time, which lies at the edge of the grid in {ends} cases; {}",
                learned.last_octave(),
                learned.draws()
            )
        },
        failing: Failing { below: EARLY, ..UNEXPLAINED },
    },
    Claim {
        name: "C6 from f^{GP}, stopped at a fixed t = C n^{(d+1)/(d+3)}, in the limit",
        place: "Theorems 4.3 and 4.4: n^{−3/(d+3)} at the time that the upper bound is proved for",
        kind: Kind::Claim,
        about: |learned| learned.subject("standard"),
        measure: |learned| {
            learned.limits_within_reach(Start::Random, Stopping::PowerFromFirst(learned.time_exponent()))
        },
        theory: |learned| Some(Theory::number(learned.theory()).within(NEXT_ORDER, LIMIT)),
        note: |learned| {
            let schedule = Stopping::PowerFromFirst(learned.time_exponent()).schedule();
            learned.limit_note(&format!("at t = {schedule}, with the C that makes it the oracle's at the first n,"))
        },
        failing: Failing { above: CURVED, ..UNEXPLAINED },
    },
    Claim {
        name: "C6 no fixed schedule beats the oracle",
        place: "derived: the oracle's risk is the smallest along training",
        kind: Kind::Check,
        about: |learned| learned.subject("standard"),
        measure: |learned| {
            let c = learned.time_exponent();
            let schedules =
                SCHEDULES.iter().flat_map(|share| [Stopping::Power(share * c), Stopping::PowerFromFirst(share * c)]);
            let logs = |stopping| learned.of_draws(Start::Random, stopping, |points| Some(points.last()?.1));
            let Some(best) = logs(Stopping::Best) else { return Measured::Nothing(NO_RISK.into()) };
            let over = schedules
                .filter_map(logs)
                .flat_map(|logs| logs.into_iter().zip(&best).map(|(at, best)| at - best).collect::<Vec<_>>());
            Measured::extreme(over.reduce(smaller), "every schedule leaves the grid of times")
        },
        theory: |_| Some(Theory::at_least(0.0)),
        note: |learned| {
            format!(
                "smallest ln risk less the oracle's at n = {}, over schedules and draws",
                learned.sizes().last().map_or(0, |n| *n)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "C6 learning is faster without f^{GP}",
        place: "sections 4 and 5.1: what f^{GP} costs",
        kind: Kind::Claim,
        about: |learned| learned.subject("both"),
        measure: |learned| {
            let [zero, random] =
                [Start::Zero, Start::Random].map(|start| learned.of_draws(start, Stopping::Best, slope));
            differences(zero, random)
        },
        theory: |learned| (learned.target != Target::Zero).then(|| Theory::below(0.0)),
        note: |learned| {
            let mean = |start| {
                let slopes = learned.of_draws(start, Stopping::Best, slope);
                slopes
                    .and_then(|slopes| Estimate::from_values(&slopes))
                    .map_or("none".into(), |mean| number(mean.value))
            };
            format!(
                "slope of ln risk at the optimal stopping time against ln n, n = {:?}, from 0, {}, minus that from f^{{GP}}, {}; {}",
                learned.sizes(),
                mean(Start::Zero),
                mean(Start::Random),
                learned.draws()
            )
        },
        failing: UNEXPLAINED,
    },
];

/// C6 for one learning curve.
pub fn learning(learned: &Learned) -> Vec<Stated> {
    match learned.learning.len() {
        0 => Vec::new(),
        _ => state_all(LEARNING, learned),
    }
}
