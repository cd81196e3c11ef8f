//! What every study leaves for people: the table of claims, the figures, the page around both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Error;
use super::claim::{Stated, judge};
use super::grid::Job;
use super::judge::Level;
use super::manifest::Manifest;
use super::plan::Judged;
use super::table::claims_table;
use crate::plot::{Figure, share_palette};
use crate::report::{Block, ClaimRow, Kind, Report, Section, Table, Verdict, number};
use crate::words::count as counted;

/// The files that a study writes into its directory itself.
pub const FILES: [&str; 3] = ["claims.csv", "cells.csv", "report.html"];

/// A study's page.
pub struct Page {
    /// its heading
    pub title: String,
    /// what was seen; the count of the claims is added
    pub lead: String,
    /// beginnings of the names of the figures that show it, the best first
    pub key: &'static [&'static str],
    /// what verdicts are about
    pub caveat: &'static str,
    /// claims that belong to no part
    pub claims: Vec<Stated>,
    /// the parts, in order
    pub chapters: Vec<Chapter>,
    /// what the words mean, a paragraph each
    pub terms: Vec<String>,
    /// how the page was made
    pub made: Vec<Block>,
}

/// A part of the study.
pub struct Chapter {
    /// heading
    pub title: &'static str,
    /// what was done
    pub introduction: String,
    /// what it shows
    pub figures: Vec<Figure>,
    /// what it shows in numbers
    pub tables: Vec<Table>,
    /// and in verdicts
    pub judged: Option<Judged>,
    /// what the claims say of it
    pub claims: Vec<Stated>,
}

/// How many claims and checks came out how, in a sentence.
pub fn count(rows: &[ClaimRow]) -> String {
    let of = |kind: Kind| rows.iter().filter(move |row| row.kind == kind);
    let with = |kind: Kind, verdict: Verdict| of(kind).filter(|row| row.verdict == verdict).count();
    let [holds, fails, open] = Verdict::ALL.map(|verdict| verdict.counted(with(Kind::Claim, verdict)));
    let checks = match of(Kind::Check).count() {
        all if with(Kind::Check, Verdict::Holds) == all => format!("all {} hold", counted(all, "check")),
        all => {
            let [holds, fails, open] = Verdict::ALL.map(|verdict| verdict.counted(with(Kind::Check, verdict)));
            format!("of {} {holds}, {fails} and {open}", counted(all, "check"))
        }
    };
    match of(Kind::Claim).count() {
        0 => format!("There are no claims, and {checks}."),
        claims => format!("Of {} {holds}, {fails} and {open}; {checks}.", counted(claims, "claim")),
    }
}

/// How the claims were judged, in words.
fn rule(level: Level) -> String {
    let tightened = match level.judged {
        0 => ".".into(),
        judged if judged == level.decided => ".".into(),
        judged => format!(
            ", tightened because {} of {} are decided, so that at most {} of these verdicts are expected to be false (Benjamini–Hochberg \
             procedure at 2.5 % of the verdicts).",
            level.decided,
            counted(judged, "claim"),
            number((100.0 * level.expected_false()).round() / 100.0)
        ),
    };
    format!(
        "A claim holds if the whole confidence interval lies inside the allowed range and fails if it lies wholly outside; otherwise the runs \
         do not decide it. The allowed range was fixed beforehand and its reason is given. Intervals are Student's t over the seeds, at a \
         confidence of {} %: the usual 95 %{tightened}",
        number((1e4 * level.coverage()).round() / 100.0)
    )
}

