//! Figure 2: K_0((1, 0), x) along the circle.

use std::path::Path;

use super::NETWORKS;
use super::initial::{Initial, Kernels, read};
use super::reading::spread;
use crate::analysis::statistics::{deviation, larger, line, smaller};
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::report::{Kind, Table, number, thousandths};
use crate::study::Error;
use crate::study::cell::Finished;
use crate::study::claim::{Claim, Failing, Subject, Theory, UNEXPLAINED, state_all};
use crate::study::draw::WIDTH;
use crate::study::grid::Job;
use crate::study::judge::Measured;
use crate::study::kept::Kept;
use crate::study::options::Options;
use crate::study::plan::{Findings, Plan};
use crate::words::count;

/// Points of a turn: every 30 degrees, where the figure was read.
const POINTS: usize = 12;
/// Angles from -150 to 180 degrees, as the points of a turn from x_0 on lie.
const TURN: [f64; POINTS] = [0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0, -150.0, -120.0, -90.0, -60.0, -30.0];
/// Read off figure 2 at angles 0, +-30, +-60, +-90, +-120 and 180 degrees (left, then right), widths ascending. An angle of
/// the circle's point j is 30 j degrees; the reading is good to 0.02.
const READ: [(usize, [f64; 10]); 3] = [
    (200, [3.13, 1.83, 2.27, 1.03, 1.59, 0.81, 1.07, 0.72, 0.86, 0.92]),
    (1000, [4.15, 3.11, 2.89, 1.77, 1.86, 1.08, 1.04, 0.78, 0.68, 0.65]),
    (2000, [4.18, 3.05, 3.16, 1.86, 1.85, 1.12, 1.10, 0.81, 0.78, 0.67]),
];
/// Seeds from which a standard deviation is known to a fifth.
const ENOUGH: usize = 16;
/// The points of those readings.
const AT: [usize; 10] = [0, 11, 1, 10, 2, 9, 3, 8, 4, 6];

/// Kernels at initialization of both networks at three widths.
pub(super) struct Profiles(Vec<Kept<Initial>>);

impl Profiles {
    /// With the paper's widths.
    pub(super) fn new(options: &Options) -> Self {
        let seeds = options.seeds.unwrap_or(if options.full { 256 } else { 64 });
        let nets = NETWORKS.into_iter().filter(|net| options.has_network(net.kind));
        let of = |net| READ.map(|(width, _)| Initial::new("figure-2", net, width, POINTS, seeds));
        Self(nets.flat_map(of).collect())
    }
}

/// One width of the figure, and our kernels of that width.
struct Shown {
    kernels: Kernels,
    read: [f64; 10],
}

impl Shown {
    /// K_0(x_0, x_j) over seeds.
    fn at(&self, point: usize) -> Vec<f64> {
        self.kernels.rows.iter().map(|row| row[point]).collect()
    }
    /// Distances of the figure from Theta, in standard deviations of one seed.
    fn distances(&self) -> impl Iterator<Item = f64> {
        let distance =
            |(read, point): (&f64, usize)| (read - self.kernels.analytic[point]) / deviation(&self.at(point));
        self.read.iter().zip(AT).map(distance)
    }
    /// The largest of them.
    fn farthest(&self) -> f64 {
        self.distances().map(f64::abs).fold(0.0, larger)
    }
}

static CLAIMS: &[Claim<Shown>] = &[Claim {
    name: "A5 figure 2 is K_{0} of one seed of this network",
    place: "figure 2",
    kind: Kind::Claim,
    about: |shown| subject(&shown.kernels),
    measure: |shown| {
        if shown.kernels.rows.len() < ENOUGH {
            return Measured::Nothing(format!("a standard deviation to judge by needs {ENOUGH} seeds"));
        }
        Measured::Exact(shown.farthest())
    },
    theory: |_| Some(Theory::at_most(3.5)),
    note: |shown| {
        format!(
            "largest distance of the figure from Θ in standard deviations of one seed, over ten angles, width {}; for one seed of this network it \
             would exceed 3.5 in one case in two hundred; at angle 0 the figure has {}, our {} {} and Θ {}",
            shown.kernels.width,
            number(shown.read[0]),
            count(shown.kernels.rows.len(), "seed"),
            spread(&Measured::Values(shown.at(0))),
            number(shown.kernels.analytic[0])
        )
    },
    failing: Failing {
        above: "the figure shows another network: it has the values of one without biases",
        ..UNEXPLAINED
    },
}];

