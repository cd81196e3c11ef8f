//! Deliberate errors in the physics: what is replaced in which file.
//!
//! The first fifteen are those of a referee who asked which of them the claims of the studies notice.

/// An error to be planted.
pub(crate) struct PlantedError {
    /// what is wrong with it, in words
    pub(crate) what: &'static str,
    /// the file, from the root
    pub(crate) file: &'static str,
    /// what is replaced, wherever it stands, and by what
    pub(crate) edits: &'static [(&'static str, &'static str)],
}

/// All of them.
pub(crate) const ERRORS: [PlantedError; 26] = [
    PlantedError {
        what: "the last layer's share of the empirical NTK is halved",
        file: "core/src/kernel/empirical.rs",
        edits: &[(
            "backend.gemm(mean, d, d_right.t(), T::ZERO, MatMut::dense(gram_d, rows.len(), cols.len()));",
            "let mean = if layer.outputs == sizes.outputs { mean * T::from_f64(0.5) } else { mean };
            backend.gemm(mean, d, d_right.t(), T::ZERO, MatMut::dense(gram_d, rows.len(), cols.len()));",
        )],
    },
    PlantedError {
        what: "the drift is taken against the analytic NTK instead of K_0",
        file: "core/src/record/recorder.rs",
        edits: &[
            (
                "let drift_max = max_abs_difference(current, initial)?;",
                "let drift_max = max_abs_difference(current, analytic)?;",
            ),
            ("(relative_frobenius(current, initial)?, relative", "(relative_frobenius(current, analytic)?, relative"),
        ],
    },
    PlantedError {
        what: "the gradient lacks the penalty",
        file: "core/src/train/problem.rs",
        edits: &[("*g += weight * (*theta - *theta_0);", "*g += T::ZERO * weight * (*theta - *theta_0);")],
    },
    PlantedError {
        what: "mirrored networks have 1/2 in place of 1/sqrt(2)",
        file: "core/src/network/mirrored.rs",
        edits: &[("T::from_f64(core::f64::consts::FRAC_1_SQRT_2)", "T::from_f64(0.5)")],
    },
    PlantedError {
        what: "the copies of a mirrored network are drawn independently",
        file: "core/src/network/mirrored.rs",
        edits: &[("second.copy_from_slice(first);", "self.0.initialize(second, normal);")],
    },
    PlantedError {
        what: "the clock of the flow runs at half its speed",
        file: "core/src/train/clock.rs",
        edits: &[(
            "*log_time += (ln_dt - *log_time).exp().ln_1p();",
            "*log_time += (ln_dt - T::from_f64(core::f64::consts::LN_2) - *log_time).exp().ln_1p();",
        )],
    },
    PlantedError {
        what: "the covariance over initializations lacks A S A^T",
        file: "core/src/predict/distribution.rs",
        edits: &[(
            "backend.gemm(T::from_f64(0.5), smoother, nngp.train, T::ZERO, half);",
            "backend.gemm(T::ZERO, smoother, nngp.train, T::ZERO, half);",
        )],
    },
    PlantedError {
        what: "the Laplace posterior lacks 1/n",
        file: "core/src/predict/distribution.rs",
        edits: &[(
            "T::ONE / (T::from_count(problem.outputs().rows()) * problem.penalty())",
            "T::ONE / problem.penalty()",
        )],
    },
    PlantedError {
        what: "the analytic NTK lacks its first layer",
        file: "core/src/network/fcn.rs",
        edits: &[(
            "ntk.fill(T::ZERO);
        for l in 0..",
            "ntk.fill(T::ZERO);
        for l in 1..",
        )],
    },
    PlantedError {
        what: "the fixed point has twice the penalty",
        file: "core/src/predict/fixed_point.rs",
        edits: &[(
            "Ok(Self { newton, penalty, steps: 0 })",
            "Ok(Self { newton, penalty: penalty + penalty, steps: 0 })",
        )],
    },
    PlantedError {
        what: "the steps of the flow are ten times as long",
        file: "core/src/train/kinked/mod.rs",
        edits: &[(
            "share: f64::min(tolerance / TOLERANCE, 1.0),",
            "share: 10.0 * f64::min(tolerance / TOLERANCE, 1.0),",
        )],
    },
    PlantedError {
        what: "weights are N(0, 1.21)",
        file: "core/src/init.rs",
        edits: &[(
            "network.initialize(theta, &mut || normals.draw());",
            "network.initialize(theta, &mut || 1.1 * normals.draw());",
        )],
    },
    PlantedError {
        what: "residual branches are a tenth too strong",
        file: "core/src/network/resnet.rs",
        edits: &[("self.alpha * libm::sqrt(1.0 / m as f64)", "1.1 * self.alpha * libm::sqrt(1.0 / m as f64)")],
    },
    PlantedError {
        what: "the residual of samples that are right is a fifth too small",
        file: "core/src/loss/mod.rs",
        edits: &[(
            "loss.residuals(outputs.row(i), targets.row(i), unit, out.row_mut(i));",
            "loss.residuals(outputs.row(i), targets.row(i), unit, out.row_mut(i));
            if (outputs.at(i, 0) > T::ZERO) == (targets.at(i, 0) > T::from_f64(0.5)) {
                out.row_mut(i).iter_mut().for_each(|r| *r *= T::from_f64(0.8));
            }",
        )],
    },
    PlantedError {
        what: "kernels of predictions are a fifth too large",
        file: "core/src/predict/kernel_flow.rs",
        edits: &[(
            "pub fn advance_to(&mut self, log_time: T) -> Result<(), Error> {",
            "pub fn advance_to(&mut self, log_time: T) -> Result<(), Error> {
        let log_time = log_time + T::from_f64(0.182_321_556_793_954_6);",
        )],
    },
    PlantedError {
        what: "ReLU networks are read at a point, where their kinks are a toss",
        file: "core/src/record/recorder.rs",
        edits: &[("burst.filter(|_| sizes.kinks > 0 && !is_descent);", "burst.filter(|_| sizes.kinks == usize::MAX);")],
    },
    PlantedError {
        what: "every seed is the first",
        file: "core/src/init.rs",
        edits: &[("let mut normals = Normals::new(seed);", "let mut normals = Normals::new(seed.min(0));")],
    },
    PlantedError {
        what: "soft targets are twice as soft",
        file: "core/src/loss/mod.rs",
        edits: &[(
            "self.per_sample().target(label, smoothing, target);",
            "self.per_sample().target(label, f64::min(2.0 * smoothing, 0.99), target);",
        )],
    },
    PlantedError {
        what: "the law over initializations has the NNGP in place of the NTK",
        file: "host/src/analysis/law.rs",
        edits: &[(
            "let ntk = self.kernel(AnalyticKernel::Ntk, parts.train)?;",
            "let ntk = self.kernel(AnalyticKernel::Nngp, parts.train)?;",
        )],
    },
    PlantedError {
        what: "the bias of the first layer is trained and never counted in the empirical NTK",
        file: "core/src/kernel/empirical.rs",
        edits: &[("gram.iter_mut().for_each(|g| *g += s2);", "gram.iter_mut().for_each(|g| *g += s2 * T::ZERO);")],
    },
    PlantedError {
        what: "biases of hidden layers stand at the output too",
        file: "core/src/network/fcn/alike.rs",
        edits: &[("Bias::Hidden => l < self.widths.len(),", "Bias::Hidden => l <= self.widths.len(),")],
    },
    PlantedError {
        what: "the biases inside the branches are twice as strong",
        file: "core/src/network/resnet.rs",
        edits: &[(
            "bias_scale: bias_scale(inner, self.branch_bias),",
            "bias_scale: 2.0 * bias_scale(inner, self.branch_bias),",
        )],
    },
    PlantedError {
        what: "the Gaussian process is not asked for its first label",
        file: "host/src/studies/probability/limits.rs",
        edits: &[("if (0..n).all(|i| at(i) > 0.0)", "if (1..n).all(|i| at(i) > 0.0)")],
    },
    PlantedError {
        what: "a label of the line is wrong in the flow under a fixed kernel",
        file: "host/src/studies/probability/flow.rs",
        edits: &[(
            "targets: vec![1.0; points],",
            "targets: (0..points).map(|point| if point == 0 { 0.0 } else { 1.0 }).collect(),",
        )],
    },
    PlantedError {
        what: "theory takes ReLU for a smooth activation in the limit of large widths",
        file: "host/src/study/kernel_regime.rs",
        edits: &[(
            "if net.activation.has_kink() { -0.5 } else { -1.0 }",
            "if net.activation.has_kink() { -1.0 } else { -1.0 }",
        )],
    },
    PlantedError {
        what: "theory has the drift fall like 1/m² with the width",
        file: "host/src/study/kernel_regime.rs",
        edits: &[
            ("Theory::between(-1.0, order_in_width(net))", "Theory::number(-2.0)"),
            ("Theory::number(order_in_width(net))", "Theory::number(-2.0)"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;

    /// Code that moved on would leave an error that cannot be planted.
    #[test]
    fn every_error_can_still_be_planted() {
        for PlantedError { what, file, edits } in ERRORS {
            let source = std::fs::read_to_string(root().join(file)).expect("a file of the repository");
            for (from, to) in edits {
                assert!(source.contains(from), "{what}: {file} has no {from:?} any more");
                assert_ne!(from, to, "{what}");
            }
        }
    }
}
