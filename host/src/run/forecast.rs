//! How much memory a run takes, counted buffer by buffer where they are made.

use ntkscope_core::kernel::analytic_tile;
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::record::recorder_len;
use ntkscope_core::train::trainer_len;
use ntkscope_core::{Portable, Tile};

use super::fixed_flow::fixed_flow_len;
use super::outputs::outputs_len;
use super::prediction::predicting_len;
use super::profile::profile_len;
use super::rate::rate_len;
use crate::backend::{HostReal, threads};
use crate::data::{Curve, Samples};
use crate::experiment::{BackendKind, Init, KeptKernels, Model, Training};
use crate::files::Dtype;
use crate::kernel::widest;
use crate::machine::memory::{bytes_of, process_bytes};
use crate::run::Error;

/// Rows of the panels that a product's right factor is packed into.
const PACKED: u128 = 512;
/// Numbers that take as much memory as a row of `profile.csv`: five in the outcome, a record of texts in three allocations,
/// and its line in the content of the file, which grows by doubling.
const PROFILE_ROW: u128 = 56;

/// Bytes that the process has at its peak while [`super::run`] works and its outcome is written, on this pool's threads.
///
/// # Errors
/// A network or an optimizer that its settings do not make.
pub fn forecast(model: &Model, training: &Training, samples: &Samples) -> Result<u64, Error> {
    let shape = model.shape(samples)?;
    let network = model.network(&shape)?;
    let sizes = network.sizes();
    let (tile, optimizer) = (tile_of(training.backend, model.dtype), training.core_optimizer()?);
    let held = samples.held_out.len() / samples.d.max(1);
    let all_samples = samples.n.saturating_add(held);
    let [n, d, c, all] = [samples.n, samples.d, sizes.outputs, all_samples].map(|size| size as u128);
    let parameters = sizes.parameters as u128;

    // of the run's scalar, from its beginning to its end: the trainer, the recorder, samples, targets and f_0
    let mut own = trainer_len(sizes, samples.n, &optimizer) as u128;
    own += recorder_len(sizes, samples.n, tile, &optimizer, training.core_burst()) as u128;
    own += n * (d + c);
    if model.init == Init::Shifted {
        own += n * c + all * c;
    }
    // every thread's tile; panels of products
    own += threads() as u128 * analytic_tile(tile, samples.n) as u128;
    if training.backend == BackendKind::Fast {
        own += threads() as u128 * PACKED * widest(&network) as u128;
    }
    // the copies for the eigenvalues, or for the start or the end of the run
    let passing = (2 * n * n).max(rate_len(&optimizer, sizes, samples.n)).max(parameters);

    // in double precision: the outputs that are kept, what is predicted of them, the outcome
    let predicts = training.predicts(sizes.outputs, samples.n) && model.parametrization.has_kernel_regime();
    let snapshots = if predicts { training.most_snapshots() as u128 } else { 1 };
    let kept = snapshots * all * c;
    own += outputs_len(sizes, samples);
    let mut outcome = 4 * n * n + parameters + all * c + all * d + n * c;
    if training.kernels == KeptKernels::All {
        // of the effective kernel and of the point's
        let kernels = 2 * training.most_snapshots() as u128 * n * n;
        own += kernels;
        // in double precision beside what they are made of, and the eigenvalues
        outcome += kernels + training.most_snapshots() as u128 * n;
    }
    if let Some((curve, rows)) = profile_of(samples, training) {
        own = own.saturating_add(profile_len(sizes, curve, tile) + rows);
        outcome += rows * PROFILE_ROW;
    }
    let (predicting, predicted) = if predicts {
        let flows = 2 * fixed_flow_len(samples.n, held, sizes.outputs, training.most_snapshots());
        (flows + predicting_len(sizes, samples, tile), flows + 4 * all * c)
    } else {
        (0, 0)
    };
    let scalar = model.dtype.bytes();
    let always = bytes_of(own, scalar).saturating_add(bytes_of(kept, 8));
    let peak = bytes_of(passing, scalar).max(bytes_of(predicting, 8)).max(bytes_of(predicted + outcome, 8));
    Ok(base_bytes(samples).saturating_add(always).saturating_add(peak))
}

/// Bytes that the process has while the report of a finished run is made of what [`super::Outcome::shed`] leaves, beside
/// those of its figures.
pub fn kept_bytes(samples: &Samples, training: &Training) -> u64 {
    let [n, rows] = [samples.n, training.most_snapshots()].map(|size| size as u128);
    // of five numbers each
    let profile = profile_of(samples, training).map_or(0, |(_, rows)| 5 * rows);
    // the kernels; rows of the trace and of the predictions
    base_bytes(samples).saturating_add(bytes_of(4 * n * n + 64 * rows + profile, 8))
}

/// The curve of a profile, and the rows of its table.
fn profile_of<'a>(samples: &'a Samples, training: &Training) -> Option<(&'a Curve, u128)> {
    let curve = samples.curve.as_ref().filter(|_| training.profile.is_some())?;
    Some((curve, training.most_snapshots() as u128 * curve.len() as u128))
}

