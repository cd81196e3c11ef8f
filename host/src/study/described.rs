//! What the tables of a study hold, in words.

use crate::files::Described;

/// `claims.csv`: a row per claim or check.
pub(super) const CLAIMS: [Described; 15] = Described::of(
    "claims.csv",
    [
        ("kind", "", "claim: the data may refute it; check: only a bug in the program can"),
        ("claim", "", "the claim; begins with the paper's letter and a number"),
        ("where", "", "theorem, equation or figure of the paper, or its derivation"),
        ("network", "", "network it refers to"),
        ("loss", "", "loss it refers to"),
        ("init", "", "initialization it refers to"),
        ("measured", "as theory", "measured value: a mean over seeds, or a single number without scatter"),
        (
            "low",
            "as theory",
            "lower end of its Student interval: 95 % if every claim of the study is decided, wider otherwise",
        ),
        ("high", "as theory", "upper end of the interval; both ends are empty if there is one seed"),
        (
            "seeds",
            "",
            "number of independent values averaged: seeds, or what `note` says, as groups of networks; 0 for a number without scatter",
        ),
        ("theory", "", "prediction of the theory"),
        ("allowed_low", "as theory", "least number allowed, of a theory > 0 the one after 0; -inf if there is none"),
        ("allowed_high", "as theory", "upper end of the allowance; inf if there is none"),
        (
            "verdict",
            "",
            "holds if the interval lies inside the allowance, fails if it lies outside, otherwise not decided",
        ),
        ("note", "", "what is measured, the reason for the allowance, how many seeds would decide"),
    ],
);

/// `cells.csv`: a row per run of the grid. Differences are from the linearized network but for those called ntk.
pub(super) const CELLS: [Described; 44] = Described::of(
    "cells.csv",
    [
        ("id", "", "name of the run's directory below runs/"),
        ("part", "", "part of the study"),
        ("network", "", "fcn or resnet"),
        ("depth", "", "hidden layers, or residual blocks"),
        ("alpha", "", "branch scale; empty for fcn"),
        ("bias", "", "layers with trained biases"),
        ("parametrization", "", "how layers are scaled"),
        ("activation", "", "activation"),
        ("width", "", "width of the hidden layers"),
        ("init", "", "initialization"),
        ("loss", "", "loss"),
        ("penalty", "", "weight of (1/2)|theta - theta_0|^2 in the loss"),
        ("smoothing", "", "label smoothing"),
        ("loss_sum", "", "whether the loss is the sum over the samples, and not their mean"),
        ("optimizer", "", "optimizer"),
        ("rate", "", "learning rate; empty for the flow"),
        ("seed", "", "seed of the parameters"),
        ("samples", "", "number of training samples"),
        ("stopped", "", "why the run ended"),
        ("failure", "", "why it counts as failed; empty if it does not"),
        ("evaluations", "", "gradient evaluations"),
        ("step", "", "number of steps"),
        (
            "time",
            "time of gradient flow on the mean loss, or on its sum under `loss-sum`",
            "t at the end; inf if too large to represent",
        ),
        ("log_time", "", "ln(1 + t) at the end"),
        ("final_loss", "loss", "mean loss at the end, or the sum under `loss-sum`, excluding the penalty"),
        ("accuracy", "share", "fraction of samples with a positive margin at the end"),
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
        ("log_time_of_10_percent_drift", "", "ln(1 + t) at which drift_fro exceeds 0.1; empty if it never does"),
        ("ntk_difference", "output", "largest |f - prediction| under Theta at the end; empty without predictions"),
        ("linearized_difference", "output", "largest |f - prediction| under K_0 at the end; empty without predictions"),
        ("limit_difference", "output", "largest |f - limit| on the training samples; empty if training has no limit"),
        ("limit_difference_held_out", "output", "same for the held-out samples"),
        (
            "limit_agreement",
            "share",
            "fraction of held-out samples classified as in the limit of the linearized network",
        ),
        ("limit_agreement_ntk", "share", "fraction of held-out samples classified as in the limit under Theta"),
    ],
);

/// `cells.csv` of a sweep, which has the settings that vary in place of those from `part` to `seed`.
pub(super) const SWEPT: [Described; 1] = Described::of(
    "cells.csv",
    [("{setting}", "", "in a sweep: a setting that varies, in place of the columns from part to seed")],
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::table::{cells_table, claims_table};

    #[test]
    fn every_column_is_described_in_order() {
        assert!(claims_table(&[]).columns().eq(CLAIMS.iter().map(|d| d.name)));
        assert!(cells_table(&[], &[]).unwrap().columns().eq(CELLS.iter().map(|d| d.name)));
    }
}
