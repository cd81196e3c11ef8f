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
        ("step", "", "steps taken so far"),
        ("time", TIME, "t; inf if too large to represent"),
        ("loss", "loss", "mean loss, or the sum under `loss-sum`, excluding the penalty"),
        ("accuracy", "share", "fraction of samples with a positive margin; empty if y is real-valued"),
        (
            "margin_min",
            OUTPUT,
            "smallest margin: output times sign of the label, or correct output minus the best wrong one; empty if y is real-valued",
        ),
        ("margin_mean", OUTPUT, "mean margin; empty if y is real-valued"),
        ("logit_max", OUTPUT, "largest |f|"),
        ("param_norm", "parameter", "|theta|"),
        ("param_distance", "parameter", "|theta - theta_0|"),
        ("drift_max", KERNEL, "max_ij |K_t - K_0|"),
        ("drift_fro", "share", "|K_t - K_0|_F / |K_0|_F; empty if K_0 is 0"),
        ("error_max", KERNEL, "max_ij |K_t - Theta|"),
        ("error_fro", "share", "|K_t - Theta|_F / |Theta|_F; empty if Theta is 0"),
        ("alignment", "", "centred alignment of K_t with K_0; empty if one of them is constant"),
        ("lambda_min", KERNEL, "smallest eigenvalue of K_t"),
        ("lambda_max", KERNEL, "largest eigenvalue of K_t"),
        (
            "condition",
            "",
            "lambda_max / lambda_min; inf if K_t is singular to rounding, empty if it is indefinite or 0",
        ),
        ("effective_rank", "", "exponential of the entropy of the normalized eigenvalues of K_t"),
        ("finite", "true or false", "whether loss, parameters and kernel are finite"),
        ("log_time", "", "ln(1 + t)"),
        ("drift_max_se", KERNEL, "standard error of drift_max, from the quarters of the burst; empty without a burst"),
        ("sliding", "", "number of (unit, sample) pairs sliding along their kink"),
        (
            "velocity_error",
            "share",
            "|df + K_t R| / |df| over the burst: fraction of the outputs' motion not explained by K_t; empty without a burst, and where \
             outputs move by no more than rounding",
        ),
        ("point_drift_max", KERNEL, "drift_max at a single point, with derivative 0 or 1 at kinks"),
        ("point_drift_fro", "share", "drift_fro at a single point; empty if K_0 is 0"),
        (
            "stability",
            "",
            "rate times sharpness / 2 of gradient descent: rate (lambda_max(H^1/2 K H^1/2) + LAMBDA) / 2, with K the current full \
             kernel and H the Hessian of the loss, mean or sum, in the outputs; stable below 1; empty for gradient flow",
        ),
        (
            "target_alignment",
            "",
            "centred alignment of K_t with the Gram matrix of the targets; empty if one of them is constant",
        ),
        ("param_max", "parameter", "max_i |theta_i - theta_0i|"),
        ("drift_highest", KERNEL, "largest drift_max so far"),
        ("error_highest", KERNEL, "largest error_max so far"),
    ],
);

/// `predictions.csv`: a row per snapshot; what gradient flow under a fixed kernel predicts, beside the network.
const PREDICTIONS: [Described; 12] = Described::of(
    "predictions.csv",
    [
        ("time", TIME, "t; inf if too large to represent"),
        ("log_time", "", "ln(1 + t)"),
        ("ntk_margin_min", OUTPUT, "smallest margin under Theta; empty if y is real-valued"),
        ("ntk_margin_mean", OUTPUT, "mean margin under Theta; empty if y is real-valued"),
        ("ntk_difference", OUTPUT, "largest |f_t - prediction| on the training samples, under Theta"),
        ("ntk_difference_held_out", OUTPUT, "same for the held-out samples; empty if there are none"),
        ("ntk_distance", "parameter", "|theta_t - theta_0| of a linear model with kernel Theta"),
        (
            "linearized_margin_min",
            OUTPUT,
            "smallest margin under K_0, of the linearized network; empty if y is real-valued",
        ),
        ("linearized_margin_mean", OUTPUT, "mean margin under K_0; empty if y is real-valued"),
        (
            "linearized_difference",
            OUTPUT,
            "largest |f_t - prediction| on the training samples, under K_0; prediction is by gradient flow, whatever trained the network",
        ),
        ("linearized_difference_held_out", OUTPUT, "same for the held-out samples; empty if there are none"),
        ("linearized_distance", "parameter", "|theta_t - theta_0| of the linearized network"),
    ],
);

