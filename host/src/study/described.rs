//! What the tables of a study hold, in words.

use crate::files::Described;

/// `claims.csv`: a row per claim or check.
pub(super) const CLAIMS: [Described; 15] = Described::of(
    "claims.csv",
    [
        ("kind", "", "claim: data may refute it; check: only an error of the program can"),
        ("claim", "", "what is claimed; begins with the paper's letter and a number"),
        ("where", "", "theorem, equation or figure of the paper, or how it was derived"),
        ("network", "", "the network that it is claimed of"),
        ("loss", "", "the loss that it is claimed of"),
        ("init", "", "the initialization that it is claimed of"),
        ("measured", "as theory", "the measured number: a mean over seeds, or a number without scatter"),
        (
            "low",
            "as theory",
            "lower end of its Student interval, 95 % where every claim of the study is decided, wider where not",
        ),
        ("high", "as theory", "upper end of the interval; both are empty where there is one seed"),
        ("seeds", "", "how many values the mean is of; 0 for a number without scatter"),
        ("theory", "", "what theory says"),
        ("allowed_low", "as theory", "lower end of what is allowed; -inf where there is none"),
        ("allowed_high", "as theory", "upper end of what is allowed; inf where there is none"),
        (
            "verdict",
            "",
            "holds where the interval lies inside what is allowed, fails where it lies outside, else not decided",
        ),
        ("note", "", "what is measured, why so much is allowed, how many seeds would decide"),
    ],
);

/// `cells.csv`: a row per run of the grid. Differences are from the linearized network but for those called ntk.
pub(super) const CELLS: [Described; 36] = Described::of(
    "cells.csv",
    [
        ("id", "", "name of the run's directory in runs/"),
        ("part", "", "part of the study"),
        ("network", "", "fcn or resnet"),
        ("depth", "", "hidden layers, or residual blocks"),
        ("alpha", "", "branch scale; empty of a fcn"),
        ("width", "", "width of the hidden layers"),
        ("init", "", "initialization"),
        ("loss", "", "loss"),
        ("seed", "", "seed of the parameters"),
        ("samples", "", "samples trained on"),
        ("stopped", "", "why the run ended"),
        ("failure", "", "why it counts as failed; empty where it does not"),
        ("evaluations", "", "gradient evaluations"),
        ("step", "", "steps at the end"),
        ("time", "time of gradient flow on the mean loss", "t at the end; inf where it is too large to be represented"),
        ("log_time", "", "ln(1 + t) at the end"),
        ("final_loss", "loss", "mean loss at the end, without the penalty"),
        ("accuracy", "share", "share of samples with a positive margin at the end"),
        ("margin_min", "output", "smallest margin at the end"),
        ("margin_mean", "output", "mean margin at the end"),
        ("param_distance", "parameter", "|theta - theta_0| at the end"),
        ("drift_max", "kernel", "max_ij |K_t - K_0| at the end"),
        ("drift_fro", "share", "|K_t - K_0|_F / |K_0|_F at the end"),
        ("drift_max_sup", "kernel", "largest max_ij |K_t - K_0| along the run"),
        ("error_fro_initial", "share", "|K_0 - Theta|_F / |Theta|_F"),
        ("lambda_min_initial", "kernel", "smallest eigenvalue of K_0"),
        ("lambda_min_smallest", "kernel", "smallest eigenvalue of any K_t along the run"),
        ("lambda_min_final", "kernel", "smallest eigenvalue of K_t at the end"),
        ("analytic_lambda_min", "kernel", "smallest eigenvalue of Theta"),
        ("log_time_of_10_percent_drift", "", "ln(1 + t) at which drift_fro passes 0.1; empty where it does not"),
        ("ntk_difference", "output", "largest |f - prediction| under Theta at the end; empty without predictions"),
        ("linearized_difference", "output", "largest |f - prediction| under K_0 at the end; empty without predictions"),
        ("limit_difference", "output", "largest |f - limit| on the training samples; empty where training has no end"),
        ("limit_difference_held_out", "output", "the same on the samples held out"),
        ("limit_agreement", "share", "held-out samples whose class is that of the linearized network's limit"),
        ("limit_agreement_ntk", "share", "held-out samples whose class is that of the limit under Theta"),
    ],
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::table::{cells_table, claims_table};

    #[test]
    fn every_column_is_described_in_order() {
        assert!(claims_table(&[]).columns().eq(CLAIMS.iter().map(|d| d.name)));
        assert!(cells_table(&[]).columns().eq(CELLS.iter().map(|d| d.name)));
    }
}
