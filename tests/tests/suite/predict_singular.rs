//! Predictions under kernels of every rank, from none to full, against 50 digits: what the kernel does not reach is left
//! at f_0, and told.

use ntkscope_core::loss::Loss;
use ntkscope_core::predict::{Fit, KernelFlow, KernelRegression, Training, kernel_flow_len, regression_len};
use ntkscope_core::{Error, MatRef, Portable};
use ntkscope_tests::cases::Samples;
use ntkscope_tests::golden::{Singular, singular};
use ntkscope_tests::measure::{expanded, fixed_point, predicted, smoother_of, soft_targets, square};
use ntkscope_tests::tolerance::Check;

use crate::predict_law::joint;

const TRAIN: usize = 6;
const ALL: usize = 8;
const PENALTY: f64 = 0.01;

struct Case {
    golden: Singular,
    name: String,
    /// of all samples `(8, 8)`, of the training samples, and of all with them
    kernel: Vec<f64>,
    train: Vec<f64>,
    cross: Vec<f64>,
    f_0: Samples<f64>,
    start: Samples<f64>,
    y: Samples<f64>,
    q: Samples<f64>,
}

impl Case {
    fn new(golden: Singular) -> Self {
        let b = &golden.features;
        let entry = |i: usize, j: usize| b.iter().map(|row| row[i] * row[j]).sum::<f64>();
        let block = |rows: usize, cols: usize| (0..rows * cols).map(|e| entry(e / cols, e % cols)).collect();
        let column = |values: &[f64]| Samples::from_values(values, 1);
        Self {
            name: format!("rank {}{}", golden.rank, if golden.twins { ", twins" } else { "" }),
            kernel: block(ALL, ALL),
            train: block(TRAIN, TRAIN),
            cross: block(ALL, TRAIN),
            f_0: column(&golden.f_0),
            start: column(&golden.f_0[..TRAIN]),
            y: column(&golden.y),
            q: column(&golden.q),
            golden,
        }
    }
    /// What squared error cannot learn, |P (y - f_0)|, from the reference.
    fn unmet(&self) -> f64 {
        let left = |k: usize| self.golden.limit[k] - self.golden.y[k];
        (0..TRAIN).map(|k| left(k) * left(k)).sum::<f64>().sqrt()
    }
    fn told(&self, fit: Fit<f64>) {
        assert_eq!(fit.unreached, TRAIN - self.golden.rank, "{}", self.name);
        assert!(fit.unmet() <= 1.0 + 1e-12 && fit.unknown(TRAIN) < 1e-12, "{}: {fit:?}", self.name);
    }
}

fn cases() -> Vec<Case> {
    singular().into_iter().map(Case::new).collect()
}

#[test]
fn squared_error_under_kernels_of_every_rank() {
    let mut check = Check::named("kernels of every rank");
    for case in cases() {
        let mut buffer = vec![f64::NAN; regression_len(TRAIN, 1)];
        let (train, start, y) = (square(&case.train), case.start.view(), case.y.view());
        let mut regression = KernelRegression::new(&Portable, train, start, y, &mut buffer).expect("a kernel");
        let limit = &case.golden.limit;
        for (time, expected) in [(3.0, &case.golden.at_3), (1e300, limit), (f64::INFINITY, limit)] {
            let f = predicted(&case.cross, &case.f_0, regression.dual(&Portable, time).expect("a time"));
            check.all_scaled(&case.name, expected, &f);
        }
        let fit = regression.fit();
        case.told(fit);
        check.scaled(&case.name, "unmet", case.unmet(), fit.residual, fit.start.max(1.0));
        // the smoother of one output, for f_0 = 0 where there is none
        for (training, expected) in [
            (Training::Flow(3.0), &case.golden.at_3),
            (Training::Flow(1e300), limit),
            (Training::Flow(f64::INFINITY), limit),
            (Training::Ridge(PENALTY), &case.golden.ridge),
        ] {
            let a = smoother_of(joint(&case.kernel, TRAIN), training);
            let f = |i: usize| {
                let left = |j: usize| case.golden.y[j] - case.golden.f_0[j];
                case.golden.f_0[TRAIN + i] + (0..TRAIN).map(|j| a[i * TRAIN + j] * left(j)).sum::<f64>()
            };
            check.all_scaled(&format!("{}, {training:?}", case.name), &expected[TRAIN..], &[f(0), f(1)]);
        }
        let ridge = fixed_point(&case.train, &case.y, Loss::SquaredError, PENALTY, |end| {
            end.solve(case.start.view()).expect("a minimum");
            predicted(&case.cross, &case.f_0, end.dual())
        });
        check.all_scaled(&format!("{}, ridge", case.name), &case.golden.ridge, &ridge);
    }
    check.finish();
}

