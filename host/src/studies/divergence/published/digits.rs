//! Figure 4: digits by gradient descent, above the stable rate and below.

use std::path::Path;

use super::NETWORKS;
use super::reading::spread;
use crate::analysis::statistics::Curve;
use crate::data::{ClassSelection, Normalize, Source};
use crate::experiment::{Init, KeptKernels, Model, OptimizerKind, Settings, Training};
use crate::files::{self, Dtype, npz};
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::report::{Kind, Table, number};
use crate::run::TraceRow;
use crate::study::Error;
use crate::study::cell::{Cell, Finished};
use crate::study::claim::{Claim, Subject, Theory, state_all};
use crate::study::draw::{Change, band};
use crate::study::grid::Job;
use crate::study::judge::Measured;
use crate::study::net::{CE, Net, Regularization};
use crate::study::options::Options;
use crate::study::paper::Part;
use crate::study::plan::{Findings, Plan};

/// Images; the paper's number is not stated.
const IMAGES: usize = 128;
/// Width of the figure.
const WIDTH: usize = 500;
/// The paper's learning rate, and one that is stable from the first step.
const RATES: [f64; 2] = [0.5, 0.05];
/// Read off figure 4, to 1: three values at five epochs.
const READ: [[f64; 5]; 3] =
    [[713.0, 739.0, 747.0, 758.0, 763.0], [735.0, 759.0, 793.0, 811.0, 827.0], [532.0, 550.0, 586.0, 598.0, 619.0]];
/// The epochs of those readings.
const EPOCHS: [f64; 5] = [11.0, 1e3, 1e4, 4e4, 1e5];
/// The epochs that the figure leaves out.
const LEFT_OUT: u64 = 10;

/// Runs of descent on digits.
pub(super) struct Digits(Vec<Cell>);

/// The runs of one network at one rate.
struct AtRate {
    net: Net,
    rate: f64,
    runs: Vec<Finished>,
    failed: usize,
}

impl Digits {
    /// Both networks at both rates over seeds.
    pub(super) fn new(part: &'static Part, options: &Options) -> Self {
        let seeds = options.seeds.unwrap_or(if options.full { 8 } else { 3 });
        let epochs = if options.full { 100_000 } else { 1_500 };
        let nets = NETWORKS.into_iter().filter(|net| options.has_network(net.kind));
        let of = |net| RATES.into_iter().flat_map(move |rate| (0..seeds).map(move |seed| (net, rate, seed)));
        Self(nets.flat_map(of).map(|(net, rate, seed)| cell(part, options, net, rate, seed, epochs)).collect())
    }
}

fn cell(part: &'static Part, options: &Options, net: Net, rate: f64, seed: u64, epochs: u64) -> Cell {
    let digits = Model {
        data: Source::Mnist,
        data_dir: options.data_dir.clone(),
        classes: Some(ClassSelection::Parity),
        normalize: Some(Normalize::None),
        n: Some(IMAGES),
        init: Init::Standard,
        seed,
        dtype: Dtype::F32,
        ..Model::default()
    };
    let training = Training {
        loss: CE,
        optimizer: OptimizerKind::Gd,
        rate: Some(rate),
        until_time: 2.0 * rate * epochs as f64,
        max_steps: epochs,
        snapshots: 48,
        kernels: KeptKernels::All,
        predictions: Some(false),
        ..Training::default()
    };
    let parameters = (WIDTH * (784 + net.matrices() * WIDTH)) as f64;
    Cell {
        id: format!("{}-{}-rate{rate}-s{seed}", part.name, net.name()),
        part,
        net,
        init: Init::Standard,
        regularization: Regularization::Plain,
        loss: CE,
        width: WIDTH,
        seed,
        settings: Settings { model: net.model(WIDTH, &digits), training },
        work: epochs as f64 * parameters * IMAGES as f64 * 7e-11,
    }
}

impl AtRate {
    fn subject(&self) -> Subject {
        Subject {
            network: format!("{}, rate {}; figure-4", self.net.title(), self.rate),
            loss: CE.to_string(),
            init: "standard".into(),
            failed: self.failed,
        }
    }
    fn over_seeds(&self, value: impl Fn(&Finished) -> Option<f64>) -> Measured {
        Measured::of(self.runs.iter().map(value), "not every run got that far")
    }
    fn is_the_papers(&self) -> bool {
        self.rate == RATES[0]
    }
    /// The row of a snapshot at this epoch or the last before it.
    fn at(run: &Finished, epoch: u64) -> Option<&TraceRow> {
        run.trace.rows.iter().rfind(|row| row.step <= epoch)
    }
}

fn largest(run: &Finished, column: fn(&TraceRow) -> f64) -> Option<f64> {
    run.trace.rows.iter().map(column).filter(|v| v.is_finite()).reduce(f64::max)
}

