//! The points, the network, and what its parametrization means.
//!
//! The points are (1, p, L), p = 0, ..., L - 1, all of class 1, the probe is (1, ceil(L/2), 0): those of the "coin line" of
//! Levine's problems without diversity, an agent at p and a coin at L. Its networks have one hidden layer of ReLU without
//! biases; the first input is the constant one. With all labels equal and every inner product of a point with the probe
//! positive, gradient flow never lowers the logit of the probe: a unit with output weight v and `w . probe > 0` moves `v` up
//! and `w . probe` in the direction of v.
//!
//! One network is trained whatever the parametrization, `f = m^(-1/2) sum_j v_j relu(w_j . x)`, because
//! `f = sum_j a_j relu(u_j . x)` is the same function at `(w, v) = m^(1/4) (u, a)`, and gradient flow of (u, a) for a time t
//! is that of (w, v) for the time `m^(1/2) t`: `d(c theta)/dt = -c grad_theta J = -c^2 grad_(c theta) J`.

use ntkscope_core::Error;
use ntkscope_core::init::initialize;
use ntkscope_core::network::{Fcn, Network};
use serde::Serialize;

/// Times t at which the probe is read, in the time of the parametrization and of the mean loss; 0 comes before them.
pub const TIMES: [f64; 7] = [10.0, 1e2, 1e3, 1e4, 1e8, 1e16, 1e32];
/// Numbers of a point.
pub const INPUTS: usize = 3;

/// The settings of what is read at the [`TIMES`], and these.
///
/// # Errors
/// Settings that toml cannot hold.
pub fn with_times<S: Serialize>(settings: &S) -> Result<toml::Table, crate::study::Error> {
    let mut plan = toml::Table::try_from(settings)?;
    plan.insert("times".into(), toml::Value::Array(TIMES.iter().map(|t| toml::Value::Float(*t)).collect()));
    Ok(plan)
}

/// The L points and the probe after them, `(L + 1, 3)`.
pub fn points_and_probe(points: usize) -> Vec<f64> {
    let line = points as f64;
    let probe = [1.0, points.div_ceil(2) as f64, 0.0];
    (0..points).flat_map(|p| [1.0, p as f64, line]).chain(probe).collect()
}

/// The network of one hidden layer, `f = m^(-1/2) sum_j v_j relu(w_j . x)`.
///
/// # Errors
/// A width of 0.
pub fn network(widths: &[usize]) -> Result<Fcn<'_>, Error> {
    Fcn::new(INPUTS, widths, 1)?.with_variances(1.0, 1.0)
}

/// How the network is written, which decides the variances of its initial weights and the speed of its layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parametrization {
    /// `m^(-1/2) sum v relu(w . x)`, all N(0, sigma^2): the problem's neural-tangent parametrization
    Ntk,
    /// `(2/m)^(1/2) sum v relu(w . x)`, all N(0, sigma^2): that of this program's other networks
    NtkHe,
    /// `sum a relu(u . x)`, all N(0, sigma^2): the problem's standard family
    Standard,
    /// `sum a relu(u . x)`, u ~ N(0, sigma^2), a ~ N(0, sigma^2/m): outputs of order 1
    FanIn,
}

/// Initial weights and time of a network, in those of `m^(-1/2) sum v relu(w . x)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales {
    /// standard deviation of w
    pub hidden: f64,
    /// standard deviation of v
    pub output: f64,
    /// time of this network for a unit of the parametrization's
    pub clock: f64,
}

impl Parametrization {
    /// Its name in ids and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ntk => "ntk",
            Self::NtkHe => "ntk-he",
            Self::Standard => "standard",
            Self::FanIn => "fan-in",
        }
    }
    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ntk => "NTK",
            Self::NtkHe => "NTK, factor √(2/m)",
            Self::Standard => "standard",
            Self::FanIn => "standard, variance 1/fan-in",
        }
    }
    /// Whether the kernel at initialization has a limit for infinite width, in its own time.
    pub fn has_limit(self) -> bool {
        matches!(self, Self::Ntk | Self::NtkHe)
    }
    /// See [`Scales`], at width m and the scale sigma.
    pub fn scales(self, width: usize, scale: f64) -> Scales {
        let fourth = (width as f64).powf(0.25);
        let [hidden, output, clock] = match self {
            Self::Ntk => [1.0, 1.0, 1.0],
            Self::NtkHe => [2f64.powf(0.25), 2f64.powf(0.25), 2f64.sqrt()],
            Self::Standard => [fourth, fourth, fourth * fourth],
            Self::FanIn => [fourth, 1.0 / fourth, fourth * fourth],
        };
        Scales { hidden: scale * hidden, output: scale * output, clock }
    }
}

impl Scales {
    /// Initial parameters of the network from a seed: N(0,1), times these.
    ///
    /// # Errors
    /// Shapes.
    pub fn initialize(self, network: &Fcn<'_>, seed: u64, theta: &mut [f64]) -> Result<(), Error> {
        initialize(network, seed, theta)?;
        let (hidden, output) = theta.split_at_mut(network.layer(1).weights);
        hidden.iter_mut().for_each(|w| *w *= self.hidden);
        output.iter_mut().for_each(|v| *v *= self.output);
        Ok(())
    }
}