#[test]
fn cross_entropy_under_kernels_of_every_rank() {
    let mut check = Check::named("kernels of every rank");
    let mut flows = Check::named("kernels of every rank: flow");
    for case in cases() {
        let soft = soft_targets(&case.train, &case.q, Loss::CrossEntropy, |end| {
            end.solve(case.start.view()).expect("a limit");
            case.told(end.fit());
            predicted(&case.cross, &case.f_0, end.dual())
        });
        check.all_scaled(&format!("{}, soft", case.name), &case.golden.soft, &soft);
        let penalized = fixed_point(&case.train, &case.q, Loss::CrossEntropy, PENALTY, |end| {
            end.solve(case.start.view()).expect("a minimum");
            predicted(&case.cross, &case.f_0, end.dual())
        });
        check.all_scaled(&format!("{}, penalized", case.name), &case.golden.penalized, &penalized);
        let mut buffer = vec![f64::NAN; kernel_flow_len(TRAIN, 1)];
        let (train, start, q) = (square(&case.train), case.start.view(), case.q.view());
        let mut flow =
            KernelFlow::new(&Portable, train, start, q, Loss::CrossEntropy, 1e-10, &mut buffer).expect("a kernel");
        // t = 1e300
        flow.advance_to(690.0).expect("a flow");
        flows.all_scaled(&case.name, &case.golden.soft, &predicted(&case.cross, &case.f_0, flow.dual()));
    }
    check.finish();
    flows.finish();
}

/// Two classes as two outputs: softmax of (f/2, -f/2) is the logistic function of f under a kernel twice as small.
#[test]
fn softmax_under_kernels_of_every_rank() {
    let mut check = Check::named("kernels of every rank");
    for case in cases() {
        // of K = 2 K_1 the difference of two centred outputs moves like one output under K_1
        let half: Vec<f64> = case.train.iter().map(|k| k / 2.0).collect();
        let full = expanded(&half, (TRAIN, TRAIN), 2);
        let both = |f: &[f64]| -> Vec<f64> { f.iter().flat_map(|f| [-f / 2.0, f / 2.0]).collect() };
        let q: Vec<f64> = case.golden.q.iter().flat_map(|q| [1.0 - q, *q]).collect();
        let start = Samples::from_values(&both(&case.golden.f_0[..TRAIN]), 2);
        let outputs = soft_targets(&full, &Samples::from_values(&q, 2), Loss::CrossEntropy, |end| {
            end.solve(start.view()).expect("a limit");
            end.outputs().data().to_vec()
        });
        check.all_scaled(&case.name, &both(&case.golden.soft[..TRAIN]), &outputs);
    }
    check.finish();
}

/// Digits that the condition costs: two samples that nearly agree on different targets.
#[test]
fn digits_lost_to_the_condition_are_told() {
    for gap in [1e-3, 1e-6, 1e-9, 1e-12] {
        let kernel = [1.0, 1.0 - gap, 1.0 - gap, 1.0];
        let known = |targets: [f64; 2]| {
            let (mut buffer, targets) = (vec![0.0; regression_len(2, 1)], targets);
            let (zero, y) = ([0.0; 2], MatRef::new(&targets, 2, 1).expect("length"));
            let zero = MatRef::new(&zero, 2, 1).expect("length");
            let mut regression =
                KernelRegression::new(&Portable, square(&kernel), zero, y, &mut buffer).expect("a kernel");
            regression.dual(&Portable, f64::INFINITY).expect("a limit");
            regression.fit().unknown(2)
        };
        let (lost, kept) = (known([1.0, -1.0]), known([1.0, 1.0]));
        // g = (1, -1)/gap
        let expected = f64::EPSILON * 2.0 / gap * 2f64.sqrt();
        assert!(lost / expected > 0.5 && lost / expected < 2.0, "{gap:e}: {lost:e} for {expected:e}");
        assert!(kept < 1e-12, "{gap:e}: {kept:e}");
    }
}

/// Certain targets without a penalty have no limit, or one that the kernel alone does not tell.
#[test]
fn certain_targets_are_refused() {
    for case in cases().into_iter().filter(|case| case.golden.rank > 0) {
        let mut buffer = vec![0.0; ntkscope_core::predict::soft_targets_len(TRAIN, 1)];
        let y = Samples::from_values(&[1.0, 1.0, 0.0, 1.0, 0.0, 1.0], 1);
        let train = square(&case.train);
        let refused =
            ntkscope_core::predict::SoftTargets::new(&Portable, train, y.view(), Loss::CrossEntropy, &mut buffer);
        assert!(matches!(refused.err(), Some(Error::NoFiniteSolution { .. } | Error::SingularKernel { .. })));
    }
}
