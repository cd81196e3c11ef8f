//! Where training ends: at the time it was given, or with an error.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::Activation;
use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
use ntkscope_core::{Error, Portable, Real};
use ntkscope_tests::cases::{SIX_LABELS, named, six_points};
use ntkscope_tests::measure::{targets, train};
use ntkscope_tests::tolerance::Check;

use crate::flow::Six;

fn landing<T: Real>(times: &[f64], loss: Loss, smoothing: f64, check: &mut Check) {
    let (x, labels) = (six_points::<T>(), targets::<T>(loss, &SIX_LABELS, 1, smoothing));
    let widths = [24; 2];
    let network = named("bias1", 2, &widths);
    let problem = Problem::new(&network, x.view(), labels.view(), loss, 0.0).expect("a valid problem");
    train(problem, Optimizer::Flow { tolerance: 1e-2 }, 5, |trainer| {
        for time in times {
            let until = T::from_f64(*time);
            while !trainer.reached(until) {
                trainer.advance(Some(until)).expect("a step");
            }
            check.relative(&format!("{loss:?}, smoothing {smoothing}"), time, *time, trainer.time().to_f64());
        }
    });
}

#[test]
fn a_run_ends_at_the_time_it_was_given() {
    let (mut double, mut single) = (Check::named("landing"), Check::named("landing, f32"));
    for (loss, smoothing) in [(Loss::SquaredError, 0.0), (Loss::CrossEntropy, 0.0), (Loss::CrossEntropy, 0.1)] {
        let times = [1e-3, 0.1, 1.0, 2.5, 100.0, 1e4];
        landing::<f64>(&times, loss, smoothing, &mut double);
        landing::<f32>(&times[..5], loss, smoothing, &mut single);
    }
    double.finish();
    single.finish();
}

#[test]
fn a_time_that_has_passed_is_refused() {
    let widths = [8; 2];
    let (network, six) = (named("bias1", 2, &widths), Six::new(Loss::CrossEntropy, 0.0, 0.0));
    train(six.problem(&network), Optimizer::Flow { tolerance: 1e-2 }, 0, |trainer| {
        while !trainer.reached(1.0) {
            trainer.advance(Some(1.0)).expect("a step");
        }
        let before = (trainer.time(), trainer.step(), trainer.evaluations());
        for until in [trainer.time(), 0.5, 0.0, -1.0, f64::NAN] {
            let result = trainer.advance(Some(until));
            assert!(matches!(result, Err(Error::OutOfRange { .. })), "{until}: {result:?}");
            assert_eq!(before, (trainer.time(), trainer.step(), trainer.evaluations()));
        }
    });
    // descent takes whole steps
    train(six.problem(&network), Optimizer::Descent { rate: 0.5 }, 0, |trainer| {
        while !trainer.reached(1.2) {
            trainer.advance(Some(1.2)).expect("a step");
        }
        assert_eq!((trainer.step(), trainer.reached(1.5)), (3, true));
    });
}

#[test]
fn divergence_is_reported_with_its_step() {
    let (x, labels) = (six_points::<f32>(), targets::<f32>(Loss::SquaredError, &SIX_LABELS, 1, 0.0));
    // erf: a ReLU network thrown far enough ends with every unit off, which is finite
    let network = named("bias1", 2, &[16, 16]).with_activation(Activation::Erf);
    let problem = Problem::new(&network, x.view(), labels.view(), Loss::SquaredError, 0.0).expect("a valid problem");
    train(problem, Optimizer::Descent { rate: 100.0 }, 0, |trainer| {
        let mut steps = 0;
        let error = loop {
            steps += 1;
            match trainer.advance(None) {
                Ok(()) => assert!(trainer.objective().loss.is_finite() && steps < 1000),
                Err(error) => break error,
            }
        };
        assert_eq!(error, Error::Diverged { what: "loss", step: steps });
        assert_eq!(trainer.step(), steps);
    });
    let mut buffer = vec![0.0; trainer_len(network.sizes(), 6, &Optimizer::Flow { tolerance: 0.01 })];
    let start = Trainer::with_initial(&Portable, problem, Optimizer::Flow { tolerance: 0.01 }, &mut buffer, |theta| {
        theta.fill(1e30);
        Ok(())
    });
    assert_eq!(start.err(), Some(Error::NonFinite { what: "loss" }));
}

#[test]
fn optimizers_with_impossible_numbers_are_refused() {
    let (network, six) = (named("bias1", 2, &[4]), Six::new(Loss::CrossEntropy, 0.0, 0.0));
    let refused = |optimizer: Optimizer| {
        let mut buffer = vec![0.0; trainer_len(network.sizes(), 6, &optimizer)];
        Trainer::new(&Portable, six.problem(&network), optimizer, 0, &mut buffer).is_err()
    };
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(refused(Optimizer::Descent { rate: bad }) && refused(Optimizer::Flow { tolerance: bad }), "{bad}");
    }
    assert!(refused(Optimizer::Flow { tolerance: 1.0 }) && !refused(Optimizer::Flow { tolerance: 0.5 }));
    // of the scalar 0 or infinity: no step would ever reach a time
    let (x, labels) = (six_points::<f32>(), targets::<f32>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0));
    for number in [1e-46, 1e-39, 1e39] {
        for optimizer in [Optimizer::Descent { rate: number }, Optimizer::Flow { tolerance: number }] {
            for activation in [Activation::Relu, Activation::Erf] {
                let network = network.with_activation(activation);
                let problem = Problem::new(&network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("valid");
                let mut buffer = vec![0.0; trainer_len(network.sizes(), 6, &optimizer)];
                let result = Trainer::new(&Portable, problem, optimizer, 0, &mut buffer).map(drop);
                assert!(matches!(result, Err(Error::OutOfRange { got, .. }) if got == number), "{optimizer:?}");
            }
        }
    }
    let optimizer = Optimizer::Descent { rate: 0.1 };
    let mut short = vec![0.0; trainer_len(network.sizes(), 6, &optimizer) - 1];
    assert!(matches!(
        Trainer::new(&Portable, six.problem(&network), optimizer, 0, &mut short).err(),
        Some(Error::BufferLength { .. })
    ));
}
