//! What is claimed of the probabilities.

use super::limits::{Posterior, PosteriorFound};
use super::line::{Line, Parametrization, TIMES};
use super::plan::{CENTRE, Cell, Found};
use super::table::{time_title, with_interval};
use crate::analysis::binomial::Share;
use crate::analysis::statistics::{jackknife, line as fitted};
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Failing, Stated, Subject, Theory, UNEXPLAINED, state_all};
use crate::study::judge::Measured;

/// Times among those of the verdicts: 10^2, 10^4 and the last.
const EARLY: usize = 2;
const MIDDLE: usize = 4;
const LAST: usize = TIMES.len();

fn subject(cell: &Cell) -> Subject {
    let network = format!("{}; m = {}", cell.networks.line.title(), cell.networks.width);
    Subject { network, loss: "cross-entropy".into(), ..Subject::default() }
}

fn about_line(line: Line) -> Subject {
    Subject { network: line.title(), loss: "cross-entropy".into(), ..Subject::default() }
}

/// What a verdict is of.
const NETWORKS: &str = "networks";

/// What no network can do.
static CHECKS: &[Claim<Cell>] = &[
    Claim {
        name: "P1 no verdict is taken back",
        place: "derived: labels are equal and x · x* > 0, so the flow never lowers the logit of the probe",
        kind: Kind::Check,
        about: subject,
        measure: |cell| {
            let all = [&cell.found.network, &cell.found.linearized, &cell.fixed];
            Measured::Exact(all.iter().map(|verdicts| verdicts.reversals()).sum::<usize>() as f64)
        },
        theory: |_| Some(Theory::number(0.0)),
        note: |cell| {
            format!(
                "positive logits that are not positive at the next of {} times: of networks {}, of their linearizations {}, under the fixed NTK {}",
                TIMES.len(),
                cell.found.network.reversals(),
                cell.found.linearized.reversals(),
                cell.fixed.reversals()
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "P2 probability at initialization",
        place: "derived: output weights are symmetric, and no unit is active at the probe with probability 2^{−m}",
        kind: Kind::Check,
        about: subject,
        measure: |cell| Measured::Exact(cell.found.network.share(0).errors_above(at_start(cell)).abs()),
        theory: |_| Some(Theory::at_most(4.0)),
        note: |cell| {
            format!(
                "distance from (1 − 2^{{−m}})/2 = {} in standard errors; measured {}; only chance (1 in 16,000) or an error of the program \
                 exceeds 4",
                number(at_start(cell)),
                with_interval(cell.found.network.share(0))
            )
        },
        failing: UNEXPLAINED,
    },
];

/// (1 - 2^-m)/2
fn at_start(cell: &Cell) -> f64 {
    0.5 * (1.0 - 0.5f64.powf(cell.networks.width as f64))
}

/// The Gaussian process where it has a closed form.
static PROCESS: &[Claim<(Posterior, PosteriorFound)>] = &[Claim {
    name: "P3 Gaussian process in closed form",
    place: "derived: a ratio of orthant probabilities, from Sheppard's formula and Plackett's identity",
    kind: Kind::Check,
    about: |(posterior, _)| Subject { network: format!("NNGP; {} points", posterior.points), ..Subject::default() },
    measure: |(_, found)| {
        let off = found.exact.map(|exact| {
            let [probe, labels] = [found.probe.errors_above(exact.probe), found.labels.errors_above(exact.labels)];
            probe.abs().max(labels.abs())
        });
        Measured::extreme(off, "too many points for a closed form")
    },
    theory: |(_, found)| found.exact.map(|_| Theory::at_most(4.0)),
    note: |(_, found)| {
        let [probe, labels] = found.exact.map_or([f64::NAN; 2], |exact| [exact.probe, exact.labels]);
        format!(
            "largest distance of the sampled column from the closed form, in standard errors: probe given the labels {} and {}, labels {} and \
             {}; only chance (1 in 8,000) or an error of the program exceeds 4",
            with_interval(found.probe),
            number(probe),
            with_interval(found.labels),
            number(labels)
        )
    },
    failing: UNEXPLAINED,
}];

/// Relative standard deviation of an entry of K_0, times m^(1/2): of its two halves, relu^2 has that of the square of a half
/// normal variable, 5^(1/2), and v^2 1{} as much.
const SPREAD_OF_KERNEL: f64 = 2.3;
/// Largest |z (1 - z^2) phi(z)|: the second derivative of P = Phi(z) by ln z.
const BENT: f64 = 0.326;
/// Smallest width at which the second order of the spread of K_0 is small.
const WIDE: usize = 16;

/// Networks of one width beside the infinitely wide one.
fn wide<const TIME: usize>() -> Claim<Cell> {
    Claim {
        name: match TIME {
            EARLY => "P4 as under the fixed NTK at t = 10^{2}",
            _ => "P4 as under the fixed NTK at t = 10^{4}",
        },
        place: "infinite width at fixed time: Jacot et al. 2018; the rate is that of K_{0}",
        kind: Kind::Claim,
        about: subject,
        measure: |cell| Measured::between([-1.0, 1.0], cell.found.network.differences(&cell.fixed, TIME), NETWORKS),
        theory: |cell| {
            let width = cell.networks.width;
            let allowance = 0.5 * BENT * SPREAD_OF_KERNEL * SPREAD_OF_KERNEL / width as f64;
            let reason = "to second order the spread of K_{0}, 2.3 m^{−1/2} of its entries, moves the mean of normal probabilities by 0.163 of its \
                          square at most; the first order averages out";
            (width >= WIDE).then(|| Theory::number(0.0).within(allowance, reason))
        },
        note: |cell| {
            format!(
                "probability of networks {} less that under the fixed NTK {}",
                with_interval(cell.found.network.share(TIME)),
                with_interval(cell.fixed.share(TIME))
            )
        },
        failing: Failing {
            below: "narrow networks leave the kernel regime before t = 10^{4}, and some have no unit that can turn the probe",
            ..UNEXPLAINED
        },
    }
}

/// The two candidates for the end of training.
static ENDS: &[Claim<Cell>] = &[
    Claim {
        name: "P5 the trained network is a sample of the posterior",
        place: "problem O86, after Mingard et al. 2021: P = Q(L) of the Gaussian process",
        kind: Kind::Claim,
        about: subject,
        measure: |cell| {
            let posterior = exact_posterior(cell);
            let values = cell.found.network.numbers(LAST).into_iter().map(|verdict| verdict - posterior).collect();
            Measured::between([-posterior, 1.0 - posterior], values, NETWORKS)
        },
        theory: |_| Some(Theory::number(0.0).within(0.05, "a resemblance, not an identity, is what was proposed")),
        note: |cell| {
            format!(
                "probability at t = {}: {}, less Q = {}; at t = 10^{{4}}: {}",
                time_title(LAST),
                with_interval(cell.found.network.share(LAST)),
                number(exact_posterior(cell)),
                with_interval(cell.found.network.share(MIDDLE))
            )
        },
        failing: Failing {
            above: "gradient flow raises the logit of the probe for ever, and the posterior knows no time",
            ..UNEXPLAINED
        },
    },
    Claim {
        name: "P6 the probability goes to 1 − (15/16)^{m} at least",
        place: "derived: a unit whose four initial weights are positive stays active on all points, and its output grows without bound",
        kind: Kind::Claim,
        about: subject,
        measure: |cell| Measured::between([0.0, 1.0], cell.found.network.numbers(LAST), NETWORKS),
        theory: |cell| {
            let bound = 1.0 - (15.0f64 / 16.0).powf(cell.networks.width as f64);
            let (allowance, reason) = (0.01, "the time is finite");
            // where the checks P1 and P2 promise less
            (bound - allowance > at_start(cell)).then(|| Theory::at_least(bound).within(allowance, reason))
        },
        note: |cell| {
            format!("probability at t = {}: {}", time_title(LAST), with_interval(cell.found.network.share(LAST)))
        },
        failing: UNEXPLAINED,
    },
];

/// Q, in closed form where there is one.
fn exact_posterior(cell: &Cell) -> f64 {
    cell.posterior.exact.map_or(cell.posterior.probe.value(), |exact| exact.probe)
}

/// Groups of networks of the jackknife.
const GROUPS: usize = 10;

/// All widths of the centre.
static WIDTHS: &[Claim<Found>] = &[Claim {
    name: "P7 verdicts that differ from the linearization's",
    place: "derived: |f − f_{lin}| ~ m^{−1/2} at fixed time, so verdicts differ with a probability of that order or less",
    kind: Kind::Claim,
    about: |_| about_line(CENTRE),
    measure: |found| {
        let differ: Vec<(f64, Vec<bool>)> = found.of(CENTRE).into_iter().map(differing).collect();
        let count = differ.iter().map(|(_, differ)| differ.len()).min().unwrap_or(0);
        // the networks of the same place of every width together
        let slope = |places: &[usize]| {
            let point = |(width, differ): &(f64, Vec<bool>)| {
                let share = Share::of(places.iter().map(|place| differ[*place]));
                (width.ln(), share.value().ln())
            };
            fitted(&differ.iter().map(point).collect::<Vec<_>>()).map_or(f64::NAN, |(slope, _)| slope)
        };
        let values = jackknife(&(0..count).collect::<Vec<_>>(), GROUPS, slope);
        let finite = |value: f64| value.is_finite().then_some(value);
        let all = values.into_iter().map(finite).collect::<Option<Vec<f64>>>();
        let none = || Measured::Nothing("at some width no verdict differs; train more networks".into());
        all.map_or_else(none, |values| Measured::sample(values, format!("groups of {} networks", count / GROUPS)))
    },
    theory: |_| {
        Some(Theory::at_most(-0.5).said("≤ −1/2").within(0.2, "small widths, which are not in the kernel regime"))
    },
    note: |found| {
        let share = |cell: &&Cell| {
            let (width, differ) = differing(cell);
            format!("{} at m = {width}", number(Share::of(differ.into_iter()).value()))
        };
        format!(
            "slope of the logarithm of the share against ln m at t = 10^{{4}}; jackknife over {GROUPS} groups of networks; shares: {}",
            found.of(CENTRE).iter().map(share).collect::<Vec<_>>().join(", ")
        )
    },
    failing: UNEXPLAINED,
}];

/// Width, and of every network whether its verdict is not its linearization's.
fn differing(cell: &Cell) -> (f64, Vec<bool>) {
    let (here, there) = (cell.found.network.at(MIDDLE), cell.found.linearized.at(MIDDLE));
    (cell.networks.width as f64, here.iter().zip(there).map(|(here, there)| here != there).collect())
}

/// One cell and the next: wider, or of a larger scale.
struct Pair<'f> {
    here: &'f Cell,
    next: &'f Cell,
}

impl Pair<'_> {
    /// How much more often the second gives it than the first, network by network.
    fn rise(&self, [first, second]: [&Cell; 2]) -> Measured {
        let differences = second.found.network.differences(&first.found.network, MIDDLE);
        Measured::between([-1.0, 1.0], differences, NETWORKS)
    }

    fn note(&self) -> String {
        let said = |cell: &Cell| {
            let Line { scale, .. } = cell.networks.line;
            format!("{} at σ = {scale}, m = {}", with_interval(cell.found.network.share(MIDDLE)), cell.networks.width)
        };
        format!("probability at t = 10^{{4}}: {}; {}", said(self.here), said(self.next))
    }
}

