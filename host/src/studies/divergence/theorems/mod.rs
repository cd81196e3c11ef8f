//! The theorems of the paper in their own terms, on networks as (2.1) and (2.2) define them.

mod beside;
mod claims;
mod figures;

use super::claims::{AT_THE_START, AWAY};
use super::{plan, sizes};
use crate::study::claim::state_all;
use crate::study::group::Group;
use crate::study::options::Takes;
use crate::study::paper::{Part, Scope};
use crate::study::plan::{Findings, Runs};

/// Runs of the paper's own networks.
pub(super) static PART: Part = Part {
    name: "theorems",
    title: "The theorems on the paper's own networks",
    summary: "biases in all hidden layers, as the paper defines its networks; Theorems 1 and 2, Corollary 1 in their own terms",
    introduction: "The six points again, and networks as the paper defines them: (2.1), fully connected with biases in all hidden layers, \
                   and (2.2), residual with biases at the input and in the branches, from their own random initialization. Theorem 1: \
                   while λ_{min}(K_{t}) stays above a positive constant, every margin grows without bound. Corollary 1: so does the \
                   largest movement of a parameter. Theorem 2: somewhere in the domain K_{t} leaves the NTK by λ_{0}/(2n^{2}). Random \
                   networks are that far from it before they are trained, so the evidence is the growth along training.",
    scope: Scope::Quick,
    images: &[],
    takes: Takes::GRID,
    plan: |part, options| Box::new(Runs { cells: plan::theorems(options).cells(part, options), findings }),
};

fn findings(groups: &[Group]) -> Findings {
    let of_group = |group: &Group| {
        let all = [AT_THE_START, claims::ALONG_TRAINING, AWAY, claims::BESIDE];
        all.into_iter().flat_map(|claims| state_all(claims, group)).collect::<Vec<_>>()
    };
    Findings {
        sizes: sizes(groups),
        claims: groups.iter().flat_map(of_group).collect(),
        figures: groups.iter().flat_map(figures::of_group).collect(),
        ..Findings::default()
    }
}
