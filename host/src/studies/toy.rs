//! A paper of one part and one claim, as an example of what a paper needs, and a test that it is all.

use std::path::Path;

use crate::files::numbers::NumberTable;
use crate::machine::{Ended, Stop};
use crate::plot::FigureStyle;
use crate::report::{Kind, Verdict};
use crate::run::Observer;
use crate::study::Error;
use crate::study::cell::Finished;
use crate::study::claim::{Claim, Subject, Theory, UNEXPLAINED, state_all};
use crate::study::grid::Job;
use crate::study::judge::Measured;
use crate::study::kept::{Kept, Measurement};
use crate::study::options::{Options, Takes};
use crate::study::paper::{Paper, Part, Scope, Study};
use crate::study::plan::{Findings, Plan};

static PAPER: Paper = Paper {
    name: "coins",
    summary: "coins fall on either side alike",
    citation: "Nobody, “On Coins”",
    link: "https://example.org",
    lead: |_| "Coins were thrown.".into(),
    key: &["coins"],
    caveat: "A verdict is about the coins that were thrown.",
    claims: || Ok(Vec::new()),
    terms: |_| Vec::new(),
    parts: &[&COINS],
};

static COINS: Part = Part {
    name: "throws",
    title: "Throws",
    summary: "a few coins",
    introduction: "A few coins were thrown.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes { networks: &[], widths: false, seeds: false, n: false, full: false },
    plan: |_, _| Box::new(Throws([Kept { id: "throws".into(), measurement: Coins }])),
};

static CLAIMS: &[Claim<NumberTable>] = &[Claim {
    name: "T1 heads as often as tails",
    place: "page 1",
    kind: Kind::Claim,
    about: |_| Subject { network: "a coin".into(), ..Subject::default() },
    measure: |throws| Measured::Values(throws.rows().concat()),
    theory: |_| Some(Theory::number(0.5).within(0.1, "the rim")),
    note: |throws| format!("share of heads, {} coins", throws.rows().len()),
    failing: UNEXPLAINED,
}];

struct Throws([Kept<Coins>; 1]);

impl Plan for Throws {
    fn jobs(&self) -> Vec<&dyn Job> {
        self.0.iter().map(|kept| kept as &dyn Job).collect()
    }
    fn findings(&self, _: &[Finished], study: &Path) -> Result<Findings, Error> {
        let claims = state_all(CLAIMS, &self.0[0].read(study)?);
        Ok(Findings { claims, ..Findings::default() })
    }
}

struct Coins;

impl Measurement for Coins {
    fn settings(&self) -> Result<String, Error> {
        Ok(String::new())
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        Ok(toml::Table::new())
    }
    fn work(&self) -> f64 {
        0.0
    }
    fn need(&self) -> Result<u64, Error> {
        Ok(0)
    }
    fn measure(&self, _: &mut (dyn Observer + Send), _: &Stop) -> Result<Ended<NumberTable>, Error> {
        let mut table = NumberTable::new(["heads".to_owned()]);
        [0.48, 0.51, 0.50, 0.52, 0.49].into_iter().for_each(|share| table.push(vec![share]));
        Ok(Ended::Done(table))
    }
}

#[test]
fn a_paper_is_one_file() {
    let (place, stop) = (tempfile::tempdir().unwrap(), Stop::new());
    let planned = Study::plan(&[&PAPER], &[], &Options::default()).unwrap();
    let [study] = &planned.studies[..] else { panic!("one study") };
    for job in study.jobs() {
        assert_eq!(job.run(place.path(), 1, &mut (), &stop).unwrap(), Ended::Done(()));
    }
    let rows = study.write(place.path(), Some(FigureStyle::default()), "ntkscope reproduce coins").unwrap();
    assert_eq!(rows.0.iter().map(|row| row.verdict).collect::<Vec<_>>(), [Verdict::Holds]);
    let page = std::fs::read_to_string(place.path().join("report.html")).unwrap();
    for part in ["Coins were thrown. Of 1 claim", "On Coins", "page 1", "the rim", "Throws"] {
        assert!(page.contains(part), "{part}");
    }
    let table = std::fs::read_to_string(place.path().join("claims.csv")).unwrap();
    assert!(
        table.lines().nth(1).unwrap().starts_with("claim,T1 heads as often as tails,page 1,a coin,,,0.5,"),
        "{table}"
    );
}