/// `profile.csv`: with `profile`, a row per snapshot and input x of the curve.
const PROFILE: [Described; 5] = Described::of(
    "profile.csv",
    [
        ("time", TIME, "t; inf if too large to represent"),
        ("log_time", "", "ln(1 + t), as in trace.csv"),
        (
            "position",
            "",
            "position of x: with `profile = circle` its angle from x_0 in radians; for a file its row, counted from 0 (x_0)",
        ),
        ("kernel", KERNEL, "K_t(x_0, x), measured as the kernel of the snapshot"),
        ("analytic", KERNEL, "Theta(x_0, x)"),
    ],
);

/// `limit.csv`: one row; where training ends under a fixed kernel, beside the network at its end.
const LIMIT: [Described; 13] = Described::of(
    "limit.csv",
    [
        ("ntk_margin_min", OUTPUT, "smallest margin in the limit under Theta; empty if y is real-valued"),
        ("ntk_margin_mean", OUTPUT, "mean margin in the limit under Theta; empty if y is real-valued"),
        ("ntk_difference", OUTPUT, "largest |f - limit| on the training samples, under Theta"),
        ("ntk_difference_held_out", OUTPUT, "same for the held-out samples; empty if there are none"),
        ("ntk_distance", "parameter", "|theta - theta_0| of a linear model with kernel Theta"),
        (
            "ntk_agreement",
            "share",
            "fraction of held-out samples classified as by the network; empty if there are none or y is real-valued",
        ),
        ("linearized_margin_min", OUTPUT, "smallest margin in the limit under K_0; empty if y is real-valued"),
        ("linearized_margin_mean", OUTPUT, "mean margin in the limit under K_0; empty if y is real-valued"),
        ("linearized_difference", OUTPUT, "largest |f - limit| on the training samples, under K_0"),
        ("linearized_difference_held_out", OUTPUT, "same for the held-out samples; empty if there are none"),
        ("linearized_distance", "parameter", "|theta - theta_0| of the linearized network"),
        (
            "linearized_agreement",
            "share",
            "fraction of held-out samples classified as by the network; empty if there are none or y is real-valued",
        ),
        (
            "bound",
            "parameter",
            "sqrt(2 R(f_0)/LAMBDA), an upper bound on |theta - theta_0| with penalty LAMBDA; inf without a penalty",
        ),
    ],
);

/// What both files of arrays over the samples have, `predictions.npz` with those held out.
const SAMPLES: [(&str, &str, &str); 5] = [
    ("x", "(n + h, d)", "the training samples, then the held-out ones"),
    ("y", "(n) or (n, C)", "y of the training samples as given in the data"),
    ("held_out_y", "(h) or (h, C)", "y of the held-out samples; absent if unknown"),
    ("targets", "(n, C)", "targets of the outputs; for cross-entropy, class probabilities"),
    (
        "classes",
        "(classes)",
        "label of class 0, 1, …: its parity with `classes = parity`, its index if classes have names (listed in run.toml); absent if y is real-valued",
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
            "kernels at single points at these times, with derivative 0 or 1 at kinks; for smooth activations K_t; with `kernels = all`",
        ),
        ("spectra", "(snapshots, n)", "all eigenvalues of K_t at these times, ascending; with `kernels = all`"),
        ("x", "(n, d)", "the training samples after normalization"),
        ("y", "(n) or (n, C)", "y as given in the data"),
        SAMPLES[3],
        SAMPLES[4],
    ],
);

/// `predictions.npz`
const PREDICTED: [Described; 10] = Described::of(
    "predictions.npz",
    [
        ("time", "(snapshots)", "t; inf if too large to represent"),
        ("log_time", "(snapshots)", "ln(1 + t)"),
        ("network", "(snapshots, n + h, C)", "outputs of the network"),
        ("ntk", "(snapshots, n + h, C)", "outputs of gradient flow under Theta, starting from the network's f_0"),
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
        ("network", "(n + h, C)", "outputs of the network at the end of training"),
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
const PARAMETERS: [Described; 6] = Described::of(
    "params.npz",
    [
        (
            "W{k}",
            "(out, in)",
            "weights of layer k of a fully connected network; a mirrored network has two sets (prefixes first. and second.)",
        ),
        (
            "b{k}",
            "(out)",
            "biases of layer k, if it has any; of a residual network those inside block k, trained from 0",
        ),
        ("d{k}", "(out)", "biases after the branch of residual block k, trained from 0"),
        ("A, v", "(out, in)", "first and last weights of a residual network; b is its bias"),
        ("V{k}", "(out, in)", "outer weights of residual block k, counted from 1; W{k} are its inner weights"),
        (
            "settings",
            "(bytes)",
            "the network's settings as toml text, one number per byte: bytes(archive['settings'].astype('u1')).decode() in numpy",
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
