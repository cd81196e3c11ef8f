//! Flows from large weights, whose logits are far from 0 before the first step.
//!
//! On the right side a loss of e^-|f| has a relative rounding of |f| eps and more, and the mismatch may have no number at all:
//! a step that hardly moves is no rise, and time passes nevertheless. On the wrong side the mismatch is 1 and says nothing of
//! how far a step goes: the objective has to fall all the same.

use ntkscope_core::init::initialize;
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Activation, Fcn, Mirrored, Network};
use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
use ntkscope_core::{Error, MatRef, Portable, Real};
use ntkscope_tests::cases::{SIX_LABELS, named, six_points};
use ntkscope_tests::measure::{targets, train};

const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };
/// Steps that none of these flows needs where all samples are on the right side from the start.
const FEW: u64 = 200;

/// All of one class, with positive inner products: most networks have them on one side at the start.
const LINE: [f64; 12] = [1.0, 0.0, 4.0, 1.0, 1.0, 4.0, 1.0, 2.0, 4.0, 1.0, 3.0, 4.0];

/// Trains networks of these seeds from weights N(0, scale^2) to t = 1e32, or for a number of steps. The largest of the
/// smallest margins at the start.
fn flows<T: Real>(network: &Fcn<'_>, loss: Loss, scale: f64, seeds: core::ops::Range<u64>) -> f64 {
    let (line, labels) = (LINE.map(T::from_f64), [T::ONE; 4]);
    let (x, y) = (MatRef::new(&line, 4, 3).expect("length"), MatRef::new(&labels, 4, 1).expect("length"));
    let problem = Problem::new(network, x, y, loss, 0.0).expect("a valid problem");
    let sizes = network.sizes();
    let mut buffer = vec![T::ZERO; trainer_len(sizes, 4, &FLOW)];
    let mut farthest = 0.0;
    for seed in seeds {
        let start = |theta: &mut [T]| {
            initialize(network, seed, theta)?;
            theta.iter_mut().for_each(|weight| *weight *= T::from_f64(scale));
            Ok(())
        };
        let mut trainer = Trainer::with_initial(&Portable, problem, FLOW, &mut buffer, start).expect("a valid start");
        let (margin, name) = (trainer.objective().margin_min.to_f64(), core::any::type_name::<T>());
        farthest = margin.max(farthest);
        for time in [1.0, 1e8, 1e32].map(T::from_f64) {
            while !trainer.reached(time) && trainer.step() < FEW {
                let before = trainer.objective().loss;
                let advanced = trainer.advance(Some(time));
                let context = format!("{loss:?}, {name}, weights of {scale}, seed {seed}, step {}", trainer.step());
                assert!(advanced.is_ok(), "{context}: {advanced:?}");
                let after = trainer.objective().loss;
                // the allowance of a step, or rounding
                let rise = before * T::from_f64(1.65) + T::from_f64(1e-3);
                assert!(after <= rise, "{context}: {before} has become {after}");
            }
            let still = loss == Loss::CrossEntropy && margin > 100.0;
            assert!(!still || trainer.reached(time), "{name}, seed {seed}: {margin} at the start, no end");
        }
    }
    farthest
}

#[test]
fn a_flow_starts_where_every_output_is_large() {
    let (narrow, wide) = ([16], [64]);
    let unit = Fcn::new(3, &wide, 1).and_then(|network| network.with_variances(1.0, 1.0)).expect("a network");
    let usual = Fcn::new(3, &narrow, 1).expect("a network");
    for (network, seeds) in [(unit, 20..36), (usual, 48..56)] {
        for activation in [Activation::Relu, Activation::Erf] {
            for scale in [8.0, 30.0] {
                let (network, seeds) = (network.with_activation(activation), || seeds.clone());
                let far = flows::<f64>(&network, Loss::CrossEntropy, scale, seeds());
                flows::<f32>(&network, Loss::CrossEntropy, scale, seeds());
                flows::<f64>(&network, Loss::SquaredError, scale, seeds());
                flows::<f32>(&network, Loss::SquaredError, scale, seeds());
                println!("{activation:?}, weights of {scale}: margins of up to {far:.0} at the start");
            }
        }
    }
}

