//! The theorems of the paper in their own terms, on networks as (2.1) and (2.2) define them.

mod beside;
mod claims;
mod figures;

use super::claims::{AT_THE_START, AWAY};
use super::{plan, sizes};
use crate::experiment::NetworkKind;
use crate::study::claim::{Claim, state_all};
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

/// Of the fully connected network, several depths.
pub(super) static DEPTHS: Part = Part {
    name: "depths",
    title: "The theorems at other depths",
    summary: "fully connected networks of two to five hidden layers, as the paper defines them",
    introduction: "The same on fully connected networks of two to five hidden layers: the exponents change with the depth, the \
                   theorems do not.",
    scope: Scope::Full,
    takes: OF_FCNS,
    plan: |part, options| Box::new(Runs { cells: plan::depths(options).cells(part, options), findings }),
    ..PART
};

/// Of a smooth activation.
pub(super) static SMOOTH: Part = Part {
    name: "smooth",
    title: "The theorems for a smooth activation",
    summary: "the error function in place of the ReLU: the same theorems without kinks",
    introduction: "The same with the error function as activation, fully connected: no unit rests on a kink, and the network is not \
                   homogeneous, so theory has no exponents for it. What the theorems say needs neither.",
    scope: Scope::Full,
    takes: OF_FCNS,
    plan: |part, options| {
        Box::new(Runs { cells: plan::smooth(options).cells(part, options), findings: without_exponents })
    },
    ..PART
};

/// A grid of fully connected networks, of one size.
const OF_FCNS: Takes = Takes { networks: &[NetworkKind::Fcn], full: false, ..Takes::GRID };

fn findings(groups: &[Group]) -> Findings {
    shown(groups, &[AT_THE_START, claims::ALONG_TRAINING, AWAY, claims::BESIDE])
}

/// Those of networks that are not homogeneous.
fn without_exponents(groups: &[Group]) -> Findings {
    shown(groups, &[AT_THE_START, claims::ALONG_TRAINING, claims::BESIDE])
}

fn shown(groups: &[Group], all: &[&[Claim<Group>]]) -> Findings {
    let of_group = |group: &Group| all.iter().flat_map(|claims| state_all(claims, group)).collect::<Vec<_>>();
    Findings {
        sizes: sizes(groups),
        claims: groups.iter().flat_map(of_group).collect(),
        figures: groups.iter().flat_map(figures::of_group).collect(),
        ..Findings::default()
    }
}
