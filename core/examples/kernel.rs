//! Trains a network on six points of the circle and prints how its kernel has moved: `cargo run --example kernel`.
//!
//! Nothing is allocated: every buffer is an array whose length follows from the network.

use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Fcn, Sizes};
use ntkscope_core::record::{Burst, Recorder, recorder_len};
use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
use ntkscope_core::{Error, MatRef, Portable};

/// Six points, three antipodal pairs with opposite labels.
const N: usize = 6;
const X: [f64; 2 * N] = [0.5, 0.866, -0.5, 0.866, -1.0, 0.0, -0.5, -0.866, 0.5, -0.866, 1.0, 0.0];
const Y: [f64; N] = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
const NETWORK: Fcn = match Fcn::new(2, &[32, 32], 1) {
    Ok(network) => network,
    Err(_) => panic!("a size is 0"),
};
const SIZES: Sizes = NETWORK.sizes();
const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };

fn main() -> Result<(), Error> {
    let mut buffer = [0.0; trainer_len(SIZES, N, &FLOW)];
    let mut kernels = [0.0; recorder_len(SIZES, N, Portable::TILE, &FLOW, Some(Burst::STANDARD))];
    let (x, y) = (MatRef::new(&X, N, 2)?, MatRef::new(&Y, N, 1)?);
    let problem = Problem::new(&NETWORK, x, y, Loss::CrossEntropy, 0.0)?;
    let mut trainer = Trainer::new(&Portable, problem, FLOW, 0, &mut buffer)?;
    let mut recorder = Recorder::new(&mut trainer, Some(Burst::STANDARD), &mut kernels)?;
    println!("{:>10} {:>10} {:>8} {:>8}", "time", "loss", "margin", "drift");
    for time in [1.0, 10.0, 100.0, 1e3, 1e4] {
        while !trainer.reached(time) {
            trainer.advance(Some(time))?;
        }
        let s = recorder.observe(&mut trainer)?;
        println!("{:>10.0} {:>10.2e} {:>8.3} {:>8.3}", s.time, s.loss, s.margin_min, s.drift_max);
    }
    println!("K_t at the end, first row: {:.3?}", recorder.current().row(0));
    Ok(())
}
