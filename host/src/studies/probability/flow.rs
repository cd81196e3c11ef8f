//! The probe under a fixed kernel: kernel logistic regression by gradient flow from given outputs.

use ntkscope_core::loss::Loss;
use ntkscope_core::predict::{KernelFlow, kernel_flow_len, predict};
use ntkscope_core::{Error, MatMut, MatRef};

use super::line::TIMES;
use crate::backend::HostReal;

/// Local error of a step in every training output: far below the distance of a verdict from chance.
const TOLERANCE: f64 = 1e-6;

/// Flows on so many points, all of class 1, with a probe; its buffers serve one flow after the other.
pub struct ProbeFlow {
    points: usize,
    targets: Vec<f64>,
    inner: Vec<f64>,
    buffer: Vec<f64>,
}

impl ProbeFlow {
    /// For so many training points.
    pub fn new(points: usize) -> Self {
        Self {
            points,
            targets: vec![1.0; points],
            inner: vec![0.0; points * points],
            buffer: vec![0.0; kernel_flow_len(points, 1)],
        }
    }

    /// The probe's output at each of the [`TIMES`] times `clock`, for a kernel `(n + 1, n + 1)` and outputs at time 0 `(n + 1)`
    /// of the points and the probe after them.
    ///
    /// # Errors
    /// Shapes; those of the flow.
    pub fn probe(&mut self, kernel: &[f64], f_0: &[f64], clock: f64) -> Result<Vec<f64>, Error> {
        let (n, backend) = (self.points, f64::fast());
        Error::shape("kernel of points and probe", (n + 1) * (n + 1), kernel.len())?;
        Error::shape("outputs of points and probe", n + 1, f_0.len())?;
        for (inner, row) in self.inner.chunks_exact_mut(n).zip(kernel.chunks_exact(n + 1)) {
            inner.copy_from_slice(&row[..n]);
        }
        let (cross, probe) = (MatRef::new(&kernel[n * (n + 1)..][..n], 1, n)?, MatRef::new(&f_0[n..], 1, 1)?);
        // no gradient, no motion: all units are dead on all points
        if self.inner.iter().all(|k| *k == 0.0) {
            return Ok(vec![f_0[n]; TIMES.len()]);
        }
        let (inner, start) = (MatRef::new(&self.inner, n, n)?, MatRef::new(&f_0[..n], n, 1)?);
        let targets = MatRef::new(&self.targets, n, 1)?;
        let mut flow =
            KernelFlow::new(backend, inner, start, targets, Loss::CrossEntropy, TOLERANCE, &mut self.buffer)?;
        let at = |time: &f64| {
            flow.advance_to((clock * time).ln_1p())?;
            let mut output = [0.0];
            predict(backend, cross, probe, flow.dual(), MatMut::new(&mut output, 1, 1)?)?;
            Ok(output[0])
        };
        TIMES.iter().map(at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One draw against Euler's method with steps that follow the time, on a kernel of two points and a probe.
    #[test]
    fn the_probe_follows_the_differential_equation() {
        let kernel = [2.0, 1.0, 0.5, 1.0, 3.0, 0.7, 0.5, 0.7, 1.0];
        let (f_0, clock) = ([-0.4, 0.9, -1.5], 1.5);
        let found = ProbeFlow::new(2).probe(&kernel, &f_0, clock).unwrap();
        let (mut f, mut t, mut read) = (f_0, 0.0, Vec::new());
        for end in &TIMES[..4] {
            while t < clock * end {
                let step = f64::min(1e-5 * (1.0 + t), clock * end - t);
                let pull = [f[0], f[1]].map(|f| 0.5 / (1.0 + f.exp()));
                let moved = |i: usize| kernel[3 * i] * pull[0] + kernel[3 * i + 1] * pull[1];
                f = [0, 1, 2].map(|i| f[i] + step * moved(i));
                t += step;
            }
            read.push(f[2]);
        }
        for (found, expected) in found.iter().zip(&read) {
            assert!((found - expected).abs() < 1e-4, "{found:?} {expected:?}");
        }
        assert!(found.is_sorted(), "a kernel of positive entries only raises it: {found:?}");
    }

    #[test]
    fn without_a_kernel_nothing_moves() {
        let mut kernel = [0.0; 9];
        kernel[8] = 1.0;
        assert_eq!(ProbeFlow::new(2).probe(&kernel, &[0.0, 0.0, -0.3], 1.0).unwrap(), [-0.3; TIMES.len()]);
        assert!(ProbeFlow::new(2).probe(&kernel[..8], &[0.0; 3], 1.0).is_err());
    }
}
