//! The same comparison where the kernels do not fit into memory: exactly, by strips of their rows, or estimated from products
//! (`--probes`); largest eigenvalues from products in either case.

use std::ops::Range;

use anyhow::Result;
use bytesize::ByteSize;
use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{MultiOutput, gram, tangent_len};
use ntkscope_core::network::Network;
use ntkscope_core::record::Snapshot;
use ntkscope_core::{Error as CoreError, MatMut, MatRef};

use super::DriftArgs;
use super::states::{Beside, Comparison, Row, beyond};
use crate::analysis::drift_by_rows::DriftByRows;
use crate::analysis::watch::Goal;
use crate::backend::{HostReal, threads};
use crate::cli::terminal::{progress, say};
use crate::data::Samples;
use crate::kernel::{
    self, Awaited, Cut, Difference, Directions, Empirical, Gradients, KernelSource, KernelWork, Operator, Outermost,
    ProductPlan, ProductWork, Search, Space, convert, outermost, rows_per_sample, strips,
};
use crate::machine::memory::bytes_of;
use crate::machine::{self, Ended, MemoryLimit, Stop};
use crate::run::outputs_of;
use crate::words::count;

/// Eigenvectors of each kernel and of the difference that are kept out of the random vectors.
const KNOWN: usize = 8;
/// Most products in search of an eigenvalue.
const MOST: usize = 256;
/// Seed of the random vectors.
const SEED: u64 = 0;

/// What is compared.
pub(super) struct Large<'a, N, T> {
    pub(super) network: &'a N,
    /// parameters of every checkpoint
    pub(super) thetas: Vec<Vec<T>>,
    pub(super) samples: &'a Samples,
    pub(super) outputs: MultiOutput,
    pub(super) goal: Option<Goal<T>>,
    pub(super) args: &'a DriftArgs,
    pub(super) limit: Option<MemoryLimit>,
    pub(super) stop: &'a Stop,
}

/// How it is done.
struct Plan {
    /// of the strips, where there are any
    cut: Option<Cut>,
    products: ProductPlan,
    /// bytes that it takes at most
    forecast: u64,
}

