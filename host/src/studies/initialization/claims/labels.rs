//! C5: how smooth the labels of a data set are.

use std::ops::RangeInclusive;

use super::{subject, tried};
use crate::analysis::Error;
use crate::analysis::labels::Described;
use crate::analysis::smoothness::{Coding, Decay, Smoothness, middle, nearly_all, smoothness};
use crate::analysis::spectra::Spectra;
use crate::report::{Kind, number};
use crate::study::claim::{Claim, Failing, Stated, Subject, Theory, UNEXPLAINED, state_all};
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
    fn estimate(&self, tails: &[f64], window: RangeInclusive<usize>, decay: &Decay) -> Result<Smoothness, Error> {
        smoothness(&self.spectra.ntk, tails, &window, decay)
    }
    /// By the middle window and the decay of the eigenvalues there.
    pub fn middle(&self, tails: &[f64]) -> Result<Smoothness, Error> {
        self.estimate(tails, middle(self.n()), &Decay::Fitted(middle(self.n())))
    }
    /// By the paper's window and decay.
    pub fn paper(&self, tails: &[f64]) -> Result<Smoothness, Error> {
        self.estimate(tails, nearly_all(self.n()), &Decay::Dimension(self.described.dimension))
    }
    /// By the paper's window, and the decay of the eigenvalues in it.
    pub fn paper_fitted(&self, tails: &[f64]) -> Result<Smoothness, Error> {
        self.estimate(tails, nearly_all(self.n()), &Decay::Fitted(nearly_all(self.n())))
    }
    /// By the middle window and the paper's decay.
    pub fn middle_paper(&self, tails: &[f64]) -> Result<Smoothness, Error> {
        self.estimate(tails, middle(self.n()), &Decay::Dimension(self.described.dimension))
    }
    /// Tail sums of the labels as numbers.
    fn value(&self) -> &[f64] {
        let all = &self.spectra.functions;
        all.iter().find(|(coding, _)| *coding == Coding::Value.name()).map_or(&[], |(_, tails)| tails)
    }
    fn subject(&self, init: &str) -> Subject {
        subject(format!("NTK of an FCN, L = 1; {}, n = {}", self.described.title, self.n()), init)
    }
    /// One number, which has no scatter to be judged by, beside what the paper has.
    fn beside(&self, of: fn(&Self, &[f64]) -> Result<Smoothness, Error>) -> Measured {
        Measured::tried([of(self, self.value()).map(|found| found.alpha)])
    }
    fn published(&self) -> Option<Theory> {
        let reason = "the paper states neither the coding of the labels nor the scaling of the images";
        Some(Theory::number(self.described.published?).within(0.1, reason))
    }
}

const ONE: &str = "labels as numbers; one set of samples has no scatter, so the number is reported and not judged; other codings are in the table";

/// C5: the smoothness of a data set's labels beside that of f^GP on the same samples.
static LABELS: &[Claim<LabelsDescribed>] = &[
    Claim {
        name: "C5 smoothness of the labels, by the paper's window",
        place: "Table 1, appendix G",
        kind: Kind::Claim,
        about: |labels| labels.subject("any"),
        measure: |labels| labels.beside(LabelsDescribed::paper),
        theory: LabelsDescribed::published,
        note: |labels| {
            let d = labels.described.dimension;
            format!("k from {}, decay (d + 1)/d, d = {d}; {ONE}", span(&nearly_all(labels.n())))
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "C5 smoothness of the labels, by the middle window",
        place: "Table 1; the window that leaves out the bend at k = n",
        kind: Kind::Claim,
        about: |labels| labels.subject("any"),
        measure: |labels| labels.beside(LabelsDescribed::middle),
        theory: LabelsDescribed::published,
        note: |labels| {
            let decay = labels.middle(labels.value()).map_or("none".into(), |found| number(found.decay));
            format!("k from {}, decay of the eigenvalues fitted there, {decay}; {ONE}", span(&middle(labels.n())))
        },
        failing: UNEXPLAINED,
    },
    Claim {
        name: "C5 f^{GP} is rougher than the labels",
        place: "section 5.2",
        kind: Kind::Claim,
        about: |labels| labels.subject("standard"),
        measure: |labels| {
            let difference = |tails: &Vec<f64>| Ok(labels.middle(tails)?.alpha - labels.middle(labels.value())?.alpha);
            tried::<Error>(labels.spectra.draws.iter().map(difference), "draws of f^{GP}")
        },
        theory: |labels| {
            let d = labels.described.dimension;
            let words = format!("< 0, α of f^{{GP}} near {} in dimension {d}", number(3.0 / (d as f64 + 1.0)));
            Some(Theory::at_most(0.0).said(words))
        },
        note: |labels| {
            format!(
                "α of f^{{GP}} minus that of the labels as numbers, k from {}, one value per draw",
                span(&middle(labels.n()))
            )
        },
        failing: Failing {
            above: "3/(d + 1) is the smoothness on a domain of dimension d; both functions see only the few directions in which the \
                    samples vary, where f^{GP} is much smoother than that",
            ..UNEXPLAINED
        },
    },
];

/// C5 for one data set.
pub fn labels(labels: &LabelsDescribed) -> Vec<Stated> {
    state_all(LABELS, labels)
}
