//! The test points of a file, prepared as the training samples are.

use anyhow::Result;

use crate::cli::UsageError;
use crate::cli::terminal::warn;
use crate::data;
use crate::data::{ClassSelection, Classes, DataSpec, Samples, Source};
use crate::experiment::{Model, Settings};
use crate::machine::Budget;
use crate::words::number;

/// The points of a file and their y, prepared as the training samples are: of labels that were selected only those are taken.
pub(in crate::cli) fn test_points(
    source: &Source,
    settings: &Settings,
    samples: &Samples,
    budget: &Budget,
    quiet: bool,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let Model { classes, label_column, .. } = &settings.model;
    let label_column = label_column.clone().filter(|_| source.is_csv());
    // what is done to the training samples without being asked for is done to these too, whatever their file's own default
    let normalize = Some(settings.model.data_spec().normalization());
    // a label is looked up among the classes of the training samples, whatever else the file holds
    let spec = DataSpec { normalize, label_column, ..DataSpec::new(source.clone()) };
    let selected = DataSpec {
        targets: samples.targets.filter(|_| samples.are_values()),
        classes: classes.clone().filter(|c| matches!(c, ClassSelection::Labels(_))),
        ..spec.clone()
    };
    let test = match data::load(&selected, budget) {
        // points without y are predicted too
        Err(data::Error::NoLabels { .. }) => data::load(&spec, budget)?,
        loaded => loaded?,
    };
    warn(&test, quiet);
    let wrong = |what: String| UsageError::Range { flag: "--test", given: source.to_string(), what };
    if test.d != samples.d {
        return Err(wrong(format!(
            "{} numbers per sample, but the training samples have {}; give test points of the same dimension",
            test.d, samples.d
        ))
        .into());
    }
    if test.y_columns != samples.y_columns && test.y_columns > 0 {
        let what = format!(
            "y has {} numbers per sample, but y of the training samples has {}; give test points with the same y",
            test.y_columns, samples.y_columns
        );
        return Err(wrong(what).into());
    }
    let y = match (&samples.map, &test.map) {
        _ if test.targets.is_none() => test.y,
        // each file numbers its names by itself
        (Some(classes @ Classes::Names(_)), Some(Classes::Names(names))) => classes.numbers_of_names(&test.y, names),
        (Some(Classes::Names(_)), _) => {
            return Err(wrong(
                "its labels are numbers, but those of the training samples are names; give labels of the same kind"
                    .into(),
            )
            .into());
        }
        (_, Some(Classes::Names(_))) => {
            return Err(wrong(
                "its labels are names, but those of the training samples are numbers; give labels of the same kind"
                    .into(),
            )
            .into());
        }
        // a label beside the classes of the training samples is of none of them; a fraction is no label
        (Some(_), None) => match test.y.iter().position(|y| y.fract() != 0.0) {
            Some(row) => {
                let label = number(test.y[row]);
                let what = format!("the label {label} of row {row} (from 0) is not an integer, so it is not a class");
                return Err(
                    wrong(format!("{what}; give labels of the same kind as those of the training samples")).into()
                );
            }
            None => test.y,
        },
        _ => test.y,
    };
    Ok((test.x, y))
}