/// What is the same for all networks of a cell but their seeds and their width.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Line {
    /// L: training points
    pub points: usize,
    /// how the network is written
    pub parametrization: Parametrization,
    /// sigma: standard deviation of the initial weights, over that of the parametrization
    pub scale: f64,
}

impl Line {
    /// Its part of ids: `l4-ntk`, `l4-ntk-sigma0.25`.
    pub fn name(&self) -> String {
        let Self { points, parametrization, scale } = self;
        let scale = if *scale == 1.0 { String::new() } else { format!("-sigma{scale}") };
        format!("l{points}-{}{scale}", parametrization.name())
    }
    /// For people: `NTK, 4 points, σ = 1`.
    pub fn title(&self) -> String {
        format!("{}, {} points, σ = {}", self.parametrization.title(), self.points, self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_points_are_those_of_the_problem() {
        #[rustfmt::skip]
        let expected = [1.0, 0.0, 4.0,  1.0, 1.0, 4.0,  1.0, 2.0, 4.0,  1.0, 3.0, 4.0,  1.0, 2.0, 0.0];
        assert_eq!(points_and_probe(4), expected);
        assert_eq!(points_and_probe(3)[9..], [1.0, 2.0, 0.0]);
    }

    /// Gradient descent on `sum a relu(u . x)`, written out, beside descent of the one network at the scales, rate and weights
    /// that are said to be the same.
    #[test]
    fn parametrizations_are_the_networks_that_they_say() {
        use ntkscope_core::loss::Loss;
        use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
        use ntkscope_core::{MatRef, Portable};
        const M: usize = 5;
        let (rate, steps, sigma, all) = (1e-3, 50, 0.7, points_and_probe(4));
        let (x, probe) = (MatRef::new(&all[..12], 4, 3).unwrap(), &all[12..]);
        // the factor before the sum, and the standard deviations of u and a, before sigma
        let written: [(Parametrization, f64, f64, f64); 4] = [
            (Parametrization::Ntk, (M as f64).powf(-0.5), 1.0, 1.0),
            (Parametrization::NtkHe, (2.0 / M as f64).sqrt(), 1.0, 1.0),
            (Parametrization::Standard, 1.0, 1.0, 1.0),
            (Parametrization::FanIn, 1.0, 1.0, (M as f64).powf(-0.5)),
        ];
        for (parametrization, factor, of_u, of_a) in written {
            let widths = [M];
            let network = network(&widths).unwrap();
            let scales = parametrization.scales(M, sigma);
            let descent = Optimizer::Descent { rate: rate * scales.clock };
            let targets = [1.0; 4];
            let problem =
                Problem::new(&network, x, MatRef::new(&targets, 4, 1).unwrap(), Loss::CrossEntropy, 0.0).unwrap();
            let mut buffer = vec![0.0; trainer_len(network.sizes(), 4, &descent)];
            let start = |theta: &mut [f64]| scales.initialize(&network, 3, theta);
            let mut trainer = Trainer::with_initial(&Portable, problem, descent, &mut buffer, start).unwrap();
            (0..steps).for_each(|_| trainer.advance(None).unwrap());

            let mut theta = vec![0.0; 4 * M];
            initialize(&network, 3, &mut theta).unwrap();
            let (u, a) = theta.split_at_mut(3 * M);
            u.iter_mut().for_each(|u| *u *= sigma * of_u);
            a.iter_mut().for_each(|a| *a *= sigma * of_a);
            let dot = |u: &[f64], x: &[f64]| u.iter().zip(x).map(|(u, x)| u * x).sum::<f64>();
            let f = |u: &[f64], a: &[f64], x: &[f64]| {
                factor * a.iter().zip(u.chunks(3)).map(|(a, u)| a * dot(u, x).max(0.0)).sum::<f64>()
            };
            for _ in 0..steps {
                let pull: Vec<f64> = (0..4).map(|i| 0.25 / (1.0 + f(u, a, x.row(i)).exp())).collect();
                for (a, u) in a.iter_mut().zip(u.chunks_mut(3)) {
                    let (old_a, old_u) = (*a, u.to_vec());
                    for (i, pull) in pull.iter().enumerate().filter(|(i, _)| dot(&old_u, x.row(*i)) > 0.0) {
                        *a += rate * factor * pull * dot(&old_u, x.row(i));
                        u.iter_mut().zip(x.row(i)).for_each(|(u, x)| *u += rate * factor * pull * old_a * x);
                    }
                }
            }
            let (w, v) = trainer.theta().split_at(3 * M);
            let here =
                v.iter().zip(w.chunks(3)).map(|(v, w)| v * dot(w, probe).max(0.0)).sum::<f64>() / (M as f64).sqrt();
            let there = f(u, a, probe);
            assert!((here - there).abs() < 1e-12 * there.abs().max(1.0), "{parametrization:?}: {here} {there}");
        }
    }
}
