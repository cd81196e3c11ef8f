//! Gradient descent: a step is one along the gradient, and watching it changes nothing.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Bias, Fcn, Mirrored, Network, ResNet, Trained};
use ntkscope_core::record::Recorder;
use ntkscope_core::train::{Optimizer, Problem};
use ntkscope_tests::cases::{SIX_LABELS, Samples, six_points};
use ntkscope_tests::measure::{objective, recorder_space, targets, train};
use ntkscope_tests::tolerance::{Check, same_bits};

const RATE: f64 = 0.3;

/// Steps with a penalty, each compared with theta - rate grad J.
fn steps<N: Network>(network: &N, x: &Samples<f64>, check: &mut Check) {
    let labels = targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0);
    let problem = Problem::new(network, x.view(), labels.view(), Loss::CrossEntropy, 0.05).expect("a valid problem");
    train(problem, Optimizer::Descent { rate: RATE }, 5, |trainer| {
        for step in 0..4 {
            let before = trainer.theta().to_vec();
            let (_, gradient) = objective(network, trainer.problem(), &before, trainer.theta_0(), false);
            trainer.advance(None).expect("finite");
            for (k, (theta, g)) in before.iter().zip(&gradient).enumerate() {
                let (expected, scale) = (theta - RATE * g, theta.abs().max(1.0));
                check.scaled(&format!("step {step}"), k, expected, trainer.theta()[k], scale);
            }
        }
    });
}

#[test]
fn a_step_goes_along_the_gradient() {
    let mut check = Check::named("step of descent");
    let x = six_points::<f64>();
    let plain = Fcn::new(2, &[13, 6], 1).expect("positive sizes").with_bias(Bias::All, 0.7).expect("a scale");
    steps(&Mirrored(plain), &x, &mut check);
    let residual = ResNet::new(2, 9, 2, 1, 0.5).expect("positive sizes").with_input_bias(0.7).expect("a scale");
    steps(&residual, &x, &mut check);
    steps(&residual.with_trained(Trained::Branches), &x, &mut check);
    check.finish();
}

#[test]
fn snapshots_between_steps_change_no_bit() {
    let (x, labels) = (six_points::<f64>(), targets::<f64>(Loss::CrossEntropy, &SIX_LABELS, 1, 0.0));
    let network = Mirrored(Fcn::new(2, &[13, 6], 1).expect("positive sizes"));
    let problem = Problem::new(&network, x.view(), labels.view(), Loss::CrossEntropy, 0.0).expect("a valid problem");
    let run = |watched: bool| {
        train(problem, Optimizer::Descent { rate: RATE }, 5, |trainer| {
            let mut buffer = recorder_space(trainer, None);
            let mut recorder = watched.then(|| Recorder::new(trainer, None, &mut buffer).expect("length"));
            for _ in 0..5 {
                trainer.advance(None).expect("finite");
                recorder.iter_mut().for_each(|recorder| assert!(recorder.observe(trainer).expect("a snapshot").finite));
            }
            (trainer.theta().to_vec(), trainer.evaluations())
        })
    };
    let (alone, watched) = (run(false), run(true));
    same_bits(&"theta", &alone.0, &watched.0);
    assert_eq!(alone.1, watched.1);
}