/// All widths of a network.
struct Converging(Vec<Kernels>);

static CONVERGENCE: &[Claim<Converging>] = &[Claim {
    name: "A5 figure 2: K_{0} converges to the NTK like m^{−1/2}",
    place: "figure 2, (3.3); the rate is the central limit theorem's",
    kind: Kind::Claim,
    about: |all| all.0.first().map_or_else(Subject::default, subject),
    measure: |all| {
        let seeds = all.0.iter().map(|kernels| kernels.rows.len()).min().unwrap_or(0);
        let of_seed = |seed: usize| {
            let points: Vec<_> =
                all.0.iter().map(|kernels| ((kernels.width as f64).ln(), off(kernels, seed).ln())).collect();
            Some(line(&points)?.0)
        };
        Measured::of((0..seeds).map(of_seed), "no seeds")
    },
    theory: |_| Some(Theory::number(-0.5).said("−1/2").within(0.15, "terms of order 1/m")),
    note: |all| {
        let widths: Vec<usize> = all.0.iter().map(|kernels| kernels.width).collect();
        format!(
            "slope of ln(root mean square over the circle of K_{{0}} − Θ) against ln m over widths {widths:?}, seed by seed"
        )
    },
    failing: UNEXPLAINED,
}];

/// Root mean square of K_0(x_0, x) - Theta(x_0, x) along the circle.
fn off(kernels: &Kernels, seed: usize) -> f64 {
    let squares = kernels.rows[seed].iter().zip(&kernels.analytic).map(|(here, limit)| (here - limit).powi(2));
    (squares.sum::<f64>() / POINTS as f64).sqrt()
}

fn subject(kernels: &Kernels) -> Subject {
    let network = format!("{}; figure-2", kernels.net.title());
    Subject { network, init: "standard".into(), ..Subject::default() }
}

impl Plan for Profiles {
    fn jobs(&self) -> Vec<&dyn Job> {
        self.0.iter().map(|kept| kept as &dyn Job).collect()
    }

    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let all: Vec<Kernels> = self.0.iter().map(|kept| read(kept, study)).collect::<Result<_, _>>()?;
        let mut findings = Findings::default();
        for of_net in all.chunk_by(|a, b| a.net == b.net) {
            let read_of =
                |kernels: &Kernels| READ.iter().find(|(width, _)| *width == kernels.width).map(|(_, read)| *read);
            let shown: Vec<Shown> = of_net
                .iter()
                .filter_map(|kernels| Some(Shown { read: read_of(kernels)?, kernels: kernels.clone() }))
                .collect();
            findings.claims.extend(shown.iter().flat_map(|shown| state_all(CLAIMS, shown)));
            findings.claims.extend(state_all(CONVERGENCE, &Converging(of_net.to_vec())));
            findings.tables.push(table(&shown));
            findings.figures.push(figure(&shown));
        }
        Ok(findings)
    }
}

fn table(shown: &[Shown]) -> Table {
    let net = shown.first().map_or_else(String::new, |shown| shown.kernels.net.title());
    let caption = format!(
        "K_{{0}}((1, 0), x): read off figure 2, then ours (mean ± standard deviation of one seed), {net}. Last: the largest distance in standard deviations, of which 3.5 are allowed."
    );
    let widths = shown.iter().flat_map(|s| {
        let m = s.kernels.width;
        [format!("m = {m}, figure"), format!("m = {m}, ours")]
    });
    let mut table = Table::new(caption, ["angle".to_owned()].into_iter().chain(widths).chain(["Θ".to_owned()]));
    for (place, point) in AT.into_iter().enumerate() {
        let cells = shown.iter().flat_map(|s| [number(s.read[place]), spread(&Measured::Values(s.at(point)))]);
        let limit = shown.first().map_or(f64::NAN, |s| s.kernels.analytic[point]);
        let limit = number((1e4 * limit).round() / 1e4);
        table.push([format!("{}°", number(TURN[point]))].into_iter().chain(cells).chain([limit]));
    }
    let farthest = shown.iter().flat_map(|s| ["–".to_owned(), thousandths(s.farthest())]);
    table.push(["largest distance".to_owned()].into_iter().chain(farthest).chain(["–".to_owned()]));
    table
}

