//! Papers, each a study that reproduces it: plan, claims, figures, words. The list of them is all that the rest of the
//! program knows.

pub mod divergence;
#[cfg(test)]
mod failed_runs;
#[cfg(test)]
mod figures_of_pages;
#[cfg(test)]
mod finished_jobs;
pub mod initialization;
pub mod lazy;
#[cfg(test)]
mod made_up;
pub mod probability;
#[cfg(test)]
mod toy;

use crate::files::Described;
use crate::study::paper::Paper;

/// Every paper, in the order of `reproduce all`.
pub static PAPERS: &[&Paper] = &[&divergence::PAPER, &lazy::PAPER, &initialization::PAPER, &probability::PAPER];

/// The columns of the tables that single studies leave beside those of all, in words.
pub fn described() -> impl Iterator<Item = &'static Described> {
    probability::table::COLUMNS.iter()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::made_up::finished;
    use super::*;
    use crate::experiment::NetworkKind;
    use crate::study;
    use crate::study::options::{MAX_SEEDS, Options, Setting};
    use crate::study::paper::Study;
    use crate::study::table::{RESULTS, cells_table};

    fn distinct<'a>(names: impl Iterator<Item = &'a str>) {
        let mut seen = HashSet::new();
        names.for_each(|name| assert!(seen.insert(name), "{name} twice"));
    }

    #[test]
    fn names_are_unique() {
        distinct(PAPERS.iter().map(|paper| paper.name));
        PAPERS.iter().for_each(|paper| distinct(paper.parts.iter().map(|part| part.name)));
        // a name that several papers have is offered once, with one line of help
        let parts = || PAPERS.iter().flat_map(|paper| paper.parts);
        for part in parts() {
            assert!(parts().all(|other| other.name != part.name || other.summary == part.summary), "{}", part.name);
        }
    }

    #[test]
    fn every_part_has_jobs_with_ids_of_their_own() {
        for paper in PAPERS {
            for full in [false, true] {
                let options = Options { full, ..Options::default() };
                let planned = Study::plan(&[paper], &[], &options).unwrap();
                let [study] = &planned.studies[..] else { panic!("{}", paper.name) };
                distinct(study.jobs().into_iter().map(|job| job.id()));
                let chosen = paper.choose(&[], &options);
                assert_eq!(study.parts().count(), chosen.len());
            }
            let wrong = Study::plan(&[paper], &["no-part".to_owned()], &Options::default()).err().unwrap().to_string();
            assert!(wrong.contains("no-part") && wrong.contains(paper.parts[0].name), "{wrong}");
        }
    }

    /// Ids and settings of everything that runs.
    fn plan(
        papers: &[&'static Paper],
        only: &str,
        options: &Options,
    ) -> Result<Vec<(String, toml::Table)>, study::Error> {
        let planned = Study::plan(papers, &[only.to_owned()], options)?;
        let jobs = planned.studies.iter().flat_map(|study| study.jobs());
        Ok(jobs.map(|job| (job.id().to_owned(), job.plan().unwrap())).collect())
    }

    /// What one study leaves in a directory another finds there: a job's id tells whatever the options change of it.
    #[test]
    fn jobs_of_one_id_are_the_same() {
        let (given, fcn) = (Options::default(), vec![NetworkKind::Fcn]);
        let quick = [
            given.clone(),
            Options { seeds: Some(2), ..given.clone() },
            Options { seeds: Some(33), ..given.clone() },
            Options { n: Some(66), ..given.clone() },
            Options { networks: fcn, ..given },
        ];
        let full = quick.iter().map(|options| Options { full: true, ..options.clone() });
        let every: Vec<Options> = quick.iter().cloned().chain(full).collect();
        let mut differ = Vec::new();
        for paper in PAPERS {
            for part in paper.parts {
                let mut known = HashMap::<String, toml::Table>::new();
                for options in &every {
                    for job in part.planned(options).jobs() {
                        let plan = job.plan().unwrap();
                        if known.entry(job.id().to_owned()).or_insert_with(|| plan.clone()) != &plan {
                            differ.push(format!("{}: {}", paper.name, job.id()));
                        }
                    }
                }
            }
        }
        assert!(differ.is_empty(), "other settings under the same id:\n{}", differ.join("\n"));
    }

    /// Whoever reads `cells.csv` groups runs by its columns, and need not take an id apart.
    #[test]
    fn settings_tell_every_run_from_the_others() {
        let mut alike = Vec::new();
        for part in PAPERS.iter().flat_map(|paper| paper.parts) {
            for full in [false, true] {
                let finished: Vec<_> =
                    part.planned(&Options { full, ..Options::default() }).cells().iter().map(finished).collect();
                let table = cells_table(&finished, &[]).unwrap();
                let settings: Vec<&str> =
                    table.columns().filter(|name| !RESULTS.contains(name) && *name != "id").collect();
                let mut known = HashMap::<Vec<String>, String>::new();
                for row in table.rows() {
                    let told = settings.iter().map(|name| row.get(name).unwrap()).collect();
                    let id: String = row.get("id").unwrap();
                    if let Some(other) = known.insert(told, id.clone()) {
                        alike.push(format!("{id} and {other}"));
                    }
                }
            }
        }
        assert!(alike.is_empty(), "told from one another by their ids alone:\n{}", alike.join("\n"));
    }

    /// Everything given is used, or refused with the part's name.
    #[test]
    fn every_option_changes_a_part_or_is_refused_by_its_name() {
        let mut refused = Vec::new();
        for paper in PAPERS {
            for part in paper.parts {
                let plain = plan(&[paper], part.name, &Options::default()).unwrap();
                for setting in Setting::ALL {
                    let given = Options { ..Options::default() };
                    let values: Vec<Options> = match setting {
                        Setting::Full => vec![Options { full: true, ..given }],
                        Setting::Network => [NetworkKind::Fcn, NetworkKind::Resnet]
                            .map(|kind| Options { networks: vec![kind], ..given.clone() })
                            .into(),
                        Setting::Widths => vec![Options { widths: vec![7], ..given }],
                        Setting::Seeds => vec![Options { seeds: Some(33), ..given }],
                        Setting::N => vec![Options { n: Some(66), ..given }],
                        Setting::DataDir => vec![Options { data_dir: Some("d".into()), ..given }],
                        Setting::FashionDir => vec![Options { fashion_dir: Some("f".into()), ..given }],
                        Setting::CifarDir => vec![Options { cifar_dir: Some("c".into()), ..given }],
                    };
                    for options in values {
                        let what = format!("{} {} {:?}", paper.name, part.name, options.given(setting));
                        match plan(&[paper], part.name, &options) {
                            // the only family that there is: nothing else can come of it
                            Ok(other) if setting == Setting::Network && part.takes.networks.len() == 1 => {
                                assert_eq!(other, plain, "{what}");
                            }
                            Ok(other) => assert_ne!(other, plain, "{what} is ignored"),
                            Err(error) => {
                                let said = error.to_string();
                                let named = said.contains(part.name) && said.contains(&format!("`{}", setting.name()));
                                assert!(named, "{said}");
                                refused.push(what);
                            }
                        }
                    }
                }
            }
        }
        for known in [
            "initialization spectra Some(\"33\")",
            "initialization learning Some(\"resnet\")",
            "lazy ensemble Some(\"33\")",
        ] {
            assert!(refused.iter().any(|what| what == known), "{known} in {refused:?}");
        }
    }

    /// A paper's own experiments run alone, beside others under `full`, and where there are none, that is told.
    #[test]
    fn published_parts_are_asked_for_by_name() {
        let options = Options { as_published: true, ..Options::default() };
        let names = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(ToString::to_string).collect();
            let planned = Study::plan(&[&divergence::PAPER], &only, &options)?;
            Ok(planned.studies[0].parts().map(|(part, _)| part.name).collect())
        };
        let refused = |found: Result<Vec<&str>, study::Error>| found.err().unwrap().to_string();
        assert_eq!(names(&[]).unwrap(), ["figures-1-3", "figure-2", "figure-4", "errata"]);
        assert_eq!(names(&["errata"]).unwrap(), ["errata"]);
        let other = refused(names(&["errata", "six-points"]));
        assert!(other.contains("`as-published`") && other.contains("six-points"), "{other}");
        let none = Study::plan(&[&lazy::PAPER], &[], &options).err().unwrap().to_string();
        assert!(none.contains("`as-published`"), "{none}");
        let full = Options { full: true, ..Options::default() };
        assert_eq!(divergence::PAPER.choose(&[], &full).len(), divergence::PAPER.parts.len());
    }

    #[test]
    fn an_option_that_some_parts_cannot_use_is_told() {
        let options = Options { seeds: Some(2), ..Options::default() };
        let notes = Study::plan(&[&initialization::PAPER], &[], &options).unwrap().notes;
        assert_eq!(notes, ["`seeds` has no effect on the parts outputs, spectra"]);
        let options = Options { networks: vec![NetworkKind::Resnet], ..Options::default() };
        let planned = Study::plan(PAPERS, &[], &options).unwrap();
        assert_eq!(planned.studies.len(), 3);
        assert_eq!(
            planned.notes,
            [
                "`network` has no effect on the parts spectra, learning",
                "`network` excludes everything in the parts kinks, lag, conflicting, posterior, outputs, closeness, closeness-sphere, coin-line"
            ]
        );
        let only = |name: &str, options| Study::plan(PAPERS, &[name.to_owned()], &options).map(|p| p.studies.len());
        // of all studies those that have the part
        assert_eq!(only("smoothness", Options { fashion_dir: Some("f".into()), ..Options::default() }).unwrap(), 1);
        assert_eq!(only("six-points", Options::default()).unwrap(), 2);
        for seeds in [0, MAX_SEEDS + 1] {
            assert!(only("six-points", Options { seeds: Some(seeds), ..Options::default() }).is_err());
        }
        let twice = Options { widths: vec![8, 4, 8], ..Options::default() };
        for part in ["conflicting", "ensemble", "closeness", "outputs", "coin-line"] {
            distinct(plan(PAPERS, part, &twice).unwrap().iter().map(|(id, _)| id.as_str()));
        }
    }
}
