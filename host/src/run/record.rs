//! What a run leaves, in the terms of files.

use ntkscope_core::Real;
use ntkscope_core::network::Network;
use ntkscope_core::record::Snapshot;

use crate::run::{Trace, TraceRow};

/// A named tensor of the network's parameters.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// `W0`, `second.b0`, …
    pub name: String,
    /// shape
    pub shape: Vec<usize>,
    /// numbers, row-major
    pub data: Vec<f64>,
}

pub(super) fn trace_of<T: Real>(label: &str, snapshots: &[Snapshot<T>]) -> Trace {
    Trace { label: label.into(), rows: snapshots.iter().map(row_of).collect() }
}

fn row_of<T: Real>(s: &Snapshot<T>) -> TraceRow {
    TraceRow {
        step: s.step,
        time: s.time.to_f64(),
        loss: s.loss.to_f64(),
        accuracy: s.accuracy.to_f64(),
        margin_min: s.margin_min.to_f64(),
        margin_mean: s.margin_mean.to_f64(),
        logit_max: s.logit_max.to_f64(),
        param_norm: s.param_norm.to_f64(),
        param_distance: s.param_distance.to_f64(),
        drift_max: s.drift_max.to_f64(),
        drift_fro: s.drift_fro.to_f64(),
        error_max: s.error_max.to_f64(),
        error_fro: s.error_fro.to_f64(),
        alignment: s.alignment.to_f64(),
        lambda_min: s.lambda_min.to_f64(),
        lambda_max: s.lambda_max.to_f64(),
        condition: s.condition.to_f64(),
        effective_rank: s.effective_rank.to_f64(),
        finite: s.finite,
        log_time: s.log_time.to_f64(),
    }
}

/// The parameters as named tensors, W as (out, in).
pub fn tensors<N: Network, T: Real>(network: &N, theta: &[T]) -> Vec<Tensor> {
    let double = |from: usize, len: usize| theta[from..from + len].iter().map(|v| v.to_f64()).collect();
    let mut out = Vec::new();
    for index in 0..network.sizes().layers {
        let layer = network.layer(index);
        out.push(Tensor {
            name: layer.name.of_weights().to_string(),
            shape: vec![layer.outputs, layer.inputs],
            data: double(layer.weights, layer.outputs * layer.inputs),
        });
        if let Some(at) = layer.bias {
            let name = layer.name.of_bias().to_string();
            out.push(Tensor { name, shape: vec![layer.outputs], data: double(at, layer.outputs) });
        }
    }
    out
}
