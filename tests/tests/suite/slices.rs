//! Training in slices: whatever the cuts, the bits of whole steps.

use ntkscope_core::init::Normals;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Activation, Mirrored, Network};
use ntkscope_core::record::{Recorder, recorder_len};
use ntkscope_core::state::Bytes;
use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
use ntkscope_core::{Error, MatRef, Portable, Real};
use ntkscope_tests::cases::{SIX_LABELS, named, six_points};
use ntkscope_tests::measure::{targets, train};
use ntkscope_tests::tolerance::same_bits;

const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };
const DESCENT: Optimizer = Optimizer::Descent { rate: 0.5 };
const UNTIL: [f64; 4] = [0.2, 3.0, 50.0, 400.0];

/// Everything that a caller sees of a trainer.
type Seen<T> = (Vec<T>, [T; 3], [u64; 2], Option<T>);

fn seen<N: Network, T: Real>(trainer: &Trainer<'_, N, T, Portable>) -> Seen<T> {
    let theta = [trainer.theta(), trainer.theta_0()].concat();
    let numbers = [trainer.log_time(), trainer.objective().loss, trainer.objective().margin_mean];
    (theta, numbers, [trainer.step(), trainer.evaluations()], trainer.resting_from())
}

fn save<N: Network, T: Real>(trainer: &mut Trainer<'_, N, T, Portable>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut sink = |part: &[u8]| {
        bytes.extend_from_slice(part);
        Ok(())
    };
    let mut out = Bytes::writing(&mut sink);
    trainer.save(&mut out)?;
    out.finish()?;
    Ok(bytes)
}

/// Goes on from `bytes`, by slices, until a step after so many slices, and saves there; resets as often as it takes.
fn sliced_with_resets<N: Network + 'static, T: Real>(
    problem: impl Fn() -> Problem<'static, N, T>,
    optimizer: Optimizer,
) -> Result<Seen<T>, Error> {
    let len = trainer_len(problem().network().sizes(), problem().x().rows(), &optimizer);
    let mut draws = Normals::new(11);
    let (mut first, mut saved) = (true, Vec::new());
    loop {
        let mut buffer = vec![T::from_f64(f64::NAN); len];
        let mut rest = &saved[..];
        let mut source = |part: &mut [u8]| {
            let (head, tail) = rest.split_at(part.len());
            part.copy_from_slice(head);
            rest = tail;
            Ok(())
        };
        let mut trainer = if first {
            Trainer::new(&Portable, problem(), optimizer, 3, &mut buffer)?
        } else {
            let mut bytes = Bytes::reading(&mut source);
            let trainer = Trainer::restore(&Portable, problem(), optimizer, &mut buffer, &mut bytes)?;
            bytes.finish()?;
            trainer
        };
        first = false;
        // the power goes after so many slices; what was not saved by then is done again
        let (power, mut slices) = (20 + (draws.draw().abs() * 60.0) as u32, 0);
        saved = save(&mut trainer)?;
        for until in UNTIL.map(T::from_f64) {
            while !trainer.reached(until) && slices < power {
                let before = (trainer.evaluations(), trainer.theta().to_vec());
                let whole = trainer.poll(Some(until))?;
                slices += 1;
                assert!(trainer.evaluations() <= before.0 + 1, "one evaluation a slice");
                if whole {
                    saved = save(&mut trainer)?;
                } else if trainer.between_steps().is_err() {
                    assert!(trainer.theta() == before.1, "nothing moves in the middle of a step");
                    assert!(matches!(save(&mut trainer), Err(Error::State { .. })));
                }
            }
        }
        if trainer.reached(T::from_f64(UNTIL[3])) {
            return Ok(seen(&trainer));
        }
    }
}

