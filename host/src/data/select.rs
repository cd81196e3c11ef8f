//! From what a file or a generator has to samples: which of them, in which classes, on which scale.

use sha2::{Digest, Sha256};

use super::classes::{Selected, Wanted};
use super::raw::Raw;
use super::{ClassSelection, Classes, DataSpec, Error, Normalize, Samples, Source, Targets, generate, hex};
use crate::machine::Budget;

/// Selects the classes, keeps the first n, normalizes.
pub(super) fn select(spec: &DataSpec, mut raw: Raw, budget: &Budget) -> Result<Samples, Error> {
    let on_circle = on_circle(&spec.source);
    let apart = if on_circle { 0 } else { spec.held_out };
    let parity = (spec.source.is_images() && spec.targets != Some(Targets::Values)).then_some(ClassSelection::Parity);
    let selection = spec.classes.clone().or(parity);
    let wanted =
        Wanted { source: &spec.source, targets: spec.targets, selection: selection.as_ref(), n: spec.n, apart };
    if let (false, Some(selection @ (ClassSelection::Parity | ClassSelection::Labels(_)))) =
        (raw.label_names.is_empty(), &selection)
    {
        let (selection, names) = (selection.to_string(), crate::words::listed(&raw.label_names));
        return Err(Error::NamedClasses { selection, place: raw.place, names });
    }
    let Selected { mut rows, targets, classes } = wanted.select(&raw)?;
    if targets == Some(Targets::Values) && !raw.label_names.is_empty() {
        let names = crate::words::listed(&raw.label_names);
        return Err(Error::NamedValues { place: raw.place, names });
    }
    let n = spec.n.unwrap_or(rows.len().saturating_sub(apart));
    if n > rows.len() {
        let selected = selection.as_ref().map_or_else(String::new, |s| format!(" after `classes = {s}`"));
        return Err(Error::NTooLarge { asked: n, available: rows.len(), place: raw.place, selected });
    }
    let beyond = rows.len() - n;
    if apart > beyond || (apart > 0 && n == 0) {
        return Err(Error::HeldOutTooLarge { asked: apart, n, available: beyond, place: raw.place });
    }
    rows.truncate(n + apart);

    let mut x = raw.gather(&rows, budget)?;
    let normalize = spec.normalization();
    if normalize == Normalize::Sphere {
        for (index, sample) in x.chunks_exact_mut(raw.d).enumerate() {
            if !to_unit_norm(sample) {
                return Err(Error::ZeroSample { index, row: rows[index], place: raw.place });
            }
        }
    }
    let held_out = if on_circle { generate::between(spec.held_out) } else { x.split_off(n * raw.d) };
    let of_rows = |rows: &[usize]| raw.y.as_ref().map_or(Vec::new(), |y| y.gather(rows));
    let (mut y, mut held_out_y) = (of_rows(&rows[..n]), of_rows(&rows[n..]));
    let (d, y_columns) = (raw.d, raw.y.as_ref().map_or(0, |y| y.columns));
    let (mut map, labels) = classes.unzip();
    let labels = labels.unwrap_or_default();
    if let (false, Some(Classes::Labels(places))) = (raw.label_names.is_empty(), &map) {
        // only names that are used count, so that none of the others decides on a number
        let names: Vec<String> = places.iter().map(|place| raw.label_names[*place as usize].clone()).collect();
        let named: Vec<_> = names.iter().enumerate().map(|(label, name)| format!("{name} = {label}")).collect();
        raw.warnings.push(format!("the labels are names, numbered as {}", crate::words::listed(&named)));
        let used = Classes::Names(names);
        (y, held_out_y) =
            (used.numbers_of_names(&y, &raw.label_names), used.numbers_of_names(&held_out_y, &raw.label_names));
        map = Some(used);
    }
    let meaning = match (targets, &map) {
        (None, _) => "no y".to_owned(),
        (Some(Targets::Values), _) if y_columns == 1 => "real-valued y".into(),
        (Some(Targets::Values), _) => format!("y with {y_columns} numbers per sample"),
        (Some(Targets::Classes), map) => {
            let selection = selection.unwrap_or(ClassSelection::All);
            map.as_ref().map_or_else(|| format!("classes {selection}"), Classes::to_string)
        }
    };
    let place = match &spec.source {
        Source::Sphere | Source::Mixture => format!("{} (seed {})", raw.place, spec.seed),
        source if source.is_images() => format!("{source} ({})", raw.place),
        _ => raw.place,
    };
    let amount = if n == raw.n { crate::words::count(n, "sample") } else { format!("{n} of {} samples", raw.n) };
    let scaled = if normalize == Normalize::Sphere { ", scaled to unit norm" } else { "" };
    let description = format!("{place}: {amount}, {meaning}{scaled}");
    let sha256 = digest(&x, &labels, &y);
    let classes = map.as_ref().map_or(0, Classes::count);
    Ok(Samples {
        x,
        n,
        d,
        y,
        y_columns,
        held_out,
        held_out_y,
        curve: None,
        targets,
        map,
        labels,
        classes,
        place,
        description,
        warnings: raw.warnings,
        sha256,
    })
}

/// Whether held-out points lie between those of the set; of others they are the next ones.
pub(super) fn on_circle(source: &Source) -> bool {
    matches!(source, Source::Circle | Source::Conflicting)
}

/// sample <- sample / |sample|; false for the zero vector.
pub(super) fn to_unit_norm(sample: &mut [f64]) -> bool {
    let largest = sample.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    if largest == 0.0 {
        return false;
    }
    // Where squares would overflow or vanish the sample is brought to size first; elsewhere no rounding is added.
    if !(1e-100..=1e100).contains(&largest) {
        sample.iter_mut().for_each(|v| *v /= largest);
    }
    let norm = sample.iter().map(|v| v * v).sum::<f64>().sqrt();
    sample.iter_mut().for_each(|v| *v /= norm);
    true
}

/// What [`Samples::sha256`] says.
fn digest(x: &[f64], labels: &[usize], y: &[f64]) -> String {
    let mut hash = Sha256::new();
    x.iter().for_each(|v| hash.update(v.to_le_bytes()));
    match labels {
        [] => y.iter().for_each(|v| hash.update(v.to_le_bytes())),
        _ => labels.iter().for_each(|&label| hash.update((label as u64).to_le_bytes())),
    }
    hex(&hash.finalize())
}
