//! What Proposition 1 and Theorem 2 say of random points: the NTK is strictly positive definite there, its smallest eigenvalue
//! lambda_0 falls as points become many, and with it the distance at which the theorem begins to say something.

use super::points::{RandomPoints, Row};
use crate::analysis::statistics::{Estimate, larger, line, median, smaller};
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Subject, Theory, UNEXPLAINED};
use crate::study::judge::Measured;
use crate::words::count;

/// What was measured of one network on points of one law.
pub(super) struct OnPoints {
    /// network and points
    pub points: RandomPoints,
    /// draw by draw, n ascending
    pub rows: Vec<Row>,
}

/// A constant of Theorem 2, below which the kernel cannot stay: lambda_0 over a number of n.
pub(super) type Constant = fn(&Row) -> f64;
/// That of the paper, lambda_0/(2 n^2).
pub(super) const OF_THE_PAPER: Constant = |row| row.lambda_min / (2.0 * (row.points * row.points) as f64);
/// What its proof gives, lambda_0/n: the 2-norm of a matrix is at most n times its largest entry.
pub(super) const OF_THE_PROOF: Constant = |row| row.lambda_min / row.points as f64;

impl OnPoints {
    /// Those of so many points, a row a draw.
    pub(super) fn of(&self, points: usize) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.points == points)
    }
    /// A number of every draw, from its rows.
    fn by_draw(&self, value: impl Fn(&[Row]) -> Option<f64>) -> Measured {
        Measured::of(self.rows.chunk_by(|a, b| a.draw == b.draw).map(value), "a draw is incomplete")
    }
    /// Slope of ln(value) against ln n, draw by draw.
    fn exponents(&self, value: impl Fn(&Row) -> f64) -> Measured {
        self.by_draw(|rows| {
            let points: Vec<_> = rows.iter().map(|row| ((row.points as f64).ln(), value(row).ln())).collect();
            Some(line(&points)?.0)
        })
    }
    /// The geometric mean over the draws for the fewest and the most points, in words.
    fn ends(&self, value: impl Fn(&Row) -> f64) -> String {
        let sizes = [self.points.sizes.first(), self.points.sizes.last()].into_iter().flatten();
        let mean = |n: &usize| {
            let logarithms: Vec<f64> = self.of(*n).map(|row| value(row).ln()).collect();
            let mean = Estimate::from_values(&logarithms).map_or(f64::NAN, |mean| mean.value.exp());
            format!("{} for n = {n}", number(mean))
        };
        sizes.map(mean).collect::<Vec<_>>().join(", ")
    }
    /// The dimension of the sphere, one less than that of the space.
    pub(super) fn sphere(&self) -> f64 {
        self.points.dimension as f64 - 1.0
    }
    fn subject(&self) -> Subject {
        let points = format!("S^{{{}}}", self.points.dimension - 1);
        Subject { network: format!("{}; {points}", self.points.net.title()), ..Subject::default() }
    }
    fn sizes(&self) -> String {
        let sizes: Vec<String> = self.points.sizes.iter().map(ToString::to_string).collect();
        format!("n = {}, {}", sizes.join(", "), count(self.points.draws as usize, "draw"))
    }
    /// From how many units on the kernel of a random network is nearer to Theta than this constant, were its distance
    /// proportional to m^(-1/2).
    fn needed(&self, row: &Row, constant: Constant) -> f64 {
        self.points.width.map_or(f64::NAN, |width| width as f64) * (row.distance / constant(row)).powi(2)
    }
}

/// Points in general position in spaces of several dimensions, all of one network.
pub(super) static IN_GENERAL_POSITION: &[Claim<Vec<OnPoints>>] = &[Claim {
    name: "A1 NTK positive definite on random points",
    place: "Proposition 1",
    kind: Kind::Check,
    about: |sets| Subject {
        network: format!("{}; normal points", sets.first().map_or(String::new(), |set| set.points.net.title())),
        ..Subject::default()
    },
    measure: |sets| {
        let rows = sets.iter().flat_map(|set| &set.rows);
        Measured::extreme(rows.map(|row| row.lambda_min / row.uncertainty).reduce(smaller), "there are no points")
    },
    theory: |_| Some(Theory::above(1.0).said("> 1: beyond rounding")),
    note: |sets| {
        let least = |set: &OnPoints| {
            let most = set.points.most();
            let least = set.of(most).map(|row| row.lambda_min).fold(f64::INFINITY, smaller);
            format!("{} for {most} points of R^{{{}}}", number(least), set.points.dimension)
        };
        format!(
            "λ_{{min}} over n ε λ_{{max}}, to which it is known, smallest of all sets of points: {} in each dimension; smallest \
             λ_{{min}}: {}",
            sets.first().map_or(String::new(), OnPoints::sizes),
            sets.iter().map(least).collect::<Vec<_>>().join(", ")
        )
    },
    failing: UNEXPLAINED,
}];

