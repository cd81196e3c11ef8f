//! What a study found of a paper's claim: a row of its table.

use std::fmt;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// the interval lies inside what is allowed
    Holds,
    /// the interval lies outside
    Fails,
    /// neither, or there is no interval
    NotDecided,
}

impl Verdict {
    /// All verdicts, in the order in which they are counted.
    pub const ALL: [Self; 3] = [Self::Holds, Self::Fails, Self::NotDecided];

    /// As a verb after a number: `1 fails`, `2 fail`.
    pub fn counted(self, count: usize) -> String {
        let verb = match (self, count) {
            (Self::Holds, 1) => "holds",
            (Self::Holds, _) => "hold",
            (Self::Fails, 1) => "fails",
            (Self::Fails, _) => "fail",
            (Self::NotDecided, 1) => "is not decided",
            (Self::NotDecided, _) => "are not decided",
        };
        format!("{count} {verb}")
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::NotDecided => "not decided",
        })
    }
}

/// What is at stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// something about networks that the data may refute
    Claim,
    /// an identity, a bound or a regression value that only an error of the program can break
    Check,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Claim => "claim",
            Self::Check => "check",
        })
    }
}

/// One row of the table; the fields are the columns of `claims.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimRow {
    /// what is at stake
    pub kind: Kind,
    /// its name, beginning with the paper's letter: `A1`
    pub claim: String,
    /// where it stands in the paper: theorem, equation, figure; or how it was derived
    pub place: String,
    /// the network it was tried on
    pub network: String,
    /// the loss trained with
    pub loss: String,
    /// the initialization
    pub init: String,
    /// the number that decides, if there is one
    pub measured: Option<f64>,
    /// the interval that it lies in, at the level of the study
    pub interval: Option<[f64; 2]>,
    /// how many values it is the mean of; 0 for a number without scatter
    pub seeds: usize,
    /// what theory says of it: a number, a bound, a limit
    pub theory: String,
    /// where the interval must lie
    pub allowed: [f64; 2],
    /// what became of it
    pub verdict: Verdict,
    /// what is measured over which runs, why so much is allowed, how many seeds would decide
    pub note: String,
}
