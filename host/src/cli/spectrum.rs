//! `ntkscope spectrum`: what is known of the eigenvalues of a kernel that is never formed.

use std::path::{Path, PathBuf};

use anyhow::Result;
use bytesize::ByteSize;
use clap::Args;
use ntkscope_core::MatRef;
use ntkscope_core::kernel::MultiOutput;
use ntkscope_core::network::Network;
use serde_json::{Map, Value as Json, json};
use toml::{Table, Value};

use super::json::{document, print_document};
use super::kernel_options::OutputsArgs;
use super::large::{Large, LargeArgs, LargeKernel, Task, by_gradients, by_panels};
use super::ranked::{check_alike, least};
use super::terminal::{DONE, INTERRUPTED, Progress, print, progress, say, stop_on_interrupt, warn};
use super::unused::{Takes, refuse, used};
use super::{Common, ModelArgs};
use crate::backend::HostReal;
use crate::data;
use crate::files::numbers::Json as Number;
use crate::files::{Dtype, Format, Roles, check_output};
use crate::kernel::{Density, Effort, Estimated, Operator, Outermost, Ritz, Search, density, density_bytes, outermost};
use crate::machine::{Ended, MemoryLimit, Stop, ranks, with_threads};
use crate::run::write_arrays;
use crate::words::{count, number, precise, with_error};

const EXAMPLES: &str = "\
Examples:
  ntkscope spectrum --data mnist --data-dir DIR --n 10000 --dtype f32
      both ends, density and effective rank of the analytic NTK, from products with it alone
  ntkscope spectrum --kernel empirical --params P.npz --data samples.csv --out S.npz
  ntkscope spectrum --kernel empirical --width 4096 --memory 1GiB --json";

/// Vectors of a product where one with several costs as much as one with a single vector.
const BLOCK: usize = 8;
/// Seed of the probes.
const SEED: u64 = 0;
/// At how many values of lambda the density is told.
const THRESHOLDS: usize = 60;

/// `ntkscope spectrum`
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES)]
pub struct SpectrumArgs {
    /// Network and data
    #[command(flatten)]
    pub model: ModelArgs,
    /// Which kernel
    #[command(flatten)]
    pub large: LargeArgs,
    /// Which outputs
    #[command(flatten)]
    pub outputs: OutputsArgs,
    /// Number of eigenvalues at each end
    #[arg(long, value_name = "K", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Estimate")]
    pub ends: u16,
    /// Most products with the kernel in search of the eigenvalues at the ends [default: 256, or 64 of 8 vectors each for analytic kernels]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Estimate")]
    pub products: Option<u32>,
    /// Number of random vectors (probes) for density, effective rank and Frobenius norm; their scatter gives the standard errors
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..=1000), help_heading = "Estimate")]
    pub probes: u16,
    /// Products with all probes: the density is resolved more finely with more of them
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u16).range(2..=2000), help_heading = "Estimate")]
    pub steps: u16,
    /// Save the results: S.npz (arrays largest, smallest, lambda, count, …); an existing file is replaced
    #[arg(long, value_name = "FILE.npz", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// The rest
    #[command(flatten)]
    pub common: Common,
}

/// Estimates, saves, prints; returns the exit code.
pub fn spectrum(args: SpectrumArgs) -> Result<u8> {
    let args = SpectrumArgs { out: args.out.filter(|_| ranks().is_first()), ..args };
    with_threads(args.common.threads, || spectrum_here(&args))?
}

fn spectrum_here(args: &SpectrumArgs) -> Result<u8> {
    let asked = args.large.ask("spectrum", &args.model, args.outputs.given())?;
    refuse("spectrum", &asked.given, &Takes::Only(&[]))?;
    let model = &asked.settings.model;
    let roles = Roles::new().reads("data", data::inputs(&model.data_spec())).reads("params", &args.large.params);
    roles.writes("out", &args.out)?;
    args.out.as_deref().map_or(Ok(()), |path| check_output("out", path, &[Format::Npz]).map(drop))?;
    let budget = args.common.budget(args.large.smaller());
    let samples = data::load(&model.data_spec(), &budget)?;
    warn(&samples, args.common.quiet);
    check_alike(&samples)?;
    let stop = stop_on_interrupt();
    let estimate = Estimate { args, limit: least(budget.limit()), stop: &stop };
    let Ended::Done(found) = args.large.with(&asked, &samples, estimate)? else {
        say("interrupted");
        return Ok(INTERRUPTED);
    };
    if let Some(path) = &args.out {
        found.write(path)?;
    }
    if !args.common.json {
        found.print()?;
        return Ok(DONE);
    }
    let mut settings = Table::try_from(model)?;
    let kernel = clap::ValueEnum::to_possible_value(&args.large.kernel);
    settings.insert("kernel".into(), Value::String(kernel.map_or(String::new(), |k| k.get_name().to_owned())));
    settings.insert("probes".into(), Value::Integer(args.probes.into()));
    settings.insert("steps".into(), Value::Integer(args.steps.into()));
    let mut body = found.json();
    body.insert("data".into(), json!(samples.description));
    print_document(&document("spectrum", &used("spectrum", settings), Json::Object(body)))?;
    Ok(DONE)
}

