//! A value read off a figure of the paper, and what was measured in its place.

use crate::analysis::statistics::{Estimate, deviation};
use crate::report::{ClaimRow, Kind, Verdict, number, rounded};
use crate::study::claim::{Claim, Failing, Subject, Theory};
use crate::study::judge::Measured;

/// A value of one of the paper's runs, whose seed is not known, beside ours over seeds.
pub(super) struct Reading {
    /// what our runs are
    pub(super) subject: Subject,
    /// ours, seed by seed
    pub(super) values: Measured,
    /// the paper's
    pub(super) read: f64,
    /// how far one seed and the reading may lie from our mean
    pub(super) allowance: f64,
    /// and why
    pub(super) reason: &'static str,
    /// which value it is
    pub(super) note: String,
}

/// What a figure says, in a claim of this name.
pub(super) const fn as_read_off(name: &'static str, place: &'static str, failing: Failing) -> Claim<Reading> {
    Claim {
        name,
        place,
        kind: Kind::Claim,
        about: |reading| reading.subject.clone(),
        measure: |reading| reading.values.clone(),
        theory: |reading| {
            let theory = Theory::number(reading.read).said(read_off(reading.read));
            Some(theory.within(reading.allowance, reading.reason))
        },
        note: |reading| reading.note.clone(),
        failing,
    }
}

/// A value as theory has it.
fn read_off(value: f64) -> String {
    format!("{} (read off)", number(value))
}

/// Ours in place of a value, and whether it can be what the figure shows, once that is judged.
pub(super) fn beside(
    values: &Measured,
    rows: &[ClaimRow],
    claim: &Claim<Reading>,
    subject: &Subject,
    read: f64,
) -> String {
    let is_it = |row: &&ClaimRow| {
        (row.claim.as_str(), &row.network, &row.loss) == (claim.name, &subject.network, &subject.loss)
            && row.theory == read_off(read)
    };
    let verdict = match rows.iter().find(is_it).map(|row| row.verdict) {
        Some(Verdict::Holds) => ", fits",
        Some(Verdict::Fails) => ", excluded",
        Some(Verdict::NotDecided) => ", not excluded",
        None => "",
    };
    format!("{}{verdict}", spread(values))
}

/// Mean and standard deviation of one seed: `5.200 ± 0.041`; a dash where there is nothing.
pub(super) fn spread(values: &Measured) -> String {
    let deviation = deviation(values.values());
    match values.estimate() {
        None => "–".into(),
        Some(Estimate { value, .. }) if deviation > 0.0 => rounded(value, deviation),
        Some(Estimate { value, .. }) => rounded(value, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_that_of_one_seed() {
        let of = |values: &[f64]| spread(&Measured::Values(values.to_vec()));
        assert_eq!(of(&[5.15, 5.25, 5.2, 5.2]), "5.200 ± 0.041");
        assert_eq!(of(&[5.1234]), "5.12");
        assert_eq!(spread(&Measured::Nothing(String::new())), "–");
    }
}
