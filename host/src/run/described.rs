//! What the files of a run hold, in words. n samples, h held out, d numbers each, C outputs, K_t the empirical kernel of the n
//! samples at time t (of C outputs its trace over them, divided by C), Theta the analytic one. Of a flow with kinks a row of
//! the trace is a mean over a burst of short steps, and K_t the kernel that moves the network meanwhile.

use crate::files::Described;

/// Unit of kernels: that of the squared outputs.
const KERNEL: &str = "kernel";
/// Unit of outputs.
const OUTPUT: &str = "output";
/// Unit of the gradient flow of the loss, as it is trained.
const TIME: &str = "time of gradient flow on the mean loss, or on its sum under `loss-sum`";

/// `trace.csv`: a row per snapshot.
const TRACE: [Described; 30] = Described::of(
    "trace.csv",
    [
        ("step", "", "accepted steps"),
        ("time", TIME, "t; inf where it is too large to be represented"),
        ("loss", "loss", "mean loss, or its sum under `loss-sum`, without the penalty"),
        ("accuracy", "share", "share of samples with a positive margin; empty where y is numbers"),
        (
            "margin_min",
            OUTPUT,
            "smallest margin: output times sign, or the right output less the best wrong one; empty where y is numbers",
        ),
        ("margin_mean", OUTPUT, "mean margin; empty where y is numbers"),
        ("logit_max", OUTPUT, "largest |f|"),
        ("param_norm", "parameter", "|theta|"),
        ("param_distance", "parameter", "|theta - theta_0|"),
        ("drift_max", KERNEL, "max_ij |K_t - K_0|"),
        ("drift_fro", "share", "|K_t - K_0|_F / |K_0|_F; empty where K_0 is 0"),
        ("error_max", KERNEL, "max_ij |K_t - Theta|"),
        ("error_fro", "share", "|K_t - Theta|_F / |Theta|_F; empty where Theta is 0"),
        ("alignment", "", "centred alignment of K_t with K_0; empty where one of them is constant"),
        ("lambda_min", KERNEL, "smallest eigenvalue of K_t"),
        ("lambda_max", KERNEL, "largest eigenvalue of K_t"),
        (
            "condition",
            "",
            "lambda_max / lambda_min; inf where K_t is singular to rounding, empty where it is indefinite or 0",
        ),
        ("effective_rank", "", "exp of the entropy of the normalised eigenvalues of K_t"),
        ("finite", "true or false", "whether loss, parameters and kernel are finite"),
        ("log_time", "", "ln(1 + t)"),
        ("drift_max_se", KERNEL, "standard error of drift_max, from the quarters of a burst; empty without one"),
        ("sliding", "", "pairs of a unit and a sample that slide along their kink"),
        (
            "velocity_error",
            "share",
            "|df + K_t R| / |df| over a burst: what of the outputs' movement K_t does not account for; empty without one",
        ),
        ("point_drift_max", KERNEL, "drift_max with derivatives 0 or 1 at kinks, those of a point"),
        ("point_drift_fro", "share", "drift_fro of the same; empty where K_0 is 0"),
        (
            "stability",
            "",
            "of a descent, rate (lambda_max(H^1/2 K H^1/2) + LAMBDA) / 2 with K the full kernel at this moment and H the \
             Hessian of the loss, mean or sum, in the outputs: stable below 1; empty for a flow",
        ),
        ("target_alignment", "", "centred alignment of K_t with the targets' Gram matrix; empty where one is constant"),
        ("param_max", "parameter", "max_i |theta_i - theta_0i|"),
        ("drift_highest", KERNEL, "largest drift_max of the rows so far"),
        ("error_highest", KERNEL, "largest error_max of the rows so far"),
    ],
);

