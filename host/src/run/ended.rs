//! What a run that has ended would lose by ending earlier.

use super::{Error, RunDirectory, Trace};
use crate::experiment::{PROVENANCE, Training, read_toml};
use crate::files;
use crate::words::number;

/// Whether an end lies before the place where a run is.
type IsPast = fn(&f64, &f64) -> bool;

/// Compares the ends of `training` with where the run in this directory has ended: going on from its state, which may stand before
/// its last step, to an earlier end would put a shorter result in place of a longer one. An end that it had already is none of
/// those, and a run that was killed has no result yet.
///
/// # Errors
/// [`Error::Past`]; files of the run that cannot be read.
pub fn check_ends(directory: &RunDirectory, training: &Training) -> Result<(), Error> {
    let [settings, trace] = ["run.toml", "trace.csv"].map(|name| directory.file(name));
    if files::look(&settings)?.is_none() || files::look(&trace)?.is_none() {
        return Ok(());
    }
    let settings = read_toml(&settings)?;
    let has_ended = settings.get(PROVENANCE).and_then(|provenance| provenance.get("stopped")).is_some();
    let trace = Trace::read("", &trace)?;
    let Some(last) = trace.rows.last().filter(|_| has_ended) else { return Ok(()) };
    let (steps, most) = (last.step as f64, training.max_steps as f64);
    // each with what tells that it lies before the place where the run is: the loss alone is approached from above
    let (below, above): (IsPast, IsPast) = (f64::lt, f64::gt);
    let ends = [
        ("until-time", Some(training.until_time), last.time, below, "t =", "a later time"),
        ("max-steps", Some(most), steps, below, "step", "more"),
        ("until-margin", training.until_margin, last.margin_min, below, "margin", "a larger one"),
        ("until-loss", training.until_loss, last.loss, above, "loss", "a smaller one"),
    ];
    for (setting, end, at, is_past, what, instead) in ends {
        let before = settings.get(setting).and_then(|value| value.as_float().or(value.as_integer().map(|n| n as f64)));
        let Some(until) = end.filter(|end| before != Some(*end) && is_past(end, &at)) else { continue };
        let reached = format!("{what} {}", number(at));
        return Err(Error::Past { setting, until, reached, instead });
    }
    Ok(())
}
