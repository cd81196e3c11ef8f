//! Hinge loss, which has kinks of its own: the flow ends at margins of 1, and is read there as it is.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Mirrored, Network, ResNet};
use ntkscope_core::record::{Burst, Recorder};
use ntkscope_core::train::{Optimizer, Problem};
use ntkscope_tests::cases::{SIX_LABELS, named, six_points};
use ntkscope_tests::measure::{recorder_space, targets, train};

/// Mean loss at which its targets count as met.
const MET: f64 = 1e-8;

fn is_read_as_it_ends<N: Network>(name: &str, network: &N, seeds: core::ops::Range<u64>) {
    let (x, labels) = (six_points::<f64>(), targets::<f64>(Loss::Hinge, &SIX_LABELS, 1, 0.0));
    for seed in seeds {
        let problem = Problem::new(network, x.view(), labels.view(), Loss::Hinge, 0.0).expect("a valid problem");
        train(problem, Optimizer::Flow { tolerance: 0.01 }, seed, |trainer| {
            let mut space = recorder_space(trainer, Some(Burst::STANDARD));
            let mut recorder = Recorder::new(trainer, Some(Burst::STANDARD), &mut space).expect("length");
            while trainer.objective().loss > MET {
                assert!(trainer.step() < 5000, "{name}, seed {seed}: loss {}", trainer.objective().loss);
                trainer.advance(None).expect("a step");
            }
            let here = *trainer.objective();
            let read = recorder.observe(trainer).expect("a reading");
            assert!(read.loss <= MET, "{name}, seed {seed}: {} is read as {}", here.loss, read.loss);
            let off = (read.margin_min - here.margin_min).abs();
            assert!(off < 1e-6, "{name}, seed {seed}: margin {} for {}", read.margin_min, here.margin_min);
        });
    }
}

#[test]
fn a_burst_does_not_leave_targets_that_are_met() {
    let widths = [32; 2];
    is_read_as_it_ends("fully connected", &Mirrored(named("bias1", 2, &widths)), 0..8);
    is_read_as_it_ends("residual", &Mirrored(ResNet::new(2, 64, 2, 1, 1.0).expect("sizes")), 0..8);
}
