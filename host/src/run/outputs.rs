//! The network's outputs along a run, on the training samples and on those held out.

use ntkscope_core::forward::{Params, forward};
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::record::Snapshot;
use ntkscope_core::state::Bytes;
use ntkscope_core::{Backend, Error, MatRef, Real};

use super::saved::list;
use crate::data::Samples;

/// Training samples, then those held out, `(n + h, d)`, and n + h.
pub fn all_inputs<T: Real>(samples: &Samples) -> (Vec<T>, usize) {
    let all = samples.x.iter().chain(&samples.held_out);
    (all.map(|v| T::from_f64(*v)).collect(), samples.n + samples.held_out.len() / samples.d.max(1))
}

/// Samples whose passes are made at a time where only their results are kept: whole tiles, so that no bit depends on it.
pub(super) const AT_ONCE: usize = 512;

/// f `(n, C)` of the rows of `x` `(n, d)`, `AT_ONCE` at a time; `activations` is resized to what that takes.
///
/// # Errors
/// Those of the forward pass.
pub fn outputs_of<N: Network, T: Real>(
    backend: &dyn Backend<T>,
    params: Params<'_, N, T>,
    x: MatRef<'_, T>,
    activations: &mut Vec<T>,
) -> Result<Vec<T>, Error> {
    let (n, sizes) = (x.rows(), params.network().sizes());
    activations.resize(n.min(AT_ONCE) * sizes.activations, T::ZERO);
    let mut outputs = Vec::with_capacity(n * sizes.outputs);
    for first in (0..n).step_by(AT_ONCE) {
        let x = x.block(first..n.min(first + AT_ONCE), 0..x.cols());
        let activations = &mut activations[..x.rows() * sizes.activations];
        outputs.extend_from_slice(forward(backend, params, x, activations)?.outputs().data());
    }
    Ok(outputs)
}

/// The network's outputs at a moment.
#[derive(Clone, Debug)]
pub struct Seen {
    /// t; infinite where it is too large to be represented
    pub time: f64,
    /// ln(1 + t)
    pub log_time: f64,
    /// `(n + h, C)`
    pub outputs: Vec<f64>,
}

/// The outputs `(n + h, C)` at the state of this step, from which the snapshot was read.
struct Kept {
    step: u64,
    log_time: f64,
    outputs: Vec<f64>,
}

/// The network's outputs at the snapshots of a run, `(n + h, C)` each.
pub struct Outputs<T> {
    x: Vec<T>,
    all: usize,
    activations: Vec<T>,
    /// f(x; theta_0) of a shifted network
    offset: Option<Vec<T>>,
    kept: Vec<Kept>,
}

/// Numbers of [`Outputs`] beside those that are kept: the samples, and the passes of those that are made at a time.
pub(super) fn outputs_len(sizes: Sizes, samples: &Samples) -> u128 {
    let numbers = samples.x.len() + samples.held_out.len();
    let all = numbers / samples.d.max(1);
    numbers as u128 + all.min(AT_ONCE) as u128 * sizes.activations as u128
}

impl<T: Real> Outputs<T> {
    /// None yet.
    pub fn new(samples: &Samples) -> Self {
        let (x, all) = all_inputs(samples);
        Self { x, all, activations: Vec::new(), offset: None, kept: Vec::new() }
    }
    /// None yet, of the network shifted to be 0 at these parameters.
    ///
    /// # Errors
    /// Those of the forward pass.
    pub fn shifted<N: Network>(
        backend: &dyn Backend<T>,
        params: Params<'_, N, T>,
        samples: &Samples,
    ) -> Result<Self, Error> {
        let mut outputs = Self::new(samples);
        outputs.offset = Some(outputs.outputs_at(backend, params)?);
        Ok(outputs)
    }
    /// f `(n + h, C)`
    fn outputs_at<N: Network>(&mut self, backend: &dyn Backend<T>, params: Params<'_, N, T>) -> Result<Vec<T>, Error> {
        let x = MatRef::new(&self.x, self.all, params.network().sizes().inputs)?;
        outputs_of(backend, params, x, &mut self.activations)
    }
    /// Those of the last snapshot; forgets those of snapshots that the record has dropped.
    ///
    /// # Errors
    /// Those of the forward pass.
    pub fn keep<N: Network>(
        &mut self,
        backend: &dyn Backend<T>,
        params: Params<'_, N, T>,
        log_time: T,
        snapshots: &[Snapshot<T>],
    ) -> Result<(), Error> {
        self.kept.retain(|kept| snapshots.iter().any(|s| s.step == kept.step));
        let Some(last) = snapshots.last() else { return Ok(()) };
        let mut f = self.outputs_at(backend, params)?;
        if let Some(offset) = &self.offset {
            f.iter_mut().zip(offset).for_each(|(f, o)| *f -= *o);
        }
        self.kept.push(Kept {
            step: last.step,
            log_time: log_time.to_f64(),
            outputs: f.iter().map(|v| v.to_f64()).collect(),
        });
        Ok(())
    }
    /// All that were kept, as bytes.
    ///
    /// # Errors
    /// Those of `bytes`.
    pub(super) fn pass(&mut self, bytes: &mut Bytes<'_>, outputs: usize) -> Result<(), Error> {
        let numbers = self.all * outputs;
        let empty = || Kept { step: 0, log_time: 0.0, outputs: vec![0.0; numbers] };
        list(bytes, &mut self.kept, empty, |bytes, kept| {
            bytes.count(&mut kept.step)?;
            bytes.number(&mut kept.log_time)?;
            bytes.numbers(&mut kept.outputs)
        })
    }
    /// Those that were kept last.
    pub fn last(&self) -> &[f64] {
        self.kept.last().map_or(&[], |kept| &kept.outputs)
    }
    /// All that were kept of snapshots that are finite, with their times.
    pub fn seen(self, snapshots: &[Snapshot<T>]) -> Vec<Seen> {
        let seen = |Kept { step, log_time, outputs }: Kept| {
            let is_finite = snapshots.iter().any(|s| s.step == step && s.finite);
            is_finite.then(|| Seen { time: log_time.exp_m1(), log_time, outputs })
        };
        self.kept.into_iter().filter_map(seen).collect()
    }
}
