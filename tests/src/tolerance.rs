//! THE tolerance table: every tolerance of the suite, with its reason.
//!
//! A [`Check`] keeps the worst error a test measures. It fails when that error is above the limit, and also
//! when the limit is more than [`SLACK`] times what was needed: a tolerance that hides a later loss of
//! accuracy is itself a defect. What should be exact is compared with [`same_bits`] and has no entry.

use ntkscope_core::Real;
use std::fmt::Display;

/// A limit may be this many times the worst error measured, not more. Runs are deterministic, so this is
/// room for honest changes of the code, not for noise.
pub const SLACK: f64 = 100.0;

/// Where an error comes from, which decides whether a small one means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// rounding or truncation: systematic; a much smaller worst error means the limit is too lax
    Systematic,
    /// a deviation of random sign between two measured numbers: it may be near 0 by luck
    Chance,
}
use Nature::{Chance, Systematic};

/// One entry.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    pub name: &'static str,
    pub limit: f64,
    pub nature: Nature,
    pub reason: &'static str,
}

const fn entry(name: &'static str, limit: f64, nature: Nature, reason: &'static str) -> Tolerance {
    Tolerance { name, limit, nature, reason }
}

/// All of them.
#[rustfmt::skip]
pub const TABLE: &[Tolerance] = &[
    // kinks: references of another program, to 0.1-0.5 %
    entry("burst, width 32", 6e-2, Chance, "required; chaotic at this width"),
    entry("burst, width 64", 4e-2, Chance, "required"),
    entry("fine reading, width 32", 1e-2, Chance, "required"),
    entry("fine reading, width 64", 1.5e-2, Chance, "1 % but for lambda_min at margin 2: 0.984 +- 0.004 for steps from c = 0.8 to 0.001, the reference is 0.996"),
    entry("distance at a margin", 6e-3, Chance, "required"),
    entry("velocity error of a burst", 6e-2, Chance, "required; 0.01 to 0.05 by 16 states"),
    entry("kernels of a burst", 1e-14, Systematic, "rounding"),
    entry("burst of half the step", 4e-2, Chance, "required"),
    // golden: eps is 2.2e-16 in f64, 1.2e-7 in f32
    entry("golden kernels", 2e-14, Systematic, "rounding of up to 5 layers; 1e-12 is required"),
    entry("golden kernels by activation", 1e-14, Systematic, "rounding of up to 3 layers; 1e-12 is required"),
    entry("parametrizations: rules", 2e-15, Systematic, "rounding of kernels of three layers and of their parts"),
    entry("parametrizations: descent", 1e-13, Systematic, "rounding of 40 steps; 1e-12 is required"),
    entry("parametrizations: limit", 8e-2, Chance, "24 networks of width 128: 0.02 to 0.06 by (width x seeds)^-1/2"),
    entry("golden residual kernels", 2e-14, Systematic, "rounding of up to 5 blocks; 1e-12 is required"),
    entry("golden kernels of hidden biases", 2e-14, Systematic, "rounding of up to 5 layers or 3 blocks; 1e-12 is required"),
    entry("a bias at the output", 1e-14, Systematic, "rounding of a difference of kernels of size 30; 1e-12 is required"),
    entry("residual diagonal", 2e-15, Systematic, "rounding of a power and of |x|^2"),
    entry("one residual block", 2e-15, Systematic, "rounding"),
    entry("one residual unit", 1e-15, Systematic, "rounding"),
    entry("angle in ulps", 2.0, Systematic, "required; rounding of the root and of one product"),
    entry("angle in ulps, f32", 4.0, Systematic, "required"),
    entry("1 - kappa1", 1e-15, Systematic, "rounding of a difference of at most 1/pi from 1"),
    entry("1 - kappa1, f32", 5e-7, Systematic, "the same in f32"),
    entry("golden kappas", 5e-16, Systematic, "rounding: a few eps of numbers up to 1"),
    entry("analytic diagonal", 1e-15, Systematic, "rounding: the angle is exactly 0, so only |x|^2 is rounded"),
    entry("six points: lambda_min", 3e-14, Systematic, "rounding: n eps |K| = 6 x 2.2e-16 x 20; 1e-9 is required"),
    entry("six points: null direction", 3e-15, Systematic, "rounding: n eps |K| of a kernel of size 2; 1e-12 is required"),
    entry("six points: mode", 3e-14, Systematic, "rounding of six terms of size up to 10"),
    entry("degenerate samples", 2e-15, Systematic, "rounding, relative to sqrt(K_ii K_jj); an unpinned arccos would give 1e-9"),
    entry("limits of smooth activations", 2e-15, Systematic, "rounding, of cosines and products of a layer"),
    entry("limits of smooth activations, f32", 1e-6, Systematic, "the same in f32"),
    entry("erf by quadrature", 1e-14, Systematic, "rounding; the quadrature itself is exact to e^-36"),
    entry("distances by definition", 5e-15, Systematic, "rounding of sums of 23^2 terms"),
    entry("effective rank", 2e-15, Systematic, "rounding"),
    // derivatives
    entry("Jacobian by differences", 4e-9, Systematic, "h^2 f''' of erf and eps/h of ReLU at h = 8e-6; 1e-7 is required"),
    entry("gradients by differences", 1e-8, Systematic, "the same for losses, which curve where f does not; 1e-7 is required"),
    entry("step of descent", 1e-15, Systematic, "rounding: the sum over samples is added to the parameter as it is formed"),
    entry("gradient over mismatch", 5e-15, Systematic, "rounding: the same gradient, divided before or after"),
    entry("homogeneity", 1e-13, Systematic, "rounding of P = 5000 terms that cancel to f; 1e-10 is required"),
    entry("conserved quantities", 2e-14, Systematic, "rounding of P = 5000 terms that cancel; 1e-10 is required"),
    // one algorithm against another
    entry("structured", 1e-14, Systematic, "rounding of sums in another order; 1e-12 is required"),
    entry("trace of the full kernel", 2e-15, Systematic, "rounding of sums in another order"),
    entry("mirrored kernel", 5e-15, Systematic, "rounding of the factors sqrt(1/2); 1e-10 is required"),
    entry("permuted hidden units", 5e-15, Systematic, "rounding of sums in another order"),
    entry("negative eigenvalue over the largest", 2e-15, Systematic, "rounding: n eps |K| below 0 for a singular kernel"),
    entry("snapshot by definition", 5e-15, Systematic, "rounding"),
    entry("reading of stability", 1e-6, Systematic, "a power iteration that ends where it changes by 1e-6"),
    entry("sum in place of the mean", 1e-13, Systematic, "rounding: the residuals are not divided by 6, the rate is"),
    entry("sum in place of the mean: flow", 1e-4, Systematic, "steps of other lengths, as ends in time are others"),
    // f32 and Approx32 against f64
    entry("f32: outputs", 2e-6, Systematic, "rounding: some eps a layer"),
    entry("f32: empirical kernel", 5e-6, Systematic, "rounding: some eps a layer, forward and back"),
    entry("f32: analytic kernel", 1e-6, Systematic, "rounding; near-duplicates would cost 1e-4 if the angle were lost"),
    entry("Approx32: outputs", 2e-6, Systematic, "a forward pass takes no approximate function: as f32"),
    entry("Approx32: empirical kernel", 1e-2, Systematic, "exp in phi' of erf, 2e-3 a layer"),
    entry("Approx32: analytic kernel", 0.2, Systematic, "6 % of micromath's sqrt, twice in the variances of a layer: one digit, as documented"),
    entry("Approx32: sqrt", 6.2e-2, Systematic, "as documented, 6 % relative"),
    entry("Approx32: exp", 2.5e-3, Systematic, "as documented, 2e-3 relative"),
    entry("Approx32: ln", 0.125, Systematic, "as documented, 0.12 absolute"),
    entry("Approx32: atan2", 3e-3, Systematic, "as documented, 3e-3 absolute"),
    entry("Approx32: exp_m1 and ln_1p near 0", 5e-7, Systematic, "libm's f32 functions: within an ulp or so"),
    // linear algebra, relative to the largest eigenvalue or entry
    entry("eigenvalues", 1e-14, Systematic, "rounding: n eps |A| is the bound, sqrt(n) eps |A| typical, n = 200"),
    entry("eigenvalues, f32", 5e-6, Systematic, "the same in f32, n = 60"),
    entry("Cholesky factor", 5e-15, Systematic, "rounding: backward stable"),
    entry("Cholesky solution", 2e-13, Systematic, "rounding times the condition 100"),
    entry("Cholesky, f32", 1e-4, Systematic, "the same in f32"),
    entry("eigenvectors", 1e-14, Systematic, "rounding: n eps |A|, n = 60"),
    entry("orthogonality", 5e-14, Systematic, "rounding: n eps"),
    entry("eigenvectors, f32", 5e-6, Systematic, "the same in f32"),
    entry("orthogonality, f32", 2e-5, Systematic, "the same in f32"),
    // losses
    entry("Hessian of the loss by differences", 2e-11, Systematic, "h^2 times the fourth derivative, and eps/h, at h = 1e-5"),
    entry("loss", 2e-15, Systematic, "rounding, relative even at 1e-300"),
    entry("ln mismatch", 1e-15, Systematic, "rounding"),
    entry("scaled residuals", 1e-15, Systematic, "rounding, relative to |ln kappa| where that exceeds 1"),
    entry("f32: loss", 5e-7, Systematic, "rounding"),
    entry("f32: ln mismatch", 5e-7, Systematic, "rounding"),
    entry("f32: scaled residuals", 5e-7, Systematic, "rounding"),
    // the limit of infinite width
    entry("moments in standard errors", 5.0, Chance, "five standard errors of N(0,1)'s moments"),
    entry("mean kernel over initializations", 1.5e-2, Chance, "required, of 600 seeds at width 512: two to three standard errors of their mean"),
    entry("mean kernel over initializations, narrow networks", 0.12, Chance, "debug builds only: 200 seeds at width 64, whose mean scatters five times as much"),
    entry("limit: slope", 0.07, Chance, "required; three times its standard error, see below"),
    entry("limit: slope, narrow networks", 0.12, Chance, "debug builds only: three standard errors on widths 32..256"),
    entry("limit: standard error of the slope", 0.0234, Systematic, "enough seeds: a third of the slope's tolerance"),
    entry("limit: standard error, narrow networks", 0.04, Systematic, "enough seeds: a third of the slope's tolerance"),
    // gradient flow: outputs of size 1 in absolute terms. Kinks of ReLU leave an error of first order in the tolerance
    entry("flow, tolerance 1e-2", 0.05, Systematic, "a few times the tolerance"),
    entry("flow, tolerance 1e-3", 0.005, Systematic, "a few times the tolerance"),
    entry("flow of erf, tolerance 1e-2", 0.04, Systematic, "a few times the tolerance"),
    entry("flow of erf, tolerance 1e-4", 0.002, Systematic, "smooth: third order in steps that grow as tolerance^(1/3)"),
    entry("descent at rate 0.01", 0.005, Systematic, "first order in the rate"),
    entry("shifted on y, standard on y + f_0", 5e-15, Systematic, "rounding of f - f_0 - y against f - (y + f_0), over 200 steps of descent"),
    entry("shifted on y, standard on y + f_0, flow", 1e-14, Systematic, "the same rounding; the flow's steps do not depend on it"),
    entry("tolerance halved, late", 0.05, Chance, "relative, at t = 1e7: which side of a kink a unit ends on is chaotic"),
    entry("rise of the objective in a step", 0.005, Systematic, "a step's error, a share of the tolerance 1e-2"),
    entry("landing", 1e-4, Systematic, "stated by the flow"),
    entry("landing, f32", 1.05e-4, Systematic, "stated by the flow, and ln(1 + t) is rounded"),
    entry("growth of the layers", 0.001, Systematic, "exact for the flow itself: tolerance 1e-3; 1 % is required"),
    entry("kernel logistic flow", 1e-7, Systematic, "the seven decimals of the expected numbers"),
    entry("wide network against its first kernel", 0.15, Systematic, "drift at width 512: about 0.1 of f is known for such widths"),
    entry("wide networks against the limit", 0.2, Chance, "lambda_s of one seed scatters by 8.3 % (60 seeds): three errors of the mean of 3, and the drift"),
    entry("narrow network against its first kernel", 0.5, Systematic, "the same at width 64, debug builds only"),
    entry("narrow networks against the limit", 0.5, Chance, "the same at width 64, debug builds only: lambda_s scatters by 22 %"),
    // predictions of a fixed kernel
    entry("regression against reference", 2e-14, Systematic, "rounding times the condition of the kernel; 1e-8 is required"),
    entry("regression by steps", 2e-14, Systematic, "rounding, of 40 explicit steps as well"),
    entry("regression by Runge-Kutta", 1e-13, Systematic, "rounding of 4000 steps, whose truncation is smaller; 1e-9 is required"),
    entry("curvature by elimination", 5e-13, Systematic, "rounding times the condition"),
    entry("kernel flow against reference, tolerance 1e-10", 1e-10, Systematic, "the tolerance; 1e-8 is required"),
    entry("kernel flow of soft labels against reference", 2e-10, Systematic, "twice the tolerance"),
    entry("six points to t = 1e8", 1e-10, Systematic, "the tolerance; 1e-7 is required"),
    entry("six points at t = e^1000", 2e-15, Systematic, "rounding, relative to a logit of 998"),
    entry("six points: |theta - theta_0|", 3e-10, Systematic, "three times the tolerance"),
    entry("order of the kernel flow", 0.4, Systematic, "4; steps adapt, so it is only about that"),
    entry("separable labels, t = e^700", 1e-12, Systematic, "rounding of logits of 700"),
    entry("kernel flow of squared error", 1e-10, Systematic, "the tolerance"),
    entry("kernel flow by explicit steps", 5e-11, Systematic, "below the tolerance"),
    entry("two classes as one", 2e-10, Systematic, "twice the tolerance, relative to the largest logit"),
    entry("sum over the classes", 5e-11, Systematic, "rounding of dual coefficients of logits of 300"),
    entry("kernel flow under singular kernels", 2e-10, Systematic, "twice the tolerance"),
    entry("penalized flow of one sample", 1e-10, Systematic, "the tolerance"),
    entry("penalized flow by explicit steps", 2e-10, Systematic, "twice the tolerance"),
    entry("end of the penalized flow", 1e-10, Systematic, "the tolerance"),
    entry("kernel against clock", 5e-8, Systematic, "five times the tolerance: both flows err"),
    entry("kernel flow, f32", 5e-5, Systematic, "rounding at t = e^1000, half the tolerance where labels are soft"),
    // what training ends in under a fixed kernel
    entry("penalized minimum against reference", 2e-14, Systematic, "rounding; 1e-8 is required"),
    entry("soft targets against reference", 5e-14, Systematic, "rounding times the condition of the kernel; 1e-8 is required"),
    entry("optimality of penalized minima", 1e-10, Systematic, "rounding of f, times K/(n LAMBDA) = 1e5; 1e-10 is required"),
    entry("stated residual", 1e-10, Systematic, "the same"),
    entry("distance by the kernel", 1e-12, Systematic, "rounding of K g, which cancels where K is singular"),
    entry("minima from random starts", 1e-11, Systematic, "rounding, of f_0 up to 1e5 beside logits of 5"),
    entry("limit of the kernel flow", 2e-10, Systematic, "twice the flow's tolerance"),
    entry("logit of the mean target", 5e-14, Systematic, "rounding, relative to f_0"),
    entry("sum over the classes at the minimum", 1e-13, Systematic, "rounding of dual coefficients up to 1e3"),
    entry("penalty of 1e-9", 1e-6, Systematic, "first order in the penalty: LAMBDA |(K H/n)^-1 f|"),
    entry("penalized minimum, f32", 5e-6, Systematic, "rounding: some eps"),
    entry("law against reference", 1e-14, Systematic, "rounding times the condition of the kernel; 1e-8 is required"),
    entry("penalized law against reference", 5e-14, Systematic, "rounding; 1e-8 is required"),
    entry("ridge by the minimum", 2e-14, Systematic, "rounding: the same smoother from modes and from the curvature"),
    entry("moments of draws", 0.01, Systematic, "required: 2e5 draws, whose covariance has a standard error of 0.3 %"),
    entry("moments of fewer draws", 0.04, Systematic, "debug builds only: 1e4 draws, a standard error of 1.4 %"),
    entry("delta method against draws", 0.06, Systematic, "first order in the spread of f_0: 4 % is known; the standard error of fewer draws in debug builds is 2 %"),
    entry("negative eigenvalue of a covariance", 1e-14, Systematic, "rounding of S(x, x), of which all is taken away at training samples"),
    entry("kernels of every rank", 2e-13, Systematic, "rounding times the condition of what does not vanish, up to 300"),
    entry("kernels of every rank: flow", 1e-9, Chance, "ten times the flow's tolerance, below which its last step may land by any distance"),
    entry("spacing of a record", 1e-13, Systematic, "rounding of ln(1 + t) up to 60, over gaps of 1"),
    entry("six points: ln of drift by explicit steps over reference", 0.3, Chance, "means of 3 and 6 seeds that scatter by 10 to 20 %"),
    entry("drift against the width", 0.45, Chance, "2.5 to 6 is known for margins 2 to 4; 3.5 to 4.4 was measured"),
    entry("six points: ln of drift over reference", 0.47, Chance, "ln 1.6: seeds scatter by 10 %, and the reference's explicit steps lower large drifts"),
];

