//! The outputs under a kernel that does not move, at the times of a run.

use ntkscope_core::loss::Loss;
use ntkscope_core::predict::{KernelFlow, kernel_flow_len};
use ntkscope_core::{Error, MatRef, Portable};

use crate::experiment::N;

/// Local error of a step in an output.
const TOLERANCE: f64 = 1e-4;

/// Space of a [`Fixed`].
pub(crate) const FIXED_LEN: usize = kernel_flow_len(N, 1);

/// The flow from the outputs at initialization, until it cannot be followed any more.
pub(crate) struct Fixed<'a>(Option<KernelFlow<'a, f32, Portable>>);

impl<'a> Fixed<'a> {
    /// At time 0: `kernel` is `(N, N)`, `f_0` and the targets are `(N, 1)`; `buffer` holds [`FIXED_LEN`] numbers.
    ///
    /// # Errors
    /// Those of [`KernelFlow::new`].
    pub(crate) fn new(
        kernel: MatRef<'a, f32>,
        f_0: MatRef<'_, f32>,
        (targets, loss): (MatRef<'a, f32>, Loss),
        buffer: &'a mut [f32],
    ) -> Result<Self, Error> {
        Ok(Self(Some(KernelFlow::new(&Portable, kernel, f_0, targets, loss, TOLERANCE, buffer)?)))
    }

    /// The outputs at ln(1 + t); NaN from where f32 cannot tell them any more.
    pub(crate) fn outputs(&mut self, log_time: f32, out: &mut [f32]) {
        if self.0.as_mut().is_some_and(|flow| flow.advance_to(log_time).is_err()) {
            self.0 = None;
        }
        match &self.0 {
            Some(flow) => out.copy_from_slice(flow.outputs().data()),
            None => out.fill(f32::NAN),
        }
    }
}
