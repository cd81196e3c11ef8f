//! One run, recorded as the command line records it.

use ntkscope_core::forward::{Params, forward};
use ntkscope_core::loss::Loss;
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::record::{Burst, Record, Recorder, Snapshot, recorder_len};
use ntkscope_core::train::{Problem, Trainer, trainer_len};
use ntkscope_core::{Error, MatRef, Portable, Real};

use crate::curve::{self, Curve, curve_len};
use crate::experiment::{FLOW, N, points};
use crate::fixed::{FIXED_LEN, Fixed};
use crate::net::Net;
use crate::settings::{LARGEST, Settings};
use crate::table::{Row, Table};

/// `--snapshots`: a snapshot every 0.7 in ln(1 + t), and every 0.17 of squared error, which comes to rest early.
pub const fn snapshots(loss: Loss) -> usize {
    if matches!(loss, Loss::CrossEntropy) { 128 } else { MOST_SNAPSHOTS }
}
/// The larger of these numbers.
pub const MOST_SNAPSHOTS: usize = 512;
/// `--max-steps`: where the samples are not separated, time stands.
pub const MAX_STEPS: u64 = 5000;
/// `--until-time`: near the largest f32. Beyond, the clock ln(1 + t) alone tells the time.
pub const UNTIL: f32 = 3e38;
/// The same as it is typed.
pub const UNTIL_TEXT: &str = "3e38";
/// log10 of the end of time.
pub const LAST_DECADE: f32 = 40.0;

/// The command line's.
const BURST: Option<Burst> = Some(Burst::STANDARD);

/// Numbers in the buffer of a run of any settings.
pub const LEN: usize = len(LARGEST);

const fn len(sizes: Sizes) -> usize {
    trainer_len(sizes, N, &FLOW)
        + recorder_len(sizes, N, Portable::TILE, &FLOW, BURST)
        + curve_len(sizes)
        + 2 * FIXED_LEN
        + 2 * N * N
        + N * sizes.activations
}

/// Takes the table whenever it has a row more.
pub type Observe<'a> = &'a mut dyn FnMut(&Table);

/// What is read of the network at a snapshot.
struct Reader<'a> {
    net: &'a Net,
    x: MatRef<'a, f32>,
    recorder: Recorder<'a, f32>,
    curve: Curve<'a>,
    /// under K_0, and under the analytic NTK
    fixed: [Fixed<'a>; 2],
    activations: &'a mut [f32],
}

/// Trains until [`UNTIL`] as the command line does, then on to the end of time, unless nothing moves any more; `buffer`
/// holds at least [`LEN`] numbers.
///
/// # Errors
/// Settings that are not offered; a loss that is not finite, a flow without a step.
pub fn run(settings: &Settings, buffer: &mut [f32], table: &mut Table, observe: Observe<'_>) -> Result<(), Error> {
    let net = settings.net()?;
    let (x, sizes, loss) = (points()?, net.sizes(), settings.loss);
    Error::at_least("run", len(sizes), buffer.len())?;
    let mut targets = [0.0; N];
    for (i, target) in targets.iter_mut().enumerate() {
        loss.target(i % 2, 0.0, core::slice::from_mut(target))?;
    }
    let targets = MatRef::new(&targets, N, 1)?;
    let problem = Problem::new(&net, x, targets, loss, 0.0)?;

    let mut rest = buffer;
    let mut take = |len: usize| -> &mut [f32] { rest.split_off_mut(..len).unwrap_or_default() };
    let training = take(trainer_len(sizes, N, &FLOW));
    let kernels = take(recorder_len(sizes, N, Portable::TILE, &FLOW, BURST));
    let circle = curve::points();
    let circle = MatRef::new(circle.as_flattened(), curve::POINTS, 2)?;
    let curve = Curve::new(&net, circle, take(curve_len(sizes)))?;
    let (initial, limit) = (take(N * N), take(N * N));
    let (flow_initial, flow_limit) = (take(FIXED_LEN), take(FIXED_LEN));
    let activations = take(N * sizes.activations);

    let mut trainer = Trainer::new(&Portable, problem, FLOW, settings.seed, training)?;
    let recorder = Recorder::new(&mut trainer, BURST, kernels)?;
    initial.copy_from_slice(recorder.initial().data());
    limit.copy_from_slice(recorder.analytic().data());
    let mut f_0 = [0.0; N];
    outputs(&net, trainer.theta_0(), x, activations, &mut f_0)?;
    let f_0 = MatRef::new(&f_0, N, 1)?;
    let fixed = [
        Fixed::new(MatRef::new(initial, N, N)?, f_0, (targets, loss), flow_initial)?,
        Fixed::new(MatRef::new(limit, N, N)?, f_0, (targets, loss), flow_limit)?,
    ];
    let mut reader = Reader { net: &net, x, recorder, curve, fixed, activations };

    table.clear();
    let row = table.limit();
    row.kernel().copy_from_slice(limit);
    reader.curve.analytic(row.curve())?;
    record(&mut trainer, &mut reader, table, observe)?;
    let end = LAST_DECADE * Real::ln(10.0f32);
    let moves = |trainer: &Trainer<'_, Net, f32, Portable>| trainer.step() < MAX_STEPS && trainer.log_time() < end;
    if trainer.resting_from().is_some() {
        table.repeat(LAST_DECADE);
        observe(table);
    } else if moves(&trainer) {
        while moves(&trainer) {
            trainer.advance(None)?;
        }
        reader.observe(&mut trainer, table, false)?;
        observe(table);
    }
    Ok(())
}

