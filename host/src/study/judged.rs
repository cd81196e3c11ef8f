//! What a claim is judged by, and the row that it becomes.

use super::group::Group;
use super::plan::init_name;
use crate::analysis::statistics::Estimate;
use crate::report::{Claim, Verdict};

/// What a claim is judged by.
pub struct Judged {
    /// the number that decides
    pub measured: Option<Estimate>,
    /// what theory says of it
    pub theory: String,
    /// `None`: not reached
    pub holds: Option<bool>,
    /// anything a reader should know
    pub note: String,
}

impl Judged {
    /// The row about a group of runs.
    pub fn claim(self, claim: impl Into<String>, group: &Group<'_>, loss: impl Into<String>) -> Claim {
        let network = format!("{}; {}", group.net.title(), group.part.name());
        self.about(claim, network, loss, init_name(group.init))
    }

    /// The row about a network in words.
    pub fn about(
        self,
        claim: impl Into<String>,
        network: impl Into<String>,
        loss: impl Into<String>,
        init: impl Into<String>,
    ) -> Claim {
        let Self { measured, theory, holds, note } = self;
        let one_seed = if measured.is_some_and(|m| m.count == 1) { "; one seed, so no standard error" } else { "" };
        Claim {
            claim: claim.into(),
            network: network.into(),
            loss: loss.into(),
            init: init.into(),
            measured: measured.map(|m| m.value),
            uncertainty: measured.and_then(|m| m.error),
            theory,
            verdict: match (holds, measured) {
                (Some(true), Some(_)) => Verdict::Holds,
                (Some(false), Some(_)) => Verdict::Fails,
                _ => Verdict::NotReached,
            },
            note: format!("{note}{one_seed}"),
        }
    }
}
