//! Figure 4 again: the course of descent in numbers, the drift at both rates, three values of the kernel.

use std::path::Path;

use super::NETWORKS;
use super::digits::{AtRate, IMAGES, LEFT_OUT, RISE, RISES};
use super::reading::{beside, spread};
use crate::analysis::statistics::Curve;
use crate::files::{self, npz};
use crate::plot::{Axis, Figure, Hue, Mark, Scale, Series};
use crate::report::{ClaimRow, Table, number};
use crate::study::Error;
use crate::study::cell::Finished;
use crate::study::draw::{Change, band};
use crate::study::grid::Job;
use crate::words::count;

/// Read off figure 4: three values at five epochs, to 1; at 1,000 the middles of what jumps between 733 and 745, 750 and 768, 543 and 558, and at
/// the last epoch of what oscillates between 617 and 621.
const READ: [[f64; 5]; 3] =
    [[713.0, 739.0, 747.0, 758.0, 763.0], [735.0, 759.0, 793.0, 811.0, 827.0], [532.0, 550.0, 586.0, 598.0, 619.0]];
/// The epochs of those readings.
const EPOCHS: [f64; 5] = [11.0, 1e3, 1e4, 4e4, 1e5];

/// Of the first seed, as figure 4 is of one.
pub(super) fn along(at: &AtRate) -> Table {
    let header =
        ["epoch", "mean loss", "λ_{max}(K_{t})/n", "stability reading", "rate × λ_{max}(K_{t})/(8n)", "relative drift"];
    let caption = format!(
        "Descent at rate {}, {}, first seed. Below 1 the stability reading says that small deviations from the path do not grow, \
         to first order: a step from large outputs, where p (1 − p) is small, can overshoot all the same. Below 1 the next column excludes that whatever the \
         outputs.",
        at.rate,
        at.net.title()
    );
    let mut table = Table::new(caption, header);
    let Some(run) = at.runs.first() else { return table };
    let mut last = None;
    for epoch in [0, 1, 2, 3, 4, 6, 10, 20, 100, 600, 1_500, 10_000, 100_000] {
        let Some(row) = AtRate::at(run, epoch).filter(|row| last.replace(row.step) != Some(row.step)) else { continue };
        let short = |value: f64| number(format!("{value:.2e}").parse().unwrap_or(value));
        let size = row.lambda_max / run.samples as f64;
        let cells = [row.loss, size, row.stability, at.rate * size / 8.0, row.drift_fro];
        table.push([number(row.step as f64)].into_iter().chain(cells.map(short)));
    }
    table
}

const RATE: &str = "learning rate";

/// The drift along training at both rates.
pub(super) fn drifts(of_net: &[&AtRate]) -> Figure {
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
            "Relative drift of the kernel of {IMAGES} digits under gradient descent, {}; bands run from the smallest to the largest of {}. \
             At rate 0.5 descent overshoots in the first epochs, and the kernel jumps; the paper's figure begins at epoch 11.",
            net.title(),
            count(seeds, "seed")
        ),
        ..Figure::default()
    }
}

/// K_t(x, x) of the three images whose kernels at initialization are nearest to the values read off, relative to epoch 11.
pub(super) fn values(of_net: &[&AtRate]) -> Option<Figure> {
    let mut series = Vec::new();
    for at in of_net {
        let Some(diagonals) = at.diagonals.first() else { continue };
        let mut taken = Vec::new();
        for (which, read) in READ.iter().enumerate() {
            let Some((_, first)) = diagonals.first() else { continue };
            let near = |image: &usize| (first[*image] - read[0]).abs();
            let free = (0..first.len()).filter(|image| !taken.contains(image));
            let Some(image) = free.min_by(|a, b| near(a).total_cmp(&near(b))) else { continue };
            taken.push(image);
            let Some((_, from)) = diagonals.iter().find(|(step, _)| *step > LEFT_OUT) else { continue };
            let shown = diagonals.iter().filter(|(step, _)| *step > 0);
            let points = shown.map(|(step, diagonal)| (*step as f64, diagonal[image] / from[image])).unzip();
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
    (series.len() > READ.len()).then(|| Figure {
        name: format!("figure-4-{}-values", net.name()),
        title: format!("Figure 4: three values of the kernel, {}", net.title()),
        x: Axis::new("epoch", Scale::Log),
        y: Axis::new("K_{t}(x, x) over its value after epoch 10", Scale::Linear),
        series,
        caption: format!(
            "K_{{t}}(x, x) of three images over its value at the first snapshot after epoch {LEFT_OUT} (points: at epoch 11), first seed, {}; points are read off the paper's \
             figure 4, whose images are not known. The images shown are those whose kernels at initialization are nearest to its values.",
            net.title()
        ),
        ..Figure::default()
    })
}

/// The rise of K_t(x, x) after the epochs that the figure leaves out, at both rates.
pub(super) fn rises(all: &[AtRate], rows: &[ClaimRow]) -> Table {
    let header = ["network", "rate", "epoch", "t = rate × epoch", "figure 4", "ours", "ours, over epoch 0"];
    let caption = "K_{t}(x, x) over its value at the first snapshot after epoch 10: the mean of figure 4's three values, and of ours over all images \
                   (mean ± standard deviation of one seed), and whether that can be what the figure shows. Last: ours over K_{0}(x, x); while it is below 1 the kernel is on its way back. What is equal at both rates at the same t has nothing to do with \
                   stability. A dash: the runs end before that epoch.";
    let mut table = Table::new(caption, header);
    for at in all {
        for rise in &RISES {
            let read = if at.is_the_papers() { number(rise.read) } else { "–".into() };
            let over_start = spread(&rise.measured(at, 0));
            let ours = beside(&rise.measured(at, LEFT_OUT + 1), rows, &RISE[0], &at.subject(), rise.read);
            let [rate, epoch] = [at.rate, rise.epoch as f64];
            table.push([at.net.title(), number(rate), number(epoch), number(rate * epoch), read, ours, over_start]);
        }
    }
    table
}

/// Step, and K_t(x_i, x_i) for every image, snapshot by snapshot.
pub(super) type Diagonals = Vec<(u64, Vec<f64>)>;

/// The diagonals of all snapshots; none where no kernels are kept.
pub(super) fn diagonals(run: &Finished, study: &Path) -> Result<Diagonals, Error> {
    let path = run.cell.run.directory(study).join("kernels.npz");
    if files::look(&path)?.is_none() {
        return Ok(Diagonals::new());
    }
    let fault = |fault| files::Error::Npz { path: path.clone(), fault };
    let (shape, kernels) = npz::open(&path)?.array("points").map_err(fault)?;
    let n = shape.last().copied().unwrap_or(0).max(1);
    let diagonal = |kernel: &[f64]| kernel.iter().step_by(n + 1).copied().collect::<Vec<f64>>();
    let steps = run.trace.rows.iter().map(|row| row.step);
    Ok(steps.zip(kernels.chunks_exact(n * n).map(diagonal)).collect())
}
