//! Settings files, `--set`, and what finished runs and jobs say of themselves.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use ntkscope::{
    experiment::{self, PROVENANCE, Settings, overlay_pair, overlay_text, parse_toml},
    study::{
        manifest::{MANIFEST, Manifest, sealed},
        saved_run::SavedRun,
    },
};
use toml::{Table, Value};

use crate::FOLDER;
use crate::refused::{Refused, Verdict, check_message};

/// A text, which a settings file is.
fn text(input: &[u8]) -> Result<&str, Refused> {
    std::str::from_utf8(input).map_err(|_| Refused)
}

/// What was accepted is the same when it is written and read back; whether it can run is another question.
fn check_settings(settings: &Settings) -> Verdict {
    let written = toml::to_string(&settings.table()?).expect("a table is toml");
    let mut back = Table::new();
    overlay_text(&mut back, Path::new("back.toml"), &written).expect("our own file");
    // NaN, which the checks refuse, is not equal to itself
    let back = Settings::from_table(back).expect("our own file");
    assert!(back == *settings || format!("{back:?}") == format!("{settings:?}"), "{settings:?} reads back as {back:?}");
    settings.model.check()?;
    settings.training.check(settings.model.dtype)?;
    Ok(())
}

/// A settings file.
pub(crate) fn file(input: &[u8]) -> Verdict {
    let mut table = Table::new();
    overlay_text(&mut table, Path::new("settings.toml"), text(input)?)?;
    check_settings(&Settings::from_table(table)?)
}

/// `--set KEY=VALUE`, one a line.
pub(crate) fn pairs(input: &[u8]) -> Verdict {
    let mut table = Table::new();
    String::from_utf8_lossy(input).lines().try_for_each(|pair| overlay_pair(&mut table, pair))?;
    check_settings(&Settings::from_table(table)?)
}

/// The `run.toml` of a finished run.
pub(crate) fn saved_run(input: &[u8]) -> Verdict {
    let path = Path::new("");
    let run = SavedRun::of(path, parse_toml(Path::new("run.toml"), text(input)?)?)?;
    let of_count = |count| i64::try_from(count).expect("it was read of one");
    let mut provenance = Table::from_iter([
        ("stopped".to_owned(), Value::String(run.stopped.clone())),
        ("evaluations".to_owned(), Value::Integer(of_count(run.evaluations))),
        ("samples".to_owned(), Value::Integer(of_count(run.samples as u64))),
    ]);
    provenance.extend(run.failure.clone().map(|failure| ("failure".to_owned(), Value::String(failure))));
    if !run.analytic_lambda_min.is_nan() {
        provenance.insert("analytic-lambda-min".into(), Value::Float(run.analytic_lambda_min));
    }
    let mut table = run.settings.table()?;
    table.insert(PROVENANCE.into(), Value::Table(provenance));
    let written = toml::to_string(&table).map_err(experiment::Error::from)?;
    let back = SavedRun::of(path, parse_toml(path, &written).expect("our own file")).expect("our own file");
    // "----" is what a flag's "--" leaves of "------"
    let mut plain = run.clone();
    plain.stopped = run.stopped.replace("--", "");
    assert_eq!(format!("{back:?}"), format!("{plain:?}"), "not the same when it is read back");
    check_settings(&run.settings)
}

/// Where manifests are looked at with the directory around them.
static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = FOLDER.join("job");
    fs::create_dir_all(&directory).expect("the folder can be made");
    directory
});

/// The manifest of a finished job: as it stands, which hardly any checksum lets pass, and with the right one.
pub(crate) fn manifest(input: &[u8]) -> Verdict {
    if let Some(manifest) = Manifest::parse(input) {
        check_manifest(&manifest)?;
    }
    let body = text(input)?;
    let manifest = Manifest::parse(sealed(body).as_bytes()).ok_or(Refused)?;
    check_manifest(&manifest)?;
    fs::write(DIRECTORY.join(MANIFEST), sealed(body)).expect("a temporary file can be written");
    for id in ["job", &manifest.id] {
        if let Err(fault) = Manifest::check(&DIRECTORY, id)? {
            check_message(&fault.to_string());
        }
    }
    Ok(())
}

fn check_manifest(manifest: &Manifest) -> Verdict {
    let back = Manifest::parse(manifest.text()?.as_bytes());
    assert_eq!(back.as_ref(), Some(manifest), "not the same when it is read back");
    Ok(())
}