/// Over the largest along the run, where the run ends.
fn share_at_the_end(run: &Finished, column: fn(&TraceRow) -> f64) -> Option<f64> {
    Some(column(run.trace.rows.last()?) / largest(run, column)?)
}

static CLAIMS: &[Claim<AtRate>] = &[
    Claim {
        name: "A5 figure 4: descent starts above the stable rate",
        place: "figure 4; derived: stable below reading 1",
        kind: Kind::Claim,
        about: AtRate::subject,
        measure: |at| {
            at.over_seeds(|run| {
                let early = run.trace.rows.iter().filter(|row| row.step <= LEFT_OUT);
                early.map(|row| row.stability).filter(|v| v.is_finite()).reduce(f64::max)
            })
        },
        theory: |at| {
            Some(if at.is_the_papers() { Theory::at_least(1.0).said("> 1") } else { Theory::at_most(1.0).said("< 1") })
        },
        note: |at| {
            let peak = at.over_seeds(|run| Some(largest(run, |row| row.loss)? / run.trace.rows.first()?.loss));
            format!(
                "largest stability reading, rate × sharpness/2, at the snapshots of the first {LEFT_OUT} epochs; the loss rises to {} times its start",
                spread(&peak)
            )
        },
        failing: "",
    },
    Claim {
        name: "A5 figure 4: the kernel comes back towards K_{0}",
        place: "figure 4, which leaves out the first 10 epochs",
        kind: Kind::Claim,
        about: AtRate::subject,
        measure: |at| at.over_seeds(|run| share_at_the_end(run, |row| row.drift_fro)),
        theory: |at| {
            let reason = "the scatter of gates that flip";
            Some(match at.is_the_papers() {
                true => Theory::at_most(0.9).said("< 0.9; 1 if the drift only grows"),
                false => Theory::number(1.0).said("1: the drift only grows").within(0.05, reason),
            })
        },
        note: |at| {
            let of = |share: &Measured| spread(share);
            let peak = of(&at.over_seeds(|run| largest(run, |row| row.drift_fro)));
            let fallen = of(&at.over_seeds(|run| {
                let first = run.trace.rows.first()?.lambda_max;
                Some(run.trace.rows.iter().map(|row| row.lambda_max).fold(f64::INFINITY, f64::min) / first)
            }));
            let last =
                of(&at.over_seeds(|run| Some(run.trace.rows.last()?.lambda_max / run.trace.rows.first()?.lambda_max)));
            format!(
                "relative drift at the last epoch over the largest along the run, which is {peak}; λ_{{max}}(K_{{t}}) falls to {fallen} of its start and \
                 ends at {last} of it"
            )
        },
        failing: "",
    },
];

impl Plan for Digits {
    fn jobs(&self) -> Vec<&dyn Job> {
        self.0.iter().map(|cell| cell as &dyn Job).collect()
    }
    fn cells(&self) -> &[Cell] {
        &self.0
    }
    fn findings(&self, finished: &[Finished], study: &Path) -> Result<Findings, Error> {
        let mut all = Vec::new();
        for net in NETWORKS {
            for rate in RATES {
                let here: Vec<&Finished> = finished
                    .iter()
                    .filter(|run| run.cell.net == net && run.cell.settings.training.rate == Some(rate))
                    .collect();
                let runs: Vec<Finished> = here.iter().copied().filter(|run| run.failure.is_none()).cloned().collect();
                let failed = here.len() - runs.len();
                if !runs.is_empty() {
                    all.push(AtRate { net, rate, runs, failed });
                }
            }
        }
        let mut figures = Vec::new();
        for net in NETWORKS {
            let of_net: Vec<&AtRate> = all.iter().filter(|at| at.net == net).collect();
            if !of_net.is_empty() {
                figures.push(drifts(&of_net));
                figures.extend(values(&of_net, study)?);
            }
        }
        let tables = all.iter().map(along).collect();
        let claims = all.iter().flat_map(|at| state_all(CLAIMS, at)).collect();
        let sizes = format!("{} images.", finished.first().map_or(IMAGES, |run| run.samples));
        Ok(Findings { sizes, claims, figures, tables }.without_failed(finished))
    }
}

/// Of the first seed, as figure 4 is of one.
fn along(at: &AtRate) -> Table {
    let header = ["epoch", "mean loss", "λ_{max}(K_{t})/n", "stability reading", "relative drift"];
    let caption = format!("Descent at rate {}, {}, first seed.", at.rate, at.net.title());
    let mut table = Table::new(caption, header);
    let Some(run) = at.runs.first() else { return table };
    let mut last = None;
    for epoch in [0, 2, 6, 10, 20, 100, 600, 1_500, 10_000, 100_000] {
        let Some(row) = AtRate::at(run, epoch).filter(|row| last.replace(row.step) != Some(row.step)) else { continue };
        let short = |value: f64| number(format!("{value:.2e}").parse().unwrap_or(value));
        let size = row.lambda_max / run.samples as f64;
        table.push([number(row.step as f64), short(row.loss), short(size), short(row.stability), short(row.drift_fro)]);
    }
    table
}