/// What is asked of the kernel.
struct Estimate<'a> {
    args: &'a SpectrumArgs,
    limit: Option<MemoryLimit>,
    stop: &'a Stop,
}

/// What is known of it.
struct Found {
    network: String,
    rows: usize,
    trace: f64,
    ends: Outermost,
    density: Density,
    memory: u64,
}

impl Task for Estimate<'_> {
    type Found = Found;
    fn run<T: HostReal, N: Network>(self, large: Large<'_, N, T>) -> Result<Ended<Found>> {
        let Self { args, limit, stop } = self;
        let outputs = match large.which {
            LargeKernel::Empirical => args.outputs.of(large.network.sizes().outputs)?,
            _ => MultiOutput::Trace,
        };
        let empirical = large.which == LargeKernel::Empirical;
        let (block, products) = if empirical { (1, 256) } else { (BLOCK, 64) };
        let most = args.products.map_or(products, |products| products as usize);
        let search = Search { block, most, ..Search::of::<T>(args.ends.into()) };
        let rows = large.work(outputs, 0).rows();
        // the vectors of the largest eigenvalues are kept while the density is estimated
        let known = search.count as u64 * 8 * rows as u64;
        let beside = search.bytes(rows).max(density_bytes(rows, args.probes.into()) + known);
        let plan = large.work(outputs, beside).plan(&format!("the spectrum of {}", count(rows, "row")), limit)?;
        if !args.common.quiet && !args.common.json {
            say(&format!("{}; {}", large.described, large.samples.description));
            say(&format!("memory: about {}; the kernel is not formed", ByteSize::b(plan.forecast)));
        }
        let mut spaces = Vec::new();
        let (source, of_network);
        let mut operator: Box<dyn Operator> = if empirical {
            of_network = large.empirical(large.theta, outputs)?;
            match by_gradients(&of_network, plan, &mut spaces, stop)? {
                Ended::Done(operator) => operator,
                Ended::Stopped => return Ok(Ended::Stopped),
            }
        } else {
            source = large.analytic();
            by_panels(&source)
        };
        let bar = progress("spectrum", 1000, args.common.quiet);
        let Ended::Done((trace, ends, density)) = estimated(args, &mut *operator, search, &bar, stop)? else {
            return Ok(Ended::Stopped);
        };
        Ok(Ended::Done(Found { network: large.described.clone(), rows, trace, ends, density, memory: plan.forecast }))
    }
}

/// tr K, both ends, the density.
fn estimated(
    args: &SpectrumArgs,
    operator: &mut dyn Operator,
    search: Search,
    bar: &Progress,
    stop: &Stop,
) -> Result<Ended<(f64, Outermost, Density)>> {
    let Ended::Done(diagonal) = operator.diagonal(stop)? else { return Ok(Ended::Stopped) };
    let (trace, rows) = (diagonal.iter().sum::<f64>(), operator.rows());
    // a product with one vector costs what one with many does, or as much for each
    let shared = operator.shares_products();
    let of_density = usize::from(args.steps) * if shared { 1 } else { args.probes.into() };
    let all = (search.most + of_density) as f64;
    let tell = |done: f64, what: &str| {
        bar.set_position((1000.0 * done / all) as u64);
        bar.set_message(what);
    };
    let mut steps = 0.0;
    let mut product = |v: MatRef<'_, f64>, w: ntkscope_core::MatMut<'_, f64>| {
        let ended = operator.apply(v, w, &mut |share| tell(steps + share, "at most, outermost eigenvalues"), stop)?;
        steps += 1.0;
        Ok(ended)
    };
    let Ended::Done(ends) = outermost(rows, search, &mut product, stop)? else { return Ok(Ended::Stopped) };
    let effort = Effort { probes: args.probes.into(), steps: args.steps.into(), seed: SEED };
    let sure = ends.largest.iter().zip(&ends.vectors).filter(|(ritz, _)| ritz.converged);
    let known: Vec<(f64, &[f64])> = sure.map(|(ritz, vector)| (ritz.value, &vector[..])).collect();
    let mut told = |share: f64| tell(search.most as f64 + share * of_density as f64, "density");
    let found = density(operator, effort, (trace, &known), &mut told, stop)?;
    Ok(match found {
        Ended::Done(density) => Ended::Done((trace, ends, density)),
        Ended::Stopped => Ended::Stopped,
    })
}

