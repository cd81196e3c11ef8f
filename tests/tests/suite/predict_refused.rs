//! Penalized minima and limits of soft targets that are refused: there is none, it cannot be found, or the problem does
//! not fit.

use ntkscope_core::choice::Choice;
use ntkscope_core::kernel::AnalyticKernel::Ntk;
use ntkscope_core::loss::Loss;
use ntkscope_core::predict::{FixedPoint, SoftTargets, fixed_point_len, soft_targets_len};
use ntkscope_core::{Error, Portable};
use ntkscope_tests::cases::{SIX_LABELS, Samples, named, six_points};
use ntkscope_tests::measure::{analytic_kernel, expanded, fixed_point, gram, soft_targets, square, targets};

use crate::predict_lazy::{column, five};

#[test]
fn where_there_is_no_solution() {
    let hard = |kernel: &[f64], y: &Samples<f64>, loss| {
        let mut buffer = vec![0.0; soft_targets_len(y.n, y.d)];
        let limit = SoftTargets::new(&Portable, square(kernel), y.view(), loss, &mut buffer).err();
        let unpenalized = FixedPoint::new(&Portable, square(kernel), y.view(), loss, 0.0, &mut buffer).err();
        (limit, unpenalized)
    };
    let (kernel, ..) = five();
    let none = |sample| Some(Error::NoFiniteSolution { sample });
    let y = column(&[0.5, 0.5, 0.5, 1.0, 0.0]);
    assert_eq!(hard(&kernel, &y, Loss::CrossEntropy), (none(3), none(3)));
    // one impossible class is enough
    let mut y = targets(Loss::CrossEntropy, &[0, 1, 2, 1, 0], 3, 0.2);
    y.values[3..6].copy_from_slice(&[0.5, 0.5, 0.0]);
    assert_eq!(hard(&expanded(&kernel, (5, 5), 3), &y, Loss::CrossEntropy), (none(1), none(1)));
    // equal samples 0 and 1 agree, 2 and 3 do not; the fourth eigenvalue is that of the last sample
    let x: Samples<f64> = Samples::gaussian(3, 3, 50);
    let twins = analytic_kernel(&Portable, &named("bias1", 3, &[1, 1]), Ntk, &x.select(&[0, 0, 1, 1, 2]), None);
    assert_eq!(hard(&twins, &column(&[1.0, 1.0, 0.0, 1.0, 0.5]), Loss::CrossEntropy), (none(0), none(0)));
    // the kernel vanishes along the labels: of the six eigenvalues four are 0, and none belongs to equal samples
    let six = analytic_kernel(&Portable, &named("lin0", 2, &[1]), Ntk, &six_points(), None);
    let y = targets(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0);
    let (limit, _) = hard(&six, &y, Loss::CrossEntropy);
    assert!(matches!(limit, Some(Error::SingularKernel { .. })), "{limit:?}");
    println!("six points: {}", limit.expect("an error"));
    // soft labels along it cannot be met, but have a least loss: f = 0
    let y = targets(Loss::CrossEntropy, &SIX_LABELS, 1, 0.1);
    soft_targets(&six, &y, Loss::CrossEntropy, |problem| {
        problem.solve(Samples::zeros(6, 1).view()).expect("a limit");
        assert!(problem.outputs().data().iter().all(|f| f.abs() < 1e-14), "{:?}", problem.outputs());
    });
    // a penalty far below the rounding of the kernel: an error, or the minimum
    let y = targets(Loss::CrossEntropy, &[0, 1, 0, 1, 1], 1, 0.0);
    fixed_point(&kernel, &y, Loss::CrossEntropy, 1e-300, |problem| {
        let result = problem.solve(Samples::zeros(5, 1).view());
        println!("penalty 1e-300: {result:?}, {} steps", problem.steps());
        assert!(result.is_err() || problem.residual() < 1e-8);
    });
}

