//! Which deliberate errors the claims and checks of the quick studies notice: each is planted in a copy of the sources, the
//! program is built from it, and runs the studies on a small grid.
//!
//! An error is noticed by a claim or a check that fails with it and does not fail without, and by a study that does not come
//! to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::errors::{ERRORS, PlantedError};
use crate::process::{ended, find, minutes, output, root, run};

/// The studies, with options for a grid of a minute.
const STUDIES: [&str; 7] = [
    "divergence --only six-points --widths 32,64,128 --seeds 4",
    "divergence --only theorems --widths 32 --seeds 4",
    "divergence --only kinks,lag --seeds 4",
    "lazy --only six-points,conflicting --widths 32,64 --seeds 4",
    "lazy --only ensemble --widths 512",
    "initialization --only outputs",
    "probability --widths 16,64 --seeds 400",
];

/// What a study says with `--json`, as far as it matters here.
#[derive(Deserialize)]
struct Summary {
    claims: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    kind: String,
    claim: String,
    network: String,
    loss: String,
    init: String,
    verdict: String,
}

/// Verdicts by kind, claim and what it is about.
type Verdicts = BTreeMap<String, String>;

/// Plants every error, or those of these numbers, and prints who noticed it.
pub(crate) fn mutants(numbers: &[usize]) -> Result<()> {
    let place = root().join("target/mutants");
    let tree = place.join("tree");
    copy(&tree)?;
    let program = build(&place, &tree).context("without an error")?;
    let honest = verdicts(&place, &program)?.context("a study of the program without an error does not end")?;
    let mut missed = Vec::new();
    for (number, error) in (1..).zip(&ERRORS) {
        if !numbers.is_empty() && !numbers.contains(&number) {
            continue;
        }
        let noticed = noticed(&place, &tree, error, &honest)?;
        println!("{number:>2} {}: {}", error.what, noticed.as_deref().unwrap_or("NOT NOTICED"));
        missed.extend(noticed.is_none().then_some(number));
    }
    if missed.is_empty() { Ok(()) } else { bail!("not noticed: {missed:?}") }
}

/// How many rows noticed an error, and the first of them.
fn noticed(place: &Path, tree: &Path, error: &PlantedError, honest: &Verdicts) -> Result<Option<String>> {
    let file = tree.join(error.file);
    let source = fs::read_to_string(&file)?;
    let planted = error.edits.iter().fold(source.clone(), |text, (from, to)| text.replace(from, to));
    if planted == source {
        bail!("{}: nothing to replace in {}", error.what, error.file);
    }
    fs::write(&file, planted)?;
    let found = build(place, tree).and_then(|program| verdicts(place, &program));
    fs::write(&file, source)?;
    let Some(found) = found.with_context(|| error.what.to_owned())? else {
        return Ok(Some("a study does not come to its end".into()));
    };
    let is_new = |(row, verdict): &(&String, &String)| {
        let before = honest.get(*row).map_or("", String::as_str);
        *verdict == "fails" && before != "fails" || row.starts_with("check") && *verdict != "holds" && before == "holds"
    };
    let rows: Vec<&String> = found.iter().filter(is_new).map(|(row, _)| row).collect();
    Ok(rows.first().map(|first| format!("{} rows, first {first}", rows.len())))
}

/// The files that git knows, as they are here, and no others.
fn copy(tree: &Path) -> Result<()> {
    let git = find("git").context("git is not installed")?;
    let listed = output(Command::new(git).args(["ls-files", "-z"]).current_dir(root()), minutes(1))?;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root().join(name), tree.join(name));
        if fs::read(&from)? != fs::read(&to).unwrap_or_default() || !to.exists() {
            fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
            fs::copy(from, to)?;
        }
    }
    let kept: BTreeSet<PathBuf> = listed.split('\0').map(|name| tree.join(name)).collect();
    remove_others(tree, &kept)
}

/// Removes the files of an earlier copy that are gone since: a module would have two.
fn remove_others(folder: &Path, kept: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => remove_others(&path, kept)?,
            false if !kept.contains(&path) => fs::remove_file(&path)?,
            false => {}
        }
    }
    Ok(())
}

fn build(place: &Path, tree: &Path) -> Result<PathBuf> {
    let target = place.join("build");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--release", "--package", "ntkscope", "--target-dir"]).arg(&target);
    // most of the program is the same with every error
    run(cargo.env("RUSTFLAGS", "-Awarnings").env("CARGO_INCREMENTAL", "1").current_dir(tree), minutes(30))?;
    Ok(target.join("release").join(format!("ntkscope{}", std::env::consts::EXE_SUFFIX)))
}

/// The verdicts of all studies; `None` where one does not end as a study does, with exit code 0 or 1.
fn verdicts(place: &Path, program: &Path) -> Result<Option<Verdicts>> {
    let mut all = Verdicts::new();
    for (index, study) in STUDIES.iter().enumerate() {
        let out = place.join(format!("study{index}"));
        if out.exists() {
            fs::remove_dir_all(&out)?;
        }
        let mut command = Command::new(program);
        command.arg("reproduce").args(study.split(' ')).args(["--quiet", "--json", "--out"]).arg(&out);
        let (status, summary) = ended(&mut command, minutes(20))?;
        // 1 says that a claim fails, which is no failure here, or that a run did, and then there are no claims
        let summary = serde_json::from_str::<Summary>(&summary).ok().filter(|_| matches!(status.code(), Some(0 | 1)));
        let Some(Summary { claims }) = summary else { return Ok(None) };
        for Row { kind, claim, network, loss, init, verdict } in claims {
            all.insert(format!("{kind} {claim} ({network}; {loss}; {init})"), verdict);
        }
    }
    Ok(Some(all))
}
