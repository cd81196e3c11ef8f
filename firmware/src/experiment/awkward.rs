//! What could tell one machine's arithmetic from another's: every scalar; softmax, soft targets, a penalty; units with kinks and
//! without, a residual network; either optimizer; odd widths, fewer samples than a tile has rows, the first and the last seed.
//!
//! Each record is sent as single precision shows it, and with it a digest of the bits of all its numbers, of every parameter
//! and of every entry of the kernel, in the scalar of the run.

use ntkscope_core::{
    Approx32, Error, MatRef, Portable, Real,
    init::Normals,
    loss::Loss,
    network::{Activation, Bias, Fcn, Mirrored, Network, ResNet, Sizes},
    record::{Burst, Recorder, recorder_len},
    train::{Optimizer, Problem, Trainer, trainer_len},
};

use super::{Board, Digest, Number, Output};

/// Samples, and numbers of each.
const N: usize = 5;
const D: usize = 3;
const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.05 };
const DESCENT: Optimizer = Optimizer::Descent { rate: 0.0137 };
/// Times of the records.
const TIMES: [f64; 4] = [0.0, 0.37, 2.9, 61.0];

/// How one network is trained.
struct Case<'a, N> {
    /// Its name in `f32`, `Approx32` and `f64`.
    names: [&'static str; 3],
    network: &'a N,
    loss: Loss,
    smoothing: f64,
    penalty: f64,
    optimizer: Optimizer,
    seed: u64,
}

const SOFTMAX: Fcn<'static> = match fcn(&[7, 5], 3).with_bias(Bias::All, 0.7) {
    Ok(network) => network,
    Err(_) => panic!("too many parameters"),
};
const ERF: Fcn<'static> = fcn(&[13], 1).with_activation(Activation::Erf);
const SMOOTH: Fcn<'static> = match fcn(&[5, 13], 1).with_variances(2.0 / 3.0, 1.7) {
    Ok(network) => network.with_activation(Activation::Erf),
    Err(_) => panic!("a variance"),
};
const RESIDUAL: Mirrored<ResNet> = match ResNet::new(D, 3, 2, 1, 0.3) {
    Ok(network) => match network.with_input_bias(0.9) {
        Ok(network) => Mirrored(network),
        Err(_) => panic!("too many parameters"),
    },
    Err(_) => panic!("a width is 0"),
};

const fn fcn(widths: &[usize], outputs: usize) -> Fcn<'_> {
    match Fcn::new(D, widths, outputs) {
        Ok(network) => network,
        Err(_) => panic!("a width is 0"),
    }
}

/// Numbers in the buffer on a board: as many of double precision as the largest case needs, and what aligns them.
pub const fn len(_: Board) -> usize {
    let needs = [
        need(SOFTMAX.sizes(), &FLOW),
        need(ERF.sizes(), &DESCENT),
        need(SMOOTH.sizes(), &FLOW),
        need(RESIDUAL.0.sizes().mirrored(), &FLOW),
    ];
    let (mut most, mut i) = (0, 0);
    while i < needs.len() {
        if needs[i] > most {
            most = needs[i];
        }
        i += 1;
    }
    2 * most + 1
}

const fn need(sizes: Sizes, optimizer: &Optimizer) -> usize {
    N * (D + sizes.outputs)
        + trainer_len(sizes, N, optimizer)
        + recorder_len(sizes, N, Portable::TILE, optimizer, Some(Burst::STANDARD))
}

/// Trains every network in every scalar; `buffer` holds at least [`len`] numbers.
pub fn run(_: Board, buffer: &mut [f32], out: &mut dyn Output) -> Result<(), Error> {
    all(0, buffer, out)?;
    all(1, aligned::<Approx32>(buffer), out)?;
    all(2, aligned::<f64>(buffer), out)
}

