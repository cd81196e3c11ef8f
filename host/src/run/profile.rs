//! K_t(x_0, x) along a curve of inputs, read where the snapshots are: over the states of their bursts.

use ntkscope_core::forward::Params;
use ntkscope_core::kernel::{
    AnalyticKernel, MeanTangent, MultiOutput, analytic, analytic_scratch, mean_tangent_len, structured,
    structured_scratch, tangent, tangent_len,
};
use ntkscope_core::network::{Network, Sizes};
use ntkscope_core::record::{Recorder, Snapshot};
use ntkscope_core::state::Bytes;
use ntkscope_core::train::Trainer;
use ntkscope_core::{Backend, Error, MatMut, MatRef, Real, Tile};

use super::saved::list;
use super::{ProfileRow, ProfileTable};
use crate::data::Curve;

/// The kernel along a curve at a snapshot.
struct Kept<T> {
    step: u64,
    log_time: T,
    /// K_t(x_0, x), `(q)`
    kernel: Vec<T>,
}

/// The kernels of a run along a curve of q inputs.
pub(super) struct Profile<T> {
    /// `(q, d)`
    x: Vec<T>,
    positions: Vec<f64>,
    /// the row of x_0
    origin: usize,
    /// Theta(x_0, x), `(q)`
    analytic: Vec<T>,
    /// the means of (A, D) of x_0 and of the curve, and the passes of one state
    space: Vec<T>,
    scratch: Vec<T>,
    kept: Vec<Kept<T>>,
}

/// Numbers of a [`Profile`] of the run's scalar beside those that are kept of the snapshots.
pub(super) fn profile_len(sizes: Sizes, curve: &Curve, tile: Tile) -> u128 {
    let q = curve.len();
    let scratch = scratch_len(sizes, tile, q) as u128;
    curve.x.len() as u128 + 2 * q as u128 + space_len(sizes, q).map_or(u128::MAX / 4, |len| len as u128) + scratch
}

fn space_len(sizes: Sizes, q: usize) -> Option<usize> {
    mean_tangent_len(sizes, 1).checked_add(mean_tangent_len(sizes, q))?.checked_add(tangent_len(sizes, q))
}

fn scratch_len(sizes: Sizes, tile: Tile, q: usize) -> usize {
    structured_scratch(tile, 1, q).max(analytic_scratch(sizes, tile, 1, q))
}

impl<T: Real> Profile<T> {
    /// That of no snapshot yet, with the analytic kernel.
    ///
    /// # Errors
    /// Those of [`analytic`].
    pub(super) fn new<N: Network>(backend: &dyn Backend<T>, network: &N, curve: &Curve) -> Result<Self, Error> {
        let (sizes, q) = (network.sizes(), curve.len());
        let needed = space_len(sizes, q).unwrap_or(usize::MAX);
        let mut profile = Self {
            x: curve.x.iter().map(|v| T::from_f64(*v)).collect(),
            positions: curve.positions.clone(),
            origin: curve.origin,
            analytic: vec![T::ZERO; q],
            space: vec![T::ZERO; needed],
            scratch: vec![T::ZERO; scratch_len(sizes, backend.tile(), q)],
            kept: Vec::new(),
        };
        let x = MatRef::new(&profile.x, q, sizes.inputs)?;
        let x_0 = x.block(curve.origin..curve.origin + 1, 0..sizes.inputs);
        let kernel = MatMut::new(&mut profile.analytic, 1, q)?;
        analytic(backend, network, AnalyticKernel::Ntk, x_0, Some(x), kernel, &mut profile.scratch)?;
        Ok(profile)
    }

    /// The snapshot of this moment, and beside it the kernel of the mean derivatives over the same states.
    ///
    /// # Errors
    /// Those of the recorder and of the passes along the curve.
    pub(super) fn observe<N: Network>(
        &mut self,
        recorder: &mut Recorder<'_, T>,
        trainer: &mut Trainer<'_, N, T, dyn Backend<T>>,
    ) -> Result<Snapshot<T>, Error> {
        let (backend, network, q) = (trainer.backend(), trainer.problem().network(), self.positions.len());
        let sizes = network.sizes();
        let x = MatRef::new(&self.x, q, sizes.inputs)?;
        let x_0 = x.block(self.origin..self.origin + 1, 0..sizes.inputs);
        let (at_origin, rest) = self.space.split_at_mut(mean_tangent_len(sizes, 1));
        let (along, passes) = rest.split_at_mut(mean_tangent_len(sizes, q));
        let mut at_origin = MeanTangent::new(sizes, 1, at_origin)?;
        let mut along = MeanTangent::new(sizes, q, along)?;
        let snapshot = recorder.observe_states(trainer, &mut |theta| {
            let params = Params::new(network, theta)?;
            at_origin.add(&tangent(backend, params, x_0, passes)?)?;
            along.add(&tangent(backend, params, x, passes)?)
        })?;
        let (left, right) = (at_origin.tangent(network, x_0)?, along.tangent(network, x)?);
        let mut kernel = vec![T::ZERO; q];
        let out = MatMut::new(&mut kernel, 1, q)?;
        structured(backend, &left, Some(&right), MultiOutput::Trace, out, &mut self.scratch)?;
        self.kept.push(Kept { step: snapshot.step, log_time: snapshot.log_time, kernel });
        Ok(snapshot)
    }

