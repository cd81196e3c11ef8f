//! Narrow networks on the six points, which chatter on their kinks from the start, and may have no unit for a sample.
//!
//! The objective rises where a step crosses a kink that the flow is held on, whatever its length; a sample that is never learnt
//! keeps its l'' of 1/4 when all others' have vanished. Neither may keep time from passing.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Mirrored, Network};
use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
use ntkscope_core::{Portable, Real};
use ntkscope_tests::cases::{SIX_LABELS, named, six_points};
use ntkscope_tests::measure::targets;

const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };

/// Gradient evaluations of the flow to this time, at most `most`; the objective at the start and the end.
fn flow<T: Real>(width: usize, loss: Loss, penalty: f64, seed: u64, (until, most): (f64, u64)) -> (u64, T, T) {
    let widths = [width; 2];
    let network = Mirrored(named("bias1", 2, &widths));
    let (x, y) = (six_points::<T>(), targets::<T>(loss, &SIX_LABELS, 1, 0.0));
    let problem = Problem::new(&network, x.view(), y.view(), loss, penalty).expect("a valid problem");
    let mut buffer = vec![T::ZERO; trainer_len(network.sizes(), 6, &FLOW)];
    let mut trainer = Trainer::new(&Portable, problem, FLOW, seed, &mut buffer).expect("a valid problem");
    let half = T::from_f64(0.5 * penalty);
    let objective = |trainer: &Trainer<'_, _, T, Portable>| {
        let moved = trainer.theta().iter().zip(trainer.theta_0()).map(|(a, b)| (*a - *b) * (*a - *b));
        trainer.objective().loss + half * moved.fold(T::ZERO, |sum, square| sum + square)
    };
    let start = objective(&trainer);
    let until = T::from_f64(until);
    while !trainer.reached(until) && trainer.evaluations() < most {
        trainer.advance(Some(until)).expect("a step");
        let now = objective(&trainer);
        assert!(now <= start + T::from_f64(1e-6), "width {width}, seed {seed}: {start} has become {now}");
    }
    let context = format!("{loss:?}, {}, width {width}, seed {seed}", core::any::type_name::<T>());
    assert!(trainer.reached(until), "{context}: at t = {} after {most} evaluations", trainer.time());
    (trainer.evaluations(), start, objective(&trainer))
}

/// Units that reach their kink before the stiffest direction has come to rest.
#[test]
fn chatter_at_the_start_is_no_error_of_the_step() {
    for (width, loss, penalty, seed) in [
        (6, Loss::SquaredError, 0.5, 0),
        (4, Loss::SquaredError, 0.0, 0),
        (6, Loss::SquaredError, 0.0, 4),
        (6, Loss::CrossEntropy, 0.01, 4),
    ] {
        let (evaluations, start, end) = flow::<f64>(width, loss, penalty, seed, (100.0, 20_000));
        println!(
            "{loss:?}, penalty {penalty}, width {width}, seed {seed}: {evaluations} evaluations, {start} to {end}"
        );
        assert!(end < 0.97 * start, "{start} to {end}");
        flow::<f32>(width, loss, penalty, seed, (100.0, 20_000));
    }
}

/// A sixth of the loss, or a third, stays for ever, and time passes all the same: about log t steps.
#[test]
fn samples_that_are_never_learnt_do_not_keep_time_from_passing() {
    for (width, seed) in [(6, 0), (8, 0), (3, 3)] {
        let (short, _, _) = flow::<f64>(width, Loss::CrossEntropy, 0.0, seed, (1e8, 40_000));
        let (long, start, end) = flow::<f64>(width, Loss::CrossEntropy, 0.0, seed, (1e32, 40_000));
        println!("width {width}, seed {seed}: {short} evaluations to 1e8, {long} to 1e32, loss {start} to {end}");
        assert!(end > 0.1 * start, "something is left: {end}");
        assert!(long < 8 * short, "the logarithm is four times as large");
        flow::<f32>(width, Loss::CrossEntropy, 0.0, seed, (1e32, 40_000));
    }
}
