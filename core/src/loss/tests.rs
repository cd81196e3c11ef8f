//! What holds for every loss: each is asked by its properties.

use super::*;
use crate::choice::Choice;
use crate::init::Normals;

const SAMPLES: usize = 3;
const MOST: usize = 4;
const STEP: f64 = 1e-5;

/// Outputs of size 1, and targets of the classes 0, 1, 0, soft where the loss has them.
fn case(loss: Loss, outputs: usize) -> ([f64; SAMPLES * MOST], [f64; SAMPLES * MOST]) {
    let (mut f, mut y) = ([0.0; SAMPLES * MOST], [0.0; SAMPLES * MOST]);
    let mut normals = Normals::new(outputs as u64);
    f.iter_mut().for_each(|f| *f = normals.draw());
    let smoothing = if loss.properties(outputs).probabilities { 0.3 } else { 0.0 };
    for (i, row) in y[..SAMPLES * outputs].chunks_exact_mut(outputs).enumerate() {
        loss.target(i % 2, smoothing, row).unwrap();
    }
    (f, y)
}

fn view(values: &[f64], outputs: usize) -> MatRef<'_, f64> {
    MatRef::new(&values[..SAMPLES * outputs], SAMPLES, outputs).unwrap()
}

fn residuals(loss: Loss, f: &[f64], y: &[f64], outputs: usize, ln_scale: f64) -> [f64; SAMPLES * MOST] {
    let mut out = [0.0; SAMPLES * MOST];
    let r = MatMut::new(&mut out[..SAMPLES * outputs], SAMPLES, outputs).unwrap();
    loss.residuals(view(f, outputs), view(y, outputs), ln_scale, r).unwrap();
    out
}

fn every(mut test: impl FnMut(Loss, usize)) {
    for loss in Loss::ALL {
        [1, 2, MOST].into_iter().for_each(|outputs| test(*loss, outputs));
    }
}

#[test]
fn residuals_are_the_derivatives_of_the_loss() {
    every(|loss, outputs| {
        let (f, y) = case(loss, outputs);
        let r = residuals(loss, &f, &y, outputs, -0.7);
        for k in 0..SAMPLES * outputs {
            let at = |by: f64| {
                let mut f = f;
                f[k] += by;
                loss.evaluate(view(&f, outputs), view(&y, outputs)).unwrap().loss
            };
            let expected = (at(STEP) - at(-STEP)) / (2.0 * STEP) * libm::exp(0.7);
            assert!((r[k] - expected).abs() < 1e-9, "{loss}, {outputs} outputs, {k}: {expected} {}", r[k]);
        }
    });
}

#[test]
fn hessians_are_the_derivatives_of_the_residuals() {
    every(|loss, outputs| {
        let ((f, y), mut blocks) = (case(loss, outputs), [f64::NAN; SAMPLES * MOST * MOST]);
        let size = SAMPLES * outputs;
        let out = MatMut::new(&mut blocks[..size * outputs], size, outputs).unwrap();
        loss.hessian(view(&f, outputs), view(&y, outputs), 0.4, out).unwrap();
        for (at, k) in (0..size).flat_map(|at| (0..outputs).map(move |k| (at, k))) {
            let shifted = |by: f64| {
                let mut f = f;
                f[at / outputs * outputs + k] += by;
                residuals(loss, &f, &y, outputs, 0.4)[at]
            };
            let expected = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
            let got = blocks[at * outputs + k];
            assert!((got - expected).abs() < 1e-9, "{loss}, {outputs} outputs, ({at}, {k}): {expected} {got}");
            assert!(k != at % outputs || loss.properties(outputs).curved == (got > 0.0), "{loss}: {got}");
        }
    });
}

#[test]
fn outputs_that_meet_the_targets_are_stationary_and_right() {
    every(|loss, outputs| {
        let ((f, y), mut met) = (case(loss, outputs), [0.0; SAMPLES * MOST]);
        let out = MatMut::new(&mut met[..SAMPLES * outputs], SAMPLES, outputs).unwrap();
        loss.met(view(&y, outputs), out).unwrap();
        let r = residuals(loss, &met, &y, outputs, 0.0);
        assert!(r.iter().all(|r| r.abs() < 1e-15), "{loss}, {outputs} outputs: {r:?}");
        let at = |f| loss.evaluate(view(f, outputs), view(&y, outputs)).unwrap();
        assert!(at(&met).loss < at(&f).loss && at(&met).accuracy == 1.0, "{loss}, {outputs} outputs");
    });
}

#[test]
fn a_common_addend_changes_nothing_where_residuals_sum_to_0() {
    every(|loss, outputs| {
        let (f, y) = case(loss, outputs);
        let r = residuals(loss, &f, &y, outputs, 0.0);
        let sums = r.chunks_exact(outputs).map(|row| row.iter().sum::<f64>());
        let largest = sums.fold(0.0, |m, s| if s.abs() > m { s.abs() } else { m });
        assert_eq!(loss.properties(outputs).centred, largest < 1e-15, "{loss}, {outputs} outputs: {largest}");
    });
}

