//! A finished job is what its manifest says, or it is done again: every file of its directory, changed in every way.

use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;

use super::divergence;
use crate::files::numbers::NumberTable;
use crate::machine::{Ended, Stop};
use crate::run::Observer;
use crate::study::Error;
use crate::study::cell::Cell;
use crate::study::grid::{Job, State};
use crate::study::kept::{Kept, Measurement};
use crate::study::manifest::{Fault, MANIFEST, Manifest};
use crate::study::options::Options;
use crate::study::training_run::TrainingRun;

/// A table of two numbers, made at once.
struct Numbers(f64);

impl Measurement for Numbers {
    fn settings(&self) -> Result<String, Error> {
        Ok(format!("number = {}\n", self.0))
    }
    fn plan(&self) -> Result<Table, Error> {
        Ok(Table::new())
    }
    fn work(&self) -> f64 {
        1.0
    }
    fn need(&self) -> Result<u64, Error> {
        Ok(1)
    }
    fn measure(&self, _: &mut (dyn Observer + Send), _: &Stop) -> Result<Ended<NumberTable>, Error> {
        let mut table = NumberTable::new(["a", "b"]);
        table.push(vec![self.0, 2.0]);
        Ok(Ended::Done(table))
    }
}

/// A run that takes a moment, with every file that a run can have.
fn cell() -> Cell {
    let options = Options { widths: vec![4], seeds: Some(1), ..Options::default() };
    let part = divergence::PAPER.parts[0];
    let mut cell = divergence::plan::six_points(&options).cells(part, &options).remove(0);
    cell.run.settings.training.until_margin = None;
    cell.run.settings.training.until_time = 10.0;
    cell.run.settings.training.penalty = 0.1;
    cell
}

fn make(job: &dyn Job, study: &Path) {
    fs::create_dir_all(study.join("runs")).unwrap();
    assert_eq!(job.run(study, 1, &mut (), &Stop::new()).unwrap(), Ended::Done(()));
}

/// Every file with its bytes, the manifest's too.
fn content(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut all: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| name(entry.unwrap())).collect();
    all.sort();
    all.into_iter().map(|name| (name.clone(), fs::read(directory.join(name)).unwrap())).collect()
}

/// What was done to a file, by hand or by a disk.
type Change = (&'static str, fn(&Path, &Path));

const CHANGES: [Change; 9] = [
    ("removed", |file, _| fs::remove_file(file).unwrap()),
    ("emptied", |file, _| fs::write(file, "").unwrap()),
    ("cut", |file, _| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
    }),
    ("first byte changed", |file, _| flip(file, |_| 0)),
    ("middle byte changed", |file, _| flip(file, |length| length / 2)),
    ("last byte changed", |file, _| flip(file, |length| length - 1)),
    ("replaced by a link", |file, other| {
        fs::remove_file(file).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(other.join(file.file_name().unwrap()), file).unwrap();
        #[cfg(not(unix))]
        let _ = other;
    }),
    ("replaced by a directory", |file, _| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    }),
    ("replaced by another job's", |file, other| {
        fs::copy(other.join(file.file_name().unwrap()), file).unwrap();
    }),
];

