//! A paper as data, and the study that reproduces it: what runs, and what comes of it.

use std::path::Path;

use super::Error;
use super::cell::{Finished, read_all};
use super::claim::Stated;
use super::grid::Job;
use super::options::{Options, Takes};
use super::page::{Chapter, Page, made_on};
use super::plan::{Findings, Plan};
use super::table::cells_table;
use crate::data::Source;
use crate::plot::FigureStyle;
use crate::report::{Block, ClaimRow, VERSION, provenance, settings_in_words};
use crate::words::{did_you_mean, either};

/// A paper.
pub struct Paper {
    /// its study's name, as it is typed
    pub name: &'static str,
    /// what it shows, in a line
    pub summary: &'static str,
    /// the page's first paragraph, from all runs
    pub lead: fn(&[Finished]) -> String,
    /// authors, title, place and year
    pub citation: &'static str,
    /// where it is read
    pub link: &'static str,
    /// the beginnings of the names of the figures that show it: the first of them that is drawn is the page's first
    pub key: &'static [&'static str],
    /// what the verdicts are about
    pub caveat: &'static str,
    /// claims that need no run
    pub claims: fn() -> Result<Vec<Stated>, Error>,
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
    /// what it belongs to
    pub scope: Scope,
    /// the sets of images that it reads
    pub images: &'static [Source],
    /// the options that it makes use of
    pub takes: Takes,
    /// what the options choose of it
    pub plan: fn(&'static Part, &Options) -> Box<dyn Plan>,
}

/// What asks for a part that is not named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// the small grid
    Quick,
    /// `full`
    Full,
    /// `as-published`: the paper's own experiments at its settings; `full` too
    AsPublished,
}

impl Part {
    /// What the options choose of it. A part without a larger grid has the same jobs under `full`, alone or beside others.
    pub fn planned(&'static self, options: &Options) -> Box<dyn Plan> {
        (self.plan)(self, &Options { full: options.full && self.takes.full, ..options.clone() })
    }
}

impl PartialEq for Part {
    /// Names are unique in a paper.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Paper {
    /// The parts of these names, or those that the options ask for without naming them.
    pub fn choose(&self, only: &[String], options: &Options) -> Vec<&'static Part> {
        let chosen = |part: &&Part| match only {
            [] if options.as_published => part.scope == Scope::AsPublished,
            [] => options.full || part.scope == Scope::Quick,
            only => only.iter().any(|name| name == part.name),
        };
        self.parts.iter().copied().filter(chosen).collect()
    }
}

/// Refuses `as-published` where nothing runs that is a paper's own, or something else does.
fn check_published(parts: &[&Part]) -> Result<(), Error> {
    let refuse = |what: String| Err(Error::Range { setting: "as-published", given: String::new(), what });
    match parts.iter().find(|part| part.scope != Scope::AsPublished) {
        Some(other) => {
            refuse(format!("the part {} is none of the paper's own experiments; leave one of them out", other.name))
        }
        None if parts.is_empty() => refuse("this study has no parts at its paper's own settings; leave it out".into()),
        None => Ok(()),
    }
}

