//! Losses, residuals and mismatch against values at 60 digits, up to margins of 1e4.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::Fcn;
use ntkscope_core::train::Problem;
use ntkscope_core::{Error, MatMut, Real};
use ntkscope_tests::cases::Samples;
use ntkscope_tests::golden::{LossCase, extreme};
use ntkscope_tests::tolerance::{Check, same_bits};

struct Checks {
    loss: Check,
    ln_mismatch: Check,
    residuals: Check,
}

impl Checks {
    /// `exact`: f and q survive the rounding to T.
    fn compare<T: Real>(&mut self, which: Loss, case: &LossCase) {
        let c = case.f.len();
        let rows = |v: &[f64]| Samples::<T> { values: v.iter().map(|x| T::from_f64(*x)).collect(), n: 1, d: c };
        let (f, q) = (rows(&case.f), rows(&case.q));
        which.check(q.view()).expect("probabilities");
        let at = which.evaluate(f.view(), q.view()).expect("one shape");
        let mut seed = vec![T::ZERO; c];
        which
            .residuals(f.view(), q.view(), at.ln_mismatch, MatMut::new(&mut seed, 1, c).expect("length"))
            .expect("one shape");
        let name = format!("{which:?}, f {:?}, q {:?}", case.f, case.q);
        // a loss below the smallest number of T is 0
        let floor = T::EPSILON.to_f64() * 1e-290;
        let (loss, expected) = (at.loss.to_f64(), case.loss);
        self.loss.error(&name, "loss", expected, loss, (loss - expected).abs() / expected.abs().max(floor).max(1e-30));
        // ln kappa within an absolute error means kappa within a relative one; at |ln kappa| = 1e4 an ulp is large
        let scale = case.ln_mismatch.abs().max(1.0);
        self.ln_mismatch.scaled(&name, "ln kappa", case.ln_mismatch, at.ln_mismatch.to_f64(), scale);
        for (k, (e, r)) in case.residuals.iter().zip(&seed).enumerate() {
            assert!(r.abs() <= T::ONE + T::EPSILON * T::from_count(4), "{name}, residual {k}: {r}");
            self.residuals.scaled(&name, ("residual", k), *e, r.to_f64(), scale);
        }
    }
}

#[test]
fn confident_outputs_in_double_precision() {
    let golden = extreme();
    let mut checks = Checks {
        loss: Check::named("loss"),
        ln_mismatch: Check::named("ln mismatch"),
        residuals: Check::named("scaled residuals"),
    };
    golden.logistic.iter().for_each(|case| checks.compare::<f64>(Loss::CrossEntropy, case));
    golden.softmax.iter().for_each(|case| checks.compare::<f64>(Loss::CrossEntropy, case));
    checks.loss.finish();
    checks.ln_mismatch.finish();
    checks.residuals.finish();
}

#[test]
fn confident_outputs_in_single_precision() {
    let golden = extreme();
    let mut checks = Checks {
        loss: Check::named("f32: loss"),
        ln_mismatch: Check::named("f32: ln mismatch"),
        residuals: Check::named("f32: scaled residuals"),
    };
    let exact = |case: &&LossCase| case.f.iter().chain(&case.q).all(|v| f64::from(*v as f32) == *v);
    golden.logistic.iter().filter(exact).for_each(|case| checks.compare::<f32>(Loss::CrossEntropy, case));
    golden.softmax.iter().filter(exact).for_each(|case| checks.compare::<f32>(Loss::CrossEntropy, case));
    checks.loss.finish();
    checks.ln_mismatch.finish();
    checks.residuals.finish();
}

#[test]
fn everything_is_finite_up_to_the_largest_logits() {
    for f in [1e4, 1e30, 1e300, -1e4, -1e300] {
        for q in [0.0, 0.05, 1.0] {
            let (f, q) = (Samples::<f64>::from_rows(&[vec![f]]), Samples::from_rows(&[vec![q]]));
            let at = Loss::CrossEntropy.evaluate(f.view(), q.view()).expect("one shape");
            let mut seed = [0.0];
            let out = MatMut::new(&mut seed, 1, 1).expect("length");
            Loss::CrossEntropy.residuals(f.view(), q.view(), at.ln_mismatch, out).expect("one shape");
            assert!(at.loss.is_finite() && at.ln_mismatch.is_finite() && seed[0].is_finite(), "{f:?} {q:?}: {at:?}");
            assert!(seed[0].abs() <= 1.0 && seed[0] != 0.0, "{f:?} {q:?}: {seed:?}");
        }
    }
}