impl Found {
    /// Values of lambda, descending evenly in their logarithm, and how many eigenvalues are at least that.
    fn thresholds(&self) -> Vec<(f64, Estimated)> {
        let (low, high) = self.density.ends();
        let low = low.max(high * f64::EPSILON);
        if high <= 0.0 {
            return Vec::new();
        }
        // both ends as they are: rounding beyond one would leave its eigenvalue out
        let at = |k: usize| match k {
            0 => high,
            _ if k == THRESHOLDS - 1 => low,
            _ => high * (low / high).powf(k as f64 / (THRESHOLDS - 1) as f64),
        };
        (0..THRESHOLDS).map(|k| (at(k), self.density.count_from(at(k)))).collect()
    }

    fn print(&self) -> Result<()> {
        let line = |what: &str, value: &str| print(&format!("{what:<22}{value}"));
        line("rows", &self.rows.to_string())?;
        line("trace", &precise(self.trace))?;
        line("Frobenius norm", &told(self.density.frobenius()))?;
        line("effective rank", &told(self.density.effective_rank()))?;
        for (what, ritz, bound) in
            [("largest eigenvalues", &self.ends.largest, ">= "), ("smallest eigenvalues", &self.ends.smallest, "<= ")]
        {
            for (k, ritz) in ritz.iter().enumerate() {
                let bound = if ritz.converged { "" } else { bound };
                let value = format!("{bound}{} (residual {})", precise(ritz.value), number(ritz.residual));
                line(if k == 0 { what } else { "" }, &value)?;
            }
        }
        let products = count(self.ends.steps, "product");
        line("", &format!("by {products} with the kernel, and {} for the density", self.density.steps))
    }

    fn json(&self) -> Map<String, Json> {
        let estimated = |of: Estimated| json!({ "value": Number(of.value), "error": Number(of.error) });
        let ritz = |ritz: &Ritz| json!({ "value": Number(ritz.value), "residual": Number(ritz.residual), "converged": ritz.converged });
        let thresholds = self.thresholds();
        let all = json!({
            "network": self.network, "rows": self.rows, "trace": Number(self.trace),
            "frobenius": estimated(self.density.frobenius()),
            "effective_rank": estimated(self.density.effective_rank()),
            "largest": self.ends.largest.iter().map(ritz).collect::<Vec<_>>(),
            "smallest": self.ends.smallest.iter().map(ritz).collect::<Vec<_>>(),
            "products": self.ends.steps, "density_products": self.density.steps,
            "density": thresholds.iter().map(|(lambda, count)| json!({
                "lambda": Number(*lambda), "count": Number(count.value), "error": Number(count.error),
            })).collect::<Vec<_>>(),
            "memory": { "forecast": self.memory },
        });
        if let Json::Object(all) = all { all } else { Map::new() }
    }

    fn write(&self, path: &Path) -> Result<()> {
        let column = |ritz: &[Ritz], of: fn(&Ritz) -> f64| ritz.iter().map(of).collect::<Vec<f64>>();
        let thresholds = self.thresholds();
        let of = |pick: fn(&(f64, Estimated)) -> f64| thresholds.iter().map(pick).collect::<Vec<f64>>();
        let (rank, frobenius) = (self.density.effective_rank(), self.density.frobenius());
        let arrays = [
            ("largest", column(&self.ends.largest, |ritz| ritz.value)),
            ("largest_residual", column(&self.ends.largest, |ritz| ritz.residual)),
            ("smallest", column(&self.ends.smallest, |ritz| ritz.value)),
            ("smallest_residual", column(&self.ends.smallest, |ritz| ritz.residual)),
            ("lambda", of(|(lambda, _)| *lambda)),
            ("count", of(|(_, count)| count.value)),
            ("count_error", of(|(_, count)| count.error)),
            ("trace", vec![self.trace]),
            ("effective_rank", vec![rank.value, rank.error]),
            ("frobenius", vec![frobenius.value, frobenius.error]),
        ];
        let shapes: Vec<Vec<usize>> = arrays.iter().map(|(_, numbers)| vec![numbers.len()]).collect();
        let arrays: Vec<_> =
            arrays.iter().zip(&shapes).map(|((name, numbers), shape)| (*name, shape, numbers)).collect();
        Ok(write_arrays(path, &arrays, Dtype::F64)?)
    }
}

fn told(of: Estimated) -> String {
    format!("{} (estimated)", with_error(of.value, of.error))
}
