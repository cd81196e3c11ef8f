//! The shifted network, f(x; theta) - f(x; theta_0): an offset of the problem.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Mirrored, Network};
use ntkscope_core::train::{Optimizer, Problem};
use ntkscope_core::{Error, Real};
use ntkscope_tests::cases::{SIX_LABELS, Samples, named, six_points};
use ntkscope_tests::measure::{objective, outputs, targets, theta, train};
use ntkscope_tests::tolerance::{Check, same_bits};

const SEED: u64 = 3;
const OPTIMIZERS: [Optimizer; 2] = [Optimizer::Flow { tolerance: 0.01 }, Optimizer::Descent { rate: 0.05 }];

/// f(x; theta_0) on the six points, for the seed.
fn start<N: Network, T: Real>(network: &N) -> Samples<T> {
    Samples::from_values(&outputs(network, &theta(network, SEED), &six_points::<T>()), network.sizes().outputs)
}

/// Loss and parameters at t = 0.5, 3 and 10.
fn path<N: Network, T: Real>(problem: Problem<'_, N, T>, optimizer: Optimizer) -> Vec<(T, Vec<T>)> {
    let times = [0.5, 3.0, 10.0].map(T::from_f64);
    train(problem, optimizer, SEED, |trainer| {
        let mut at = |time: T| {
            while !trainer.reached(time) {
                trainer.advance(Some(time)).expect("a step");
            }
            (trainer.objective().loss, trainer.theta().to_vec())
        };
        times.into_iter().map(&mut at).collect()
    })
}

fn begins_at_0<N: Network, T: Real>(network: &N, loss: Loss) {
    let (x, f_0) = (six_points::<T>(), start::<N, T>(network));
    let labels = targets::<T>(loss, &SIX_LABELS, network.sizes().outputs, 0.0);
    let pair = Mirrored(*network);
    let plain = Problem::new(network, x.view(), labels.view(), loss, 0.0).expect("a valid problem");
    let shifted = plain.with_offset(f_0.view()).expect("an offset that fits");
    let mirrored = Problem::new(&pair, x.view(), labels.view(), loss, 0.0).expect("a valid problem");
    let (one, both) = (theta::<N, T>(network, SEED), theta::<_, T>(&pair, SEED));
    let at = objective(network, &shifted, &one, &one, false).0;
    assert!(at.logit_max == T::ZERO, "{at:?}");
    assert_eq!(at, objective(&pair, &mirrored, &both, &both, false).0, "an output of 0 like the mirrored network's");
    assert!(objective(network, &plain, &one, &one, false).0.logit_max > T::ZERO);
}

#[test]
fn the_output_at_initialization_is_0() {
    let widths = [24; 2];
    for loss in [Loss::SquaredError, Loss::CrossEntropy] {
        begins_at_0::<_, f64>(&named("ball1", 2, &widths), loss);
        begins_at_0::<_, f32>(&named("ball1", 2, &widths), loss);
    }
}

#[test]
fn an_offset_of_0_changes_no_bit() {
    let (x, widths) = (six_points::<f32>(), [24; 2]);
    let network = named("bias1", 2, &widths);
    let labels = targets(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0);
    let plain = Problem::new(&network, x.view(), labels.view(), Loss::CrossEntropy, 0.01).expect("a valid problem");
    let zeros = Samples::zeros(6, 1);
    let shifted = plain.with_offset(zeros.view()).expect("an offset that fits");
    for optimizer in OPTIMIZERS {
        for (a, b) in path(plain, optimizer).iter().zip(path(shifted, optimizer)) {
            same_bits(&"loss", &[a.0], &[b.0]);
            same_bits(&"parameters", &a.1, &b.1);
        }
    }
}

/// Squared error sees f - y alone: l(f - f_0, y) = l(f, y + f_0).
#[test]
fn squared_error_cannot_tell_an_offset_from_other_targets() {
    let (x, widths) = (six_points::<f64>(), [24; 2]);
    let network = named("bias1", 2, &widths);
    let (y, f_0) = (targets::<f64>(Loss::SquaredError, &SIX_LABELS, 1, 0.0), start::<_, f64>(&network));
    let sums: Vec<f64> = y.values.iter().zip(&f_0.values).map(|(y, f)| y + f).collect();
    let sums = Samples::from_values(&sums, 1);
    let checks =
        [Check::named("shifted on y, standard on y + f_0, flow"), Check::named("shifted on y, standard on y + f_0")];
    for ((optimizer, penalty), mut check) in OPTIMIZERS.into_iter().zip([0.0, 0.02]).zip(checks) {
        let problem = |targets| Problem::new(&network, x.view(), targets, Loss::SquaredError, penalty);
        let shifted = problem(y.view()).and_then(|p| p.with_offset(f_0.view())).expect("a valid problem");
        let standard = problem(sums.view()).expect("a valid problem");
        let pairs = path(standard, optimizer).into_iter().zip(path(shifted, optimizer));
        for (k, (expected, actual)) in pairs.enumerate() {
            check.relative(&format!("{optimizer:?}, loss"), k, expected.0, actual.0);
            check.all_scaled(&format!("{optimizer:?}, parameters, time {k}"), &expected.1, &actual.1);
        }
        check.finish();
    }
}

#[test]
fn offsets_that_do_not_fit_are_refused() {
    let (x, network) = (six_points::<f64>(), named("bias1", 2, &[4]));
    let y = targets(Loss::SquaredError, &SIX_LABELS, 1, 0.0);
    let problem = Problem::new(&network, x.view(), y.view(), Loss::SquaredError, 0.0).expect("a valid problem");
    let refused = |offset: Samples<f64>| problem.with_offset(offset.view()).err();
    assert_eq!(refused(Samples::zeros(5, 1)), Some(Error::Shape { what: "offset: rows", need: 6, got: 5 }));
    assert_eq!(refused(Samples::zeros(6, 2)), Some(Error::Shape { what: "offset: columns", need: 1, got: 2 }));
    for bad in [f64::NAN, f64::INFINITY] {
        let offset = Samples::from_values(&[0.0, 0.0, bad, 0.0, 0.0, 0.0], 1);
        assert_eq!(refused(offset), Some(Error::NonFinite { what: "offset" }));
    }
    assert_eq!(refused(Samples::zeros(6, 1)), None);
}