const RATE: &str = "learning rate";

fn drifts(of_net: &[&AtRate]) -> Figure {
    let mut series = Vec::new();
    for at in of_net {
        let curve = |run: &Finished| {
            let rows = run.trace.rows.iter().filter(|row| row.step > 0 && row.finite);
            Curve::new(rows.map(|row| ((row.step as f64).ln(), row.drift_fro.ln())))
        };
        let curves: Vec<Curve> = at.runs.iter().map(curve).collect();
        series.extend(band(&curves, Change::EXP, format!("rate {}", at.rate), Hue::named(RATE, at.rate.to_string())));
    }
    let (net, seeds) = of_net.first().map_or((NETWORKS[0], 0), |at| (at.net, at.runs.len()));
    Figure {
        name: format!("figure-4-{}-drift", net.name()),
        title: format!("Figure 4: drift above and below the stable rate, {}", net.title()),
        x: Axis::new("epoch", Scale::Log),
        y: Axis::new("|K_{t} − K_{0}|_{F}/|K_{0}|_{F}", Scale::Log),
        series,
        caption: format!(
            "Relative drift of the kernel of {IMAGES} digits under gradient descent, {}; bands run from the smallest to the largest of {seeds} seeds. \
             At rate 0.5 the first epochs throw the kernel, and it comes back; the paper's figure begins at epoch 11.",
            net.title()
        ),
        ..Figure::default()
    }
}

/// K_t(x, x) of the three images whose kernels at initialization are nearest to the values read off, relative to epoch 11.
fn values(of_net: &[&AtRate], study: &Path) -> Result<Option<Figure>, Error> {
    let mut series = Vec::new();
    for at in of_net {
        let Some(run) = at.runs.first() else { continue };
        let Some(diagonals) = diagonals(run, study)? else { continue };
        for (which, read) in READ.iter().enumerate() {
            let Some(first) = diagonals.first() else { continue };
            let near = |image: &usize| (first.1[*image] - read[0]).abs();
            let Some(image) = (0..first.1.len()).min_by(|a, b| near(a).total_cmp(&near(b))) else { continue };
            let Some((_, from)) = diagonals.iter().find(|(step, _)| *step > LEFT_OUT as f64) else { continue };
            let shown = diagonals.iter().filter(|(step, _)| *step > 0.0);
            let points = shown.map(|(step, diagonal)| (*step, diagonal[image] / from[image])).unzip();
            let label = format!("rate {}, image {image}", at.rate);
            let mark = if at.is_the_papers() { Mark::Line } else { Mark::Dashed };
            series.push(Series::new(label, points, mark, Hue::named("value of figure 4", which.to_string())));
        }
    }
    for (which, read) in READ.iter().enumerate() {
        let y = read.iter().map(|value| value / read[0]).collect();
        let label = format!("read off, from {}", read[0]);
        series.push(Series::new(
            label,
            (EPOCHS.to_vec(), y),
            Mark::Points,
            Hue::named("value of figure 4", which.to_string()),
        ));
    }
    let net = of_net.first().map_or(NETWORKS[0], |at| at.net);
    Ok((series.len() > READ.len()).then(|| Figure {
        name: format!("figure-4-{}-values", net.name()),
        title: format!("Figure 4: three values of the kernel, {}", net.title()),
        x: Axis::new("epoch", Scale::Log),
        y: Axis::new("K_{t}(x, x), relative to epoch 11", Scale::Linear),
        series,
        caption: format!(
            "K_{{t}}(x, x) of three images over its value at the first snapshot after epoch {LEFT_OUT}, first seed, {}; points are read off the paper's \
             figure 4, whose images are not known. The images shown are those whose kernels at initialization are nearest to its values.",
            net.title()
        ),
        ..Figure::default()
    }))
}

/// Step, and K_t(x_i, x_i) for every image, at a snapshot.
type Diagonal = (f64, Vec<f64>);

/// The diagonals of all snapshots; `None` where no kernels are kept.
fn diagonals(run: &Finished, study: &Path) -> Result<Option<Vec<Diagonal>>, Error> {
    let path = run.cell.directory(study).join("kernels.npz");
    if !path.exists() {
        return Ok(None);
    }
    let fault = |fault| files::Error::Npz { path: path.clone(), fault };
    let (shape, kernels) = npz::open(&path)?.array("points").map_err(fault)?;
    let n = shape.last().copied().unwrap_or(0).max(1);
    let diagonal = |kernel: &[f64]| kernel.iter().step_by(n + 1).copied().collect::<Vec<f64>>();
    let steps = run.trace.rows.iter().map(|row| row.step as f64);
    Ok(Some(steps.zip(kernels.chunks_exact(n * n).map(diagonal)).collect()))
}