/// The steps of the command line, and its snapshots.
fn record(
    trainer: &mut Trainer<'_, Net, f32, Portable>,
    reader: &mut Reader<'_>,
    table: &mut Table,
    observe: Observe<'_>,
) -> Result<(), Error> {
    let snapshots = snapshots(trainer.problem().loss());
    let mut record = Record::<f32, MOST_SNAPSHOTS>::new(snapshots, Some(UNTIL))?;
    record.push(reader.observe(trainer, table, true)?);
    observe(table);
    let (mut last, mut ended) = (trainer.step(), false);
    while !ended {
        // the last step alone is cut short
        if !trainer.advance_within(UNTIL)? {
            trainer.advance(Some(UNTIL))?;
        }
        ended = trainer.reached(UNTIL) || trainer.step() >= MAX_STEPS;
        // the end is always recorded
        if record.due(trainer.log_time()) || ended && trainer.step() != last {
            record.push(reader.observe(trainer, table, true)?);
            last = trainer.step();
            observe(table);
        }
    }
    Ok(())
}

impl Reader<'_> {
    /// One row more, of the present parameters.
    fn observe(
        &mut self,
        trainer: &mut Trainer<'_, Net, f32, Portable>,
        table: &mut Table,
        recorded: bool,
    ) -> Result<Snapshot<f32>, Error> {
        let Self { net, x, recorder, curve, fixed, activations } = self;
        let mut row = Row::EMPTY;
        curve.clear();
        let snapshot = recorder.observe_states(trainer, &mut |theta| curve.add(theta))?;
        curve.kernel(row.curve())?;
        row.kernel().copy_from_slice(recorder.current().data());
        row.set_snapshot(decade(snapshot.log_time), &snapshot);
        outputs(net, trainer.theta(), *x, activations, row.network())?;
        fixed[0].outputs(trainer.log_time(), row.linearized());
        fixed[1].outputs(trainer.log_time(), row.infinite());
        table.push(row, recorded);
        Ok(snapshot)
    }
}

/// The outputs on the samples.
fn outputs(
    net: &Net,
    theta: &[f32],
    x: MatRef<'_, f32>,
    activations: &mut [f32],
    out: &mut [f32],
) -> Result<(), Error> {
    let passed = forward(&Portable, Params::new(net, theta)?, x, activations)?;
    out.copy_from_slice(passed.outputs().data());
    Ok(())
}

/// log10 t from ln(1 + t), also where t is too large for f32.
fn decade(log_time: f32) -> f32 {
    // from here on 1 + t is t to rounding
    let large = log_time > 20.0;
    let ln = if large { log_time } else { Real::ln(Real::exp_m1(log_time)) };
    ln / Real::ln(10.0f32)
}