impl<N: Network, T: HostReal> Large<'_, N, T> {
    /// Rows of a kernel.
    fn rows(&self) -> usize {
        self.samples.n * rows_per_sample(self.outputs, self.network.sizes().outputs)
    }

    /// Whether the kernel is compared with the Gram matrix of the targets, which has as many rows.
    fn has_gram(&self) -> bool {
        self.goal.is_some() && self.rows() == self.samples.n
    }

    fn search(count: usize, awaited: Awaited) -> Search {
        Search { awaited, most: MOST, ..Search::of::<T>(count) }
    }

    fn plan(&self) -> Result<Plan, machine::Error> {
        let (sizes, n, d, rows) = (self.network.sizes(), self.samples.n, self.samples.d, self.rows());
        let numbers = |count: usize| bytes_of(count as u128, size_of::<T>());
        let checkpoints = self.thetas.len();
        let parameters = bytes_of((checkpoints * sizes.parameters) as u128, 8 + size_of::<T>());
        // outputs, targets; the first rows of all kernels
        let held = parameters + numbers(3 * n * sizes.outputs + (checkpoints + 1) * rows);
        let what = format!("a comparison of kernels of {}", count(rows, "row"));
        let directions = self.args.probes.map_or(0, |probes| usize::from(probes) + 2 * KNOWN + 1);
        let work = |beside: u64| ProductWork {
            samples: n,
            inputs: d,
            sizes,
            empirical: Some(self.outputs),
            scalar: size_of::<T>(),
            tile: T::fast().tile(),
            threads: threads(),
            ranks: 1,
            beside,
        };
        let known = bytes_of((2 * KNOWN * rows) as u128, 8);
        let vectors = Self::search(KNOWN, Awaited::Largest)
            .bytes(rows)
            .max(bytes_of(((4 * directions + 3 * sizes.outputs) * rows) as u128, 8));
        let beside = held + known + vectors;
        let tangents = numbers(tangent_len(sizes, n).saturating_add(n * d));
        // two kernels at a time: what one of them keeps comes twice
        let products = match work(beside.saturating_add(tangents)).plan(&what, self.limit) {
            Ok(plan) if plan.keep => plan,
            _ => ProductPlan { keep: false, ..work(beside).plan(&what, self.limit)? },
        };
        if self.args.probes.is_some() {
            return Ok(Plan { cut: None, forecast: products.forecast, products });
        }
        let strips = KernelWork::new::<T>(self.network, n, Some(self.outputs));
        // a strip of the Gram matrix of the targets is one more
        let strips = strips.plan_strips(checkpoints + usize::from(self.has_gram()), held, self.limit)?;
        Ok(Plan { cut: Some(strips.0), forecast: products.forecast.max(strips.1), products })
    }

    /// Every column that is known without the kernels being formed.
    pub(super) fn measure(&self) -> Result<Ended<Comparison>> {
        let plan = self.plan()?;
        if !self.args.common.quiet && !self.args.common.json {
            let how = match self.args.probes {
                Some(probes) => format!(
                    "drift_fro and the alignments are estimated from products with {}, and drift_max is not known",
                    count(probes.into(), "random vector")
                ),
                None => "made anew in strips of their rows, of which drift and alignment are exact; --probes estimates them from products"
                    .into(),
            };
            let rest =
                "lambda_max and drift_operator are by Lanczos; for the rest of a spectrum see `ntkscope spectrum`";
            say(&format!("note: the kernels are not formed, but {how}; {rest}"));
            say(&format!("memory: about {}", ByteSize::b(plan.forecast)));
        }
        let mut rows = self.by_themselves()?;
        let sources = self.sources()?;
        if let Some(cut) = plan.cut
            && self.by_strips(&sources, &cut, &mut rows)? == Ended::Stopped
        {
            return Ok(Ended::Stopped);
        }
        let mut rows: Vec<Row> =
            rows.iter().map(|row| Row { snapshot: row.to_f64(), beside: Beside::UNKNOWN }).collect();
        if self.by_products(&sources, plan.products, &mut rows)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        Ok(Ended::Done(Comparison { rows, kernels: Vec::new(), spectra: Vec::new(), side: self.rows() }))
    }

    fn sources(&self) -> Result<Vec<Empirical<'_, N, T>>> {
        let mut sources = Vec::new();
        for theta in &self.thetas {
            let params = Params::new(self.network, theta)?;
            sources.push(Empirical { backend: T::fast(), params, samples: self.samples, outputs: self.outputs });
        }
        Ok(sources)
    }

    fn targets(&self) -> Result<Option<MatRef<'_, T>>> {
        let columns = self.network.sizes().outputs;
        Ok(self.goal.as_ref().map(|goal| MatRef::new(&goal.targets, self.samples.n, columns)).transpose()?)
    }

    /// What parameters and outputs say.
    fn by_themselves(&self) -> Result<Vec<Snapshot<T>>> {
        let (n, sizes, mut x) = (self.samples.n, self.network.sizes(), Vec::new());
        convert(&self.samples.x, self.samples.d, &mut x)?;
        let x = MatRef::new(&x, n, self.samples.d)?;
        let (mut rows, mut space) = (Vec::new(), Vec::new());
        for theta in &self.thetas {
            let mut row = Snapshot::unknown();
            row.set_parameters(theta, &self.thetas[0]);
            let outputs = outputs_of(T::fast(), Params::new(self.network, theta)?, x, &mut space)?;
            if !row.param_norm.is_finite() || outputs.iter().any(|f| !f.is_finite()) {
                return Err(beyond::<T>(&self.args.files[rows.len()]));
            }
            row.finite = true;
            if let (Some(goal), Some(targets)) = (&self.goal, self.targets()?) {
                row.set_objective(&goal.loss.evaluate(MatRef::new(&outputs, n, sizes.outputs)?, targets)?);
                goal.leave_defined(&mut row);
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// Drift and alignment, from every entry.
    fn by_strips(&self, sources: &[Empirical<'_, N, T>], cut: &Cut, rows: &mut [Snapshot<T>]) -> Result<Ended> {
        let (n, side) = (self.samples.n, self.rows());
        let targets = self.targets()?.filter(|_| self.has_gram());
        let mut firsts = Vec::new();
        for source in sources {
            firsts.push(first_row(source)?);
        }
        let mut of_targets = vec![T::ZERO; n];
        if let Some(targets) = targets {
            gram(targets, 0..1, &mut of_targets);
        }
        let view = |row| MatRef::new(row, 1, side);
        let of_targets = targets.map(|_| view(&of_targets)).transpose()?;
        let mut sums = Vec::new();
        for first in &firsts {
            sums.push(DriftByRows::new(view(first)?, view(&firsts[0])?, of_targets)?);
        }
        let bar = progress("drift", 1000, self.args.common.quiet);
        let (mut space, mut lost) = (Vec::new(), None);
        let mut sink = |part: Range<usize>, kernels: &[MatRef<'_, T>]| {
            let height = part.len();
            if let Some(targets) = targets {
                space.resize(height * n, T::ZERO);
                gram(targets, part, &mut space);
            }
            let of_targets = targets.map(|_| MatRef::new(&space, height, n)).transpose()?;
            for ((sums, now), file) in sums.iter_mut().zip(kernels).zip(&self.args.files) {
                sums.add(*now, kernels[0], of_targets).inspect_err(|_| lost = Some(file))?;
            }
            Ok(())
        };
        let mut told = |done: f64| bar.set_position((1000.0 * done) as u64);
        let ended = strips(sources, cut, &mut sink, &mut told, self.stop);
        if let (Err(kernel::Error::Core(CoreError::NonFinite { .. })), Some(file)) = (&ended, lost) {
            return Err(beyond::<T>(file));
        }
        if ended? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        for (sums, row) in sums.iter().zip(rows) {
            sums.write(row)?;
        }
        Ok(Ended::Done(()))
    }

    /// Largest eigenvalues of the kernels and of their differences, and where probes are asked for drift and alignment.
    fn by_products(&self, sources: &[Empirical<'_, N, T>], plan: ProductPlan, rows: &mut [Row]) -> Result<Ended> {
        let bar = progress("largest eigenvalues", (2 * rows.len() - 1) as u64, self.args.common.quiet);
        let (mut of_first, mut of_now) = (Vec::new(), Vec::new());
        let Ended::Done(mut first) = self.operator(&sources[0], plan, &mut of_first)? else {
            return Ok(Ended::Stopped);
        };
        // their vectors are of use to random ones alone
        let known = if self.args.probes.is_some() { KNOWN } else { 1 };
        let Ended::Done(ends) = self.ends(&mut first, known, Awaited::Largest)? else { return Ok(Ended::Stopped) };
        bar.inc(1);
        let lambda = ends.largest[0].value;
        let sure: Vec<Vec<f64>> = ends
            .largest
            .iter()
            .zip(ends.vectors)
            .filter(|(ritz, _)| ritz.converged)
            .map(|(_, vector)| vector)
            .collect();
        rows[0].largest(&ends.largest[0]);
        (rows[0].beside.drift_operator, rows[0].beside.drift_operator_residual) = (0.0 / lambda, 0.0 / lambda);
        if let Some(probes) = self.args.probes {
            let directions = Directions::new(self.rows(), &sure, probes.into(), SEED);
            let Ended::Done(products) = directions.products(&mut first, &mut |_| (), self.stop)? else {
                return Ok(Ended::Stopped);
            };
            rows[0].of_itself(&directions.apart(&products, &products));
            if self.with_targets(&mut first, (&directions, &products), &mut rows[0])? == Ended::Stopped {
                return Ok(Ended::Stopped);
            }
        }
        for (source, row) in sources.iter().zip(rows).skip(1) {
            let Ended::Done(mut now) = self.operator(source, plan, &mut of_now)? else { return Ok(Ended::Stopped) };
            let Ended::Done(ends) = self.ends(&mut now, 1, Awaited::Largest)? else { return Ok(Ended::Stopped) };
            bar.inc(1);
            row.largest(&ends.largest[0]);
            let mut difference = Difference { later: &mut now, earlier: &mut first };
            let Ended::Done(ends) = self.ends(&mut difference, known, Awaited::Farthest)? else {
                return Ok(Ended::Stopped);
            };
            bar.inc(1);
            ends.farthest().iter().for_each(|farthest| row.set_operator_drift(farthest, lambda));
            let Some(probes) = self.args.probes else { continue };
            let known: Vec<Vec<f64>> = sure.iter().cloned().chain(ends.vectors).collect();
            let directions = Directions::new(self.rows(), &known, probes.into(), SEED);
            let (Ended::Done(of_now), Ended::Done(of_first)) = (
                directions.products(&mut now, &mut |_| (), self.stop)?,
                directions.products(&mut first, &mut |_| (), self.stop)?,
            ) else {
                return Ok(Ended::Stopped);
            };
            row.estimated(directions.apart(&of_now, &of_first));
            if self.with_targets(&mut now, (&directions, &of_now), row)? == Ended::Stopped {
                return Ok(Ended::Stopped);
            }
        }
        Ok(Ended::Done(()))
    }

    /// The alignment of a kernel with the Gram matrix of the targets, where they have one.
    fn with_targets(
        &self,
        operator: &mut dyn Operator,
        (directions, products): (&Directions, &[f64]),
        row: &mut Row,
    ) -> Result<Ended> {
        let (n, Some(targets)) = (self.samples.n, self.targets()?.filter(|_| self.has_gram())) else {
            return Ok(Ended::Done(()));
        };
        let mut centred = Vec::with_capacity(targets.cols() * n);
        for c in 0..targets.cols() {
            let column = || (0..n).map(|i| targets.at(i, c).to_f64());
            let mean = column().sum::<f64>() / n as f64;
            centred.extend(column().map(|y| y - mean));
        }
        let mut out = vec![0.0; centred.len()];
        let (y, into) = (MatRef::new(&centred, targets.cols(), n)?, MatMut::new(&mut out, targets.cols(), n)?);
        if operator.apply(y, into, &mut |_| (), self.stop)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        let found = directions.aligned(products, &centred, &out);
        (row.snapshot.target_alignment, row.beside.target_alignment_se) = (found.value, found.error);
        Ok(Ended::Done(()))
    }

    fn operator<'s>(
        &self,
        source: &'s Empirical<'s, N, T>,
        plan: ProductPlan,
        spaces: &'s mut Vec<Space<T>>,
    ) -> Result<Ended<Gradients<'s, N, T>>> {
        let made_anew = Gradients::new(source, plan.at_once);
        if !plan.keep {
            return Ok(Ended::Done(made_anew));
        }
        Ok(made_anew.keeping(spaces, self.stop)?)
    }

    fn ends(&self, operator: &mut dyn Operator, count: usize, awaited: Awaited) -> Result<Ended<Outermost>> {
        let stop = self.stop;
        let mut product = |v: MatRef<'_, f64>, w: MatMut<'_, f64>| operator.apply(v, w, &mut |_| (), stop);
        Ok(outermost(self.rows(), Self::search(count, awaited), &mut product, stop)?)
    }
}

/// Row 0 of a kernel `(1, rows)`.
fn first_row<N: Network, T: HostReal>(source: &Empirical<'_, N, T>) -> Result<Vec<T>> {
    let mut row = Vec::new();
    let cut = Cut { samples: T::fast().tile().cols, kept: false };
    let (n, each) = (source.samples.count(), source.rows_per_sample());
    let (mut left, mut right) = (Space::default(), Space::default());
    let side = left.side(source, 0..1)?;
    let mut scratch = vec![T::ZERO; source.scratch(cut.samples.min(n))];
    for part in cut.parts(n) {
        let (width, mut block) = (part.len() * each, vec![T::ZERO; each * part.len() * each]);
        let beside = right.side(source, part)?;
        source.entries(&side, Some(&beside), MatMut::new(&mut block, each, width)?, &mut scratch)?;
        row.extend_from_slice(&block[..width]);
    }
    Ok(row)
}
