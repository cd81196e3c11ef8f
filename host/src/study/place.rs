//! The directory of a job: made under another name, which gives way to its own when everything is written.

use std::path::{Path, PathBuf};

use super::Error;
use super::grid::State;
use super::manifest::{End, Fault, MANIFEST, Manifest, entries, kind};
use crate::files::{self, UnfinishedDirectory};
use crate::machine::Ended;

/// Every file that a job may leave.
const OURS: [&str; 10] = [
    MANIFEST,
    "run.toml",
    "trace.csv",
    "kernels.npz",
    "predictions.csv",
    "predictions.npz",
    "limit.csv",
    "limit.npz",
    "numbers.csv",
    "settings.toml",
];

/// What lies at `place`: a finished job if the directory is as its manifest says and `same` finds it to be of the same
/// settings and data.
///
/// # Errors
/// A file that cannot be read; those of `same`.
pub(super) fn state(
    place: &Path,
    id: &str,
    same: impl FnOnce(&Manifest) -> Result<Result<(), Fault>, Error>,
) -> Result<State, Error> {
    if kind(place)?.is_none() {
        return Ok(State::Missing);
    }
    let manifest = match Manifest::check(place, id)? {
        Ok(manifest) => manifest,
        Err(fault) => return Ok(State::Spoilt(fault)),
    };
    Ok(match same(&manifest)? {
        Ok(()) if manifest.as_planned => State::Finished(manifest),
        Ok(()) => State::Spoilt(Fault::Ended(manifest.ended)),
        Err(fault) => State::Spoilt(fault),
    })
}

/// Does a job: `write` fills the directory that it is given, whose name does not count as a result. It gets the name
/// `place` with its manifest as the last file, so that a killed study leaves nothing behind that could be taken for a
/// whole run. What lay at `place` before gives way; what no job wrote is set aside, never removed.
///
/// # Errors
/// Those of `write`; a directory that cannot be made, removed or renamed.
pub(super) fn fill(
    place: &Path,
    id: &str,
    write: impl FnOnce(&Path) -> Result<Ended<End>, Error>,
) -> Result<Ended, Error> {
    let unfinished = UnfinishedDirectory::create(place)?;
    let Ended::Done(end) = write(unfinished.path())? else { return Ok(Ended::Stopped) };
    Manifest::of(unfinished.path(), id, end)?.write(unfinished.path())?;
    if !is_ours(place)? {
        let aside = unused(place);
        std::fs::rename(place, &aside).map_err(files::Error::io("rename", place))?;
    }
    unfinished.commit()?;
    Ok(Ended::Done(()))
}

/// Whether nothing is lost with what lies there: nothing, a link, or a directory of files that jobs write.
fn is_ours(place: &Path) -> Result<bool, Error> {
    Ok(match kind(place)? {
        None | Some("a link") => true,
        Some("a directory") => entries(place)?.iter().all(|(name, is_file)| *is_file && OURS.contains(&name.as_str())),
        Some(_) => false,
    })
}

/// `PLACE.set-aside`, or the first of `PLACE.set-aside-2`, … that is not there.
fn unused(place: &Path) -> PathBuf {
    let name = |end: &str| {
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(end);
        place.with_file_name(name)
    };
    let free = |path: &PathBuf| path.symlink_metadata().is_err();
    let numbered = (2..).map(|k| name(&format!(".set-aside-{k}")));
    std::iter::once(name(".set-aside")).chain(numbered).find(free).unwrap_or_else(|| name(".set-aside"))
}
