//! What every study leaves for people: the table of claims, the figures, the page around both.

use std::path::Path;

use super::Error;
use super::table::claims_table;
use crate::plot::{Figure, share_palette};
use crate::report::{Block, Claim, Report, Section, Verdict};

/// The files that a study writes into its directory itself.
pub const FILES: [&str; 3] = ["claims.csv", "cells.csv", "report.html"];

/// A study's page.
pub struct Page {
    /// the study's name
    pub study: &'static str,
    /// what was seen; the count of the claims is added
    pub lead: String,
    /// what uncertainties and verdicts mean
    pub caveat: &'static str,
    /// claims that belong to no part
    pub claims: Vec<Claim>,
    /// the parts, in order
    pub chapters: Vec<Chapter>,
    /// what the words mean, a paragraph each
    pub terms: Vec<String>,
}

/// A part of the study.
pub struct Chapter {
    /// heading
    pub title: &'static str,
    /// what was done
    pub introduction: String,
    /// what it shows
    pub figures: Vec<Figure>,
    /// what was found of the claims
    pub claims: Vec<Claim>,
}

impl Page {
    /// Writes `claims.csv`, the figures and `report.html`; returns all claims, in order.
    ///
    /// # Errors
    /// A figure that cannot be drawn; a file that cannot be written.
    pub fn write(self, directory: &Path) -> Result<Vec<Claim>, Error> {
        let Self { study, lead, caveat, mut claims, mut chapters, terms } = self;
        share_palette(&mut chapters.iter_mut().flat_map(|chapter| &mut chapter.figures).collect::<Vec<_>>());
        let mut parts = Vec::new();
        for Chapter { title, introduction, figures, claims: of_part } in chapters {
            claims.extend(of_part);
            let mut blocks = vec![Block::Paragraph(introduction)];
            for figure in figures {
                let named = |source| Error::Figure { name: figure.name.clone(), source };
                figure.save(&directory.join("figures")).map_err(named)?;
                blocks.push(Block::Figure(Box::new(figure)));
            }
            parts.push(Section { title: title.into(), blocks });
        }
        claims_table(&claims).write(&directory.join("claims.csv"))?;
        let count = |verdict: Verdict| claims.iter().filter(|claim| claim.verdict == verdict).count();
        let [holds, fails, open] = Verdict::ALL.map(count);
        let lead = format!("{lead} Of {} claims {holds} hold, {fails} fail and {open} are not reached.", claims.len());
        let verdicts = vec![Block::Paragraph(caveat.into()), Block::Verdicts(claims.clone())];
        let terms = terms.into_iter().map(Block::Paragraph).collect();
        let mut sections = vec![Section { title: "Claims".into(), blocks: verdicts }];
        sections.extend(parts);
        sections.push(Section { title: "Terms".into(), blocks: terms });
        let report = Report { title: format!("ntkscope reproduce {study}"), lead, sections };
        report.save(&directory.join("report.html"))?;
        Ok(claims)
    }
}
