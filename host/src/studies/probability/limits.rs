//! What infinite width says of the probe: the flow under the fixed NTK, and the Gaussian process given the labels.

use ntkscope_core::MatRef;
use ntkscope_core::init::Normals;
use ntkscope_core::kernel::AnalyticKernel;
use serde::Serialize;

use super::flow::ProbeFlow;
use super::line::{INPUTS, Line, TIMES, network, points_and_probe, with_times};
use super::verdicts::{Verdicts, columns};
use crate::analysis::binomial::Share;
use crate::analysis::orthant::{MOST_ENTRIES, orthant_probability};
use crate::analysis::points::{draw_seed, gaussian_draws};
use crate::backend::HostReal;
use crate::files::numbers::NumberTable;
use crate::kernel::analytic_kernel;
use crate::machine::{Ended, Stop};
use crate::run::Observer;
use crate::study::Error;
use crate::study::kept::Measurement;

/// Streams of deviates, apart from those of the networks.
const KERNEL_STREAM: u64 = 1 << 62;
const PROCESS_STREAM: u64 = 1 << 63;

/// An analytic kernel of the points and the probe, `(L + 1, L + 1)`, at scales 1.
fn analytic(points: usize, which: AnalyticKernel) -> Result<Vec<f64>, Error> {
    let all = points_and_probe(points);
    Ok(analytic_kernel(f64::fast(), &network(&[1])?, which, MatRef::new(&all, points + 1, INPUTS)?)?)
}

/// Draws of f_0 from the Gaussian process, and gradient flow from each under the kernel's mean over initializations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FixedKernel {
    /// what the networks are
    #[serde(flatten)]
    pub line: Line,
    /// width, where the kernel's mean depends on it: the standard parametrizations have no limit
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// draws of f_0
    pub draws: u64,
}

impl FixedKernel {
    /// That of networks of this width.
    pub fn of(line: Line, width: usize, draws: u64) -> Self {
        Self { line, width: (!line.parametrization.has_limit()).then_some(width), draws }
    }
    /// Its name in ids.
    pub fn name(&self) -> String {
        self.width.map_or(self.line.name(), |width| format!("{}-w{width}", self.line.name()))
    }
    /// Kernel and covariance of the outputs at the start, `(L + 1, L + 1)`, from NNGP and NTK at scales 1: the output layer's
    /// gradients are the hidden units, hidden^2 NNGP, those of the hidden layer have the output weights, output^2 (NTK - NNGP).
    fn kernels(&self) -> Result<[Vec<f64>; 2], Error> {
        let scales = self.line.parametrization.scales(self.width.unwrap_or(1), self.line.scale);
        let (hidden, output) = (scales.hidden.powi(2), scales.output.powi(2));
        let [nngp, ntk] = [AnalyticKernel::Nngp, AnalyticKernel::Ntk].map(|which| analytic(self.line.points, which));
        let (nngp, ntk) = (nngp?, ntk?);
        let kernel = nngp.iter().zip(&ntk).map(|(s, t)| hidden * s + output * (t - s)).collect();
        Ok([kernel, nngp.iter().map(|s| hidden * output * s).collect()])
    }
    /// What its table says.
    ///
    /// # Errors
    /// Draws or columns are missing.
    pub fn found(&self, id: &str, table: &NumberTable) -> Result<Verdicts, Error> {
        Error::check_rows(id, table.rows().len(), self.draws)?;
        Ok(Verdicts::of(table, "fixed")?)
    }
}