/// The same memory as numbers of another scalar.
fn aligned<T: Real>(buffer: &mut [f32]) -> &mut [T] {
    // SAFETY: the scalars of core are floats, of which any bits are a number, or `Approx32`, which is `repr(transparent)` over
    // `f32`; whatever is written is good for `f32` too.
    unsafe { buffer.align_to_mut::<T>() }.1
}

fn all<T: Real>(scalar: usize, buffer: &mut [T], out: &mut dyn Output) -> Result<(), Error> {
    let softmax = Case {
        names: ["f32-softmax", "approx-softmax", "f64-softmax"],
        network: &SOFTMAX,
        loss: Loss::CrossEntropy,
        smoothing: 0.1,
        penalty: 0.0,
        optimizer: FLOW,
        seed: u64::MAX,
    };
    let erf = Case {
        names: ["f32-erf", "approx-erf", "f64-erf"],
        network: &ERF,
        loss: Loss::SquaredError,
        smoothing: 0.0,
        penalty: 0.01,
        optimizer: DESCENT,
        seed: 0,
    };
    let smooth = Case {
        names: ["f32-smooth", "approx-smooth", "f64-smooth"],
        network: &SMOOTH,
        loss: Loss::CrossEntropy,
        smoothing: 0.0,
        penalty: 0.0,
        optimizer: FLOW,
        seed: u64::MAX,
    };
    let residual = Case {
        names: ["f32-residual", "approx-residual", "f64-residual"],
        network: &RESIDUAL,
        loss: Loss::CrossEntropy,
        smoothing: 0.0,
        penalty: 1e-3,
        optimizer: FLOW,
        seed: 0,
    };
    train(&softmax, scalar, buffer, out)?;
    train(&erf, scalar, buffer, out)?;
    train(&smooth, scalar, buffer, out)?;
    train(&residual, scalar, buffer, out)
}

#[inline(never)]
fn train<T: Real>(
    case: &Case<'_, impl Network>,
    scalar: usize,
    buffer: &mut [T],
    out: &mut dyn Output,
) -> Result<(), Error> {
    let (network, loss, optimizer, run) = (case.network, case.loss, case.optimizer, case.names[scalar]);
    let (sizes, burst) = (network.sizes(), Some(Burst::STANDARD));
    let (x, rest) = buffer.split_at_mut(N * D);
    let (targets, rest) = rest.split_at_mut(N * sizes.outputs);
    let mut normals = Normals::new(case.seed ^ 99);
    x.iter_mut().for_each(|x| *x = T::from_f64(1.3 * normals.draw()));
    for (i, target) in targets.chunks_exact_mut(sizes.outputs).enumerate() {
        loss.target(i % sizes.outputs.max(2), case.smoothing, target)?;
    }
    let (x, targets) = (MatRef::new(x, N, D)?, MatRef::new(targets, N, sizes.outputs)?);
    let problem = Problem::new(network, x, targets, loss, case.penalty)?;
    let (kernels, training) = rest.split_at_mut(recorder_len(sizes, N, Portable::TILE, &optimizer, burst));
    let mut trainer = Trainer::new(&Portable, problem, optimizer, case.seed, training)?;
    let mut recorder = Recorder::new(&mut trainer, burst, kernels)?;
    for (record, time) in (0..).zip(TIMES.map(T::from_f64)) {
        while !trainer.reached(time) {
            trainer.advance(Some(time))?;
        }
        let snapshot = recorder.observe(&mut trainer)?;
        let mut digest = Digest::new();
        let mut send = |field, value| out.number(Number { run, record, field, value });
        send("step", snapshot.step as f32);
        for (field, value) in snapshot.fields() {
            digest.add_wide(value.to_f64());
            send(field, value.to_f64() as f32);
        }
        trainer.theta().iter().chain(recorder.current().data()).for_each(|value| digest.add_wide(value.to_f64()));
        digest.parts().into_iter().for_each(|(field, value)| send(field, value));
        out.record_done();
    }
    Ok(())
}
