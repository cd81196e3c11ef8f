//! A paper's claim and what a study found of it.

use std::fmt;

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Measured as claimed.
    Holds,
    /// Measured, and not as claimed.
    Fails,
    /// The run ended before the claim could be judged.
    NotReached,
}

impl Verdict {
    /// All verdicts, in the order in which they are counted.
    pub const ALL: [Self; 3] = [Self::Holds, Self::Fails, Self::NotReached];
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::NotReached => "not reached",
        })
    }
}

/// One row of a table of claims; the fields are the columns of `claims.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Its name, beginning with the paper's letter: `A1`.
    pub claim: String,
    /// The network it was tried on.
    pub network: String,
    /// The loss trained with.
    pub loss: String,
    /// The initialisation.
    pub init: String,
    /// The number that decides, if there is one.
    pub measured: Option<f64>,
    /// Its uncertainty (one standard error), if known.
    pub uncertainty: Option<f64>,
    /// What theory says of it: a number, a bound, a limit.
    pub theory: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Anything a reader should know.
    pub note: String,
}
