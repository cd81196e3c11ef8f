//! What a sweep leaves: `cells.csv`, the figures, the page.

use std::path::Path;

use toml::Table as Settings;

use super::figures::figures;
use super::{Point, SEED, Sweep};
use crate::analysis::statistics::Estimate;
use crate::files::{Cell, CsvTable};
use crate::plot::{FigureStyle, share_palette};
use crate::report::narrative::terms;
use crate::report::{Block, Report, Section, Table, VERSION, number, number_with_error, provenance, settings_in_words};
use crate::run::TraceRow;
use crate::study::Error;
use crate::study::cell::Finished;
use crate::study::grid::Job;
use crate::study::group::Column;
use crate::study::page::made_on;
use crate::study::table::{RESULTS, results};
use crate::words::count;

/// The files that a sweep writes into its directory itself.
pub const FILES: [&str; 2] = ["cells.csv", "report.html"];

/// Most rows of the page's table.
const MOST_ROWS: usize = 200;

/// What the page's table tells of the ends: its heading, and the number.
const COLUMNS: [(&str, Column); 5] = [
    ("drift max|K_{t} − K_{0}|", |row| row.drift_max),
    ("relative drift", |row| row.drift_fro),
    ("mean margin", |row| row.margin_mean),
    ("loss", |row| row.loss),
    ("accuracy", |row| row.accuracy),
];

impl Sweep {
    /// Writes `cells.csv`, the figures and the report from the finished runs; returns these. `command` is what was typed; without
    /// a style there are no figures.
    ///
    /// # Errors
    /// A run that is not finished, a damaged file, a disk that does not take the results.
    pub fn write(
        &self,
        directory: &Path,
        style: Option<FigureStyle>,
        command: &str,
    ) -> Result<Vec<Finished<Point>>, Error> {
        let read = |point: &Point| Ok(Finished::read(&point.run.directory(directory), point.clone())?.0);
        let finished: Vec<Finished<Point>> = self.points.iter().map(read).collect::<Result<_, Error>>()?;
        self.table(&finished).write(&directory.join("cells.csv"))?;
        let tables: Vec<Settings> = self.jobs().map(|job| job.plan()).collect::<Result<_, _>>()?;
        let settings = settings_in_words(&tables);
        let mut sections = vec![Section { title: "Results".into(), blocks: self.results(&finished) }];
        if let Some(style) = style {
            let (mut figures, left_out) = figures(self, &finished);
            share_palette(&mut figures.iter_mut().collect::<Vec<_>>());
            let mut blocks = Vec::new();
            for mut figure in figures {
                figure.settings = format!("ntkscope {VERSION}; sweep; {settings}");
                figure.style = style;
                let named = |source| Error::Figure { name: figure.name.clone(), source };
                figure.save(&directory.join("figures")).map_err(named)?;
                blocks.push(Block::Figure(Box::new(figure)));
            }
            if !left_out.is_empty() {
                blocks.push(Block::Paragraph(left_out));
            }
            sections.push(Section { title: "Figures".into(), blocks });
        }
        let terms = terms(finished.iter().any(|run| run.cell.run.settings.training.loss_sum));
        sections.push(Section { title: "Notation".into(), blocks: vec![Block::Paragraph(terms)] });
        let mut made = provenance(command);
        made.extend(made_on(&self.jobs().collect::<Vec<_>>(), directory)?.into_iter().map(Block::Paragraph));
        made.push(Block::Folded("Settings of the runs".into(), vec![Block::Paragraph(format!("{settings}."))]));
        sections.push(Section { title: "Provenance".into(), blocks: made });
        let report = Report { title: format!("Sweep: {}", self.in_words()), lead: self.lead(&finished), sections };
        report.save(&directory.join("report.html"))?;
        Ok(finished)
    }

