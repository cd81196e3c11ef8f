//! The page of a comparison of checkpoints.

use anyhow::Result;

use super::states::{Comparison, Network};
use super::{COLUMNS, DriftArgs};
use crate::cli::terminal::command;
use crate::data::Samples;
use crate::files::Dtype;
use crate::plot::{Axis, Figure, HeatMap, Hue, MOST_CELLS, Mark, Scale, Series, Shading, share_palette};
use crate::report::{Block, Report, Section, Table, by_class, number, provenance};
use crate::words::{count, precise};

/// The page.
pub(super) fn page(
    args: &DriftArgs,
    network: &Network,
    samples: &Samples,
    comparison: &Comparison,
    dtype: Dtype,
) -> Result<Report> {
    let names: Vec<String> = args.files.iter().map(|file| file.display().to_string()).collect();
    let mut figures = vec![drift(comparison, &names)];
    figures.extend(comparison.has_kernels().then(|| spectra(comparison, &names, dtype)));
    figures.extend(maps(comparison, samples, &names));
    share_palette(&mut figures.iter_mut().collect::<Vec<_>>());
    let figures = figures.into_iter().map(|figure| Block::Figure(Box::new(figure))).collect();
    Ok(Report {
        title: "Drift of a network's kernel".into(),
        lead: lead(comparison, &names),
        sections: vec![
            Section {
                title: "Checkpoints".into(),
                blocks: vec![
                    Block::Paragraph(format!("{}; {}.", network.describe(), samples.description)),
                    Block::Table(table(comparison, &names)),
                ],
            },
            Section { title: "Figures".into(), blocks: figures },
            Section { title: "Provenance".into(), blocks: provenance(&command()) },
        ],
    })
}

/// What was seen, in a sentence or two.
fn lead(comparison: &Comparison, names: &[String]) -> String {
    let Some((last, name)) = comparison.rows.last().zip(names.last()) else { return String::new() };
    let share = comparison.columns(last, &["drift_fro", "alignment", "lambda_max"]);
    let before = comparison.rows.first().map_or(f64::NAN, |first| comparison.columns(first, &["lambda_max"])[0]);
    format!(
        "From {} to {name} the kernel has moved by {} its Frobenius norm; its centred alignment with the first is {}, and its \
         largest eigenvalue went from {} to {}. In the kernel regime the kernel would have stayed.",
        names[0],
        match share[0] {
            moved if moved < 1.0 => format!("{} % of", number(100.0 * moved)),
            moved => format!("{} times", number(moved)),
        },
        precise(share[1]),
        number(before),
        number(share[2])
    )
}

fn table(comparison: &Comparison, names: &[String]) -> Table {
    let known: Vec<&str> = COLUMNS
        .into_iter()
        .filter(|name| comparison.rows.iter().any(|row| !comparison.columns(row, &[name])[0].is_nan()))
        .collect();
    let header = ["checkpoint"].into_iter().chain(known.iter().copied());
    let caption = "Every checkpoint beside the first. Columns are those of a run's trace.csv; `ntkscope columns trace.csv` says what each is.";
    let mut table = Table::new(caption, header);
    for (name, row) in names.iter().zip(&comparison.rows) {
        let numbers = comparison.columns(row, &known).into_iter();
        let cell = |value: f64| if value.is_nan() { String::new() } else { number(value) };
        table.push([name.clone()].into_iter().chain(numbers.map(cell)));
    }
    table
}

/// Drift over the number of the checkpoint.
fn drift(comparison: &Comparison, names: &[String]) -> Figure {
    let x: Vec<f64> = (1..=names.len()).map(|index| index as f64).collect();
    let y: Vec<f64> = comparison.rows.iter().map(|row| row.snapshot.drift_fro).collect();
    Figure {
        name: "drift".into(),
        title: "Drift of the kernel from the first checkpoint".into(),
        x: Axis::new("checkpoint, in the order given", Scale::Linear),
        y: Axis::new("relative drift |K − K_{1}|/|K_{1}| (Frobenius)", Scale::Linear),
        series: vec![Series {
            label: "|K − K_{1}|/|K_{1}|".into(),
            x,
            y,
            mark: Mark::Points,
            hue: Hue::named("checkpoint", "drift"),
        }],
        caption: format!(
            "Relative distance of the empirical kernel of each of {} from that of the first.",
            count(names.len(), "checkpoint")
        ),
        ..Figure::default()
    }
}

/// Eigenvalues of the first and of the last kernel that rounding leaves.
fn spectra(comparison: &Comparison, names: &[String], dtype: Dtype) -> Figure {
    let mut series = Vec::new();
    let last = names.len() - 1;
    for (at, label) in [(0, "first"), (last, "last")] {
        let values: Vec<f64> = comparison.spectra[at].iter().rev().copied().collect();
        let rounding = dtype.epsilon() * values.len() as f64 * values.first().copied().unwrap_or(0.0);
        let known: Vec<f64> = values.into_iter().filter(|value| *value > rounding).collect();
        series.push(Series {
            label: label.into(),
            x: (1..=known.len()).map(|index| index as f64).collect(),
            y: known,
            mark: Mark::Line,
            hue: Hue::named("checkpoint", label),
        });
    }
    Figure {
        name: "spectrum".into(),
        title: "Eigenvalues of the kernel at the first and the last checkpoint".into(),
        x: Axis::new("index, from the largest", Scale::Log),
        y: Axis::new("eigenvalue", Scale::Log),
        series,
        caption: format!(
            "Eigenvalues of the empirical kernel of {} and of {}; those below rounding are left out.",
            names[0], names[last]
        ),
        ..Figure::default()
    }
}

/// The entries of the first and the last kernel and their difference, class by class; of a full kernel none.
fn maps(comparison: &Comparison, samples: &Samples, names: &[String]) -> Option<Figure> {
    let (n, first, last) = (samples.n, comparison.kernels.first()?, comparison.kernels.last()?);
    if comparison.side != n {
        return None;
    }
    let order = by_class(samples);
    let at = |i: usize, j: usize| order[i] * n + order[j];
    let ordered = if samples.labels.is_empty() { "in the order of the data" } else { "class by class" };
    let blocks = if n > MOST_CELLS { " Each cell is a mean over a block of the kernel." } else { "" };
    Some(Figure {
        name: "kernel".into(),
        title: "Kernel at the first and the last checkpoint".into(),
        x: Axis::new(format!("sample j, {ordered}"), Scale::Linear),
        y: Axis::new("sample i, from above", Scale::Linear),
        maps: vec![
            HeatMap::new("first", n, |i, j| first[at(i, j)], Shading::Sequential),
            HeatMap::new("last", n, |i, j| last[at(i, j)], Shading::Sequential),
            HeatMap::new("last − first", n, |i, j| last[at(i, j)] - first[at(i, j)], Shading::Diverging),
        ],
        caption: format!(
            "Entries of the empirical kernel of {} and of {}, {ordered}, each map with a scale of its own: pale is its smallest entry, \
             dark its largest. In the difference blue has fallen, orange has risen and white has not changed.{blocks}",
            names[0],
            names[names.len() - 1]
        ),
        ..Figure::default()
    })
}
