//! The kernels of all snapshots, as an outcome has them.

use ntkscope_core::kernel::{Spectrum, spectrum};
use ntkscope_core::{Backend, Error, MatMut, MatRef, Real};

use super::SnapshotKernels;
use super::training_loop::KeptKernel;

/// Kernels `(n, n)` in double precision, each beside the eigenvalues of the effective one, which are computed in T.
///
/// # Errors
/// Those of the decompositions but that a kernel is not finite, whose eigenvalues are NaN.
pub(super) fn of_snapshots<T: Real>(
    backend: &dyn Backend<T>,
    kept: Vec<KeptKernel<T>>,
    n: usize,
) -> Result<SnapshotKernels, Error> {
    let room = |numbers: usize| Vec::with_capacity(kept.len() * numbers);
    let mut all = SnapshotKernels { effective: room(n * n), points: room(n * n), spectra: room(n) };
    let mut space = Space::new(n);
    for KeptKernel { effective, point, .. } in kept {
        match space.spectrum(backend, MatRef::new(&effective, n, n)?) {
            Ok(_) => all.spectra.extend(space.values.iter().map(|value| value.to_f64())),
            Err(Error::NonFinite { .. } | Error::NoConvergence { .. }) => {
                all.spectra.extend(std::iter::repeat_n(f64::NAN, n));
            }
            Err(e) => return Err(e),
        }
        all.effective.extend(effective.iter().map(|k| k.to_f64()));
        all.points.extend(point.iter().map(|k| k.to_f64()));
    }
    Ok(all)
}

/// The smallest eigenvalue of a kernel; 0 where it is that to rounding.
///
/// # Errors
/// Those of the decomposition.
pub(super) fn smallest_eigenvalue<T: Real>(backend: &dyn Backend<T>, kernel: MatRef<'_, T>) -> Result<f64, Error> {
    Ok(Space::new(kernel.rows()).spectrum(backend, kernel)?.lambda_min.to_f64())
}

/// What a decomposition works in.
struct Space<T> {
    work: Vec<T>,
    values: Vec<T>,
    scratch: Vec<T>,
}

impl<T: Real> Space<T> {
    fn new(n: usize) -> Self {
        Self { work: vec![T::ZERO; n * n], values: vec![T::ZERO; n], scratch: vec![T::ZERO; n] }
    }

    fn spectrum(&mut self, backend: &dyn Backend<T>, kernel: MatRef<'_, T>) -> Result<Spectrum<T>, Error> {
        let n = kernel.rows();
        if kernel.data().iter().any(|k| !k.is_finite()) {
            return Err(Error::NonFinite { what: "the kernel" });
        }
        spectrum(backend, kernel, MatMut::new(&mut self.work, n, n)?, &mut self.values, &mut self.scratch)
    }
}

#[cfg(test)]
mod tests {
    use ntkscope_core::network::Activation;

    use crate::data::{self, DataSpec, Source};
    use crate::experiment::{KeptKernels, LossKind, Model, Training};
    use crate::machine::{Budget, Stop};
    use crate::run::{Outcome, run};

    fn outcome(activation: Activation, kernels: KeptKernels) -> Outcome {
        let samples = data::load(&DataSpec::new(Source::Circle), &Budget::default()).unwrap();
        let model = Model { width: 16, activation: activation.into(), ..Model::default() };
        let training = Training { loss: LossKind::MSE, until_time: 50.0, snapshots: 6, kernels, ..Training::default() };
        run(&model, &training, &samples, &mut (), &Stop::new()).unwrap()
    }

    #[test]
    fn every_snapshot_has_its_kernels_and_eigenvalues() {
        for activation in [Activation::Erf, Activation::Relu] {
            let Outcome { trace, kernels, .. } = outcome(activation, KeptKernels::All);
            let (k, kept) = (trace.rows.len(), kernels.snapshots.unwrap());
            assert_eq!([kept.effective.len(), kept.points.len(), kept.spectra.len()], [36 * k, 36 * k, 6 * k]);
            assert_eq!(kept.effective[..36], kernels.initial[..]);
            assert_eq!(kept.effective[36 * (k - 1)..], kernels.last[..]);
            assert_eq!(kept.points[36 * (k - 1)..], kernels.point[..]);
            for (row, values) in trace.rows.iter().zip(kept.spectra.chunks_exact(6)) {
                assert!(values.is_sorted());
                assert_eq!((values[0], values[5]), (row.lambda_min, row.lambda_max), "{activation}");
            }
            // a point is read at the beginning, and of a smooth network always
            assert_eq!(kept.points[..36], kept.effective[..36]);
            if activation == Activation::Erf {
                assert_eq!(kept.points, kept.effective);
            } else {
                let moved = |k: usize| kept.points[36 * k..][..36].iter().zip(&kept.points).map(|(a, b)| (a - b).abs());
                for (k, row) in trace.rows.iter().enumerate() {
                    assert_eq!(moved(k).fold(0.0, f64::max), row.point_drift_max);
                }
            }
        }
        assert!(outcome(Activation::Erf, KeptKernels::Ends).kernels.snapshots.is_none());
    }
}