#[test]
fn binary_logit_and_two_classes_agree() {
    for f in [-50.0, -3.0, -1e-5, 0.0, 0.4, 7.0, 800.0] {
        for q in [0.0, 0.25, 1.0] {
            let of = |which: Loss, f: Vec<f64>, q: Vec<f64>| {
                let (f, q): (Samples<f64>, Samples<f64>) = (Samples::from_rows(&[f]), Samples::from_rows(&[q]));
                let at = which.evaluate(f.view(), q.view()).expect("one shape");
                let mut seed = vec![0.0; f.d];
                which
                    .residuals(f.view(), q.view(), at.ln_mismatch, MatMut::new(&mut seed, 1, f.d).expect("length"))
                    .expect("one shape");
                (at, seed)
            };
            let ((one, r), (two, rs)) =
                (of(Loss::CrossEntropy, vec![f], vec![q]), of(Loss::CrossEntropy, vec![0.0, f], vec![1.0 - q, q]));
            let case = format!("f {f}, q {q}");
            // the two are the same expressions of f, up to the sign of a zero
            let unsigned = |values: [f64; 4]| values.map(|v| v + 0.0);
            let (one, two) = ([one.loss, one.ln_mismatch, r[0], -r[0]], [two.loss, two.ln_mismatch, rs[1], rs[0]]);
            same_bits(&case, &unsigned(one), &unsigned(two));
        }
    }
}

/// The mean loss's Hessian in the outputs `(nC, C)`.
fn hessian(which: Loss, f: &Samples<f64>, targets: &Samples<f64>, ln_scale: f64) -> Vec<f64> {
    let mut out = vec![f64::NAN; f.values.len() * f.d];
    let blocks = MatMut::new(&mut out, f.values.len(), f.d).expect("length");
    which.hessian(f.view(), targets.view(), ln_scale, blocks).expect("one shape");
    out
}

#[test]
fn hessians_are_the_derivatives_of_the_residuals() {
    let mut check = Check::named("Hessian of the loss by differences");
    for (which, c) in
        [(Loss::SquaredError, 2), (Loss::CrossEntropy, 1), (Loss::CrossEntropy, 2), (Loss::CrossEntropy, 4)]
    {
        let (f, n) = (Samples::<f64>::gaussian(3, c, 8), 3);
        let q = Samples::from_values(&vec![1.0 / c.max(2) as f64; n * c], c);
        let (ln_scale, h) = (0.7, 1e-5);
        let blocks = hessian(which, &f, &q, ln_scale);
        for (at, i, k) in (0..n * c).flat_map(|at| (0..c).map(move |k| (at, at / c, k))) {
            let shifted = |by: f64| {
                let (mut f, mut r) = (f.clone(), vec![0.0; n * c]);
                f.values[i * c + k] += by;
                which
                    .residuals(f.view(), q.view(), ln_scale, MatMut::new(&mut r, n, c).expect("length"))
                    .expect("one shape");
                r[at]
            };
            let expected = (shifted(h) - shifted(-h)) / (2.0 * h);
            check.absolute(&format!("{which:?}, C = {c}"), (at, k), expected, blocks[at * c + k]);
        }
    }
    check.finish();
}

