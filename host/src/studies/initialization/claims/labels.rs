//! C5: how smooth the labels of a data set are.

use std::ops::RangeInclusive;

use super::subject;
use crate::analysis::labels::Described;
use crate::analysis::smoothness::{Coding, Decay, Smoothness, middle, nearly_all, smoothness};
use crate::analysis::spectra::Spectra;
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Stated, Subject, Theory, state_all};
use crate::study::judge::Measured;
use crate::words::span;

/// A data set's labels with their spectra.
pub struct LabelsDescribed {
    /// what they are
    pub described: Described,
    /// and found
    pub spectra: Spectra,
}

impl LabelsDescribed {
    fn n(&self) -> usize {
        self.spectra.ntk.len()
    }
    fn estimate(&self, tails: &[f64], window: RangeInclusive<usize>, decay: Decay) -> Option<Smoothness> {
        smoothness(&self.spectra.ntk, tails, &window, &decay).ok()
    }
    fn fitted(&self, tails: &[f64]) -> Option<Smoothness> {
        self.estimate(tails, middle(self.n()), Decay::Fitted(middle(self.n())))
    }
    /// Of the labels as numbers.
    fn value(&self) -> Option<Smoothness> {
        let (_, tails) = self.spectra.functions.iter().find(|(coding, _)| *coding == Coding::Value.name())?;
        self.fitted(tails)
    }
    fn subject(&self, init: &str) -> Subject {
        subject(format!("NTK of an FCN, L = 1; {}, n = {}", self.described.title, self.n()), init)
    }
    /// One number, which has no scatter to be judged by.
    fn one(value: Option<f64>) -> Measured {
        Measured::of([value], "too few eigenvalues in the window")
    }
}

/// C5: the smoothness of a data set's labels beside that of f^GP on the same samples.
static LABELS: &[Claim<LabelsDescribed>] = &[
    Claim {
        name: "C5 smoothness of the labels",
        place: "Table 1",
        kind: Kind::Claim,
        about: |labels| labels.subject("any"),
        measure: |labels| LabelsDescribed::one(labels.value().map(|value| value.alpha)),
        theory: |labels| {
            let published = labels.described.published?;
            Some(
                Theory::number(published)
                    .within(0.1, "the paper states neither the encoding of the labels nor the scaling of the images"),
            )
        },
        note: |labels| {
            let n = labels.n();
            let other = |(coding, tails): &(String, Vec<f64>)| {
                let whole = labels.estimate(tails, nearly_all(n), Decay::Dimension(labels.described.dimension))?;
                Some(format!("{coding} {} ({})", number(labels.fitted(tails)?.alpha), number(whole.alpha)))
            };
            let others: Vec<String> = labels.spectra.functions.iter().filter_map(other).collect();
            let f_gp = labels.fitted(&Spectra::mean(&labels.spectra.draws));
            format!(
                "k from {}, decay of the eigenvalues fitted there, {}; by encoding of the labels, and in parentheses with the paper's window k < 0.9 n and \
                 decay (d + 1)/d: {}; f^{{GP}} on the same samples: {}",
                span(&middle(n)),
                labels.value().map_or("none".into(), |s| number(s.decay)),
                others.join(", "),
                f_gp.map_or("none".into(), |s| number(s.alpha))
            )
        },
        failing: "",
    },
    Claim {
        name: "C5 f^{GP} is rougher than the labels",
        place: "section 5.2",
        kind: Kind::Claim,
        about: |labels| labels.subject("standard"),
        measure: |labels| {
            let Some(value) = labels.value() else { return LabelsDescribed::one(None) };
            let draws = labels.spectra.draws.iter().map(|tails| Some(labels.fitted(tails)?.alpha - value.alpha));
            Measured::of(draws, "too few eigenvalues in the window")
        },
        theory: |labels| {
            let d = labels.described.dimension;
            let words = format!("< 0, α of f^{{GP}} near {} in dimension {d}", number(3.0 / (d as f64 + 1.0)));
            Some(Theory::at_most(0.0).said(words))
        },
        note: |_| {
            "α of f^{GP} minus that of the labels at the same k, one value per draw; both see only the few directions in which the samples \
             vary, not all d"
                .into()
        },
        failing: "",
    },
];

/// C5 for one data set.
pub fn labels(labels: &LabelsDescribed) -> Vec<Stated> {
    state_all(LABELS, labels)
}