struct Worst {
    error: f64,
    case: String,
    index: String,
    expected: f64,
    actual: f64,
}

/// The worst error so far under one entry of the table.
pub struct Check {
    tolerance: Tolerance,
    worst: Option<Worst>,
    count: usize,
}

impl Check {
    /// Panics where the table has no such entry.
    pub fn named(name: &str) -> Self {
        let tolerance = TABLE.iter().find(|t| t.name == name);
        Self {
            tolerance: *tolerance.unwrap_or_else(|| panic!("no tolerance is called {name:?}")),
            worst: None,
            count: 0,
        }
    }

    /// An error of any measure; NaN counts as infinite.
    pub fn error(&mut self, case: &dyn Display, index: impl std::fmt::Debug, expected: f64, actual: f64, error: f64) {
        let error = if error.is_nan() { f64::INFINITY } else { error };
        self.count += 1;
        if self.worst.as_ref().is_none_or(|worst| error > worst.error) {
            let (case, index) = (case.to_string(), format!("{index:?}"));
            self.worst = Some(Worst { error, case, index, expected, actual });
        }
    }
    /// |actual - expected|
    pub fn absolute(&mut self, case: &dyn Display, index: impl std::fmt::Debug, expected: f64, actual: f64) {
        self.error(case, index, expected, actual, (actual - expected).abs());
    }
    /// |actual - expected| / |expected|; two zeros agree
    pub fn relative(&mut self, case: &dyn Display, index: impl std::fmt::Debug, expected: f64, actual: f64) {
        let difference = (actual - expected).abs();
        let error = if difference == 0.0 { 0.0 } else { difference / expected.abs() };
        self.error(case, index, expected, actual, error);
    }
    /// |actual - expected| / scale, for entries of one matrix
    pub fn scaled(&mut self, case: &dyn Display, index: impl std::fmt::Debug, expected: f64, actual: f64, scale: f64) {
        self.error(case, index, expected, actual, (actual - expected).abs() / scale);
    }
    /// All of two sequences, in units of the largest expected number.
    pub fn all_scaled<T: Real, U: Real>(&mut self, case: &dyn Display, expected: &[T], actual: &[U]) {
        assert_eq!(expected.len(), actual.len(), "{case}: lengths");
        let scale = expected.iter().fold(0.0, |m: f64, x| m.max(x.to_f64().abs()));
        for (index, (e, a)) in expected.iter().zip(actual).enumerate() {
            self.scaled(case, index, e.to_f64(), a.to_f64(), if scale == 0.0 { 1.0 } else { scale });
        }
    }

