//! What the passes of a network cost: the cases that `bench` measures, and the multiply-adds of each.
//!
//! The network is [`crate::experiment`]'s, two inputs and two hidden layers of equal width, on samples of N(0,1) numbers.
//! The task runner compiles this same file for the host, where a test counts the products that each pass asks for.

use ntkscope_core::{
    Backend, Error, MatMut, MatRef, Portable, Real,
    backward::{backward, gradient},
    forward::{Params, forward},
    init::{Normals, initialize},
    kernel::{MultiOutput, Tangent, structured, structured_scratch},
    loss::Loss,
    network::{Fcn, Network, Sizes, Source},
    train::{Optimizer, Problem, Trainer, trainer_len},
};

use crate::experiment::{fits, network};

/// One pass and what it cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Samples in the batch.
    pub samples: usize,
    /// Which pass, or "product".
    pub pass: &'static str,
    /// Multiply-adds of its matrix products.
    pub multiply_adds: usize,
    /// What the meter said.
    pub cost: u64,
}

/// Runs a piece of work and says what it cost.
pub type Meter<'a> = &'a mut dyn FnMut(&mut dyn FnMut()) -> u64;

/// Batches that are measured: each is one tile of the kernel.
const SAMPLES: [usize; 3] = [6, 16, Portable::TILE.rows];
/// Numbers per sample, and outputs: [`network`]'s.
const INPUTS: usize = 2;
const OUTPUTS: usize = 1;
const SEED: u64 = 1;
const DESCENT: Optimizer = Optimizer::Descent { rate: 1e-3 };

/// Widths that are measured: the widest one that fits, in steps of 4.
const NARROWEST: usize = 8;
const WIDEST: usize = 64;

/// How many of the batches fit the RAM, with the narrowest network.
pub const fn batches(ram: usize) -> usize {
    let mut count = SAMPLES.len();
    while count > 1 && !fits(len(count, NARROWEST), ram) {
        count -= 1;
    }
    count
}

/// The widest network whose buffers fit the RAM with so many batches.
pub const fn width(batches: usize, ram: usize) -> usize {
    let mut width = WIDEST;
    while width > NARROWEST && !fits(len(batches, width), ram) {
        width -= 4;
    }
    width
}

/// Numbers in the buffer for the first `batches` of them and one width.
pub const fn len(batches: usize, width: usize) -> usize {
    let (sizes, n) = (network(&[width, width]).sizes(), SAMPLES[batches - 1]);
    let (passes, training) = (passes_len(sizes, n), trainer_len(sizes, n, &DESCENT));
    n * (INPUTS + OUTPUTS) + if passes > training { passes } else { training }
}

const fn passes_len(sizes: Sizes, n: usize) -> usize {
    2 * sizes.parameters + n * (sizes.activations + sizes.deltas) + n * n + structured_scratch(Portable::TILE, n, n)
}

/// Measures a product, and every pass for the first `batches` batches, at one width; `buffer` holds at least [`len`] numbers.
pub fn run<T: Real, B: Backend<T>>(
    backend: &B,
    (batches, width): (usize, usize),
    buffer: &mut [T],
    meter: Meter<'_>,
    send: &mut dyn FnMut(Cost),
) -> Result<(), Error> {
    product(backend, width, buffer, meter, send)?;
    let widths = [width; 2];
    let network = network(&widths);
    for n in SAMPLES.into_iter().take(batches) {
        let (x, rest) = buffer.split_at_mut(n * INPUTS);
        let (targets, rest) = rest.split_at_mut(n * OUTPUTS);
        let mut normals = Normals::new(SEED);
        x.iter_mut().for_each(|x| *x = T::from_f64(normals.draw()));
        let x = MatRef::new(x, n, INPUTS)?;
        targets.iter_mut().enumerate().for_each(|(i, y)| *y = T::from_count(i % 2));
        let targets = MatRef::new(targets, n, OUTPUTS)?;
        let mut send = |pass, multiply_adds, cost| send(Cost { samples: n, pass, multiply_adds, cost });
        passes(backend, &network, (x, targets), rest, meter, &mut send)?;

        let problem = Problem::new(&network, x, targets, Loss::CrossEntropy, 0.0)?;
        let mut trainer = Trainer::new(backend, problem, DESCENT, SEED, rest)?;
        let cost = measure(meter, &mut || trainer.advance(None))?;
        let multiply_adds = MultiplyAdds::count(&network, n);
        send("step", multiply_adds.forward + multiply_adds.backward + multiply_adds.gradient, cost);
    }
    Ok(())
}