    /// All that was kept, as bytes.
    ///
    /// # Errors
    /// Those of `bytes`.
    pub(super) fn pass(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Error> {
        let q = self.positions.len();
        let empty = || Kept { step: 0, log_time: T::ZERO, kernel: vec![T::ZERO; q] };
        list(bytes, &mut self.kept, empty, |bytes, kept| {
            bytes.count(&mut kept.step)?;
            bytes.number(&mut kept.log_time)?;
            bytes.numbers(&mut kept.kernel)
        })
    }

    /// Forgets the snapshots that the record has dropped.
    pub(super) fn retain(&mut self, snapshots: &[Snapshot<T>]) {
        self.kept.retain(|kept| snapshots.iter().any(|s| s.step == kept.step));
    }

    /// All that was kept.
    pub(super) fn table(self) -> ProfileTable {
        let row = |kept: &Kept<T>, at: usize| ProfileRow {
            time: kept.log_time.exp_m1().to_f64(),
            log_time: kept.log_time.to_f64(),
            position: self.positions[at],
            kernel: kept.kernel[at].to_f64(),
            analytic: self.analytic[at].to_f64(),
        };
        let rows = self.kept.iter().flat_map(|kept| (0..self.positions.len()).map(move |at| row(kept, at)));
        ProfileTable { rows: rows.collect() }
    }
}

#[cfg(test)]
mod tests {
    use ntkscope_core::network::Activation;

    use crate::data::{self, Curve, CurveSource, DataSpec, Samples, Source};
    use crate::experiment::{Init, LossKind, Model, Training};
    use crate::files::Dtype;
    use crate::machine::{Budget, Stop};
    use crate::run::{Outcome, ProfileTable, run};

    /// The curve of the training samples themselves.
    fn samples() -> Samples {
        let mut samples = data::load(&DataSpec::new(Source::Circle), &Budget::default()).unwrap();
        let positions = (0..samples.n).map(|row| row as f64).collect();
        samples.curve = Some(Curve { x: samples.x.clone(), positions, origin: 0 });
        samples
    }

    fn outcome(model: &Model, snapshots: usize) -> Outcome {
        let profile = Some(CurveSource::Circle);
        let kernels = crate::experiment::KeptKernels::All;
        let loss = LossKind::MSE;
        let training = Training { loss, until_time: 50.0, snapshots, profile, kernels, ..Training::default() };
        run(model, &training, &samples(), &mut (), &Stop::new()).unwrap()
    }

    /// Along the samples the profile is the first row of the snapshots' effective kernels.
    #[test]
    fn a_profile_is_a_row_of_the_effective_kernel() {
        for activation in [Activation::Relu, Activation::Erf] {
            for (init, dtype) in [(Init::Mirrored, Dtype::F64), (Init::Standard, Dtype::F32)] {
                let model = Model { width: 16, activation: activation.into(), init, dtype, ..Model::default() };
                let Outcome { trace, kernels, profile, .. } = outcome(&model, 6);
                let (profile, kept) = (profile.unwrap(), kernels.snapshots.unwrap().effective);
                assert_eq!(profile.snapshots().count(), trace.rows.len());
                let scale = kernels.initial.iter().fold(0.0, |most: f64, k| most.max(k.abs()));
                let close = scale * if dtype == Dtype::F64 { 1e-12 } else { 1e-5 };
                for (k, (rows, seen)) in profile.snapshots().zip(&trace.rows).enumerate() {
                    for (i, row) in rows.iter().enumerate() {
                        assert_eq!((row.log_time, row.time, row.position), (seen.log_time, seen.time, i as f64));
                        let (expected, analytic) = (kept[36 * k + i], kernels.analytic[i]);
                        assert!((row.kernel - expected).abs() <= close, "{activation} {k} {i}: {row:?} {expected}");
                        assert!((row.analytic - analytic).abs() <= close, "{row:?} {analytic}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_profile_is_read_back() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("profile.csv");
        let written = outcome(&Model { width: 8, ..Model::default() }, 3).profile.unwrap();
        written.write(&path).unwrap();
        assert_eq!(ProfileTable::read(&path).unwrap(), written);
        assert_eq!(ProfileTable::read(&place.path().join("none.csv")).unwrap(), ProfileTable::default());
    }

    #[test]
    fn a_profile_needs_its_inputs() {
        let training =
            Training { loss: LossKind::MSE, profile: Some(CurveSource::Circle), max_steps: 1, ..Training::default() };
        let none = Samples { curve: None, ..samples() };
        let refused = run(&Model::default(), &training, &none, &mut (), &Stop::new());
        assert!(refused.unwrap_err().to_string().starts_with("`profile = circle`"));
    }
}