/// A network whose NTK is not positive definite, on points that show it.
pub(super) static CONTROL: &[Claim<OnPoints>] = &[Claim {
    name: "A1 control: a singular NTK is seen as one",
    place: "derived: the odd part of a single layer without bias is linear",
    kind: Kind::Check,
    about: |set| Subject { network: format!("{}; antipodal points", set.points.net.title()), ..Subject::default() },
    measure: |set| {
        let largest = set.rows.iter().map(|row| row.lambda_min.abs() / row.uncertainty).reduce(larger);
        Measured::extreme(largest, "there are no points")
    },
    theory: |_| Some(Theory::at_most(1.0).said("0 to rounding")),
    note: |set| {
        format!(
            "|λ_{{min}}| over n ε λ_{{max}}, largest of all sets of pairs x, −x in R^{{{}}}: {}",
            set.points.dimension,
            set.sizes()
        )
    },
    failing: UNEXPLAINED,
}];

/// More and more points on a sphere.
pub(super) static ON_SPHERES: &[Claim<OnPoints>] = &[
    Claim {
        name: "A1 decay of λ_{0} with the number of points",
        place: "derived: λ_{0} ~ Θ(x, x) − Θ(x, x') of the closest pair, ~ |x − x'| ~ n^{−2/d}",
        kind: Kind::Claim,
        about: OnPoints::subject,
        measure: |set| set.exponents(|row| row.lambda_min),
        theory: |set| {
            let exponent = -2.0 / set.sphere();
            let reason = "few points: the neighbours of the closest pair, the curvature of Θ";
            Some(Theory::number(exponent).said(format!("−2/d = {}", number(exponent))).within(OF_FEW, reason))
        },
        note: |set| {
            format!(
                "slope of ln λ_{{0}} against ln n, {}; geometric mean of λ_{{0}}: {}; of λ_{{0}}/n: {}; of λ_{{0}}/(2n^{{2}}): {}",
                set.sizes(),
                set.ends(|row| row.lambda_min),
                set.ends(OF_THE_PROOF),
                set.ends(OF_THE_PAPER)
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A1 λ_{0} is at most what the closest pair allows",
        place: "derived: the Rayleigh quotient of (e_{i} − e_{j})/√2",
        kind: Kind::Check,
        about: OnPoints::subject,
        measure: |set| {
            let shares = set.rows.iter().map(|row| (row.lambda_min - row.uncertainty) / row.closest);
            Measured::extreme(shares.reduce(larger), "there are no points")
        },
        theory: |_| Some(Theory::at_most(1.0)),
        note: |set| {
            let of = |n: usize| median(set.of(n).map(|row| row.lambda_min / row.closest)).unwrap_or(f64::NAN);
            let most = set.points.most();
            format!(
                "λ_{{0}} over the smallest (Θ(x, x) + Θ(x', x'))/2 − Θ(x, x'), largest of all draws; median for n = {most}: {}",
                number(of(most))
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A3 random networks are farther from the NTK than λ_{0}/n",
        place: "Theorem 2 at t = 0, with the constant that its proof gives",
        kind: Kind::Claim,
        about: OnPoints::subject,
        measure: |set| {
            set.by_draw(|rows| rows.iter().map(|row| (row.distance / OF_THE_PROOF(row)).ln()).reduce(smaller))
        },
        theory: |_| Some(Theory::above(0.0).said("> 0: passed before training")),
        note: |set| {
            format!(
                "ln of max|K_{{0}} − Θ| over λ_{{0}}/n, smallest over n of each draw, width {}; geometric mean of max|K_{{0}} − Θ|: {}; of \
                 its ratio to λ_{{0}}/(2n^{{2}}): {}",
                set.points.width.unwrap_or(0),
                set.ends(|row| row.distance),
                set.ends(|row| row.distance / OF_THE_PAPER(row))
            )
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "A3 width from which a random network is nearer than λ_{0}/n",
        place: "derived: max|K_{0} − Θ| ~ m^{−1/2}, so m ~ (n/λ_{0})^{2} ~ n^{2 + 4/d}",
        kind: Kind::Claim,
        about: OnPoints::subject,
        measure: |set| set.exponents(|row| set.needed(row, OF_THE_PROOF)),
        theory: |set| {
            let exponent = 2.0 + 4.0 / set.sphere();
            let reason = "twice that of λ_{0}, and the maximum over n^{2} entries, which grows like the root of ln n";
            let theory = Theory::number(exponent).said(format!("2 + 4/d = {}", number(exponent)));
            Some(theory.within(4.0 * OF_FEW, reason))
        },
        note: |set| {
            format!(
                "slope of ln m against ln n, where m = {} (max|K_{{0}} − Θ|/(λ_{{0}}/n))^{{2}} by the law m^{{−1/2}}; geometric mean of m: {}; \
                 for λ_{{0}}/(2n^{{2}}): {}",
                set.points.width.unwrap_or(0),
                set.ends(|row| set.needed(row, OF_THE_PROOF)),
                set.ends(|row| set.needed(row, OF_THE_PAPER))
            )
        },
        failing: UNEXPLAINED,
    },
];

/// What an exponent over few points may be off by.
const OF_FEW: f64 = 0.15;