/// `predictions.csv`: a row per snapshot; what gradient flow under a fixed kernel predicts, beside the network.
const PREDICTIONS: [Described; 12] = Described::of(
    "predictions.csv",
    [
        ("time", TIME, "t; inf where it is too large to be represented"),
        ("log_time", "", "ln(1 + t)"),
        ("ntk_margin_min", OUTPUT, "smallest margin under Theta; empty where y is numbers"),
        ("ntk_margin_mean", OUTPUT, "mean margin under Theta; empty where y is numbers"),
        ("ntk_difference", OUTPUT, "largest |f_t - prediction| on the training samples, under Theta"),
        ("ntk_difference_held_out", OUTPUT, "the same on the samples held out; empty where there are none"),
        ("ntk_distance", "parameter", "|theta_t - theta_0| of a linear model with the kernel Theta"),
        (
            "linearized_margin_min",
            OUTPUT,
            "smallest margin under K_0, of the linearized network; empty where y is numbers",
        ),
        ("linearized_margin_mean", OUTPUT, "mean margin under K_0; empty where y is numbers"),
        ("linearized_difference", OUTPUT, "largest |f_t - prediction| on the training samples, under K_0"),
        ("linearized_difference_held_out", OUTPUT, "the same on the samples held out; empty where there are none"),
        ("linearized_distance", "parameter", "|theta_t - theta_0| of the linearized network"),
    ],
);

/// `profile.csv`: with `profile`, a row per snapshot and input x of the curve.
const PROFILE: [Described; 5] = Described::of(
    "profile.csv",
    [
        ("time", TIME, "t; inf where it is too large to be represented"),
        ("log_time", "", "ln(1 + t), as in trace.csv"),
        (
            "position",
            "",
            "where x is: of `profile = circle` its angle from x_0 in radians, of a file its row, from 0, which is x_0",
        ),
        ("kernel", KERNEL, "K_t(x_0, x), by the derivatives that the snapshot's kernel is of"),
        ("analytic", KERNEL, "Theta(x_0, x)"),
    ],
);

/// `limit.csv`: one row; where training ends under a fixed kernel, beside the network at its end.
const LIMIT: [Described; 13] = Described::of(
    "limit.csv",
    [
        ("ntk_margin_min", OUTPUT, "smallest margin in the limit under Theta; empty where y is numbers"),
        ("ntk_margin_mean", OUTPUT, "mean margin in the limit under Theta; empty where y is numbers"),
        ("ntk_difference", OUTPUT, "largest |f - limit| on the training samples, under Theta"),
        ("ntk_difference_held_out", OUTPUT, "the same on the samples held out; empty where there are none"),
        ("ntk_distance", "parameter", "|theta - theta_0| of a linear model with the kernel Theta"),
        (
            "ntk_agreement",
            "share",
            "held-out samples whose class is the network's; empty where there are none or y is numbers",
        ),
        ("linearized_margin_min", OUTPUT, "smallest margin in the limit under K_0; empty where y is numbers"),
        ("linearized_margin_mean", OUTPUT, "mean margin in the limit under K_0; empty where y is numbers"),
        ("linearized_difference", OUTPUT, "largest |f - limit| on the training samples, under K_0"),
        ("linearized_difference_held_out", OUTPUT, "the same on the samples held out; empty where there are none"),
        ("linearized_distance", "parameter", "|theta - theta_0| of the linearized network"),
        (
            "linearized_agreement",
            "share",
            "held-out samples whose class is the network's; empty where there are none or y is numbers",
        ),
        (
            "bound",
            "parameter",
            "sqrt(2 R(f_0)/LAMBDA), which |theta - theta_0| never exceeds with a penalty LAMBDA; inf without",
        ),
    ],
);

/// What both files of arrays over the samples have, `predictions.npz` with those held out.
const SAMPLES: [(&str, &str, &str); 5] = [
    ("x", "(n + h, d)", "the training samples, then those held out"),
    ("y", "(n) or (n, C)", "y of the training samples as in the data"),
    ("held_out_y", "(h) or (h, C)", "y of the samples held out; absent where it is not known"),
    ("targets", "(n, C)", "what the outputs are fitted to; of cross-entropy the probability of a class"),
    (
        "classes",
        "(classes)",
        "label of class 0, 1, …; of parity its remainder, of named classes its place (the names stand in run.toml); absent where y is numbers",
    ),
];

