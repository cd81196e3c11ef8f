//! How fast this machine is, how fast the library's kernels and steps are on it, and how near that is to the limit.
//!
//! A [`BenchmarkTask`] is measured in a process of its own ([`measure`]), so that its peak of memory is known and nothing that
//! another has left in memory helps it; the tasks take turns, round by round, so that what else the machine does meets
//! all of them alike; the median over the rounds counts ([`BenchmarkReport`]).

mod cases;
mod measure;
mod report;

pub use cases::{CASES, Case, INPUTS, LeastWork, NoSuchCase, ONE_THREAD, What, choose};
pub use measure::{Reading, gemm, measure};
pub use report::{BenchmarkReport, Machine, Row};

use ntkscope_core::Error;
use ntkscope_core::kernel::tangent_len;
use ntkscope_core::train::{Optimizer, trainer_len};

use crate::files::Dtype;

/// Rows and columns of the matrices whose product tells the rate of multiply-adds: so many that packing and the edges
/// no longer count.
pub const GEMM_SIZE: usize = 2048;
/// Numbers of each of the triad's three arrays of f64: 268 MB, more than any cache holds.
pub const TRIAD_LEN: usize = 1 << 25;

/// What tells a limit of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// a product of matrices by the library's fast backend
    Gemm {
        /// of these numbers
        dtype: Dtype,
        /// on one thread, however many there are
        one_thread: bool,
    },
    /// c <- a + s b over arrays larger than any cache
    Triad,
}

/// What is measured at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BenchmarkTask {
    /// a limit of the machine
    Probe(Probe),
    /// a case
    Case(Case),
}

/// All probes, in the order in which a [`BenchmarkReport`] takes their readings.
pub const PROBES: [Probe; 4] = [
    Probe::Gemm { dtype: Dtype::F32, one_thread: false },
    Probe::Gemm { dtype: Dtype::F64, one_thread: false },
    Probe::Gemm { dtype: Dtype::F32, one_thread: true },
    Probe::Triad,
];

impl Probe {
    /// Multiply-adds times 2, or bytes that are read and written.
    pub const fn work(self) -> usize {
        match self {
            Self::Gemm { .. } => 2 * GEMM_SIZE * GEMM_SIZE * GEMM_SIZE,
            Self::Triad => 3 * TRIAD_LEN * size_of::<f64>(),
        }
    }
}

impl BenchmarkTask {
    /// The name by which a process is told its task.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Probe(Probe::Triad) => "triad",
            Self::Probe(Probe::Gemm { dtype: Dtype::F32, one_thread: true }) => "gemm-f32-one-thread",
            Self::Probe(Probe::Gemm { dtype: Dtype::F64, one_thread: true }) => "gemm-f64-one-thread",
            Self::Probe(Probe::Gemm { dtype: Dtype::F32, one_thread: false }) => "gemm-f32",
            Self::Probe(Probe::Gemm { dtype: Dtype::F64, one_thread: false }) => "gemm-f64",
            Self::Case(case) => case.name,
        }
    }
    /// The task of this name.
    pub fn named(name: &str) -> Option<Self> {
        PROBES.map(Self::Probe).into_iter().chain(CASES.map(Self::Case)).find(|task| task.name() == name)
    }
    /// Whether it is measured on one thread, however many there are.
    pub fn one_thread(&self) -> bool {
        match self {
            Self::Probe(Probe::Triad) => false,
            Self::Probe(Probe::Gemm { one_thread, .. }) => *one_thread,
            Self::Case(case) => case.one_thread,
        }
    }
    /// Bytes of memory that it takes, about.
    ///
    /// # Errors
    /// A size of 0.
    pub fn need(&self) -> Result<u64, Error> {
        let (numbers, size) = match self {
            Self::Probe(Probe::Triad) => (3 * TRIAD_LEN, size_of::<f64>()),
            Self::Probe(Probe::Gemm { .. }) => (3 * GEMM_SIZE * GEMM_SIZE, size_of::<f64>()),
            Self::Case(case) => {
                let widths = case.widths();
                let (n, sizes) = (case.n, case.network(&widths)?.sizes());
                let rows = n * case.outputs;
                let buffers = match case.what {
                    What::EmpiricalNtk => sizes.parameters + tangent_len(sizes, n) + rows * rows,
                    What::AnalyticNtk => n * n,
                    What::GdStep => trainer_len(sizes, n, &Optimizer::Descent { rate: 1.0 }) + rows,
                };
                (n * case.inputs + buffers, case.dtype.bytes())
            }
        };
        Ok((numbers * size) as u64)
    }
}
