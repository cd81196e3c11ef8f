//! Every figure of every study, from made-up results: the rules of figures hold for each page as a whole.

use std::path::Path;

use super::PAPERS;
use super::made_up::{finished, numbers};
use crate::plot::{Figure, rules};
use crate::study::cell::Finished;
use crate::study::options::Options;
use crate::study::paper::Paper;

/// The figures of a page on which all parts stand that have one.
fn page(paper: &'static Paper, full: bool, study: &Path) -> Vec<Figure> {
    let parts = paper.choose(&[], &Options { full, ..Options::default() });
    let [fashion_dir, cifar_dir] = ["fashion", "cifar"].map(|dir| full.then(|| dir.into()));
    let options = Options { full, parts: parts.clone(), fashion_dir, cifar_dir, ..Options::default() };
    let mut figures = Vec::new();
    for part in parts {
        let plan = (part.plan)(part, &options);
        let runs: Vec<Finished> = plan.cells().iter().map(finished).collect();
        if runs.is_empty() {
            for job in plan.jobs() {
                let directory = job.directory(study);
                std::fs::create_dir_all(&directory).unwrap();
                numbers(&job.plan().unwrap()).write(&directory.join("numbers.csv")).unwrap();
            }
        }
        let found = plan.findings(&runs, study).unwrap().figures;
        // these have claims or a table, and no figure
        let bare = ["conflicting", "errata", "calibration"].contains(&part.name);
        assert!(!found.is_empty() || bare, "{} {}", paper.name, part.name);
        figures.extend(found);
    }
    figures
}

#[test]
fn the_figures_of_every_study_keep_the_rules() {
    for paper in PAPERS {
        for full in [false, true] {
            let place = tempfile::tempdir().unwrap();
            let mut figures = page(paper, full, place.path());
            rules::hold(&mut figures);
            // one of each kind is drawn
            let drawn = figures.iter().take(if full { 0 } else { 9 });
            drawn.for_each(|figure| assert!(figure.svg().unwrap().contains("<path"), "{}", figure.name));
        }
    }
}