    /// Panics when the limit is exceeded, and when it is laxer than it need be.
    pub fn finish(self) {
        let Tolerance { name, limit, nature, reason } = self.tolerance;
        let worst = self.worst.unwrap_or_else(|| panic!("{name}: nothing was compared"));
        let Worst { error, case, index, expected, actual } = worst;
        let numbers = format!(
            "{name}: worst of {} errors {error:.3e}, limit {limit:.1e} ({reason})\n  case {case}, index {index}\n  \
             expected {expected:?} = {:#018x}\n  actual   {actual:?} = {:#018x}",
            self.count,
            expected.to_bits(),
            actual.to_bits()
        );
        println!("{numbers}");
        assert!(error <= limit, "{numbers}");
        assert!(
            nature == Chance || limit <= SLACK * error,
            "a tolerance more than {SLACK} times too lax; tighten it\n{numbers}"
        );
    }
}

/// Panics unless the two are equal bit for bit (all NaNs count as one).
pub fn same_bits<T: Real>(case: &dyn Display, expected: &[T], actual: &[T]) {
    assert_eq!(expected.len(), actual.len(), "{case}: lengths");
    for (index, (e, a)) in expected.iter().zip(actual).enumerate() {
        // widening to double is exact
        let (e, a) = (e.to_f64(), a.to_f64());
        assert!(
            e.to_bits() == a.to_bits() || (e.is_nan() && a.is_nan()),
            "{case}, index {index}: not the same bits\n  expected {e:?} = {:#018x}\n  actual   {a:?} = {:#018x}",
            e.to_bits(),
            a.to_bits()
        );
    }
}

