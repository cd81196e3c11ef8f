//! Trainers as bytes: what is read back goes on with the bits of what was written.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Activation, Fcn, Mirrored, Network, ResNet};
use ntkscope_core::state::Bytes;
use ntkscope_core::train::{Optimizer, Problem, Trainer, state_len, trainer_len};
use ntkscope_core::{Approx32, Error, Portable, Real};
use ntkscope_tests::cases::{SIX_LABELS, Samples, named, six_points};
use ntkscope_tests::measure::{targets, train};
use ntkscope_tests::tolerance::same_bits;

const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };
const DESCENT: Optimizer = Optimizer::Descent { rate: 0.5 };

fn saved<N: Network, T: Real>(trainer: &mut Trainer<'_, N, T, Portable>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut sink = |part: &[u8]| {
        bytes.extend_from_slice(part);
        Ok(())
    };
    let mut out = Bytes::writing(&mut sink);
    trainer.save(&mut out).expect("bytes can be written");
    out.finish().expect("and its end");
    let (sizes, n) = (trainer.problem().network().sizes(), trainer.problem().x().rows());
    let most = state_len::<T>(sizes, n, &trainer.optimizer());
    // so that no number more or less for each parameter or output goes unnoticed
    assert!(bytes.len() <= most && most - bytes.len() < 256, "{} of {most} bytes", bytes.len());
    bytes
}

/// What `go_on` does with the trainer in these bytes.
fn restored<N: Network, T: Real, R>(
    problem: Problem<'_, N, T>,
    optimizer: Optimizer,
    mut bytes: &[u8],
    go_on: impl FnOnce(&mut Trainer<'_, N, T, Portable>) -> R,
) -> Result<R, Error> {
    let mut buffer =
        vec![T::from_f64(f64::NAN); trainer_len(problem.network().sizes(), problem.x().rows(), &optimizer)];
    let mut source = |part: &mut [u8]| {
        let (head, tail) = bytes.split_at_checked(part.len()).ok_or(Error::State { what: "cut off" })?;
        part.copy_from_slice(head);
        bytes = tail;
        Ok(())
    };
    let mut read = Bytes::reading(&mut source);
    let mut trainer = Trainer::restore(&Portable, problem, optimizer, &mut buffer, &mut read)?;
    read.finish()?;
    Ok(go_on(&mut trainer))
}

fn walk<N: Network, T: Real>(trainer: &mut Trainer<'_, N, T, Portable>, steps: usize) {
    (0..steps).for_each(|_| trainer.advance(None).expect("a step"));
}

/// Everything that a caller sees of a trainer.
fn seen<N: Network, T: Real>(trainer: &Trainer<'_, N, T, Portable>) -> (Vec<T>, [T; 3], [u64; 2], Option<T>) {
    let theta = [trainer.theta(), trainer.theta_0()].concat();
    let numbers = [trainer.log_time(), trainer.objective().loss, trainer.objective().margin_mean];
    (theta, numbers, [trainer.step(), trainer.evaluations()], trainer.resting_from())
}

fn goes_on<T: Real>(network: &impl Network, loss: Loss, penalty: f64, optimizer: Optimizer) {
    let (x, labels) = (six_points::<T>(), targets::<T>(loss, &SIX_LABELS, 1, 0.0));
    let problem = || Problem::new(network, x.view(), labels.view(), loss, penalty).expect("a valid problem");
    let cuts = [0, 1, 16, 40, 97];
    let mut states = Vec::new();
    let whole = train(problem(), optimizer, 3, |trainer| {
        let mut at = 0;
        for cut in cuts {
            walk(trainer, cut - at);
            at = cut;
            states.push(saved(trainer));
        }
        walk(trainer, 130 - at);
        seen(trainer)
    });
    for (cut, bytes) in cuts.into_iter().zip(&states) {
        let again = restored(problem(), optimizer, bytes, |trainer| {
            assert_eq!(&saved(trainer), bytes, "the same bytes");
            walk(trainer, 130 - cut);
            seen(trainer)
        });
        let again = again.expect("its own state");
        same_bits(&format!("{loss:?} {optimizer:?}, cut at {cut}"), &whole.0, &again.0);
        assert_eq!((whole.1, whole.2, whole.3), (again.1, again.2, again.3), "cut at {cut}");
    }
}

#[test]
fn a_trainer_goes_on_with_the_same_bits_from_every_step() {
    let widths = [8; 2];
    let relu = named("bias1", 2, &widths);
    for optimizer in [FLOW, DESCENT] {
        for (loss, penalty) in [(Loss::CrossEntropy, 0.0), (Loss::SquaredError, 0.1)] {
            for activation in [Activation::Relu, Activation::Erf] {
                let network = relu.with_activation(activation);
                goes_on::<f64>(&network, loss, penalty, optimizer);
                goes_on::<f32>(&network, loss, penalty, optimizer);
            }
            goes_on::<f64>(&ResNet::new(2, 8, 2, 1, 0.5).expect("sizes"), loss, penalty, optimizer);
        }
    }
    goes_on::<f64>(&Mirrored(relu), Loss::CrossEntropy, 0.0, FLOW);
    goes_on::<Approx32>(&relu, Loss::CrossEntropy, 0.0, DESCENT);
}

/// The length is that of the bytes, at the start and where a flow has come to rest, for any number of samples and outputs.
#[test]
fn the_length_of_a_state_is_known_before() {
    fn check<T: Real>(n: usize, outputs: usize) {
        let x = Samples::<T>::gaussian(n, 2, 7);
        let labels: Vec<usize> = (0..n).map(|i| i % outputs.max(2)).collect();
        let y = targets::<T>(Loss::SquaredError, &labels, outputs, 0.0);
        for activation in [Activation::Relu, Activation::Erf] {
            let network = Fcn::new(2, &[5], outputs).expect("positive widths").with_activation(activation);
            for optimizer in [FLOW, DESCENT] {
                let problem = Problem::new(&network, x.view(), y.view(), Loss::SquaredError, 1.0).expect("valid");
                train(problem, optimizer, 3, |trainer| {
                    saved(trainer);
                    let end = T::from_f64(1e4);
                    while optimizer == FLOW && !trainer.reached(end) {
                        trainer.advance(Some(end)).expect("a step");
                    }
                    assert!(optimizer == DESCENT || trainer.resting_from().is_some(), "{n} {outputs} {activation}");
                    saved(trainer);
                });
            }
        }
    }
    for (n, outputs) in [(1, 1), (10, 1), (26, 1), (100, 1), (1, 30), (9, 4), (40, 3)] {
        check::<f32>(n, outputs);
        check::<f64>(n, outputs);
        check::<Approx32>(n, outputs);
    }
}

/// A flow that stops where an end would cut its step is on the path of one without an end.
#[test]
fn what_stops_before_an_end_is_on_the_way_of_what_does_not() {
    let (widths, x) = ([8; 2], six_points::<f64>());
    let labels = targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0);
    for name in [Activation::Relu, Activation::Erf] {
        let network = named("bias1", 2, &widths).with_activation(name);
        let problem = || Problem::new(&network, x.view(), labels.view(), Loss::CrossEntropy, 0.01).expect("valid");
        let mut path = Vec::new();
        train(problem(), FLOW, 3, |trainer| {
            while !trainer.reached(900.0) {
                path.push(seen(trainer));
                trainer.advance(None).expect("a step");
            }
        });
        train(problem(), FLOW, 3, |trainer| {
            for until in [0.01, 0.3, 7.0, 80.0, 300.0] {
                while trainer.advance_within(until).expect("a step") {}
                assert!(trainer.time() < until);
                let here = seen(trainer);
                let there = path.iter().find(|there| there.2[0] == here.2[0]).expect("a step of the path");
                // what the next step begins with, such as a look at lambda_max, may have been made
                same_bits(&format!("{name}, before {until}"), &here.0, &there.0);
                assert_eq!((here.1, here.3), (there.1, there.3), "{name}, before {until}");
                let next = path.iter().find(|there| there.2[0] == here.2[0] + 1).expect("another");
                assert!(next.1[0].exp_m1() > until, "{name}: one more step fits before {until}");
            }
        });
    }
}

