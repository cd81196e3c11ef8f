//! A paper as data, and the study that reproduces it: what runs, and what comes of it.

use std::path::Path;

use super::Error;
use super::cell::{Finished, read_all};
use super::grid::Job;
use super::page::{Chapter, Page};
use super::plan::{Findings, Options, Plan};
use super::table::cells_table;
use crate::data::Source;
use crate::report::Claim;

/// A paper.
pub struct Paper {
    /// its study's name, as it is typed
    pub name: &'static str,
    /// what it shows, in a line
    pub summary: &'static str,
    /// the page's first paragraph, from all runs
    pub lead: fn(&[Finished]) -> String,
    /// what uncertainties and verdicts mean
    pub caveat: &'static str,
    /// claims that need no run
    pub claims: fn() -> Result<Vec<Claim>, Error>,
    /// what the words mean, a paragraph each
    pub terms: fn(&[Finished]) -> Vec<String>,
    /// the parts, in the order of the page
    pub parts: &'static [&'static Part],
}

/// A part of a paper: one data set, one question.
pub struct Part {
    /// its name in ids and files, and as it is typed
    pub name: &'static str,
    /// its name for people
    pub title: &'static str,
    /// what is done, in a line
    pub summary: &'static str,
    /// what is done, a paragraph of the page
    pub introduction: &'static str,
    /// whether it belongs to the small grid
    pub quick: bool,
    /// the sets of images that it reads
    pub images: &'static [Source],
    /// what the options choose of it
    pub plan: fn(&'static Part, &Options) -> Box<dyn Plan>,
}

impl PartialEq for Part {
    /// Names are unique in a paper.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Paper {
    /// The parts of these names, or all, or those of the small grid.
    ///
    /// # Errors
    /// A name that no part has.
    pub fn choose(&self, only: &[String], full: bool) -> Result<Vec<&'static Part>, Error> {
        if let Some(name) = only.iter().find(|name| self.parts.iter().all(|part| part.name != name.as_str())) {
            let names: Vec<&str> = self.parts.iter().map(|part| part.name).collect();
            let what = format!("is no part of this study; give {}", names.join(", "));
            return Err(Error::Range { setting: "only", given: name.clone(), what });
        }
        let chosen = |part: &&Part| match only {
            [] => full || part.quick,
            only => only.iter().any(|name| name == part.name),
        };
        Ok(self.parts.iter().copied().filter(chosen).collect())
    }
}

/// A paper's study, as the options have it.
pub struct Study {
    paper: &'static Paper,
    parts: Vec<(&'static Part, Box<dyn Plan>)>,
}

impl Study {
    /// The plan of every part that is chosen.
    ///
    /// # Errors
    /// A width that is none; options of images where no part reads them.
    pub fn new(paper: &'static Paper, options: &Options) -> Result<Self, Error> {
        options.check()?;
        Ok(Self { paper, parts: options.parts.iter().map(|part| (*part, (part.plan)(part, options))).collect() })
    }
    /// Its name, as it is typed.
    pub fn name(&self) -> &'static str {
        self.paper.name
    }
    /// Everything that runs.
    pub fn jobs(&self) -> Vec<&dyn Job> {
        self.parts.iter().flat_map(|(_, plan)| plan.jobs()).collect()
    }

    /// Writes `claims.csv`, `cells.csv`, the figures and the report from the finished jobs; returns the claims.
    ///
    /// # Errors
    /// A job that is not finished, a damaged file, a disk that does not take the results.
    pub fn write(&self, directory: &Path) -> Result<Vec<Claim>, Error> {
        let (mut finished, mut chapters) = (Vec::new(), Vec::new());
        for (part, plan) in &self.parts {
            let of_part = read_all(plan.cells(), directory)?;
            let Findings { sizes, claims, figures } = plan.findings(&of_part, directory)?;
            let introduction = [part.introduction, &sizes].join(" ").trim_end().to_owned();
            chapters.push(Chapter { title: part.title, introduction, figures, claims });
            finished.extend(of_part);
        }
        cells_table(&finished).write(&directory.join("cells.csv"))?;
        let Paper { name, lead, caveat, claims, terms, .. } = self.paper;
        let page =
            Page { study: name, lead: lead(&finished), caveat, claims: claims()?, chapters, terms: terms(&finished) };
        page.write(directory)
    }
}