/// `kernels.npz`
const KERNELS: [Described; 11] = Described::of(
    "kernels.npz",
    [
        ("analytic", "(n, n)", "Theta of the training samples"),
        ("initial", "(n, n)", "K_0"),
        ("final", "(n, n)", "K_t at the end"),
        ("times", "(snapshots)", "t of the rows of trace.csv"),
        ("snapshots", "(snapshots, n, n)", "K_t at these times; with `kernels = all`"),
        (
            "points",
            "(snapshots, n, n)",
            "the kernel of the parameters at these times alone, derivatives 0 or 1 at a kink; of smooth networks K_t; with `kernels = all`",
        ),
        ("spectra", "(snapshots, n)", "all eigenvalues of K_t at these times, ascending; with `kernels = all`"),
        ("x", "(n, d)", "the training samples, normalised as asked for"),
        ("y", "(n) or (n, C)", "y as in the data"),
        SAMPLES[3],
        SAMPLES[4],
    ],
);

/// `predictions.npz`
const PREDICTED: [Described; 10] = Described::of(
    "predictions.npz",
    [
        ("time", "(snapshots)", "t; inf where it is too large to be represented"),
        ("log_time", "(snapshots)", "ln(1 + t)"),
        ("network", "(snapshots, n + h, C)", "outputs of the network"),
        ("ntk", "(snapshots, n + h, C)", "outputs of gradient flow under Theta, from the network's f_0"),
        ("linearized", "(snapshots, n + h, C)", "outputs of the linearized network"),
        SAMPLES[0],
        SAMPLES[1],
        SAMPLES[2],
        SAMPLES[3],
        SAMPLES[4],
    ],
);

/// `limit.npz`
const LIMITS: [Described; 8] = Described::of(
    "limit.npz",
    [
        ("network", "(n + h, C)", "outputs of the network at its end"),
        ("ntk", "(n + h, C)", "outputs in the limit under Theta"),
        ("linearized", "(n + h, C)", "outputs in the limit of the linearized network"),
        SAMPLES[0],
        SAMPLES[1],
        SAMPLES[2],
        SAMPLES[3],
        SAMPLES[4],
    ],
);

/// `params.npz`
const PARAMETERS: [Described; 5] = Described::of(
    "params.npz",
    [
        (
            "W{k}",
            "(out, in)",
            "weights of layer k of a fully connected network; of a mirrored one twice, with first. and second. before",
        ),
        ("b{k}", "(out)", "biases of layer k, where it has any"),
        ("A, v", "(out, in)", "a residual network's first and last weights; b its bias"),
        ("V{k}", "(out, in)", "outer weights of residual block k, from 1; W{k} its inner ones"),
        (
            "settings",
            "(bytes)",
            "the network's settings as toml text, a number for each byte: bytes(archive['settings'].astype('u1')).decode() in numpy",
        ),
    ],
);

/// All of them, file by file.
pub fn described() -> impl Iterator<Item = &'static Described> {
    let csv = TRACE.iter().chain(&PREDICTIONS).chain(&LIMIT).chain(&PROFILE);
    csv.chain(&KERNELS).chain(&PREDICTED).chain(&LIMITS).chain(&PARAMETERS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{TraceRow, limit, prediction_table, profile_table};

    #[test]
    fn every_column_is_described_in_order() {
        let names = |described: &[Described]| described.iter().map(|d| d.name).collect::<Vec<_>>();
        assert_eq!(names(&TRACE), TraceRow::COLUMNS.iter().map(|column| column.name()).collect::<Vec<_>>());
        assert_eq!(names(&PREDICTIONS), prediction_table::COLUMNS);
        assert_eq!(names(&LIMIT), limit::COLUMNS);
        assert_eq!(names(&PROFILE), profile_table::COLUMNS);
        assert!(described().all(|d| !d.meaning.is_empty() && !d.meaning.ends_with('.')));
    }
}
