//! Gradient flow under a fixed kernel at the snapshots of a run, kept as what its outputs follow from.

use std::cell::RefCell;

use ntkscope_core::predict::predict;
use ntkscope_core::{Error, MatMut, MatRef};

use super::backend_of;
use crate::experiment::BackendKind;

/// Outputs under a fixed kernel K on n training samples and h held out, at every snapshot: `f_0 + K(x, X) g`.
///
/// The dual coefficients g of the training samples are all that differs from one snapshot to the next, so that outputs on
/// many held-out samples are kept once, as their kernel.
#[derive(Clone, Debug)]
pub struct FixedFlow {
    backend: BackendKind,
    /// K(x, X) `((n + h) C, n C)`
    kernel: Vec<f64>,
    /// `(n + h, C)`
    f_0: Vec<f64>,
    /// g `(n, C)` of every snapshot
    duals: Vec<Vec<f64>>,
    /// n
    samples: usize,
    /// C
    outputs: usize,
}

/// Numbers of a [`FixedFlow`] on n training samples and h held out, of C outputs, at so many snapshots.
pub(super) fn fixed_flow_len(samples: usize, held_out: usize, outputs: usize, snapshots: usize) -> u128 {
    let [n, h, c, k] = [samples, held_out, outputs, snapshots].map(|size| size as u128);
    (n + h) * c * n * c + (n + h) * c + k * n * c
}

impl FixedFlow {
    /// From the kernel `((n + h) C, n C)`, f_0 `(n + h, C)` and the coefficients `(n, C)` of every snapshot.
    ///
    /// # Errors
    /// Lengths.
    pub(super) fn new(
        backend: BackendKind,
        kernel: Vec<f64>,
        f_0: Vec<f64>,
        duals: Vec<Vec<f64>>,
        outputs: usize,
    ) -> Result<Self, Error> {
        let samples = kernel.len() / f_0.len().max(1) / outputs.max(1);
        Error::shape("kernel of the flow", f_0.len() * samples * outputs, kernel.len())?;
        duals.iter().try_for_each(|g| Error::shape("coefficients of the flow", samples * outputs, g.len()))?;
        Ok(Self { backend, kernel, f_0, duals, samples, outputs })
    }

    /// How many snapshots there are.
    pub fn len(&self) -> usize {
        self.duals.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.duals.is_empty()
    }

    /// g `(n, C)` at a snapshot.
    pub(super) fn dual(&self, snapshot: usize) -> &[f64] {
        &self.duals[snapshot]
    }

    /// Outputs `(n + h, C)` at a snapshot.
    ///
    /// # Errors
    /// None for a snapshot that there is; [`Error::OutOfRange`] for another.
    pub fn outputs(&self, snapshot: usize) -> Result<Vec<f64>, Error> {
        let g = self.duals.get(snapshot).ok_or(Error::OutOfRange {
            what: "snapshot",
            needs: "below their number",
            got: snapshot as f64,
        })?;
        let (c, n) = (self.outputs, self.samples);
        let all = self.f_0.len() / c;
        let (kernel, g) = (MatRef::new(&self.kernel, all * c, n * c)?, MatRef::new(g, n, c)?);
        let mut outputs = vec![0.0; all * c];
        let out = MatMut::new(&mut outputs, all, c)?;
        predict(backend_of::<f64>(self.backend), kernel, MatRef::new(&self.f_0, all, c)?, g, out)?;
        Ok(outputs)
    }

    /// The outputs of all snapshots, `(snapshots, n + h, C)`, number by number: quick in their order, as a file takes them,
    /// because those of one snapshot are kept at a time.
    pub fn numbers(&self) -> impl Fn(usize) -> f64 + '_ {
        let kept = RefCell::new((usize::MAX, Vec::new()));
        move |at| {
            let (snapshot, at) = (at / self.f_0.len(), at % self.f_0.len());
            let mut kept = kept.borrow_mut();
            if kept.0 != snapshot {
                *kept = (snapshot, self.outputs(snapshot).expect("a snapshot that there is"));
            }
            kept.1[at]
        }
    }
}
