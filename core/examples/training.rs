//! Trains a small network on a constant array with static buffers, as a device does: `cargo run --example training`.
//!
//! What a device adds is where the buffer lies and where the numbers go; `firmware/src/experiment/own.rs` is this for any samples.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Bias, Fcn, Mirrored, Network};
use ntkscope_core::record::{Recorder, recorder_len};
use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
use ntkscope_core::{Error, MatRef, Portable};

const N: usize = 4;
/// Exclusive or: no linear function tells the classes apart.
const X: [f32; 2 * N] = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
const CLASSES: [usize; N] = [0, 1, 1, 0];
const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };

const NETWORK: Fcn<'static> = {
    let Ok(network) = Fcn::new(2, &[16, 16], 1) else { panic!("a width is 0") };
    match network.with_bias(Bias::Input, 1.0) {
        Ok(network) => network,
        Err(_) => panic!("too many parameters"),
    }
};
const TRAINING: usize = trainer_len(NETWORK.sizes().mirrored(), N, &FLOW);
const RECORDING: usize = recorder_len(NETWORK.sizes().mirrored(), N, Portable::TILE, &FLOW, None);

fn main() -> Result<(), Error> {
    let (mut training, mut recording) = ([0.0f32; TRAINING], [0.0f32; RECORDING]);
    let mut targets = [0.0; N];
    for (target, class) in targets.chunks_exact_mut(1).zip(CLASSES) {
        Loss::CrossEntropy.target(class, 0.0, target)?;
    }
    // it begins at the function 0, so that what it learns is seen from the first step on
    let network = Mirrored(NETWORK);
    let (x, targets) = (MatRef::new(&X, N, 2)?, MatRef::new(&targets, N, 1)?);
    let problem = Problem::new(&network, x, targets, Loss::CrossEntropy, 0.0)?;
    let mut trainer = Trainer::new(&Portable, problem, FLOW, 1, &mut training)?;
    let mut recorder = Recorder::new(&mut trainer, None, &mut recording)?;
    let mut last = recorder.observe(&mut trainer)?;
    for time in [1.0, 10.0, 100.0] {
        while !trainer.reached(time) {
            trainer.advance(Some(time))?;
        }
        last = recorder.observe(&mut trainer)?;
        println!(
            "t = {:8.2}  loss {:.4}  accuracy {:.2}  drift {:.3}",
            last.time, last.loss, last.accuracy, last.drift_fro
        );
    }
    assert!(last.accuracy == 1.0 && last.drift_fro > 0.0);
    assert_eq!(network.sizes().parameters, trainer.theta().len());
    Ok(())
}
