//! One measurement, in this process.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ntkscope_core::forward::Params;
use ntkscope_core::init::{Normals, initialize};
use ntkscope_core::kernel::{
    AnalyticKernel, MultiOutput, analytic, analytic_scratch, structured, structured_scratch, tangent, tangent_len,
};
use ntkscope_core::linalg::sum_of_squares;
use ntkscope_core::loss::Loss;
use ntkscope_core::train::{Optimizer, Problem, Trainer, trainer_len};
use ntkscope_core::{Error, MatMut, MatRef};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cases::{Case, What};
use super::{BenchmarkTask, GEMM_SIZE, Probe, TRIAD_LEN};
use crate::backend::HostReal;
use crate::files::Dtype;
use crate::machine::memory::linux;

/// A measurement lasts at least so long: short calls are repeated.
const LEAST: Duration = Duration::from_millis(100);
/// Numbers that a thread takes of the triad's arrays at a time.
const CHUNK: usize = 1 << 16;
/// Rate of gradient descent; the network's largest kernel entry is 2 (depth + 1), so it is stable.
const RATE: f64 = 1e-3;

/// What one measurement says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// seconds per call
    pub seconds: f64,
    /// by how much the process's resident memory has grown at its peak; `None` where the system does not say
    pub peak_bytes: Option<u64>,
}

/// Measures on this pool's threads. The peak of memory is the process's: let it do nothing else.
///
/// # Errors
/// A case with a size of 0; none of [`super::CASES`] has one.
pub fn measure(task: BenchmarkTask) -> Result<Reading, Error> {
    let before = linux("/proc/self/status", "VmRSS:");
    let seconds = match task {
        BenchmarkTask::Probe(Probe::Triad) => triad(),
        BenchmarkTask::Probe(Probe::Gemm { dtype: Dtype::F32, .. }) => gemm::<f32>(GEMM_SIZE),
        BenchmarkTask::Probe(Probe::Gemm { dtype: Dtype::F64, .. }) => gemm::<f64>(GEMM_SIZE),
        BenchmarkTask::Case(case) if case.dtype == Dtype::F32 => case_seconds::<f32>(&case),
        BenchmarkTask::Case(case) => case_seconds::<f64>(&case),
    }?;
    let peak = linux("/proc/self/status", "VmHWM:");
    Ok(Reading { seconds, peak_bytes: before.zip(peak).map(|(before, peak)| peak.saturating_sub(before)) })
}

/// Seconds per call, after a first one that is not counted: it brings in memory pages and instructions.
fn seconds(mut call: impl FnMut() -> Result<(), Error>) -> Result<f64, Error> {
    call()?;
    let (begin, mut calls) = (Instant::now(), 0);
    loop {
        call()?;
        calls += 1;
        let elapsed = begin.elapsed();
        if elapsed >= LEAST {
            return Ok(elapsed.as_secs_f64() / f64::from(calls));
        }
    }
}

/// Seconds of `C <- A B`, all three (n, n), on this pool's threads.
///
/// # Errors
/// n = 0.
pub fn gemm<T: HostReal>(n: usize) -> Result<f64, Error> {
    let (a, b, mut c) = (vec![T::ONE; n * n], vec![T::ONE; n * n], vec![T::ZERO; n * n]);
    let (a, b) = (MatRef::new(&a, n, n)?, MatRef::new(&b, n, n)?);
    seconds(|| {
        T::fast().gemm(T::ONE, a, b, T::ZERO, MatMut::new(&mut c, n, n)?);
        Ok(())
    })
}

/// `c <- a + s b`.
fn triad() -> Result<f64, Error> {
    let (a, b, mut c) = (vec![1.0; TRIAD_LEN], vec![2.0; TRIAD_LEN], vec![0.0; TRIAD_LEN]);
    let s = black_box(3.0);
    seconds(|| {
        let sources = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK));
        c.par_chunks_mut(CHUNK).zip(sources).for_each(|(c, (a, b))| {
            for (c, (a, b)) in c.iter_mut().zip(a.iter().zip(b)) {
                *c = a + s * b;
            }
        });
        black_box(&c);
        Ok(())
    })
}

fn case_seconds<T: HostReal>(case: &Case) -> Result<f64, Error> {
    let (n, backend) = (case.n, T::fast());
    let widths = case.widths();
    let network = case.network(&widths)?;
    let (sizes, tile) = (network.sizes(), backend.tile());
    let x = samples::<T>(n, case.inputs);
    let x = MatRef::new(&x, n, case.inputs)?;
    match case.what {
        What::EmpiricalNtk => {
            let mut theta = vec![T::ZERO; sizes.parameters];
            initialize(&network, 0, &mut theta)?;
            let (rows, which) = (n * sizes.outputs, MultiOutput::Full);
            let mut kernel = vec![T::ZERO; rows * rows];
            let mut buffer = vec![T::ZERO; tangent_len(sizes, n)];
            let mut scratch = vec![T::ZERO; structured_scratch(tile, rows, rows)];
            seconds(|| {
                let tangent = tangent(backend, Params::new(&network, &theta)?, x, &mut buffer)?;
                structured(backend, &tangent, None, which, MatMut::new(&mut kernel, rows, rows)?, &mut scratch)
            })
        }
        What::AnalyticNtk => {
            let (mut kernel, mut scratch) =
                (vec![T::ZERO; n * n], vec![T::ZERO; analytic_scratch(network.sizes(), tile, n, n)]);
            seconds(|| {
                let kernel = MatMut::new(&mut kernel, n, n)?;
                analytic(backend, &network, AnalyticKernel::Ntk, x, None, kernel, &mut scratch)
            })
        }
        What::GdStep => {
            let (loss, optimizer) = (Loss::SquaredError, Optimizer::Descent { rate: RATE });
            let mut targets = vec![T::ZERO; n * sizes.outputs];
            for (i, target) in targets.chunks_exact_mut(sizes.outputs).enumerate() {
                loss.target(i % 2, 0.0, target)?;
            }
            let problem = Problem::new(&network, x, MatRef::new(&targets, n, sizes.outputs)?, loss, 0.0)?;
            let mut buffer = vec![T::ZERO; trainer_len(sizes, n, &optimizer)];
            let mut trainer = Trainer::new(backend, problem, optimizer, 0, &mut buffer)?;
            seconds(|| trainer.advance(None))
        }
    }
}

/// Points drawn uniformly from the unit sphere, (n, d), one row at a time: no second copy adds to the peak of memory.
fn samples<T: HostReal>(n: usize, d: usize) -> Vec<T> {
    let (mut normals, mut row) = (Normals::new(1), vec![0.0; d]);
    let mut x = Vec::with_capacity(n * d);
    for _ in 0..n {
        row.iter_mut().for_each(|v| *v = normals.draw());
        let norm = sum_of_squares(&row).sqrt();
        x.extend(row.iter().map(|v| T::from_f64(v / norm)));
    }
    x
}
