//! Papers, each a study that reproduces it: plan, claims, figures, words. The list of them is all that the rest of the
//! program knows.

pub mod divergence;
pub mod initialization;
pub mod lazy;

use crate::study::paper::Paper;

/// Every paper, in the order of `reproduce all`.
pub static PAPERS: &[&Paper] = &[&divergence::PAPER, &lazy::PAPER, &initialization::PAPER];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::study::paper::Study;
    use crate::study::plan::Options;

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
                let options = Options { parts: paper.choose(&[], full).unwrap(), full, ..Options::default() };
                let study = Study::new(paper, &options).unwrap();
                distinct(study.jobs().into_iter().map(|job| job.id()));
                for part in &options.parts {
                    let alone = Options { parts: vec![*part], ..options.clone() };
                    assert!(!Study::new(paper, &alone).unwrap().jobs().is_empty(), "{}: {}", paper.name, part.name);
                }
            }
            let wrong = paper.choose(&["no-part".to_owned()], false).err().unwrap().to_string();
            assert!(wrong.contains("no-part") && wrong.contains(paper.parts[0].name), "{wrong}");
        }
    }
}