fn wider<'f>() -> Claim<Pair<'f>> {
    Claim {
        name: "P8 wider networks give it no less often",
        place: "conjecture: the bound of P6 and the limit of P4 both rise with m",
        kind: Kind::Claim,
        about: |pair| subject(pair.next),
        measure: |pair| pair.rise([pair.here, pair.next]),
        theory: |_| Some(Theory::at_least(0.0)),
        note: Pair::note,
        failing: UNEXPLAINED,
    }
}

fn larger<'f>() -> Claim<Pair<'f>> {
    Claim {
        name: "P9 larger initial weights give it no more often",
        place: "derived: outputs at the start grow like σ^{2}, what time adds to the logit of the probe like ln(σ^{2} t)",
        kind: Kind::Claim,
        about: |pair| subject(pair.next),
        measure: |pair| pair.rise([pair.next, pair.here]),
        theory: |_| Some(Theory::at_least(0.0)),
        note: Pair::note,
        failing: UNEXPLAINED,
    }
}

/// Entries of the table from an earlier, smaller sample, ± 0.04; it does not say which parametrization it used.
const EARLIER: [(usize, f64); 3] = [(4, 0.84), (16, 0.87), (64, 0.92)];

fn earlier(cell: &Cell) -> Option<f64> {
    EARLIER.iter().find(|(width, _)| *width == cell.networks.width).map(|(_, value)| *value)
}