#[test]
fn hessians_of_confident_outputs_do_not_underflow() {
    for f in [-5000.0, -800.0, 40.0, 3000.0f64] {
        // p (1 - p) = e^-|f|, so that in units of it the Hessian is 1 and -1
        let one = Samples::from_values(&[f], 1);
        assert_eq!(hessian(Loss::CrossEntropy, &one, &Samples::from_values(&[1.0], 1), -f.abs()), [1.0]);
        // of the exponential loss e^-sf
        assert_eq!(hessian(Loss::Exponential, &one, &Samples::from_values(&[f.signum()], 1), -f.abs()), [1.0]);
        let (f_3, q) = (Samples::from_values(&[0.0, f, -1e5], 3), Samples::from_values(&[0.0, 1.0, 0.0], 3));
        let blocks = hessian(Loss::CrossEntropy, &f_3, &q, -f.abs());
        assert_eq!(blocks, [1.0, -1.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }
}

#[test]
fn margins_accuracy_and_ties() {
    let f: Samples<f64> = Samples::from_rows(&[vec![2.0], vec![-1.0], vec![0.0], vec![-3.0]]);
    let q: Samples<f64> = Samples::from_rows(&[vec![1.0], vec![1.0], vec![0.0], vec![0.0]]);
    let at = Loss::CrossEntropy.evaluate(f.view(), q.view()).expect("one shape");
    assert_eq!((at.margin_min, at.margin_mean, at.accuracy, at.logit_max), (-1.0, 1.0, 0.5, 3.0));
    let y: Samples<f64> = Samples::from_rows(&[vec![1.0], vec![1.0], vec![-1.0], vec![-1.0]]);
    let at = Loss::SquaredError.evaluate(f.view(), y.view()).expect("one shape");
    assert_eq!((at.margin_min, at.margin_mean, at.accuracy, at.ln_mismatch), (-1.0, 1.0, 0.5, 0.0));
    assert_eq!(at.loss, (1.0 + 4.0 + 1.0 + 4.0) / 8.0);
    assert_eq!(Loss::CrossEntropy.margin(&[1.0, 5.0, 2.0], &[0.1, 0.8, 0.1]), Ok(3.0));
    assert_eq!(Loss::CrossEntropy.margin(&[1.0, 5.0, 2.0], &[0.9, 0.05, 0.05]), Ok(-4.0));
    let nan: Samples<f64> = Samples::from_rows(&[vec![f64::NAN], vec![1.0], vec![1.0], vec![1.0]]);
    let at = Loss::CrossEntropy.evaluate(nan.view(), q.view()).expect("one shape");
    assert!(at.loss.is_nan() && at.margin_min.is_nan() && at.logit_max.is_nan() && at.ln_mismatch.is_nan(), "{at:?}");
}

#[test]
fn targets_of_labels() {
    let mut two = [0.0f64; 2];
    let mut one = [0.0f64; 1];
    Loss::SquaredError.target(0, 0.0, &mut one).expect("valid");
    assert_eq!(one, [-1.0]);
    Loss::CrossEntropy.target(1, 0.125, &mut one).expect("valid");
    assert_eq!(one, [0.9375]);
    Loss::CrossEntropy.target(1, 0.5, &mut two).expect("valid");
    assert_eq!(two, [0.25, 0.75]);
    Loss::SquaredError.target(1, 0.0, &mut two).expect("valid");
    assert_eq!(two, [0.0, 1.0]);
    assert!(Loss::CrossEntropy.target(2, 0.0, &mut one).is_err());
    assert!(Loss::CrossEntropy.target(2, 0.0, &mut two).is_err());
    for smoothing in [-0.1, 1.0, f64::NAN] {
        assert!(Loss::CrossEntropy.target(0, smoothing, &mut two).is_err(), "{smoothing}");
    }
    assert!(Loss::SquaredError.target(0, 0.1, &mut two).is_err());
}

#[test]
fn wrong_problems_are_refused() {
    let network = Fcn::new(2, &[3], 1).expect("positive sizes");
    let x: Samples<f64> = Samples::gaussian(2, 2, 1);
    let rows = |values: &[f64]| Samples::<f64> { values: values.to_vec(), n: values.len(), d: 1 };
    let problem = |x: &Samples<f64>, q: &[f64], loss, penalty| {
        Problem::new(&network, x.view(), rows(q).view(), loss, penalty).err()
    };
    assert_eq!(problem(&x, &[0.0, 1.0], Loss::CrossEntropy, 0.0), None);
    assert!(matches!(problem(&x, &[0.0], Loss::CrossEntropy, 0.0), Some(Error::Shape { .. })));
    assert!(matches!(problem(&x, &[0.0, 1.5], Loss::CrossEntropy, 0.0), Some(Error::OutOfRange { .. })));
    assert!(matches!(problem(&x, &[0.0, f64::NAN], Loss::CrossEntropy, 0.0), Some(Error::OutOfRange { .. })));
    assert!(matches!(problem(&x, &[0.0, f64::NAN], Loss::SquaredError, 0.0), Some(Error::OutOfRange { .. })));
    for penalty in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(problem(&x, &[0.0, 1.0], Loss::CrossEntropy, penalty), Some(Error::OutOfRange { .. })));
    }
    let mut nan = x.clone();
    nan.values[3] = f64::NAN;
    assert!(matches!(problem(&nan, &[0.0, 1.0], Loss::CrossEntropy, 0.0), Some(Error::NonFinite { .. })));
    for widths in [&[][..], &[0], &[3, 0]] {
        assert!(matches!(Fcn::new(2, widths, 1), Err(Error::OutOfRange { .. })), "{widths:?}");
    }
    assert!(Fcn::new(0, &[1], 1).is_err() && Fcn::new(1, &[1], 0).is_err());
}