/// The parts of these papers, of those of one name the first.
pub fn parts_of(papers: &[&'static Paper]) -> Vec<&'static Part> {
    let mut parts: Vec<&Part> = Vec::new();
    for part in papers.iter().flat_map(|paper| paper.parts) {
        if !parts.contains(part) {
            parts.push(part);
        }
    }
    parts
}

/// A paper's study, as the options have it.
pub struct Study {
    paper: &'static Paper,
    parts: Vec<(&'static Part, Box<dyn Plan>)>,
}

/// Studies, and what should be known before they run.
pub struct Planned {
    /// those of which a part was chosen
    pub studies: Vec<Study>,
    /// options that have no effect on some of the parts
    pub notes: Vec<String>,
}

impl Study {
    /// The studies of these papers: the plan of every part that `only` names, or of all, or of those of the small grid.
    ///
    /// # Errors
    /// [`Error::Range`]: a name that no part has, an option out of its range or without effect on any part.
    pub fn plan(papers: &[&'static Paper], only: &[String], options: &Options) -> Result<Planned, Error> {
        let all: Vec<&Part> = papers.iter().flat_map(|paper| paper.parts).copied().collect();
        if let Some(name) = only.iter().find(|name| all.iter().all(|part| part.name != name.as_str())) {
            let names: Vec<&str> = parts_of(papers).iter().map(|part| part.name).collect();
            let guess = did_you_mean(name, names.iter().copied());
            let what = format!("no such part; give {}{guess}", either(&names));
            return Err(Error::Range { setting: "only", given: name.clone(), what });
        }
        let chosen: Vec<_> = papers.iter().map(|paper| (*paper, paper.choose(only, options))).collect();
        let parts: Vec<&Part> = chosen.iter().flat_map(|(_, parts)| parts).copied().collect();
        if options.as_published {
            check_published(&parts)?;
        }
        let notes = options.check(&parts, !only.is_empty(), &all)?;
        let study = |(paper, parts): (&'static Paper, Vec<&'static Part>)| {
            let options = Options { parts: parts.clone(), ..options.clone() };
            let plans = parts.into_iter().map(|part| (part, part.planned(&options)));
            // a part of which `network` leaves nothing has nothing to show
            Self { paper, parts: plans.filter(|(_, plan)| !plan.jobs().is_empty()).collect() }
        };
        let studies = chosen.into_iter().map(study).filter(|study: &Self| !study.parts.is_empty()).collect();
        Ok(Planned { studies, notes })
    }
    /// Its parts with what runs for them.
    pub fn parts(&self) -> impl Iterator<Item = (&'static Part, Vec<&dyn Job>)> {
        self.parts.iter().map(|(part, plan)| (*part, plan.jobs()))
    }
    /// Its name, as it is typed.
    pub fn name(&self) -> &'static str {
        self.paper.name
    }
    /// Everything that runs.
    pub fn jobs(&self) -> Vec<&dyn Job> {
        self.parts.iter().flat_map(|(_, plan)| plan.jobs()).collect()
    }

    /// Writes `claims.csv`, `cells.csv`, the figures and the report from the finished jobs; returns the claims, and the runs.
    /// `command` is what was typed; without a style there are no figures.
    ///
    /// # Errors
    /// A job that is not finished, a damaged file, a disk that does not take the results.
    pub fn write(
        &self,
        directory: &Path,
        style: Option<FigureStyle>,
        command: &str,
    ) -> Result<(Vec<ClaimRow>, Vec<Finished>), Error> {
        let (mut finished, mut chapters, mut of_parts) = (Vec::new(), Vec::new(), Vec::new());
        let mut others = Vec::new();
        for (part, plan) in &self.parts {
            let of_part = read_all(plan.cells(), directory)?;
            let Findings { sizes, claims, mut figures, tables, judged, files } = plan.findings(&of_part, directory)?;
            files.iter().try_for_each(|(name, table)| table.write(&directory.join(name)))?;
            let settings = self.settings(part, &plan.jobs())?;
            match style {
                None => figures.clear(),
                Some(style) => figures.iter_mut().for_each(|figure| {
                    figure.settings.clone_from(&settings);
                    figure.style = style;
                }),
            }
            let introduction = [part.introduction, &sizes].join(" ").trim_end().to_owned();
            chapters.push(Chapter { title: part.title, introduction, figures, tables, judged, claims });
            let is_run = |job: &&dyn Job| of_part.iter().any(|run| run.cell.run.id == job.id());
            others.extend(plan.jobs().into_iter().filter(|job| !is_run(job)).map(|job| (part.name, job)));
            finished.extend(of_part);
            of_parts.push(Block::Paragraph(format!("{settings}.")));
        }
        cells_table(&finished, &others)?.write(&directory.join("cells.csv"))?;
        let Paper { name, summary, lead, citation, link, key, caveat, claims, terms, .. } = *self.paper;
        let mut made = vec![Block::Paragraph(format!("The paper: {citation}, {link}."))];
        made.extend(provenance(command));
        made.extend(made_on(&self.jobs(), directory)?.into_iter().map(Block::Paragraph));
        made.push(Block::Folded("Settings and seeds of the runs".into(), of_parts));
        let (lead, terms) = (lead(&finished), terms(&finished));
        let title = format!("Study “{name}”: {summary}");
        let page = Page { title, lead, key, caveat, claims: claims()?, chapters, terms, made };
        Ok((page.write(directory)?, finished))
    }

    /// What was run for a part, in a line.
    fn settings(&self, part: &Part, jobs: &[&dyn Job]) -> Result<String, Error> {
        let tables: Vec<toml::Table> = jobs.iter().map(|job| job.plan()).collect::<Result<_, _>>()?;
        let words = settings_in_words(&tables);
        Ok(format!("ntkscope {VERSION}; reproduce {}, part {}; {words}", self.paper.name, part.name))
    }
}