    /// One row per run: the settings that vary, and the results.
    fn table(&self, finished: &[Finished<Point>]) -> CsvTable {
        let keys = self.axes.iter().map(|axis| axis.key.as_str());
        let mut table = CsvTable::new(["id"].into_iter().chain(keys).chain(RESULTS));
        for run in finished {
            let settings = self.values(&run.cell).map(|(_, word)| Cell::from(word));
            let id = [Cell::from(run.cell.run.id.as_str())];
            table.push(id.into_iter().chain(settings).chain(results(run)).collect::<Vec<_>>());
        }
        table
    }

    fn lead(&self, finished: &[Finished<Point>]) -> String {
        let runs = count(finished.len(), "run");
        let values = |axis: &super::Axis| match &axis.words[..] {
            [first, .., last] if axis.words.len() > 8 => format!("{} {first} … {last}", axis.key),
            words => format!("{} {}", axis.key, words.join(", ")),
        };
        let axes: Vec<String> = self.axes.iter().map(values).collect();
        let failures = match finished.iter().filter(|run| run.failure.is_some()).count() {
            0 => String::new(),
            failures => {
                format!(" {failures} failed and are left out of means and figures; cells.csv gives the reasons.")
            }
        };
        if axes.is_empty() { format!("{runs}.{failures}") } else { format!("{runs}: {}.{failures}", axes.join("; ")) }
    }

    fn results(&self, finished: &[Finished<Point>]) -> Vec<Block> {
        let runs = "cells.csv has a row for every run, and runs/ what each has left.";
        vec![Block::Table(self.summary(finished)), Block::Paragraph(runs.into())]
    }

    /// Where the runs ended: a row for every combination but for seeds, over which means are taken.
    pub fn summary(&self, finished: &[Finished<Point>]) -> Table {
        let shown: Vec<usize> = (0..self.axes.len()).filter(|axis| self.axes[*axis].key != SEED).collect();
        let known: Vec<_> = COLUMNS
            .into_iter()
            .filter(|(_, value)| {
                finished.iter().filter_map(|run| run.trace.rows.last()).any(|row| !value(row).is_nan())
            })
            .collect();
        let seeds = shown.len() < self.axes.len();
        let caption = match seeds {
            true => "Where the runs ended: means over the seeds with their standard errors.",
            false => "Where the runs ended.",
        };
        let keys = shown.iter().map(|axis| self.axes[*axis].key.as_str());
        let header = keys.chain(["runs", "failed"]).chain(known.iter().map(|(name, _)| *name));
        let mut table = Table::new(caption, header);
        let mut groups: Vec<(Vec<usize>, Vec<&Finished<Point>>)> = Vec::new();
        for run in finished {
            let of: Vec<usize> = shown.iter().map(|axis| run.cell.at[*axis]).collect();
            match groups.iter_mut().find(|(group, _)| *group == of) {
                Some((_, runs)) => runs.push(run),
                None => groups.push((of, vec![run])),
            }
        }
        for (group, runs) in groups.iter().take(MOST_ROWS) {
            let words = shown.iter().zip(group).map(|(axis, at)| self.axes[*axis].words[*at].clone());
            let whole: Vec<&TraceRow> =
                runs.iter().filter(|run| run.failure.is_none()).filter_map(|run| run.trace.rows.last()).collect();
            let counts = [runs.len().to_string(), (runs.len() - whole.len()).to_string()];
            let ends = known.iter().map(|(_, value)| {
                let values: Vec<f64> = whole.iter().map(|row| value(row)).collect();
                match Estimate::from_values(&values) {
                    None => String::new(),
                    Some(Estimate { value, error: None, .. }) => number(value),
                    Some(Estimate { value, error: Some(0.0), .. }) => number(value),
                    Some(Estimate { value, error: Some(error), .. }) => number_with_error(value, error),
                }
            });
            table.push(words.chain(counts).chain(ends));
        }
        if groups.len() > MOST_ROWS {
            table.push([format!("… and {} further rows", groups.len() - MOST_ROWS)]);
        }
        table
    }
}