static FIRST_ENTRIES: &[Claim<Cell>] = &[Claim {
    name: "P10 earlier entries of this table",
    place: "a smaller sample: 0.84, 0.87, 0.92 (± 0.04) at m = 4, 16, 64, t = 10^{4}",
    kind: Kind::Claim,
    about: subject,
    measure: |cell| Measured::between([0.0, 1.0], cell.found.network.numbers(MIDDLE), NETWORKS),
    theory: |cell| Some(Theory::number(earlier(cell)?).within(0.04, "the sample's own interval")),
    note: |cell| format!("probability at t = 10^{{4}}: {}", with_interval(cell.found.network.share(MIDDLE))),
    failing: Failing {
        above: "the earlier sample does not state its parametrization, time or scale; no parametrization here has all three at t = \
                10^{4}, and that with the factor √(2/m) comes nearest",
        ..UNEXPLAINED
    },
}];

/// A claim about every cell and the next.
fn neighbours<'f>(cells: &[&'f Cell], claim: &Claim<Pair<'f>>) -> Vec<Stated> {
    cells.windows(2).filter_map(|pair| claim.state(&Pair { here: pair[0], next: pair[1] })).collect()
}

/// All claims and checks.
pub fn all(found: &Found) -> Vec<Stated> {
    let line = found.of(CENTRE);
    let mut stated: Vec<Stated> = found.cells.iter().flat_map(|cell| state_all(CHECKS, cell)).collect();
    stated.extend(found.posteriors.iter().flat_map(|posterior| state_all(PROCESS, posterior)));
    for cell in &line {
        stated.extend([wide::<EARLY>(), wide::<MIDDLE>()].iter().filter_map(|claim| claim.state(cell)));
    }
    stated.extend(line.iter().flat_map(|cell| state_all(ENDS, cell)));
    stated.extend(state_all(WIDTHS, found));
    stated.extend(neighbours(&line, &wider()));
    stated.extend(neighbours(&found.by_scale(), &larger()));
    let own = |cell: &&Cell| {
        let Line { parametrization, .. } = cell.networks.line;
        cell.networks.line == CENTRE || parametrization == Parametrization::NtkHe
    };
    stated.extend(found.cells.iter().filter(own).flat_map(|cell| state_all(FIRST_ENTRIES, cell)));
    stated
}
