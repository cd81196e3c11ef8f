//! The claims of the study: what keeps the kernel, where training ends, and how the ends are spread.

mod ends;
mod ensembles;
mod judged_ensemble;
mod kept;
mod over_widths;
mod posterior;

pub use judged_ensemble::JudgedEnsemble;
pub use over_widths::{OverWidths, bias};

use ntkscope_core::loss::logit;

use super::ensemble::Start;
use crate::experiment::Init;
use crate::study::claim::{Claim, Stated, Subject, state_all};
use crate::study::group::Group;
use crate::study::net::Regularization;

/// The runs with one regularization beside the plain ones of the same part and network.
#[derive(Clone)]
pub struct Beside {
    /// the runs
    pub group: Group,
    /// runs of plain cross-entropy
    pub plain: Option<Group>,
}

/// What the claims say of one network with all its regularizations: runs without any are there for comparison only.
pub fn of_network(all: &[Beside]) -> Vec<Stated> {
    let of = |beside: &Beside| -> Vec<Stated> {
        let lists: &[&[Claim<Beside>]] = match beside.group.regularization {
            Regularization::Plain => &[kept::WITHOUT],
            Regularization::Penalty(_) => &[kept::WITH_A_PENALTY, ends::WITH_A_PENALTY],
            Regularization::Smoothing(_) => &[kept::WITH_SOFT_TARGETS, ends::WITH_SOFT_TARGETS],
        };
        lists.iter().flat_map(|claims| state_all(claims, beside)).collect()
    };
    all.iter().flat_map(of).collect()
}

/// The same, with what becomes of them as soft targets become hard.
pub fn of_network_to_hard_targets(all: &[Beside]) -> Vec<Stated> {
    let soft = SoftTargets::of(all);
    of_network(all).into_iter().chain(soft.iter().flat_map(|soft| state_all(kept::TO_HARD_TARGETS, soft))).collect()
}

/// The same on images: the classes of held-out ones too.
pub fn of_network_on_images(all: &[Beside]) -> Vec<Stated> {
    of_network(all).into_iter().chain(all.iter().flat_map(|beside| state_all(ends::ON_IMAGES, beside))).collect()
}

/// Labels that disagree, which are soft targets in all but name.
pub fn of_conflicting(group: &Group) -> Vec<Stated> {
    let beside = Beside { group: group.clone(), plain: None };
    [kept::WITH_LABELS_THAT_DISAGREE, ends::WITH_LABELS_THAT_DISAGREE]
        .into_iter()
        .flat_map(|claims| state_all(claims, &beside))
        .collect()
}

/// What the claims say of ensembles of one kind that start from their own outputs, narrow to wide.
pub fn of_ensembles(by_width: &OverWidths) -> Vec<Stated> {
    let of = |ensemble: &JudgedEnsemble| {
        let lists: &[&[Claim<JudgedEnsemble>]] = match ensemble.ensemble.first.init {
            // f_0 is 0, and so is the spread in the limit
            Init::Mirrored | Init::Shifted => &[],
            Init::Standard if ensemble.laplace.is_empty() => &[ensembles::OF_OWN_OUTPUTS],
            Init::Standard => &[ensembles::OF_OWN_OUTPUTS, posterior::IN_PARAMETERS],
        };
        lists.iter().flat_map(|claims| state_all(claims, ensemble)).collect::<Vec<_>>()
    };
    let kinks = by_width.first().is_some_and(|first| first.ensemble.first.run.settings.model.has_kink());
    let bias = if kinks { over_widths::BIAS_OF_KINKS } else { over_widths::BIAS_OF_SMOOTH };
    let lists = if by_width.len() < 2 { &[][..] } else { &[bias, over_widths::SPREAD][..] };
    let over_widths = lists.iter().flat_map(|claims| state_all(claims, by_width));
    by_width.iter().flat_map(of).chain(over_widths).collect()
}

/// What they say of ensembles that start from draws of the prior.
pub fn of_samples_of_the_posterior(by_width: &OverWidths) -> Vec<Stated> {
    let of = |ensemble: &JudgedEnsemble| match ensemble.ensemble.start {
        Start::Prior { noisy: true, .. } => state_all(posterior::SAMPLED_THEN_OPTIMIZED, ensemble),
        Start::Prior { noisy: false, .. } => state_all(posterior::FROM_THE_PRIOR, ensemble),
        Start::Network => Vec::new(),
    };
    by_width.iter().flat_map(of).collect()
}

/// The margin of the targets of two classes.
fn margin_of_targets(eps: f64) -> f64 {
    logit(1.0 - 0.5 * eps)
}

impl Beside {
    fn subject(&self) -> Subject {
        self.group.subject(format!("cross-entropy, {}", self.group.regularization.title()))
    }
}

/// All smoothings of a network.
pub struct SoftTargets {
    /// margin of the targets, and the runs
    by_margin: Vec<(f64, Beside)>,
    /// the widest that all of them have
    width: usize,
}

impl SoftTargets {
    /// `None` where there are fewer than two.
    fn of(all: &[Beside]) -> Option<Self> {
        let by_margin: Vec<(f64, Beside)> = all
            .iter()
            .filter_map(|beside| match beside.group.regularization {
                Regularization::Smoothing(eps) => Some((margin_of_targets(eps), beside.clone())),
                Regularization::Plain | Regularization::Penalty(_) => None,
            })
            .collect();
        let (_, first) = by_margin.first().filter(|_| by_margin.len() > 1)?;
        let shared = |width: &usize| by_margin.iter().all(|(_, beside)| beside.group.widths().contains(width));
        let width = first.group.widths().into_iter().rfind(shared)?;
        Some(Self { by_margin, width })
    }

    fn first(&self) -> &Group {
        &self.by_margin[0].1.group
    }
}
