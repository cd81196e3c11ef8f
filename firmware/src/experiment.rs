//! What the binaries run, in terms of `ntkscope-core` alone. The task runner compiles this same file for the host and
//! compares: every [`Number`] is equal in every bit on every machine.
//!
//! The samples are six points on the circle, `x_i = (cos(i pi/3), sin(i pi/3))`, i = 1..6, with labels 0, 1, 0, 1, 0, 1.

use ntkscope_core::{
    Error, MatMut, MatRef, Portable,
    forward::Params,
    init::initialize,
    kernel::{
        AnalyticKernel, MultiOutput, analytic, analytic_scratch, centred_alignment, max_abs_difference,
        relative_frobenius, spectrum, structured, structured_scratch, tangent, tangent_len,
    },
    loss::Loss,
    network::{Bias, Fcn, Mirrored, Network, ResNet, Sizes},
    record::{Recorder, recorder_len},
    train::{Optimizer, Problem, Trainer, trainer_len},
};

/// One number of an experiment.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// Which part of the experiment.
    pub run: &'static str,
    /// Which record of it.
    pub record: u32,
    /// Which number of the record.
    pub field: &'static str,
    /// The number.
    pub value: f32,
}

/// Takes every number as it is computed.
pub type Send<'a> = &'a mut dyn FnMut(Number);

const N: usize = 6;
const SIN: f32 = 0.866_025_4;
const POINTS: [f32; 2 * N] = [0.5, SIN, -0.5, SIN, -1.0, 0.0, -0.5, -SIN, 0.5, -SIN, 1.0, 0.0];
const SEED: u64 = 1;

/// Bytes of RAM that the buffers leave to the stack and the transport; the linker checks it against the board.
const RESERVED: usize = 5 << 10;

/// Two hidden layers and a bias at the input.
pub(crate) const fn network(widths: &[usize; 2]) -> Fcn<'_> {
    match Fcn::new(2, widths, 1) {
        Ok(network) => network.with_bias(Bias::Input, 1.0),
        Err(_) => panic!("a width is 0"),
    }
}

/// The six points, as the networks read them.
fn points() -> Result<MatRef<'static, f32>, Error> {
    MatRef::new(&POINTS, N, 2)
}

/// Whether a buffer of `len` numbers fits the RAM.
pub(crate) const fn fits(len: usize, ram: usize) -> bool {
    size_of::<f32>() * len + RESERVED <= ram
}

/// One network trained with either loss, the kernel recorded along the way.
mod training {
    use super::*;

    const FLOW: Optimizer = Optimizer::Flow { tolerance: 0.01 };
    /// Gradient-flow times of the records after the first, which is the initialization.
    const TIMES: [f32; 11] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4];

    /// Numbers in the buffer for a network of these sizes.
    pub(super) const fn len(sizes: Sizes) -> usize {
        trainer_len(sizes, N, &FLOW) + recorder_len(N, Portable::TILE)
    }

    /// Trains the network with either loss from the same initialization; `buffer` holds at least [`len`] numbers.
    pub(super) fn run(network: &impl Network, buffer: &mut [f32], send: Send<'_>) -> Result<(), Error> {
        for (run, loss) in [("cross-entropy", Loss::Logistic), ("squared-error", Loss::SquaredError)] {
            let mut targets = [0.0; N];
            for (i, target) in targets.iter_mut().enumerate() {
                loss.target(i % 2, 0.0, core::slice::from_mut(target))?;
            }
            let problem = Problem::new(network, points()?, MatRef::new(&targets, N, 1)?, loss, 0.0)?;
            let (kernels, training) = buffer.split_at_mut(recorder_len(N, Portable::TILE));
            let mut trainer = Trainer::new(&Portable, problem, FLOW, SEED, training)?;
            let mut recorder = Recorder::new(&mut trainer, kernels)?;
            for (record, time) in (0..).zip([0.0].into_iter().chain(TIMES)) {
                while !trainer.reached(time) {
                    trainer.advance(Some(time))?;
                }
                let snapshot = recorder.observe(&mut trainer)?;
                send(Number { run, record, field: "step", value: snapshot.step as f32 });
                for (field, value) in snapshot.fields() {
                    send(Number { run, record, field, value });
                }
            }
        }
        Ok(())
    }
}

/// Trained with cross-entropy a network leaves the kernel regime, with squared error it stays.
pub mod divergence {
    use super::*;

    /// A wider network would fit some boards and keep them busy for hours; without an FPU, ten times as long.
    const WIDEST: usize = 64;
    const WIDEST_WITHOUT_FPU: usize = 32;

    /// The widest network whose buffers fit the RAM, in steps of 4.
    pub const fn width(ram: usize, fpu: bool) -> usize {
        let mut width = if fpu { WIDEST } else { WIDEST_WITHOUT_FPU };
        while width > 4 && !fits(len(width), ram) {
            width -= 4;
        }
        width
    }

    /// Numbers in the buffer for one width.
    pub const fn len(width: usize) -> usize {
        training::len(Mirrored(network(&[width, width])).sizes())
    }