fn flip(file: &Path, at: fn(usize) -> usize) {
    let mut bytes = fs::read(file).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

/// Whatever is done to a file, the job is not finished, says why, and is the same after it was done again.
fn every_change_is_seen(job: &dyn Job, other: &dyn Job) {
    let (place, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let study = place.path();
    make(job, study);
    make(other, elsewhere.path());
    let (directory, others) = (job.directory(study), other.directory(elsewhere.path()));
    let finished = |job: &dyn Job| matches!(job.state(study).unwrap(), State::Finished(_));
    assert!(finished(job), "{:?}", job.state(study));
    let whole = content(&directory);
    assert!(whole.iter().any(|(name, _)| name == MANIFEST));
    let again = |what: &str| {
        let State::Spoilt(fault) = job.state(study).unwrap() else { panic!("{}: {what} is not seen", job.id()) };
        assert!(!fault.to_string().is_empty());
        // one run for all changes: what it makes is the same every time
        fs::rename(&directory, study.join("runs/spoilt")).unwrap();
        copy(&whole, &directory);
        remove(&study.join("runs/spoilt"));
        assert!(finished(job), "{what}");
    };
    for (name, _) in &whole {
        for (how, change) in CHANGES {
            let other = fs::read(others.join(name)).ok();
            if how.ends_with("another job's") && other == fs::read(directory.join(name)).ok() {
                continue;
            }
            change(&directory.join(name), &others);
            again(&format!("{name} {how}"));
        }
    }
    fs::write(directory.join("notes.txt"), "mine").unwrap();
    again("a file more");
    remove(&directory);
    copy(&content(&others), &directory);
    again("another job's directory");
    // once in earnest for each way in which a whole directory can be gone
    fs::write(directory.join("notes.txt"), "mine").unwrap();
    make(job, study);
    assert_eq!(content(&directory), whole);
    assert_eq!(fs::read_to_string(study.join(format!("runs/{}.set-aside/notes.txt", job.id()))).unwrap(), "mine");
    remove(&directory);
    assert_eq!(job.state(study).unwrap(), State::Missing);
    fs::write(&directory, "a file").unwrap();
    assert!(matches!(job.state(study).unwrap(), State::Spoilt(Fault::Place("a file"))));
    make(job, study);
    assert_eq!(content(&directory), whole);
    assert_eq!(fs::read_to_string(study.join(format!("runs/{}.set-aside-2", job.id()))).unwrap(), "a file");
    #[cfg(unix)]
    {
        remove(&directory);
        std::os::unix::fs::symlink(&others, &directory).unwrap();
        assert!(matches!(job.state(study).unwrap(), State::Spoilt(Fault::Place("a link"))));
        make(job, study);
        assert_eq!(content(&directory), whole);
        assert!(others.join(MANIFEST).exists(), "what a link points to is somebody else's");
    }
}

fn copy(files: &[(String, Vec<u8>)], to: &Path) {
    fs::create_dir(to).unwrap();
    files.iter().for_each(|(name, bytes)| fs::write(to.join(name), bytes).unwrap());
}

fn remove(path: &PathBuf) {
    if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

#[test]
fn every_change_to_a_measurement_is_seen() {
    let kept = |id: &str, number| Kept { id: id.into(), measurement: Numbers(number) };
    every_change_is_seen(&kept("one", 1.5), &kept("two", 2.5));
}

#[test]
fn every_change_to_a_run_is_seen() {
    let one = cell().run;
    let mut two = one.clone();
    two.id += "-other";
    two.settings.model.seed = 1;
    let place = tempfile::tempdir().unwrap();
    make(&one, place.path());
    let names: Vec<_> = content(&one.directory(place.path())).into_iter().map(|(name, _)| name).collect();
    let all = ["kernels.npz", "limit.csv", "limit.npz", MANIFEST, "predictions.csv", "predictions.npz", "run.toml"];
    assert_eq!(names, [&all[..], &["trace.csv"]].concat());
    every_change_is_seen(&one, &two);
}

/// Settings, data, version, arithmetic and end, each changed in a manifest that is else in order.
#[test]
fn what_was_made_otherwise_is_made_again() {
    let kept = Kept { id: "one".into(), measurement: Numbers(1.5) };
    let place = tempfile::tempdir().unwrap();
    let study = place.path();
    make(&kept, study);
    let directory = kept.directory(study);
    let manifest = Manifest::read(&directory).unwrap().unwrap();
    let with = |change: fn(&mut Manifest)| {
        let mut changed = manifest.clone();
        change(&mut changed);
        changed.write(&directory).unwrap();
        kept.state(study).unwrap()
    };
    assert_eq!(with(|m| m.id = "two".into()), State::Spoilt(Fault::Job("two".into())));
    assert_eq!(with(|m| m.ntkscope = "0.0.1".into()), State::Spoilt(Fault::Version("0.0.1".into())));
    assert_eq!(with(|m| m.arithmetic += 1), State::Spoilt(Fault::Arithmetic));
    let failed = |m: &mut Manifest| {
        m.as_planned = false;
        m.ended = "stopped: NaN".into();
    };
    assert_eq!(with(failed), State::Spoilt(Fault::Ended("stopped: NaN".into())));
    // the page names it
    assert!(matches!(with(|m| m.instructions = "sse2".into()), State::Finished(m) if m.instructions == "sse2"));
    manifest.write(&directory).unwrap();
    let other = Kept { id: "one".into(), measurement: Numbers(2.5) };
    assert_eq!(other.state(study).unwrap(), State::Spoilt(Fault::Settings));
}

/// The folder of the samples decides nothing, the samples do.
#[test]
fn a_run_knows_its_settings_and_its_data() {
    let one = cell().run;
    let place = tempfile::tempdir().unwrap();
    let study = place.path();
    make(&one, study);
    let state = |change: fn(&mut TrainingRun)| {
        let mut other = one.clone();
        change(&mut other);
        other.state(study).unwrap()
    };
    assert!(matches!(state(|_| ()), State::Finished(_)));
    assert_eq!(state(|run| run.settings.model.width = 5), State::Spoilt(Fault::Settings));
    assert_eq!(state(|run| run.settings.training.penalty = 0.2), State::Spoilt(Fault::Settings));
    let mut manifest = Manifest::read(&one.directory(study)).unwrap().unwrap();
    manifest.data_sha256 = Some("00".into());
    manifest.write(&one.directory(study)).unwrap();
    assert_eq!(one.state(study).unwrap(), State::Spoilt(Fault::Data));
}