#[test]
fn the_state_of_another_problem_is_refused() {
    let (widths, x) = ([8; 2], six_points::<f64>());
    let labels = targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0);
    let network = named("bias1", 2, &widths);
    let problem = || Problem::new(&network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("valid");
    let bytes = train(problem(), FLOW, 3, |trainer| {
        walk(trainer, 20);
        saved(trainer)
    });
    let refused = |result: Result<(), Error>| matches!(result, Err(Error::State { .. }));
    assert!(restored(problem(), FLOW, &bytes, |_| ()).is_ok());
    for other in [DESCENT, Optimizer::Flow { tolerance: 0.02 }] {
        assert!(refused(restored(problem(), other, &bytes, |_| ())), "{other:?}");
    }
    let smooth = network.with_activation(Activation::Erf);
    let problem_of_another = Problem::new(&smooth, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("valid");
    assert!(refused(restored(problem_of_another, FLOW, &bytes, |_| ())));
    let wider = [9, 8];
    let wider = named("bias1", 2, &wider);
    let problem_of_another = Problem::new(&wider, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("valid");
    assert!(refused(restored(problem_of_another, FLOW, &bytes, |_| ())));
    for cut in (0..bytes.len()).step_by(97) {
        assert!(refused(restored(problem(), FLOW, &bytes[..cut], |_| ())), "cut at {cut}");
    }
    let writes = train(problem(), FLOW, 3, |trainer| trainer.save(&mut Bytes::reading(&mut |_| Ok(()))));
    assert!(refused(writes));
}

#[test]
fn a_time_that_no_training_reaches_is_refused() {
    let (widths, x) = ([8; 2], six_points::<f64>());
    let labels = targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0);
    let network = named("bias1", 2, &widths);
    let problem = || Problem::new(&network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("valid");
    for optimizer in [FLOW, DESCENT] {
        let (mut bytes, log_time) = train(problem(), optimizer, 3, |trainer| {
            walk(trainer, 20);
            (saved(trainer), trainer.log_time())
        });
        // after the heading, theta_0, theta, and the numbers of steps and evaluations
        let at = 8 * (7 + 2 * network.sizes().parameters + 2);
        assert_eq!(bytes[at..at + 8], log_time.to_le_bytes());
        for wrong in [-1.0, 1e13, 5e223, f64::INFINITY, f64::NAN] {
            bytes[at..at + 8].copy_from_slice(&wrong.to_le_bytes());
            let error = restored(problem(), optimizer, &bytes, |_| ()).expect_err("no training reaches it");
            assert!(matches!(error, Error::State { .. }), "{wrong}: {error}");
        }
    }
}