/// Every `Check::named` names an entry or panics; an entry that no test names is dead.
pub fn unused<'a>(sources: &'a [&'a str]) -> impl Iterator<Item = &'static str> + 'a {
    TABLE
        .iter()
        .map(|t| t.name)
        .filter(|name| !sources.iter().any(|s| s.contains(&format!("Check::named(\"{name}\")"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(limit: f64, nature: Nature, actual: f64) -> std::thread::Result<()> {
        std::panic::catch_unwind(|| {
            let tolerance = entry("example", limit, nature, "an example");
            let mut check = Check { tolerance, worst: None, count: 0 };
            check.absolute(&"case", 0, 1.0, actual);
            check.finish();
        })
    }

    #[test]
    fn an_error_above_the_limit_fails() {
        assert!(finished(0.1, Systematic, 1.05).is_ok());
        assert!(finished(0.1, Systematic, 1.2).is_err());
        assert!(finished(0.1, Systematic, f64::NAN).is_err());
        assert!(finished(0.1, Chance, 1.2).is_err());
    }

    #[test]
    fn a_limit_far_above_the_error_fails() {
        assert!(finished(0.1, Systematic, 1.0 + 1e-4).is_err());
        assert!(finished(0.1, Systematic, 1.0).is_err());
        assert!(finished(0.1, Chance, 1.0).is_ok());
    }

    #[test]
    fn names_are_unique() {
        for (i, t) in TABLE.iter().enumerate() {
            assert!(TABLE[..i].iter().all(|other| other.name != t.name), "{}", t.name);
            assert!(!t.reason.is_empty() && t.limit > 0.0);
        }
    }
}