impl Page {
    /// Writes `claims.csv`, the figures and `report.html`; returns all claims, in order.
    ///
    /// # Errors
    /// A figure that cannot be drawn; a file that cannot be written.
    pub fn write(self, directory: &Path) -> Result<Vec<ClaimRow>, Error> {
        let Self { title: heading, lead, key, caveat, mut claims, mut chapters, terms, made } = self;
        // all are judged together, and every part is told of its own
        let mut of_parts = Vec::new();
        for chapter in &mut chapters {
            let first = claims.len();
            claims.append(&mut chapter.claims);
            of_parts.push(first..claims.len());
        }
        let (rows, level) = judge(claims);
        claims_table(&rows).write(&directory.join("claims.csv"))?;
        share_palette(&mut chapters.iter_mut().flat_map(|chapter| &mut chapter.figures).collect::<Vec<_>>());
        let mut parts = Vec::new();
        let is_key = |key: &&str| chapters.iter().flat_map(|c| &c.figures).any(|figure| figure.name.starts_with(*key));
        let key = key.iter().copied().find(is_key);
        let mut first = None;
        for (Chapter { title, introduction, figures, tables, judged, .. }, own) in chapters.into_iter().zip(of_parts) {
            let mut blocks = vec![Block::Paragraph(introduction)];
            let judged = judged.map(|tables| tables(&rows[own])).unwrap_or_default();
            blocks.extend(judged.into_iter().chain(tables).map(Block::Table));
            for figure in figures {
                let named = |source| Error::Figure { name: figure.name.clone(), source };
                figure.save(&directory.join("figures")).map_err(named)?;
                if first.is_none() && key.is_some_and(|key| figure.name.starts_with(key)) {
                    first = Some(figure);
                } else {
                    blocks.push(Block::Figure(Box::new(figure)));
                }
            }
            parts.push(Section { title: title.into(), blocks });
        }
        let lead = format!("{lead} {}", count(&rows));
        let mut sections = Vec::new();
        if let Some(figure) = first {
            sections.push(Section { title: "Key figure".into(), blocks: vec![Block::Figure(Box::new(figure))] });
        }
        sections.extend(verdicts(&rows, caveat, level));
        sections.extend(parts);
        let terms = terms.into_iter().map(Block::Paragraph).collect();
        sections.push(Section { title: "Notation".into(), blocks: terms });
        sections.push(Section { title: "Provenance".into(), blocks: made });
        let report = Report { title: heading, lead, sections };
        report.save(&directory.join("report.html"))?;
        Ok(rows)
    }
}

/// What is open or wrong first, then every claim, then the checks behind a line.
fn verdicts(rows: &[ClaimRow], caveat: &str, level: Level) -> Vec<Section> {
    let (claims, checks): (Vec<ClaimRow>, Vec<ClaimRow>) =
        rows.iter().cloned().partition(|row| row.kind == Kind::Claim);
    let open =
        |row: &&ClaimRow| row.verdict == Verdict::Fails || row.kind == Kind::Check && row.verdict != Verdict::Holds;
    let failed: Vec<ClaimRow> = rows.iter().filter(open).cloned().collect();
    let undecided: Vec<ClaimRow> = claims.iter().filter(|row| row.verdict == Verdict::NotDecided).cloned().collect();
    let mut sections = Vec::new();
    let mut blocks = Vec::new();
    if !failed.is_empty() {
        blocks.push(Block::Verdicts("Claims that fail, and checks that do not hold".into(), failed));
    }
    if !undecided.is_empty() {
        blocks.push(Block::Verdicts("Claims that these runs do not decide".into(), undecided));
    }
    if !blocks.is_empty() {
        sections.push(Section { title: "Failed or undecided".into(), blocks });
    }
    let mut blocks = vec![Block::Paragraph(rule(level)), Block::Paragraph(caveat.into())];
    if !claims.is_empty() {
        blocks.push(Block::Verdicts("Claims".into(), claims));
    }
    if !checks.is_empty() {
        let line = format!("{} checks of the program", checks.len());
        let why =
            "Identities, bounds and reference values of the formulas: only an error of the program can break them.";
        blocks.push(Block::Folded(line, vec![Block::Paragraph(why.into()), Block::Verdicts("Checks".into(), checks)]));
    }
    sections.push(Section { title: "Claims".into(), blocks });
    sections
}

/// The instruction sets that made the runs, on which the last bits of a sum depend, and the data that they used.
pub(super) fn made_on(jobs: &[&dyn Job], directory: &Path) -> Result<Vec<String>, Error> {
    let (mut counted, mut data) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    for job in jobs {
        if let Some(manifest) = Manifest::read(&job.directory(directory))? {
            *counted.entry(manifest.instructions).or_default() += 1;
            data.extend(manifest.data_sha256);
        }
    }
    let sets: Vec<String> = counted.iter().map(|(set, count)| format!("{set} ({count})")).collect();
    let sets = match sets.len() {
        0 | 1 => format!("Instruction set of the runs: {}.", sets.join(", ")),
        _ => format!(
            "The runs were made with several instruction sets: {}. Each rounds sums differently, so numbers that depend on \
             rounding differ between these runs as they would not on one machine.",
            sets.join(", ")
        ),
    };
    let data: Vec<String> = data.into_iter().collect();
    Ok(match data.len() {
        0 => vec![sets],
        _ => vec![sets, format!("SHA-256 of the data: {}.", data.join(", "))],
    })
}
