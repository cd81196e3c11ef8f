//! Rates of divergence: the exponents at which kernel and parameters grow with the margin, of the paper's own networks.

mod claims;
mod figures;
pub mod growth;
pub mod homogeneity;
pub mod plan;
pub mod row;
mod table;
pub mod windows;

use crate::analysis::statistics::Estimate;
use crate::experiment::Init;
use crate::study::claim::Subject;
use crate::study::net::{CE, Net};
use row::Row;
use windows::{Local, locals};

/// The networks of one kind and width that went to a mean margin, one for every seed.
pub struct Grown {
    /// network
    pub net: Net,
    /// width m
    pub width: usize,
    /// mean margin that all reached
    pub margin: f64,
    /// the rows of every network that fits the samples
    pub runs: Vec<Vec<Row>>,
    /// networks that cannot fit them
    pub failed: usize,
}

impl Grown {
    /// What a claim is about.
    fn subject(&self) -> Subject {
        let network = format!("{}; exponent", self.net.title());
        Subject { network, loss: CE.to_string(), init: Init::Standard.to_string(), failed: self.failed }
    }
    /// The rows of all seeds.
    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.runs.iter().flatten()
    }
    /// The mean over the seeds of a column in the row of a mean margin; `None` where a network has none.
    fn mean_at(&self, margin: f64, column: impl Fn(&Row) -> f64) -> Option<f64> {
        // margins are reached from below
        let at = |rows: &Vec<Row>| rows.iter().find(|row| row.margin_mean >= 0.999 * margin).map(&column);
        let values: Option<Vec<f64>> = self.runs.iter().map(at).collect();
        Some(Estimate::from_values(&values?)?.value)
    }
    /// The local exponents of a column, means over the seeds, window by window.
    fn mean_locals(&self, column: impl Fn(&Row) -> f64) -> Vec<Local> {
        let all: Vec<Vec<Local>> = self.runs.iter().map(|rows| locals(rows, &column)).collect();
        let mean = |place: usize, of: fn(&Local) -> f64| {
            // counted from the last one, which all have
            let values: Option<Vec<f64>> =
                all.iter().map(|of_seed| of_seed.len().checked_sub(place).map(|at| of(&of_seed[at]))).collect();
            Some(Estimate::from_values(&values?)?.value)
        };
        let at = |place: usize| {
            let [from, y, exponent] =
                [|local: &Local| local.from, |local: &Local| local.y, |local: &Local| local.exponent]
                    .map(|of| mean(place, of));
            Some(Local { from: from?, y: y?, exponent: exponent? })
        };
        let mut means: Vec<Local> = (1..).map_while(at).collect();
        means.reverse();
        means
    }
}