/// One product of square matrices, which other libraries have too: a batch of `width` samples through one layer.
fn product<T: Real, B: Backend<T>>(
    backend: &B,
    width: usize,
    buffer: &mut [T],
    meter: Meter<'_>,
    send: &mut dyn FnMut(Cost),
) -> Result<(), Error> {
    let size = width * width;
    let mut normals = Normals::new(SEED);
    buffer[..2 * size].iter_mut().for_each(|x| *x = T::from_f64(normals.draw()));
    let (a, rest) = buffer.split_at_mut(size);
    let (b, rest) = rest.split_at_mut(size);
    let (a, b) = (MatRef::new(a, width, width)?, MatRef::new(b, width, width)?);
    let cost = measure(meter, &mut || {
        let c = MatMut::new(&mut rest[..size], width, width)?;
        backend.gemm(T::ONE, a, b, T::ZERO, c);
        Ok(())
    })?;
    send(Cost { samples: width, pass: "product", multiply_adds: width * size, cost });
    Ok(())
}

/// Each pass by itself; the seeds of the backward pass are the targets, which cost as much as any others.
fn passes<T: Real, B: Backend<T>>(
    backend: &B,
    network: &Fcn<'_>,
    (x, targets): (MatRef<'_, T>, MatRef<'_, T>),
    buffer: &mut [T],
    meter: Meter<'_>,
    send: &mut dyn FnMut(&'static str, usize, u64),
) -> Result<(), Error> {
    let (n, sizes) = (x.rows(), network.sizes());
    let (theta, rest) = buffer.split_at_mut(sizes.parameters);
    let (slopes, rest) = rest.split_at_mut(sizes.parameters);
    let (values, rest) = rest.split_at_mut(n * sizes.activations);
    let (deltas, rest) = rest.split_at_mut(n * sizes.deltas);
    let (kernel, scratch) = rest.split_at_mut(n * n);
    initialize(network, SEED, theta)?;
    let params = Params::new(network, theta)?;
    let multiply_adds = MultiplyAdds::count(network, n);

    let cost = measure(meter, &mut || forward(backend, params, x, values).map(drop))?;
    send("forward", multiply_adds.forward, cost);
    let activations = forward(backend, params, x, values)?;

    let cost = measure(meter, &mut || backward(backend, params, &activations, targets, deltas).map(drop))?;
    send("backward", multiply_adds.backward, cost);
    let deltas = backward(backend, params, &activations, targets, deltas)?;

    let cost = measure(meter, &mut || gradient(backend, &activations, &deltas, slopes))?;
    send("gradient", multiply_adds.gradient, cost);

    let tangent = Tangent { activations, deltas };
    let cost = measure(meter, &mut || {
        structured(backend, &tangent, None, MultiOutput::Trace, MatMut::new(kernel, n, n)?, scratch)
    })?;
    send("gram", multiply_adds.gram, cost);
    Ok(())
}

fn measure(meter: Meter<'_>, work: &mut dyn FnMut() -> Result<(), Error>) -> Result<u64, Error> {
    let mut result = Ok(());
    let cost = meter(&mut || result = work());
    result.map(|()| cost)
}

/// Multiply-adds of the matrix products in each pass over n samples, where all layers are trained.
struct MultiplyAdds {
    /// A Wᵀ of every layer.
    forward: usize,
    /// D W of every layer but those at the input.
    backward: usize,
    /// Dᵀ A of every layer.
    gradient: usize,
    /// A Aᵀ and D Dᵀ of every layer, each a whole tile.
    gram: usize,
}

impl MultiplyAdds {
    fn count(network: &Fcn<'_>, n: usize) -> Self {
        let mut sum = Self { forward: 0, backward: 0, gradient: 0, gram: 0 };
        for layer in (0..network.sizes().layers).map(|index| network.layer(index)) {
            let product = n * layer.inputs * layer.outputs;
            sum.forward += product;
            sum.backward += if layer.source == Source::Samples { 0 } else { product };
            sum.gradient += product;
            sum.gram += n * n * (layer.inputs + layer.outputs);
        }
        sum
    }
}