fn cut<T: Real>(network: impl Network + 'static, loss: Loss, penalty: f64, optimizer: Optimizer) {
    // what the closure hands out lives as long as the test program
    let x: &'static _ = Box::leak(Box::new(six_points::<T>()));
    let labels: &'static _ = Box::leak(Box::new(targets::<T>(loss, &SIX_LABELS, 1, 0.0)));
    let network: &'static _ = Box::leak(Box::new(network));
    let problem = || Problem::new(network, x.view(), labels.view(), loss, penalty).expect("a valid problem");
    let whole = train(problem(), optimizer, 3, |trainer| {
        for until in UNTIL.map(T::from_f64) {
            while !trainer.reached(until) {
                trainer.advance(Some(until)).expect("a step");
            }
        }
        seen(trainer)
    });
    let sliced = sliced_with_resets(problem, optimizer).expect("training");
    same_bits(&format!("{loss:?} {optimizer:?}"), &whole.0, &sliced.0);
    assert_eq!((whole.1, whole.2, whole.3), (sliced.1, sliced.2, sliced.3), "{loss:?} {optimizer:?}");
}

#[test]
fn slices_and_resets_leave_the_bits_of_whole_steps() {
    let relu = named("bias1", 2, &[8, 8]);
    for optimizer in [FLOW, DESCENT] {
        for (loss, penalty) in [(Loss::CrossEntropy, 0.0), (Loss::SquaredError, 0.1)] {
            for activation in [Activation::Relu, Activation::Erf] {
                cut::<f64>(relu.with_activation(activation), loss, penalty, optimizer);
                cut::<f32>(relu.with_activation(activation), loss, penalty, optimizer);
            }
        }
    }
    cut::<f64>(Mirrored(relu), Loss::CrossEntropy, 0.0, FLOW);
}

#[test]
fn nothing_is_measured_in_the_middle_of_a_step() {
    let network = named("bias1", 2, &[8, 8]);
    let (x, labels) = (six_points::<f64>(), targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0));
    let problem = Problem::new(&network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("valid");
    train(problem, FLOW, 3, |trainer| {
        let mut buffer = vec![0.0; recorder_len(network.sizes(), 6, Portable::TILE, &FLOW, None)];
        let mut recorder = Recorder::new(trainer, None, &mut buffer).expect("a recorder");
        assert_eq!(trainer.poll(None), Ok(false), "the first slice of several");
        assert!(matches!(recorder.observe(trainer), Err(Error::State { .. })));
        assert!(matches!(recorder.point_kernel(trainer), Err(Error::State { .. })));
        assert!(matches!(trainer.replace_samples(x.view(), labels.view()), Err(Error::State { .. })));
        trainer.advance(None).expect("the rest of the step");
        recorder.observe(trainer).expect("between two steps");
    });
}

