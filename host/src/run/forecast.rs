//! How large a run will be.

use ntkscope_core::kernel::tangent_len;
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::predict::kernel_flow_len;
use ntkscope_core::record::recorder_len;
use ntkscope_core::train::trainer_len;
use ntkscope_core::{Portable, Tile};

use super::still::still_len;
use crate::backend::HostReal;
use crate::data::Samples;
use crate::experiment::{BackendKind, KeptKernels, Model, Training};
use crate::files::Dtype;
use crate::run::Error;

/// Bytes that [`super::run`] will take, beside the program itself.
///
/// # Errors
/// A network or an optimizer that its settings do not make.
pub fn forecast(model: &Model, training: &Training, samples: &Samples) -> Result<u64, Error> {
    let sizes = sizes_of(model, samples)?;
    let bytes = model.dtype.bytes() as u64;
    let tile = tile_of(training.backend, model.dtype);
    let (n, d, c) = (samples.n as u64, samples.d as u64, sizes.outputs as u64);
    let buffers = trainer_len(sizes, samples.n, &training.core_optimizer()?) + recorder_len(samples.n, tile);
    let kept = still_len(training.core_optimizer()?, training.penalty, sizes.parameters);
    // the eigenvalue solver's copy and workspace; kernels and parameters as they are written
    let own = bytes * ((buffers + kept) as u64 + n * (d + c) + 2 * n * n);
    let held = (samples.held_out.len() / samples.d.max(1)) as u64;
    let predictions = if training.predicts(sizes.outputs, samples.n) { prediction_bytes(sizes, n, held) } else { 0 };
    let all = training.kernels == KeptKernels::All;
    // those of all snapshots, in double precision too at the end
    let kept = if all { (bytes + 8) * n * n * training.snapshots as u64 } else { 0 };
    Ok(own + 8 * (n * d + 3 * n * n + sizes.parameters as u64) + kept + predictions)
}

/// Bytes of the predictions: theta_0 again, the pairs (A, D) of all samples and the training samples, the kernel, and
/// the kernel flow's space.
fn prediction_bytes(sizes: Sizes, n: u64, held: u64) -> u64 {
    let (n_, all) = (n as usize, (n + held) as usize);
    let size = sizes.outputs * n_;
    let kernels = 2 * size * sizes.outputs * all + kernel_flow_len(n_, sizes.outputs);
    8 * (sizes.parameters + tangent_len(sizes, all) + tangent_len(sizes, n_) + kernels) as u64
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