    /// Trains the mirrored network of this width with either loss; `buffer` holds at least [`len`] numbers.
    pub fn run(width: usize, buffer: &mut [f32], send: Send<'_>) -> Result<(), Error> {
        training::run(&Mirrored(network(&[width, width])), buffer, send)
    }
}

/// The same in a residual network of two blocks.
pub mod resnet {
    use super::*;

    const BLOCKS: usize = 2;
    /// Scale of a block's branch.
    const ALPHA: f64 = 0.5;
    /// Narrower than [`divergence`]'s: it has four times the weights at equal width, and is to take about as long.
    const WIDEST: usize = 32;
    const WIDEST_WITHOUT_FPU: usize = 8;

    /// The widest network whose buffers fit the RAM, in steps of 4.
    pub const fn width(ram: usize, fpu: bool) -> usize {
        let mut width = if fpu { WIDEST } else { WIDEST_WITHOUT_FPU };
        while width > 4 && !fits(len(width), ram) {
            width -= 4;
        }
        width
    }

    /// Numbers in the buffer for one width.
    pub const fn len(width: usize) -> usize {
        training::len(pair(width).sizes())
    }

    /// Trains the mirrored network of this width with either loss; `buffer` holds at least [`len`] numbers.
    pub fn run(width: usize, buffer: &mut [f32], send: Send<'_>) -> Result<(), Error> {
        training::run(&pair(width), buffer, send)
    }

    /// Two mirrored copies with a bias at the input.
    const fn pair(width: usize) -> Mirrored<ResNet> {
        match ResNet::new(2, width, BLOCKS, 1, ALPHA) {
            Ok(network) => Mirrored(network.with_input_bias(1.0)),
            Err(_) => panic!("a width is 0"),
        }
    }
}

/// The empirical NTK at initialization nears the analytic one as the width grows.
pub mod kernel {
    use super::*;

    /// From the narrowest on, as many as fit the RAM.
    const WIDTHS: [usize; 6] = [8, 16, 32, 64, 128, 256];

    /// How many of the widths fit the RAM.
    pub const fn widths(ram: usize) -> usize {
        let mut count = 0;
        while count < WIDTHS.len() && fits(len(count + 1), ram) {
            count += 1;
        }
        count
    }

    /// Numbers in the buffer for the first `count` widths.
    pub const fn len(count: usize) -> usize {
        let widest = WIDTHS[count - 1];
        let sizes = network(&[widest, widest]).sizes();
        sizes.parameters + tangent_len(sizes, N) + 3 * N * N + N + SCRATCH
    }

    const SCRATCH: usize = {
        let (a, b) = (structured_scratch(Portable::TILE, N, N), analytic_scratch(Portable::TILE, N, N));
        if a > b { a } else { b }
    };

    /// Compares both kernels at the first `count` widths; `buffer` holds at least [`len`] numbers.
    pub fn run(count: usize, buffer: &mut [f32], send: Send<'_>) -> Result<(), Error> {
        let (x, backend) = (points()?, &Portable);
        let (limit, rest) = buffer.split_at_mut(N * N);
        let (kernel, rest) = rest.split_at_mut(N * N);
        let (work, rest) = rest.split_at_mut(N * N);
        let (eigenvalues, rest) = rest.split_at_mut(N);
        let (scratch, rest) = rest.split_at_mut(SCRATCH);

        let any = network(&[1, 1]);
        analytic(backend, &any, AnalyticKernel::Ntk, x, None, MatMut::new(limit, N, N)?, scratch)?;
        for (record, value) in (0..).zip(limit.iter().copied()) {
            send(Number { run: "analytic", record, field: "ntk", value });
        }
        let limit = MatRef::new(limit, N, N)?;
        for width in &WIDTHS[..count] {
            let widths = [*width; 2];
            let network = network(&widths);
            let (theta, buffer) = rest.split_at_mut(network.sizes().parameters);
            initialize(&network, SEED, theta)?;
            let tangent = tangent(backend, Params::new(&network, theta)?, x, buffer)?;
            structured(backend, &tangent, None, MultiOutput::Trace, MatMut::new(kernel, N, N)?, scratch)?;
            let empirical = MatRef::new(kernel, N, N)?;
            let spectrum = spectrum(backend, empirical, MatMut::new(work, N, N)?, eigenvalues, scratch)?;
            for (field, value) in [
                ("error_max", max_abs_difference(empirical, limit)),
                ("error_fro", relative_frobenius(empirical, limit)),
                ("alignment", centred_alignment(empirical, limit)),
                ("lambda_min", spectrum.lambda_min),
                ("lambda_max", spectrum.lambda_max),
                ("effective_rank", spectrum.effective_rank),
            ] {
                send(Number { run: "width", record: *width as u32, field, value });
            }
        }
        for (record, value) in (0..).zip(kernel.iter().copied()) {
            send(Number { run: "empirical", record, field: "ntk", value });
        }
        Ok(())
    }
}