/// The program and the samples.
fn base_bytes(samples: &Samples) -> u64 {
    let curve = samples.curve.as_ref().map_or(0, |curve| curve.x.len() + curve.len());
    let numbers = (samples.x.len() + samples.held_out.len() + curve + 2 * samples.n) as u128;
    process_bytes(threads()).saturating_add(bytes_of(numbers, 8))
}

fn tile_of(backend: BackendKind, dtype: Dtype) -> Tile {
    match (backend, dtype) {
        (BackendKind::Portable, _) => Portable::TILE,
        (BackendKind::Fast, Dtype::F32) => f32::fast().tile(),
        (BackendKind::Fast, Dtype::F64) => f64::fast().tile(),
    }
}

/// Sizes of the network as it will be trained.
///
/// # Errors
/// A network that its settings do not make.
pub fn sizes_of(model: &Model, samples: &Samples) -> Result<Sizes, Error> {
    Ok(model.network(&model.shape(samples)?)?.sizes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{CurveSource, DataSpec, Source, load};
    use crate::experiment::LossKind;
    use crate::machine::{Budget, with_threads};

    /// The forecast with these settings.
    fn of(n: usize, held_out: usize, model: &Model, training: &Training) -> u64 {
        let spec = DataSpec { n: Some(n), held_out, ..DataSpec::new(Source::Sphere) };
        let mut samples = load(&spec, &Budget::within(None)).unwrap();
        samples.classes = model.outputs.map_or(2, |outputs| outputs.max(2));
        let model = Model { data: Source::Sphere, n: Some(n), held_out, ..model.clone() };
        with_threads(Some(1), || forecast(&model, training, &samples).unwrap()).unwrap()
    }

    /// What grows when a size does: at least what it must (MiB), and at most twice that.
    #[test]
    fn every_size_is_counted() {
        const MIB: f64 = (1 << 20) as f64;
        let training = Training { loss: LossKind::MSE, predictions: Some(false), ..Training::default() };
        let predicting = Training { predictions: Some(true), ..training.clone() };
        let model = Model { width: 64, init: Init::Standard, ..Model::default() };
        let wide = Model { width: 2048, ..model.clone() };
        let deep = Model { depth: 500, ..model.clone() };
        let classes = Model { outputs: Some(10), ..model.clone() };
        let many = Training { snapshots: 1000, ..predicting.clone() };
        let few = Training { snapshots: 3, ..predicting.clone() };
        let base = of(10, 0, &model, &training);
        let weights = |parameters: f64| 8.0 * 7.0 * parameters / MIB;
        for (what, larger, smaller, least) in [
            // four kernels, and two copies for the eigenvalues
            ("samples", of(1000, 0, &model, &training), base, 8.0 * 6.0),
            ("width", of(10, 0, &wide, &training), base, weights(2048.0 * 2048.0)),
            ("depth", of(10, 0, &deep, &training), base, weights(500.0 * 64.0 * 64.0)),
            // two kernels (h, n)
            ("held out", of(100, 8000, &model, &few), of(100, 0, &model, &few), 2.0 * 8000.0 * 100.0 * 8.0 / MIB),
            ("snapshots", of(10, 2000, &model, &many), of(10, 2000, &model, &few), 990.0 * 2010.0 * 8.0 / MIB),
            // ten times as many rows and columns of two kernels, of modes, and what takes those
            ("classes", of(40, 0, &classes, &few), of(40, 0, &model, &few), 2.0 * 400.0 * 400.0 * 8.0 / MIB),
        ] {
            let grown = (larger - smaller) as f64 / MIB;
            let most = if what == "classes" { 10.0 } else { 2.0 };
            assert!(grown >= least && grown <= most * least, "{what}: {grown:.1} MiB more, {least:.1} at least");
        }
    }

    /// Kernels of all snapshots and the kernel along a curve: what is kept of them, and little more.
    #[test]
    fn what_is_recorded_is_counted() {
        let spec = DataSpec { n: Some(60), ..DataSpec::new(Source::Circle) };
        let mut samples = load(&spec, &Budget::within(None)).unwrap();
        samples.follow(&CurveSource::Circle, spec.normalization(), &Budget::within(None)).unwrap();
        let ends = Training { loss: LossKind::MSE, predictions: Some(false), snapshots: 200, ..Training::default() };
        let all = Training { kernels: KeptKernels::All, ..ends.clone() };
        let along = Training { profile: Some(CurveSource::Circle), ..ends.clone() };
        let model = Model { width: 16, n: Some(60), ..Model::default() };
        let of = |t: &Training| with_threads(Some(1), || forecast(&model, t, &samples).unwrap()).unwrap();
        for (what, training, least) in [
            // both kernels of every snapshot, as they are kept and in the outcome
            ("kernels", &all, 8 * 4 * 200 * 60 * 60),
            // the kernel along the curve, and a table of five numbers a row beside its texts
            ("profile", &along, (8 * 6 + 320) * 200 * 361),
        ] {
            let grown = of(training) - of(&ends);
            assert!(grown >= least && grown <= 3 * least, "{what}: {grown} bytes more, {least} at least");
        }
    }

    #[test]
    fn no_size_wraps() {
        let training = Training { predictions: Some(true), ..Training::default() };
        let beyond = Model { depth: 10_000, width: 1 << 20, outputs: Some(1 << 20), ..Model::default() };
        assert!(of(6, 0, &beyond, &training) > 1 << 50);
    }
}
