//! What a network is to output on its samples.

use ntkscope_core::Real;
use ntkscope_core::loss::Loss;

use super::Error;
use crate::data::{self, ClassSelection, Samples};
use crate::experiment::{self, Model, OptimizerKind, ReadingKind, Training};

/// Targets `(n, C)` under this loss: those of the classes, or y itself where it is numbers.
///
/// # Errors
/// Samples without y, of one class, or of another number of outputs; a loss or a smoothing that does not take them.
pub fn targets<T: Real>(samples: &Samples, loss: Loss, smoothing: f64, outputs: usize) -> Result<Vec<T>, Error> {
    if samples.are_values() && outputs == samples.y_columns {
        return Ok(samples.y.iter().map(|y| T::from_f64(*y)).collect());
    }
    ntkscope_core::Error::shape("labels of the samples", samples.n, samples.labels.len())?;
    targets_of(&samples.labels, loss, smoothing, outputs)
}

/// Targets `(n, C)` of these classes.
///
/// # Errors
/// A class that is none of the outputs; a loss or a smoothing that does not take them.
pub fn targets_of<T: Real>(classes: &[usize], loss: Loss, smoothing: f64, outputs: usize) -> Result<Vec<T>, Error> {
    let mut targets = vec![T::ZERO; classes.len() * outputs];
    for (target, class) in targets.chunks_exact_mut(outputs).zip(classes) {
        loss.target(*class, smoothing, target)?;
    }
    Ok(targets)
}

/// Refuses what cannot be trained on these samples, before the work begins.
///
/// # Errors
/// Samples without y or of one class, or without the curve of a profile, a class that was asked for and does not occur,
/// outputs that y does not ask for, numbers under another loss than squared error or whose squares leave the run's scalar, an end at a margin, which numbers have
/// not, and a fine reading where there are no kinks to read.
pub fn check(model: &Model, training: &Training, samples: &Samples) -> Result<(), Error> {
    samples.need_y("training")?;
    if training.predictions == Some(true) {
        model.check_kernel_regime()?;
    }
    model.check_outputs(samples)?;
    if let (Some(curve), None) = (&training.profile, &samples.curve) {
        let what = "its inputs are not read; `Samples::follow` does it".into();
        return Err(experiment::Error::Range { setting: "profile", given: curve.to_string(), what }.into());
    }
    let at_points = training.optimizer != OptimizerKind::Flow || !model.has_kink();
    if training.reading == ReadingKind::Fine && at_points {
        let what = "gradient descent and smooth activations need no burst; leave it out".into();
        return Err(experiment::Error::Range { setting: "reading", given: "fine".into(), what }.into());
    }
    if samples.are_values() {
        model.under(training.loss)?;
        training.without_margins()?;
        let largest = samples.y.iter().fold(0.0, |largest: f64, y| largest.max(y.abs()));
        let sum = samples.y.len() as f64 * largest * largest;
        if sum > model.dtype.range().1 {
            return Err(Error::TargetScale { place: samples.place.clone(), largest, dtype: model.dtype });
        }
        return Ok(());
    }
    if samples.classes < 2 {
        return Err(data::Error::OneClass { place: samples.place.clone() }.into());
    }
    if let Some(selection @ ClassSelection::Labels(labels)) = &model.classes {
        let used = |class: usize| samples.labels.contains(&class);
        let present: Vec<String> =
            (0..labels.len()).filter(|class| used(*class)).map(|class| labels[class].to_string()).collect();
        let absent = (0..labels.len()).find(|class| !used(*class)).filter(|_| samples.n >= labels.len());
        if let Some(class) = absent {
            return Err(data::Error::MissingClass {
                selection: selection.to_string(),
                place: format!("the selection from {}", samples.place),
                class: format!("the label {}", labels[class]),
                present: present.join(", "),
            }
            .into());
        }
    }
    Ok(())
}