impl Measurement for FixedKernel {
    fn settings(&self) -> Result<String, Error> {
        Ok(toml::to_string(&self.plan()?)?)
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        with_times(self)
    }
    fn work(&self) -> f64 {
        5e-4 * self.draws as f64
    }
    fn need(&self) -> Result<u64, Error> {
        Ok(8 * self.draws * (2 * (TIMES.len() + 1) + self.line.points + 1) as u64 + (1 << 16))
    }
    /// A row for every draw: the probe's output at time 0 and at each of the [`TIMES`].
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let (n, draws) = (self.line.points, self.draws as usize);
        let clock = self.line.parametrization.scales(self.width.unwrap_or(1), self.line.scale).clock;
        let [kernel, covariance] = self.kernels()?;
        let mut normals = Normals::new(draw_seed(KERNEL_STREAM, n, 0));
        let f_0 = gaussian_draws(MatRef::new(&covariance, n + 1, n + 1)?, draws, &mut normals)?;
        let mut flow = ProbeFlow::new(n);
        let mut table = NumberTable::new(columns("fixed"));
        for draw in 0..draws {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            let start: Vec<f64> = f_0.iter().skip(draw).step_by(draws).copied().collect();
            let outputs = flow.probe(&kernel, &start, clock)?;
            table.push(std::iter::once(start[n]).chain(outputs).collect());
            observer.step((draw + 1) as f64 / draws as f64, &String::new);
        }
        Ok(Ended::Done(table))
    }
}

/// Draws from the Gaussian process of the outputs at random initialization, of which those are kept that have every label
/// right: the posterior of a classifier that knows no noise. No scale changes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Posterior {
    /// L: training points
    pub points: usize,
    /// how many are kept
    pub accepted: u64,
}

/// What is known of the Gaussian process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PosteriorFound {
    /// probe positive, of those with every label right: the posterior probability
    pub probe: Share,
    /// every label right, of all
    pub labels: Share,
    /// both in closed form, where the points are few enough
    pub exact: Option<Exact>,
}

/// Orthant probabilities in closed form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exact {
    /// of the probe given the labels
    pub probe: f64,
    /// of the labels
    pub labels: f64,
}

impl Posterior {
    /// P(f > 0 at the points) and P(f > 0 at the probe | f > 0 at the points); `None` where there are too many points.
    ///
    /// # Errors
    /// None for points that differ.
    pub fn exact(&self) -> Result<Option<Exact>, Error> {
        let n = self.points;
        if n + 1 > MOST_ENTRIES {
            return Ok(None);
        }
        let covariance = analytic(n, AnalyticKernel::Nngp)?;
        let all = MatRef::new(&covariance, n + 1, n + 1)?;
        let labels = orthant_probability(all.block(0..n, 0..n))?;
        Ok(Some(Exact { probe: orthant_probability(all)? / labels, labels }))
    }
    /// What its table says.
    ///
    /// # Errors
    /// Draws or columns are missing.
    pub fn found(&self, id: &str, table: &NumberTable) -> Result<PosteriorFound, Error> {
        let (probe, tried) = (table.column("probe")?, table.column("tried")?);
        Error::check_rows(id, probe.len(), self.accepted)?;
        Ok(PosteriorFound {
            labels: Share { successes: self.accepted, trials: tried.iter().sum::<f64>() as u64 },
            probe: Share::of(probe.into_iter().map(|f| f > 0.0)),
            exact: self.exact()?,
        })
    }
}

impl Measurement for Posterior {
    fn settings(&self) -> Result<String, Error> {
        Ok(toml::to_string(self)?)
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        Ok(toml::Table::try_from(self)?)
    }
    fn work(&self) -> f64 {
        2e-6 * self.accepted as f64
    }
    fn need(&self) -> Result<u64, Error> {
        Ok(8 * (4 * self.accepted + (BLOCK * (self.points + 1)) as u64))
    }
    /// A row for every draw that is kept: the probe's output, and how many were tried since the one before.
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let n = self.points;
        let covariance = analytic(n, AnalyticKernel::Nngp)?;
        let mut normals = Normals::new(draw_seed(PROCESS_STREAM, n, 0));
        let mut table = NumberTable::new(["probe", "tried"]);
        let mut tried = 0.0;
        while (table.rows().len() as u64) < self.accepted {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            let f = gaussian_draws(MatRef::new(&covariance, n + 1, n + 1)?, BLOCK, &mut normals)?;
            for draw in 0..BLOCK {
                tried += 1.0;
                let at = |i: usize| f[i * BLOCK + draw];
                if (0..n).all(|i| at(i) > 0.0) && (table.rows().len() as u64) < self.accepted {
                    table.push(vec![at(n), tried]);
                    tried = 0.0;
                }
            }
            observer.step(table.rows().len() as f64 / self.accepted as f64, &String::new);
        }
        Ok(Ended::Done(table))
    }
}