/// Rounding is judged beside the outputs: targets of 2^-45 are learnt, though 256 eps is more.
#[test]
fn small_targets_are_learnt() {
    let widths = [64];
    for activation in [Activation::Relu, Activation::Erf] {
        let network = Mirrored(Fcn::new(3, &widths, 1).expect("a network").with_activation(activation));
        let labels = [1.0, -1.0, 1.0, 1.0].map(|y: f64| y * (-45.0f64).exp2());
        let (x, y) = (MatRef::new(&LINE, 4, 3).expect("length"), MatRef::new(&labels, 4, 1).expect("length"));
        let problem = Problem::new(&network, x, y, Loss::SquaredError, 0.0).expect("a valid problem");
        let mut buffer = vec![0.0; trainer_len(network.sizes(), 4, &FLOW)];
        let mut trainer = Trainer::new(&Portable, problem, FLOW, 1, &mut buffer).expect("a valid problem");
        let before = trainer.objective().loss;
        while !trainer.reached(10.0) {
            trainer.advance(Some(10.0)).expect("a step");
        }
        let after = trainer.objective().loss;
        println!("{activation:?}: {before:e} has become {after:e} in {} steps", trainer.step());
        assert!(after < 0.8 * before, "{activation:?}: {before:e} has become {after:e}");
    }
}

/// The first error of a flow to t = 10 of samples and targets of these factors, or the share of the loss that is left.
fn scaled<T: Real, N: Network>(network: &N, loss: Loss, x: f64, y: f64) -> Result<f64, Error> {
    let (line, labels) = (LINE.map(|v| T::from_f64(x * v)), [1.0, 0.0, 1.0, 1.0].map(|v| T::from_f64(y * v)));
    let (x, y) = (MatRef::new(&line, 4, 3)?, MatRef::new(&labels, 4, 1)?);
    train(Problem::new(network, x, y, loss, 0.0)?, FLOW, 1, |trainer| {
        let before = trainer.objective().loss;
        while !trainer.reached(T::from_f64(10.0)) && trainer.step() < FEW {
            trainer.advance(Some(T::from_f64(10.0)))?;
        }
        Ok((trainer.objective().loss / before).to_f64())
    })
}

/// Where the parameters would have to move by less than their rounding, none is moved and no success reported.
#[test]
fn steps_that_rounding_swallows_are_an_error() {
    let widths = [64];
    let plain = Fcn::new(3, &widths, 1).expect("a network");
    for activation in [Activation::Relu, Activation::Gelu] {
        let network = Mirrored(plain.with_activation(activation));
        for loss in [Loss::SquaredError, Loss::CrossEntropy] {
            let lost = [scaled::<f64, _>(&network, loss, 1e20, 1.0), scaled::<f32, _>(&network, loss, 1e9, 1.0)];
            for result in lost {
                // or no step is long enough to move them and short enough to go down
                let is_told = matches!(result, Err(Error::LostInRounding { .. } | Error::StepUnderflow { .. }));
                assert!(is_told, "{activation:?}, {loss:?}: {result:?}");
            }
        }
        let lost = [(1.0, 1e-20), (1e5, 1e-15)].map(|(x, y)| scaled::<f64, _>(&network, Loss::SquaredError, x, y));
        assert_eq!(lost, [const { Err(Error::LostInRounding { step: 1 }) }; 2], "{activation:?}");
        // as small, but with parameters as far to go; and what hardly moves by then is no error
        let learnt = scaled::<f64, _>(&network, Loss::SquaredError, 1e-5, 1e-5).expect("a path");
        let still = scaled::<f64, _>(&network, Loss::SquaredError, 1e-20, 1.0).expect("a path");
        assert!(learnt < 1.0 && still == 1.0, "{activation:?}: {learnt}, {still}");
        // outputs that come to 0 as near as rounding lets them, and those that are there
        let met = scaled::<f64, _>(&plain.with_activation(activation), Loss::SquaredError, 1.0, 0.0);
        assert!(met.as_ref().is_ok_and(|left| *left < 0.01), "{activation:?}: {met:?}");
        let at_once = scaled::<f64, _>(&network, Loss::SquaredError, 1.0, 0.0);
        assert!(at_once.is_ok(), "{activation:?}: {at_once:?}");
    }
}

/// A sample without an active unit keeps its residual, and the clock with it. The others' margins grow like ln t, until their
/// pull is below every number: then the flow is at rest.
#[test]
fn a_sample_that_is_never_learnt_does_not_end_in_an_overflow() {
    let widths = [8; 2];
    let network = Mirrored(named("bias1", 2, &widths));
    let (x, y) = (six_points::<f32>(), targets::<f32>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0));
    let problem = Problem::new(&network, x.view(), y.view(), Loss::CrossEntropy, 0.0).expect("a valid problem");
    train(problem, FLOW, 0, |trainer| {
        while !trainer.at_rest() {
            trainer.advance(None).expect("a step");
        }
        let (objective, end) = (*trainer.objective(), trainer.log_time());
        assert!(objective.margin_min == 0.0 && objective.margin_mean > 40.0, "{objective:?}");
        assert!((80.0..92.0).contains(&end), "ln(1 + t) = {end}");
    });
}
