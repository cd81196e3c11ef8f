//! Noisy values of a function on the circle, learnt from either initialization: what a standard network is at the start
//! has to be unlearnt, a mirrored one starts from 0 (Chen, Li, Lin 2024).
//!
//! `y_i = f*(x_i) + 0.2 e_i` with `f*(x) = (x_1 + x_2)^2`, x uniform on the circle and e of N(0,1). One hidden layer, no
//! bias, squared error; the same data for every network.

use ntkscope_core::{
    Error, MatRef, Portable, Real,
    forward::{Params, forward},
    init::Normals,
    loss::Loss,
    network::{Fcn, Mirrored, Network, Sizes},
    train::{Problem, Trainer, trainer_len},
};

use super::{Board, FLOW, Number, Output, SEED, fits};

/// Samples trained on, and held out.
const TRAIN: usize = 8;
const TEST: usize = 32;
/// Standard deviation of the noise.
const NOISE: f64 = 0.2;
/// Networks of either initialization: one alone may be lucky in where it starts.
const NETWORKS: u64 = 32;
/// Gradient-flow times of the records.
const TIMES: [f32; 9] = [0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0];

/// A wider network would say the same and take longer.
const WIDEST: usize = 64;
const WIDEST_WITHOUT_FPU: usize = 32;

/// The widest network whose buffers fit the RAM, in steps of 4.
const fn width(board: Board) -> usize {
    let mut width = if board.fpu { WIDEST } else { WIDEST_WITHOUT_FPU };
    while width > 4 && !fits(len_of(width), board.ram) {
        width -= 4;
    }
    width
}

/// Numbers in the buffer on a board.
pub const fn len(board: Board) -> usize {
    len_of(width(board))
}

/// The data, the outputs on the held-out points, and what training the mirrored network takes, the larger of the two.
const fn len_of(width: usize) -> usize {
    Data::LEN + TEST + training_len(network(&[width]).sizes().mirrored())
}

/// A trainer, and the activations of one held-out point.
const fn training_len(sizes: Sizes) -> usize {
    trainer_len(sizes, TRAIN, &FLOW) + sizes.activations
}

/// Trains 32 networks from either initialization; `buffer` holds at least [`len`] numbers.
pub fn run(board: Board, buffer: &mut [f32], out: &mut dyn Output) -> Result<(), Error> {
    let (data, buffer) = buffer.split_at_mut(Data::LEN);
    let data = Data::draw(data)?;
    let widths = [width(board)];
    let network = network(&widths);
    learn(&network, "standard", &data, buffer, out)?;
    learn(&Mirrored(network), "mirrored", &data, buffer, out)
}

const fn network(widths: &[usize; 1]) -> Fcn<'_> {
    match Fcn::new(2, widths, 1) {
        Ok(network) => network,
        Err(_) => panic!("a width is 0"),
    }
}

/// What is learnt, and what it is measured by.
struct Data<'a> {
    x: MatRef<'a, f32>,
    y: MatRef<'a, f32>,
    test: MatRef<'a, f32>,
    /// f* on the held-out points
    truth: MatRef<'a, f32>,
}

impl<'a> Data<'a> {
    /// Two coordinates and a value for every point.
    const LEN: usize = 3 * (TRAIN + TEST);

    fn draw(buffer: &'a mut [f32]) -> Result<Self, Error> {
        let (x, rest) = buffer.split_at_mut(2 * TRAIN);
        let (y, rest) = rest.split_at_mut(TRAIN);
        let (test, truth) = rest.split_at_mut(2 * TEST);
        let mut normals = Normals::new(SEED);
        for (x, y) in x.chunks_exact_mut(2).zip(y.iter_mut()) {
            *y = value_at_a_point(&mut normals, x) + (NOISE * normals.draw()) as f32;
        }
        for (x, f) in test.chunks_exact_mut(2).zip(truth.iter_mut()) {
            *f = value_at_a_point(&mut normals, x);
        }
        Ok(Self {
            x: MatRef::new(x, TRAIN, 2)?,
            y: MatRef::new(y, TRAIN, 1)?,
            test: MatRef::new(test, TEST, 2)?,
            truth: MatRef::new(truth, TEST, 1)?,
        })
    }
}

/// x uniform on the circle, two normal deviates over their length, and f*(x).
fn value_at_a_point(normals: &mut Normals, x: &mut [f32]) -> f32 {
    let (a, b) = (normals.draw(), normals.draw());
    let length = Real::sqrt(a * a + b * b);
    x.copy_from_slice(&[(a / length) as f32, (b / length) as f32]);
    (x[0] + x[1]) * (x[0] + x[1])
}

/// Sends, at every time, the means over the networks of the training loss and of the mean square of f - f* on the
/// held-out points; at the end the least such mean, and at which record.
fn learn(
    network: &impl Network,
    run: &'static str,
    data: &Data<'_>,
    buffer: &mut [f32],
    out: &mut dyn Output,
) -> Result<(), Error> {
    let (outputs, rest) = buffer.split_at_mut(TEST);
    let (activations, training) = rest.split_at_mut(network.sizes().activations);
    let mut means = [[0.0; 2]; TIMES.len()];
    // SEED is that of the data
    for seed in SEED + 1..=SEED + NETWORKS {
        out.alive("network", seed - SEED);
        let problem = Problem::new(network, data.x, data.y, Loss::SquaredError, 0.0)?;
        let mut trainer = Trainer::new(&Portable, problem, FLOW, seed, training)?;
        for (time, [loss, error]) in TIMES.into_iter().zip(&mut means) {
            while !trainer.reached(time) {
                trainer.advance(Some(time))?;
            }
            for (i, f) in outputs.iter_mut().enumerate() {
                let (params, x) = (Params::new(network, trainer.theta())?, data.test.block(i..i + 1, 0..2));
                *f = forward(&Portable, params, x, activations)?.outputs().at(0, 0);
            }
            let test = Loss::SquaredError.evaluate(MatRef::new(outputs, TEST, 1)?, data.truth)?;
            *loss += trainer.objective().loss / NETWORKS as f32;
            // the loss is half the square
            *error += 2.0 * test.loss / NETWORKS as f32;
        }
    }
    let mut least = (0, f32::INFINITY);
    for (record, (time, [loss, error])) in (0..).zip(TIMES.into_iter().zip(means)) {
        for (field, value) in [("time", time), ("train_loss", loss), ("test_error", error)] {
            out.number(Number { run, record, field, value });
        }
        if error < least.1 {
            least = (record, error);
        }
    }
    out.number(Number { run, record: least.0, field: "least_test_error", value: least.1 });
    out.record_done();
    Ok(())
}