/// Bands of our seeds, the limit, and the values read off.
fn figure(shown: &[Shown]) -> Figure {
    let mut order: Vec<usize> = (0..POINTS).collect();
    order.sort_by(|a, b| TURN[*a].total_cmp(&TURN[*b]));
    let angles = || order.iter().map(|point| TURN[*point]).collect::<Vec<_>>();
    let mut series = Vec::new();
    for s in shown {
        let (hue, m) = (Hue::at(WIDTH, s.kernels.width as f64), s.kernels.width);
        let of =
            |statistic: fn(&[f64]) -> f64| order.iter().map(|point| statistic(&s.at(*point))).collect::<Vec<f64>>();
        let low = of(|values| values.iter().copied().fold(f64::INFINITY, smaller));
        let high = of(|values| values.iter().copied().fold(f64::NEG_INFINITY, larger));
        let y = of(|values| values.iter().sum::<f64>() / values.len() as f64);
        series.push(Series::new(format!("m = {m}"), (angles(), y), Mark::Band { low, high }, hue.clone()));
    }
    for s in shown {
        let (hue, m) = (Hue::at(WIDTH, s.kernels.width as f64), s.kernels.width);
        let x = AT.iter().map(|point| TURN[*point]).collect();
        series.push(Series::new(format!("read off, m = {m}"), (x, s.read.to_vec()), Mark::Points, hue));
    }
    let (net, seeds) = shown.first().map_or((NETWORKS[0], 0), |s| (s.kernels.net, s.kernels.rows.len()));
    if let Some(first) = shown.first() {
        let y = order.iter().map(|point| first.kernels.analytic[*point]).collect();
        series.push(Series::theory("Θ", angles(), y));
    }
    Figure {
        name: format!("figure-2-{}", net.name()),
        title: format!("K_{{0}} along the circle: {}", net.title()),
        x: Axis::new("angle between x and (1, 0) (degrees)", Scale::Linear),
        y: Axis::new("K_{0}((1, 0), x)", Scale::Linear),
        series,
        caption: format!(
            "The empirical kernel at initialization, {}; bands run from the smallest to the largest of {}, points are the values \
             read off the paper's figure 2, the broken line is the kernel of the infinitely wide network.",
            net.title(),
            count(seeds, "seed")
        ),
        ..Figure::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::NetworkKind;

    /// The figure's values at the angles where they were read: left of 0 before right of it.
    #[test]
    fn readings_stand_at_their_angles() {
        let angles = AT.map(|point| TURN[point]);
        assert_eq!(angles, [0.0, -30.0, 30.0, -60.0, 60.0, -90.0, 90.0, -120.0, 120.0, 180.0]);
        let options = Options { networks: vec![NetworkKind::Resnet], ..Options::default() };
        assert!(Profiles::new(&options).0.is_empty());
    }

    /// No seed has a standard deviation alone, and of few it is chance.
    #[test]
    fn few_seeds_decide_nothing() {
        for (seeds, judged) in [(1, false), (2, false), (ENOUGH - 1, false), (ENOUGH, true)] {
            let row = |seed: usize| vec![4.0 + 0.1 * seed as f64; POINTS];
            let kernels = Kernels {
                net: NETWORKS[0],
                width: 200,
                diagonal: vec![4.0; seeds],
                rows: (0..seeds).map(row).collect(),
                analytic: vec![4.0; POINTS],
                analytic_diagonal: 4.0,
            };
            let shown = Shown { kernels, read: READ[0].1 };
            assert_eq!((CLAIMS[0].measure)(&shown).estimate().is_some(), judged, "{seeds}");
        }
    }
}