#[test]
fn what_the_digits_do_not_hold_is_refused() {
    // outputs that cannot leave 1e3, whose curvature underflows, and a penalty that is nothing beside that of the others
    let (n, rank) = (20, 20);
    let phi: Samples<f64> = Samples::gaussian(3 * n, rank, 6);
    let scale = |k: usize| 10f64.powf(6.0 * k as f64 / rank as f64);
    let entry =
        |i: usize, j: usize| (0..rank).map(|k| phi.values[i * rank + k] * phi.values[j * rank + k] * scale(k)).sum();
    let kernel: Vec<f64> = (0..9 * n * n).map(|e| entry(e / (3 * n), e % (3 * n))).collect();
    let labels: Vec<usize> = (0..n).map(|i| (i * i + 6 * i) % 3).collect();
    let y = targets(Loss::CrossEntropy, &labels, 3, 0.1);
    let mut f_0 = Samples::<f64>::gaussian(n, 3, 6);
    f_0.values.iter_mut().for_each(|f| *f *= 1e3);
    fixed_point(&kernel, &y, Loss::CrossEntropy, 1e-20, |problem| {
        let result = problem.solve(f_0.view());
        assert!(matches!(result, Err(Error::NoMinimum { .. })), "{result:?}");
    });
    fixed_point(&kernel, &y, Loss::CrossEntropy, 1e-6, |problem| problem.solve(f_0.view()).expect("a minimum"));
}

#[test]
fn problems_that_do_not_fit_are_refused() {
    let (kernel, f_0, y) = (gram(3, 5, 0.0, 1), column(&[0.0; 3]), column(&[0.0, 1.0, 0.5]));
    let len = fixed_point_len(3, 1);
    let mut buffer = vec![0.0; soft_targets_len(3, 1)];
    let mut fixed = |kernel: &[f64], y: &Samples<f64>, loss, penalty, len: usize| {
        FixedPoint::new(&Portable, square(kernel), y.view(), loss, penalty, &mut buffer[..len]).err()
    };
    assert_eq!(fixed(&kernel, &y, Loss::CrossEntropy, 1.0, len), None);
    assert!(matches!(fixed(&kernel, &y, Loss::CrossEntropy, 1.0, len - 1), Some(Error::BufferLength { .. })));
    assert!(matches!(fixed(&[1.0], &y, Loss::CrossEntropy, 1.0, len), Some(Error::Shape { .. })));
    assert!(matches!(fixed(&[f64::NAN; 9], &y, Loss::CrossEntropy, 1.0, len), Some(Error::NonFinite { .. })));
    assert!(matches!(fixed(&kernel, &column(&[2.0; 3]), Loss::CrossEntropy, 1.0, len), Some(Error::OutOfRange { .. })));
    let saddle = [1.0, 2.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    assert!(matches!(fixed(&saddle, &y, Loss::CrossEntropy, 1.0, len), Some(Error::IndefiniteKernel { .. })));
    for penalty in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(
            matches!(fixed(&kernel, &y, Loss::CrossEntropy, penalty, len), Some(Error::OutOfRange { .. })),
            "{penalty}"
        );
    }
    assert!(matches!(fixed(&kernel, &column(&[0.5; 3]), Loss::CrossEntropy, 0.0, len), Some(Error::OutOfRange { .. })));
    // three targets of no numbers, no target of one, none of none
    for (n, d) in [(3, 0), (0, 1), (0, 0)] {
        for loss in Loss::ALL {
            for penalty in [0.0, 1.0] {
                let refused = fixed(&[], &Samples::zeros(n, d), *loss, penalty, len);
                assert!(matches!(refused, Some(Error::OutOfRange { .. })), "{n} x {d}, {loss}, {penalty}: {refused:?}");
            }
        }
    }
    fixed_point(&kernel, &y, Loss::CrossEntropy, 1.0, |problem| {
        assert!(matches!(problem.solve(column(&[0.0; 2]).view()), Err(Error::Shape { .. })));
        assert!(matches!(problem.solve(column(&[f64::NAN; 3]).view()), Err(Error::NonFinite { .. })));
        assert!(matches!(problem.solve_from(f_0.view(), &[0.0; 2]), Err(Error::Shape { .. })));
        assert!(matches!(problem.solve_from(f_0.view(), &[f64::INFINITY; 3]), Err(Error::NonFinite { .. })));
        assert!(problem.solve_from(f_0.view(), &[0.0; 3]).is_ok());
    });
    let soft = column(&[0.5; 3]);
    let result = SoftTargets::new(&Portable, square(&kernel), soft.view(), Loss::CrossEntropy, &mut buffer[1..]);
    assert!(matches!(result, Err(Error::BufferLength { .. })));
}