#[test]
fn labels_targets_and_shapes_that_do_not_fit_are_refused() {
    every(|loss, outputs| {
        let (f, mut y) = case(loss, outputs);
        let mut row = [0.0f64; MOST];
        assert!(loss.target(outputs.max(2), 0.0, &mut row[..outputs]).is_err());
        assert_eq!(loss.target(0, 0.1, &mut row[..outputs]).is_ok(), loss.properties(outputs).probabilities);
        for smoothing in [-0.1, 1.0, f64::NAN] {
            assert!(loss.target(0, smoothing, &mut row[..outputs]).is_err());
        }
        assert_eq!(loss.check(view(&y, outputs)), Ok(()));
        let fewer = MatRef::new(&y[..2 * outputs], 2, outputs).unwrap();
        let mut out = [0.0; SAMPLES * MOST];
        assert!(matches!(loss.evaluate(view(&f, outputs), fewer), Err(Error::Shape { .. })));
        let r = MatMut::new(&mut out[..2 * outputs], 2, outputs).unwrap();
        assert!(matches!(loss.residuals(view(&f, outputs), view(&y, outputs), 0.0, r), Err(Error::Shape { .. })));
        let block = MatMut::new(&mut out[..outputs], 1, outputs).unwrap();
        assert!(matches!(loss.hessian(view(&f, outputs), view(&y, outputs), 0.0, block), Err(Error::Shape { .. })));
        assert!(matches!(loss.margin(&f[..outputs], &y[..outputs - 1]), Err(Error::Shape { .. })));
        y[1] = f64::NAN;
        assert!(matches!(loss.check(view(&y, outputs)), Err(Error::OutOfRange { .. })));
    });
}

#[test]
fn outputs_that_are_no_numbers_show_in_the_loss() {
    every(|loss, outputs| {
        let (mut f, y) = case(loss, outputs);
        f[0] = f64::NAN;
        assert!(loss.evaluate(view(&f, outputs), view(&y, outputs)).unwrap().loss.is_nan(), "{loss}");
    });
}

#[test]
fn probabilities_of_outputs() {
    for q in [1e-12, 0.25, 0.5, 0.9f64] {
        assert!((sigmoid(logit(q)) - q).abs() < 1e-15, "{q}");
    }
    let (f, mut p) = ([2.0, -1.0, 0.5], [0.0; 3]);
    softmax(&f, &mut p).unwrap();
    let total: f64 = f.map(libm::exp).iter().sum();
    for (f, p) in f.iter().zip(p) {
        assert!((libm::exp(*f) / total - p).abs() < 1e-15);
    }
    softmax(&[0.0, 1.3], &mut p[..2]).unwrap();
    assert!((p[1] - sigmoid(1.3)).abs() < 1e-15);
    assert!(matches!(softmax(&f, &mut p[..2]), Err(Error::Shape { .. })));
    for f in [[700.0, -700.0, 0.0], [0.0; 3]] {
        let ln = probability::LnSoftmax::new(&f);
        softmax(&f, &mut p).unwrap();
        for (c, p) in p.iter().enumerate() {
            assert!((libm::exp(ln.ln_p(&f, c)) - p).abs() < 1e-15);
            assert!((libm::exp(ln.ln_not_p(&f, c)) - (1.0 - p)).abs() < 1e-15);
        }
    }
    assert_eq!(probability::ln_sigmoid(-1e4), -1e4);
}

#[test]
fn curvature_is_the_largest_eigenvalue_of_a_hessian() {
    every(|loss, outputs| {
        let ((f, y), mut blocks) = (case(loss, outputs), [0.0; SAMPLES * MOST * MOST]);
        let Some(largest) = loss.curvature(outputs) else {
            // of the exponential loss it grows without bound
            assert_eq!(loss.properties(outputs).curved, loss == Loss::Exponential, "{loss}");
            return;
        };
        // along the difference of the first two outputs, the others far below: there it is reached
        let mut along = |f: &[f64], v: &[f64]| {
            let out = MatMut::new(&mut blocks[..SAMPLES * outputs * outputs], SAMPLES * outputs, outputs).unwrap();
            loss.hessian(view(f, outputs), view(&y, outputs), 0.0, out).unwrap();
            let norm: f64 = v.iter().map(|v| v * v).sum();
            let entries = (0..outputs * outputs).map(|e| v[e / outputs] * v[e % outputs] * blocks[e]);
            SAMPLES as f64 * entries.sum::<f64>() / norm
        };
        let (mut even, mut difference) = ([-50.0; SAMPLES * MOST], [0.0; MOST]);
        (0..SAMPLES).for_each(|i| even[i * outputs..][..outputs.min(2)].fill(0.0));
        (difference[0], difference[1]) = (1.0, -1.0);
        let reached = along(&even, &difference[..outputs]);
        assert!((reached - largest).abs() < 1e-12, "{loss}, {outputs} outputs: {reached} for {largest}");
        let mut normals = Normals::new(5);
        for _ in 0..50 {
            let v: [f64; MOST] = core::array::from_fn(|_| normals.draw());
            assert!(along(&f, &v[..outputs]) <= largest + 1e-12, "{loss}, {outputs} outputs");
        }
    });
}