/// Draws at a time.
const BLOCK: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studies::probability::line::Parametrization;

    /// Of two points Sheppard's formula has the posterior, of four the one integral; both are what is drawn.
    #[test]
    fn the_posterior_is_the_ratio_of_orthants() {
        for points in [2, 4] {
            let posterior = Posterior { points, accepted: 20_000 };
            let table = posterior.measure(&mut (), &Stop::new()).unwrap().done().unwrap();
            let found = posterior.found("p", &table).unwrap();
            let exact = found.exact.unwrap();
            assert!(found.probe.errors_above(exact.probe).abs() < 4.0, "{found:?}");
            assert!(found.labels.errors_above(exact.labels).abs() < 4.0, "{found:?}");
            assert!(exact.probe > 0.5 && exact.probe < 1.0 && exact.labels < 0.5, "{exact:?}");
        }
        assert_eq!(Posterior { points: 5, accepted: 1 }.exact().unwrap(), None);
        // K(x, x') = |x| |x'| (sin a + (pi - a) cos a)/(2 pi) of the problem, written out for the probe and the first point
        let (a, norms) = ((1.0 / (17.0f64 * 5.0).sqrt()).acos(), (17.0f64 * 5.0).sqrt());
        let known = norms * (a.sin() + (std::f64::consts::PI - a) * a.cos()) / (2.0 * std::f64::consts::PI);
        let covariance = analytic(4, AnalyticKernel::Nngp).unwrap();
        assert!((covariance[4] - known).abs() < 1e-13, "{} {known}", covariance[4]);
    }

    /// The mean of the empirical kernels of many networks at these scales.
    #[test]
    fn the_fixed_kernel_is_the_mean_of_those_of_networks() {
        use ntkscope_core::MatMut;
        use ntkscope_core::forward::Params;
        use ntkscope_core::kernel::{MultiOutput, structured, structured_scratch, tangent, tangent_len};
        let line = Line { points: 2, parametrization: Parametrization::FanIn, scale: 1.3 };
        let (width, count) = (16, 4000);
        let fixed = FixedKernel::of(line, width, 1);
        assert_eq!(
            (fixed.width, FixedKernel::of(Line { parametrization: Parametrization::Ntk, ..line }, 16, 1).width),
            (Some(16), None)
        );
        let [expected, covariance] = fixed.kernels().unwrap();
        let (widths, all, backend) = ([width], points_and_probe(2), f64::fast());
        let (network, x) = (network(&widths).unwrap(), MatRef::new(&all, 3, 3).unwrap());
        let scales = line.parametrization.scales(width, line.scale);
        let (mut kernel, mut mean, mut outer) = ([0.0; 9], [0.0; 9], [0.0; 9]);
        let mut theta = vec![0.0; network.sizes().parameters];
        let mut buffer = vec![0.0; tangent_len(network.sizes(), 3)];
        let mut scratch = vec![0.0; structured_scratch(backend.tile(), 3, 3)];
        for seed in 0..count {
            scales.initialize(&network, seed, &mut theta).unwrap();
            let tangent = tangent(backend, Params::new(&network, &theta).unwrap(), x, &mut buffer).unwrap();
            let into = MatMut::new(&mut kernel, 3, 3).unwrap();
            structured(backend, &tangent, None, MultiOutput::Trace, into, &mut scratch).unwrap();
            let f = tangent.activations.outputs();
            for e in 0..9 {
                mean[e] += kernel[e] / count as f64;
                outer[e] += f.at(e / 3, 0) * f.at(e % 3, 0) / count as f64;
            }
        }
        for e in 0..9 {
            assert!((mean[e] / expected[e] - 1.0).abs() < 0.03, "{e}: {} {}", mean[e], expected[e]);
            let scale = (covariance[e / 3 * 4] * covariance[e % 3 * 4]).sqrt();
            assert!((outer[e] - covariance[e]).abs() < 0.12 * scale, "{e}: {} {}", outer[e], covariance[e]);
        }
    }
}