#[test]
fn other_samples_are_trained_on_from_the_same_parameters_and_time() {
    let network = named("bias1", 2, &[8, 8]);
    let (x, labels) = (six_points::<f64>(), targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0));
    let turned: Vec<f64> = x.view().row(0).iter().chain(x.view().data()).take(12).map(|v| 1.25 * v).collect();
    let turned = MatRef::new(&turned, 6, 2).expect("six points");
    for optimizer in [FLOW, DESCENT] {
        for activation in [Activation::Relu, Activation::Erf] {
            let network = network.with_activation(activation);
            let problem = || Problem::new(&network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("valid");
            train(problem(), optimizer, 3, |trainer| {
                (0..40).for_each(|_| trainer.advance(None).expect("a step"));
                let (before, loss) = (seen(trainer), trainer.objective().loss);
                trainer.replace_samples(turned, labels.view()).expect("as many samples");
                let after = seen(trainer);
                same_bits(&"parameters", &before.0, &after.0);
                assert_eq!((after.1[0], after.2), (before.1[0], [before.2[0], before.2[1] + 1]), "time and counts");
                let here = Problem::new(&network, turned, labels.view(), Loss::CrossEntropy, 0.0).expect("valid");
                let mut work =
                    vec![0.0; Problem::<Mirrored<ntkscope_core::network::Fcn<'_>>, f64>::work_len(network.sizes(), 6)];
                let at = ntkscope_core::train::Position { theta: trainer.theta(), theta_0: trainer.theta_0() };
                let mut slope = vec![0.0; network.sizes().parameters];
                let there = here.evaluate(&Portable, at, false, &mut slope, &mut work).expect("an objective");
                assert!(trainer.objective().loss == there.loss && there.loss != loss, "the loss of the new samples");
                (0..60).for_each(|_| trainer.advance(None).expect("a step"));
                assert!(trainer.objective().loss < there.loss, "{optimizer:?}: it falls");
                // there and back again: a mistake changes nothing
                let kept = seen(trainer);
                let few = MatRef::new(&turned.data()[..10], 5, 2).expect("five points");
                assert!(trainer.replace_samples(few, labels.view()).is_err());
                assert_eq!(kept, seen(trainer));
            });
        }
    }
}

/// Samples are refused under the conditions of a new trainer at the same parameters, and then nothing has changed.
#[test]
fn samples_that_cannot_be_trained_on_leave_those_before() {
    refused_as_by_a_new_trainer::<f64>(1e200);
    refused_as_by_a_new_trainer::<f32>(1e30);
}

/// `far` is a factor whose square no T holds.
fn refused_as_by_a_new_trainer<T: Real>(far: f64) {
    let network = named("bias1", 2, &[8, 8]);
    let x = six_points::<T>();
    let six = x.view().data().to_vec();
    let each = |of: &dyn Fn(usize, T) -> T| six.iter().enumerate().map(|(i, v)| of(i, *v)).collect::<Vec<_>>();
    let far = T::from_f64(far);
    let mut refused = 0;
    for (loss, optimizer, activation) in [
        (Loss::SquaredError, FLOW, Activation::Relu),
        (Loss::SquaredError, FLOW, Activation::Erf),
        (Loss::SquaredError, DESCENT, Activation::Relu),
        (Loss::CrossEntropy, FLOW, Activation::Relu),
        (Loss::CrossEntropy, DESCENT, Activation::Erf),
    ] {
        let network = network.with_activation(activation);
        let labels = targets::<T>(loss, &SIX_LABELS, 1, 0.0);
        let others = [
            each(&|_, v| far * v),
            // six times one point, far away and near
            each(&|i, _| far * six[i % 2]),
            each(&|i, _| six[i % 2]),
            each(&|_, _| T::ZERO),
            each(&|i, v| if i == 7 { T::from_f64(f64::NAN) } else { v }),
            each(&|i, v| if i == 7 { T::ONE / T::ZERO } else { v }),
        ];
        let problem = |x| Problem::new(&network, x, labels.view(), loss, 0.1);
        let walk = |trainer: &mut Trainer<'_, _, T, Portable>| {
            (0..20).for_each(|_| trainer.advance(None).expect("a step"));
        };
        let undisturbed = train(problem(x.view()).expect("valid"), optimizer, 3, |trainer| {
            walk(trainer);
            walk(trainer);
            seen(trainer)
        });
        for (which, other) in others.iter().enumerate() {
            let other = MatRef::new(other, 6, 2).expect("six points");
            train(problem(x.view()).expect("valid"), optimizer, 3, |trainer| {
                walk(trainer);
                let (theta, before) = (trainer.theta().to_vec(), save(trainer).expect("between steps"));
                let mut buffer = vec![T::ZERO; trainer_len(network.sizes(), 6, &optimizer)];
                let new = problem(other).and_then(|problem| {
                    Trainer::with_initial(&Portable, problem, optimizer, &mut buffer, |to| {
                        to.copy_from_slice(&theta);
                        Ok(())
                    })
                });
                let replaced = trainer.replace_samples(other, labels.view());
                let what = format!("{loss:?} {optimizer:?} {activation:?}, samples {which}: {replaced:?}");
                assert_eq!(new.is_ok(), replaced.is_ok(), "{what}");
                if replaced.is_err() {
                    refused += 1;
                    assert!(matches!(replaced, Err(Error::NonFinite { .. })), "{what}");
                    assert!(before == save(trainer).expect("between steps"), "{what}: the state has changed");
                    walk(trainer);
                    assert_eq!(undisturbed, seen(trainer), "{what}");
                }
            });
        }
    }
    // NaN and infinity everywhere, what is far away where its square counts
    assert!(refused >= 2 * 5 + 2 * 2, "{refused} refused");
}
