//! Kernels at initialization on points of the circle, of many seeds.

use ntkscope_core::MatRef;
use ntkscope_core::kernel::AnalyticKernel;
use ntkscope_core::network::{Bias, Network};

use crate::backend::HostReal;
use crate::data::{Samples, Source, load};
use crate::experiment::{Init, Model};
use crate::files::numbers::NumberTable;
use crate::kernel::{analytic_kernel, initial_kernel};
use crate::machine::{Budget, Ended, Stop};
use crate::run::Observer;
use crate::study::Error;
use crate::study::kept::{Kept, Measurement};
use crate::study::net::Net;

/// Networks of one kind at their start, on n points of the circle.
pub(super) struct Initial {
    /// the network
    pub(super) net: Net,
    /// and its width, data and initialization
    model: Model,
    /// how many seeds
    seeds: u64,
}

/// What was measured: a value for every seed.
#[derive(Clone)]
pub(super) struct Kernels {
    /// the network
    pub(super) net: Net,
    /// its width m
    pub(super) width: usize,
    /// mean of K_0(x_i, x_i) over the points
    pub(super) diagonal: Vec<f64>,
    /// K_0(x_0, x_j): `rows[seed][j]`
    pub(super) rows: Vec<Vec<f64>>,
    /// Theta(x_0, x_j)
    pub(super) analytic: Vec<f64>,
    /// mean of Theta(x_i, x_i) over the points
    pub(super) analytic_diagonal: f64,
}

impl Initial {
    /// Of a network on n points, which are a full turn.
    pub(super) fn new(part: &str, net: Net, width: usize, n: usize, seeds: u64) -> Kept<Self> {
        let circle = Model { data: Source::Circle, n: Some(n), init: Init::Standard, ..Model::default() };
        let measurement = Self { net, model: net.model(width, &circle), seeds };
        // results of other numbers of seeds can be kept
        Kept { id: format!("{part}-{}-w{width}-seeds{seeds}", net.name()), measurement }
    }

    fn samples(&self) -> Result<Samples, Error> {
        Ok(load(&self.model.data_spec(), &Budget::default())?)
    }

    /// The same with biases elsewhere.
    pub(super) fn with_bias(&self, bias: Bias) -> Self {
        let net = self.net.with_bias(bias);
        Self { net, model: net.model(self.model.width, &self.model), seeds: self.seeds }
    }

    /// Of the analytic kernel: the mean of its diagonal, and its first row.
    ///
    /// # Errors
    /// Data that cannot be read; a machine without memory.
    pub(super) fn analytic(&self) -> Result<Vec<f64>, Error> {
        let samples = self.samples()?;
        let shape = self.model.shape(&samples)?;
        let network = self.model.network(&shape)?;
        let x = MatRef::new(&samples.x, samples.n, samples.d)?;
        Ok(row(&analytic_kernel(f64::fast(), &network, AnalyticKernel::Ntk, x)?, samples.n))
    }

    fn parameters(&self) -> Result<usize, Error> {
        let shape = self.model.shape(&self.samples()?)?;
        Ok(self.model.network(&shape)?.sizes().parameters)
    }
}

impl Measurement for Initial {
    fn settings(&self) -> Result<String, Error> {
        Ok(toml::to_string(&self.plan()?)?)
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        let mut table = toml::Table::try_from(&self.model)?;
        table.remove("seed");
        table.insert("seeds".into(), i64::try_from(self.seeds).unwrap_or(i64::MAX).into());
        Ok(table)
    }
    /// Normal numbers, and the passes over them.
    fn work(&self) -> f64 {
        self.seeds as f64 * self.parameters().map_or(0.0, |count| count as f64) * 2.5e-8
    }
    /// Parameters, and what reads them.
    fn need(&self) -> Result<u64, Error> {
        Ok(2 * 8 * self.parameters()? as u64)
    }
    fn measure(&self, observer: &mut (dyn Observer + Send), stop: &Stop) -> Result<Ended<NumberTable>, Error> {
        let samples = self.samples()?;
        let shape = self.model.shape(&samples)?;
        let network = self.model.network(&shape)?;
        let x = MatRef::new(&samples.x, samples.n, samples.d)?;
        let columns = ["diagonal".to_owned()].into_iter().chain((0..samples.n).map(|j| format!("k{j}")));
        let mut table = NumberTable::new(columns);
        for seed in 0..self.seeds {
            if stop.requested() {
                return Ok(Ended::Stopped);
            }
            table.push(row(&initial_kernel(f64::fast(), &network, seed, x)?, samples.n));
            observer.step((seed + 1) as f64 / self.seeds as f64, &String::new);
        }
        Ok(Ended::Done(table))
    }
}

/// The mean of a kernel's diagonal, and its first row.
fn row(kernel: &[f64], n: usize) -> Vec<f64> {
    let diagonal = kernel.iter().step_by(n + 1).sum::<f64>() / n as f64;
    [diagonal].into_iter().chain(kernel[..n].iter().copied()).collect()
}

/// The finished measurement, beside the analytic kernel.
///
/// # Errors
/// There is none, or it is damaged.
pub(super) fn read(kept: &Kept<Initial>, study: &std::path::Path) -> Result<Kernels, Error> {
    let Initial { net, model, .. } = &kept.measurement;
    let (table, analytic) = (kept.read(study)?, kept.measurement.analytic()?);
    let (analytic_diagonal, analytic) = (analytic[0], analytic[1..].to_vec());
    let (diagonal, n) = (table.column("diagonal")?, analytic.len());
    let columns: Vec<Vec<f64>> = (0..n).map(|j| table.column(&format!("k{j}"))).collect::<Result<_, _>>()?;
    let rows = (0..diagonal.len()).map(|seed| columns.iter().map(|column| column[seed]).collect()).collect();
    Ok(Kernels { net: *net, width: model.width, diagonal, rows, analytic, analytic_diagonal })
}
