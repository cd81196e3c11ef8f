//! What the figures of a sweep show of a run.

use super::Point;
use crate::plot::Scale;
use crate::study::cell::Finished;
use crate::study::draw::{DRIFT_AXIS, MEAN_MARGIN};
use crate::study::group::Column;

/// What is drawn.
pub(super) struct Quantity {
    pub(super) name: &'static str,
    /// of a run, as a title has it
    pub(super) title: &'static str,
    pub(super) axis: &'static str,
    pub(super) scale: Scale,
    pub(super) value: Column,
    pub(super) caption: &'static str,
}

impl Quantity {
    /// Whether it tells runs apart: an accuracy of 1 of all of them is no figure.
    pub(super) fn varies(&self, finished: &[Finished<Point>]) -> bool {
        let ends = finished.iter().filter_map(|run| run.trace.rows.last()).map(self.value);
        let mut ends: Vec<f64> = ends.filter(|end| end.is_finite()).collect();
        ends.dedup();
        finished.len() == 1 || ends.len() > 1
    }
}

/// All of them, in the order of the page.
pub(super) const QUANTITIES: [Quantity; 5] = [
    Quantity {
        name: "drift",
        title: "Kernel drift",
        axis: DRIFT_AXIS,
        scale: Scale::Log,
        value: |row| row.drift_max,
        caption: "Drift of the empirical kernel from initialization, max_{ij} |K_{t} − K_{0}|",
    },
    Quantity {
        name: "relative-drift",
        title: "Relative drift",
        axis: "|K_{t} − K_{0}|_{F}/|K_{0}|_{F}",
        scale: Scale::Log,
        value: |row| row.drift_fro,
        caption: "Drift of the empirical kernel relative to its initial Frobenius norm",
    },
    Quantity {
        name: "margin",
        title: "Mean margin",
        axis: MEAN_MARGIN,
        scale: Scale::Linear,
        value: |row| row.margin_mean,
        caption: "Mean margin of the training samples",
    },
    Quantity {
        name: "loss",
        title: "Loss",
        axis: "loss",
        scale: Scale::Log,
        value: |row| row.loss,
        caption: "Training loss without the penalty",
    },
    Quantity {
        name: "accuracy",
        title: "Accuracy",
        axis: "share of samples with a positive margin",
        scale: Scale::Linear,
        value: |row| row.accuracy,
        caption: "Fraction of training samples with a positive margin",
    },
];
