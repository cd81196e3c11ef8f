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
    entry("golden kernels", 1e-12, Systematic, "rtol asked of every golden matrix"),
    entry("golden kappas", 1e-14, Systematic, "rounding"),
    entry("analytic diagonal", 1e-14, Systematic, "rounding"),
    entry("input bias as an input", 1e-14, Systematic, "rounding"),
    entry("six points: lambda_min", 1e-13, Systematic, "rounding"),
    entry("six points: null direction", 1e-13, Systematic, "rounding"),
    entry("six points: mode", 1e-13, Systematic, "rounding"),
    entry("degenerate samples", 1e-14, Systematic, "rounding"),
    entry("erf by quadrature", 1e-13, Systematic, "rounding"),
    entry("Jacobian by differences", 1e-7, Systematic, "truncation h^2"),
    entry("gradients by differences", 1e-7, Systematic, "truncation h^2"),
    entry("gradient over mismatch", 1e-13, Systematic, "rounding"),
    entry("homogeneity", 1e-13, Systematic, "rounding"),
    entry("structured", 1e-13, Systematic, "rounding"),
    entry("trace of the full kernel", 1e-14, Systematic, "rounding"),
    entry("f32: outputs", 1e-5, Systematic, "rounding"),
    entry("f32: empirical kernel", 1e-5, Systematic, "rounding"),
    entry("f32: analytic kernel", 1e-5, Systematic, "rounding"),
    entry("Approx32: outputs", 1e-1, Systematic, "rounding"),
    entry("Approx32: empirical kernel", 1e-1, Systematic, "rounding"),
    entry("Approx32: analytic kernel", 1e-1, Systematic, "rounding"),
    entry("mirrored kernel", 1e-13, Systematic, "rounding"),
    entry("eigenvalues", 1e-13, Systematic, "rounding"),
    entry("eigenvalues, f32", 1e-5, Systematic, "rounding"),
    entry("Cholesky factor", 1e-13, Systematic, "rounding"),
    entry("Cholesky solution", 1e-12, Systematic, "rounding"),
    entry("Cholesky, f32", 1e-3, Systematic, "rounding"),
    entry("distances by definition", 1e-13, Systematic, "rounding"),
    entry("effective rank", 1e-14, Systematic, "rounding"),
    entry("Approx32: sqrt", 6.2e-2, Systematic, "as documented"),
    entry("Approx32: exp", 2.5e-3, Systematic, "as documented"),
    entry("Approx32: ln", 0.125, Systematic, "as documented"),
    entry("Approx32: atan2", 2.5e-3, Systematic, "as documented"),
    entry("Approx32: exp_m1 and ln_1p near 0", 1e-6, Systematic, "libm"),
    entry("loss", 1e-14, Systematic, "rounding"),
    entry("ln mismatch", 1e-14, Systematic, "rounding"),
    entry("scaled residuals", 1e-14, Systematic, "rounding"),
    entry("f32: loss", 1e-6, Systematic, "rounding"),
    entry("f32: ln mismatch", 1e-6, Systematic, "rounding"),
    entry("f32: scaled residuals", 1e-6, Systematic, "rounding"),
    entry("softmax of two classes", 1e-14, Systematic, "rounding"),
    entry("negative eigenvalue over the largest", 1e-14, Systematic, "rounding"),
    entry("permuted hidden units", 1e-14, Systematic, "rounding"),
    entry("moments in standard errors", 5.0, Chance, "five standard errors"),
    entry("spacing of a record", 0.05, Systematic, "step"),
    entry("snapshot by definition", 1e-13, Systematic, "rounding"),
    entry("limit: slope", 0.07, Chance, "asked"),
    entry("limit: slope, narrow networks", 0.1, Chance, "narrow"),
    entry("limit: standard error of the slope", 0.0234, Systematic, "a third of the slope's tolerance"),
    entry("flow, tolerance 1e-2", 0.05, Systematic, "x"),
    entry("flow, tolerance 1e-3", 0.02, Systematic, "x"),
    entry("flow of erf, tolerance 1e-2", 0.05, Systematic, "x"),
    entry("flow of erf, tolerance 1e-4", 0.002, Systematic, "x"),
    entry("descent at rate 0.01", 0.05, Systematic, "x"),
    entry("kernel logistic flow", 1e-7, Systematic, "seven digits were given"),
    entry("wide network against its first kernel", 0.05, Systematic, "drift"),
    entry("wide networks against the limit", 0.2, Chance, "drift"),
    entry("narrow network against its first kernel", 0.5, Systematic, "drift"),
    entry("narrow networks against the limit", 0.5, Chance, "drift"),
    entry("tolerance halved, late", 0.02, Systematic, "x"),
    entry("landing", 1e-4, Systematic, "stated"),
    entry("landing, f32", 1.05e-4, Systematic, "stated"),
    entry("growth of the layers", 0.01, Systematic, "x"),
    entry("six points: ln of drift over reference", 0.47, Chance, "ln 1.6"),
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
    pub fn of(name: &str) -> Self {
        let tolerance = TABLE.iter().find(|t| t.name == name);
        Self { tolerance: *tolerance.unwrap_or_else(|| panic!("no tolerance is called {name:?}")), worst: None, count: 0 }
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

/// Every `Check::of` names an entry or panics; an entry that no test names is dead.
pub fn unused<'a>(sources: &'a [&'a str]) -> impl Iterator<Item = &'static str> + 'a {
    TABLE.iter().map(|t| t.name).filter(|name| !sources.iter().any(|s| s.contains(&format!("Check::of(\"{name}\")"))))
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
